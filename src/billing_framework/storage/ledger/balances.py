"""Balances from the postings: trial balance of a book, balances of one account by customer, guarded balances."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.balance import BalanceLine, balance_line
from billing_framework.ledger.book import book_id, month_of
from billing_framework.ledger.chart import gl_account_id
from billing_framework.ledger.entry import sub_ledger_id
from billing_framework.storage.ledger.books import load_chart
from billing_framework.storage.ledger.tables import balance, entry, gl_account, posting
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class SubLedgerBalance:
    """What one customer account holds on one general-ledger account.

    Attributes:
        account_id: id of the customer account, 0 for postings without one.
        sub_key: what inside the account: a deposit, a matter; empty for none.
        money: the balance; a debit is positive.
    """

    account_id: int
    sub_key: str
    money: Money


def book_balances(connection: Connection, book: str, *, span: DateSpan | None = None) -> list[BalanceLine]:
    """Return the trial balance of a book, by account code and currency.

    Args:
        connection: a connection with an open transaction.
        book: key of the book.
        span: only entries that count for these dates; None for all.
    """
    debit = sa.func.sum(sa.case((posting.c.amount > 0, posting.c.amount), else_=0))
    credit = sa.func.sum(sa.case((posting.c.amount < 0, -posting.c.amount), else_=0))
    query: sa.Select[Any] = (
        sa.select(gl_account.c.code, posting.c.currency, debit.label("debit"), credit.label("credit"))
        .join_from(posting, gl_account, gl_account.c.id == posting.c.gl_account_id)
        .where(posting.c.book_id == book_id(book))
        .group_by(gl_account.c.code, posting.c.currency)
        .order_by(gl_account.c.code, posting.c.currency)
    )
    if span is not None:
        query = _within(query, span)
    chart = load_chart(connection, book)
    return [balance_line(chart, row.code, row.currency, int(row.debit), int(row.credit)) for row in connection.execute(query)]


def sub_ledger_balances(
    connection: Connection, book: str, gl_code: str, *, span: DateSpan | None = None
) -> list[SubLedgerBalance]:
    """Return the balances on one general-ledger account by customer account, sub-key and currency; zero balances are left out."""
    amount = sa.func.sum(posting.c.amount)
    keys = (posting.c.account_id, posting.c.sub_key, posting.c.currency)
    query: sa.Select[Any] = (
        sa.select(*keys, amount.label("amount"))
        .where(posting.c.book_id == book_id(book), posting.c.gl_account_id == gl_account_id(book, gl_code))
        .group_by(*keys)
        .having(amount != 0)
        .order_by(*keys)
    )
    if span is not None:
        query = _within(query, span)
    return [
        SubLedgerBalance(account_id=row.account_id, sub_key=row.sub_key, money=Money(int(row.amount), row.currency))
        for row in connection.execute(query)
    ]


def guarded_balance(connection: Connection, book: str, gl_code: str, *, account_key: str, sub_key: str, currency: str) -> Money:
    """Return a guarded balance as the seal keeps it; zero where nothing was posted. Held money is a credit, so negative."""
    found = connection.scalar(
        sa.select(balance.c.amount).where(
            balance.c.gl_account_id == gl_account_id(book, gl_code),
            balance.c.account_id == sub_ledger_id(account_key),
            balance.c.sub_key == sub_key,
            balance.c.currency == currency,
        )
    )
    return Money(found or 0, currency)


def _within(query: sa.Select[Any], span: DateSpan) -> sa.Select[Any]:
    last: dt.date = span.last
    joined = sa.and_(entry.c.batch_id == posting.c.batch_id, entry.c.id == posting.c.entry_id)
    return query.join(entry, joined).where(
        # The months let PostgreSQL leave out whole partitions.
        posting.c.month.between(month_of(span.start), month_of(last)),
        entry.c.effective_on >= span.start,
        entry.c.effective_on <= last,
    )
