"""Takes money off a bill: from each line in proportion, or in one line below them; exact to the cent either way."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import attrs

from billing_framework import Component, Money, Step, allocate
from billing_legal_timekeeping.rating.line import Line, spread, total
from billing_legal_timekeeping.rating.matter import Matter


class Shown(enum.Enum):
    """Where a deduction stands: in the ``LINES`` that it is about, so that each shows what it comes to, or ``BELOW`` them."""

    LINES = "lines"
    BELOW = "below"


def deduct(
    component: Component,
    lines: Sequence[Line],
    base: Sequence[Line],
    off: Money,
    matter: Matter,
    *,
    reason: str,
    formula: str,
    shown: Shown,
    state_read: tuple[str, ...] = (),
) -> tuple[Line, ...]:
    """Return all lines with `off` taken off those of the base.

    In the lines, each bears its part by largest remainder, and what they cannot bear stands below; below, there is one line for
    each tax category, so that taxes stay right.

    Args:
        component: the arrangement; its code books what stands below.
        lines: all lines of the bill.
        base: the lines that bear it.
        off: what to take off; below zero adds.
        matter: the matter.
        reason: key of the wording that says why.
        formula: how it came to be.
        shown: where it stands.
        state_read: carried state that it rests on.
    """
    if not off:
        return tuple(lines)
    zero = Money.zero(off.currency)
    bearable = max(min(off, total([line for line in base if line.net > zero], off.currency)), zero)
    in_lines = bearable if shown is Shown.LINES else zero
    changed = list(lines)
    if in_lines:
        parts = {
            id(old): new for old, new in zip(base, spread(base, in_lines, reason, formula, state_read=state_read), strict=True)
        }
        changed = [parts.get(id(line), line) for line in lines]
    if rest := off - in_lines:
        changed += _below(component, base, rest, matter, formula=formula, state_read=state_read)
    return tuple(changed)


def _below(
    component: Component, base: Sequence[Line], off: Money, matter: Matter, *, formula: str, state_read: tuple[str, ...]
) -> list[Line]:
    """Return the lines of a deduction that stands below: one for each tax category and sort of the lines that bear it."""
    shares: dict[tuple[str, bool], int] = {}
    for line in base:
        key = (line.component.tax_category, line.is_fee)
        shares[key] = shares.get(key, 0) + max(line.net.minor, 0)
    if not any(shares.values()):
        shares = {(component.tax_category, True): 1}
    parts = allocate(off.minor, list(shares.values()))
    return [
        _line(
            component, Money(-part, off.currency), matter, tax_category=category, is_fee=is_fee, formula=formula, read=state_read
        )
        for (category, is_fee), part in zip(shares, parts, strict=True)
        if part
    ]


def _line(
    component: Component, money: Money, matter: Matter, *, tax_category: str, is_fee: bool, formula: str, read: tuple[str, ...]
) -> Line:
    return Line(
        source=f"{'fees' if is_fee else 'costs'}.{tax_category}",
        component=attrs.evolve(component, tax_category=tax_category),
        plan=matter.plan,
        service=matter.period,
        is_fee=is_fee,
        description=component.title(matter.account.locale),
        value=money,
        steps=(Step(label="deduction", formula=formula, result=str(money)),),
        state_read=read,
    )
