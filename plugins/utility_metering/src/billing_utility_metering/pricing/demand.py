"""The charge model ``utility_metering.demand``: the highest mean power, its floors, and the ratchet that past peaks leave."""

from __future__ import annotations

import functools
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import (
    Billed,
    CarriedState,
    Charge,
    ChargeModel,
    Component,
    Figure,
    Finding,
    Priced,
    Pricing,
    Quantity,
    RoundingMode,
    Severity,
    Step,
    Tier,
    ValueRefused,
    exact_text,
    figure,
    format_date,
    format_quantity,
    portions,
    tier_findings,
    timezone,
    to_step,
    usage_charge,
)
from billing_utility_metering.pricing.day_periods import Calendar, Hours, PeriodHours
from billing_utility_metering.pricing.day_types import HolidaysAs, Season
from billing_utility_metering.pricing.determinants import billed_of, classifier_of, facts_once
from billing_utility_metering.pricing.peak import COUNTS, Peak, peak_of
from billing_utility_metering.pricing.time_of_use import calendar_findings
from billing_utility_metering.time_cover import instant_of
from billing_utility_metering.wording import word


def _divides_a_day(_demand: object, _field: object, minutes: int) -> None:
    if minutes < 1 or 1440 % minutes:
        raise ValueRefused("UTIL35", f"a day is no whole number of windows of {minutes} minutes", remedy="Use 5, 15, 30 or 60")


def _positive(_holder: object, field: attrs.Attribute[Fraction], value: Fraction | None) -> None:
    if value is not None and value <= 0:
        raise ValueRefused("UTIL35", f"{field.name} must be above zero, not {exact_text(value)}", remedy="Correct the number")


@attrs.frozen(kw_only=True)
class Ratchet:
    """A floor from past peaks.

    Attributes:
        percent: part of the highest peak of the months looked back at that is billed at least.
        months: how many months before the period are looked back at.
    """

    percent: Fraction = attrs.field(validator=_positive)
    months: int = 11


@attrs.frozen(kw_only=True)
class Demand:
    """The highest mean power of a billing period, at tiered prices.

    Attributes:
        unit: unit of power that is priced: ``kW`` for a measure in kWh, ``kVA`` for kVAh, ``kvar`` for kvarh.
        tiers: the tiers by ascending threshold; a single price is one tier without threshold.
        window_minutes: length of the window.
        rolling: True where a window may begin at every interval, False where windows follow each other from midnight.
        hours: hours whose windows count; all where none are given.
        seasons: seasons that hours may name.
        holidays: name of the holiday calendar, or empty.
        holidays_as: what a holiday counts as.
        at_least: least demand that is billed, for example the contracted power by a term of the agreement.
        ratchet: floor from past peaks, or none.
        step: grid to which the billed demand is rounded; None leaves it exact.
        mode: rounding mode of that step.
    """

    unit: str
    tiers: tuple[Tier, ...]
    window_minutes: int = attrs.field(default=15, validator=_divides_a_day)
    rolling: bool = False
    hours: tuple[Hours, ...] = ()
    seasons: tuple[Season, ...] = ()
    holidays: str = ""
    holidays_as: HolidaysAs = HolidaysAs.SUNDAY
    at_least: Figure | None = None
    ratchet: Ratchet | None = None
    step: Fraction | None = attrs.field(default=None, validator=_positive)
    mode: RoundingMode = RoundingMode.HALF_UP

    @functools.cached_property
    def calendar(self) -> Calendar:
        """The hours that count, and the rest."""
        return Calendar(
            periods=(
                PeriodHours(name=COUNTS, hours=self.hours or (Hours(),), rest=False),
                PeriodHours(name="rest", hours=(), rest=True),
            ),
            seasons=self.seasons,
            holidays_as=self.holidays_as,
        )


def state_name(component: str) -> str:
    """Return the name of the state that carries the peaks of past periods."""
    return f"peak.{component}"


def price_demand(pricing: Pricing) -> Priced:
    """Charge a line for each tier of the billed demand, and carry the period's own peak on for later ratchets.

    The demand is that of the whole billing period and is not prorated; where the plan changes inside the period, the prices of
    its last part count.
    """
    params: Demand = pricing.component.params
    if not pricing.measures:
        return Priced()
    classifier = classifier_of(pricing, params.calendar, params.holidays)
    peak = peak_of(pricing.measures, params.unit, params.window_minutes * 60, classifier, rolling=params.rolling)
    demand, steps, read = _billed_demand(pricing, params, peak)
    billed = attrs.evolve(
        billed_of(pricing.measures, Quantity(demand, params.unit)), details=_facts(pricing, params, peak, demand), state_read=read
    )
    takes_over = facts_once(billed)
    charges = tuple(
        _charge(pricing, next(takes_over), number, part, steps)
        for number, part in enumerate(portions(demand, [tier.to for tier in params.tiers]))
        if part or (number == 0 and not demand)
    )
    return Priced(charges=charges, state=_carried(pricing, params, peak))


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


