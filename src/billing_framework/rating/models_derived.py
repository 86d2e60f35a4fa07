"""Charge models over other charges: percentages (riders, discounts, taxes of a tariff), minimum and maximum of a bill."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs

from billing_framework.rating.base_charges import chosen, formula, payable_total
from billing_framework.rating.charge import Charge, Origin, Step
from billing_framework.rating.component_charge import component_charge
from billing_framework.rating.figure import Figure, figure
from billing_framework.rating.part import component_dates, part
from billing_framework.rating.price_plan import Proration
from billing_framework.rating.pricing import ChargeModel, Priced, Pricing
from billing_framework.rating.quantity_rule import positive
from billing_framework.rating.rating import Measure
from billing_framework.rating.term import Interval
from billing_framework.rating.wording import titled
from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.number import exact_text
from billing_framework.values.period import DateSpan
from billing_framework.values.rounding import RoundingMode, RoundingStep

HUNDRED = 100


@attrs.frozen(kw_only=True)
class Percentage:
    """A percentage of earlier charges, or of measured amounts of money.

    Attributes:
        percent: the percentage; negative for a discount.
        of: codes of the components whose charges are the base; empty for all earlier ones. Without meaning where the component
            has a measure: then each measure is an item, in the plan's currency.
        excluding: codes of components that are left out.
        gross_up: True where the percentage is of the amount including itself, r/(1-r): a tax on receipts that counts as receipt.
        each: True to apply percentage, bounds and step to each item (charge or measure), False to their sum.
        at_least: least amount of an item.
        at_most: largest amount of an item.
        step: grid in major units to which each result is rounded; None leaves it exact.
        mode: rounding mode of that step.
    """

    percent: Figure
    of: tuple[str, ...] = ()
    excluding: tuple[str, ...] = ()
    gross_up: bool = False
    each: bool = False
    at_least: Figure | None = None
    at_most: Figure | None = None
    step: Fraction | None = attrs.field(default=None, validator=positive)
    mode: RoundingMode = RoundingMode.HALF_UP


@attrs.frozen(kw_only=True)
class _Item:
    base: Fraction
    shown: str
    source: str
    service: DateSpan
    records: tuple[int, ...] = ()
    estimated: bool = False


def price_percentage(pricing: Pricing) -> Priced:
    """Charge the percentage of each item, or of their sum; nothing where there is no base."""
    params: Percentage = pricing.component.params
    items = _items(pricing, params)
    if items and not params.each:
        items = [_sum_of(items, pricing)]
    return Priced(charges=tuple(_percentage(pricing, params, item) for item in items))


def _items(pricing: Pricing, params: Percentage) -> list[_Item]:
    if pricing.component.measure:
        return [_measured(measure, pricing) for measure in pricing.measures]
    return [
        _Item(
            base=charge.amount.value,
            shown=formula((charge,)),
            source=".".join(part for part in (charge.component, charge.source) if part),
            service=charge.service,
            estimated=charge.estimated,
        )
        for charge in chosen(pricing.charges, params.of, params.excluding)
    ]


def _measured(measure: Measure, pricing: Pricing) -> _Item:
    currency = pricing.tile.plan.currency
    if measure.quantity.unit != currency:
        raise UnitMismatch(
            "RATE08",
            f"component {pricing.component.code!r} takes a percentage of {currency}, not of {measure.quantity.unit}",
            remedy=f"Measure amounts of money in {currency}",
        )
    return _Item(
        base=measure.quantity.value,
        shown=str(measure.quantity),
        source=measure.source,
        service=measure.dates,
        records=measure.records,
        estimated=measure.estimated,
    )


def _sum_of(items: list[_Item], pricing: Pricing) -> _Item:
    return _Item(
        base=sum((item.base for item in items), Fraction(0)),
        shown=" + ".join(item.shown for item in items),
        source="",
        service=pricing.tile.dates,
        records=tuple(key for item in items for key in item.records),
        estimated=any(item.estimated for item in items),
    )


def _percentage(pricing: Pricing, params: Percentage, item: _Item) -> Charge:
    terms = pricing.usage.agreement.terms
    percent = figure(params.percent, terms)
    rate = percent / HUNDRED
    shown = f"{exact_text(percent)} %"
    if params.gross_up:
        if rate >= 1:
            raise ValueRefused("PLAN12", f"{shown} cannot be grossed up", remedy="Give a percentage below 100")
        rate = rate / (1 - rate)
        shown += f" of the amount including itself ({exact_text(rate)})"
    amount = item.base * rate
    steps = [Step(label="percentage", formula=f"({item.shown}) × {shown}", result=exact_text(amount))]
    if params.step is not None:
        amount = RoundingStep("percentage", params.step, params.mode)(amount)
        formula_text = f"to steps of {exact_text(params.step)}, {params.mode.value}"
        steps.append(Step(label="rounded", formula=formula_text, result=exact_text(amount)))
    for label, bound, take in (("at least", params.at_least, max), ("at most", params.at_most, min)):
        if bound is not None:
            limit = figure(bound, terms)
            amount = take(amount, limit)
            steps.append(Step(label=label, formula=f"{label} {exact_text(limit)}", result=exact_text(amount)))
    return component_charge(
        pricing,
        amount=amount,
        service=item.service,
        source=item.source,
        origin=Origin.RATED if pricing.component.measure else Origin.DERIVED,
        steps=tuple(steps),
        records=item.records,
        estimated=item.estimated,
    )


@attrs.frozen(kw_only=True)
class Limit:
    """The least or the most that chosen components come to.

    Attributes:
        amount: the limit for one interval.
        of: codes of the components that count; empty for all earlier ones.
        excluding: codes of components that do not count.
        interval: what the limit is for; parts of it are prorated.
        proration: policy for parts; None takes the plan's, ``none`` asks for the whole limit on every bill.
    """

    amount: Figure
    of: tuple[str, ...] = ()
    excluding: tuple[str, ...] = ()
    interval: Interval = Interval.MONTH
    proration: Proration | None = None


def price_minimum(pricing: Pricing) -> Priced:
    """Charge what the chosen charges of the whole bill lack to the minimum, as a line of its own."""
    return _limited(pricing, "minimum", sign=1)


def price_maximum(pricing: Pricing) -> Priced:
    """Credit what the chosen charges of the whole bill exceed the maximum by, as a line of its own."""
    return _limited(pricing, "maximum", sign=-1)


def _limited(pricing: Pricing, name: str, *, sign: int) -> Priced:
    params: Limit = pricing.component.params
    base = chosen(pricing.charges, params.of, params.excluding)
    limit = _limit(pricing)
    billed = payable_total(base, pricing.usage)
    difference = limit - billed
    if difference * sign <= 0:
        return Priced()
    locale = pricing.account.locale
    steps = (
        Step(label="billed", formula=formula(base), result=exact_text(billed)),
        Step(label=name, formula=f"{name} for {pricing.usage.period}", result=exact_text(limit)),
        Step(label="difference", formula=f"{exact_text(limit)} - {exact_text(billed)}", result=exact_text(difference)),
    )
    charge = component_charge(
        pricing,
        amount=difference,
        description=titled(pricing.component.title(locale), locale, name),
        service=pricing.usage.period,
        origin=Origin.DERIVED,
        steps=steps,
    )
    return Priced(charges=(charge,))


def _limit(pricing: Pricing) -> Fraction:
    """Return the limit of the bill: each tile under the version that is in force there, prorated."""
    limit = Fraction(0)
    for tile in pricing.usage.tiles:
        component = next((one for one in tile.plan.components if one.code == pricing.component.code), None)
        params: Any = component.params if component else None
        if isinstance(params, Limit):
            service = component_dates(pricing)
            units = part(pricing.usage, tile.plan, tile.dates, params.interval, proration=params.proration, service=service)
            limit += units * figure(params.amount, pricing.usage.agreement.terms)
    return limit


PERCENTAGE = ChargeModel(
    name="percentage",
    title="A percentage of earlier charges, or of measured amounts of money",
    params=Percentage,
    price=price_percentage,
)
MINIMUM = ChargeModel(
    name="minimum",
    title="A line that lifts a bill, or chosen components of it, to a minimum",
    params=Limit,
    price=price_minimum,
    once=True,
)
MAXIMUM = ChargeModel(
    name="maximum",
    title="A line that limits a bill, or chosen components of it, to a maximum",
    params=Limit,
    price=price_maximum,
    once=True,
)
