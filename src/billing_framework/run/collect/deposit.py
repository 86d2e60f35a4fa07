"""Held money comes in and is paid back: deposits, prepayments and client trust money, each customer's own and never overdrawn.

The balance is the ledger's guarded balance, so the database itself refuses what would overdraw one customer, whatever the pooled
bank account holds.
"""

from __future__ import annotations

from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.receivables.entries import fiduciary_entry
from billing_framework.receivables.fiduciary import FiduciaryMovement, Movement, receive, refund_held
from billing_framework.receivables.hold import Block
from billing_framework.receivables.payment import Direction, Payment
from billing_framework.run.collect.act import Act, carry_out
from billing_framework.run.collect.held import HeldMoney, HeldPosition, Moved, held_event, locked_held
from billing_framework.run.collect.hold import HoldRequest, add_hold, stored_hold
from billing_framework.run.deployment import Deployment
from billing_framework.run.reason import needs_reason
from billing_framework.storage.receivable.payments import StoredPayment, load_payments, said
from billing_framework.values.errors import Conflict
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class CashRequest:
    """Held money that comes in or is paid back.

    Attributes:
        held: whose money it is and what for.
        money: how much, above zero.
        reference: its reference at the bank, unique among all payments of the book.
        method: how it is moved.
        on: booking date; today in the book's zone where None.
        clears_on: for money that comes in, the first day on which it may be used; at once where None.
        reason: why, for the audit.
    """

    held: HeldMoney
    money: Money
    reference: str
    method: str = "bank_transfer"
    on: date | None = None
    clears_on: date | None = None
    reason: str = ""


def take_deposit(deployment: Deployment, request: CashRequest) -> Moved:
    """Take money in to hold; the same reference again changes nothing.

    Raises:
        NotFound: ``ACCOUNT09`` or ``BOOK08``: there is no such account or book.
        ConfigurationError: ``INVOICE18`` or ``AR51`` where the book has no guarded account for it.
        Refused: ``AR26`` for an amount that is not above zero.
        Conflict: ``AR40`` where the reference was used for something else.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    with deployment.database.begin() as connection:
        at = locked_held(deployment, connection, request.held, request.money.currency, request.on)
        key = f"{request.held.purpose}/{at.mapping.book}/{request.reference}"
        movement = receive(at.balance, request.money, key=key, on=at.on)
        stored = _movement_of_cash(at, movement, request, Direction.IN)
        earlier = _earlier(connection, stored, request)
        if earlier is not None:
            return Moved(movement=attrs.evolve(movement, on=earlier), outcome="duplicate", balance=at.balance)
        if request.clears_on is not None and request.clears_on > at.on:
            _shield(deployment, connection, at, request, request.clears_on)
        _carry_out(deployment, connection, at, movement, stored, action="deposit take", reason=request.reason)
        return Moved(movement=movement, outcome="taken", balance=at.now(connection))


def refund_deposit(deployment: Deployment, request: CashRequest) -> Moved:
    """Pay held money back to the customer; the same reference again changes nothing.

    Raises:
        InputRefused: ``ACCOUNT16`` without a reason.
        NotFound: ``ACCOUNT09`` or ``BOOK08``: there is no such account or book.
        Refused: ``AR26`` where the balance does not cover it.
        Conflict: ``AR40`` where the reference was used for something else.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period, ``LEDGER10`` where the database keeps the floor.
    """
    needs_reason(request.reason, "paying held money back")
    with deployment.database.begin() as connection:
        at = locked_held(deployment, connection, request.held, request.money.currency, request.on)
        key = f"{request.held.purpose}_refund/{at.mapping.book}/{request.reference}"
        blank = FiduciaryMovement(
            key=key,
            account=request.held.account,
            purpose=request.held.purpose,
            subject=request.held.subject,
            kind=Movement.REFUND,
            money=-request.money,
            on=at.on,
        )
        stored = _movement_of_cash(at, blank, request, Direction.OUT)
        earlier = _earlier(connection, stored, request)
        if earlier is not None:
            return Moved(movement=attrs.evolve(blank, on=earlier), outcome="duplicate", balance=at.balance)
        movement = refund_held(at.balance, request.money, key=key, on=at.on, reason=request.reason)
        _carry_out(deployment, connection, at, movement, stored, action="deposit refund", reason=request.reason)
        return Moved(movement=movement, outcome="refunded", balance=at.now(connection))


def _movement_of_cash(at: HeldPosition, movement: FiduciaryMovement, request: CashRequest, direction: Direction) -> StoredPayment:
    payment = Payment(
        book=at.mapping.book,
        external_ref=request.reference,
        account=movement.account,
        direction=direction,
        method=request.method,
        money=request.money,
        received_on=at.on,
    )
    digest = said(payment, account=movement.account, purpose=request.held.sub_key)
    return StoredPayment(payment=payment, digest=digest, purpose=request.held.purpose)


def _earlier(connection: Connection, stored: StoredPayment, request: CashRequest) -> date | None:
    """Return the date on which the same movement was recorded before, None where its reference is new."""
    payment = stored.payment
    earlier = load_payments(connection, payment.book, [payment.external_ref]).get(payment.external_ref)
    if earlier is None:
        return None
    day = earlier.payment.received_on if request.on is None else payment.received_on
    same = said(attrs.evolve(payment, received_on=day), account=payment.account, purpose=request.held.sub_key)
    if earlier.digest != same:
        raise Conflict(
            "AR40",
            f"the reference {payment.external_ref} is that of {earlier.payment.money} of {earlier.payment.received_on} for"
            f" {earlier.payment.account or 'suspense'}",
            remedy="Give each movement its own reference at the bank",
        )
    return day


def _shield(deployment: Deployment, connection: Connection, at: HeldPosition, request: CashRequest, clears_on: date) -> None:
    shield = HoldRequest(
        account=request.held.account,
        blocks=(Block.DRAW,),
        code=f"uncleared:{request.reference}",
        amount=request.money,
        until=clears_on,
        reason=request.reason or "the bank can still take it back",
        evidence={"book": at.mapping.book, "held": request.held.sub_key},
    )
    add_hold(deployment, connection, stored_hold(deployment, shield, at.on))


def _carry_out(
    deployment: Deployment,
    connection: Connection,
    at: HeldPosition,
    movement: FiduciaryMovement,
    stored: StoredPayment,
    *,
    action: str,
    reason: str,
) -> None:
    act = Act(
        book=at.mapping.book,
        source=movement.key,
        payments=(stored,),
        entries=(fiduciary_entry(movement, at.mapping),),
        events=(held_event(action, movement, at.mapping.book, reason),),
    )
    carry_out(deployment, connection, act)
