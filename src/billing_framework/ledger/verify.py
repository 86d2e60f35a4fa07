"""Proves a stored book again: digests, chain, sums, mirrors, balances. Every finding names the row that is not as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import attrs

from billing_framework.ledger.batch import SealedEntry, batch_digest, chain_hash
from billing_framework.ledger.entry import Line, entry_id
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.period import DateSpan

_RESTORE = "Restore the row from a backup, and find out who changed it"

BalanceKey = tuple[int, int, str, str]
"""A guarded balance: gl account id, sub-ledger account id, sub-key, currency."""


@attrs.frozen(kw_only=True)
class StoredBatch:
    """The header of a batch with its link in the chain, as stored.

    Attributes:
        id: id of the batch.
        digest: digest that was sealed.
        entry_count: number of entries that were sealed.
        posting_count: number of lines that were sealed.
        posted_at_microseconds: instant of posting, in microseconds since 1970.
        seq: number in the chain of the book.
        prev_hash: hash of the batch before it.
        hash: its own hash.
    """

    id: int
    digest: bytes
    entry_count: int
    posting_count: int
    posted_at_microseconds: int
    seq: int
    prev_hash: bytes
    hash: bytes


def verify_chain(genesis: bytes, batches: Iterable[StoredBatch], known_heads: Mapping[int, bytes]) -> Iterator[Finding]:
    """Yield a finding for every link that does not follow from the one before it.

    Args:
        genesis: what the first batch must be chained to.
        batches: all batches of the book in the order of their numbers.
        known_heads: sequence numbers and hashes that were written down elsewhere, such as in close reports; a chain that was cut
            off and continued shows only by them.
    """
    expected_seq, expected_prev = 1, genesis
    hashes: dict[int, bytes] = {}
    for batch in batches:
        subject = f"batch {batch.seq}"
        if batch.seq != expected_seq:
            yield _finding("LEDGER22", f"the chain goes from {expected_seq - 1} to {batch.seq}", subject)
        elif batch.prev_hash != expected_prev:
            yield _finding("LEDGER22", "the batch is not chained to the one before it", subject)
        hash_now = chain_hash(
            prev_hash=batch.prev_hash,
            seq=batch.seq,
            batch_id=batch.id,
            digest=batch.digest,
            posted_at_microseconds=batch.posted_at_microseconds,
        )
        if hash_now != batch.hash:
            yield _finding("LEDGER22", "the header or link of the batch was changed: its hash does not follow from it", subject)
        hashes[batch.seq] = batch.hash
        expected_seq, expected_prev = batch.seq + 1, batch.hash
    for seq, known in sorted(known_heads.items()):
        if hashes.get(seq) != known:
            yield _finding("LEDGER27", f"batch {seq} with the hash that was written down is not in the chain", f"batch {seq}")


def verify_batch(
    book: str, book_id: int, batch: StoredBatch, entries: list[SealedEntry], periods: Mapping[int, DateSpan]
) -> Iterator[Finding]:
    """Yield a finding for every entry of a batch that is not what was sealed.

    Args:
        book: key of the book.
        book_id: id of the book.
        batch: the stored header.
        entries: the stored entries in the order of ids, each with all its stored lines.
        periods: the stored periods of the book by id.
    """
    changed = False
    for entry in entries:
        subject = f"entry {entry.key} of batch {batch.seq}"
        if entry.recomputed_digest(book_id) != entry.digest or entry_id(book, entry.key) != entry.id:
            changed = True
            stored = "; ".join(_line_text(line) for line in entry.lines)
            yield _finding("LEDGER20", f"the entry or one of its lines was changed; the lines are now: {stored}", subject)
        yield from _impossible(entry, subject, periods)
    lines = sum(len(entry.lines) for entry in entries)
    if (len(entries), lines) != (batch.entry_count, batch.posting_count):
        yield _finding(
            "LEDGER21",
            f"{batch.entry_count} entries with {batch.posting_count} lines were sealed, there are {len(entries)} with {lines}",
            f"batch {batch.seq}",
        )
    elif not changed and batch_digest(book_id, entries) != batch.digest:
        yield _finding("LEDGER21", "the entries, their periods or the header's digest were changed", f"batch {batch.seq}")


def _impossible(entry: SealedEntry, subject: str, periods: Mapping[int, DateSpan]) -> Iterator[Finding]:
    sums: Counter[str] = Counter()
    for line in entry.lines:
        sums[line[5]] += line[6]
    for currency, rest in sums.items():
        if rest:
            yield _finding("LEDGER25", f"the lines do not balance: {rest} minor units of {currency} are left", subject)
    if len(entry.lines) < 2:
        yield _finding("LEDGER25", "the entry has fewer than two lines", subject)
    span = periods.get(entry.period_id)
    if span is None or entry.effective_on not in span:
        yield _finding("LEDGER25", f"the period of the entry does not hold its date {entry.effective_on}", subject)


def verify_mirror(reversal: SealedEntry, original: SealedEntry | None) -> Iterator[Finding]:
    """Yield a finding where a reversal is not the exact mirror of the entry that it takes back."""
    mirrored = None if original is None else tuple((*line[:-1], -line[-1]) for line in original.lines)
    if mirrored != reversal.lines:
        yield _finding("LEDGER25", "the reversal is not the exact mirror of its original", f"entry {reversal.key}")


def verify_balances(
    stored: Mapping[BalanceKey, int], rebuilt: Mapping[BalanceKey, int], codes: Mapping[int, str]
) -> Iterator[Finding]:
    """Yield a finding for every guarded balance that does not follow from the postings.

    Args:
        stored: the balances kept by the seal, in minor units.
        rebuilt: the sums of the postings of guarded accounts.
        codes: account codes by gl account id, for the message.
    """
    for key in sorted({*stored, *rebuilt}):
        if stored.get(key, 0) != rebuilt.get(key, 0):
            gl, account, sub_key, currency = key
            place = f"balance of {codes.get(gl, gl)}, sub-ledger account {account}, {sub_key or 'no sub-key'}, {currency}"
            yield _finding(
                "LEDGER24",
                f"the guarded balance says {stored.get(key, 0)} minor units, the postings say {rebuilt.get(key, 0)}",
                place,
            )


def _line_text(line: Line) -> str:
    number, gl, account, sub_key, document_key, currency, minor = line
    where = " ".join(part for part in (f"gl {gl}", f"account {account}" if account else "", sub_key, document_key) if part)
    return f"{number}: {minor} {currency} on {where}"


def _finding(code: str, what: str, subject: str) -> Finding:
    return Finding(code=code, severity=Severity.BLOCKING, what=what, remedy=_RESTORE, subject=subject)
