"""Records payments: each once per reference of the bank, on its account or in suspense, settled and entered or not at all."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.ledger.entry import Entry
from billing_framework.receivables.entries import payment_entry, write_off_entry
from billing_framework.receivables.open_item import Allocation, OpenItem, standings
from billing_framework.receivables.payment import Payment, match_remittance, payment_item
from billing_framework.run.collect.act import Act, Position, book_mapping, carry_out, locked_position
from billing_framework.run.collect.settle import Settled, Terms, settle_credit
from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.outbox import Event
from billing_framework.storage.receivable.answers import answered_money, answered_payments
from billing_framework.storage.receivable.payments import StoredPayment, load_payments, payment_id, said
from billing_framework.values.errors import Conflict, InputRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class PaymentRequest:
    """A payment that came in, as somebody reports it.

    Attributes:
        account: code of the account, or empty where it is not known.
        money: how much, above zero.
        received_on: booking date.
        external_ref: identifier at the bank or cashier, unique in the book for ever.
        method: ``bank_transfer``, ``direct_debit``, ``card``, ``cash``, ``check`` or a word of the deployment.
        remittance: what the payer wrote; numbers of open documents in it are instructions where there are no others.
        terms: how it is to be settled.
        line: line of a file, 0 where there is none.
        named: the account as the source named it, where `account` was found otherwise; None where they are the same.
    """

    account: str
    money: Money
    received_on: date
    external_ref: str
    method: str = "bank_transfer"
    remittance: str = attrs.field(default="", repr=False)
    terms: Terms = attrs.field(factory=Terms)
    line: int = 0
    named: str | None = None


@attrs.frozen(kw_only=True)
class Recorded:
    """What became of one payment.

    Attributes:
        payment: the payment as it is stored.
        outcome: ``recorded``, ``suspense``, ``duplicate`` or ``conflict``.
        allocations: what it settled.
        written_off: small rests that were given up.
        unapplied: what stays of it on account; None where it is not on one.
        findings: what an officer should know.
    """

    payment: Payment
    outcome: str
    allocations: tuple[Allocation, ...] = ()
    written_off: tuple[OpenItem, ...] = ()
    unapplied: Money | None = None
    findings: tuple[Finding, ...] = ()


def record_payment(deployment: Deployment, request: PaymentRequest, *, book: str = "", reason: str = "") -> Recorded:
    """Record one payment and settle what it settles; the same again changes nothing.

    Args:
        deployment: the open deployment.
        request: the payment; without an account it goes to the suspense of `book`.
        book: code of the book, needed only without an account.
        reason: why, for the audit.

    Raises:
        NotFound: ``ACCOUNT09`` or ``BOOK08``: there is no such account or book; ``AR13`` for an unknown strategy.
        InputRefused: ``AR41`` where the currency is not the account's.
        Conflict: ``AR40`` where the reference was used for another payment.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    with deployment.database.begin() as connection:
        at: dict[str, Position] = {}
        if request.account:
            position = locked_position(connection, request.account)
            if request.money.currency != position.account.currency:
                raise InputRefused(
                    "AR41",
                    f"account {request.account} is kept in {position.account.currency}, the payment is in"
                    f" {request.money.currency}",
                    remedy="Record it on an account of its currency, or exchange it first",
                )
            at[request.account], book = position, position.account.book
        act, (recorded,) = take_payments(connection, book, [request], at, source=f"payment/{book}/{request.external_ref}")
        if recorded.outcome == "conflict":
            raise Conflict(recorded.findings[0].code, recorded.findings[0].what, remedy=recorded.findings[0].remedy)
        if recorded.outcome != "duplicate":
            event = _audited(recorded, "payment record", reason)
            carry_out(deployment, connection, attrs.evolve(act, events=(event,)))
    return recorded


def take_payments(
    connection: Connection,
    book: str,
    requests: Sequence[PaymentRequest],
    at: MutableMapping[str, Position],
    *,
    source: str,
    file_id: int | None = None,
) -> tuple[Act, list[Recorded]]:
    """Return what payments write, and what becomes of each; nothing is written yet.

    Args:
        connection: a connection with the action's write transaction.
        book: code of the book that they came in for.
        requests: the payments, in the order in which they settle.
        at: the locked accounts by code; brought up to date payment by payment. A payment of any other account is suspense.
        source: natural key of the act.
        file_id: id of the file that they came in, or None.
    """
    mapping = book_mapping(connection, book)
    known = load_payments(connection, book, [request.external_ref for request in requests])
    answered = _told_by_answers(connection, book, known)
    digests = {reference: stored.digest for reference, stored in known.items()}
    stored: list[StoredPayment] = []
    items: list[OpenItem] = []
    links: dict[str, list[Allocation]] = {}
    entries: list[Entry] = []
    results: list[Recorded] = []
    for request in requests:
        position = at.get(request.account)
        if position is not None and (position.account.book != book or position.account.currency != request.money.currency):
            position = None
        payment = _payment_of(request, book, position)
        digest = said(payment, account=request.account if request.named is None else request.named)
        if request.external_ref in digests:
            told = not request.account and request.money in answered.get(request.external_ref, ())
            same = told or digests[request.external_ref] == digest
            results.append(_again(payment, request, same=same))
            continue
        digests[request.external_ref] = digest
        stored.append(StoredPayment(payment=payment, digest=digest, file_id=file_id))
        entries.append(payment_entry(payment, mapping))
        if position is None:
            results.append(Recorded(payment=payment, outcome="suspense", findings=(_in_suspense(request, at, book),)))
            continue
        item, settled = settle_payment(position, payment, request.terms, action=payment.key, on=payment.received_on)
        at[request.account] = position.after((item, *settled.written_off), settled.allocations)
        items += [item, *settled.written_off]
        links.setdefault(request.account, []).extend(settled.allocations)
        entries += [write_off_entry(one, mapping) for one in settled.written_off]
        results.append(_recorded(payment, settled))
    act = Act(book=book, source=source, payments=tuple(stored), items=tuple(items), allocations=links, entries=tuple(entries))
    return attrs.evolve(act, told=tuple(payment_received(one.payment) for one in stored)), results


