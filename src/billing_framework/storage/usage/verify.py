"""Reads usage back and proves it again: `billing usage verify`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.usage.batches import RECYCLE, Batch, batches
from billing_framework.storage.usage.columns import StoredColumns, read_keys
from billing_framework.storage.usage.deletion_tables import deletions
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.rows import Tables
from billing_framework.storage.usage.tables import usage_key, usage_suspense
from billing_framework.usage.content import content_digest, slot_key
from billing_framework.usage.content import usage_key as key_of_id
from billing_framework.usage.record import AnyUsage, Usage
from billing_framework.values.errors import StorageError
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.period import Span

_AT_ONCE = 10_000
_SALTS = 8
"""Ids of one hash take the next salts; more than two such ids are not to be met in practice."""

_OTHERWISE = "does not say what it said when it was taken in"


@attrs.frozen(kw_only=True)
class UsageProof:
    """What was proven, and what is not as it was taken in.

    Attributes:
        batches: number of batches.
        records: number of records, deletions among them.
        findings: one for each record or batch that is not as it was taken in.
    """

    batches: int
    records: int
    findings: tuple[Finding, ...]


def verify_usage(connection: Connection, tables: Tables) -> UsageProof:
    """Prove all usage against what was noted when it was taken in.

    Of each record: what it says against its digest, its id against its key, where it stands, and its batch. Of each batch: how
    many records of each kind it brought, and how many it left in suspense. Records that somebody added or removed are named, too.

    Sealed personal fields stay sealed: their keyed digest is part of the digest that is proven. What a document was billed on is
    proven by `billing explain`, because its input keeps the digests, too.

    Args:
        connection: a connection with one snapshot.
        tables: the usage kinds with their tables.
    """
    found = [finding for derived in tables.values() for finding in _without_key(connection, derived)]
    brought: Counter[tuple[int, str]] = Counter()
    for some in _pages(connection):
        brought.update((row.batch_id, row.kind) for row in some)
        found += _page(connection, tables, some)
    taken = list(batches(connection))
    found += _batches(connection, taken, brought)
    return UsageProof(batches=len(taken), records=brought.total(), findings=tuple(found))


def _pages(connection: Connection) -> Iterator[Sequence[sa.Row[Any]]]:
    columns = usage_key.c
    query: sa.Select[Any] = sa.select(columns.key, columns.kind, columns.slot_key, columns.version, columns.batch_id)
    query = query.order_by(columns.key).limit(_AT_ONCE)
    some = connection.execute(query).all()
    while some:
        yield some
        some = connection.execute(query.where(columns.key > some[-1].key)).all()


def _page(connection: Connection, tables: Tables, some: Sequence[sa.Row[Any]]) -> Iterator[Finding]:
    by_kind: dict[str, dict[int, sa.Row[Any]]] = defaultdict(dict)
    for row in some:
        by_kind[row.kind][row.key] = row
    for kind, rows in by_kind.items():
        if kind not in tables:
            what = f"{len(rows)} records of the usage kind {kind!r} cannot be proven: no enabled plugin offers it"
            yield _finding("USAGE06", what, "Enable the plugin that took them in", kind)
            continue
        try:
            columns = read_keys(connection, tables[kind], rows)
        except StorageError as error:
            if error.code != "STORAGE24":
                raise
            yield _finding(error.code, error.what, error.remedy, kind)
            continue
        yield from _records(columns, rows)
        yield from _deletions(connection, tables[kind], {key: row for key, row in rows.items() if key not in columns.places})


def _records(columns: StoredColumns, rows: Mapping[int, sa.Row[Any]]) -> Iterator[Finding]:
    told = zip(columns.keys, columns.digests, columns.marks, columns.batches, _usages(columns), strict=True)
    for key, digest, mark, batch, usage in told:
        if isinstance(usage, StorageError):
            yield _altered(f"record {key}", f"cannot be read: {usage.what}")
            continue
        name = f"record {usage.source}/{usage.external_id} of {usage.subject or 'no identifier'}"
        if content_digest(usage, columns.derived.fields, mark) != digest:
            yield _altered(name, _OTHERWISE)
        yield from _stands(name, usage, rows[key], batch, carried=columns.derived.kind.carried)


def _usages(columns: StoredColumns) -> Iterable[AnyUsage | StorageError]:
    try:
        return list(columns.usages())
    except StorageError:
        return [_usage(columns, place) for place in range(len(columns))]


def _usage(columns: StoredColumns, place: int) -> AnyUsage | StorageError:
    try:
        return next(columns.usages(place, place + 1))
    except StorageError as error:
        return error


def _stands(name: str, usage: AnyUsage, row: sa.Row[Any], batch: int, *, carried: bool) -> Iterator[Finding]:
    """Yield what is odd about where a record stands: its id, its slot and version, and its batch."""
    if all(key_of_id(usage.source, usage.external_id, salt) != row.key for salt in range(_SALTS)):
        yield _altered(name, f"has another source or id than its key {row.key} was made of")
    slots = {slot_key(usage, carried=carried), slot_key(usage, carried=False)}  # carried ones, too, were once of their subject
    if row.slot_key not in slots or usage.version != row.version:
        yield _altered(name, "has another slot or version than its key")
    if batch != row.batch_id:
        yield _altered(name, f"stands in batch {batch}, its key in batch {row.batch_id}")


def _deletions(connection: Connection, derived: KindTable, rows: Mapping[int, sa.Row[Any]]) -> Iterator[Finding]:
    told = deletions(connection, rows)
    for key, row in rows.items():
        one = told.get(key)
        if one is None:
            yield _altered(f"record {key} of batch {row.batch_id}", "is not there any more, or not where its key says")
            continue
        usage: AnyUsage = Usage(
            kind=one.kind,
            source=one.source,
            external_id=one.external_id,
            subject=one.subject,
            span=Span(one.start_at, one.end_at),
            slot=one.slot,
            version=one.version,
            body=None,
            deleted=True,
        )
        name = f"deletion {usage.source}/{usage.external_id} of {usage.subject}"
        if usage.kind != derived.kind.name or content_digest(usage, ()) != one.digest:
            yield _altered(name, _OTHERWISE)
        yield from _stands(name, usage, row, one.batch_id, carried=derived.kind.carried)


def _without_key(connection: Connection, derived: KindTable) -> Iterator[Finding]:
    """Yield a finding for each row of a kind that has no key: nobody took it in."""
    columns = derived.table.c
    query = sa.select(columns.key, columns.source, columns.external_id)
    query = query.outerjoin_from(derived.table, usage_key, usage_key.c.key == columns.key).where(usage_key.c.key.is_(None))
    for row in connection.execute(query.order_by(columns.key)):
        yield _altered(f"record {row.source}/{row.external_id}", "has no key: it was never taken in")


def _batches(connection: Connection, taken: Sequence[Batch], brought: Counter[tuple[int, str]]) -> Iterator[Finding]:
    """Yield a finding for each batch that has another number of records, or of rows in suspense, than it took in."""
    columns = usage_suspense.c
    query = sa.select(columns.batch_id, sa.func.count().label("rows")).group_by(columns.batch_id)
    waiting = Counter({row.batch_id: row.rows for row in connection.execute(query)})
    claimed = Counter({(batch.id, kind): count for batch in taken for kind, count in batch.totals.by_kind.items()})
    for number, kind in sorted(claimed.keys() | brought.keys()):
        if claimed[number, kind] != brought[number, kind]:
            what = f"took in {claimed[number, kind]} records of the kind {kind} and has {brought[number, kind]}"
            yield _altered(f"batch {number}", what)
    left = Counter({one.id: one.totals.suspended + one.totals.rejected for one in taken if one.format != RECYCLE})
    for number in sorted(left.keys() | waiting.keys()):
        if left[number] != waiting[number]:
            yield _altered(f"batch {number}", f"left {left[number]} records in suspense and has {waiting[number]}")


def _altered(subject: str, what: str) -> Finding:
    remedy = "Find out who changed it behind the program's back, and restore it from a backup"
    return _finding("USAGE32", f"{subject} {what}", remedy, subject)


def _finding(code: str, what: str, remedy: str, subject: str) -> Finding:
    return Finding(code=code, severity=Severity.BLOCKING, what=what, remedy=remedy, subject=subject)
