"""Consumption by period of the day: from interval values by local time, or from the registers of a time-of-use meter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import attrs

from billing_framework import Billed, Finding, Measure, Pricing, Quantity, ValueRefused, timezone
from billing_utility_metering.pricing.day_periods import Calendar, Classifier, classifier, holiday_dates
from billing_utility_metering.rating.series import IntervalSeries, RegisterTotals
from billing_utility_metering.time_cover import span_of


@attrs.frozen(kw_only=True)
class Determinants:
    """What the periods of one tile come to.

    Attributes:
        totals: consumption by period that occurs in the tile, in the order of the plan, in the measure's unit.
        counts: number of interval values in each; 0 for registers.
        measures: the measures that they were taken from.
        total: their sum.
        findings: values that no period can be told for.
    """

    totals: Mapping[str, Fraction]
    counts: Mapping[str, int]
    measures: tuple[Measure, ...]
    total: Fraction
    findings: tuple[Finding, ...] = ()


def classifier_of(pricing: Pricing, calendar: Calendar, holidays: str) -> Classifier:
    """Return what tells the period of an instant for an account.

    Raises:
        ValueRefused: ``UTIL33`` for an unknown holiday calendar.
    """
    return classifier(calendar, timezone(pricing.account.zone), holiday_dates(pricing.holidays, holidays))


def billed_of(measures: Sequence[Measure], quantity: Quantity) -> Billed:
    """Return what charges take over from the measures that they rest on."""
    details: dict[str, str] = {}
    for measure in measures:
        details.update(measure.details)
    return Billed(
        quantity=quantity,
        source="",
        records=tuple(dict.fromkeys(key for measure in measures for key in measure.records)),
        details=details,
        steps=tuple(step for measure in measures for step in measure.steps),
        estimated=any(measure.estimated for measure in measures),
        state_read=tuple(dict.fromkeys(name for measure in measures for name in measure.state_read)),
    )


def facts_once(billed: Billed) -> Iterator[Billed]:
    """Yield what each next charge takes over: the facts of the readings, which are the same for all, for the first one only."""
    yield billed
    bare = attrs.evolve(billed, details={})
    while True:
        yield bare


def determinants(pricing: Pricing, calendar: Calendar, *, unit: str, holidays: str, registers: Mapping[str, str]) -> Determinants:
    """Return the consumption by period; the periods sum to the measures exactly.

    Args:
        pricing: the component with its measures.
        calendar: how the tariff divides time.
        unit: unit of the component's prices.
        holidays: name of the holiday calendar, or empty.
        registers: name of a register to the period that it counts.

    Raises:
        ValueRefused: ``UTIL29`` where a measure knows neither intervals nor registers, or a register has no period.
        UnitMismatch: the measure is of another unit than the prices.
    """
    names = [period.name for period in calendar.periods]
    totals: dict[str, Fraction] = {}
    counts = dict.fromkeys(names, 0)
    findings: list[Finding] = []
    classifier = classifier_of(pricing, calendar, holidays)
    for measure in pricing.measures:
        if measure.quantity.unit != unit:
            _ = Quantity.zero(unit) + measure.quantity  # refuses another unit, naming both
        if isinstance(measure.series, IntervalSeries):
            for period, number, value in _classified(measure.series, classifier, pricing, findings):
                totals[period] = totals[period] + value if period in totals else value
                counts[period] += number
        elif isinstance(measure.series, RegisterTotals):
            for register, value in measure.series.totals.items():
                period = registers.get(register, register)
                if period not in counts:
                    raise _no_period(register, names)
                totals[period] = totals.get(period, Fraction(0)) + value
        else:
            raise ValueRefused(
                "UTIL29",
                f"measure {measure.name!r} is known in total only, not by time",
                remedy="Take in interval data or the registers of each period, and not both for one point",
            )
    ordered = {name: totals[name] for name in names if name in totals}
    return Determinants(
        totals=ordered,
        counts=counts,
        measures=pricing.measures,
        total=sum(ordered.values(), Fraction(0)),
        findings=tuple(findings),
    )


def _no_period(register: str, names: list[str]) -> ValueRefused:
    return ValueRefused(
        "UTIL29",
        f"register {register!r} counts none of the periods {', '.join(names)}",
        remedy="Name it among the registers of a period in the plan",
    )


def _classified(
    series: IntervalSeries, classifier: Classifier, pricing: Pricing, findings: list[Finding]
) -> Iterator[tuple[str, int, Fraction]]:
    """Yield period, number of intervals and their sum, run by run; integers are summed, for there are thousands a month.

    An interval in no single period becomes a finding (``UTIL28``), the first one only.
    """
    known = series.known.totals(classifier) if series.known is not None else None
    if known is not None:
        for period, (number, total) in known.items():
            yield period, number, total * series.value
        return
    for run in series.runs:
        sums: dict[str, int] = {}
        numbers: dict[str, int] = {}
        for number, count in enumerate(run.counts):
            start = run.start + number * run.seconds
            period = classifier.period_of(start, start + run.seconds)
            if period:
                sums[period] = sums.get(period, 0) + count
                numbers[period] = numbers.get(period, 0) + 1
            elif not findings:
                findings.append(
                    Finding(
                        code="UTIL28",
                        what=f"the interval {span_of(start, start + run.seconds)} lies in more than one period, or in none",
                        remedy="Take in shorter intervals, or let the plan's periods change on the intervals' edges",
                        subject=pricing.usage.agreement.code,
                        field=pricing.component.code,
                    )
                )
        for period, total in sums.items():
            yield period, numbers[period], total * run.value
