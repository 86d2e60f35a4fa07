"""The charge of a component: what every charge takes over from its component, plan, agreement and measures."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from billing_framework.rating.charge import Charge, Origin, Step
from billing_framework.rating.pricing import Pricing
from billing_framework.rating.quantity_rule import Billed
from billing_framework.values.money import Amount
from billing_framework.values.number import exact_text
from billing_framework.values.period import DateSpan
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity


def component_charge(
    pricing: Pricing,
    *,
    amount: Fraction,
    description: str = "",
    service: DateSpan | None = None,
    source: str = "",
    quantity: Quantity | None = None,
    unit_price: UnitPrice | None = None,
    origin: Origin = Origin.RATED,
    steps: tuple[Step, ...] = (),
    details: Mapping[str, str] | None = None,
    records: tuple[int, ...] = (),
    estimated: bool = False,
    state_read: tuple[str, ...] = (),
) -> Charge:
    """Return a charge of the component that is priced.

    Args:
        pricing: the component on its tile.
        amount: exact amount in major units of the plan's currency.
        description: what is printed; by default the component's title in the account's language.
        service: dates that it is for; by default those of the tile.
        source: what tells it apart from others of the component and dates.
        quantity: what is priced.
        unit_price: price of one unit.
        origin: where it comes from.
        steps: how the amount came to be.
        details: facts for the bill.
        records: keys of usage records.
        estimated: True where it rests on an estimate.
        state_read: names of carried state.
    """
    component, plan = pricing.component, pricing.tile.plan
    return Charge(
        agreement=pricing.usage.agreement.code,
        component=component.code,
        code=component.charge_code,
        description=description or component.title(pricing.account.locale),
        service=service or pricing.tile.dates,
        source=source,
        quantity=quantity,
        unit_price=unit_price,
        amount=Amount(amount, plan.currency),
        tax_category=component.tax_category,
        origin=origin,
        plan=plan.name,
        records=records,
        state_read=state_read,
        steps=steps,
        details=details or {},
        estimated=estimated,
    )


def usage_charge(
    pricing: Pricing,
    billed: Billed,
    *,
    quantity: Quantity,
    price: Fraction,
    flat: Fraction = Fraction(0),
    source: str = "",
    description: str = "",
    steps: tuple[Step, ...] = (),
    state_read: tuple[str, ...] = (),
) -> Charge:
    """Return the charge of a quantity at a price per unit, plus a flat price.

    Args:
        pricing: the component on its tile.
        billed: the whole quantity, from whose measures records, facts and the estimate mark are taken over.
        quantity: the part of it that this charge prices.
        price: price of one unit.
        flat: price that does not depend on the quantity.
        source: what tells it apart, below the source of `billed`.
        description: what is printed; by default the component's title.
        steps: steps before the multiplication.
        state_read: names of carried state.
    """
    unit_price = UnitPrice(price, pricing.tile.plan.currency, quantity.unit)
    amount = (unit_price * quantity).value
    if flat:
        amount += flat
    formula = f"{quantity} × {unit_price}" + (f" + {exact_text(flat)}" if flat else "")
    priced = Step(label="price", formula=formula, result=f"{exact_text(amount)} {unit_price.currency}")
    return component_charge(
        pricing,
        amount=amount,
        description=description,
        source=".".join(part for part in (billed.source, source) if part),
        quantity=quantity,
        unit_price=unit_price,
        steps=(*billed.steps, *steps, priced),
        details=billed.details,
        records=billed.records,
        estimated=billed.estimated,
        state_read=tuple(dict.fromkeys((*billed.state_read, *state_read))),
    )
