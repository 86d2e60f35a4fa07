"""Pays an unapplied credit back to the customer, once per reference of the bank."""

from __future__ import annotations

from datetime import date

import attrs

from billing_framework.receivables.entries import refund_entry
from billing_framework.receivables.open_item import Standing
from billing_framework.receivables.payment import Direction, Payment
from billing_framework.receivables.refund import refund
from billing_framework.run.collect.act import Act, Position, act_date, book_mapping, carry_out, item_called, locked_position
from billing_framework.run.collect.payment import payment_facts
from billing_framework.run.deployment import Deployment
from billing_framework.run.reason import needs_reason
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.receivable.payments import StoredPayment, load_payments, said
from billing_framework.values.errors import Conflict, Refused
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class RefundRequest:
    """Money to be paid back.

    Attributes:
        account: code of the account.
        credit: reference or key of the credit item; where empty, the only one that is open.
        amount: a part of it; all that is open where None.
        reference: reference of the payment out at the bank.
        method: how it is paid out.
        on: date of the payment out; today in the book's zone where None.
        reason: why, for the audit.
    """

    account: str
    credit: str = ""
    amount: Money | None = None
    reference: str
    method: str = "bank_transfer"
    on: date | None = None
    reason: str


@attrs.frozen(kw_only=True)
class Refunded:
    """What a refund did.

    Attributes:
        payment: the payment out.
        outcome: ``refunded``, or ``duplicate`` where it was done before.
        credit: reference of the credit that was paid back, empty for a duplicate.
    """

    payment: Payment
    outcome: str
    credit: str = ""


def refund_credit(deployment: Deployment, request: RefundRequest) -> Refunded:
    """Pay a credit back; the same reference again changes nothing.

    Raises:
        InputRefused: ``ACCOUNT16`` without a reason.
        NotFound: ``ACCOUNT09`` or ``AR43``: there is no such account or credit.
        Refused: ``AR24`` where more than is open would be paid back, ``AR44`` where several credits are open and none is named.
        Conflict: ``AR40`` where the reference was used for something else.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    needs_reason(request.reason, "a refund")
    with deployment.database.begin() as connection:
        position = locked_position(connection, request.account)
        book = position.account.book
        earlier = load_payments(connection, book, [request.reference]).get(request.reference)
        if earlier is not None:
            return _again(earlier, request)
        credit = _credit(position, request.credit)
        when = act_date(deployment, connection, book, request.on)
        action = f"refund/{book}/{request.reference}"
        paid = refund(credit, action=action, on=when, reference=request.reference, amount=request.amount)
        (item,) = paid.items
        payment = Payment(
            book=book,
            external_ref=request.reference,
            account=request.account,
            direction=Direction.OUT,
            method=request.method,
            money=item.original,
            received_on=when,
        )
        event = AuditEvent(
            action="payment refund",
            object_kind="payment",
            object_key=request.reference,
            after={**payment_facts(payment), "credit": credit.item.key},
            reason=request.reason,
        )
        act = Act(
            book=book,
            source=action,
            payments=(StoredPayment(payment=payment, digest=said(payment, account=request.account)),),
            items=paid.items,
            allocations={request.account: paid.allocations},
            entries=(refund_entry(item, book_mapping(connection, book)),),
            events=(event,),
        )
        carry_out(deployment, connection, act)
    return Refunded(payment=payment, outcome="refunded", credit=credit.item.reference)


def _credit(position: Position, named: str) -> Standing:
    if named:
        return item_called(position, named, debit=False)
    found = position.open(debit=False)
    if len(found) != 1:
        names = ", ".join(one.item.reference for one in found) or "none"
        raise Refused(
            "AR44" if found else "AR24",
            f"account {position.account.code} has {len(found)} open credits: {names}",
            remedy="Name one of them with --credit" if found else "There is nothing to pay back",
        )
    return found[0]


def _again(earlier: StoredPayment, request: RefundRequest) -> Refunded:
    payment = earlier.payment
    same = (
        payment.direction is Direction.OUT
        and payment.account == request.account
        and not earlier.returns
        and not earlier.purpose
        and payment.method == request.method
        and request.amount in (None, payment.money)
        and request.on in (None, payment.received_on)
    )
    if not same:
        raise Conflict(
            "AR40",
            f"the reference {request.reference} is that of {payment.money} of {payment.received_on} for"
            f" {payment.account or 'suspense'}",
            remedy="Give the refund its own reference at the bank",
        )
    return Refunded(payment=payment, outcome="duplicate")
