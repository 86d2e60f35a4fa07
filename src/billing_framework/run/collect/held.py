"""What is held for a customer, as the ledger's guarded balances have it, less what the bank may still take back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.chart import Floor
from billing_framework.receivables.fiduciary import FiduciaryBalance, FiduciaryMovement
from billing_framework.receivables.hold import Block
from billing_framework.run.collect.act import Position, act_date, book_mapping, locked_position
from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.ledger.books import load_chart
from billing_framework.storage.receivable.held import guarded_balances
from billing_framework.storage.receivable.holds import StoredHold, holds_on
from billing_framework.values.errors import ConfigurationError, InputRefused, Refused
from billing_framework.values.money import Money
from billing_framework.values.spelling import did_you_mean

PURPOSES = ("deposit", "prepaid", "trust")


@attrs.frozen(kw_only=True)
class HeldMoney:
    """Whose money is meant, and what it is held for.

    Attributes:
        account: code of the account.
        purpose: one of `PURPOSES`; trust money has its own bank and liability account.
        subject: what inside the account it is for, such as a matter, or empty.
        book: code of the book that holds it; the account's own where empty. Trust money may stand in a book of its own.
    """

    account: str
    purpose: str = "deposit"
    subject: str = ""
    book: str = ""

    def __attrs_post_init__(self) -> None:
        if self.purpose not in PURPOSES:
            raise InputRefused("AR50", f"no money is held as {self.purpose!r}", remedy=did_you_mean(self.purpose, PURPOSES))

    @property
    def sub_key(self) -> str:
        """The key of its guarded balance."""
        return "/".join(part for part in (self.purpose, self.subject) if part)


@attrs.frozen(kw_only=True)
class HeldPosition:
    """An act on held money, with everything that it starts from.

    Attributes:
        held: whose money it is and what for.
        position: the locked account.
        mapping: the accounts of the book that holds the money.
        balance: what is held.
        on: date of the act.
    """

    held: HeldMoney
    position: Position
    mapping: ChartMapping
    balance: FiduciaryBalance
    on: date

    def now(self, connection: Connection) -> FiduciaryBalance:
        """Return what is held after the act was carried out."""
        return _balance(connection, self.held, self.mapping, self.balance.balance.currency, self.on)


@attrs.frozen(kw_only=True)
class Moved:
    """What a movement of held money did.

    Attributes:
        movement: the movement.
        outcome: ``taken``, ``applied``, ``refunded``, ``returned``, or ``duplicate`` where it was done before.
        balance: what is held afterwards.
    """

    movement: FiduciaryMovement
    outcome: str
    balance: FiduciaryBalance


def locked_held(deployment: Deployment, connection: Connection, held: HeldMoney, currency: str, on: date | None) -> HeldPosition:
    """Return held money with its account, kept from every other act until the transaction ends.

    Args:
        deployment: the open deployment.
        connection: a connection with the action's write transaction.
        held: whose money it is and what for.
        currency: its currency; that of the account where empty.
        on: date of the act; today in the book's zone where None.

    Raises:
        NotFound: ``ACCOUNT09`` or ``BOOK08``: there is no such account or book.
        Refused: ``AR47`` where other money than trust money would stand in another book than the account's.
        ConfigurationError: ``INVOICE18`` where the book has no account for it, ``AR51`` where that one is not guarded.
    """
    position = locked_position(connection, held.account)
    if held.purpose != "trust" and held.book not in ("", position.account.book):
        raise Refused(
            "AR47",
            f"{held.purpose} money of account {held.account} is kept in its own book {position.account.book}, not in {held.book}",
            remedy="Only trust money stands in a book of its own",
        )
    mapping = book_mapping(connection, held.book or position.account.book)
    gl_account = mapping.role(role_of(held.purpose))
    if load_chart(connection, mapping.book).account(gl_account).floor is not Floor.NO_DEBIT:
        raise ConfigurationError(
            "AR51",
            f"the account {gl_account} of book {mapping.book} keeps {held.purpose} money, but nothing guards its balances",
            remedy='Write floor = "no_debit" for it in the book\'s file before it is used',
        )
    day = act_date(deployment, connection, mapping.book, on)
    balance = _balance(connection, held, mapping, currency or position.account.currency, day)
    return HeldPosition(held=held, position=position, mapping=mapping, balance=balance, on=day)


def role_of(purpose: str) -> str:
    """Return the role of the ledger account that keeps money of a purpose."""
    return "trust" if purpose == "trust" else "deposits"


def _balance(connection: Connection, held: HeldMoney, mapping: ChartMapping, currency: str, on: date) -> FiduciaryBalance:
    rows = guarded_balances(connection, mapping.book, mapping.role(role_of(held.purpose)), held.account)
    whole = Money.total((one.money for one in rows if one.sub_key == held.sub_key and one.money.currency == currency), currency)
    uncleared = uncleared_money(holds_on(connection, [held.account]), mapping.book, held.sub_key, currency, on)
    empty = FiduciaryBalance.empty(held.account, held.purpose, currency, held.subject)
    return attrs.evolve(empty, balance=whole, uncleared=min(uncleared, whole))


def uncleared_money(holds: Sequence[StoredHold], book: str, sub_key: str, currency: str, on: date) -> Money:
    """Return what the bank may still take back of the money under one sub-key."""
    return Money.total(
        (
            one.amount
            for one in holds
            if one.amount is not None
            and one.amount.currency == currency
            and Block.DRAW in one.blocks
            and (one.evidence.get("book"), one.evidence.get("held")) == (book, sub_key)
            and one.starts_on <= on
            and (one.until is None or on < one.until)
        ),
        currency,
    )


def held_event(action: str, movement: FiduciaryMovement, book: str, reason: str) -> AuditEvent:
    """Return the row of the audit for a movement of held money."""
    facts = {
        "book": book,
        "purpose": movement.purpose,
        "subject": movement.subject,
        "money": str(movement.money),
        "on": movement.on.isoformat(),
        "item": movement.item,
        "key": movement.key,
    }
    return AuditEvent(action=action, object_kind="account", object_key=movement.account, after=facts, reason=reason)
