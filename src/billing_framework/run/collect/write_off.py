"""Gives up what is too small or uncollectable: one item, or all small rests of an account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import attrs

from billing_framework.receivables.entries import write_off_entry
from billing_framework.receivables.open_item import Allocation, OpenItem
from billing_framework.receivables.write_off import write_off
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
from billing_framework.run.deployment import Deployment
from billing_framework.run.reason import needs_reason
from billing_framework.storage.audit import AuditEvent
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class WrittenOff:
    """What a write-off did.

    Attributes:
        account: code of the account.
        items: the credit items that give up what was open; none where nothing was.
    """

    account: str
    items: tuple[OpenItem, ...]


def write_off_item(
    deployment: Deployment,
    item: str,
    *,
    account: str = "",
    amount: Money | None = None,
    on: date | None = None,
    reason: str,
) -> WrittenOff:
    """Give up an open debit item or a part of it.

    Args:
        deployment: the open deployment.
        item: its reference or key.
        account: code of the account, needed where several have an item of this reference.
        amount: a part; all that is open where None.
        on: date; today in the book's zone where None.
        reason: why, for the audit.

    Raises:
        InputRefused: ``ACCOUNT16`` without a reason.
        NotFound: ``AR43``: there is no such item.
        Refused: ``AR23`` where more than is open would be given up.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    needs_reason(reason, "a write-off")
    with deployment.database.begin() as connection:
        position = locked_position(connection, account_of_item(connection, item, account))
        wanted = item_called(position, item, debit=True)
        when = act_date(deployment, connection, position.account.book, on)
        given_up = write_off(wanted, action=_action(position), on=when, amount=amount)
        act = Act(
            book=position.account.book,
            source=given_up.items[0].key,
            items=given_up.items,
            allocations={position.account.code: given_up.allocations},
        )
        mapping = book_mapping(connection, act.book)
        entries = tuple(write_off_entry(one, mapping) for one in given_up.items)
        carry_out(deployment, connection, attrs.evolve(act, entries=entries, events=_events(given_up.items, reason)))
    return WrittenOff(account=position.account.code, items=given_up.items)


def write_off_small(deployment: Deployment, account: str, tolerance: Money, *, on: date | None = None, reason: str) -> WrittenOff:
    """Give up every open debit item of an account up to `tolerance`; where there is none, nothing is done.

    Args:
        deployment: the open deployment.
        account: code of the account.
        tolerance: largest rest to give up.
        on: date; today in the book's zone where None.
        reason: why, for the audit.

    Raises:
        InputRefused: ``ACCOUNT16`` without a reason.
        NotFound: ``ACCOUNT09``: there is no such account.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    needs_reason(reason, "a write-off")
    with deployment.database.begin() as connection:
        position = locked_position(connection, account)
        book = position.account.book
        when = act_date(deployment, connection, book, on)
        items: list[OpenItem] = []
        links: list[Allocation] = []
        for small in [one for one in position.payable(when, tolerance.currency) if one.open <= tolerance]:
            given_up = write_off(small, action=_action(position), on=when)
            position = position.after(given_up.items, given_up.allocations)
            items += given_up.items
            links += given_up.allocations
        if items:
            mapping = book_mapping(connection, book)
            act = Act(
                book=book,
                source=items[0].key,
                items=tuple(items),
                allocations={account: links},
                entries=tuple(write_off_entry(one, mapping) for one in items),
                events=_events(items, reason),
            )
            carry_out(deployment, connection, act)
    return WrittenOff(account=account, items=tuple(items))


def _action(position: Position) -> str:
    # Allocations are only ever added, so their number on the account names the next act.
    return f"write_off/{position.account.code}/{len(position.allocations) + 1}"


def _events(items: Sequence[OpenItem], reason: str) -> tuple[AuditEvent, ...]:
    return tuple(
        AuditEvent(
            action="payment write-off",
            object_kind="open_item",
            object_key=item.key,
            after={"account": item.account, "reference": item.reference, "money": str(-item.original)},
            reason=reason,
        )
        for item in items
    )
