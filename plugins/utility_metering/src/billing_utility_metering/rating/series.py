"""The finer structure of a measure: interval values with their times, or totals by register."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from billing_utility_metering.pricing.day_periods import Classifier


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


class Runs(Protocol):
    """Runs one after the other, as a tuple of them or made when they are asked for."""

    def __iter__(self) -> Iterator[Run]: ...

    def __len__(self) -> int: ...


@attrs.frozen
class ScaledRuns:
    """Runs of several channels in one unit, made when they are asked for.

    Attributes:
        parts: runs of a channel, and the factor from their unit to the common one.
    """

    parts: tuple[tuple[Runs, Fraction], ...]

    def __iter__(self) -> Iterator[Run]:
        for runs, by in self.parts:
            for run in runs:
                yield Run(start=run.start, seconds=run.seconds, counts=run.counts, value=run.value * by)

    def __len__(self) -> int:
        return sum(len(runs) for runs, _ in self.parts)


class KnownSums(Protocol):
    """What is known of interval values without going through them: a columnar rater has summed those of many accounts at once.

    Each method may return None: then the values themselves tell. Sums are in counts, as those of `Run`.
    """

    def totals(self, classifier: Classifier) -> Mapping[str, tuple[int, int]] | None:
        """Return the number of intervals and the sum of their counts for each period of the day that occurs."""

    def peak(self, classifier: Classifier, window: int, *, rolling: bool) -> tuple[int, int] | None:
        """Return start (seconds since 1970) and sum of the highest window that counts, zeros where none is above zero."""


@attrs.frozen(kw_only=True)
class IntervalSeries:
    """Interval values of all channels of a measure.

    Attributes:
        runs: the values, channel by channel; those of one channel never overlap.
        known: sums that are known beforehand, of the runs of one channel; None where there are none.
        value: what a count of one in `known` is in the unit of the measure.
    """

    runs: Runs
    known: KnownSums | None = None
    value: Fraction = Fraction(1)

    def in_time_order(self) -> Iterator[tuple[int, int, Fraction]]:
        """Yield start and end (seconds since 1970) and value of every interval, by start; channels of one start as they stand."""
        runs = tuple(self.runs)
        places = [
            (run.start + number * run.seconds, place, number)
            for place, run in enumerate(runs)
            for number in range(len(run.counts))
        ]
        for start, place, number in sorted(places):
            run = runs[place]
            yield start, start + run.seconds, run.counts[number] * run.value


@attrs.frozen(kw_only=True)
class RegisterTotals:
    """Totals by register, for tariffs whose meter keeps a register for each period of the day.

    Attributes:
        totals: name of the register to its consumption in the unit of the measure.
    """

    totals: Mapping[str, Fraction]
