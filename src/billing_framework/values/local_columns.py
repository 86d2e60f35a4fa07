"""Local dates and times of many instants at once: the columnar twin of `datetime.astimezone`, clock changes included."""

from __future__ import annotations

import functools
from zoneinfo import ZoneInfo

import numpy as np

from billing_framework.values.columns import Integers
from billing_framework.values.instant import MICROSECOND, instant_at

SECOND_US = 10**6
"""Microseconds of a second."""

DAY_US = 86_400 * SECOND_US
"""Microseconds of a day."""

_STEP_US = 6 * 3_600 * SECOND_US


def local_time(instants: Integers, zone: ZoneInfo) -> tuple[Integers, Integers]:
    """Return local day (days since 1970) and second of that day, as the wall clock of a zone shows them.

    Args:
        instants: microseconds since 1970 in UTC.
        zone: the zone.
    """
    if not len(instants):
        return instants, instants
    first, last = int(instants.min()) // DAY_US, int(instants.max()) // DAY_US + 1
    changes, offsets = clock_changes(zone, first, last)
    if len(changes):
        local = instants + np.array(offsets)[np.searchsorted(np.array(changes), instants, side="right")]
    else:
        local = instants + offsets[0]
    day = local // DAY_US
    return day, (local - day * DAY_US) // SECOND_US


@functools.lru_cache(maxsize=256)
def clock_changes(zone: ZoneInfo, first: int, last: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the instants at which the clocks of a zone change, and the offsets before, between and after them, in microseconds.

    Args:
        zone: the zone.
        first: first day that matters, in days since 1970 in UTC.
        last: the day after the last.
    """
    low = first * DAY_US
    changes: list[int] = []
    offsets = [_offset(low, zone)]
    while low < last * DAY_US:
        high = low + _STEP_US
        if _offset(high, zone) != offsets[-1]:
            changes.append(_change(low, high, zone))
            offsets.append(_offset(high, zone))
        low = high
    return tuple(changes), tuple(offsets)


def _offset(number: int, zone: ZoneInfo) -> int:
    offset = instant_at(number).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // MICROSECOND


def _change(low: int, high: int, zone: ZoneInfo) -> int:
    """Return the first whole second from which on the later offset holds, by halving."""
    before = _offset(low, zone)
    while high - low > SECOND_US:
        middle = low + (high - low) // 2 // SECOND_US * SECOND_US
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high
