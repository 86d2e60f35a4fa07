"""What a run reads of usage: the current records of some subjects in some span of time, or exactly the records of a manifest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.many import rows_of
from billing_framework.storage.master.account_tables import subject_id
from billing_framework.storage.usage.columns import StoredColumns, read_columns
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.rows import Tables, subject_names, with_keys
from billing_framework.storage.usage.tables import usage_batch, usage_key
from billing_framework.usage.kind_fields import MARK
from billing_framework.usage.record import AnyUsage
from billing_framework.values.period import Span


@attrs.frozen(kw_only=True)
class UsageRow:
    """A stored record with its identity.

    Attributes:
        key: key under which it is stored.
        digest: digest of its content when it was taken in.
        batch: number of the batch that brought it.
        usage: the record, its personal fields withheld.
        mark: keyed digest of its personal fields, empty for kinds without.
    """

    key: int
    digest: bytes
    batch: int
    usage: AnyUsage
    mark: bytes = b""


def newest_batch(connection: Connection) -> int:
    """Return the number of the newest intake batch, 0 before the first; a run that knows it knows all earlier ones."""
    return connection.execute(sa.select(sa.func.max(usage_batch.c.id))).scalar() or 0


def load_current(
    connection: Connection, tables: Tables, wanted: Mapping[str, Sequence[Span]], *, up_to_batch: int, kinds: Iterable[str] = ()
) -> dict[str, list[UsageRow]]:
    """Return the current records of subjects that share an instant with one of their spans, ordered by kind, start and key.

    Current is the highest version of each slot among the records of batches up to `up_to_batch`; what came later is not seen.

    Args:
        connection: a connection with one snapshot.
        tables: the usage kinds with their tables.
        wanted: subject to the spans of interest; a record at one instant counts where the instant lies in a span.
        up_to_batch: number of the newest batch that counts.
        kinds: only these kinds, all where empty.
    """
    found: dict[str, list[UsageRow]] = defaultdict(list)
    spans = [span for some in wanted.values() for span in some]
    if not spans:
        return {}
    within = Span(min(span.start for span in spans), max(span.end for span in spans))
    read = current_columns(connection, tables, wanted, within, up_to_batch=up_to_batch, kinds=kinds or tables)
    for columns in read.values():
        for one in usage_rows(columns):
            subject, span = one.usage.subject, one.usage.span
            if any(span.overlaps(other) for other in wanted[subject]):
                found[subject].append(one)
    return dict(found)


def current_columns(
    connection: Connection, tables: Tables, subjects: Iterable[str], within: Span, *, up_to_batch: int, kinds: Iterable[str]
) -> dict[str, StoredColumns]:
    """Return by kind the current records of subjects that touch a span of time, for `load_current` and for who needs no objects.

    Args:
        connection: a connection with one snapshot.
        tables: the usage kinds with their tables.
        subjects: the identifiers.
        within: the span; records that end where it starts are given, too.
        up_to_batch: number of the newest batch that counts.
        kinds: only these kinds, in whose order they are given.
    """
    ids = {subject_id(subject): subject for subject in subjects}
    found = {}
    for name in sorted(kinds):
        columns = tables[name].table.c
        query = current_records(tables[name], up_to_batch).where(columns.start_at < within.end, columns.end_at >= within.start)
        found[name] = read_columns(connection, tables[name], query, ids)
    return {name: columns for name, columns in found.items() if len(columns)}


def usage_rows(columns: StoredColumns) -> Iterator[UsageRow]:
    """Yield stored columns as objects, in their order."""
    told = zip(columns.keys, columns.digests, columns.batches, columns.usages(), columns.marks, strict=True)
    for key, digest, batch, usage, mark in told:
        yield UsageRow(key=key, digest=digest, batch=batch, usage=usage, mark=mark)


def current_records(derived: KindTable, up_to_batch: int) -> sa.Select[Any]:
    """Return the query of the current records of a kind: the highest version of each slot among known batches."""
    columns = derived.table.c
    mine, newer = usage_key.alias("mine"), usage_key.alias("newer")
    superseded = sa.exists().where(
        mine.c.key == columns.key,
        mine.c.slot_key != 0,
        newer.c.slot_key == mine.c.slot_key,
        newer.c.slot_key != 0,  # lets the index of the slots be used
        newer.c.version > mine.c.version,
        newer.c.batch_id <= up_to_batch,
    )
    # Most kinds have no slots, and their records need no look at the keys of others.
    return derived.query.where(columns.batch_id <= up_to_batch, sa.or_(columns.slot == "", ~superseded))


def load_by_key(connection: Connection, tables: Tables, keys: Mapping[str, Iterable[int]]) -> dict[int, UsageRow]:
    """Return stored records by key, superseded or not, as a replay of a manifest needs them; missing keys are left out.

    Args:
        connection: a connection.
        tables: the usage kinds with their tables.
        keys: kind to the keys of its records.
    """
    rows: list[tuple[KindTable, sa.Row[Any]]] = []
    for name, some_keys in sorted(keys.items()):
        derived = tables[name]
        rows += [(derived, row) for row in rows_of(connection, some_keys, with_keys(derived.query, derived.table))]
    names = subject_names(connection, {row.subject_id for _, row in rows})
    return {row.key: _usage_row(derived, row, derived.usage(row, names.get(row.subject_id, ""))) for derived, row in rows}


def _usage_row(derived: KindTable, row: sa.Row[Any], usage: AnyUsage) -> UsageRow:
    """Return a record with what its row says of it."""
    mark = getattr(row, MARK) if derived.personal else b""
    return UsageRow(key=row.key, digest=row.digest, batch=row.batch_id, usage=usage, mark=mark)
