"""Carried records: those that no standing document has billed, and those that a document had billed and is to bill again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.record_tables import billed_record
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import subject_id
from billing_framework.storage.usage.columns import StoredColumns, read_columns, read_keys
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.load import current_records
from billing_framework.storage.usage.rows import Tables, among, subject_names
from billing_framework.storage.usage.tables import usage_key

Waiting = dict[str, StoredColumns]
"""Usage kind to its records that are to be billed."""


def load_unbilled(
    connection: Connection, tables: Tables, subjects: Iterable[str], *, before: datetime, up_to_batch: int
) -> Waiting:
    """Return the current carried records of subjects that start before an instant and that no standing document has billed.

    A record is billed, too, where the document has billed an earlier version of what it speaks about: that one is billed anew.

    Args:
        connection: a connection with one snapshot.
        tables: the usage kinds with their tables; only carried ones are read.
        subjects: the identifiers.
        before: the end of the period that is billed.
        up_to_batch: number of the newest batch that counts.
    """
    ids = {subject_id(subject): subject for subject in subjects}
    found = {
        name: read_columns(connection, derived, _unbilled(derived, before, up_to_batch), ids)
        for name, derived in sorted(tables.items())
        if derived.kind.carried
    }
    return {name: columns for name, columns in found.items() if len(columns)}


def _unbilled(derived: KindTable, before: datetime, up_to_batch: int) -> sa.Select[Any]:
    columns, mine = derived.table.c, usage_key.alias("delivered")
    slot_key = sa.select(mine.c.slot_key).where(mine.c.key == columns.key).correlate(derived.table).scalar_subquery()
    billed = sa.exists().where(
        billed_record.c.claim == sa.case((columns.slot == "", columns.key), else_=slot_key),
        billed_record.c.reversed_by.is_(None),
    )
    return current_records(derived, up_to_batch).where(columns.start_at < before, ~billed)


@attrs.frozen(kw_only=True)
class Backlog:
    """What one identifier has delivered and no standing document has billed.

    Attributes:
        kind: usage kind of the records.
        subject: the identifier.
        records: how many.
        oldest: when the first of them started.
        newest: when the last of them started.
    """

    kind: str
    subject: str
    records: int
    oldest: datetime
    newest: datetime


def unbilled_totals(connection: Connection, tables: Tables, *, before: datetime, up_to_batch: int) -> tuple[Backlog, ...]:
    """Return how many carried records wait for a bill, by kind and identifier; arguments as those of `load_unbilled`."""
    found = []
    for name, derived in sorted(tables.items()):
        if not derived.kind.carried:
            continue
        columns = derived.table.c
        query = _unbilled(derived, before, up_to_batch).with_only_columns(
            columns.subject_id,
            sa.func.count().label("records"),
            sa.func.min(columns.start_at).label("oldest"),
            sa.func.max(columns.start_at).label("newest"),
        )
        rows = connection.execute(query.group_by(columns.subject_id)).all()
        names = subject_names(connection, {row.subject_id for row in rows})
        found += [
            Backlog(
                kind=name,
                subject=names.get(row.subject_id, str(row.subject_id)),
                records=row.records,
                oldest=row.oldest,
                newest=row.newest,
            )
            for row in rows
        ]
    return tuple(sorted(found, key=lambda one: (one.kind, one.subject)))


def load_repeated(connection: Connection, tables: Tables, documents: Collection[int], *, up_to_batch: int) -> Waiting:
    """Return what documents had billed as it is known now: the newest version of each record, but none that another one bills.

    Args:
        connection: a connection.
        tables: the usage kinds with their tables.
        documents: keys of the documents that are billed anew together.
        up_to_batch: number of the newest batch that counts.
    """
    columns, together = billed_record.c, set(documents)
    billed = sa.select(columns.claim)
    claims = {row.claim for row in rows_of(connection, documents, lambda some: billed.where(one_of(columns.document_id, some)))}
    standing = sa.select(columns.claim, columns.document_id).where(columns.reversed_by.is_(None))
    elsewhere = {
        row.claim
        for row in rows_of(connection, claims, lambda some: standing.where(one_of(columns.claim, some)))
        if row.document_id not in together
    }
    keys = _newest(connection, claims - elsewhere, up_to_batch)
    found = {name: read_keys(connection, tables[name], some) for name, some in sorted(keys.items()) if name in tables}
    return {name: columns for name, columns in found.items() if len(columns)}


def _newest(connection: Connection, claims: Iterable[int], up_to_batch: int) -> dict[str, list[int]]:
    """Return by kind the keys of the newest records behind claims: of each slot the highest version, else the record itself."""
    columns = usage_key.c
    newest: dict[int, tuple[int, int, str]] = {}
    wanted = list(claims)
    for column, plain in ((columns.key, True), (columns.slot_key, False)):
        query = sa.select(usage_key).where(columns.batch_id <= up_to_batch)
        query = query.where(columns.slot_key == 0 if plain else columns.slot_key != 0)
        for row in rows_of(connection, wanted, among(query, column)):
            claim = row.key if plain else row.slot_key
            newest[claim] = max(newest.get(claim, (row.version, row.key, row.kind)), (row.version, row.key, row.kind))
    found: dict[str, list[int]] = defaultdict(list)
    for _, key, kind in newest.values():
        found[kind].append(key)
    return found
