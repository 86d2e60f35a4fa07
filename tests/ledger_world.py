"""A small world for the tests of the ledger: two books, their charts and periods, and rows in any shape an attacker may want."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.batch import Batch, SealedBatch, SealedEntry, batch_digest, chain_hash
from billing_framework.ledger.book import AccountingPeriod, Book, book_id, month_of
from billing_framework.ledger.chart import AccountType, Chart, Floor, GlAccount, gl_account_id
from billing_framework.ledger.entry import Entry, Line, Posting, entry_id, request_digest, sub_ledger_id
from billing_framework.storage.column_types import microseconds
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.batch_rows import head, insert_entries, insert_postings
from billing_framework.storage.ledger.books import close_period, ensure_book, open_period, save_chart
from billing_framework.storage.ledger.post import PostedBatch, post_batch
from billing_framework.storage.ledger.tables import batch_chain, posting_batch
from billing_framework.values.identity import natural_id
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan

MAIN, OTHER = "main", "other"
NOW = dt.datetime(2026, 2, 1, 12, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 1, 15)
QUARTER = DateSpan(dt.date(2026, 1, 1), dt.date(2026, 4, 1))
DECEMBER = DateSpan(dt.date(2025, 12, 1), dt.date(2026, 1, 1))

RECEIVABLE, BANK, DEPOSITS, REVENUE = "1200", "1000", "2100", "4000"


def chart(book: str) -> Chart:
    """Return the chart that both books have; deposits are guarded."""
    return Chart.of(
        book,
        GlAccount(code=BANK, name="Bank", type=AccountType.ASSET),
        GlAccount(code=RECEIVABLE, name="Receivables", type=AccountType.ASSET, control_of="receivable"),
        GlAccount(code=DEPOSITS, name="Deposits held", type=AccountType.LIABILITY, floor=Floor.NO_DEBIT),
        GlAccount(code=REVENUE, name="Revenue", type=AccountType.INCOME),
    )


def settle(database: Database) -> None:
    """Make the books: `MAIN` with a closed December and an open quarter, a sale and a deposit; `OTHER` with a year."""
    with database.begin() as connection:
        for key, currency in ((MAIN, "USD"), (OTHER, "EUR")):
            ensure_book(connection, Book(key=key, name=key.title(), currency=currency))
            save_chart(connection, chart(key))
        open_period(connection, MAIN, DECEMBER)
        open_period(connection, MAIN, QUARTER)
        open_period(connection, OTHER, DateSpan(dt.date(2026, 1, 1), dt.date(2027, 1, 1)))
    with database.begin() as connection:
        close_period(connection, MAIN, DECEMBER.start, now=NOW)
    post(database, sale("sale", 10_000))
    post(database, deposit("deposit", 50_000))


def entry(key: str, *lines: tuple[str, int], on: dt.date = DAY, currency: str = "USD", reverses: str | None = None) -> Entry:
    """Return an entry of lines given as account code and minor units; deposits are those of account A1, deposit D1."""
    return Entry(
        key=key,
        effective_on=on,
        kind="test",
        source="test",
        reverses=reverses,
        postings=tuple(
            Posting(
                gl_account=code,
                money=Money(minor, currency),
                account_key="A1" if code in (RECEIVABLE, DEPOSITS) else "",
                sub_key="D1" if code == DEPOSITS else "",
            )
            for code, minor in lines
        ),
    )


def sale(key: str, minor: int, on: dt.date = DAY) -> Entry:
    """Return a sale on account."""
    return entry(key, (RECEIVABLE, minor), (REVENUE, -minor), on=on)


def deposit(key: str, minor: int) -> Entry:
    """Return a deposit received; a negative one is a draw."""
    return entry(key, (BANK, minor), (DEPOSITS, -minor))


def post(database: Database, *entries: Entry, book: str = MAIN) -> PostedBatch:
    """Post entries in a transaction of their own."""
    with database.begin() as connection:
        return post_batch(connection, Batch(book=book, source="test", entries=entries), now=NOW, actor="test")


def line(
    number: int, code: str, minor: int, *, currency: str = "USD", book: str = MAIN, account: str = "", sub_key: str = ""
) -> Line:
    """Return a stored line, whatever it says."""
    return (number, gl_account_id(book, code), sub_ledger_id(account), sub_key, "", currency, minor)


@attrs.frozen(kw_only=True)
class Forged:
    """A batch of one entry in any shape, with everything else as the product would write it.

    Attributes:
        key: key of the entry.
        lines: its stored lines.
        book: book of header and entry.
        on: date of the entry.
        period_id: period of the entry; None for the open period of the book.
        reverses: key of the entry to reverse.
    """

    key: str
    lines: Sequence[Line]
    book: str = MAIN
    on: dt.date = DAY
    period_id: int | None = None
    reverses: str | None = None

    def sealed(self) -> SealedBatch:
        """Return the rows; nothing of what the product checks is checked."""
        period = AccountingPeriod(book=self.book, span=QUARTER).id if self.period_id is None else self.period_id
        reverses_id = None if self.reverses is None else entry_id(self.book, self.reverses)
        digest = request_digest(
            book=book_id(self.book),
            key=self.key,
            effective_on=self.on,
            kind="test",
            source="test",
            reverses_id=reverses_id,
            lines=self.lines,
        )
        forged = SealedEntry(
            id=entry_id(self.book, self.key),
            key=self.key,
            period_id=period,
            effective_on=self.on,
            kind="test",
            source="test",
            reverses_id=reverses_id,
            digest=digest,
            lines=tuple(self.lines),
        )
        whole = batch_digest(book_id(self.book), [forged])
        return SealedBatch(
            id=natural_id("batch", self.book, whole.hex()), book_id=book_id(self.book), digest=whole, entries=(forged,)
        )


def sound(key: str, minor: int = 500) -> Forged:
    """Return a batch that the database accepts."""
    return Forged(key=key, lines=[line(1, RECEIVABLE, minor, account="A1"), line(2, REVENUE, -minor)])


def write_rows(connection: Connection, sealed: SealedBatch) -> None:
    """Write entries and lines of a batch."""
    insert_entries(connection, sealed, {one.key: "" for one in sealed.entries})
    insert_postings(connection, sealed)


def write_header(connection: Connection, sealed: SealedBatch, *, entry_count: int | None = None) -> None:
    """Write the header of a batch."""
    connection.execute(
        posting_batch.insert(),
        {
            "id": sealed.id,
            "book_id": sealed.book_id,
            "digest": sealed.digest,
            "entry_count": len(sealed.entries) if entry_count is None else entry_count,
            "posting_count": sealed.posting_count,
            "posted_at": NOW,
            "actor": "attacker",
            "source": "attack",
        },
    )


def write_link(connection: Connection, sealed: SealedBatch, *, seq: int | None = None, prev_hash: bytes | None = None) -> None:
    """Write the link of a batch, with a sequence or predecessor of the attacker's choice."""
    newest, newest_hash = head(connection, sealed.book_id)
    seq = newest + 1 if seq is None else seq
    prev_hash = newest_hash if prev_hash is None else prev_hash
    hashed = chain_hash(
        prev_hash=prev_hash, seq=seq, batch_id=sealed.id, digest=sealed.digest, posted_at_microseconds=microseconds(NOW)
    )
    row = {"book_id": sealed.book_id, "seq": seq, "batch_id": sealed.id, "prev_hash": prev_hash, "hash": hashed}
    connection.execute(batch_chain.insert(), row)


def write(connection: Connection, forged: Forged) -> None:
    """Write a whole batch: rows, header, link."""
    sealed = forged.sealed()
    write_rows(connection, sealed)
    write_header(connection, sealed)
    write_link(connection, sealed)


def count(database: Database, table: str) -> int:
    """Return the number of rows of a table."""
    with database.read() as connection:
        return int(connection.execute(sa.text(f'SELECT count(*) FROM "{table}"')).scalar_one())


def month(on: dt.date = DAY) -> int:
    """Return the month of a date, by which postings are partitioned."""
    return month_of(on)
