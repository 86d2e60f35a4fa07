"""Takes a payment back that the bank returned or that was recorded by mistake, with its fee; nothing that was there changes."""

from __future__ import annotations

from datetime import date, timedelta

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.entry import Entry, entry_id, reversal
from billing_framework.receivables.entries import fee_entry, payment_entry, return_entry
from billing_framework.receivables.open_item import Allocation, ItemKind, OpenItem
from billing_framework.receivables.payment import Direction, Payment, return_payment
from billing_framework.run.collect.act import Act, Position, act_date, book_mapping, carry_out, locked_position
from billing_framework.run.collect.assign import assigned_key, refuse_answered
from billing_framework.run.collect.find import locked_payment
from billing_framework.run.collect.payment import payment_facts
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.issuer import mapping_of
from billing_framework.run.reason import needs_reason
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.ledger.tables import entry
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.outbox import Event
from billing_framework.storage.receivable.payments import StoredPayment, returns_of, said
from billing_framework.values.errors import InputRefused, Refused
from billing_framework.values.money import Money

FEE_CODE = "payment.return_fee"
"""Charge code of the fee of a returned payment, unless another is given."""


@attrs.frozen(kw_only=True)
class ReturnRequest:
    """A payment that goes back.

    Attributes:
        reference: reference of the payment.
        code: code of the bank (``R01``, ``AC04``) or the officer's word.
        on: date of the return; today in the book's zone where None.
        book: code of the book, needed where several have a payment of this reference.
        bank_reference: reference of the return at the bank; made of the payment's where empty.
        fee: what the customer owes for it at once, or None.
        fee_code: charge code of the fee; the book maps it to an income account.
        reason: why, for the audit.
    """

    reference: str
    code: str
    on: date | None = None
    book: str = ""
    bank_reference: str = ""
    fee: Money | None = None
    fee_code: str = FEE_CODE
    reason: str


@attrs.frozen(kw_only=True)
class Returned:
    """What a return did.

    Attributes:
        payment: the movement of the money back.
        outcome: ``returned``, or ``duplicate`` where it was done before.
        opened: keys of the debit items that are open again.
        fee: the debit item of the fee, or None.
    """

    payment: Payment
    outcome: str
    opened: tuple[str, ...] = ()
    fee: OpenItem | None = None


