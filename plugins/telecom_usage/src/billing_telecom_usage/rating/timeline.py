"""Tariff periods as instants: when each begins, over all days that matter; the columnar twin of `segments`.

Clock changes are in it, because the instants come from the same wall clock as those of the reference.
"""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import numpy as np

from billing_framework import IntervalIndex
from billing_telecom_usage.deck.digits import Integers
from billing_telecom_usage.rating.tariff import TariffPeriod
from billing_telecom_usage.rating.wall_clock import edges_between, period_at

FAR = 2**40
"""Seconds to an edge that no call reaches."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND_US = 10**6


@attrs.frozen(eq=False)
class Timeline:
    """What period holds from when on.

    Attributes:
        names: names of the periods.
        starts: the instants (microseconds since 1970) at which another period begins; the first is before all that matters.
        index: the same, to be searched.
        period: place in `names` of the period that begins.
    """

    names: tuple[str, ...]
    starts: Integers
    index: IntervalIndex
    period: Integers

    def at(self, starts: Integers) -> tuple[Integers, Integers]:
        """Return the part of the timeline in which each call starts, and after how many seconds of the call the next begins."""
        part = self.index.places(starts)
        return part, self.until(part + 1, starts)

    def until(self, part: Integers, starts: Integers) -> Integers:
        """Return after how many seconds of a call a part of the timeline begins; whole seconds, as the reference counts them."""
        begins = np.append(self.starts, [self.starts[-1] + FAR * _SECOND_US] * 2)[part]
        seconds: Integers = -((starts - begins) // _SECOND_US)
        return seconds


@functools.lru_cache(maxsize=256)
def timeline(periods: tuple[TariffPeriod, ...], zone: ZoneInfo, holidays: frozenset[date], first: date, last: date) -> Timeline:
    """Return the timeline of a tariff; kept, because all accounts of a tariff share it.

    Args:
        periods: the periods of the tariff; none make one part.
        zone: zone of the wall clock.
        holidays: dates that count as holidays.
        first: local date of the first call.
        last: local date of the last call; the timeline reaches two days further, over the longest call that is priced by it.
    """
    begins = [_EPOCH + timedelta(days=first.toordinal() - _EPOCH.toordinal() - 2)]
    if periods:
        begins += sorted(set(edges_between(first, last + timedelta(days=3), periods, zone)))
    names: list[str] = []
    starts: list[int] = []
    places: list[int] = []
    for begin in begins:
        held = period_at(begin.astimezone(zone), periods, holidays)
        name = held.name if held is not None else ""
        if name not in names:
            names.append(name)
        if not places or places[-1] != names.index(name):
            starts.append((begin - _EPOCH) // _MICROSECOND)
            places.append(names.index(name))
    edges = np.array(starts, dtype=np.int64)
    return Timeline(tuple(names), edges, IntervalIndex.of(edges), np.array(places, dtype=np.int64))
