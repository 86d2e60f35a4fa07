"""What money in, money out and settling write in the books: the posting matrix of receivables.

Allocation writes nothing: a payment is a negative open item on the receivable account, so linking it with a document moves no
balance. Each function returns one entry under the key of the act, so that the same act is posted once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.entry import Entry, Posting, reversal
from billing_framework.receivables.fiduciary import FiduciaryMovement, Movement
from billing_framework.receivables.open_item import OpenItem
from billing_framework.receivables.payment import Direction, Payment
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money


def payment_entry(payment: Payment, mapping: ChartMapping) -> Entry:
    """Bank to receivable, or to suspense while the account is not known."""
    if payment.direction is not Direction.IN:
        raise Refused("AR21", f"the payment {payment.external_ref} went out", remedy="Record it as a refund")
    bank = Posting(gl_account=mapping.role("bank"), money=payment.money, document_key=payment.key)
    if payment.account:
        other = _receivable(mapping, payment.account, -payment.money, payment.key)
    else:
        other = Posting(gl_account=mapping.role("suspense"), money=-payment.money, document_key=payment.key)
    return _entry(payment.key, payment.received_on, "payment", bank, other)


def assignment_entry(payment: Payment, account: str, mapping: ChartMapping, *, key: str, on: date) -> Entry:
    """Suspense to receivable, when the account of a payment becomes known."""
    suspense = Posting(gl_account=mapping.role("suspense"), money=payment.money, document_key=payment.key)
    return _entry(key, on, "payment_assigned", suspense, _receivable(mapping, account, -payment.money, payment.key))


def return_entry(payment: Payment, item: OpenItem, mapping: ChartMapping, *, key: str, on: date) -> Entry:
    """Receivable to bank: the payment came back.

    It reverses the payment's entry where that one was posted to the same account; a payment that was assigned out of suspense
    later was posted elsewhere, so its return stands alone.

    Args:
        payment: the payment as it was recorded.
        item: the debit item of the return.
        mapping: the accounts of the book.
        key: idempotency key.
        on: date of the return.
    """
    if payment.account == item.account:
        return reversal(payment_entry(payment, mapping), key=key, on=on, source=key)
    bank = Posting(gl_account=mapping.role("bank"), money=-payment.money, document_key=payment.key)
    return _entry(key, on, "payment_returned", _receivable(mapping, item.account, payment.money, payment.key), bank)


def fee_entry(item: OpenItem, charge_code: str, mapping: ChartMapping) -> Entry:
    """Receivable to income: a fee that is owed at once, such as that of a returned payment; `item` is its debit item."""
    income = Posting(
        gl_account=mapping.charge_account(charge_code),
        money=-item.original,
        account_key=item.account,
        document_key=item.key,
    )
    return _entry(item.key, item.dated_on, "fee", _receivable(mapping, item.account, item.original, item.key), income)


def refund_entry(item: OpenItem, mapping: ChartMapping) -> Entry:
    """Receivable to bank: a credit is paid out; `item` is the debit item of the refund."""
    bank = Posting(gl_account=mapping.role("bank"), money=-item.original, document_key=item.key)
    return _entry(item.key, item.dated_on, "refund", _receivable(mapping, item.account, item.original, item.key), bank)


def write_off_entry(item: OpenItem, mapping: ChartMapping, tax_relief: Mapping[str, Money] | None = None) -> Entry:
    """Write-off expense or allowance, and relief of taxes, to receivable.

    Args:
        item: the credit item of the write-off, or the debit item of a recovery, whose entry is the mirror.
        mapping: the accounts of the book.
        tax_relief: tax code to the part of the written-off amount that the tax office gives back, with the sign of a debit for a
            write-off; none where None.
    """
    reliefs = tax_relief or {}
    relieved = Money.total(reliefs.values(), item.original.currency)
    role = "write_off" if item.original.minor < 0 else "recovery"
    postings = [
        Posting(gl_account=mapping.role(role), money=-item.original - relieved, account_key=item.account, document_key=item.key),
        *(
            Posting(gl_account=mapping.tax_account(code), money=money, account_key=item.account, document_key=item.key)
            for code, money in sorted(reliefs.items())
        ),
        _receivable(mapping, item.account, item.original, item.key),
    ]
    return _entry(item.key, item.dated_on, role, *(posting for posting in postings if posting.money))


def transfer_entry(left: OpenItem, moved: OpenItem, mapping: ChartMapping) -> Entry:
    """Receivable of one account to receivable of another: the control account stays, the sub-ledger moves."""
    return _entry(
        moved.key,
        left.dated_on,
        "transfer",
        _receivable(mapping, moved.account, moved.original, moved.key),
        _receivable(mapping, left.account, left.original, left.key),
    )


def opening_entry(item: OpenItem, mapping: ChartMapping, *, on: date) -> Entry:
    """Receivable to the opening account, for an item that was taken over from another system; `on` is the take-over's date."""
    opening = Posting(gl_account=mapping.role("opening"), money=-item.original, document_key=item.key)
    return _entry(item.key, on, "opening", _receivable(mapping, item.account, item.original, item.key), opening)


def fiduciary_entry(movement: FiduciaryMovement, mapping: ChartMapping) -> Entry:
    """Bank to deposits for a receipt, deposits to receivable for a draw, deposits to bank for a refund.

    The deposits account is guarded, so the database refuses what would overdraw one customer even when many draw at once. Money
    of the purpose ``trust`` has its own bank account, and interest comes out of the bank.
    """
    held_role, bank_role = ("trust", "trust_bank") if movement.purpose == "trust" else ("deposits", "bank")
    held = Posting(
        gl_account=mapping.role(held_role),
        money=-movement.money,
        account_key=movement.account,
        sub_key="/".join(part for part in (movement.purpose, movement.subject) if part),
        document_key=movement.item or movement.key,
    )
    if movement.kind is Movement.DRAW and movement.purpose != "trust":
        other = _receivable(mapping, movement.account, movement.money, f"{movement.key}/item")
    else:
        other = Posting(gl_account=mapping.role(bank_role), money=movement.money, document_key=movement.key)
    return _entry(movement.key, movement.on, f"{movement.purpose}_{movement.kind.value}", held, other)


def trust_draw_entry(movement: FiduciaryMovement, mapping: ChartMapping) -> Entry:
    """Bank to receivable in the operating book: the other half of a trust draw, whose first half is in the trust book."""
    bank = Posting(gl_account=mapping.role("bank"), money=-movement.money, document_key=movement.key)
    receivable = _receivable(mapping, movement.account, movement.money, f"{movement.key}/item")
    return _entry(movement.key, movement.on, "trust_draw", bank, receivable)


def _receivable(mapping: ChartMapping, account: str, money: Money, document_key: str) -> Posting:
    return Posting(gl_account=mapping.role("receivable"), money=money, account_key=account, document_key=document_key)


def _entry(key: str, on: date, kind: str, *postings: Posting) -> Entry:
    return Entry(key=key, effective_on=on, kind=kind, source=key, postings=postings)