def reverse_payment(deployment: Deployment, request: ReturnRequest) -> Returned:
    """Take a payment back: its allocations are undone, so the documents are open again and age from their own due dates.

    The same return again changes nothing.

    Raises:
        InputRefused: ``ACCOUNT16`` without a reason, ``AR41`` for a fee in another currency or of a payment in suspense.
        NotFound: ``AR43``: there is no such payment.
        Refused: ``AR22`` where it was returned otherwise, or a part of it was refunded or transferred; ``AR46`` for held money.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    needs_reason(request.reason, "taking a payment back")
    with deployment.database.begin() as connection:
        stored = locked_payment(connection, request.reference, request.book)
        payment = stored.payment
        when = act_date(deployment, connection, payment.book, request.on)
        back = _movement(payment, request, when)
        earlier = returns_of(connection, [payment.key]).get(payment.key)
        if earlier is not None:
            return _again(earlier, back, request)
        if stored.purpose:
            raise Refused("AR46", f"{request.reference} is held money", remedy="Take it back: billing deposit return")
        refuse_answered(connection, payment)
        _refuse_fee(payment, request)
        position = locked_position(connection, payment.account) if payment.account else None
        act, fee = _act(connection, stored, back, request, position)
        event = AuditEvent(
            action="payment reverse",
            object_kind="payment",
            object_key=request.reference,
            before=payment_facts(payment),
            after={**payment_facts(back.payment), "code": request.code, "fee": None if fee is None else str(fee.original)},
            reason=request.reason,
        )
        told = Event(topic="payment.returned", key=payment.key, payload={"account": payment.account, "code": request.code})
        carry_out(deployment, connection, attrs.evolve(act, events=(event,), told=(told,)))
    opened = {one.debit for some in act.allocations.values() for one in some if one.undoes}
    return Returned(payment=back.payment, outcome="returned", opened=tuple(sorted(opened)), fee=fee)


def _movement(payment: Payment, request: ReturnRequest, on: date) -> StoredPayment:
    back = attrs.evolve(
        payment,
        external_ref=request.bank_reference or f"{payment.external_ref}/return",
        direction=Direction.OUT,
        received_on=on,
        remittance="",
    )
    return StoredPayment(
        payment=back,
        digest=said(back, account="", return_code=request.code),
        returns=payment.key,
        return_code=request.code,
    )


def _again(earlier: StoredPayment, back: StoredPayment, request: ReturnRequest) -> Returned:
    if earlier.digest == back.digest or (earlier.return_code == request.code and request.on is None):
        return Returned(payment=earlier.payment, outcome="duplicate")
    raise Refused(
        "AR22",
        f"the payment {request.reference} went back on {earlier.payment.received_on} with the code {earlier.return_code}",
        remedy="A payment goes back once; record a new one where the money came again",
    )


def _refuse_fee(payment: Payment, request: ReturnRequest) -> None:
    if request.fee is None:
        return
    if request.fee.minor <= 0 or request.fee.currency != payment.money.currency or not payment.account:
        raise InputRefused(
            "AR41",
            f"a fee of {request.fee} cannot be charged for a payment of {payment.money}"
            f" {f'of account {payment.account}' if payment.account else 'in suspense'}",
            remedy="Give a fee above zero in the currency of the account",
        )


def _act(
    connection: Connection, stored: StoredPayment, back: StoredPayment, request: ReturnRequest, position: Position | None
) -> tuple[Act, OpenItem | None]:
    payment, on = stored.payment, back.payment.received_on
    key = f"return/{payment.book}/{payment.external_ref}"
    mapping = book_mapping(connection, payment.book)
    # The entry of the payment was posted by the book as it was then; only its exact mirror takes it back.
    mapping_then = mapping_of(load_book(connection, payment.book, known_at=stored.at).profile)
    recorded = payment
    if _was_assigned(connection, payment):
        recorded, mapping_then = attrs.evolve(payment, account=""), mapping
    if position is None:
        taken_back = reversal(payment_entry(recorded, mapping_then), key=key, on=on, source=key)
        return Act(book=payment.book, source=key, payments=(back,), entries=(taken_back,)), None
    item = next(one for one in position.items if one.key == payment.key)
    touching = [one for one in position.allocations if item.key in (one.debit, one.credit)]
    gone = return_payment(item, touching, action=key, on=on, return_code=request.code)
    entries: tuple[Entry, ...] = (return_entry(recorded, gone.item, mapping_then, key=key, on=on),)
    items: tuple[OpenItem, ...] = (gone.item,)
    fee = None if request.fee is None else _fee(position, payment, request.fee, key, on)
    if fee is not None:
        items = (*items, fee)
        entries = (*entries, fee_entry(fee, request.fee_code, mapping))
    links: dict[str, tuple[Allocation, ...]] = {payment.account: gone.allocations}
    return Act(book=payment.book, source=key, payments=(back,), items=items, allocations=links, entries=entries), fee


def _fee(position: Position, payment: Payment, money: Money, key: str, on: date) -> OpenItem:
    return OpenItem(
        key=f"{key}/fee",
        kind=ItemKind.FEE,
        account=position.account.code,
        reference=f"{payment.external_ref}/fee",
        original=money,
        dated_on=on,
        due_on=on + timedelta(days=position.account.due_days),
    )


def _was_assigned(connection: Connection, payment: Payment) -> bool:
    wanted = entry_id(payment.book, assigned_key(payment.key))
    return connection.scalar(sa.select(entry.c.id).where(entry.c.id == wanted)) is not None
