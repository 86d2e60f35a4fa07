"""Posts a batch: rows first, then the header that seals them, then the link that chains them; in the caller's transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.batch import Batch, SealedBatch, seal, sealed_entry
from billing_framework.ledger.book import book_id
from billing_framework.ledger.chart import gl_account_id
from billing_framework.storage.ledger.batch_rows import insert_entries, insert_postings, seal_and_link
from billing_framework.storage.ledger.books import list_periods, load_book
from billing_framework.storage.ledger.tables import entry, gl_account
from billing_framework.storage.many import one_of
from billing_framework.values.errors import Conflict, LedgerRefused
from billing_framework.values.extras import has_bulk

if TYPE_CHECKING:
    from billing_framework.ledger.entry_columns import ColumnBatch, EntryColumns

MANY = 64
"""From so many entries on a batch is written by columns, whose trouble is that of a few dozen entries one by one."""


def posts_by_columns(count: int) -> bool:
    """Return whether so many entries are posted by columns: many are, where the library for it is installed."""
    return count >= MANY and has_bulk()


_NO_MEMOS: Mapping[str, str] = MappingProxyType({})


@attrs.frozen(kw_only=True)
class PostedBatch:
    """What came of posting a batch.

    Attributes:
        posted: keys of the entries that were posted now, in the order of the batch.
        existing: keys of the entries that had been posted before with the same content; nothing was written for them.
        batch_id: id of the new batch, None where all entries existed.
        seq: its number in the chain of the book, None where all entries existed.
        hash: its hash in the chain, None where all entries existed.
    """

    posted: tuple[str, ...]
    existing: tuple[str, ...]
    batch_id: int | None = None
    seq: int | None = None
    hash: bytes | None = None


def post_batch(connection: Connection, batch: Batch, *, now: dt.datetime, actor: str) -> PostedBatch:
    """Post the entries of `batch` that are not posted yet, in one sealed and chained batch.

    Post as the last thing of a transaction: the link takes the book's lock, which is held until COMMIT. Whoever posts into
    several books in one transaction posts in the order of their ids, and at most once per book.

    Args:
        connection: a connection with an open write transaction.
        batch: the entries, all of one book.
        now: the instant of posting, aware UTC.
        actor: who posts; stored with the batch, no part of its hash.

    Returns:
        What was posted, and what existed before.

    Raises:
        Conflict: ``LEDGER02``: a key was used before with other content, or the entry to reverse is reversed already.
        NotFound: ``LEDGER18`` for an unknown book.
        LedgerRefused: ``LEDGER05`` for an account that the chart does not have, ``LEDGER06`` for a date in no open period, and
            whatever the seal refuses.
    """
    columns = _in_columns(batch) if posts_by_columns(len(batch.entries)) else None
    if columns is not None:
        return post_columns(connection, columns, source=batch.source, now=now, actor=actor)
    items = [sealed_entry(one, batch.book) for one in batch.entries]
    memos = {one.key: one.memo for one in batch.entries if one.memo}
    load_book(connection, batch.book)
    used = {line[1] for item in items for line in item.lines}
    _refuse_unknown_accounts(connection, batch.book, used, {line.gl_account for one in batch.entries for line in one.postings})

    def sealed(known: Mapping[int, bytes]) -> SealedBatch:
        missing = [item for item in items if item.id not in known]
        return seal(batch.book, missing, _periods(connection, batch.book, {item.effective_on: item.key for item in missing}))

    wanted = {item.id: (item.key, item.digest) for item in items}
    return _post(connection, wanted, sealed, memos, source=batch.source, now=now, actor=actor)


def _in_columns(batch: Batch) -> EntryColumns | None:
    from billing_framework.ledger.entry_columns import EntryColumns  # noqa: PLC0415 - needs polars

    return EntryColumns.of(batch.book, batch.entries)


def post_columns(connection: Connection, columns: EntryColumns, *, source: str, now: dt.datetime, actor: str) -> PostedBatch:
    """Post entries that stand in columns; all else is as with `post_batch`.

    Args:
        connection: a connection with an open write transaction.
        columns: the entries, at least one.
        source: what makes the batch.
        now: the instant of posting, aware UTC.
        actor: who posts.
    """
    from billing_framework.ledger.entry_columns import seal_columns, sealed_columns  # noqa: PLC0415 - needs polars

    book = columns.book
    if len(columns) < MANY:
        batch = Batch(book=book, source=source, entries=columns.entries())
        return post_batch(connection, batch, now=now, actor=actor)
    load_book(connection, book)
    entries = sealed_columns(columns)
    used = set(entries.lines["gl_account_id"].unique())
    _refuse_unknown_accounts(connection, book, used, columns.lines["gl_account"].unique())

    def sealed(known: Mapping[int, bytes]) -> ColumnBatch:
        missing = entries.without(known)
        dated = missing.heads.unique("effective_on", keep="first")
        return seal_columns(missing, _periods(connection, book, dict(zip(dated["effective_on"], dated["key"], strict=True))))

    return _post(connection, entries.digests, sealed, source=source, now=now, actor=actor)


def _post(
    connection: Connection,
    wanted: Mapping[int, tuple[str, bytes]],
    sealed_without: Callable[[Mapping[int, bytes]], SealedBatch | ColumnBatch],
    memos: Mapping[str, str] = _NO_MEMOS,
    *,
    source: str,
    now: dt.datetime,
    actor: str,
) -> PostedBatch:
    """Write what is not posted yet.

    Args:
        connection: a connection with an open write transaction.
        wanted: id of each entry to its key and digest.
        sealed_without: returns the batch of those entries that are not known.
        memos: free text of entries that do not carry it, by their keys.
        source: what makes the batch.
        now: the instant of posting, aware UTC.
        actor: who posts.
    """
    while True:
        known = _existing(connection, wanted)
        if len(known) == len(wanted):
            return PostedBatch(posted=(), existing=tuple([key for key, _ in wanted.values()]))
        sealed = sealed_without(known)
        savepoint = connection.begin_nested()
        try:
            insert_entries(connection, sealed, memos)
        except Conflict:
            # Another transaction posted one of the keys since we looked, or reversed the same entry.
            savepoint.rollback()
            if _existing(connection, wanted).keys() == known.keys():
                raise
            continue
        savepoint.commit()
        break
    insert_postings(connection, sealed)
    seq, chained = seal_and_link(connection, sealed, source=source, now=now, actor=actor)
    return PostedBatch(
        posted=tuple([key for id_, (key, _) in wanted.items() if id_ not in known]),
        existing=tuple([key for id_, (key, _) in wanted.items() if id_ in known]),
        batch_id=sealed.id,
        seq=seq,
        hash=chained,
    )


def _existing(connection: Connection, wanted: Mapping[int, tuple[str, bytes]]) -> dict[int, bytes]:
    """Return id and digest of the wanted entries that are posted; refuse those with other content."""
    query = sa.select(entry.c.id, entry.c.idempotency_key, entry.c.request_digest)
    found: dict[int, bytes] = {}
    for id_, key, digest in connection.execute(query.where(one_of(entry.c.id, wanted))):
        wanted_key, wanted_digest = wanted[id_]
        if wanted_key != key:
            raise Conflict("LEDGER02", f"the keys {key} and {wanted_key} come to the same id", remedy="Use another key")
        if wanted_digest != digest:
            raise Conflict(
                "LEDGER02",
                f"entry {key} was posted before with other content",
                remedy="Use another key for another entry, or reverse the posted one",
            )
        found[id_] = digest
    return found


def _refuse_unknown_accounts(connection: Connection, book: str, used: set[int], accounts: Iterable[str]) -> None:
    unknown = used - set(connection.scalars(sa.select(gl_account.c.id).where(gl_account.c.book_id == book_id(book))))
    for code in sorted(accounts):
        if gl_account_id(book, code) in unknown:
            raise LedgerRefused("LEDGER05", f"book {book} has no account {code!r}", remedy="Add it to the chart of the book")


def _periods(connection: Connection, book: str, dates: Mapping[dt.date, str]) -> dict[dt.date, int]:
    """Return the period of each date that occurs, all of which must be open; `dates` holds the key of an entry of each."""
    periods = list_periods(connection, book)
    chosen: dict[dt.date, int] = {}
    for date, key in dates.items():
        holding = next((period for period in periods if date in period.span), None)
        if holding is None or not holding.is_open:
            state = "no period of the book holds the date" if holding is None else f"the period {holding.span} is closed"
            raise LedgerRefused(
                "LEDGER06",
                f"entry {key} is dated {date}, but {state} (book {book})",
                remedy=f"billing period open {book} {date:%Y-%m}" if holding is None else "Date it into an open period",
            )
        chosen[date] = holding.id
    return chosen