def _told_by_answers(connection: Connection, book: str, known: Mapping[str, StoredPayment]) -> dict[str, set[Money]]:
    """Return by reference the money that answers have told before the bank did; the bank's line is then no other money.

    The bank knows a payment by its trace number, whichever third party's it is, and under whichever reference it is kept here.
    """
    told = answered_money(connection, book, known)
    taken = answered_payments(connection, [payment_id(one.payment.key) for one in known.values()])
    for reference, one in known.items():
        if payment_id(one.payment.key) in taken:
            told.setdefault(reference, set()).add(one.payment.money)
    return told


def settle_payment(position: Position, payment: Payment, terms: Terms, *, action: str, on: date) -> tuple[OpenItem, Settled]:
    """Return the credit item of a payment and what it settles; numbers in its text count where nothing else was instructed."""
    item = payment_item(payment)
    (credit,) = standings([item], [])
    if payment.remittance and not terms.instructions:
        found = match_remittance(payment.remittance, position.payable(on, payment.money.currency))
        terms = attrs.evolve(terms, instructions=found)
    return item, settle_credit(position.after([item]), credit, terms, action=action, on=on)


def payment_received(payment: Payment) -> Event:
    """Return what others are told of a payment; no personal data."""
    facts = {"account": payment.account, "money": str(payment.money), "received_on": payment.received_on.isoformat()}
    return Event(topic="payment.received", key=payment.key, payload=facts)


def payment_facts(payment: Payment) -> Mapping[str, str]:
    """Return what the audit keeps of a payment: not what the payer wrote."""
    return {
        "account": payment.account,
        "direction": payment.direction.value,
        "method": payment.method,
        "money": str(payment.money),
        "received_on": payment.received_on.isoformat(),
    }


def _payment_of(request: PaymentRequest, book: str, position: Position | None) -> Payment:
    return Payment(
        book=book,
        external_ref=request.external_ref,
        account="" if position is None else position.account.code,
        method=request.method,
        money=request.money,
        received_on=request.received_on,
        remittance=request.remittance,
    )


def _recorded(payment: Payment, settled: Settled) -> Recorded:
    return Recorded(
        payment=payment,
        outcome="recorded",
        allocations=settled.allocations,
        written_off=settled.written_off,
        unapplied=settled.unapplied,
        findings=settled.findings,
    )


def _again(payment: Payment, request: PaymentRequest, *, same: bool) -> Recorded:
    if same:
        return Recorded(payment=payment, outcome="duplicate")
    finding = Finding(
        code="AR40",
        severity=Severity.BLOCKING,
        what=f"the reference {request.external_ref} was recorded before with other content",
        remedy="Compare both with the bank's statement; reverse the wrong one, or give this one its own reference",
        line=request.line,
        field="reference",
        value=request.external_ref,
        subject=request.account,
    )
    return Recorded(payment=payment, outcome="conflict", findings=(finding,))


def _in_suspense(request: PaymentRequest, at: Mapping[str, Position], book: str) -> Finding:
    position = at.get(request.account)
    code, what = "AR42", "the payment names no account"
    if position is not None:
        code = "AR41"
        what = f"the account is kept in {position.account.currency} by book {position.account.book}, not so the payment of {book}"
    elif request.account:
        what = "the account of the payment is not known"
    return Finding(
        code=code,
        severity=Severity.ISSUE,
        what=what,
        remedy=f"It stands in suspense: billing payment assign {request.external_ref} ACCOUNT",
        line=request.line,
        field="account",
        value=request.account,
        subject=request.external_ref,
    )


def _audited(recorded: Recorded, action: str, reason: str) -> AuditEvent:
    settled = {one.debit: str(one.amount) for one in recorded.allocations}
    return AuditEvent(
        action=action,
        object_kind="payment",
        object_key=recorded.payment.external_ref,
        after={**payment_facts(recorded.payment), "outcome": recorded.outcome, "settled": settled},
        reason=reason,
    )
