"""Writing a draft down: less for the whole, shared out to its lines so that they sum to it to the minor unit."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.money import HALF_UP, Amount, Money
from billing_framework.values.rounding import round_parts
from billing_framework.values.stated_money import stated_number


def cut_of(text: str, total: Money) -> Money:
    """Return by how much a total is cut.

    Args:
        text: a percentage such as ``10%`` or an amount in major units such as ``50.00`` or ``50.00 EUR``.
        total: what is cut.

    Raises:
        ValueRefused: ``INVOICE26`` for anything that does not leave between nothing and all of the total, ``VALUE01``,
            ``VALUE06`` or ``VALUE30`` for what is no percentage and no amount of the currency, ``VALUE07`` for one of another.
    """
    number = text.strip()
    try:
        if number.endswith("%"):
            percent = Amount(number[:-1].strip(), total.currency).value
            cut = Amount(total.amount.value * percent / 100, total.currency).payable(HALF_UP)
        else:
            cut = Money.of(stated_number(number, total.currency, of="the draft"), total.currency)
    except UnitMismatch:
        raise
    except ValueRefused as error:
        what = f"{text[:60]!r} is no percentage and no amount in {total.currency} to write down by"
        remedy = "Write a percentage such as 10%, or an amount such as 50.00"
        raise ValueRefused(error.code, what, remedy=remedy) from error
    if not 0 < cut.minor <= total.minor:
        raise ValueRefused(
            "INVOICE26",
            f"{total} cannot be written down by {text}",
            remedy=f"Cut by more than nothing, and by {total} at most",
        )
    return cut


def written_down(lines: Sequence[Money], cut: Money) -> tuple[Money, ...]:
    """Return what is left of each line once their sum is `cut`.

    Every line keeps the same share. The minor units that this leaves go one by one to the largest remainders, ties to the earlier
    line; a line of nothing stays one of nothing.

    Args:
        lines: amounts above or equal to zero, of one currency.
        cut: what their sum is cut by.

    Raises:
        ValueRefused: ``INVOICE26`` where a line is negative or the cut exceeds their sum.
    """
    total = Money.total(lines, cut.currency)
    if any(line.minor < 0 for line in lines) or not 0 <= cut.minor <= total.minor or not total.minor:
        raise ValueRefused("INVOICE26", f"{total} cannot be written down by {cut}", remedy="Choose lines that add up to more")
    left = total - cut
    charged = [place for place, line in enumerate(lines) if line.minor]
    share = Fraction(left.minor, total.minor)
    parts = round_parts(left.minor, [lines[place].minor * share for place in charged])
    found = [Money.zero(cut.currency)] * len(lines)
    for place, part in zip(charged, parts, strict=True):
        found[place] = Money(part, cut.currency)
    return tuple(found)
