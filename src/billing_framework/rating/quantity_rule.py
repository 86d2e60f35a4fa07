"""From measures to the quantity that is billed: summed, converted by the tariff's factors, rounded by a named step, bounded."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.rating.charge import Step
from billing_framework.rating.figure import Figure, figure
from billing_framework.rating.part import component_dates, part, share_of_period
from billing_framework.rating.price_plan import Proration
from billing_framework.rating.pricing import Pricing
from billing_framework.rating.rating import Measure
from billing_framework.rating.term import Interval
from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.number import exact_text
from billing_framework.values.quantity import Quantity
from billing_framework.values.rounding import RoundingMode, RoundingStep


class Basis(enum.Enum):
    """What a width, an allowance or a bound is given for.

    ``PERIOD``: the bill, however long it is (tiles share it by days); ``MONTH``: a month, prorated by the plan's policy;
    ``DAY``: a day, times the days of the tile.
    """

    PERIOD = "period"
    MONTH = "month"
    DAY = "day"


def basis_factor(pricing: Pricing, basis: Basis, proration: Proration | None) -> Fraction:
    """Return by how much a figure of this basis is multiplied for the tile."""
    dates = pricing.tile.dates
    if basis is Basis.DAY:
        return Fraction(dates.days)
    if basis is Basis.PERIOD:
        return share_of_period(pricing)
    service = component_dates(pricing)
    return part(pricing.usage, pricing.tile.plan, dates, Interval.MONTH, proration=proration, service=service)


def positive(_holder: object, field: attrs.Attribute[Any], value: Fraction | None) -> None:
    """Refuse a number of a plan that must be above zero; an attrs validator."""
    if value is not None and value <= 0:
        raise ValueRefused("PLAN12", f"{field.name} must be above zero, not {exact_text(value)}", remedy="Correct the number")


@attrs.frozen(kw_only=True)
class QuantityRule:
    """How the measured quantity becomes the billed one, in this order: factors, rounding, bounds.

    Attributes:
        factors: numbers of the tariff that are multiplied in (loss factor, heat content), not conversions of units.
        to_unit: unit after the factors, where they change it: ``ccf`` times a heat content is ``therm``.
        step: grid to which the quantity is rounded before it is priced; None leaves it exact.
        mode: rounding mode of that step.
        at_least: the quantity that is priced at least.
        at_most: the quantity that is priced at most.
        basis: what the two bounds are given for.
    """

    factors: tuple[Figure, ...] = ()
    to_unit: str = ""
    step: Fraction | None = attrs.field(default=None, validator=positive)
    mode: RoundingMode = RoundingMode.HALF_UP
    at_least: Figure | None = None
    at_most: Figure | None = None
    basis: Basis = Basis.PERIOD


PLAIN = QuantityRule()


@attrs.frozen(kw_only=True)
class Billed:
    """A quantity to be priced, with what its charge takes over from the measures.

    Attributes:
        quantity: the quantity.
        source: what tells it apart from others of the component and tile; empty where all measures are summed.
        records: keys of the usage records.
        details: facts for the bill.
        steps: how it was obtained.
        estimated: True where a record was estimated.
        state_read: names of carried state that the measures depend on.
    """

    quantity: Quantity
    source: str
    records: tuple[int, ...]
    details: Mapping[str, str]
    steps: tuple[Step, ...]
    estimated: bool
    state_read: tuple[str, ...] = ()


def billed_quantities(pricing: Pricing, unit: str, rule: QuantityRule, *, per_source: bool) -> tuple[Billed, ...]:
    """Return the quantities to price: one of all measures, or one for each source; none where nothing was measured.

    Args:
        pricing: the component's measures and terms.
        unit: unit that the component's price is for.
        rule: how the quantity becomes the billed one.
        per_source: True where each measure is priced by itself (tiers for each meter).

    Raises:
        UnitMismatch: ``RATE08`` where the quantity is of another unit than the component.
    """
    groups = [(measure,) for measure in pricing.measures] if per_source else [pricing.measures] * bool(pricing.measures)
    return tuple(_billed(pricing, unit, rule, group, per_source=per_source) for group in groups)


def _billed(pricing: Pricing, unit: str, rule: QuantityRule, measures: Sequence[Measure], *, per_source: bool) -> Billed:
    total = measures[0].quantity
    for measure in measures[1:]:
        total = total + measure.quantity
    quantity, steps = _ruled(pricing, rule, total)
    if quantity.unit != unit:
        raise UnitMismatch(
            "RATE08",
            f"component {pricing.component.code!r} prices {unit}, but its quantity is in {quantity.unit}",
            remedy=f"Give the component's price for {quantity.unit}, or name the factor to {unit} in its quantity rule",
        )
    summed = (Step(label="sum", formula=" + ".join(str(one.quantity) for one in measures), result=str(total)),)
    return Billed(
        quantity=quantity,
        source=measures[0].source if per_source else "",
        records=tuple(dict.fromkeys(key for measure in measures for key in measure.records)),
        details=_details(measures),
        steps=(
            *(step for measure in measures for step in measure.steps),
            *(summed if len(measures) > 1 else ()),
            *steps,
        ),
        estimated=any(measure.estimated for measure in measures),
        state_read=tuple(dict.fromkeys(name for measure in measures for name in measure.state_read)),
    )


def _details(measures: Sequence[Measure]) -> dict[str, str]:
    several = sum(bool(measure.details) for measure in measures) > 1
    return {
        f"{measure.source} {name}" if several and measure.source else name: text
        for measure in measures
        for name, text in measure.details.items()
    }


def _ruled(pricing: Pricing, rule: QuantityRule, measured: Quantity) -> tuple[Quantity, list[Step]]:
    steps: list[Step] = []
    terms = pricing.usage.agreement.terms
    quantity = measured
    for given in rule.factors:
        number = figure(given, terms)
        after = Quantity(quantity.value * number, rule.to_unit or quantity.unit)
        steps.append(Step(label="factor of the tariff", formula=f"{quantity} × {exact_text(number)}", result=str(after)))
        quantity = after
    if rule.step is not None:
        rounding = RoundingStep("billed quantity", rule.step, rule.mode)
        after = attrs.evolve(quantity, value=rounding(quantity.value))
        formula = f"{quantity} to steps of {exact_text(rule.step)}, {rule.mode.value}"
        steps.append(Step(label=rounding.name, formula=formula, result=str(after)))
        quantity = after
    for label, bound, take in (("at least", rule.at_least, max), ("at most", rule.at_most, min)):
        if bound is not None:
            limit = figure(bound, terms) * basis_factor(pricing, rule.basis, None)
            after = attrs.evolve(quantity, value=take(quantity.value, limit))
            steps.append(Step(label=label, formula=f"{quantity}, {label} {exact_text(limit)}", result=str(after)))
            quantity = after
    return quantity, steps
