"""The tax of a credit: a share of the tax that was stored with the line, never computed anew."""

from __future__ import annotations

import attrs

from billing_framework.values.errors import Refused
from billing_framework.values.money import HALF_UP, Money, Rounding


@attrs.frozen(kw_only=True)
class Creditable:
    """A line of an issued document, and what was credited of it so far; all of one sign and currency.

    Attributes:
        net: amount of the line without tax.
        tax: stored tax of the line (of one of its taxes, where it bears several).
        credited_net: sum of the earlier credits' nets.
        credited_tax: sum of the earlier credits' taxes.
    """

    net: Money
    tax: Money
    credited_net: Money
    credited_tax: Money

    @property
    def left(self) -> Money:
        """What can still be credited, with its tax."""
        return self.net - self.credited_net + self.tax - self.credited_tax


def credited_tax(line: Creditable, net: Money, rounding: Rounding = HALF_UP) -> Money:
    """Return the tax that goes with a credit of `net`: pro rata of the stored tax, the last credit takes what is left of it.

    Args:
        line: the line and its earlier credits.
        net: what is to be credited without tax, positive where the line is.
        rounding: rounding of the share.

    Raises:
        Refused: ``TAX05`` where more would be credited than is left, or the credit has the other sign.
    """
    left = line.net - line.credited_net
    sign = -1 if line.net.minor < 0 else 1
    if net.minor * sign < 0 or (left - net).minor * sign < 0:
        raise Refused(
            "TAX05",
            f"{net} cannot be credited, {left} is left of the line",
            remedy="Credit at most what is left; a line can be credited only once in full",
        )
    if net == left:
        return line.tax - line.credited_tax
    share = (line.tax.amount * (net.major / line.net.major)).payable(rounding)
    rest = line.tax - line.credited_tax
    return share if (rest - share).minor * (-1 if line.tax.minor < 0 else 1) >= 0 else rest
