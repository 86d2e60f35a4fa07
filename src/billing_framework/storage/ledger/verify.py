"""Reads a book back and proves it again: `billing ledger verify`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.batch import SealedEntry
from billing_framework.ledger.book import Book
from billing_framework.ledger.entry import Line
from billing_framework.ledger.verify import BalanceKey, StoredBatch, verify_balances, verify_batch, verify_chain, verify_mirror
from billing_framework.storage.column_types import microseconds
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.books import load_book
from billing_framework.storage.ledger.tables import balance, batch_chain, book, entry, gl_account, period, posting, posting_batch
from billing_framework.values.errors import StorageError
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.period import DateSpan

_STREAMED_ROWS = 10_000


def verify(database: Database, key: str, *, known_heads: Mapping[int, bytes] | None = None) -> list[Finding]:
    """Prove the book of this key again, in one snapshot, and return a finding for every row that is not as it was sealed.

    Digests of entries and batches, chain, sums per entry, periods, mirrors of reversals, guarded balances, rows that stand alone.

    Args:
        database: an open database.
        key: key of the book.
        known_heads: sequence numbers and hashes written down elsewhere; see `storage.batch_rows.head`.

    Raises:
        NotFound: ``LEDGER18``: there is no such book.
    """
    with database.read() as connection:
        wanted = load_book(connection, key)
        found: list[Finding] = []
        try:
            found.extend(_findings(connection, wanted, known_heads or {}))
        except (ValueError, StorageError) as error:
            if isinstance(error, StorageError) and error.code != "STORAGE21":
                raise  # the database itself cannot be read on
            # A date or text that was overwritten with something that is none; what was found so far says more.
            found.append(_blocking("LEDGER20", f"a stored value cannot be read: {error}", f"book {key}"))
        return found


def _findings(connection: Connection, wanted: Book, known_heads: Mapping[int, bytes]) -> Iterator[Finding]:
    genesis = connection.execute(sa.select(book.c.genesis).where(book.c.id == wanted.id)).scalar_one()
    if genesis != wanted.genesis:
        yield _blocking("LEDGER22", "the genesis of the book was changed", f"book {wanted.key}")
    batches = _batches(connection, wanted.id)
    yield from verify_chain(wanted.genesis, sorted(batches.values(), key=lambda batch: batch.seq), known_heads)
    yield from _headless(connection, wanted.id)
    periods = {
        row.id: DateSpan(row.starts_on, row.ends_before)
        for row in connection.execute(sa.select(period).where(period.c.book_id == wanted.id))
    }
    reversals: list[SealedEntry] = []
    entries = _entries(connection, wanted.id)
    seen = set()
    for batch_id, of_batch in itertools.groupby(entries, key=lambda row: row.batch_id):
        rows = list(of_batch)
        found = [row.entry for row in rows]
        for row in rows:
            if row.month != row.entry.month:
                yield _blocking("LEDGER20", f"the month says {row.month}", f"entry {row.entry.key}")
        reversals += [item for item in found if item.reverses_id is not None]
        seen.add(batch_id)
        if batch_id in batches:
            yield from verify_batch(wanted.key, wanted.id, batches[batch_id], found, periods)
    for batch_id, batch in batches.items():
        if batch_id not in seen:
            yield from verify_batch(wanted.key, wanted.id, batch, [], periods)
    yield from _lines_alone(connection)
    for reversal in reversals:
        original = _one_entry(connection, reversal.reverses_id or 0)
        yield from verify_mirror(reversal, original)
    yield from _balances(connection, wanted.id)
    if connection.dialect.name == "sqlite":
        for lost in connection.exec_driver_sql("PRAGMA foreign_key_check").all():
            what = f"a row of {lost[0]} refers to a row of {lost[2]} that is not there"
            yield _blocking("LEDGER23", what, f"{lost[0]} row {lost[1]}")


def _batches(connection: Connection, book_id: int) -> dict[int, StoredBatch]:
    query = (
        sa.select(posting_batch, batch_chain.c.seq, batch_chain.c.prev_hash, batch_chain.c.hash)
        .join_from(posting_batch, batch_chain, batch_chain.c.batch_id == posting_batch.c.id)
        .where(batch_chain.c.book_id == book_id)
    )
    return {
        row.id: StoredBatch(
            id=row.id,
            digest=row.digest,
            entry_count=row.entry_count,
            posting_count=row.posting_count,
            posted_at_microseconds=microseconds(row.posted_at),
            seq=row.seq,
            prev_hash=row.prev_hash,
            hash=row.hash,
        )
        for row in connection.execute(query)
    }


def _headless(connection: Connection, book_id: int) -> Iterator[Finding]:
    """Yield a finding for headers without a link, links without a header, and entries without either."""
    linked = sa.exists().where(batch_chain.c.batch_id == posting_batch.c.id)
    unlinked = sa.select(posting_batch.c.id).where(posting_batch.c.book_id == book_id, ~linked)
    for id_ in connection.scalars(unlinked):
        yield _blocking("LEDGER23", "the header has no link in the chain", f"batch id {id_}")
    has_header = sa.exists().where(posting_batch.c.id == batch_chain.c.batch_id)
    for seq in connection.scalars(sa.select(batch_chain.c.seq).where(batch_chain.c.book_id == book_id, ~has_header)):
        yield _blocking("LEDGER23", "the link of the chain has no header", f"batch {seq}")
    is_sealed = sa.exists().where(posting_batch.c.id == entry.c.batch_id)
    for key in connection.scalars(sa.select(entry.c.idempotency_key).where(entry.c.book_id == book_id, ~is_sealed)):
        yield _blocking("LEDGER23", "the entry is in no sealed batch", f"entry {key}")


def _lines_alone(connection: Connection) -> Iterator[Finding]:
    """Yield a finding for lines without an entry of their batch, month and book, or without an account of their book."""
    of_entry = sa.and_(
        entry.c.batch_id == posting.c.batch_id,
        entry.c.id == posting.c.entry_id,
        entry.c.month == posting.c.month,
        entry.c.book_id == posting.c.book_id,
    )
    of_account = sa.and_(gl_account.c.id == posting.c.gl_account_id, gl_account.c.book_id == posting.c.book_id)
    lines = sa.select(posting.c.entry_id, posting.c.line)
    without_entry = lines.outerjoin_from(posting, entry, of_entry).where(entry.c.id.is_(None))
    without_account = lines.outerjoin_from(posting, gl_account, of_account).where(gl_account.c.id.is_(None))
    for query, what in ((without_entry, "entry"), (without_account, "account")):
        for row in connection.execute(query):
            subject = f"line {row.line} of entry id {row.entry_id}"
            yield _blocking("LEDGER23", f"the line has no {what} of its book, batch and month", subject)


@attrs.frozen
class _StoredEntry:
    batch_id: int
    month: int
    entry: SealedEntry


def _entries(connection: Connection, book_id: int) -> Iterator[_StoredEntry]:
    """Yield all entries of a book, batch by batch in the order of ids."""
    streaming = connection.execution_options(yield_per=_STREAMED_ROWS)
    entries = streaming.execute(sa.select(entry).where(entry.c.book_id == book_id).order_by(entry.c.batch_id, entry.c.id))
    match = sa.and_(entry.c.batch_id == posting.c.batch_id, entry.c.id == posting.c.entry_id)
    lines = streaming.execute(
        sa.select(posting)
        .join_from(posting, entry, match)
        .where(entry.c.book_id == book_id)
        .order_by(posting.c.batch_id, posting.c.entry_id, posting.c.line)
    )
    by_entry = itertools.groupby(lines, key=lambda row: (row.batch_id, row.entry_id))
    waiting = next(by_entry, None)
    for row in entries:
        own: tuple[Line, ...] = ()
        if waiting is not None and waiting[0] == (row.batch_id, row.id):
            own = tuple(_line(line) for line in waiting[1])
            waiting = next(by_entry, None)
        yield _StoredEntry(row.batch_id, row.month, _sealed(row, own))


def _one_entry(connection: Connection, id_: int) -> SealedEntry | None:
    row = connection.execute(sa.select(entry).where(entry.c.id == id_)).one_or_none()
    if row is None:
        return None
    query = sa.select(posting).where(posting.c.batch_id == row.batch_id, posting.c.entry_id == id_).order_by(posting.c.line)
    return _sealed(row, tuple(_line(line) for line in connection.execute(query)))


def _sealed(row: sa.Row[Any], lines: tuple[Line, ...]) -> SealedEntry:
    return SealedEntry(
        id=row.id,
        key=row.idempotency_key,
        period_id=row.period_id,
        effective_on=row.effective_on,
        kind=row.kind,
        source=row.source,
        reverses_id=row.reverses_id,
        digest=row.request_digest,
        lines=lines,
    )


def _line(row: sa.Row[Any]) -> Line:
    return (row.line, row.gl_account_id, row.account_id, row.sub_key, row.document_key, row.currency, row.amount)


def _balances(connection: Connection, book_id: int) -> Iterator[Finding]:
    of_book = gl_account.c.book_id == book_id
    codes = {row.id: row.code for row in connection.execute(sa.select(gl_account.c.id, gl_account.c.code).where(of_book))}
    stored_query = sa.select(balance, gl_account.c.floor.label("account_floor")).join_from(
        balance, gl_account, gl_account.c.id == balance.c.gl_account_id
    )
    stored: dict[BalanceKey, int] = {}
    for row in connection.execute(stored_query.where(of_book)):
        stored[row.gl_account_id, row.account_id, row.sub_key, row.currency] = row.amount
        if row.floor != row.account_floor:
            what = f"the floor is {row.floor}, that of its account {row.account_floor}"
            yield _blocking("LEDGER24", what, f"balance of {codes[row.gl_account_id]}")
    keys = (posting.c.gl_account_id, posting.c.account_id, posting.c.sub_key, posting.c.currency)
    rebuilt_query = (
        sa.select(*keys, sa.func.sum(posting.c.amount).label("amount"))
        .join_from(posting, gl_account, gl_account.c.id == posting.c.gl_account_id)
        .where(of_book, gl_account.c.floor != "none")
        .group_by(*keys)
    )
    rebuilt = {
        (row.gl_account_id, row.account_id, row.sub_key, row.currency): int(row.amount)
        for row in connection.execute(rebuilt_query)
    }
    yield from verify_balances(stored, rebuilt, codes)


def _blocking(code: str, what: str, subject: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKING,
        what=what,
        remedy="Restore the row from a backup, and find out who changed it",
        subject=subject,
    )
