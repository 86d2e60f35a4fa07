"""Officers allocate what is unapplied on an account, and take allocations back by their exact opposites."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import attrs

from billing_framework.ledger.entry import Entry
from billing_framework.receivables.allocation import Instruction, undo_allocation
from billing_framework.receivables.entries import write_off_entry
from billing_framework.receivables.open_item import Allocation, OpenItem, Standing
from billing_framework.run.collect.act import (
    Act,
    Position,
    account_of_item,
    act_date,
    book_mapping,
    carry_out,
    item_called,
    locked_position,
)
from billing_framework.run.collect.settle import Terms, settle_credit
from billing_framework.run.deployment import Deployment
from billing_framework.run.reason import needs_reason
from billing_framework.storage.audit import AuditEvent
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money

MADE_BY_ACTS = ("return", "refund", "transfer", "write_off", "deposit")
"""Allocations that belong to an act of their own: they are undone by undoing that act, never alone."""


@attrs.frozen(kw_only=True)
class Allocated:
    """What an act of allocating did on one account.

    Attributes:
        account: code of the account.
        allocations: new allocations; negative where they undo others.
        written_off: small rests that were given up.
        unapplied: what is left of the credits looked at, zero or above, one per currency.
        findings: instructions that could not be followed.
    """

    account: str
    allocations: tuple[Allocation, ...] = ()
    written_off: tuple[OpenItem, ...] = ()
    unapplied: tuple[Money, ...] = ()
    findings: tuple[Finding, ...] = ()


def allocate_credits(
    deployment: Deployment,
    account: str,
    *,
    credit: str = "",
    terms: Terms | None = None,
    on: date | None = None,
    reason: str = "",
) -> Allocated:
    """Settle what is unapplied on an account: one credit, or all of them, oldest first; where nothing is left, nothing is done.

    A credit note settles the document that it corrects before anything else.

    Args:
        deployment: the open deployment.
        account: code of the account.
        credit: reference or key of one credit item; all where empty.
        terms: how; by the account's own strategy where None.
        on: date on which it counts; today in the book's zone where None.
        reason: why, for the audit.

    Raises:
        NotFound: ``ACCOUNT09``, ``AR43`` or ``AR13``: there is no such account, credit or strategy.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    with deployment.database.begin() as connection:
        position = locked_position(connection, account)
        book = position.account.book
        when = act_date(deployment, connection, book, on)
        credits_ = [item_called(position, credit, debit=False)] if credit else position.open(debit=False)
        if not any(one.open for one in credits_):
            return Allocated(account=account)
        done = _settle_all(position, credits_, terms or Terms(), when)
        if done.allocations:
            mapping = book_mapping(connection, book)
            entries: tuple[Entry, ...] = tuple(write_off_entry(one, mapping) for one in done.written_off)
            act = Act(
                book=book,
                source=done.allocations[0].key,
                items=done.written_off,
                allocations={account: done.allocations},
                entries=entries,
                events=(_event("payment allocate", done, reason),),
            )
            carry_out(deployment, connection, act)
    return done


def _settle_all(position: Position, credits_: Sequence[Standing], terms: Terms, on: date) -> Allocated:
    links: list[Allocation] = []
    items: list[OpenItem] = []
    findings: list[Finding] = []
    left: dict[str, Money] = {}
    for credit in credits_:
        if not credit.open:
            continue
        # Allocations are only ever added, so their number on the account names the next act.
        action = f"allocate/{position.account.code}/{len(position.allocations) + 1}"
        wishes = terms.instructions or _corrected(position, credit)
        settled = settle_credit(position, credit, attrs.evolve(terms, instructions=wishes), action=action, on=on)
        position = position.after(settled.written_off, settled.allocations)
        links += settled.allocations
        items += settled.written_off
        findings += settled.findings
        currency = credit.open.currency
        left[currency] = left.get(currency, Money.zero(currency)) + settled.unapplied
    return Allocated(
        account=position.account.code,
        allocations=tuple(links),
        written_off=tuple(items),
        unapplied=tuple(left.values()),
        findings=tuple(findings),
    )


def _corrected(position: Position, credit: Standing) -> tuple[Instruction, ...]:
    wanted = credit.item.corrects
    if any(one.item.key == wanted for one in position.open(debit=True, currency=credit.open.currency)):
        return (Instruction(item=wanted),)
    return ()


def unallocate(
    deployment: Deployment,
    credit: str,
    *,
    account: str = "",
    debit: str = "",
    on: date | None = None,
    reason: str,
) -> Allocated:
    """Take back what a credit settled, by exact opposites; the documents are open again with their own due dates.

    Args:
        deployment: the open deployment.
        credit: reference or key of the credit item.
        account: code of its account, needed where several accounts have one of this reference.
        debit: reference or key of one document that it settled; all of them where empty.
        on: date on which it counts; today in the book's zone where None.
        reason: why, for the audit.

    Raises:
        InputRefused: ``ACCOUNT16`` without a reason.
        NotFound: ``AR43``: there is no such item.
        Refused: ``AR16`` where nothing is there to be taken back, or it belongs to an act of its own such as a refund.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    needs_reason(reason, "taking an allocation back")
    with deployment.database.begin() as connection:
        position = locked_position(connection, account_of_item(connection, credit, account))
        item = item_called(position, credit, debit=False).item
        target = item_called(position, debit, debit=True).item.key if debit else ""
        when = act_date(deployment, connection, position.account.book, on)
        undone = {one.undoes for one in position.allocations if one.undoes}
        alive = [
            one
            for one in position.allocations
            if one.credit == item.key
            and target in ("", one.debit)
            and not one.undoes
            and one.key not in undone
            and one.strategy not in MADE_BY_ACTS
        ]
        if not alive:
            raise Refused(
                "AR16",
                f"{credit} settles nothing that could be taken back",
                remedy="Undo a refund, transfer, return, write-off or draw by an act of its own",
            )
        opposites = tuple(undo_allocation(one, position.allocations, key=f"unallocate/{one.key}", on=when) for one in alive)
        rest = next(one for one in position.after(allocations=opposites).standings() if one.item.key == item.key)
        done = Allocated(account=position.account.code, allocations=opposites, unapplied=(rest.available,))
        act = Act(
            book=position.account.book,
            source=opposites[0].key,
            allocations={position.account.code: opposites},
            events=(_event("payment unallocate", done, reason),),
        )
        carry_out(deployment, connection, act)
    return done


def _event(action: str, done: Allocated, reason: str) -> AuditEvent:
    facts = [
        {"key": one.key, "debit": one.debit, "credit": one.credit, "amount": str(one.amount), "undoes": one.undoes}
        for one in done.allocations
    ]
    return AuditEvent(action=action, object_kind="account", object_key=done.account, after={"allocations": facts}, reason=reason)
