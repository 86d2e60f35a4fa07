"""Payments: money that came in or went out, as the bank or the cashier reported it, and how a return takes one back."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from datetime import date

import attrs

from billing_framework.invoicing.payment_reference import is_rf_reference, rf_reference
from billing_framework.receivables.allocation import Instruction, settle, undo_allocation
from billing_framework.receivables.open_item import Allocation, ItemKind, OpenItem, Standing
from billing_framework.values.errors import Refused, ValueRefused
from billing_framework.values.money import Money

_REFERENCES = re.compile(r"\bRF[0-9]{2}(?: ?[0-9A-Z]){1,21}", re.ASCII)


class Direction(enum.Enum):
    """``IN`` from a customer, ``OUT`` to a customer."""

    IN = "in"
    OUT = "out"


@attrs.frozen(kw_only=True)
class Payment:
    """One movement of money.

    Attributes:
        book: code of the book whose bank it is.
        external_ref: identifier at the bank or cashier; it names the payment for ever. Same reference with same content is the
            same payment, with other content a conflict.
        account: code of the account, empty while it is not known: the payment then stands in suspense.
        direction: in or out.
        method: ``bank_transfer``, ``direct_debit``, ``card``, ``cash``, ``check`` or the deployment's own word.
        money: above zero.
        received_on: booking date.
        remittance: what the payer wrote, for matching.
    """

    book: str
    external_ref: str
    account: str = ""
    direction: Direction = Direction.IN
    method: str = "bank_transfer"
    money: Money
    received_on: date
    remittance: str = attrs.field(default="", repr=False)

    def __attrs_post_init__(self) -> None:
        if self.money.minor <= 0 or not self.external_ref.strip():
            raise ValueRefused(
                "AR20",
                f"a payment needs an amount above zero and a reference, not {self.money} and {self.external_ref!r}",
                remedy="Record money that went out with the direction out, and give the bank's reference",
            )

    @property
    def key(self) -> str:
        """Natural key."""
        return f"payment/{self.book}/{self.external_ref}"


def payment_item(payment: Payment) -> OpenItem:
    """Return the credit item of a payment that came in for a known account.

    Raises:
        Refused: ``AR21`` for a payment in suspense or one that went out.
    """
    if not payment.account or payment.direction is not Direction.IN:
        raise Refused(
            "AR21",
            f"the payment {payment.external_ref} is of no account, or went out",
            remedy="Assign it to an account first; refunds make their own item",
        )
    return OpenItem(
        key=payment.key,
        kind=ItemKind.PAYMENT,
        account=payment.account,
        reference=payment.external_ref,
        original=-payment.money,
        dated_on=payment.received_on,
        due_on=payment.received_on,
    )


@attrs.frozen(kw_only=True)
class Returned:
    """What a returned payment adds; nothing that was there is changed.

    Attributes:
        item: debit item of the return; the entry of the return makes the receivable whole again.
        allocations: first the opposites of what the payment had settled, then the link of the payment with its return. The
            documents are open again with their own due dates, so they age from there.
    """

    item: OpenItem
    allocations: tuple[Allocation, ...]


def return_payment(payment: OpenItem, allocations: Sequence[Allocation], *, action: str, on: date, return_code: str) -> Returned:
    """Return what takes a payment back: bounced, charged back, or recorded by mistake.

    Args:
        payment: credit item of the payment.
        allocations: all allocations of the item, undone ones included.
        action: natural key of the act.
        on: date of the return.
        return_code: code of the bank (``R01``, ``AC04``) or the officer's word.

    Raises:
        Refused: ``AR22`` where it was returned before or a part of it was refunded or transferred.
    """
    undone = {allocation.undoes for allocation in allocations if allocation.undoes}
    alive = [item for item in allocations if not item.undoes and item.key not in undone]
    if any(item.strategy in ("return", "refund", "transfer") for item in alive):
        raise Refused(
            "AR22",
            f"the payment {payment.reference} was returned, refunded or transferred already",
            remedy="Undo the refund or transfer first",
        )
    opposites = tuple(
        undo_allocation(item, allocations, key=f"{action}/{number}", on=on) for number, item in enumerate(alive, start=1)
    )
    item = OpenItem(
        key=f"{action}/item",
        kind=ItemKind.RETURN,
        account=payment.account,
        reference=f"{payment.reference} {return_code}".strip(),
        original=-payment.original,
        dated_on=on,
        due_on=on,
    )
    link = settle(item, payment, item.original, key=f"{action}/{len(opposites) + 1}", on=on, strategy="return")
    return Returned(item=item, allocations=(*opposites, link))


def match_remittance(text: str, debits: Sequence[Standing]) -> tuple[Instruction, ...]:
    """Return the instructions that a remittance text holds: RF references and document numbers of open items, as written.

    An RF reference counts only with right check digits, and a number only where no letter or digit touches it, so a longer
    number that contains a shorter one names only itself.
    """
    compact = {match.group().replace(" ", "") for match in _REFERENCES.finditer(text.upper())}
    named = []
    for debit in debits:
        number = debit.item.reference
        if not number:
            continue
        plain = re.search(rf"(?<![0-9A-Z]){re.escape(number.upper())}(?![0-9A-Z])", text.upper())
        if plain or any(_starts_with(reference, _reference_of(number)) for reference in compact):
            named.append(Instruction(item=debit.item.key))
    return tuple(named)


def _starts_with(found: str, reference: str) -> bool:
    """True where `reference` was found, perhaps with words run together behind it that the blanks between allowed."""
    return bool(reference) and is_rf_reference(reference) and found.startswith(reference)


def _reference_of(number: str) -> str:
    try:
        return rf_reference(number)
    except ValueRefused:
        return ""
