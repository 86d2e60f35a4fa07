"""Gives a payment in suspense to its account, where it then settles what it settles."""

from __future__ import annotations

from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.receivables.entries import assignment_entry, write_off_entry
from billing_framework.receivables.open_item import OpenItem
from billing_framework.receivables.payment import Direction, Payment
from billing_framework.run.collect.act import Act, Position, act_date, book_mapping, carry_out, locked_position
from billing_framework.run.collect.find import locked_payment
from billing_framework.run.collect.payment import Recorded, payment_facts, settle_payment
from billing_framework.run.collect.settle import Terms
from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.receivable.answers import answered_payments
from billing_framework.storage.receivable.payments import StoredPayment, give_account, payment_id, returns_of
from billing_framework.values.errors import InputRefused, Refused


def assign_payment(
    deployment: Deployment,
    reference: str,
    account: str,
    *,
    book: str = "",
    on: date | None = None,
    terms: Terms | None = None,
    reason: str = "",
) -> Recorded:
    """Give a payment in suspense to its account; giving it to the same account again changes nothing.

    Args:
        deployment: the open deployment.
        reference: the payment's reference at the bank.
        account: code of the account.
        book: code of the book, needed where several have a payment of this reference.
        on: date of the act; today in the book's zone where None.
        terms: how it is to be settled.
        reason: why, for the audit.

    Raises:
        NotFound: ``AR43`` or ``ACCOUNT09``: there is no such payment or account.
        InputRefused: ``AR41`` where it does not fit the account.
        Refused: ``AR46`` where it is not in suspense.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    with deployment.database.begin() as connection:
        stored = locked_payment(connection, reference, book)
        position = locked_position(connection, account)
        payment = stored.payment
        if payment.account == account and not stored.purpose:
            return Recorded(payment=payment, outcome="duplicate")
        _refuse_settled(stored, returned=bool(returns_of(connection, [payment.key])))
        refuse_answered(connection, payment)
        _refuse_misfit(position, payment)
        when = act_date(deployment, connection, payment.book, on)
        given = attrs.evolve(payment, account=account)
        item, settled = settle_payment(position, given, terms or Terms(), action=payment.key, on=when)
        give_account(connection, payment.key, account)
        act = _act(connection, payment, given, (item, *settled.written_off), when)
        event = AuditEvent(
            action="payment assign",
            object_kind="payment",
            object_key=reference,
            before=payment_facts(payment),
            after=payment_facts(given),
            reason=reason,
        )
        carry_out(deployment, connection, attrs.evolve(act, allocations={account: settled.allocations}, events=(event,)))
    return Recorded(
        payment=given,
        outcome="recorded",
        allocations=settled.allocations,
        written_off=settled.written_off,
        unapplied=settled.unapplied,
        findings=settled.findings,
    )


def _act(connection: Connection, payment: Payment, given: Payment, items: tuple[OpenItem, ...], on: date) -> Act:
    mapping = book_mapping(connection, payment.book)
    key = assigned_key(payment.key)
    entries = [assignment_entry(payment, given.account, mapping, key=key, on=on)]
    entries += [write_off_entry(one, mapping) for one in items[1:]]
    return Act(book=payment.book, source=key, items=items, entries=tuple(entries))


def refuse_answered(connection: Connection, payment: Payment) -> None:
    """Refuse a payment that an answer has taken for its own: its items say whose money it is.

    Raises:
        Refused: ``AR46``.
    """
    if answered_payments(connection, [payment_id(payment.key)]):
        what = f"the payment {payment.external_ref} came with an answer"
        raise Refused("AR46", what, remedy="Decide about its items: billing answer show, retry, discard")


def assigned_key(payment_key: str) -> str:
    """Return the key of the entry that takes a payment out of suspense."""
    return f"{payment_key}/assigned"


def _refuse_misfit(position: Position, payment: Payment) -> None:
    account = position.account
    if (account.book, account.currency) != (payment.book, payment.money.currency):
        raise InputRefused(
            "AR41",
            f"account {account.code} is kept in {account.currency} by book {account.book}, the payment in"
            f" {payment.money.currency} by {payment.book}",
            remedy="Assign it to an account of its book and currency, or send it back",
        )


def _refuse_settled(stored: StoredPayment, *, returned: bool) -> None:
    payment = stored.payment
    state = ""
    if payment.direction is not Direction.IN or stored.purpose:
        state = "is no customer's payment"
    elif payment.account:
        state = f"belongs to account {payment.account}"
    elif returned:
        state = "was sent back"
    if state:
        raise Refused(
            "AR46",
            f"the payment {payment.external_ref} {state}",
            remedy="Only a payment in suspense can be assigned; transfer a credit with billing payment transfer",
        )
