"""Reconciliations of held money as rows: counted on a date, kept for ever."""

from __future__ import annotations

from datetime import date, datetime

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.chart import Floor, gl_account_id
from billing_framework.receivables.held_statement import HeldReconciliation
from billing_framework.storage.column_types import natural_id
from billing_framework.storage.ledger.tables import balance, entry, posting
from billing_framework.storage.ledger.tables import gl_account as gl_account_table
from billing_framework.storage.master.account_tables import account as account_table
from billing_framework.storage.receivable.held import HeldBalance
from billing_framework.storage.receivable.reconciliation_tables import held_reconciliation
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class KeptReconciliation:
    """A reconciliation as it was kept.

    Attributes:
        book: code of the book.
        on: date of the statement.
        number: 1-based among those of the date.
        bank: what the bank said.
        in_transit: deposits that it did not know yet.
        outstanding: payments that it had not made yet.
        journal: balance of the bank account in the ledger.
        ledgers: sum of what was held for all customers.
        findings: what stood against it; none was the proof.
        reason: what the officer noted.
        actor: who.
        at: when.
    """

    book: str
    on: date
    number: int
    bank: Money
    in_transit: Money
    outstanding: Money
    journal: Money
    ledgers: Money
    findings: tuple[str, ...]
    reason: str
    actor: str
    at: datetime


def balances_on(connection: Connection, book: str, gl_account: str, currency: str, on: date) -> list[HeldBalance]:
    """Return the postings of a ledger account up to a date, by customer and sub-key, a credit above zero.

    Args:
        connection: a connection.
        book: code of the book.
        gl_account: code of the ledger account.
        currency: only this currency.
        on: last date that counts.
    """
    key = gl_account_id(book, gl_account)
    total = sa.cast(sa.func.sum(posting.c.amount), sa.BigInteger).label("amount")
    query = (
        sa.select(account_table.c.code, posting.c.sub_key, total)
        .select_from(posting)
        .join(entry, sa.and_(entry.c.batch_id == posting.c.batch_id, entry.c.id == posting.c.entry_id))
        .outerjoin(account_table, account_table.c.id == posting.c.account_id)
        .where(
            posting.c.gl_account_id == key,
            posting.c.currency == currency,
            entry.c.effective_on <= on,
        )
        .group_by(account_table.c.code, posting.c.sub_key)
    )
    floor = connection.scalar(sa.select(gl_account_table.c.floor).where(gl_account_table.c.id == key))
    if floor in (Floor.NO_DEBIT.value, Floor.NO_CREDIT.value):
        # The seal keeps a balance of whatever was posted to a guarded account, so these name all customers there are.
        kept = sa.select(balance.c.account_id).where(balance.c.gl_account_id == key, balance.c.currency == currency)
        query = query.where(posting.c.account_id.in_(kept))
    rows = connection.execute(query).all()
    found = [HeldBalance(account=row.code or "", sub_key=row.sub_key, money=Money(-row.amount, currency)) for row in rows]
    return sorted(found, key=lambda one: (one.account, one.sub_key))


def keep_reconciliation(connection: Connection, made: HeldReconciliation, *, reason: str, actor: str, at: datetime) -> int:
    """Write a reconciliation, and return its number among those of its date."""
    statement, currency = made.statement, made.journal.currency
    earlier = sa.select(sa.func.count()).where(
        held_reconciliation.c.book == made.book,
        held_reconciliation.c.dated_on == statement.on,
        held_reconciliation.c.currency == currency,
    )
    number = connection.execute(earlier).scalar_one() + 1
    connection.execute(
        sa.insert(held_reconciliation).values(
            id=natural_id("held_reconciliation", made.book, statement.on.isoformat(), currency, number),
            book=made.book,
            dated_on=statement.on,
            number=number,
            currency=currency,
            bank=statement.balance.minor,
            in_transit=statement.in_transit.minor,
            outstanding=statement.outstanding.minor,
            journal=made.journal.minor,
            ledgers=made.ledgers.minor,
            balances=[{"account": one.account, "subject": one.subject, "minor": one.balance.minor} for one in made.balances],
            findings=[finding.what for finding in made.findings],
            reason=reason,
            actor=actor,
            at=at,
        )
    )
    return number


def kept_reconciliations(connection: Connection, book: str = "") -> list[KeptReconciliation]:
    """Return the reconciliations of a book, of all books where none is given, by book, date and number."""
    table = held_reconciliation
    query = sa.select(table).order_by(table.c.book, table.c.dated_on, table.c.currency, table.c.number)
    if book:
        query = query.where(table.c.book == book)
    return [
        KeptReconciliation(
            book=row.book,
            on=row.dated_on,
            number=row.number,
            bank=Money(row.bank, row.currency),
            in_transit=Money(row.in_transit, row.currency),
            outstanding=Money(row.outstanding, row.currency),
            journal=Money(row.journal, row.currency),
            ledgers=Money(row.ledgers, row.currency),
            findings=tuple(row.findings),
            reason=row.reason,
            actor=row.actor,
            at=row.at,
        )
        for row in connection.execute(query)
    ]
