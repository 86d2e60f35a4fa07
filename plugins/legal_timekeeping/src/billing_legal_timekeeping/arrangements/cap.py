"""A capped fee: no more than a limit for the matter over all its bills, or for each period; what is above has a named fate."""

from __future__ import annotations

import enum
from fractions import Fraction

import attrs

from billing_framework import Component, Figure, Finding, Money, Step, figure
from billing_legal_timekeeping.arrangements.deduction import Shown, deduct
from billing_legal_timekeeping.arrangements.flat_fee import Per
from billing_legal_timekeeping.params import takes
from billing_legal_timekeeping.rating.line import Line, total
from billing_legal_timekeeping.rating.matter import Arranged, Matter
from billing_legal_timekeeping.wording import word


class Overflow(enum.Enum):
    """What becomes of the value above the cap.

    ``WRITE_OFF`` it is gone; ``CARRY`` later bills take it while they stay below the cap; ``RESERVE`` it is billed when the
    matter succeeds, and written off when it fails.
    """

    WRITE_OFF = "write_off"
    CARRY = "carry"
    RESERVE = "reserve"


@attrs.frozen(kw_only=True)
class Cap:
    """The most that is billed: `legal_timekeeping.cap`. It looks at all lines, as the arrangements before it have left them.

    Attributes:
        limit: the cap in major units; a cap that is raised later leaves room for what was carried.
        per: the matter as a whole, or each billing period; what one period leaves unused does not go to the next.
        overflow: what becomes of the value above it.
        includes_expenses: whether costs count.
        tasks: task codes that it is about, all where empty; ``L1*`` stands for all that begin so.
        shown: whether what is above is taken off each line, or in one line below.
        outcome_term: term of the agreement that says ``success`` or ``failure`` once the matter has ended, for a reserve.
    """

    limit: Figure
    per: Per = Per.MATTER
    overflow: Overflow = Overflow.WRITE_OFF
    includes_expenses: bool = False
    tasks: tuple[str, ...] = ()
    shown: Shown = Shown.LINES
    outcome_term: str = "outcome"


@attrs.frozen(kw_only=True)
class CapState:
    """What a cap has come to, in whole minor units of one currency.

    Attributes:
        billed: billed under the cap so far.
        carried: above the cap, waiting for room.
        reserved: above the cap, waiting for the outcome.
    """

    billed: Money
    carried: Money
    reserved: Money


@attrs.frozen(kw_only=True)
class Capped:
    """What one bill comes to under a cap.

    Attributes:
        over: the part of this bill's value above the cap.
        from_carried: what the bill takes of the value carried over.
        from_reserve: what the bill takes of the reserve, because the matter has succeeded.
        after: the state afterwards.
    """

    over: Money
    from_carried: Money
    from_reserve: Money
    after: CapState


def capped(value: Money, limit: Money, before: CapState, params: Cap, outcome: str = "") -> Capped:
    """Return what is billed: ``min(value, limit - billed before)``, and what becomes of the rest.

    Args:
        value: value of this bill's lines.
        limit: the cap.
        before: what the cap has come to on earlier bills.
        params: scope and fate.
        outcome: ``success``, ``failure``, or empty while the matter runs.
    """
    zero = Money.zero(value.currency)
    earlier = before.billed if params.per is Per.MATTER else zero
    room = max(limit - earlier, zero)
    below = min(value, room)
    over = value - below
    carried = before.carried + (over if params.overflow is Overflow.CARRY else zero)
    from_carried = min(carried, room - max(below, zero)) if carried else zero
    reserved = before.reserved + (over if params.overflow is Overflow.RESERVE else zero)
    from_reserve = reserved if outcome == "success" else zero
    return Capped(
        over=over,
        from_carried=from_carried,
        from_reserve=from_reserve,
        after=CapState(
            billed=before.billed + below + from_carried,
            carried=carried - from_carried,
            reserved=zero if outcome in {"success", "failure"} else reserved,
        ),
    )


def apply_cap(component: Component, lines: tuple[Line, ...], matter: Matter) -> Arranged:
    """Take what is above the cap off the lines, bill what an earlier bill carried over, and carry the state on."""
    params: Cap = component.params
    currency, name = matter.plan.currency, f"cap.{component.code}"
    outcome = matter.terms.get(params.outcome_term, "")
    if outcome not in {"", "success", "failure"}:
        what = f"the term {params.outcome_term!r} says {outcome[:60]!r}"
        remedy = "Write success or failure, or leave the term out while the matter runs"
        told = Finding(code="LEGAL20", what=what, remedy=remedy, subject=matter.usage.agreement.code)
        return Arranged(lines=lines, findings=(told,))
    base = [line for line in lines if (line.is_fee or params.includes_expenses) and takes(params.tasks, line.task)]
    before = _before(matter, name, currency)
    limit = matter.payable(figure(params.limit, matter.terms))
    result = capped(total(base, currency), limit, before, params, outcome)
    said = f"cap {limit}, billed before {before.billed}, this bill {total(base, currency)}: {result.over} above"
    changed = deduct(
        component, lines, base, result.over, matter, reason="cap", formula=said, shown=params.shown, state_read=(name,)
    )
    extra = [
        _extra(component, matter, name, key, money)
        for key, money in (("carried", result.from_carried), ("reserve", result.from_reserve))
        if money
    ]
    untouched = {id(line) for line in base}
    read = tuple(attrs.evolve(line, state_read=(*line.state_read, name)) if id(line) in untouched else line for line in changed)
    values: dict[str, Fraction] = {field.name: getattr(result.after, field.name).major for field in attrs.fields(CapState)}
    state = matter.state(name, values) if base or any(values.values()) else None
    return Arranged(lines=(*read, *extra), state=state)


def _before(matter: Matter, name: str, currency: str) -> CapState:
    values = matter.before(name)
    money = {field.name: Money.of(values.get(field.name, Fraction(0)), currency) for field in attrs.fields(CapState)}
    return CapState(**money)


def _extra(component: Component, matter: Matter, name: str, key: str, money: Money) -> Line:
    return Line(
        source=key,
        component=component,
        plan=matter.plan,
        service=matter.period,
        description=word(matter.account.locale, key),
        value=money,
        steps=(Step(label=word("en", key), formula=f"state {name}", result=str(money)),),
        state_read=(name,),
    )
