"""A courtesy discount: a percent or an amount off the fees, the costs or both, exact to the cent."""

from __future__ import annotations

import enum
from fractions import Fraction

import attrs

from billing_framework import Component, Figure, Finding, exact_text, figure
from billing_legal_timekeeping.arrangements.deduction import Shown, deduct
from billing_legal_timekeeping.params import takes
from billing_legal_timekeeping.rating.line import Line, total
from billing_legal_timekeeping.rating.matter import Arranged, Matter


class Base(enum.Enum):
    """What is discounted."""

    FEES = "fees"
    COSTS = "costs"
    ALL = "all"


@attrs.frozen(kw_only=True)
class CourtesyDiscount:
    """A discount: `legal_timekeeping.courtesy_discount`. It looks at all lines, as the arrangements before it have left them.

    Attributes:
        percent: percent off; a figure of a term that the agreement does not have is nothing off.
        amount: amount off in major units, at most what the lines come to.
        of: what is discounted.
        tasks: task codes that it is about, all where empty.
        shown: whether it is taken off each line, or stands in one line below.
    """

    percent: Figure = Fraction(0)
    amount: Figure = Fraction(0)
    of: Base = Base.FEES
    tasks: tuple[str, ...] = ()
    shown: Shown = Shown.LINES


def apply_discount(component: Component, lines: tuple[Line, ...], matter: Matter) -> Arranged:
    """Take the discount off the lines, after whatever was adjusted before; tax is charged on what is left."""
    params: CourtesyDiscount = component.params
    currency = matter.plan.currency
    base = [line for line in lines if _is_of(line, params)]
    whole = total(base, currency)
    percent, amount = _agreed(params.percent, matter), _agreed(params.amount, matter)
    if not 0 <= percent <= 100 or amount < 0:
        what = f"a discount of {exact_text(percent)} % and {exact_text(amount)} {currency} is none"
        told = Finding(
            code="LEGAL20",
            what=what,
            remedy="Give 0 to 100 percent, and no amount below zero",
            subject=matter.usage.agreement.code,
        )
        return Arranged(lines=lines, findings=(told,))
    if whole.minor <= 0:
        return Arranged(lines=lines)
    off = min(matter.payable(whole.major * percent / 100 + amount), whole)
    formula = f"{exact_text(percent)} % of {whole}" + (f" + {exact_text(amount)}" if amount else "")
    changed = deduct(component, lines, base, off, matter, reason="discount", formula=formula, shown=params.shown)
    return Arranged(lines=changed)


def _is_of(line: Line, params: CourtesyDiscount) -> bool:
    return (params.of is Base.ALL or line.is_fee is (params.of is Base.FEES)) and takes(params.tasks, line.task)


def _agreed(given: Figure, matter: Matter) -> Fraction:
    """Return a figure, nothing where it stands in a term that this agreement does not have."""
    if not isinstance(given, Fraction) and given.term not in matter.terms:
        return Fraction(0)
    return figure(given, matter.terms)
