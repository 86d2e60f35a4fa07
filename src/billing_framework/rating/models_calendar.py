"""Charge models of the calendar: once on a date, and again every month or year, in arrears or in advance."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

import attrs

from billing_framework.rating.charge import Charge, Step
from billing_framework.rating.component_charge import component_charge
from billing_framework.rating.figure import Figure, figure
from billing_framework.rating.group import Tile
from billing_framework.rating.part import component_dates, life, part
from billing_framework.rating.price_plan import Component, PlanVersion, Proration
from billing_framework.rating.pricing import ChargeModel, Priced, Pricing
from billing_framework.rating.proration import with_last_day
from billing_framework.rating.term import Alignment, Interval, anchor_of, terms_over
from billing_framework.rating.wording import titled, word
from billing_framework.values.number import exact_text, is_terminating
from billing_framework.values.period import DateSpan
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity


@attrs.frozen(kw_only=True)
class OneTime:
    """A price that is charged once.

    Attributes:
        price: the price; negative for a credit.
        quantity: how many times, for example by a term of the agreement.
        on: service date; None takes the agreement's first day.
    """

    price: Figure
    quantity: Figure = Fraction(1)
    on: date | None = None


def price_one_time(pricing: Pricing) -> Priced:
    """Charge the price if its date lies in the tile; its day alone is the service period, so it can never be charged twice."""
    params: OneTime = pricing.component.params
    day = params.on or pricing.usage.agreement.starts_on
    if day not in pricing.tile.dates:
        return Priced()
    terms = pricing.usage.agreement.terms
    unit_price = UnitPrice(figure(params.price, terms), pricing.tile.plan.currency, "unit")
    quantity = Quantity(figure(params.quantity, terms), "unit")
    step = Step(label="price", formula=f"{quantity} × {unit_price}", result=str(unit_price * quantity))
    service = DateSpan(day, day + timedelta(days=1))
    charge = component_charge(
        pricing,
        amount=(unit_price * quantity).value,
        service=service,
        quantity=quantity,
        unit_price=unit_price,
        steps=(step,),
    )
    return Priced(charges=(charge,))


class Timing(enum.Enum):
    """When a recurring price is billed: after the period that it is for (``ARREARS``) or before it (``ADVANCE``)."""

    ARREARS = "arrears"
    ADVANCE = "advance"


class Ends(enum.Enum):
    """Whether the day on which an agreement ends is billed (``INCLUSIVE``) or belongs to the next customer (``HALF_OPEN``)."""

    HALF_OPEN = "half_open"
    INCLUSIVE = "inclusive"


@attrs.frozen(kw_only=True)
class Recurring:
    """A price for every month, quarter, year, day or billing period.

    Attributes:
        price: price of one interval.
        quantity: how many of it, for example seats or lamps by a term of the agreement.
        interval: what the price is for.
        billed: in arrears or in advance.
        alignment: where the intervals begin.
        proration: policy for parts of an interval; None takes the plan's.
        ends: whether the last day counts.
    """

    price: Figure
    quantity: Figure = Fraction(1)
    interval: Interval = Interval.MONTH
    billed: Timing = Timing.ARREARS
    alignment: Alignment = Alignment.CYCLE
    proration: Proration | None = None
    ends: Ends = Ends.HALF_OPEN


def price_recurring(pricing: Pricing) -> Priced:
    """Charge the dates of the tile (arrears), or on the last tile everything up to the end of the next period (advance)."""
    params: Recurring = pricing.component.params
    if params.billed is Timing.ADVANCE:
        is_last = pricing.tile == [tile for tile in pricing.usage.tiles if _component(tile, pricing.component.code)][-1]
        return Priced(charges=tuple(_in_advance(pricing)) if is_last else ())
    unbilled = _from(pricing.tile.dates, pricing.usage.billed_through.get(pricing.component.code))
    if unbilled is None:
        return Priced()
    return Priced(charges=(_recurring(pricing, unbilled, "", service=component_dates(pricing)),))


def _from(dates: DateSpan, start: date | None) -> DateSpan | None:
    begin = max(dates.start, start or dates.start)
    return DateSpan(begin, dates.end) if begin < dates.end else None


def _component(tile: Tile, code: str) -> Component | None:
    found = next((one for one in tile.plan.components if one.code == code), None)
    return found if found is not None and isinstance(found.params, Recurring) else None


def _in_advance(pricing: Pricing) -> Iterator[Charge]:
    """Yield what is not billed yet up to the end of the next period, or the credit where more is billed than was served."""
    usage, code = pricing.usage, pricing.component.code
    billed_through = usage.billed_through.get(code)
    ends_on = usage.agreement.ends_on
    if ends_on is not None and billed_through is not None and billed_through > ends_on:
        open_end = DateSpan(usage.agreement.starts_on, date.max)
        yield _recurring(pricing, DateSpan(ends_on, billed_through), "unused", service=open_end, sign=-1)
        return
    start = billed_through or usage.period.start
    horizon = _horizon(pricing)
    if start >= horizon:
        return
    for stretch in DateSpan(start, horizon).tiles([usage.full_period.start, usage.next_period.start]):
        for dates, plan, component in _versions(pricing, stretch):
            there = attrs.evolve(pricing, tile=Tile(dates=dates, plan=plan), component=component)
            yield _recurring(there, dates, "advance", service=life(usage))


def _horizon(pricing: Pricing) -> date:
    """Return the end of the dates to bill: of the next period, or of the year or quarter that is running on its last day."""
    params: Recurring = pricing.component.params
    usage = pricing.usage
    end = usage.next_period.end
    if params.alignment is not Alignment.CYCLE and params.interval.months:
        anchor = anchor_of(params.alignment, usage.agreement.starts_on)
        last_day = DateSpan(end - timedelta(days=1), end)
        end = max(end, *(term.end for term in terms_over(last_day, params.interval.months, anchor)))
    return min(end, usage.agreement.ends_on or end)


def _versions(pricing: Pricing, dates: DateSpan) -> Iterator[tuple[DateSpan, PlanVersion, Component]]:
    """Yield `dates` cut by the plan versions in force; before the first tile the first counts, after the last one the last."""
    tiles = (*pricing.usage.tiles, *pricing.usage.next_tiles)
    for number, tile in enumerate(tiles):
        start = dates.start if number == 0 else tile.dates.start
        end = dates.end if number == len(tiles) - 1 else tiles[number + 1].dates.start
        found = DateSpan(start, end).intersection(dates) if start < end else None
        component = _component(tile, pricing.component.code)
        if found is not None and component is not None:
            yield found, tile.plan, component


def _recurring(pricing: Pricing, dates: DateSpan, source: str, *, service: DateSpan, sign: int = 1) -> Charge:
    params: Recurring = pricing.component.params
    usage, plan = pricing.usage, pricing.tile.plan
    terms, locale = usage.agreement.terms, pricing.account.locale
    billed, whole = dates, service
    if params.ends is Ends.INCLUSIVE and sign > 0:
        unit = usage.full_period if dates.end <= usage.full_period.end else usage.next_period
        billed = with_last_day(dates, usage.agreement.ends_on, unit)
        whole = DateSpan(service.start, max(service.end, billed.end))
    units = sign * part(
        usage, plan, billed, params.interval, alignment=params.alignment, proration=params.proration, service=whole
    )
    quantity = Quantity(units * figure(params.quantity, terms), params.interval.value)
    unit_price = UnitPrice(figure(params.price, terms), plan.currency, params.interval.value)
    amount = unit_price * quantity
    steps = (
        Step(
            label="part of the interval",
            formula=f"{billed.days} days in {billed}, {(params.proration or plan.proration).value}",
            result=f"{exact_text(units)} {params.interval.value}",
        ),
        Step(label="price", formula=f"{quantity} × {unit_price}", result=str(amount)),
    )
    title = pricing.component.title(locale)
    return component_charge(
        pricing,
        amount=amount.value,
        description=titled(title, locale, "unused") if sign < 0 else title,
        service=billed,
        source=source,
        quantity=quantity if is_terminating(quantity.value) else None,
        unit_price=unit_price if is_terminating(quantity.value) else None,
        steps=steps,
        details={} if units.denominator == 1 else {word(locale, "days"): str(billed.days)},
    )


ONE_TIME = ChargeModel(
    name="one_time",
    title="A price charged once, on a date or on the agreement's first day",
    params=OneTime,
    price=price_one_time,
    alike=True,
)
RECURRING = ChargeModel(
    name="recurring",
    title="A price for every day, month, quarter, year or billing period, in arrears or in advance",
    params=Recurring,
    price=price_recurring,
    alike=True,
)
