"""The posting batch: the unit in which entries are sealed and chained."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from itertools import pairwise

import attrs

from billing_framework.ledger.book import book_id, month_of
from billing_framework.ledger.entry import Entry, Line, entry_id, request_digest
from billing_framework.values.errors import LedgerRefused
from billing_framework.values.identity import natural_id


@attrs.frozen(kw_only=True)
class Batch:
    """Entries of one book that are posted together or not at all: one officer's action, or one shard of a run.

    Attributes:
        book: key of the book.
        source: what made the batch: a run and its shard, an action; never a person's name.
        entries: at least one; their order does not matter.
    """

    book: str
    source: str
    entries: tuple[Entry, ...]

    def __attrs_post_init__(self) -> None:
        if not self.entries:
            raise LedgerRefused("LEDGER12", f"the batch {self.source!r} has no entries", remedy="Post nothing instead")
        if len({entry.key for entry in self.entries}) < len(self.entries):
            keys = sorted(entry.key for entry in self.entries)
            twice = next(key for key, following in pairwise(keys) if key == following)
            raise LedgerRefused("LEDGER02", f"the batch {self.source!r} holds the key {twice} twice")


@attrs.frozen(kw_only=True)
class SealedEntry:
    """An entry in the form in which it is stored, without its memo.

    Attributes:
        id: id of the entry, which follows from book and key.
        key: idempotency key.
        period_id: period that it is posted to.
        effective_on: date that it counts for.
        kind: kind of the entry.
        source: what made it.
        reverses_id: id of the entry that it takes back, or None.
        digest: its `request_digest`.
        lines: its lines in the order of their numbers.
    """

    id: int
    key: str
    period_id: int
    effective_on: dt.date
    kind: str
    source: str
    reverses_id: int | None
    digest: bytes
    lines: tuple[Line, ...]

    @property
    def month(self) -> int:
        """The month of the entry, as yyyymm."""
        return month_of(self.effective_on)

    def recomputed_digest(self, book: int) -> bytes:
        """Return the digest that the content has now; it differs from `digest` where the content was changed."""
        return request_digest(
            book=book,
            key=self.key,
            effective_on=self.effective_on,
            kind=self.kind,
            source=self.source,
            reverses_id=self.reverses_id,
            lines=self.lines,
        )


@attrs.frozen(kw_only=True)
class SealedBatch:
    """A batch in the form in which it is stored.

    Attributes:
        id: id of the batch, which follows from its digest.
        book_id: id of the book.
        digest: digest over all entries and their periods.
        entries: the entries in the order of their ids.
    """

    id: int
    book_id: int
    digest: bytes
    entries: tuple[SealedEntry, ...]

    @property
    def entry_count(self) -> int:
        """Number of entries."""
        return len(self.entries)

    @property
    def posting_count(self) -> int:
        """Number of lines in all entries."""
        return sum(len(entry.lines) for entry in self.entries)


def sealed_entry(entry: Entry, book: str, *, period_id: int = 0) -> SealedEntry:
    """Return `entry` as it is stored in `book`; the period is known only when it is posted."""
    lines = entry.lines(book)
    reverses_id = None if entry.reverses is None else entry_id(book, entry.reverses)
    return SealedEntry(
        id=entry_id(book, entry.key),
        key=entry.key,
        period_id=period_id,
        effective_on=entry.effective_on,
        kind=entry.kind,
        source=entry.source,
        reverses_id=reverses_id,
        digest=request_digest(
            book=book_id(book),
            key=entry.key,
            effective_on=entry.effective_on,
            kind=entry.kind,
            source=entry.source,
            reverses_id=reverses_id,
            lines=lines,
        ),
        lines=lines,
    )


def seal(book: str, entries: Iterable[SealedEntry], period_ids: Mapping[dt.date, int]) -> SealedBatch:
    """Return the batch of `entries` with its digest and id.

    Args:
        book: key of the book.
        entries: the entries.
        period_ids: the period of each date that occurs.
    """
    ordered = sorted(entries, key=lambda entry: entry.id)
    placed = tuple(_placed(entry, period_ids[entry.effective_on]) for entry in ordered)
    digest = batch_digest(book_id(book), placed)
    return SealedBatch(id=natural_id("batch", book, digest.hex()), book_id=book_id(book), digest=digest, entries=placed)


def _placed(entry: SealedEntry, period_id: int) -> SealedEntry:
    return SealedEntry(  # said in full, because `attrs.evolve` takes several times as long
        id=entry.id,
        key=entry.key,
        period_id=period_id,
        effective_on=entry.effective_on,
        kind=entry.kind,
        source=entry.source,
        reverses_id=entry.reverses_id,
        digest=entry.digest,
        lines=entry.lines,
    )


def batch_digest(book: int, entries: Iterable[SealedEntry]) -> bytes:
    """Return the digest of a batch: book, and of each entry in the order of ids its id, period and digest.

    Names, memos and other free text are no part of it, so that they can be erased without breaking the chain.
    """
    parts = [f"batch 1\n{book}\n"]
    parts += [f"{entry.id} {entry.period_id} {entry.digest.hex()} {len(entry.lines)}\n" for entry in entries]
    return hashlib.sha256("".join(parts).encode()).digest()


def chain_hash(*, prev_hash: bytes, seq: int, batch_id: int, digest: bytes, posted_at_microseconds: int) -> bytes:
    """Return the hash of a batch in the chain of its book.

    Args:
        prev_hash: hash of the batch before it, or the genesis of the book.
        seq: its number in the book, from 1 without a gap.
        batch_id: id of the batch.
        digest: digest of the batch.
        posted_at_microseconds: instant of posting, in microseconds since 1970.
    """
    text = f"chain 1\n{prev_hash.hex()} {seq} {batch_id} {digest.hex()} {posted_at_microseconds}\n"
    return hashlib.sha256(text.encode()).digest()
