"""Charge models of measured use without tiers: per unit, packages, and included quantities."""

from __future__ import annotations

from fractions import Fraction

import attrs

from billing_framework.rating.charge import Charge, Step
from billing_framework.rating.component_charge import usage_charge
from billing_framework.rating.figure import Figure, figure
from billing_framework.rating.price_plan import Proration
from billing_framework.rating.pricing import ChargeModel, Priced, Pricing
from billing_framework.rating.quantity_rule import (
    PLAIN,
    Basis,
    Billed,
    QuantityRule,
    basis_factor,
    billed_quantities,
    positive,
)
from billing_framework.rating.wording import titled
from billing_framework.values.number import exact_text
from billing_framework.values.quantity import Quantity
from billing_framework.values.rounding import RoundingMode, RoundingStep

ONE = Fraction(1)


@attrs.frozen(kw_only=True)
class PerUnit:
    """One price for every unit.

    Attributes:
        price: price of `per` units; negative for a credit.
        unit: unit of the quantity.
        per: number of units that the price is for.
        quantity: how the measured quantity becomes the billed one.
        per_source: True for a line for each meter, number or whatever the measures tell apart.
    """

    price: Figure
    unit: str
    per: Fraction = attrs.field(default=ONE, validator=positive)
    quantity: QuantityRule = PLAIN
    per_source: bool = False


def price_per_unit(pricing: Pricing) -> Priced:
    """Charge quantity times price."""
    params: PerUnit = pricing.component.params
    price = figure(params.price, pricing.usage.agreement.terms) / params.per
    found = billed_quantities(pricing, params.unit, params.quantity, per_source=params.per_source)
    return Priced(charges=tuple(usage_charge(pricing, billed, quantity=billed.quantity, price=price) for billed in found))


@attrs.frozen(kw_only=True)
class Package:
    """A price for every package that is begun.

    Attributes:
        price: price of one package.
        size: units in a package.
        unit: unit of the quantity.
        quantity: how the measured quantity becomes the billed one.
        per_source: True where each source fills packages of its own.
    """

    price: Figure
    size: Fraction = attrs.field(validator=positive)
    unit: str
    quantity: QuantityRule = PLAIN
    per_source: bool = False


def price_package(pricing: Pricing) -> Priced:
    """Charge the number of packages, the last one in full."""
    params: Package = pricing.component.params
    price = figure(params.price, pricing.usage.agreement.terms)
    begun = RoundingStep("packages begun", ONE, RoundingMode.UP)
    charges = []
    for billed in billed_quantities(pricing, params.unit, params.quantity, per_source=params.per_source):
        packages = Quantity(begun(billed.quantity.value / params.size), "package")
        size = f"{exact_text(params.size)} {params.unit}"
        step = Step(label=begun.name, formula=f"{billed.quantity} in packages of {size}", result=str(packages))
        charges.append(usage_charge(pricing, billed, quantity=packages, price=price, steps=(step,)))
    return Priced(charges=tuple(charges))


@attrs.frozen(kw_only=True)
class Included:
    """A quantity that is included, and a price for every unit above it.

    Attributes:
        allowance: the included quantity.
        price: price of one unit above it.
        unit: unit of the quantity and the allowance.
        basis: what the allowance is given for.
        proration: policy for a monthly allowance; None takes the plan's.
        quantity: how the measured quantity becomes the billed one.
        per_source: True where each source has an allowance of its own.
    """

    allowance: Figure
    price: Figure
    unit: str
    basis: Basis = Basis.MONTH
    proration: Proration | None = None
    quantity: QuantityRule = PLAIN
    per_source: bool = False


def price_included(pricing: Pricing) -> Priced:
    """Charge what is included at zero, so that it is seen, and what lies above it at the price; a credit mirrors its charge."""
    params: Included = pricing.component.params
    terms = pricing.usage.agreement.terms
    allowance = figure(params.allowance, terms) * basis_factor(pricing, params.basis, params.proration)
    charges: list[Charge] = []
    for billed in billed_quantities(pricing, params.unit, params.quantity, per_source=params.per_source):
        size = billed.quantity.value
        within = max(min(size, allowance), -allowance)
        if within or not size:
            charges.append(_part(pricing, billed, "included", size=within, price=Fraction(0), allowance=allowance))
        if size != within:
            above = _part(pricing, billed, "above", size=size - within, price=figure(params.price, terms), allowance=allowance)
            charges.append(attrs.evolve(above, details={}) if within else above)
    return Priced(charges=tuple(charges))


def _part(pricing: Pricing, billed: Billed, name: str, *, size: Fraction, price: Fraction, allowance: Fraction) -> Charge:
    locale = pricing.account.locale
    part = Quantity(size, billed.quantity.unit)
    formula = f"{billed.quantity}, {exact_text(allowance)} {part.unit} included"
    return usage_charge(
        pricing,
        billed,
        quantity=part,
        price=price,
        source=name,
        description=titled(pricing.component.title(locale), locale, name),
        steps=(Step(label=name, formula=formula, result=str(part)),),
    )


PER_UNIT = ChargeModel(name="per_unit", title="One price for every unit", params=PerUnit, price=price_per_unit)
PACKAGE = ChargeModel(name="package", title="A price for every package that is begun", params=Package, price=price_package)
INCLUDED = ChargeModel(
    name="included",
    title="A quantity that is included, and a price for every unit above it",
    params=Included,
    price=price_included,
)
