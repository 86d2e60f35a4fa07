"""The charge model ``utility_metering.tiered_time_of_use``: tiers and periods of the day at once, under a named policy.

The same tariff and load give different bills by how tiers meet periods, so the plan must say which: January of the acceptance
vector ``tou-tiers-demand-min`` is 292.83 when each period has its share of every tier, 291.90 when the tiers fill as time passes.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import chain, islice

import attrs

from billing_framework import (
    Agreement,
    Billed,
    Charge,
    ChargeModel,
    Component,
    DateSpan,
    Finding,
    Priced,
    Pricing,
    Quantity,
    Step,
    Tier,
    ValueRefused,
    Widths,
    exact_text,
    figure,
    portions,
    thresholds,
    tier_findings,
    usage_charge,
)
from billing_utility_metering.pricing.day_periods import Calendar, Hours, PeriodHours, is_clock_or_empty
from billing_utility_metering.pricing.day_types import HolidaysAs, Season, season_breaks
from billing_utility_metering.pricing.determinants import Determinants, billed_of, classifier_of, determinants, facts_once
from billing_utility_metering.pricing.time_of_use import calendar_findings, period_step
from billing_utility_metering.rating.series import IntervalSeries
from billing_utility_metering.wording import word


class TierPolicy(enum.Enum):
    """How tiers meet periods.

    ``PRO_RATA``: the thresholds apply to the consumption of all periods together, and each period has its share of every tier,
    in proportion to its part of the total. ``TIME_ORDER``: the thresholds apply to all periods together, and the tiers fill as
    the intervals pass. ``PER_PERIOD``: each period has tiers of its own.
    """

    PRO_RATA = "pro_rata"
    TIME_ORDER = "time_order"
    PER_PERIOD = "per_period"


@attrs.frozen(kw_only=True)
class TieredPeriod:
    """One period of the day and its tiers.

    Attributes:
        name: unique in the component; also the register that counts it.
        title: what is printed after the component's title, by language; the name where not given.
        tiers: the tiers by ascending threshold; periods may have different numbers of them.
        hours: the hours that belong to it.
        rest: True for the one period that takes all hours that no other has.
        registers: names of registers that count it, where they differ from its name.
    """

    name: str
    title: Mapping[str, str] = attrs.field(factory=dict)
    tiers: tuple[Tier, ...]
    hours: tuple[Hours, ...] = ()
    rest: bool = False
    registers: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class TieredTimeOfUse:
    """Each unit at the price of its period and tier.

    Attributes:
        unit: unit of the prices and thresholds.
        policy: how tiers meet periods.
        periods: the periods; every hour of every kind of day belongs to exactly one.
        widths: what the thresholds are given for: the bill, a month, a day.
        seasons: seasons that hours may name; the billing period is cut where another season begins.
        holidays: name of the holiday calendar, or empty.
        holidays_as: what a holiday counts as.
        repeated_hour: local time that the second passing of an hour is priced as, or empty.
    """

    unit: str
    policy: TierPolicy
    periods: tuple[TieredPeriod, ...]
    widths: Widths = attrs.field(factory=Widths)
    seasons: tuple[Season, ...] = ()
    holidays: str = ""
    holidays_as: HolidaysAs = HolidaysAs.SUNDAY
    repeated_hour: str = attrs.field(default="", validator=is_clock_or_empty)

    @functools.cached_property
    def calendar(self) -> Calendar:
        """How the tariff divides time."""
        return Calendar(
            periods=tuple(PeriodHours(name=one.name, hours=one.hours, rest=one.rest) for one in self.periods),
            seasons=self.seasons,
            holidays_as=self.holidays_as,
            repeated_hour=self.repeated_hour,
        )

    @functools.cached_property
    def registers(self) -> dict[str, str]:
        """Register to the period that it counts."""
        return {register: one.name for one in self.periods for register in (one.name, *one.registers)}


def price_tiered_time_of_use(pricing: Pricing) -> Priced:
    """Charge a line for each tier of each period that has consumption."""
    params: TieredTimeOfUse = pricing.component.params
    if not pricing.measures:
        return Priced()
    found = determinants(pricing, params.calendar, unit=params.unit, holidays=params.holidays, registers=params.registers)
    if found.findings:
        return Priced(findings=found.findings)
    ends = _ends(pricing, params)
    if params.policy is TierPolicy.TIME_ORDER:
        parts = _in_time_order(pricing, params, found, ends)
    elif params.policy is TierPolicy.PER_PERIOD:
        parts = {name: portions(total, ends[name]) for name, total in found.totals.items()}
    else:
        parts = _pro_rata(found, ends)
    billed = billed_of(found.measures, Quantity(found.total, params.unit))
    takes_over = facts_once(billed)
    charged = [
        _charges(pricing, found, takes_over, period, parts[period.name]) for period in params.periods if period.name in parts
    ]
    return Priced(charges=tuple(chain.from_iterable(charged)))


def _ends(pricing: Pricing, params: TieredTimeOfUse) -> dict[str, tuple[Fraction | None, ...]]:
    """Return the upper thresholds of the tiers of each period, found for all at once."""
    ends = iter(thresholds(pricing, [tier for period in params.periods for tier in period.tiers], params.widths))
    return {period.name: tuple(islice(ends, len(period.tiers))) for period in params.periods}


def _pro_rata(found: Determinants, ends: Mapping[str, tuple[Fraction | None, ...]]) -> dict[str, list[Fraction]]:
    """Return what each period has of each tier: its part of what the whole has."""
    if not found.total:
        return {name: [total, *[Fraction(0)] * (len(ends[name]) - 1)] for name, total in found.totals.items()}
    parts, tiers, whole = {}, None, list[Fraction]()
    for name, total in found.totals.items():
        if ends[name] != tiers:  # nearly always all periods have the same
            tiers, whole = ends[name], portions(found.total, ends[name])
        share = total / found.total
        parts[name] = [part * share if part else part for part in whole]
    return parts


def _in_time_order(
    pricing: Pricing, params: TieredTimeOfUse, found: Determinants, ends: Mapping[str, Sequence[Fraction | None]]
) -> dict[str, list[Fraction]]:
    """Return what each period has of each tier where the tiers fill as intervals pass; one interval may fill two tiers.

    Raises:
        ValueRefused: ``UTIL29`` for registers, which do not know when something was used.
    """
    if not all(isinstance(measure.series, IntervalSeries) for measure in found.measures):
        raise ValueRefused(
            "UTIL29",
            "tiers that fill in time order need interval data, the point has registers",
            remedy="Take in interval data, or choose the policy pro_rata or per_period",
        )
    classifier = classifier_of(pricing, params.calendar, params.holidays)
    parts = {name: [Fraction(0)] * len(ends[name]) for name in found.totals}
    runs = tuple(run for measure in found.measures if isinstance(measure.series, IntervalSeries) for run in measure.series.runs)
    reached = Fraction(0)
    for start, end, value in IntervalSeries(runs=runs).in_time_order():
        name = classifier.period_of(start, end)
        for number, part in enumerate(portions(value, ends[name], before=reached)):
            parts[name][number] += part
        reached += value
    return parts


def _charges(
    pricing: Pricing, found: Determinants, takes_over: Iterator[Billed], period: TieredPeriod, parts: Sequence[Fraction]
) -> Iterator[Charge]:
    """Yield a charge for each tier of a period that has consumption.

    Args:
        pricing: the component on its tile.
        found: what the periods come to.
        takes_over: what each next charge takes over from the measures.
        period: the period.
        parts: what it has of each tier.
    """
    params: TieredTimeOfUse = pricing.component.params
    locale, terms, unit = pricing.account.locale, pricing.usage.agreement.terms, params.unit
    title = f"{pricing.component.title(locale)}, {_title(period, locale)}"
    counted = period_step(found, period.name, unit)
    formula = f"{params.policy.value}: {exact_text(found.totals[period.name])} of {exact_text(found.total)} {unit}"
    for number, (tier, part) in enumerate(zip(period.tiers, parts, strict=True), start=1):
        if part:
            quantity = Quantity(part, unit)
            yield usage_charge(
                pricing,
                next(takes_over),
                quantity=quantity,
                price=figure(tier.price, terms),
                source=f"{period.name}.tier{number}",
                description=f"{title}, {word(locale, 'tier', number=number)}" if len(period.tiers) > 1 else title,
                steps=(counted, Step(label=f"tier {number}", formula=formula, result=str(quantity))),
            )


def _title(period: TieredPeriod, locale: str) -> str:
    language = locale.replace("-", "_").split("_")[0]
    return period.title.get(locale) or period.title.get(language) or period.title.get("en") or period.name


def check_tiered_time_of_use(component: Component) -> tuple[Finding, ...]:
    """Return what is wrong with hours, seasons and tiers, and a policy that registers cannot follow."""
    params: TieredTimeOfUse = component.params
    found = list(calendar_findings(component, params.calendar, [period.name for period in params.periods]))
    for period in params.periods:
        found.extend(tier_findings(component, period.tiers))
        if any(not isinstance(tier.flat, Fraction) or tier.flat for tier in period.tiers):
            found.append(
                Finding(
                    code="UTIL34",
                    what=f"tiers of the period {period.name!r} have a flat price",
                    remedy="Give flat prices as a component of their own",
                    field=f"{component.code}.periods",
                    subject=component.code,
                )
            )
    return tuple(found)


def _season_breaks(component: Component, _agreement: Agreement, dates: DateSpan) -> tuple[date, ...]:
    params: TieredTimeOfUse = component.params
    return season_breaks(params.seasons, dates)


TIERED_TIME_OF_USE = ChargeModel(
    name="utility_metering.tiered_time_of_use",
    title="Each unit at the price of its period of the day and tier, under a named policy",
    params=TieredTimeOfUse,
    price=price_tiered_time_of_use,
    check=check_tiered_time_of_use,
    breaks=_season_breaks,
)
