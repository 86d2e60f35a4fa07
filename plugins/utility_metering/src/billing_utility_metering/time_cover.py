"""Covered time: a set of spans that grows as data come in, and what is missing from it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import attrs

from billing_framework import Span


def seconds_of(instant: datetime) -> int:
    """Return an instant as whole seconds since 1970 in UTC."""
    return (instant - _EPOCH) // _SECOND


def instant_of(seconds: int) -> datetime:
    """Return the instant of whole seconds since 1970."""
    return _EPOCH + timedelta(seconds=seconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@attrs.define
class TimeCover:
    """Spans that do not touch each other, in order; times are whole seconds since 1970 in UTC.

    Attributes:
        starts: where each span begins.
        ends: where it ends.
    """

    starts: list[int] = attrs.field(factory=list)
    ends: list[int] = attrs.field(factory=list)

    def add(self, start: int, end: int) -> bool:
        """Take in a span; False where a part of it was covered already."""
        if start >= end:
            return True
        if not self.ends or start > self.ends[-1]:
            self.starts.append(start)
            self.ends.append(end)
            return True
        if start == self.ends[-1]:
            self.ends[-1] = end
            return True
        return self._insert(start, end)

    def _insert(self, start: int, end: int) -> bool:
        first = bisect_left(self.ends, start)
        last = bisect_right(self.starts, end)
        touched = list(zip(self.starts[first:last], self.ends[first:last], strict=True))
        fresh = all(stop <= start or begin >= end for begin, stop in touched)
        if touched:
            start, end = min(start, touched[0][0]), max(end, touched[-1][1])
        self.starts[first:last] = [start]
        self.ends[first:last] = [end]
        return fresh

    def gaps(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the parts of a span that are not covered, in order."""
        position = start
        for number in range(bisect_right(self.ends, start), len(self.starts)):
            if self.starts[number] >= end:
                break
            if self.starts[number] > position:
                yield position, self.starts[number]
            position = self.ends[number]
        if position < end:
            yield position, end

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield the covered spans in order."""
        return zip(self.starts, self.ends, strict=True)

    def overlaps(self, start: int, end: int) -> bool:
        """True where a part of the span is covered."""
        number = bisect_right(self.ends, start)
        return start < end and number < len(self.starts) and self.starts[number] < end


def span_of(start: int, end: int) -> Span:
    """Return seconds since 1970 as a span of instants."""
    return Span(instant_of(start), instant_of(end))
