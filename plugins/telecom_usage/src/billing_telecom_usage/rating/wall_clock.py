"""Which tariff period holds at which second of a call, by the local wall clock; elapsed seconds never change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

from billing_telecom_usage.rating.tariff import TariffPeriod, second_of

_DAY = timedelta(days=1)


@attrs.frozen
class Segment:
    """A part of a call within one tariff period.

    Attributes:
        start: second of the call at which it begins.
        end: second at which it ends, not part of it.
        period: name of the period; empty where the tariff has none at that time.
    """

    start: int
    end: int
    period: str


def period_at(local: datetime, periods: Sequence[TariffPeriod], holidays: Collection[date]) -> TariffPeriod | None:
    """Return the period that holds at a local time: of those that match, the highest weight, then the latest start."""
    day, second = local.date(), local.hour * 3600 + local.minute * 60 + local.second
    matching = [one for one in periods if second_of(one.start) <= second and _matches(one, day, holidays)]
    return max(matching, key=lambda one: (one.weight, second_of(one.start)), default=None)


def _matches(period: TariffPeriod, day: date, holidays: Collection[date]) -> bool:
    return (
        (not period.days or day.isoweekday() in period.weekdays)
        and (not period.months or day.month in period.months)
        and (not period.month_days or day.day in period.month_days)
        and (period.holidays is None or (day in holidays) == period.holidays)
    )


def segments(
    start: datetime, seconds: int, periods: Sequence[TariffPeriod], *, zone: ZoneInfo, holidays: Collection[date] = frozenset()
) -> tuple[Segment, ...]:
    """Return the parts of a call by tariff period, in order; neighbours are of different periods.

    A local start time that a clock change leaves out is passed over; one that occurs twice counts both times, so a period may
    hold again within one call.

    Args:
        start: instant at which the call starts.
        seconds: its length, at least 1.
        periods: the periods of the tariff.
        zone: zone of the wall clock.
        holidays: dates that count as holidays.
    """
    edges = sorted({0, *(edge for edge in _edges(start, seconds, periods, zone) if 0 < edge < seconds)})
    found: list[Segment] = []
    for begin, end in zip(edges, [*edges[1:], seconds], strict=True):
        held = period_at((start + timedelta(seconds=begin)).astimezone(zone), periods, holidays)
        name = held.name if held is not None else ""
        if found and found[-1].period == name:
            found[-1] = attrs.evolve(found[-1], end=end)
        else:
            found.append(Segment(begin, end, name))
    return tuple(found)


def _edges(start: datetime, seconds: int, periods: Sequence[TariffPeriod], zone: ZoneInfo) -> Iterator[int]:
    """Yield the seconds of the call at which another period may begin."""
    first, last = start.astimezone(zone).date(), (start + timedelta(seconds=seconds)).astimezone(zone).date()
    return (_seconds_between(start, instant) for instant in edges_between(first, last, periods, zone))


def edges_between(first: date, last: date, periods: Sequence[TariffPeriod], zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the instants at which another period may begin: clock times of periods, midnights, clock changes.

    Args:
        first: local date from which on, and the day before it.
        last: local date up to which, and the day after it.
        periods: the periods of the tariff.
        zone: zone of the wall clock.
    """
    clocks = sorted({0, *(second_of(one.start) for one in periods)})
    day = first - _DAY
    while day <= last + _DAY:
        for clock in clocks:
            local = datetime(day.year, day.month, day.day) + timedelta(seconds=clock)  # noqa: DTZ001  the zone comes next
            for fold in (0, 1):
                yield local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        yield from _changes(day, zone)
        day += _DAY


def _seconds_between(start: datetime, instant: datetime) -> int:
    passed = instant - start
    return -(-passed // timedelta(seconds=1))  # a call that starts within a second meets the boundary with its next whole one


def _changes(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the instant of a clock change on a date, by halving the day down to the second."""
    low = datetime(day.year, day.month, day.day, tzinfo=UTC)
    high = low + _DAY
    offset = low.astimezone(zone).utcoffset()
    if high.astimezone(zone).utcoffset() == offset:
        return
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    yield high
