"""Which period of the day each interval of a matrix lies in, and where windows that count begin: told once for all accounts.

The classifier is the reference; it is asked once per interval of a month, and its answers are kept for the next shard.
"""

from __future__ import annotations

import functools
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import numpy.typing as npt

from billing_utility_metering.pricing.day_periods import Calendar, Classifier
from billing_utility_metering.pricing.peak import starts_of_windows

Integers = npt.NDArray[Any]


@attrs.frozen
class Grid:
    """Intervals that follow each other.

    Attributes:
        start: begin of the first, in seconds since 1970.
        seconds: length of each.
        count: how many there are.
    """

    start: int
    seconds: int
    count: int

    @property
    def begins(self) -> range:
        """Where each begins."""
        return range(self.start, self.start + self.count * self.seconds, self.seconds)


@attrs.frozen
class Division:
    """How a tariff divides time: what a classifier goes by, without what it remembers."""

    calendar: Calendar
    zone: ZoneInfo
    holidays: frozenset[date]

    @classmethod
    def of(cls, classifier: Classifier) -> Division:
        """Return what a classifier goes by."""
        return cls(classifier.calendar, classifier.zone, classifier.holidays)

    def classifier(self) -> Classifier:
        """Return a classifier that goes by it."""
        return Classifier(calendar=self.calendar, zone=self.zone, holidays=self.holidays)


@functools.lru_cache(maxsize=64)
def period_places(division: Division, grid: Grid) -> tuple[tuple[str, ...], Integers]:
    """Return the periods that occur, an empty name for intervals in none or several, and the place of each interval's own."""
    classifier = division.classifier()
    names: dict[str, int] = {}
    places = [names.setdefault(classifier.period_of(begin, begin + grid.seconds), len(names)) for begin in grid.begins]
    return tuple(names), np.array(places, dtype=np.int64)


@functools.lru_cache(maxsize=64)
def counting_windows(division: Division, grid: Grid, window: int, *, rolling: bool) -> Integers:
    """Return the interval with which each window that counts begins; `window` and `rolling` as for `windows`."""
    begins = list(grid.begins)
    found = starts_of_windows(begins, grid.seconds, window, division.classifier(), rolling=rolling)
    return np.array(list(found), dtype=np.int64)
