"""Shares: who pays for a charge. A charge is rated once, then cut to whole minor units; the parts sum to its payable amount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import attrs

from billing_framework.accounts.share import Share
from billing_framework.accounts.share_check import share_fault
from billing_framework.rating.charge import Charge, ChargeShare, Step
from billing_framework.rating.payable import payable_lines
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.wording import titled, word
from billing_framework.values.errors import ValueRefused
from billing_framework.values.formats import format_money, format_number, format_price, format_quantity
from billing_framework.values.money import Money
from billing_framework.values.number import exact_text, is_terminating
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity
from billing_framework.values.rounding import RoundingMode, divide


@attrs.frozen(kw_only=True)
class SharedCharge:
    """A charge as it stands on the document of a payer.

    Attributes:
        payer: code of the account that pays.
        charge: the charge, or the payer's part of it.
    """

    payer: str
    charge: Charge


@attrs.frozen(kw_only=True)
class _Part:
    """What one payer bears of one charge."""

    payer: str
    percent: Fraction
    money: Money
    is_rest: bool


def share_charges(
    charges: Sequence[Charge], shares: Sequence[Share], plans: Mapping[str, PlanVersion], *, payer: str, locale: str = "en"
) -> tuple[SharedCharge, ...]:
    """Return the charges of an account, divided among those who pay for it; the parts of a charge sum to what it comes to.

    The shares that hold on the first service date of a charge decide. Each part is cut toward zero to whole minor units, and the
    payer of the remainder gets what is left; where the percentages make the whole, the payer of the largest one does. So a credit
    is shared as the mirror of its charge. Exactly one part keeps the key of the charge, by which it is known to be billed.

    Args:
        charges: exact charges of one account.
        shares: the shares of its agreements; a charge that none of them bears is left whole.
        plans: plan versions by `PlanVersion.name`, which say how amounts become payable.
        payer: code of the account that pays for charges which nobody shares.
        locale: language of the words that are added to descriptions.

    Raises:
        ValueRefused: ``RATE10`` where the shares that bear a charge do not make a whole.
    """
    bearing = [_bearing(charge, shares) for charge in charges]
    shared = [charge for charge, bear in zip(charges, bearing, strict=True) if bear]
    payable = iter(payable_lines(shared, plans))
    found = []
    for charge, bear in zip(charges, bearing, strict=True):
        if bear:
            found += _parted(charge, next(payable), bear, locale)
        else:
            found.append(SharedCharge(payer=payer, charge=charge))
    return tuple(found)


def _bearing(charge: Charge, shares: Sequence[Share]) -> list[Share]:
    day = charge.service.start
    bear = [one for one in shares if one.agreement == charge.agreement and one.holds_on(day) and one.bears(charge.code)]
    if what := share_fault(bear):
        raise ValueRefused(
            "RATE10",
            f"{what}, for {charge.code} of agreement {charge.agreement} on {day}",
            remedy="Let the shares sum to at most 100 % and name one payer for the remainder",
        )
    return sorted(bear, key=lambda one: one.payer)


def _parted(charge: Charge, whole: Money, bear: Sequence[Share], locale: str) -> list[SharedCharge]:
    parts = [part for part in _parts(whole, bear) if part.money]
    if not parts:  # a charge of nothing still goes to one payer, so that it is seen and its records are accounted for
        parts = [part for part in _parts(whole, bear) if part.is_rest]
    if len(parts) == 1 and (parts[0].percent == 100 or not whole):
        return [SharedCharge(payer=parts[0].payer, charge=charge)]
    head = next((part for part in parts if part.is_rest), parts[0])
    return [SharedCharge(payer=part.payer, charge=_part(charge, whole, part, locale, keeps_key=part is head)) for part in parts]


def _parts(whole: Money, bear: Sequence[Share]) -> list[_Part]:
    named = sum((share.percent for share in bear if share.percent is not None), Fraction(0))
    percents = [100 - named if share.percent is None else share.percent for share in bear]
    # The payer of the remainder; where the percentages make the whole, that of the largest, the first by code.
    rest = next((place for place, share in enumerate(bear) if share.percent is None), percents.index(max(percents)))
    minors = [divide(whole.minor * one.numerator, 100 * one.denominator, RoundingMode.DOWN) for one in percents]
    minors[rest] += whole.minor - sum(minors)
    return [
        _Part(payer=share.payer, percent=percent, money=Money(minor, whole.currency), is_rest=place == rest)
        for place, (share, percent, minor) in enumerate(zip(bear, percents, minors, strict=True))
    ]


def _part(charge: Charge, whole: Money, part: _Part, locale: str, *, keeps_key: bool) -> Charge:
    shown = _portion(part.percent, locale)
    if charge.quantity is None:
        description = titled(charge.description, locale, "share", part=shown)
    else:
        description = titled(charge.description, locale, "share of", part=shown, whole=_readable(charge.quantity, locale))
    cut = "the rest after the other payers" if part.is_rest else "cut to whole minor units"
    source = charge.source if keeps_key else ".".join(name for name in (charge.source, f"share.{part.payer}") if name)
    return attrs.evolve(
        charge,
        source=source,
        description=description,
        quantity=None,
        unit_price=None,
        items=(),  # they list the whole
        amount=part.money.amount,
        share=ChargeShare(
            payer=part.payer, percent=part.percent, whole=whole.amount, quantity=charge.quantity, unit_price=charge.unit_price
        ),
        steps=(
            *charge.steps,
            Step(label=f"share of {part.payer}", formula=f"{whole} × {_portion(part.percent)}, {cut}", result=str(part.money)),
        ),
        details={**charge.details, **_details(charge, whole, locale)},
    )


def _details(charge: Charge, whole: Money, locale: str) -> dict[str, str]:
    """Return the whole, as every payer sees it beside its part."""
    details = {}
    if charge.quantity is not None:
        details[word(locale, "whole quantity")] = _readable(charge.quantity, locale)
    if charge.unit_price is not None:
        details[word(locale, "unit price")] = _readable_price(charge.unit_price, locale)
    return {**details, word(locale, "whole amount"): format_money(whole, locale)}


def _portion(percent: Fraction, locale: str = "en") -> str:
    """Return a share as its payer reads it, never rounded: ``40 %``, or ``2/3`` where its decimals never end."""
    return f"{format_number(percent, locale)} %" if is_terminating(percent) else exact_text(percent / 100)


def _readable_price(price: UnitPrice, locale: str) -> str:
    return format_price(price, locale) if is_terminating(price.value) else str(price)


def _readable(quantity: Quantity, locale: str) -> str:
    return format_quantity(quantity, locale) if is_terminating(quantity.value) else str(quantity)
