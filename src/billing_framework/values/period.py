"""Periods: half-open spans of dates and of instants, and the days of a time zone."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Self
from zoneinfo import ZoneInfo

import attrs

from billing_framework.values.errors import ValueRefused

ONE_DAY = timedelta(days=1)
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
"""What people and files may name as a date; between them no arithmetic of days, months and zones leaves the calendar."""


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
        if isinstance(self.start, datetime) or isinstance(self.end, datetime):
            raise ValueRefused("VALUE11", f"a period of dates cannot begin or end at an instant: {self.start}, {self.end}")
        if self.start >= self.end:
            raise ValueRefused("VALUE10", f"a period must end after it starts: {self.start} to {self.end}")

    @classmethod
    def inclusive(cls, first: date, last: date) -> Self:
        """Return the span of a text that names its last day, such as "1 to 31 March"."""
        if type(first) is type(last) is date and last < first:
            raise ValueRefused("VALUE10", f"a period must not end before it starts: {first} to {last}")
        return cls(first, last + ONE_DAY)

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """The last date inside, which is what people are shown as the end."""
        return self.end - ONE_DAY

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
        return tuple(DateSpan(first, second) for first, second in pairwise([self.start, *inner, self.end]))

    def without(self, taken: Iterable[DateSpan]) -> Iterator[DateSpan]:
        """Yield what is left without some dates, which are given in order."""
        start = self.start
        for dates in taken:
            if dates.end <= start or dates.start >= self.end:
                continue
            if dates.start > start:
                yield DateSpan(start, dates.start)
            start = dates.end
        if start < self.end:
            yield DateSpan(start, self.end)

    def instants(self, zone: ZoneInfo) -> Span:
        """Return the instants from local midnight of `start` to local midnight of `end`."""
        return _instants(self, zone)

    def __str__(self) -> str:
        return _span_text(self)


@functools.lru_cache(maxsize=4096)
def _instants(dates: DateSpan, zone: ZoneInfo) -> Span:
    return Span(midnight(dates.start, zone), midnight(dates.end, zone))


@functools.lru_cache(maxsize=4096)
def _span_text(span: DateSpan) -> str:
    """Return both dates, the last one included; a run writes the same few spans on every line."""
    return f"{span.start.isoformat()}/{span.last.isoformat()}"


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

    def tiles(self, breaks: Iterable[datetime]) -> tuple[Span, ...]:
        """Cut at `breaks`; the tiles follow each other and add up to the whole. The span of one instant is its only tile."""
        inner = sorted({instant for instant in breaks if self.start < instant < self.end})
        return tuple(Span(first, second) for first, second in pairwise([self.start, *inner, self.end]))

    def local_days(self, zone: ZoneInfo) -> tuple[tuple[date, Span], ...]:
        """Cut at the local midnights of `zone`; each tile comes with its local date, and the tiles add up to the whole."""
        first, last = self.start.astimezone(zone).date(), self.end.astimezone(zone).date()
        days = (first + timedelta(days=number) for number in range(1, (last - first).days + 1))
        return tuple((tile.start.astimezone(zone).date(), tile) for tile in self.tiles(midnight(day, zone) for day in days))

    def __str__(self) -> str:
        return f"{self.start.isoformat()}/{self.end.isoformat()}"


def sane_date(day: date) -> date:
    """Return a date that people or files name, where it is one that business can be about.

    Raises:
        ValueRefused: ``VALUE29`` for a year that is most likely mistyped, or stands for "never".
    """
    if not EARLIEST <= day <= LATEST:
        raise ValueRefused(
            "VALUE29",
            f"the date {day.isoformat()} is not from {EARLIEST.year} to {LATEST.year}",
            remedy="Correct the year; leave an end that is open out",
        )
    return day


def utc(instant: datetime) -> datetime:
    """Return the same instant in UTC, as every instant is kept.

    Raises:
        ValueRefused: ``VALUE11`` for a naive time, which names no instant before its zone is known.
    """
    if instant.tzinfo is None:
        raise ValueRefused("VALUE11", f"{instant.isoformat()} has no time zone", remedy="Say which zone the source's clock shows")
    return instant.astimezone(UTC)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which the local `day` begins.

    Where the clocks skip midnight this is the first instant that bears the date, and where they go back over midnight it is the
    last step into the date, so that the days of a zone are intervals that follow each other.
    """
    earlier = datetime.combine(day, time(), zone).astimezone(UTC)
    later = datetime.combine(day, time(fold=1), zone).astimezone(UTC)
    if earlier == later:
        return earlier
    if earlier > later:  # midnight is skipped: the clocks jump between the two readings
        return _first_instant(day, zone, later, earlier)
    before = (later - timedelta(microseconds=1)).astimezone(zone).date()
    return later if before < day else earlier


def _first_instant(day: date, zone: ZoneInfo, outside: datetime, inside: datetime) -> datetime:
    while inside - outside > timedelta(seconds=1):
        middle = outside + (inside - outside) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).date() < day:
            outside = middle
        else:
            inside = middle
    return inside


def day_seconds(day: date, zone: ZoneInfo) -> int:
    """Return the length of the local `day`: 86,400 seconds, but 23, 25 or (Lord Howe) 23.5 hours when the clocks change."""
    return Span(midnight(day, zone), midnight(day + ONE_DAY, zone)).seconds


def month_key(day: date) -> int:
    """Return the month as the number yyyymm, which is the partition key of growing tables."""
    return day.year * 100 + day.month
