"""Periods: half-open spans of dates and of instants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import attrs

from billing_framework.values.errors import ValueRefused


@attrs.frozen(order=True)
class DateSpan:
    """The dates from `start` up to but not including `end`; shown to people with its last day included.

    Attributes:
        start: first date.
        end: the date after the last; always later than `start`.
    """

    start: date
    end: date

    def __attrs_post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueRefused("VALUE10", f"a period must end after it starts: {self.start} to {self.end}")

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """The last date inside."""
        return self.end - timedelta(days=1)

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def intersection(self, other: DateSpan) -> DateSpan | None:
        """Return the common dates, None where there are none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return DateSpan(start, end) if start < end else None

    def dates(self) -> Iterator[date]:
        """Yield every date in order."""
        for number in range(self.days):
            yield self.start + timedelta(days=number)

    def tiles(self, breaks: Iterable[date]) -> tuple[DateSpan, ...]:
        """Cut at `breaks`; the tiles follow each other and add up to the whole."""
        inner = sorted({day for day in breaks if self.start < day < self.end})
        edges = [self.start, *inner, self.end]
        return tuple(DateSpan(first, second) for first, second in zip(edges, edges[1:], strict=False))

    def instants(self, zone: ZoneInfo) -> Span:
        """Return the instants from local midnight of `start` to local midnight of `end`."""
        return Span(midnight(self.start, zone), midnight(self.end, zone))

    def __str__(self) -> str:
        return f"{self.start.isoformat()}/{self.last.isoformat()}"


@attrs.frozen(order=True)
class Span:
    """The instants from `start` up to but not including `end`, aware UTC; an instant alone has equal ends."""

    start: datetime
    end: datetime

    def __attrs_post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant.tzinfo is not UTC:
                raise ValueRefused("VALUE11", f"an instant must be aware UTC, not {instant.isoformat()}")
        if self.start > self.end:
            raise ValueRefused("VALUE10", f"a span must not end before it starts: {self.start} to {self.end}")

    @classmethod
    def at(cls, instant: datetime) -> Self:
        """Return the span of one instant."""
        return cls(instant, instant)

    @property
    def seconds(self) -> int:
        """Length in whole seconds."""
        return (self.end - self.start) // timedelta(seconds=1)

    def intersection(self, other: Span) -> Span | None:
        """Return the common instants, None where there are none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start < end else None

    def overlaps(self, other: Span) -> bool:
        """True where they share an instant; the span of one instant overlaps a span that holds it."""
        if self.start == self.end:
            return other.start <= self.start < other.end
        if other.start == other.end:
            return self.start <= other.start < self.end
        return self.start < other.end and other.start < self.end

    def __str__(self) -> str:
        return f"{self.start.isoformat()}/{self.end.isoformat()}"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which the local `day` begins; where midnight is skipped, the first instant of the day."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def month_key(day: date) -> int:
    """Return the month as the number yyyymm, which is the partition key of growing tables."""
    return day.year * 100 + day.month
