"""The highest mean power over a window, from interval values."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from fractions import Fraction

import attrs

from billing_framework import Measure, ValueRefused
from billing_utility_metering.pricing.day_periods import Classifier
from billing_utility_metering.rating.series import IntervalSeries
from billing_utility_metering.time_cover import instant_of
from billing_utility_metering.units import factor

COUNTS = "counts"
_POWER_OF = {"Wh": "W", "kWh": "kW", "MWh": "MW", "VAh": "VA", "kVAh": "kVA", "varh": "var", "kvarh": "kvar"}
_HOUR = 3600


@attrs.frozen(kw_only=True)
class Peak:
    """The window with the highest mean power; zero at second 0 where no window counts.

    Attributes:
        power: the mean power.
        start: where the window begins, in seconds since 1970.
    """

    power: Fraction
    start: int


def coincident(measures: Sequence[Measure]) -> tuple[list[tuple[int, Fraction]], int]:
    """Return start and sum of all channels' values for every interval, in order of time, and the length of the intervals.

    Meters of one agreement are totalised: intervals of one time are added before the highest is looked for.

    Raises:
        ValueRefused: ``UTIL35`` where a measure has no intervals, or intervals of several lengths.
    """
    sums: dict[int, Fraction] = {}
    lengths = set()
    for measure in measures:
        if not isinstance(measure.series, IntervalSeries):
            raise ValueRefused(
                "UTIL35", f"measure {measure.name!r} has no interval values", remedy="A demand needs interval data of the point"
            )
        for start, end, value in measure.series.in_time_order():
            sums[start] = sums.get(start, Fraction(0)) + value
            lengths.add(end - start)
    if len(lengths) > 1:
        raise ValueRefused(
            "UTIL35",
            f"the intervals are {', '.join(str(length // 60) for length in sorted(lengths))} minutes long",
            remedy="Take in intervals of one length for the whole period",
        )
    return sorted(sums.items()), next(iter(lengths), _HOUR)


def windows(
    values: Sequence[tuple[int, Fraction]], seconds: int, window: int, classifier: Classifier, *, rolling: bool
) -> Iterator[tuple[int, Fraction]]:
    """Yield start and energy of every window that counts.

    Args:
        values: start and value of every interval, in order.
        seconds: length of an interval.
        window: length of the window in seconds.
        classifier: tells whether a window lies in hours that count.
        rolling: True to begin a window at every interval, False at every whole window since local midnight.

    Raises:
        ValueRefused: ``UTIL35`` where intervals are longer than the window, or do not divide it: an hourly mean hides a peak.
    """
    if window % seconds:
        raise ValueRefused(
            "UTIL35",
            f"a window of {window // 60} minutes cannot be measured with intervals of {seconds // 60} minutes",
            remedy="Take in intervals that the window is a multiple of",
        )
    count = window // seconds
    begins = [start for start, _ in values]
    for first in starts_of_windows(begins, seconds, window, classifier, rolling=rolling):
        yield begins[first], sum((value for _, value in values[first : first + count]), Fraction(0))


def starts_of_windows(
    begins: Sequence[int], seconds: int, window: int, classifier: Classifier, *, rolling: bool
) -> Iterator[int]:
    """Yield the place of the interval with which each window that counts begins; arguments as for `windows`."""
    count = window // seconds
    for first in range(len(begins) - count + 1):
        start = begins[first]
        if begins[first + count - 1] != start + (count - 1) * seconds:
            continue
        offset = instant_of(start).astimezone(classifier.zone).utcoffset()
        since_midnight = start + (offset.days * 86_400 + offset.seconds if offset else 0)
        if (rolling or since_midnight % window == 0) and classifier.period_of(start, start + window) == COUNTS:
            yield first


def peak_of(measures: Sequence[Measure], unit: str, window: int, classifier: Classifier, *, rolling: bool) -> Peak:
    """Return the highest window; the earliest of equal ones.

    Args:
        measures: energy measures of one unit.
        unit: unit of power to give it in.
        window: length of the window in seconds.
        classifier: tells whether a window lies in hours that count.
        rolling: see `windows`.

    Raises:
        ValueRefused: ``UTIL35`` where the unit is no power of what is measured, or as `coincident` and `windows`.
    """
    per_energy = _mean_power(measures[0].quantity.unit, unit, window)
    known = _known(measures, window, classifier, rolling=rolling)
    if known is not None:
        start, energy_sum = known
        return Peak(power=energy_sum * per_energy, start=start)
    values, seconds = coincident(measures)
    highest = Peak(power=Fraction(0), start=0)
    for start, value in windows(values, seconds, window, classifier, rolling=rolling):
        power = value * per_energy
        if power > highest.power:
            highest = Peak(power=power, start=start)
    return highest


@functools.cache
def _mean_power(energy: str, unit: str, window: int) -> Fraction:
    """Return the mean power of one unit of energy over a window of so many seconds."""
    by = factor(_POWER_OF.get(energy, ""), unit)
    if by is None:
        raise ValueRefused("UTIL35", f"{unit} is no power of {energy}", remedy="Price kW for kWh, kVA for kVAh, kvar for kvarh")
    return by * _HOUR / window


def _known(measures: Sequence[Measure], window: int, classifier: Classifier, *, rolling: bool) -> tuple[int, Fraction] | None:
    """Return start and energy of the highest window where they are known beforehand: of one measure, of one channel."""
    series = measures[0].series
    if len(measures) != 1 or not isinstance(series, IntervalSeries) or series.known is None:
        return None
    found = series.known.peak(classifier, window, rolling=rolling)
    return None if found is None else (found[0], found[1] * series.value)
