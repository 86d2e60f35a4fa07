"""A discount on the gross amount (Skonto): how much of it corrects the net and how much each tax."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import attrs

from billing_framework.values.money import HALF_UP, Money, Rounding, minor_digits
from billing_framework.values.rounding import round_parts


@attrs.frozen(kw_only=True)
class GrossDiscount:
    """A discount on a document.

    Attributes:
        total: what the customer may deduct.
        net: part that corrects the net amount.
        taxes: part that corrects each tax, in the order in which they were given.
    """

    total: Money
    net: Money
    taxes: tuple[Money, ...]


def discount_on_gross(net: Money, taxes: Sequence[Money], percent: Fraction, rounding: Rounding = HALF_UP) -> GrossDiscount:
    """Return the discount of `percent` on net and taxes; its parts sum to it.

    Args:
        net: net amount of the document.
        taxes: its taxes.
        percent: discount in percent of the gross amount.
        rounding: rounding of the whole discount.
    """
    parts = [net, *taxes]
    share = percent / 100
    gross = Money.total(parts, net.currency)
    total = (gross.amount * share).payable(rounding)
    scale = 10 ** minor_digits(net.currency)
    whole = round_parts(total.minor, [part.major * scale * share for part in parts])
    first, *others = [Money(minor, net.currency) for minor in whole]
    return GrossDiscount(total=total, net=first, taxes=tuple(others))
