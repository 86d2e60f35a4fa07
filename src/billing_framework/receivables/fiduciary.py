"""Fiduciary money: deposits, client trust money and prepaid balances, each with a floor that no draw may break.

The pure rules stand here; the ledger's guarded balances enforce the same floor in the database, under concurrency.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import date

import attrs

from billing_framework.receivables.allocation import settle
from billing_framework.receivables.open_item import ItemKind, OpenItem, Standing
from billing_framework.receivables.write_off import Settlement
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money


class Movement(enum.Enum):
    """``RECEIPT`` money taken in trust, ``DRAW`` applied to an issued document, ``REFUND`` paid back, ``INTEREST`` credited.

    ``RETURN`` taken back by the bank, because the receipt was not covered.
    """

    RECEIPT = "receipt"
    DRAW = "draw"
    REFUND = "refund"
    INTEREST = "interest"
    RETURN = "return"


@attrs.frozen(kw_only=True)
class FiduciaryBalance:
    """Money held for one customer and purpose; a pooled bank account holds many of them, and none may use another's.

    Attributes:
        account: code of the account whose money it is.
        purpose: ``deposit``, ``trust`` or ``prepaid``: the role of the ledger account that it is kept on.
        subject: what inside the account it is for, such as a matter; empty for the account as a whole.
        balance: what is held.
        uncleared: part of it that the bank may still take back; it cannot be drawn.
        floor: what must stay, for example an agreed minimum retainer.
    """

    account: str
    purpose: str
    subject: str = ""
    balance: Money
    uncleared: Money
    floor: Money

    @classmethod
    def empty(cls, account: str, purpose: str, currency: str, subject: str = "") -> FiduciaryBalance:
        """Return a balance that nothing was paid into, with a floor of zero."""
        zero = Money.zero(currency)
        return cls(account=account, purpose=purpose, subject=subject, balance=zero, uncleared=zero, floor=zero)

    @property
    def available(self) -> Money:
        """What may be drawn or refunded now; never below zero."""
        return max(self.balance - self.uncleared - self.floor, Money.zero(self.balance.currency))


@attrs.frozen(kw_only=True)
class FiduciaryMovement:
    """One movement of fiduciary money.

    Attributes:
        key: natural key.
        account: code of the account.
        purpose: as on the balance.
        subject: as on the balance.
        kind: what happened.
        money: signed: receipts and interest positive, draws and refunds negative.
        on: date.
        item: key of the open item that a draw settles, or empty.
        reason: why, for refunds and interest.
    """

    key: str
    account: str
    purpose: str
    subject: str = ""
    kind: Movement
    money: Money
    on: date
    item: str = ""
    reason: str = ""


def receive(balance: FiduciaryBalance, money: Money, *, key: str, on: date) -> FiduciaryMovement:
    """Return the receipt of fiduciary money; the caller marks it uncleared where the bank can still take it back."""
    return _movement(balance, Movement.RECEIPT, _positive(money), key=key, on=on)


def credit_interest(balance: FiduciaryBalance, money: Money, *, key: str, on: date, reason: str) -> FiduciaryMovement:
    """Return interest that the tariff or the law grants on held money."""
    return attrs.evolve(_movement(balance, Movement.INTEREST, _positive(money), key=key, on=on), reason=reason)


def draw(balance: FiduciaryBalance, money: Money, debit: Standing, *, key: str, on: date) -> FiduciaryMovement:
    """Return a draw that pays an issued document of the same account.

    Source: ABA Model Rule 1.15: the client's own balance decides, never the pooled bank account.

    Raises:
        Refused: ``AR26`` where the balance does not cover it, ``AR27`` where the document belongs to another account or less is
            open of it.
    """
    _covered(balance, _positive(money))
    if debit.item.account != balance.account or debit.item.kind is not ItemKind.DOCUMENT or money > debit.open:
        raise Refused(
            "AR27",
            f"{money} held for {balance.account} cannot be drawn for {debit.item.reference or debit.item.key}"
            f" of {debit.item.account}, of which {debit.open} is open",
            remedy="Draw against an issued document of the same account, at most what is open",
        )
    return attrs.evolve(_movement(balance, Movement.DRAW, -money, key=key, on=on), item=debit.item.key)


def refund_held(balance: FiduciaryBalance, money: Money, *, key: str, on: date, reason: str) -> FiduciaryMovement:
    """Return the payment of held money back to the customer.

    Raises:
        Refused: ``AR26`` where the balance does not cover it.
    """
    _covered(balance, _positive(money))
    return attrs.evolve(_movement(balance, Movement.REFUND, -money, key=key, on=on), reason=reason)


def take_back(balance: FiduciaryBalance, money: Money, *, key: str, on: date, reason: str) -> FiduciaryMovement:
    """Return what the bank takes back of a receipt.

    Args:
        balance: what is held, without the part of this receipt that had not cleared.
        money: the receipt.
        key: natural key.
        on: date.
        reason: why.

    Raises:
        Refused: ``AR26`` where a part of it has been used; somebody must first put that back.
    """
    _covered(balance, _positive(money))
    return attrs.evolve(_movement(balance, Movement.RETURN, -money, key=key, on=on), reason=reason)


def balance_after(balance: FiduciaryBalance, movement: FiduciaryMovement) -> FiduciaryBalance:
    """Return the balance after a movement of the same account, purpose and subject."""
    return attrs.evolve(balance, balance=balance.balance + movement.money)


def draw_settlement(movement: FiduciaryMovement, debit: Standing) -> Settlement:
    """Return the credit item of a draw and its allocation with the document that it pays."""
    item = OpenItem(
        key=f"{movement.key}/item",
        kind=ItemKind.DEPOSIT,
        account=movement.account,
        reference=debit.item.reference,
        original=movement.money,
        dated_on=movement.on,
        due_on=movement.on,
    )
    link = settle(debit.item, item, -movement.money, key=f"{movement.key}/1", on=movement.on, strategy="deposit")
    return Settlement(items=(item,), allocations=(link,))


def reconcile_held(*, bank: Money, book: Money, balances: Sequence[FiduciaryBalance]) -> list[Finding]:
    """Return findings where the three ways to count held money disagree, or a customer is overdrawn.

    Args:
        bank: cleared bank balance, corrected for items in transit.
        book: balance of the liability account in the ledger, as a positive amount.
        balances: the balance of each customer.
    """
    clients = Money.total((balance.balance for balance in balances), bank.currency)
    findings = []
    if not bank == book == clients:
        findings.append(_difference(f"the bank holds {bank}, the ledger {book}, the customers' balances make {clients}", ""))
    findings += [
        _difference(f"the balance of {balance.account} {balance.subject} is {balance.balance}", balance.account)
        for balance in balances
        if balance.balance.minor < 0
    ]
    return findings


def _difference(what: str, subject: str) -> Finding:
    return Finding(
        code="AR28",
        severity=Severity.BLOCKING,
        what=what,
        remedy="Find the movement that is missing on one side before the period is closed",
        subject=subject,
    )


def _movement(balance: FiduciaryBalance, kind: Movement, money: Money, *, key: str, on: date) -> FiduciaryMovement:
    return FiduciaryMovement(
        key=key, account=balance.account, purpose=balance.purpose, subject=balance.subject, kind=kind, money=money, on=on
    )


def _positive(money: Money) -> Money:
    if money.minor <= 0:
        raise Refused("AR26", f"held money moves by amounts above zero, not by {money}", remedy="Give an amount above zero")
    return money


def _covered(balance: FiduciaryBalance, money: Money) -> None:
    if money > balance.available:
        raise Refused(
            "AR26",
            f"{money} is more than the {balance.available} that may be used of the {balance.purpose} money of"
            f" {' '.join(part for part in (balance.account, balance.subject) if part)}",
            remedy="Use less, or wait until more money has come in and cleared",
        )
