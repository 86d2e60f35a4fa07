"""Allocation: which debit items a payment or credit settles, by the payer's instruction first and then by a named strategy."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import attrs

from billing_framework.receivables.open_item import Allocation, OpenItem, Standing
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money
from billing_framework.values.rounding import allocate
from billing_framework.values.spelling import did_you_mean

BY_DOCUMENT = "by_document"


@attrs.frozen(kw_only=True)
class Instruction:
    """What the payer said: which item, and how much of it.

    Attributes:
        item: key or reference (document number, RF reference is resolved by the caller) of the debit item.
        amount: how much; None settles as much as is open.
        line: number of a line, 0 for the item as a whole.
    """

    item: str
    amount: Money | None = None
    line: int = 0


@attrs.frozen(kw_only=True)
class Share:
    """What one debit item gets of a credit."""

    debit: str
    amount: Money
    strategy: str
    line: int = 0


@attrs.frozen(kw_only=True)
class Demand:
    """What a strategy is given.

    Attributes:
        available: what is to be distributed, above zero.
        debits: debit items with something open, all of one account and currency, oldest due date first.
        priorities: patterns of charge codes for `line_priority`, most important first: ``("deposit.*", "energy.*")``.
    """

    available: Money
    debits: tuple[Standing, ...]
    priorities: tuple[str, ...] = ()


Strategy = Callable[[Demand], list[Share]]
"""A pure rule; its shares never exceed what is available or what is open."""


@attrs.frozen(kw_only=True)
class AllocationPlan:
    """What a credit settles.

    Attributes:
        credit: key of the credit item.
        shares: what each debit item gets.
        unapplied: what stays on account, zero or above.
        small_balances: key of a debit item to a rest within the tolerance, which is to be written off.
        findings: instructions that could not be followed.
    """

    credit: str
    shares: tuple[Share, ...]
    unapplied: Money
    small_balances: tuple[tuple[str, Money], ...] = ()
    findings: tuple[Finding, ...] = ()


def strategies() -> Mapping[str, Strategy]:
    """Return the named strategies; `BY_DOCUMENT` distributes nothing on its own, so only instructions settle."""
    return {
        BY_DOCUMENT: lambda _demand: [],
        "oldest_first": oldest_first,
        "pro_rata": pro_rata,
        "line_priority": line_priority,
    }


def plan_allocation(
    credit: Standing,
    debits: Sequence[Standing],
    *,
    strategy: str = "oldest_first",
    instructions: Sequence[Instruction] = (),
    priorities: Sequence[str] = (),
    tolerance: Money | None = None,
) -> AllocationPlan:
    """Return what `credit` settles: instructions first, in their order, the rest by the account's strategy.

    Args:
        credit: a payment, credit note or other credit item and what is open of it.
        debits: the debit items of the same account and currency.
        strategy: name of the account's strategy; `BY_DOCUMENT` keeps what was not instructed on account.
        instructions: what the payer said.
        priorities: patterns of charge codes for ``line_priority``.
        tolerance: a rest up to this of an item that was touched is to be written off; none where None.

    Raises:
        NotFound: ``AR13`` for an unknown strategy.
        Refused: ``AR14`` where the credit is none, or a debit item belongs to another account.
        UnitMismatch: ``VALUE07`` where currencies differ.
    """
    _check_sides(credit, debits)
    known = strategies()
    if strategy not in known:
        raise NotFound("AR13", f"there is no allocation strategy {strategy!r}", remedy=did_you_mean(strategy, known))
    ordered = [debit for debit in oldest_due_first(debits) if debit.open]
    shares, findings = _instructed(credit.available, ordered, instructions)
    rest = credit.available - _sum(shares, credit)
    left = _after(ordered, shares)
    if rest and left:
        shares += known[strategy](Demand(available=rest, debits=tuple(left), priorities=tuple(priorities)))
    return AllocationPlan(
        credit=credit.item.key,
        shares=tuple(shares),
        unapplied=credit.available - _sum(shares, credit),
        small_balances=_small_balances(_after(ordered, shares), shares, tolerance),
        findings=tuple(findings),
    )


def oldest_due_first(debits: Sequence[Standing]) -> list[Standing]:
    """Return items by due date, then date, reference and key: the one order that all strategies start from."""
    return sorted(debits, key=lambda debit: (debit.item.due_on, debit.item.dated_on, debit.item.reference, debit.item.key))


def oldest_first(demand: Demand) -> list[Share]:
    """Settle the item that was due first in full, then the next."""
    shares, rest = [], demand.available
    for debit in demand.debits:
        part = min(rest, debit.open)
        if part:
            shares.append(Share(debit=debit.item.key, amount=part, strategy="oldest_first"))
            rest = rest - part
    return shares


def pro_rata(demand: Demand) -> list[Share]:
    """Share by what is open, by largest remainder; everything in full where it suffices.

    Source: Singapore, Public Utilities (Apportionment of Payment) Regulations 3(2).
    """
    opens = [debit.open.minor for debit in demand.debits]
    parts = opens if demand.available.minor >= sum(opens) else allocate(demand.available.minor, opens)
    currency = demand.available.currency
    return [
        Share(debit=debit.item.key, amount=Money(part, currency), strategy="pro_rata")
        for debit, part in zip(demand.debits, parts, strict=True)
        if part
    ]


def line_priority(demand: Demand) -> list[Share]:
    """Settle lines by the priority of their charge codes, the oldest item first within one priority.

    What is open of an item beyond its lines (cash rounding, items without lines) comes last.
    """
    lowest = len(demand.priorities)
    lines = [
        (_rank(line.charge_code, demand.priorities), place, line.number)
        for place, debit in enumerate(demand.debits)
        for line in debit.item.lines
    ]
    wholes = [(lowest + 1, place, 0) for place in range(len(demand.debits))]
    rest = demand.available
    item_rest = {debit.item.key: debit.open for debit in demand.debits}
    shares = []
    for _, place, number in sorted(lines + wholes):
        debit = demand.debits[place]
        wanted = debit.line_open(number) if number else item_rest[debit.item.key]
        part = min(rest, wanted, item_rest[debit.item.key])
        if part.minor > 0:
            shares.append(Share(debit=debit.item.key, amount=part, strategy="line_priority", line=number))
            rest, item_rest[debit.item.key] = rest - part, item_rest[debit.item.key] - part
    return shares


def _rank(charge_code: str, priorities: Sequence[str]) -> int:
    for place, pattern in enumerate(priorities):
        if fnmatch.fnmatchcase(charge_code, pattern):
            return place
    return len(priorities)


def _check_sides(credit: Standing, debits: Sequence[Standing]) -> None:
    wrong = ""
    if credit.item.is_debit:
        wrong = f"{credit.item.key} is owed, so it settles nothing"
    for debit in debits:
        if not debit.item.is_debit:
            wrong = f"{debit.item.key} is no debit item"
        elif debit.item.account != credit.item.account:
            wrong = f"{debit.item.key} belongs to {debit.item.account}, the credit {credit.item.key} to {credit.item.account}"
    if wrong:
        raise Refused("AR14", wrong, remedy="Allocate a credit to debit items of its own account; transfer an item first")


def _instructed(
    available: Money, debits: Sequence[Standing], instructions: Sequence[Instruction]
) -> tuple[list[Share], list[Finding]]:
    shares: list[Share] = []
    findings: list[Finding] = []
    rest = available
    for instruction in instructions:
        left = _after(debits, shares)
        target = next((debit for debit in left if instruction.item in (debit.item.key, debit.item.reference)), None)
        if target is None:
            findings.append(_unfollowed(instruction, "names an item that is not open on this account"))
            continue
        limit = min(target.line_open(instruction.line), target.open) if instruction.line else target.open
        wanted = limit if instruction.amount is None else instruction.amount
        if wanted.minor < 0 or wanted > limit:
            findings.append(_unfollowed(instruction, f"asks for {wanted}, of which {limit} is open"))
        part = min(rest, limit, wanted)
        if part.minor > 0:
            shares.append(Share(debit=target.item.key, amount=part, strategy=BY_DOCUMENT, line=instruction.line))
            rest = rest - part
    return shares, findings


def _unfollowed(instruction: Instruction, why: str) -> Finding:
    return Finding(
        code="AR15",
        severity=Severity.INFORMATION,
        what=f"the payer's instruction {why}",
        remedy="What was not allocated so follows the account's strategy or stays on account; ask the payer",
        field="line" if instruction.line else "item",
        value="" if instruction.amount is None else str(instruction.amount),
        subject=instruction.item,
    )


def _sum(shares: Sequence[Share], credit: Standing) -> Money:
    return Money.total((share.amount for share in shares), credit.open.currency)


def _after(debits: Sequence[Standing], shares: Sequence[Share]) -> list[Standing]:
    """Return what would be open after `shares`, as the next allocation will see it."""
    left = []
    for debit in debits:
        own = [share for share in shares if share.debit == debit.item.key]
        rest = debit.open - Money.total((share.amount for share in own), debit.open.currency)
        if not rest:
            continue
        opens = dict(debit.line_opens)
        for share in own:
            if share.line:
                opens[share.line] = opens[share.line] - share.amount
        left.append(attrs.evolve(debit, open=rest, line_opens=tuple(opens.items())))
    return left


def _small_balances(left: Sequence[Standing], shares: Sequence[Share], tolerance: Money | None) -> tuple[tuple[str, Money], ...]:
    touched = {share.debit for share in shares}
    if tolerance is None:
        return ()
    return tuple((debit.item.key, debit.open) for debit in left if debit.item.key in touched and debit.open <= tolerance)


def allocations_of(plan: AllocationPlan, action: str, on: date) -> tuple[Allocation, ...]:
    """Return the allocations of a plan.

    Args:
        plan: what the credit settles.
        action: natural key of the act that allocates; the same act gives the same keys.
        on: date on which they count.
    """
    return tuple(
        Allocation(
            key=f"{action}/{number}",
            debit=share.debit,
            credit=plan.credit,
            amount=share.amount,
            on=on,
            strategy=share.strategy,
            line=share.line,
        )
        for number, share in enumerate(plan.shares, start=1)
    )


def settle(debit: OpenItem, credit: OpenItem, amount: Money, *, key: str, on: date, strategy: str) -> Allocation:
    """Return the one allocation between two items that were made for each other."""
    return Allocation(key=key, debit=debit.key, credit=credit.key, amount=amount, on=on, strategy=strategy)


def undo_allocation(allocation: Allocation, existing: Sequence[Allocation], *, key: str, on: date) -> Allocation:
    """Return the exact opposite of an allocation, which opens both items again with their own due dates.

    Raises:
        Refused: ``AR16`` where it was undone before, or is itself an undoing.
    """
    if allocation.undoes or any(other.undoes == allocation.key for other in existing):
        raise Refused(
            "AR16", f"the allocation {allocation.key} is undone already, or undoes another", remedy="Allocate anew instead"
        )
    return attrs.evolve(allocation, key=key, amount=-allocation.amount, on=on, undoes=allocation.key)


def net_credits(owing: Sequence[Standing], debits: Sequence[Standing], *, strategy: str = "oldest_first") -> list[AllocationPlan]:
    """Return what each credit settles when the credits of an account are netted, oldest first.

    A credit note settles the document that it corrects before anything else.
    """
    plans = []
    left = list(debits)
    for credit in oldest_due_first(owing):
        if not credit.open:
            continue
        wishes = [Instruction(item=credit.item.corrects)] if any(debit.item.key == credit.item.corrects for debit in left) else []
        plan = plan_allocation(credit, left, strategy=strategy, instructions=wishes)
        plans.append(plan)
        left = _after(left, plan.shares)
    return plans
