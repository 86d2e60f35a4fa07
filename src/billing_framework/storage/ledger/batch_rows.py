"""Writes one batch: its rows, the header whose INSERT seals them, and the link that chains it to the book."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.batch import SealedBatch, chain_hash
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.column_types import microseconds
from billing_framework.storage.ledger.tables import batch_chain, book, entry, posting, posting_batch

if TYPE_CHECKING:
    from billing_framework.ledger.entry_columns import ColumnBatch

_BOOK_LOCK = 4_711
_ENTRY_COLUMNS = (
    "batch_id", "id", "month", "book_id", "period_id", "effective_on", "kind", "source", "idempotency_key", "request_digest",
    "reverses_id", "memo",
)  # fmt: skip
_POSTING_COLUMNS = (
    "batch_id", "entry_id", "line", "month", "book_id", "gl_account_id", "account_id", "sub_key", "document_key", "currency",
    "amount",
)  # fmt: skip


def insert_entries(connection: Connection, sealed: SealedBatch | ColumnBatch, memos: Mapping[str, str]) -> None:
    """Insert the entries of a batch; `memos` holds the free text of those that have one, by their keys."""
    # In the order of ids, so that two posters with the same keys wait for each other instead of deadlocking.
    if not isinstance(sealed, SealedBatch):
        from billing_framework.storage.bulk_columns import insert_columns  # noqa: PLC0415 - needs polars

        heads = sealed.heads.drop("count", "place").rename({"key": "idempotency_key", "digest": "request_digest"})
        insert_columns(connection, "entry", heads, {"batch_id": sealed.id, "book_id": sealed.book_id})
        return
    rows = [
        (
            sealed.id, item.id, item.month, sealed.book_id, item.period_id, item.effective_on.isoformat(), item.kind, item.source,
            item.key, item.digest, item.reverses_id, memos.get(item.key, ""),
        )
        for item in sealed.entries
    ]  # fmt: skip
    bulk_insert(connection, entry, _ENTRY_COLUMNS, rows, driver_form=True)


def insert_postings(connection: Connection, sealed: SealedBatch | ColumnBatch) -> None:
    """Insert the lines of all entries of a batch."""
    if not isinstance(sealed, SealedBatch):
        from billing_framework.storage.bulk_columns import insert_columns  # noqa: PLC0415 - needs polars

        insert_columns(connection, "posting", sealed.lines, {"batch_id": sealed.id, "book_id": sealed.book_id})
        return
    batch, book = sealed.id, sealed.book_id
    rows = [
        (batch, item.id, line[0], month, book, *line[1:])
        for item in sealed.entries
        for month in (item.month,)
        for line in item.lines
    ]
    bulk_insert(connection, posting, _POSTING_COLUMNS, rows, driver_form=True)


def seal_and_link(
    connection: Connection, sealed: SealedBatch | ColumnBatch, *, source: str, now: dt.datetime, actor: str
) -> tuple[int, bytes]:
    """Insert the header, take the book's lock, insert the link; return sequence and hash."""
    header = {
        "id": sealed.id,
        "book_id": sealed.book_id,
        "digest": sealed.digest,
        "entry_count": sealed.entry_count,
        "posting_count": sealed.posting_count,
        "posted_at": now,
        "actor": actor,
        "source": source,
    }
    connection.execute(posting_batch.insert(), header)
    lock_book(connection, sealed.book_id)
    seq, prev_hash = head(connection, sealed.book_id)
    chained = chain_hash(
        prev_hash=prev_hash,
        seq=seq + 1,
        batch_id=sealed.id,
        digest=sealed.digest,
        posted_at_microseconds=microseconds(now),
    )
    link = {"book_id": sealed.book_id, "seq": seq + 1, "batch_id": sealed.id, "prev_hash": prev_hash, "hash": chained}
    connection.execute(batch_chain.insert(), link)
    return seq + 1, chained


def lock_book(connection: Connection, book_id: int) -> None:
    """Wait until no other transaction is about to chain a batch to this book; held until COMMIT. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        key = (_BOOK_LOCK << 48) ^ (book_id & (2**48 - 1))
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def head(connection: Connection, book_id: int) -> tuple[int, bytes]:
    """Return sequence and hash of the newest batch of the book with this id; 0 and its genesis before the first.

    Write both into each close report and export: a chain cannot show by itself that its newest batches were cut off.
    """
    newest = connection.execute(
        sa.select(batch_chain.c.seq, batch_chain.c.hash)
        .where(batch_chain.c.book_id == book_id)
        .order_by(batch_chain.c.seq.desc())
        .limit(1)
    ).one_or_none()
    if newest is not None:
        return newest.seq, newest.hash
    return 0, connection.execute(sa.select(book.c.genesis).where(book.c.id == book_id)).scalar_one()
