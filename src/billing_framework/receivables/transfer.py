"""Transfers: what one account owes (or is owed) becomes another account's, with its own due date."""

from __future__ import annotations

from datetime import date

import attrs

from billing_framework.receivables.allocation import settle
from billing_framework.receivables.open_item import ItemKind, Standing
from billing_framework.receivables.write_off import Settlement
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money


def transfer(standing: Standing, *, to_account: str, action: str, on: date, amount: Money | None = None) -> Settlement:
    """Return the two items of a transfer and the allocation that closes the part which moves.

    The first item stands on the old account and settles the original; the second stands on the new account with the original's
    reference and due date, so that it ages as before.

    Args:
        standing: a debit or credit item and what is open of it.
        to_account: code of the account that takes it over.
        action: natural key of the act.
        on: date of the transfer.
        amount: a part, above zero; all that is open where None.

    Raises:
        Refused: ``AR25`` where more than is open or nothing would move, or the account is its own.
    """
    item = standing.item
    part = standing.available if amount is None else amount
    if part.minor <= 0 or part > standing.available or to_account == item.account:
        raise Refused(
            "AR25",
            f"{part} of {item.reference or item.key} cannot move from {item.account} to {to_account}:"
            f" {standing.available} is open",
            remedy="Transfer an amount above zero and not more than is open, to another account",
        )
    signed = part if item.is_debit else -part
    moved = attrs.evolve(
        item,
        key=f"{action}/to",
        kind=ItemKind.TRANSFER,
        account=to_account,
        original=signed,
        corrects="",
        lines=(),
    )
    left = attrs.evolve(moved, key=f"{action}/from", account=item.account, original=-signed, dated_on=on, due_on=on)
    debit, credit = (item, left) if item.is_debit else (left, item)
    link = settle(debit, credit, part, key=f"{action}/1", on=on, strategy="transfer")
    return Settlement(items=(left, moved), allocations=(link,))
