"""Opening balances: what was open when the books were taken over from another system."""

from __future__ import annotations

from datetime import date

from billing_framework.receivables.open_item import ItemKind, OpenItem
from billing_framework.values.money import Money


def opening_item(*, account: str, reference: str, original: Money, dated_on: date, due_on: date) -> OpenItem:
    """Return the item of a document or credit of the old system, with its old number and dates.

    Args:
        account: code of the account.
        reference: number in the old system; with the account it names the item for ever.
        original: what was still open; positive where the customer owes, negative where the customer is owed.
        dated_on: date of the old document.
        due_on: its due date, from which it ages.
    """
    return OpenItem(
        key=f"opening/{account}/{reference}",
        kind=ItemKind.OPENING,
        account=account,
        reference=reference,
        original=original,
        dated_on=dated_on,
        due_on=due_on,
    )
