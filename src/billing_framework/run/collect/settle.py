"""Settles a credit on an account: by the payer's instructions, then by the account's strategy, and gives up small rests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import attrs

from billing_framework.receivables.allocation import Instruction, allocations_of, plan_allocation
from billing_framework.receivables.open_item import Allocation, OpenItem, Standing
from billing_framework.receivables.write_off import write_off
from billing_framework.run.collect.act import Position
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class Terms:
    """How a credit is to be settled.

    Attributes:
        strategy: named strategy; the account's own where empty.
        instructions: what the payer said.
        priorities: patterns of charge codes for the strategy ``line_priority``, most important first.
        tolerance: a rest of a settled item up to this is written off; none where None.
    """

    strategy: str = ""
    instructions: tuple[Instruction, ...] = ()
    priorities: tuple[str, ...] = ()
    tolerance: Money | None = None


@attrs.frozen(kw_only=True)
class Settled:
    """What settling a credit adds.

    Attributes:
        written_off: credit items of small rests.
        allocations: new allocations.
        unapplied: what stays of the credit, zero or above.
        findings: instructions that could not be followed.
    """

    written_off: tuple[OpenItem, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    unapplied: Money
    findings: tuple[Finding, ...] = ()


def settle_credit(position: Position, credit: Standing, terms: Terms, *, action: str, on: date) -> Settled:
    """Return what `credit` settles on its account; items that a hold keeps from being settled are passed over.

    Args:
        position: the account, with the credit item among its items.
        credit: the credit item and what is open of it.
        terms: how.
        action: natural key of the act; the same act gives the same keys.
        on: date on which it counts.

    Raises:
        NotFound: ``AR13`` for an unknown strategy.
    """
    plan = plan_allocation(
        credit,
        position.payable(on, credit.open.currency),
        strategy=terms.strategy or position.account.allocation,
        instructions=terms.instructions,
        priorities=terms.priorities,
        tolerance=terms.tolerance,
    )
    allocations = allocations_of(plan, action, on)
    items, links = small_rests(position.after(allocations=allocations), plan.small_balances, action=action, on=on)
    return Settled(written_off=items, allocations=(*allocations, *links), unapplied=plan.unapplied, findings=plan.findings)


def small_rests(
    position: Position, rests: Sequence[tuple[str, Money]], *, action: str, on: date
) -> tuple[tuple[OpenItem, ...], tuple[Allocation, ...]]:
    """Return the items and allocations that give up small rests of debit items."""
    if not rests:
        return (), ()
    open_now: Mapping[str, Standing] = {one.item.key: one for one in position.standings()}
    given_up = [
        write_off(open_now[key], action=f"{action}/small/{number}", on=on, amount=rest)
        for number, (key, rest) in enumerate(rests, start=1)
    ]
    return (
        tuple(item for one in given_up for item in one.items),
        tuple(link for one in given_up for link in one.allocations),
    )
