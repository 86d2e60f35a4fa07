"""Usage in and out of its tables, in bulk: what is known before intake, what intake stores, and what a run reads."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account, agreement, subject_id
from billing_framework.storage.master.range_rows import guiding_assignments
from billing_framework.storage.personal.key_desk import KeyDesk, owner_of_subject
from billing_framework.storage.usage.deletion_tables import deletions, insert_deletions
from billing_framework.storage.usage.kind_table import KindTable, Seal
from billing_framework.storage.usage.tables import usage_key, usage_subject, usage_suspense
from billing_framework.usage.guide import Guide, make_guide
from billing_framework.usage.intake import Delivered, Stored
from billing_framework.usage.kind_fields import MARK
from billing_framework.values.errors import Refused

Tables = Mapping[str, KindTable]

KEY_COLUMNS = ("key", "kind", "subject_id", "start_at", "slot_key", "version", "batch_id")
"""Columns of ``usage_key``, in the order of the rows that intake writes."""


def among(query: sa.Select[Any], column: sa.Column[int]) -> Callable[[list[int]], sa.Select[Any]]:
    """Return what narrows `query` to rows whose `column` is among some values, for `rows_of`."""
    return lambda some: query.where(one_of(column, some))


def with_keys(query: sa.Select[Any], table: sa.Table) -> Callable[[list[int]], sa.Select[Any]]:
    """Return what narrows `query` over the table of a kind to the rows of some keys, for `rows_of`.

    The rows are found by their subject and start, which stand with the key: the table itself has no index by key.
    """
    mine, columns = usage_key.alias("of_key"), table.c
    query = query.join_from(
        table,
        mine,
        sa.and_(columns.subject_id == mine.c.subject_id, columns.start_at == mine.c.start_at, columns.key == mine.c.key),
    )
    return among(query, mine.c.key)


def stored_records(connection: Connection, tables: Tables, keys: AbstractSet[int]) -> dict[int, Stored]:
    """Return the stored records by key; keys without one are left out."""
    return {stored.key: stored for stored in _stored(connection, tables, among(sa.select(usage_key), usage_key.c.key), keys)}


def stored_slots(connection: Connection, tables: Tables, slots: AbstractSet[int]) -> dict[int, list[Stored]]:
    """Return the stored records of each slot."""
    found: dict[int, list[Stored]] = defaultdict(list)
    in_slot = among(sa.select(usage_key).where(usage_key.c.slot_key != 0), usage_key.c.slot_key)
    for stored in _stored(connection, tables, in_slot, slots):
        found[stored.slot].append(stored)
    return found


def _stored(
    connection: Connection, tables: Tables, query_of: Callable[[list[int]], sa.Select[Any]], wanted: AbstractSet[int]
) -> list[Stored]:
    rows = list(rows_of(connection, wanted, query_of))
    by_kind: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row.key)
    told: dict[int, sa.Row[Any]] = {}
    for kind, keys in by_kind.items():
        if kind not in tables:
            what = f"records of the usage kind {kind!r} are stored, but no enabled plugin offers it"
            raise Refused("USAGE06", what, remedy="Enable the plugin that took them in")
        columns = tables[kind].table.c
        mark = columns[MARK] if tables[kind].personal else sa.null()
        query = sa.select(columns.key, columns.source, columns.external_id, columns.digest, mark.label("mark"))
        told.update((row.key, row) for row in rows_of(connection, keys, with_keys(query, tables[kind].table)))
    told.update(deletions(connection, [row.key for row in rows if row.key not in told]))
    return [
        Stored(
            key=row.key,
            source=told[row.key].source,
            external_id=told[row.key].external_id,
            digest=told[row.key].digest,
            place=f"batch {row.batch_id}",
            slot=row.slot_key,
            version=row.version,
            mark=told[row.key].mark or b"",
        )
        for row in rows
    ]


def waiting_records(
    connection: Connection, keys: AbstractSet[int], *, ignored: AbstractSet[int] = frozenset()
) -> set[tuple[int, bytes]]:
    """Return key and digest of what is in suspense, was rejected or written off under `keys`.

    Args:
        connection: a connection.
        keys: keys of the records.
        ignored: ids of suspense rows that do not count, because they are being recycled.
    """
    columns = usage_suspense.c
    query = sa.select(columns.id, columns.record_key, columns.digest)
    return {
        (row.record_key, row.digest)
        for row in rows_of(connection, keys, among(query, columns.record_key))
        if row.id not in ignored
    }


def load_guide(connection: Connection, subjects: Collection[str]) -> Guide:
    """Return the assignments of the subjects, of their own or of a range that they are in, each in the zone of its account."""
    found = [one for listed in guiding_assignments(connection, subjects).values() for one in listed]
    query = sa.select(agreement.c.code, account.c.zone).join(account, account.c.code == agreement.c.account)
    named = rows_of(connection, {one.agreement for one in found}, lambda some: query.where(one_of(agreement.c.code, some)))
    zones = {row.code: ZoneInfo(row.zone) for row in named}
    # One that names an agreement which there is not guides nothing: somebody has changed it by SQL, and a review says so.
    return make_guide((one, zones[one.agreement]) for one in found if one.agreement in zones)


def insert_records(
    connection: Connection, tables: Tables, accepted: Sequence[Delivered], batch_id: int, desk: KeyDesk | None = None
) -> None:
    """Store accepted records: rows of their kinds, keys in order, and the subjects that are new.

    Args:
        connection: a connection with an open write transaction.
        tables: the usage kinds with their tables.
        accepted: the records.
        batch_id: number of their batch.
        desk: gives the keys under which personal fields are sealed; needed for the kinds that have some.
    """
    by_kind: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    keys = []
    subjects: dict[int, str] = {}
    for record in sorted(accepted, key=lambda record: record.key):
        usage = record.usage
        if usage is None:
            raise AssertionError(record)  # what could not be read is never accepted
        subject = subject_id(usage.subject)
        subjects[subject] = usage.subject
        keys.append((record.key, usage.kind, subject, usage.span.start, record.slot, usage.version, batch_id))
        if usage.deleted:
            continue  # its key takes the place of the earlier versions, and there is no row that could be read
        seal = _sealing(tables[usage.kind], usage.subject, desk)
        row = tables[usage.kind].row(
            usage, key=record.key, subject_id=subject, digest=record.digest, batch_id=batch_id, mark=record.mark, seal=seal
        )
        by_kind[usage.kind].append(row)
    if desk is not None:
        desk.save()
    insert_subjects(connection, subjects)
    insert_deletions(connection, [record for record in accepted if record.usage is not None and record.usage.deleted], batch_id)
    for kind, rows in by_kind.items():
        bulk_insert(connection, tables[kind].table, tables[kind].columns, rows)
    bulk_insert(connection, usage_key, KEY_COLUMNS, keys)  # the guards take no row of a key that is stored


def _sealing(table: KindTable, subject: str, desk: KeyDesk | None) -> Seal | None:
    if not table.personal:
        return None
    if desk is None:
        raise AssertionError(table.kind.name)  # no deployment with personal data opens without a key
    owner = owner_of_subject(subject)
    desk.keep(owner)
    return functools.partial(desk.seal, owner)


def insert_subjects(connection: Connection, subjects: Mapping[int, str]) -> None:
    """Store the identifiers that are new.

    Raises:
        Refused: ``USAGE26`` where another identifier has the same id.
    """
    columns = usage_subject.c
    query = sa.select(columns.id, columns.identifier)
    there = {row.id: row.identifier for row in rows_of(connection, subjects, among(query, columns.id))}
    for key, identifier in there.items():
        if subjects[key] != identifier:
            raise one_hash(identifier, subjects[key])
    new = sorted((key, subjects[key]) for key in subjects.keys() - there.keys())
    bulk_insert(connection, usage_subject, ("id", "identifier"), new)


def one_hash(one: str, other: str) -> Refused:
    """Return the refusal of two identifiers that have one id."""
    what = f"the identifiers {one!r} and {other!r} have one hash and cannot be told apart"
    return Refused("USAGE26", what, remedy="Rename one of them at its source, for example by a prefix")


def subject_names(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Return the identifiers behind subject ids."""
    columns = usage_subject.c
    query = sa.select(columns.id, columns.identifier)
    return {row.id: row.identifier for row in rows_of(connection, ids, among(query, columns.id))}
