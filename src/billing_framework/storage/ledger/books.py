"""Books, charts and periods in the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.book import AccountingPeriod, Book, book_id
from billing_framework.ledger.chart import AccountType, Chart, Floor, GlAccount, gl_account_id
from billing_framework.storage.ledger.tables import book, entry, gl_account, period
from billing_framework.values.errors import Conflict, LedgerRefused, NotFound
from billing_framework.values.period import DateSpan
from billing_framework.values.spelling import did_you_mean


def ensure_book(connection: Connection, wanted: Book) -> bool:
    """Create the book where it is not there yet; return whether it was created.

    Raises:
        Conflict: ``LEDGER14``: the book is there with another currency.
    """
    found = connection.execute(sa.select(book).where(book.c.id == wanted.id)).one_or_none()
    if found is None:
        row = {"id": wanted.id, "key": wanted.key, "name": wanted.name, "currency": wanted.currency, "genesis": wanted.genesis}
        connection.execute(book.insert(), row)
        return True
    if found.currency != wanted.currency:
        raise Conflict(
            "LEDGER14",
            f"book {wanted.key} is kept in {found.currency}, not in {wanted.currency}",
            remedy="A book never changes its currency; open another book",
        )
    if found.name != wanted.name:
        connection.execute(book.update().where(book.c.id == wanted.id).values(name=wanted.name))
    return False


def load_book(connection: Connection, key: str) -> Book:
    """Return the book of this key.

    Raises:
        NotFound: ``LEDGER18``, with the nearest key.
    """
    found = connection.execute(sa.select(book.c.name, book.c.currency).where(book.c.id == book_id(key))).one_or_none()
    if found is None:
        keys = list(connection.scalars(sa.select(book.c.key)))
        raise NotFound("LEDGER18", f"there is no book {key!r}", remedy=did_you_mean(key, keys))
    return Book(key=key, name=found.name, currency=found.currency)


def list_books(connection: Connection) -> list[Book]:
    """Return all books in the order of their keys."""
    rows = connection.execute(sa.select(book.c.key, book.c.name, book.c.currency).order_by(book.c.key))
    return [Book(key=row.key, name=row.name, currency=row.currency) for row in rows]


def save_chart(connection: Connection, chart: Chart) -> None:
    """Add the accounts that are missing, and change those that differ.

    Accounts that the chart does not name stay as they are.

    Raises:
        LedgerRefused: ``LEDGER14``: something else than the name of a used account differs.
    """
    stored = load_chart(connection, chart.book).accounts
    for account in chart.accounts.values():
        row = {
            "name": account.name,
            "type": account.type.value,
            "floor": account.floor.value,
            "control_of": account.control_of,
        }
        id_ = gl_account_id(chart.book, account.code)
        if account.code not in stored:
            connection.execute(gl_account.insert(), {"id": id_, "book_id": book_id(chart.book), "code": account.code, **row})
        elif stored[account.code] != account:
            connection.execute(gl_account.update().where(gl_account.c.id == id_).values(row))


def load_chart(connection: Connection, key: str) -> Chart:
    """Return the chart of the book of this key, in the order of the codes; empty where the book has none."""
    rows = connection.execute(sa.select(gl_account).where(gl_account.c.book_id == book_id(key)).order_by(gl_account.c.code))
    return Chart(
        key,
        {
            row.code: GlAccount(
                code=row.code, name=row.name, type=AccountType(row.type), floor=Floor(row.floor), control_of=row.control_of
            )
            for row in rows
        },
    )


def open_period(connection: Connection, key: str, span: DateSpan) -> AccountingPeriod:
    """Open the dates of `span` for posting; does nothing where exactly this period is open already.

    Args:
        connection: a connection with an open write transaction.
        key: key of the book.
        span: the dates, half-open.

    Raises:
        LedgerRefused: ``LEDGER15`` where it overlaps another period, ``LEDGER09`` where it was closed.
    """
    wanted = AccountingPeriod(book=key, span=span)
    for known in list_periods(connection, key):
        if known.span == span:
            if known.is_open:
                return known
            raise LedgerRefused(
                "LEDGER09", f"the period {span} of book {key} is closed for good", remedy="Post into an open period"
            )
        if known.span.intersection(span):
            raise LedgerRefused(
                "LEDGER15", f"the period {span} overlaps {known.span} of book {key}", remedy="Open only dates that no period has"
            )
    row = {"id": wanted.id, "book_id": book_id(key), "starts_on": span.start, "ends_before": span.end, "status": "open"}
    connection.execute(period.insert(), row)
    return wanted


def hold_period(connection: Connection, wanted: AccountingPeriod) -> None:
    """Keep everybody else from posting into the period until this transaction ends.

    A close that posts its own entries holds the period first: taking the lock last could deadlock with an open poster.
    """
    connection.execute(sa.select(period.c.id).where(period.c.id == wanted.id).with_for_update()).one_or_none()


def close_period(connection: Connection, key: str, on: dt.date, *, now: dt.datetime) -> AccountingPeriod:
    """Close the period that holds the date `on`, for good; waits for posters that are open.

    Args:
        connection: a connection with an open write transaction.
        key: key of the book.
        on: any date of the period.
        now: the instant of closing, aware UTC.

    Raises:
        NotFound: ``LEDGER06``: no period holds the date.
        LedgerRefused: ``LEDGER09``: it is closed already.
    """
    found = period_on(connection, key, on)
    if found is None:
        raise NotFound("LEDGER06", f"book {key} has no period that holds {on}", remedy="Open it first")
    connection.execute(period.update().where(period.c.id == found.id).values(status="closed", closed_at=now))
    return AccountingPeriod(book=key, span=found.span, is_open=False)


def period_on(connection: Connection, key: str, on: dt.date) -> AccountingPeriod | None:
    """Return the period of the book that holds the date, or None."""
    return next((found for found in list_periods(connection, key) if on in found.span), None)


def list_periods(connection: Connection, key: str) -> list[AccountingPeriod]:
    """Return the periods of the book in the order of their dates."""
    rows = connection.execute(sa.select(period).where(period.c.book_id == book_id(key)).order_by(period.c.starts_on))
    return [
        AccountingPeriod(book=key, span=DateSpan(row.starts_on, row.ends_before), is_open=row.status == "open") for row in rows
    ]


def entries_of_periods(connection: Connection, wanted: Iterable[AccountingPeriod]) -> dict[int, int]:
    """Return the number of entries by the id of their period, for periods that have any; all entries are read for it."""
    columns, ids = entry.c, [one.id for one in wanted]
    if not ids:
        return {}
    query = sa.select(columns.period_id, sa.func.count()).where(columns.period_id.in_(ids))
    return {row[0]: row[1] for row in connection.execute(query.group_by(columns.period_id))}
