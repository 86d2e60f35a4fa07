"""Refunds: what is owing to a customer is paid out, and never more than is open of the credit."""

from __future__ import annotations

from datetime import date

from billing_framework.receivables.allocation import settle
from billing_framework.receivables.open_item import ItemKind, OpenItem, Standing
from billing_framework.receivables.write_off import Settlement
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money


def refund(credit: Standing, *, action: str, on: date, reference: str, amount: Money | None = None) -> Settlement:
    """Return the debit item of money paid out, and its allocation with the credit that it pays back.

    Args:
        credit: an unapplied payment, credit note or other credit item, and what is open of it.
        action: natural key of the act.
        on: date of the payment out.
        reference: its reference at the bank.
        amount: a part, above zero; all that is open where None.

    Raises:
        Refused: ``AR24`` where more than is open, nothing, or a debit item would be refunded.
    """
    part = credit.available if amount is None else amount
    if credit.item.is_debit or part.minor <= 0 or part > credit.available:
        raise Refused(
            "AR24",
            f"{part} cannot be refunded of {credit.item.reference or credit.item.key}: {credit.available} is open",
            remedy="Refund an amount above zero and not more than is unapplied; undo an allocation first where needed",
        )
    item = OpenItem(
        key=f"{action}/item",
        kind=ItemKind.REFUND,
        account=credit.item.account,
        reference=reference,
        original=part,
        dated_on=on,
        due_on=on,
    )
    link = settle(item, credit.item, part, key=f"{action}/1", on=on, strategy="refund")
    return Settlement(items=(item,), allocations=(link,))
