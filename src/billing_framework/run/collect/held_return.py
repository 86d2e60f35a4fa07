"""Takes held money back that the bank returned: the receipt was not covered, so the customer's balance never had it."""

from __future__ import annotations

from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.receivables.entries import fiduciary_entry
from billing_framework.receivables.fiduciary import FiduciaryMovement, Movement, take_back
from billing_framework.receivables.payment import Direction
from billing_framework.run.collect.act import Act, carry_out
from billing_framework.run.collect.held import HeldMoney, HeldPosition, Moved, held_event, locked_held
from billing_framework.run.deployment import Deployment
from billing_framework.run.reason import needs_reason
from billing_framework.storage.receivable.holds import end_hold, holds_on
from billing_framework.storage.receivable.payments import StoredPayment, load_payments, returns_of, said
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.period import ONE_DAY


@attrs.frozen(kw_only=True)
class HeldReturnRequest:
    """A receipt of held money that goes back.

    Attributes:
        held: whose money it was and what for, as when it was taken.
        reference: reference of the receipt.
        code: code of the bank (``R01``, ``AC04``) or the officer's word.
        on: date of the return; today in the book's zone where None.
        reason: why, for the audit.
    """

    held: HeldMoney
    reference: str
    code: str
    on: date | None = None
    reason: str


def return_deposit(deployment: Deployment, request: HeldReturnRequest) -> Moved:
    """Take a receipt of held money back, whether it had cleared or not; the same return again changes nothing.

    Raises:
        InputRefused: ``ACCOUNT16`` without a reason.
        NotFound: ``AR43``: there is no such receipt of the customer for that purpose and subject.
        Refused: ``AR22`` where it went back with another code, ``AR26`` where a part of it has been used since.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period, ``LEDGER10`` where the database keeps the floor.
    """
    needs_reason(request.reason, "taking held money back")
    with deployment.database.begin() as connection:
        at = locked_held(deployment, connection, request.held, "", request.on)
        receipt = _receipt(connection, at, request)
        key = f"{request.held.purpose}_return/{at.mapping.book}/{request.reference}"
        earlier = returns_of(connection, [receipt.payment.key]).get(receipt.payment.key)
        if earlier is not None:
            return Moved(movement=_again(earlier, request, key), outcome="duplicate", balance=at.balance)
        _clear(deployment, connection, at, request)
        movement = take_back(at.now(connection), receipt.payment.money, key=key, on=at.on, reason=request.reason)
        act = Act(
            book=at.mapping.book,
            source=key,
            payments=(_movement_back(receipt, request, at.on),),
            entries=(fiduciary_entry(movement, at.mapping),),
            events=(held_event("deposit return", movement, at.mapping.book, request.reason),),
        )
        carry_out(deployment, connection, act)
        return Moved(movement=movement, outcome="returned", balance=at.now(connection))


def _receipt(connection: Connection, at: HeldPosition, request: HeldReturnRequest) -> StoredPayment:
    """Return the receipt, where it is of that customer, purpose and subject."""
    held = request.held
    stored = load_payments(connection, at.mapping.book, [request.reference]).get(request.reference)
    is_theirs = stored is not None and stored.purpose == held.purpose and stored.payment.direction is Direction.IN
    if stored is None or not is_theirs or stored.digest != said(stored.payment, account=held.account, purpose=held.sub_key):
        raise NotFound(
            "AR43",
            f"there is no receipt {request.reference!r} of {held.sub_key} money of {held.account} in book {at.mapping.book}",
            remedy="Name account, purpose and subject as when it was taken",
        )
    return stored


def _clear(deployment: Deployment, connection: Connection, at: HeldPosition, request: HeldReturnRequest) -> None:
    """End the shield of the receipt: what is about to leave need not wait to clear."""
    for hold in holds_on(connection, [request.held.account]):
        is_its = hold.reason == f"uncleared:{request.reference}" and hold.evidence.get("book") == at.mapping.book
        if is_its and (hold.until is None or hold.until > at.on):
            until = max(at.on, hold.starts_on + ONE_DAY)
            now = deployment.clock.now()
            end_hold(connection, hold.id, until=until, outcome="returned", actor=deployment.actor, now=now)


def _movement_back(receipt: StoredPayment, request: HeldReturnRequest, on: date) -> StoredPayment:
    back = attrs.evolve(
        receipt.payment, external_ref=f"{request.reference}/return", direction=Direction.OUT, received_on=on, remittance=""
    )
    return StoredPayment(
        payment=back,
        digest=said(back, account=back.account, purpose=request.held.sub_key, return_code=request.code),
        purpose=receipt.purpose,
        returns=receipt.payment.key,
        return_code=request.code,
    )


def _again(earlier: StoredPayment, request: HeldReturnRequest, key: str) -> FiduciaryMovement:
    if earlier.return_code != request.code:
        raise Refused(
            "AR22",
            f"{request.reference} went back on {earlier.payment.received_on} with the code {earlier.return_code}",
            remedy="Money goes back once; take it again where it came again",
        )
    return FiduciaryMovement(
        key=key,
        account=request.held.account,
        purpose=request.held.purpose,
        subject=request.held.subject,
        kind=Movement.RETURN,
        money=-earlier.payment.money,
        on=earlier.payment.received_on,
    )
