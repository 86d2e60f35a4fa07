"""Moves what an account owes, or is owed, to another account of the same book and currency."""

from __future__ import annotations

from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.receivables.entries import transfer_entry
from billing_framework.receivables.open_item import OpenItem
from billing_framework.receivables.transfer import transfer
from billing_framework.run.collect.act import (
    Act,
    account_of_item,
    act_date,
    book_mapping,
    carry_out,
    item_called,
    locked_positions,
)
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import find
from billing_framework.run.reason import needs_reason
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.master.master_kind import ACCOUNTS
from billing_framework.storage.receivable.rows import load_items
from billing_framework.values.errors import Conflict, Refused
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class TransferRequest:
    """An item that moves.

    Attributes:
        item: its reference or key.
        account: code of the account that it stands on, needed where several have one of this reference.
        to_account: code of the account that takes it over.
        amount: a part of it; all that is open where None.
        on: date; today in the book's zone where None.
        reference: name of the act, so that the same again changes nothing; where empty every call is an act of its own.
        reason: why, for the audit.
    """

    item: str
    account: str = ""
    to_account: str
    amount: Money | None = None
    on: date | None = None
    reference: str = ""
    reason: str


@attrs.frozen(kw_only=True)
class Transferred:
    """What a transfer did.

    Attributes:
        moved: the item on the account that took it over.
        outcome: ``transferred``, or ``duplicate`` where it was done before.
    """

    moved: OpenItem
    outcome: str


def transfer_item(deployment: Deployment, request: TransferRequest) -> Transferred:
    """Move an open item, or a part of it, to another account; it keeps its reference and due date.

    Raises:
        InputRefused: ``ACCOUNT16`` without a reason.
        NotFound: ``ACCOUNT09`` or ``AR43``: there is no such account or item.
        Refused: ``AR25`` where more than is open would move, ``AR47`` between books or currencies.
        Conflict: ``AR45`` where the reference was used for another transfer.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    needs_reason(request.reason, "a transfer")
    with deployment.database.begin() as connection:
        book = find(connection, ACCOUNTS, request.to_account).value.book
        earlier = _earlier(connection, book, request)
        if earlier is not None:
            return earlier
        source = account_of_item(connection, request.item, request.account)
        both = locked_positions(connection, [source, request.to_account])
        left, right = both[source], both[request.to_account]
        # Somebody may have done the same while we waited for the accounts.
        earlier = _earlier(connection, book, request)
        if earlier is not None:
            return earlier
        number = len(left.allocations) + 1  # allocations are only ever added, so their number names the next act
        action = f"transfer/{book}/{request.reference}" if request.reference else f"transfer/{source}/{number}"
        if (left.account.book, left.account.currency) != (book, right.account.currency):
            raise Refused(
                "AR47",
                f"{source} is kept in {left.account.currency} by book {left.account.book}, {request.to_account} in"
                f" {right.account.currency} by book {book}",
                remedy="Refund or credit it in one book and bill it in the other",
            )
        standing = item_called(left, request.item)
        when = act_date(deployment, connection, book, request.on)
        moved = transfer(standing, to_account=request.to_account, action=action, on=when, amount=request.amount)
        act = _act(connection, book, action, moved.items, request)
        carry_out(deployment, connection, attrs.evolve(act, allocations={source: moved.allocations}))
    return Transferred(moved=moved.items[1], outcome="transferred")


def _act(connection: Connection, book: str, action: str, items: tuple[OpenItem, ...], request: TransferRequest) -> Act:
    left, moved = items
    event = AuditEvent(
        action="payment transfer",
        object_kind="open_item",
        object_key=moved.key,
        before={"account": left.account},
        after={"account": moved.account, "reference": moved.reference, "money": str(moved.original)},
        reason=request.reason,
    )
    entry = transfer_entry(left, moved, book_mapping(connection, book))
    return Act(book=book, source=action, items=items, entries=(entry,), events=(event,))


def _earlier(connection: Connection, book: str, request: TransferRequest) -> Transferred | None:
    """Return the transfer of this reference where it was done before."""
    found = load_items(connection, keys=[f"transfer/{book}/{request.reference}/to"]) if request.reference else []
    if not found:
        return None
    (item,) = found
    size = item.original if item.is_debit else -item.original
    if item.account != request.to_account or request.amount not in (None, size):
        raise Conflict(
            "AR45",
            f"the transfer {request.reference} moved {size} to {item.account}",
            remedy="Give another transfer its own reference",
        )
    return Transferred(moved=item, outcome="duplicate")