def _past_peaks(pricing: Pricing, months: int) -> dict[str, Fraction]:
    """Return the peaks of the months looked back at, by first day of their period."""
    state = pricing.usage.state.get(state_name(pricing.component.code))
    earliest = _months_before(pricing.usage.period.start, months).isoformat()
    return {start: power for start, power in (state.values if state else {}).items() if start >= earliest}


def _billed_demand(pricing: Pricing, params: Demand, peak: Peak) -> tuple[Fraction, tuple[Step, ...], tuple[str, ...]]:
    """Return the demand that is billed, how it was found, and the carried state that it depends on."""
    demand, read = peak.power, tuple[str, ...]()
    steps = [
        Step(
            label=f"highest {params.window_minutes} minutes",
            formula="rolling" if params.rolling else "windows from midnight",
            result=str(Quantity(demand, params.unit)),
        )
    ]
    floors = []
    if params.at_least is not None:
        floors.append(("at least", figure(params.at_least, pricing.usage.agreement.terms)))
    if params.ratchet is not None:
        past = _past_peaks(pricing, params.ratchet.months)
        if past:
            read = (state_name(pricing.component.code),)
            floors.append(
                (f"{exact_text(params.ratchet.percent)} % of past peaks", max(past.values()) * params.ratchet.percent / 100)
            )
    for label, floor in floors:
        steps.append(Step(label=label, formula=f"max({exact_text(demand)}, {exact_text(floor)})", result=params.unit))
        demand = max(demand, floor)
    if params.step is not None:
        rounded = to_step(demand, params.step, params.mode)
        formula = f"{exact_text(demand)} to steps of {exact_text(params.step)}, {params.mode.value}"
        steps.append(Step(label="billed demand", formula=formula, result=str(Quantity(rounded, params.unit))))
        demand = rounded
    return demand, tuple(steps), read


def _facts(pricing: Pricing, params: Demand, peak: Peak, demand: Fraction) -> dict[str, str]:
    locale = pricing.account.locale
    facts = {}
    if peak.power:
        local = instant_of(peak.start).astimezone(timezone(pricing.account.zone))
        shown = format_quantity(Quantity(peak.power, params.unit), locale) if _ends(peak.power) else exact_text(peak.power)
        facts[word(locale, "demand")] = word(
            locale, "demand_at", quantity=shown, date=format_date(local.date(), locale), time=f"{local:%H:%M}"
        )
    if demand != peak.power:
        facts[word(locale, "billed_demand")] = f"{exact_text(demand)} {params.unit}"
    return facts


def _ends(number: Fraction) -> bool:
    return "/" not in exact_text(number)


def _charge(pricing: Pricing, billed: Billed, number: int, part: Fraction, steps: tuple[Step, ...]) -> Charge:
    params: Demand = pricing.component.params
    locale, terms, tier = pricing.account.locale, pricing.usage.agreement.terms, params.tiers[number]
    title = pricing.component.title(locale)
    return usage_charge(
        pricing,
        billed,
        quantity=Quantity(part, params.unit),
        price=figure(tier.price, terms),
        flat=figure(tier.flat, terms),
        source=f"tier{number + 1}",
        description=f"{title}, {word(locale, 'tier', number=number + 1)}" if len(params.tiers) > 1 else title,
        steps=steps,
    )


def _carried(pricing: Pricing, params: Demand, peak: Peak) -> tuple[CarriedState, ...]:
    if params.ratchet is None:
        return ()
    period = pricing.usage.period
    peaks = {**_past_peaks(pricing, params.ratchet.months), period.start.isoformat(): peak.power}
    scope, name = pricing.usage.agreement.code, state_name(pricing.component.code)
    return (CarriedState(scope=scope, name=name, period=period, values=peaks),)


def check_demand(component: Component) -> tuple[Finding, ...]:
    """Return what is wrong with tiers, hours and seasons of a component."""
    params: Demand = component.params
    found = [*calendar_findings(component, params.calendar, [COUNTS]), *tier_findings(component, params.tiers)]
    if params.ratchet is not None and not 1 <= params.ratchet.months <= 60:
        found.append(
            Finding(
                code="UTIL35",
                severity=Severity.BLOCKING,
                what=f"a ratchet cannot look back at {params.ratchet.months} months",
                remedy="Give 1 to 60 months",
                field=f"{component.code}.ratchet",
                subject=component.code,
            )
        )
    return tuple(found)


DEMAND = ChargeModel(
    name="utility_metering.demand",
    title="The highest mean power of the billing period, with floors and ratchet",
    params=Demand,
    price=price_demand,
    once=True,
    check=check_demand,
)
