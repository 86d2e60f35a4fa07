"""The finer structure of a measure: interval values with their times, or totals by register."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import attrs


@attrs.frozen(kw_only=True)
class Run:
    """Values of equal intervals, one after the other.

    Attributes:
        start: begin of the first interval, in seconds since 1970 (UTC).
        seconds: length of each interval.
        counts: the values as integers.
        value: what a count of one is in the unit of the measure, exactly.
    """

    start: int
    seconds: int
    counts: tuple[int, ...]
    value: Fraction

    @property
    def total(self) -> Fraction:
        """Sum of the values in the unit of the measure."""
        return sum(self.counts) * self.value


@attrs.frozen(kw_only=True)
class IntervalSeries:
    """Interval values of all channels of a measure.

    Attributes:
        runs: the values, channel by channel; those of one channel never overlap.
    """

    runs: tuple[Run, ...]

    def in_time_order(self) -> Iterator[tuple[int, int, Fraction]]:
        """Yield start and end (seconds since 1970) and value of every interval, by start; channels of one start as they stand."""
        places = [
            (run.start + number * run.seconds, place, number)
            for place, run in enumerate(self.runs)
            for number in range(len(run.counts))
        ]
        for start, place, number in sorted(places):
            run = self.runs[place]
            yield start, start + run.seconds, run.counts[number] * run.value


@attrs.frozen(kw_only=True)
class RegisterTotals:
    """Totals by register, for tariffs whose meter keeps a register for each period of the day.

    Attributes:
        totals: name of the register to its consumption in the unit of the measure.
    """

    totals: Mapping[str, Fraction]
