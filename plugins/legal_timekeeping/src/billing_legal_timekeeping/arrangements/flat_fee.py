"""A flat fee: one price for a matter, a milestone or each period, with the hours behind it shown at nothing or hidden."""

from __future__ import annotations

import enum
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import Component, Figure, Finding, Step, ValueRefused, exact_text, figure
from billing_legal_timekeeping.params import takes
from billing_legal_timekeeping.rating.line import Line, of_day
from billing_legal_timekeeping.rating.matter import Arranged, Matter


class Per(enum.Enum):
    """What the fee is for: the ``MATTER`` (or a milestone of it), or each billing ``PERIOD``."""

    MATTER = "matter"
    PERIOD = "period"


class Hours(enum.Enum):
    """What happens to the hours behind the fee.

    ``SHOWN`` with their value, which is taken off again; ``HIDDEN`` from the bill; ``BILLED`` in addition to the fee.
    """

    SHOWN = "shown"
    HIDDEN = "hidden"
    BILLED = "billed"


@attrs.frozen(kw_only=True)
class FlatFee:
    """A price that does not depend on hours: `legal_timekeeping.flat_fee`.

    Attributes:
        amount: the fee in major units.
        per: what it is for.
        due_term: term of the agreement with the date on which a milestone was reached; until the term is there the fee is not
            billed. Empty bills it with the first bill of the agreement. Only per matter.
        hours: what happens to the hours behind it.
        tasks: task codes whose hours are behind it, all where empty; ``L1*`` stands for all that begin so.
    """

    amount: Figure
    per: Per = Per.MATTER
    due_term: str = ""
    hours: Hours = Hours.SHOWN
    tasks: tuple[str, ...] = ()


def covers(component: Component, task: str) -> bool:
    """True where the hours of a task are behind a flat fee."""
    params: FlatFee = component.params
    return params.hours is not Hours.BILLED and takes(params.tasks, task)


def apply_flat_fee(component: Component, lines: tuple[Line, ...], matter: Matter) -> Arranged:
    """Add the fee where it is due, and take the hours behind it off the bill; their value stays visible."""
    params: FlatFee = component.params
    kept: list[Line] = []
    unpriced: dict[int, str] = {}
    for line in lines:
        if not (line.is_fee and line.record is not None and covers(component, line.task)):
            kept.append(line)
        elif params.hours is Hours.HIDDEN:
            unpriced[line.record] = f"its hours are behind the flat fee {component.code}"
        else:
            kept.append(line.adjusted("flat", -line.net, f"-({line.net}): behind the flat fee {component.code}"))
    fee = figure(params.amount, matter.terms)
    if params.per is Per.PERIOD:
        added = _fee(component, fee, matter, matter.period.start)
        return Arranged(lines=(*kept, attrs.evolve(added, service=matter.period)), unpriced=unpriced)
    name = f"flat_fee.{component.code}"
    billed = matter.before(name).get("billed", Fraction(0))
    try:
        due = _due(params, matter)
    except ValueRefused as error:
        told = Finding(code=error.code, what=error.what, remedy=error.remedy, subject=matter.usage.agreement.code)
        return Arranged(lines=tuple(kept), unpriced=unpriced, findings=(told,))
    if due is None or due >= matter.period.end or billed:
        state = matter.state(name, {"billed": billed}) if billed else None
        return Arranged(lines=tuple(kept), unpriced=unpriced, state=state)
    added = attrs.evolve(_fee(component, fee, matter, max(due, matter.period.start)), state_read=(name,))
    return Arranged(lines=(*kept, added), unpriced=unpriced, state=matter.state(name, {"billed": fee}))


def _due(params: FlatFee, matter: Matter) -> date | None:
    if not params.due_term:
        return matter.usage.agreement.starts_on
    text = matter.terms.get(params.due_term, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        what = f"the term {params.due_term!r} is no date: {text[:60]!r}"
        raise ValueRefused("LEGAL20", what, remedy="Write it as 2026-07-31") from error


def _fee(component: Component, fee: Fraction, matter: Matter, day: date) -> Line:
    value = matter.payable(fee)
    step = Step(label="flat fee", formula=f"{exact_text(fee)} per {component.params.per.value}", result=str(value))
    return Line(
        source="flat",
        component=component,
        plan=matter.plan,
        service=of_day(day),
        description=component.title(matter.account.locale),
        value=value,
        steps=(step,),
    )
