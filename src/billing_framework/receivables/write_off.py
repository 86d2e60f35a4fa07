"""Write-offs: what is given up as uncollectable or too small; it is not forgiven, a recovery opens it again."""

from __future__ import annotations

from datetime import date

import attrs

from billing_framework.receivables.allocation import settle
from billing_framework.receivables.open_item import Allocation, ItemKind, OpenItem, Standing
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class Settlement:
    """An item that an act makes and the allocations that link it.

    Attributes:
        items: new items.
        allocations: new allocations.
    """

    items: tuple[OpenItem, ...]
    allocations: tuple[Allocation, ...]


def write_off(debit: Standing, *, action: str, on: date, amount: Money | None = None) -> Settlement:
    """Return the credit item that gives up an open debit item, and its allocation.

    Args:
        debit: the item and what is open of it.
        action: natural key of the act.
        on: date of the write-off.
        amount: a part; all that is open where None.

    Raises:
        Refused: ``AR23`` where more than is open, nothing, or a credit item would be written off.
    """
    part = debit.open if amount is None else amount
    if not debit.item.is_debit or part.minor <= 0 or part > debit.open:
        raise Refused(
            "AR23",
            f"{part} of the item {debit.item.reference or debit.item.key} cannot be written off: {debit.open} is open",
            remedy="Write off an amount above zero and not more than is open",
        )
    item = OpenItem(
        key=f"{action}/item",
        kind=ItemKind.WRITE_OFF,
        account=debit.item.account,
        reference=debit.item.reference,
        original=-part,
        dated_on=on,
        due_on=on,
    )
    link = settle(debit.item, item, part, key=f"{action}/1", on=on, strategy="write_off")
    return Settlement(items=(item,), allocations=(link,))


def recover(written_off: OpenItem, *, action: str, on: date, due_on: date, amount: Money | None = None) -> OpenItem:
    """Return the debit item by which a written-off amount is owed again, to be settled by the payment that came after all.

    Args:
        written_off: credit item of the write-off.
        action: natural key of the act.
        on: date of the recovery.
        due_on: due date of what was written off, so that it ages from there.
        amount: a part; the whole where None.

    Raises:
        Refused: ``AR23`` where it is no write-off or more than was written off would be recovered.
    """
    whole = -written_off.original
    part = whole if amount is None else amount
    if written_off.kind is not ItemKind.WRITE_OFF or part.minor <= 0 or part > whole:
        raise Refused("AR23", f"{part} of {written_off.key} cannot be recovered", remedy="Recover at most what was written off")
    return OpenItem(
        key=f"{action}/item",
        kind=ItemKind.RECOVERY,
        account=written_off.account,
        reference=written_off.reference,
        original=part,
        dated_on=on,
        due_on=due_on,
    )
