"""The charge model ``utility_metering.time_of_use``: a price for each period of the day."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence

import attrs

from billing_framework import (
    ChargeModel,
    Component,
    Figure,
    Finding,
    Priced,
    Pricing,
    Quantity,
    Severity,
    Step,
    figure,
    usage_charge,
)
from billing_utility_metering.pricing.day_periods import Calendar, Hours, PeriodHours, is_clock_or_empty
from billing_utility_metering.pricing.day_types import HolidaysAs, Season, season_problems
from billing_utility_metering.pricing.determinants import Determinants, billed_of, determinants, facts_once


@attrs.frozen(kw_only=True)
class Period:
    """One period of the day and its price.

    Attributes:
        name: unique in the component; also the register that counts it, where the meter keeps registers by period.
        title: what is printed after the component's title, by language; the name where not given.
        price: price of one unit.
        hours: the hours that belong to it.
        rest: True for the one period that takes all hours that no other has.
        registers: names of registers that count it, where they differ from its name.
    """

    name: str
    title: Mapping[str, str] = attrs.field(factory=dict)
    price: Figure
    hours: tuple[Hours, ...] = ()
    rest: bool = False
    registers: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class TimeOfUse:
    """Each unit at the price of the period in which it was used.

    Attributes:
        unit: unit of the prices.
        periods: the periods; every hour of every kind of day belongs to exactly one.
        seasons: seasons that hours may name.
        holidays: name of the holiday calendar, or empty.
        holidays_as: what a holiday counts as.
        repeated_hour: local time that the second passing of an hour is priced as, or empty.
    """

    unit: str
    periods: tuple[Period, ...]
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


def price_time_of_use(pricing: Pricing) -> Priced:
    """Charge a line for each period that occurs in the tile, even where nothing was used in it."""
    params: TimeOfUse = pricing.component.params
    if not pricing.measures:
        return Priced()
    found = determinants(pricing, params.calendar, unit=params.unit, holidays=params.holidays, registers=params.registers)
    if found.findings:
        return Priced(findings=found.findings)
    billed = billed_of(found.measures, Quantity(found.total, params.unit))
    takes_over = facts_once(billed)
    charges = tuple(
        usage_charge(
            pricing,
            next(takes_over),
            quantity=Quantity(found.totals[period.name], params.unit),
            price=figure(period.price, pricing.usage.agreement.terms),
            source=period.name,
            description=f"{pricing.component.title(pricing.account.locale)}, {title_of(period, pricing.account.locale)}",
            steps=(period_step(found, period.name, params.unit),),
        )
        for period in params.periods
        if period.name in found.totals
    )
    return Priced(charges=charges)


def title_of(period: Period, locale: str) -> str:
    """Return what is printed for a period in the language of `locale`, else in English, else its name."""
    language = locale.replace("-", "_").split("_")[0]
    return period.title.get(locale) or period.title.get(language) or period.title.get("en") or period.name


def period_step(found: Determinants, name: str, unit: str) -> Step:
    """Return how the consumption of a period was obtained."""
    count = found.counts[name]
    formula = f"sum of {count} intervals by local time" if count else "sum of its registers"
    return Step(label=f"period {name}", formula=formula, result=str(Quantity(found.totals[name], unit)))


def check_time_of_use(component: Component) -> tuple[Finding, ...]:
    """Return hours without or with several periods, seasons that do not fit, and other faults of the component."""
    params: TimeOfUse = component.params
    return tuple(calendar_findings(component, params.calendar, [period.name for period in params.periods]))


def calendar_findings(component: Component, calendar: Calendar, names: Sequence[str]) -> Iterator[Finding]:
    """Yield what is wrong with the seasons and hours of a component."""
    problems = [("UTIL32", what, remedy) for what, remedy in season_problems(calendar.seasons)]
    problems += list(calendar.problems())
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(("UTIL31", f"the period {name!r} is given twice", "Give each period one entry"))
    if not names:
        problems.append(("UTIL30", "there are no periods", "Give at least one period"))
    if not component.measure:
        problems.append(("UTIL29", "the component names no measure", 'Write measure = "consumption"'))
    for code, what, remedy in problems:
        yield Finding(
            code=code,
            severity=Severity.BLOCKING,
            what=what,
            remedy=remedy,
            field=f"{component.code}.{'seasons' if code == 'UTIL32' else 'measure' if code == 'UTIL29' else 'periods'}",
            subject=component.code,
        )


TIME_OF_USE = ChargeModel(
    name="utility_metering.time_of_use",
    title="Each unit at the price of the period of the day in which it was used",
    params=TimeOfUse,
    price=price_time_of_use,
    check=check_time_of_use,
)
