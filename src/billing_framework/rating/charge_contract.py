"""The contract of charges: exact, of the agreement, its plans, dates and currency, made up by their items, and storable."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import date
from fractions import Fraction
from itertools import chain

import attrs

from billing_framework.rating.charge import Charge, ChargeItem, Origin
from billing_framework.rating.declared_types import (
    are_facts,
    are_steps,
    are_texts,
    is_exactly,
    is_number,
    is_price,
    is_quantity,
    is_span_of_dates,
)
from billing_framework.rating.group import AgreementUsage
from billing_framework.values.money import Amount
from billing_framework.values.number import exact_text
from billing_framework.values.period import DateSpan

_OF_PLUGINS = frozenset({Origin.RATED, Origin.DERIVED})
"""Origins that a plugin may give; the others say what an officer or the core did."""


@attrs.frozen(kw_only=True)
class Chargeable:
    """What a plugin may charge.

    Attributes:
        agreement: code of the agreement.
        currency: currency of every charge.
        dates: dates within which service lies.
        plans: names of the plan versions that may price it.
    """

    agreement: str
    currency: str
    dates: DateSpan
    plans: frozenset[str]


def plans_of(usage: AgreementUsage) -> frozenset[str]:
    """Return the names of the plan versions that an agreement is billed by."""
    return frozenset([tile.plan.name for tile in (*usage.earlier_tiles, *usage.tiles, *usage.next_tiles)])


def charge_fault(charge: object, allowed: Chargeable | None) -> str:
    """Return in what way a charge breaks the contract, or an empty text.

    Args:
        charge: what a plugin returned.
        allowed: what may be charged to its agreement, None where it was asked for no such agreement.
    """
    if type(charge) is not Charge:
        return f"returned {type(charge).__name__} as a charge"
    name = f"component {charge.component!r}"
    if allowed is None or charge.agreement != allowed.agreement:
        return f"charged agreement {charge.agreement!r} for {name}, which it was not asked for"
    if type(charge.amount) is not Amount or not is_number(charge.amount.value):
        return f"returned an amount that is not exact, or too long a number, for {name}"
    if charge.amount.currency != allowed.currency:
        return f"charged {charge.amount.currency} for {name}, the account has {allowed.currency}"
    service, dates = charge.service, allowed.dates
    if not is_span_of_dates(service) or service.start < dates.start or service.end > dates.end:
        return f"charged {service} for {name}, outside {dates}"
    if not _is_sound(charge):
        return f"returned a charge with fields of wrong types for {name}"
    return _source_fault(charge, allowed, name) or (items_fault(charge, name) if charge.items else "")


def _source_fault(charge: Charge, allowed: Chargeable, name: str) -> str:
    if not charge.code:
        return f"returned a charge without a charge code for {name}"
    if charge.plan not in allowed.plans:
        return f"charged {name} by the plan {charge.plan!r}, which the agreement does not have"
    if charge.origin not in _OF_PLUGINS or charge.share is not None:
        return f"marked the charge of {name} as what only the core makes: an edit, an answer, a share"
    return ""


def _is_sound(charge: Charge) -> bool:
    lists = {type(charge.records), type(charge.state_read), type(charge.steps), type(charge.items)}
    texts = (charge.agreement, charge.component, charge.code, charge.description, charge.source, charge.tax_category, charge.plan)
    return (
        lists == {tuple}
        and is_exactly(charge.estimated, bool)
        and is_exactly(charge.origin, Origin)
        and set(map(type, charge.records)) <= {int}
        and are_texts([*texts, *charge.state_read])
        and (not charge.steps or are_steps(charge.steps))
        and are_facts(charge.details)
        and (charge.quantity is None or is_quantity(charge.quantity))
        and (charge.unit_price is None or is_price(charge.unit_price, charge.amount.currency))
    )


def items_fault(charge: Charge, name: str) -> str:
    """Return in what way the items of a charge do not make it up, or an empty text."""
    # Charges of many items are the most that is checked of a run, so all items are looked at together.
    items = charge.items
    if set(map(type, items)) != {ChargeItem} or set(map(type, amounts := [item.amount for item in items])) != {Amount}:
        return f"returned an item of another type for {name}"
    if not _are_sound(items):
        return f"listed an item with fields of wrong types for {name}"
    if not {item.record for item in items} <= set(charge.records):
        return f"listed records that the charge of {name} does not rest on"
    if {amount.currency for amount in amounts} != {charge.amount.currency}:
        return f"listed items in another currency for {name}"
    values = [amount.value for amount in amounts]
    if not all(map(is_number, values)):
        return f"listed items of amounts that are not exact, or too long numbers, for {name}"
    # Over one denominator, because adding fractions one by one takes ten times as long.
    ratios = [(value.numerator, value.denominator) for value in values]
    below = math.lcm(*{under for _, under in ratios})
    above, under = sum([above * (below // under) for above, under in ratios]), below
    amount = charge.amount.value
    if above * amount.denominator == amount.numerator * under:
        return ""
    return f"listed items that sum to {exact_text(Fraction(above, under))}, not {charge.amount}, for {name}"


def _are_sound(items: Sequence[ChargeItem]) -> bool:
    details = [item.details for item in items]
    if set(map(type, details)) != {tuple}:
        return False
    pairs = list(chain.from_iterable(details))
    return (
        set(map(type, pairs)) <= {tuple}
        and set(map(len, pairs)) <= {2}
        and {type(item.record) for item in items} == {int}
        and {type(item.on) for item in items} == {date}
        and _are_quantities({id(item.quantity): item.quantity for item in items if item.quantity is not None}.values())
        and are_texts([text for item in items for text in (item.time, item.text)])
        and are_texts(list(chain.from_iterable(pairs)))
    )


def _are_quantities(quantities: Collection[object]) -> bool:
    return all(map(is_quantity, quantities))
