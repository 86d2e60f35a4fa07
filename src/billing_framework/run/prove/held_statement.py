"""Puts the statement of a trust bank against the books, and keeps the result with its date."""

from __future__ import annotations

from datetime import date

import attrs

from billing_framework.receivables.fiduciary import FiduciaryBalance
from billing_framework.receivables.held_statement import BankStatement, HeldReconciliation, reconcile_statement
from billing_framework.run.collect.act import book_mapping
from billing_framework.run.deployment import Deployment
from billing_framework.storage import audit
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.receivable.held import HeldBalance
from billing_framework.storage.receivable.reconciliations import (
    KeptReconciliation,
    balances_on,
    keep_reconciliation,
    kept_reconciliations,
)
from billing_framework.values.clock import timezone, today
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class StatementRequest:
    """What the bank says.

    Attributes:
        book: code of the book that holds the money.
        on: date of the statement.
        balance: what the bank says that it holds.
        in_transit: deposits that are booked and not on the statement yet.
        outstanding: payments that are booked and that the bank has not made yet.
        reason: a note for those who read it later.
    """

    book: str
    on: date
    balance: Money
    in_transit: tuple[Money, ...] = ()
    outstanding: tuple[Money, ...] = ()
    reason: str = ""


def reconcile_bank_statement(deployment: Deployment, request: StatementRequest) -> HeldReconciliation:
    """Put a statement against bank account and customers' ledgers as they were on its date, and keep the result.

    Source of the rule: three-way reconciliation of trust money (ABA Model Rule 1.15 and the rules of the bars).

    Raises:
        NotFound: ``BOOK08``: there is no such book.
        ConfigurationError: ``INVOICE18`` where the book has no account of the role ``trust`` or ``trust_bank``.
        Refused: ``AR57`` for a date that is not over yet.
    """
    currency = request.balance.currency
    with deployment.database.begin() as connection:
        profile = load_book(connection, request.book).profile
        if request.on > today(deployment.clock, timezone(profile.zone)):
            raise Refused(
                "AR57", f"a statement of {request.on} cannot be reconciled yet", remedy="Wait for the date, or correct it"
            )
        mapping = book_mapping(connection, request.book)
        in_bank = balances_on(connection, request.book, mapping.role("trust_bank"), currency, request.on)
        held = balances_on(connection, request.book, mapping.role("trust"), currency, request.on)
        statement = BankStatement(
            on=request.on,
            balance=request.balance,
            in_transit=Money.total(request.in_transit, currency),
            outstanding=Money.total(request.outstanding, currency),
        )
        # A debit of the bank is below zero there, as every debit of a held balance.
        journal = -Money.total((one.money for one in in_bank), currency)
        made = reconcile_statement(request.book, statement, journal, [_balance(one) for one in held])
        now = deployment.clock.now()
        number = keep_reconciliation(connection, made, reason=request.reason, actor=deployment.actor, at=now)
        audit.record(
            connection,
            now,
            deployment.actor,
            "deposit reconcile",
            object_kind="book",
            object_key=request.book,
            after={
                "on": request.on.isoformat(),
                "number": number,
                "bank": str(statement.adjusted),
                "journal": str(journal),
                "ledgers": str(made.ledgers),
                "agrees": made.agrees,
            },
            reason=request.reason,
        )
    return made


def list_reconciliations(deployment: Deployment, book: str = "") -> list[KeptReconciliation]:
    """Return what was reconciled, by book and date.

    Raises:
        NotFound: ``BOOK08``: there is no such book.
    """
    with deployment.database.read() as connection:
        if book:
            load_book(connection, book)
        return kept_reconciliations(connection, book)


def _balance(held: HeldBalance) -> FiduciaryBalance:
    purpose, _, subject = held.sub_key.partition("/")
    empty = FiduciaryBalance.empty(held.account, purpose, held.money.currency, subject)
    return attrs.evolve(empty, balance=held.money)
