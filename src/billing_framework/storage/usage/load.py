"""What a run reads of usage: the current records of some subjects in some span of time, or exactly the records of a manifest."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.many import chunks, rows_of
from billing_framework.storage.master.account_tables import subject_id
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.rows import Tables, among, subject_names, with_keys
from billing_framework.storage.usage.tables import usage_batch, usage_key
from billing_framework.usage.kind_fields import MARK
from billing_framework.usage.record import AnyUsage, Usage
from billing_framework.usage.withheld import withheld_value
from billing_framework.values.errors import StorageError
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
    ids = {subject_id(subject): subject for subject in wanted}
    found: dict[str, list[UsageRow]] = defaultdict(list)
    spans = [span for some in wanted.values() for span in some]
    if not spans:
        return {}
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    for name in sorted(kinds or tables):
        derived = tables[name]
        columns = derived.table.c
        query = current_records(derived, up_to_batch).where(columns.start_at < last, columns.end_at >= first)
        for one in records_of(connection, derived, query, ids):
            subject, span = one.usage.subject, one.usage.span
            if any(span.overlaps(other) for other in wanted[subject]):
                found[subject].append(one)
    return dict(found)


def records_of(
    connection: Connection, derived: KindTable, query: sa.Select[Any], subjects: Mapping[int, str]
) -> Iterator[UsageRow]:
    """Yield the records of many subjects that a query finds, ordered by subject id, start and key.

    Args:
        connection: a connection with one snapshot.
        derived: their kind with its table.
        query: the query, which selects the columns of `KindTable.query`.
        subjects: subject id to subject.

    Raises:
        StorageError: ``STORAGE24`` for a second row for a key: somebody added it, and it would be billed.
    """
    columns = derived.table.c
    query = query.order_by(columns.subject_id, columns.start_at, columns.key)
    seen: set[int] = set()
    for some in chunks(subjects):
        result = connection.execute(among(query, columns.subject_id)(some))
        rows = result.cursor.fetchall()  # in the form of the driver, so that what repeats in a column is converted once
        result.close()
        for one in _records(connection, derived, rows, subjects):
            if one.key in seen:
                raise StorageError(
                    "STORAGE24",
                    f"the usage record {one.usage.external_id!r} of source {one.usage.source} is stored twice",
                    remedy="Find out who added a row behind the program's back, and restore the table from a backup",
                )
            seen.add(one.key)
            yield one


def _records(
    connection: Connection, derived: KindTable, rows: Sequence[Sequence[Any]], subjects: Mapping[int, str]
) -> Iterator[UsageRow]:
    """Yield the records that rows in the form of the driver store, equal to those of `KindTable.usage`."""
    if not rows:
        return
    selected = derived.query.selected_columns
    stored = dict(zip(selected.keys(), zip(*rows, strict=True), strict=True))
    told = {column.name: _converted(stored[column.name], _reading(connection, column)) for column in selected}
    fields = [
        [withheld_value(field)] * len(rows)
        if field.personal
        else _converted(told[field.name], None if field.choices is None else _choice(field.choices))
        for field in derived.fields
    ]
    names = [field.name for field in derived.fields]
    bodies = zip(*fields, strict=True) if fields else [()] * len(rows)
    spans: dict[tuple[datetime, datetime], Span] = {}
    envelope = [told[name] for name in _ENVELOPE]
    marks = told[MARK] if derived.personal else [b""] * len(rows)
    for values, mark, head in zip(bodies, marks, zip(*envelope, strict=True), strict=True):
        key, source, external_id, subject, start, end, slot, version, digest, batch = head
        span = spans.get((start, end)) or spans.setdefault((start, end), Span(start, end))
        usage: AnyUsage = Usage(
            kind=derived.kind.name,
            source=source,
            external_id=external_id,
            subject=subjects[subject],
            span=span,
            slot=slot,
            version=version,
            body=derived.kind.body(**dict(zip(names, values, strict=True))),
        )
        yield UsageRow(key=key, digest=digest, batch=batch, usage=usage, mark=mark)


_ENVELOPE = ("key", "source", "external_id", "subject_id", "start_at", "end_at", "slot", "version", "digest", "batch_id")


def _reading(connection: Connection, column: sa.ColumnElement[Any]) -> Callable[[Any], Any] | None:
    """Return what makes the value of a column of what the driver gives."""
    return column.type.dialect_impl(connection.dialect).result_processor(connection.dialect, None)


def _choice(choices: type[enum.Enum]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else choices(value)


def _converted(values: Sequence[Any], convert: Callable[[Any], Any] | None) -> Sequence[Any]:
    if convert is None:
        return values
    known = {value: convert(value) for value in set(values)}
    return [known[value] for value in values]


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
