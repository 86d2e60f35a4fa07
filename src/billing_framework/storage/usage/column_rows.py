"""Usage as columns in and out of its tables: what is known before intake, and what it stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.ahead import ahead
from billing_framework.storage.bulk import bulk_read_ints
from billing_framework.storage.bulk_columns import Literal, PreparedRows, insert_columns, insert_prepared, prepared_rows
from billing_framework.storage.engine_errors import driver_errors_translated
from billing_framework.storage.master.account_tables import account
from billing_framework.storage.packed import pack
from billing_framework.storage.packed_columns import pack_columns
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.rows import insert_subjects
from billing_framework.storage.usage.tables import usage_key, usage_subject, usage_suspense
from billing_framework.usage.columnar.identity import IdentifiedColumns
from billing_framework.usage.columnar.record_columns import SLOT_TYPES
from billing_framework.usage.content import field_text
from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.values.instant import microseconds_of
from billing_framework.values.period import midnight

Keys = np.ndarray[Any, np.dtype[np.int64]]

_KEYS_PER_STATEMENT = 100_000
_FOREVER = 2**63 - 1
_ASSIGNED = (
    "SELECT assignment.subject_id, assignment.starts_on, assignment.ends_on, account.zone FROM assignment"
    " JOIN agreement ON agreement.code = assignment.agreement JOIN account ON account.code = agreement.account"
    " WHERE assignment.subject_id"
)
_ASSIGNED_IN_ONE_ZONE = "SELECT subject_id, starts_on, ends_on FROM assignment WHERE subject_id"
_ZONES = sa.select(
    sa.select(sa.func.min(account.c.zone)).scalar_subquery(), sa.select(sa.func.max(account.c.zone)).scalar_subquery()
)


def any_keys(connection: Connection) -> bool:
    """Return whether any usage is stored."""
    return connection.execute(sa.select(usage_key.c.key).limit(1)).first() is not None


def keys_among(connection: Connection, keys: Keys) -> Keys:
    """Return those of some keys that are stored, in order."""
    found = [row[0] for row in _rows_among(connection, 'SELECT "key" FROM usage_key WHERE "key"', keys)]
    return np.array(sorted(found), dtype=np.int64)


def _rows_among(connection: Connection, query: str, keys: Keys) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query that ends with the column which is to be among some keys, in the form of the driver."""
    ordered = np.sort(keys)
    is_sqlite = connection.dialect.name == "sqlite"
    statement = f"{query} IN (SELECT value FROM json_each(?))" if is_sqlite else f"{query} = ANY(%s)"
    with driver_errors_translated():
        cursor: Any = connection.connection.cursor()
        for start in range(0, len(ordered), _KEYS_PER_STATEMENT):
            some = ordered[start : start + _KEYS_PER_STATEMENT].tolist()
            cursor.execute(statement, (str(some) if is_sqlite else some,))
            yield from cursor.fetchall()
        cursor.close()


def slots_among(connection: Connection, slots: Keys) -> Keys:
    """Return those of some ids of slots, none of them 0, that stored records have, in order."""
    query = "SELECT slot_key FROM usage_key WHERE slot_key <> 0 AND slot_key"
    return np.array(sorted({row[0] for row in _rows_among(connection, query, slots)}), dtype=np.int64)


def waiting_keys(connection: Connection, most: int) -> Keys | None:
    """Return the keys of all records that are or were in suspense, in order; None where there are more than so many."""
    found = [row[0] for row in bulk_read_ints(connection, sa.select(usage_suspense.c.record_key).limit(most + 1))]
    return np.array(sorted(found), dtype=np.int64) if len(found) <= most else None


def waiting_among(connection: Connection, keys: Keys) -> Keys:
    """Return those of some keys whose records are or were in suspense, in order."""
    found = {row[0] for row in _rows_among(connection, "SELECT record_key FROM usage_suspense WHERE record_key", keys)}
    return np.array(sorted(found), dtype=np.int64)


def guided_spans(connection: Connection, subject_ids: Keys) -> pl.DataFrame:
    """Return when identifiers are assigned by an assignment of their own: ``subject_id``, ``since`` and ``until``.

    Identifiers with several assignments, or with none, are left out; `load_guide` knows about them.
    """
    dates = list(_rows_among(connection, _ASSIGNED_IN_ONE_ZONE, subject_ids))
    first, last = connection.execute(_ZONES).one()  # after the dates, so that an account of one of them is among these
    if first is not None and first == last:  # as nearly everywhere; then nobody needs to be asked whose they are
        rows: list[tuple[Any, ...]] = [(*row, first) for row in dates]
    else:
        rows = list(_rows_among(connection, _ASSIGNED, subject_ids))
    instants = {(day, zone): _midnight(day, zone) for day, zone in {(day, zone) for _, *days, zone in rows for day in days}}
    found = {
        "subject_id": [row[0] for row in rows],
        "since": [instants[starts_on, zone] for _, starts_on, _, zone in rows],
        "until": [instants[ends_on, zone] for _, _, ends_on, zone in rows],
    }
    return pl.DataFrame(found, schema=dict.fromkeys(found, pl.Int64)).filter(pl.col("subject_id").is_unique())


def _midnight(day: date | str | None, zone: str) -> int:
    if day is None:
        return _FOREVER
    return microseconds_of(midnight(date.fromisoformat(day) if isinstance(day, str) else day, ZoneInfo(zone)))


def insert_new_subjects(connection: Connection, subjects: Mapping[int, str], *, may_be_there: bool) -> None:
    """Store identifiers.

    Args:
        connection: a connection with an open write transaction.
        subjects: id to identifier.
        may_be_there: False where no other than the batch's own can be stored, so that nobody is asked.

    Raises:
        Refused: ``USAGE26`` where another identifier has the same id.
    """
    query = "SELECT id, identifier FROM usage_subject WHERE id"
    there = dict(_rows_among(connection, query, np.array(list(subjects), dtype=np.int64))) if may_be_there else {}
    for key, identifier in there.items():
        if subjects[key] != identifier:
            insert_subjects(connection, {key: subjects[key]})  # says what is wrong
    frame = pl.DataFrame(
        {"id": list(subjects), "identifier": list(subjects.values())}, schema={"id": pl.Int64, "identifier": pl.String}
    )
    new = frame.filter(~pl.col("id").is_in(list(there))) if there else frame
    insert_columns(connection, usage_subject.name, new.sort("id"), {})


def record_rows(
    dialect: str, derived: KindTable, records: IdentifiedColumns, subject_ids: pl.Series, batch_id: int
) -> PreparedRows:
    """Return the rows of records that are to be accepted, without their keys, for which `insert_key_columns` is asked.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        derived: their kind with its table; one without personal fields.
        records: the records with their identity.
        subject_ids: ids of their identifiers.
        batch_id: number of their batch.
    """
    columns = records.columns
    frame = columns.frame.select(
        pl.Series("key", records.keys),
        "external_id",
        subject_ids.alias("subject_id"),
        pl.col("start").alias("start_at"),
        pl.col("end").alias("end_at"),
        pl.Series("digest", records.digests),
        *(SLOT_TYPES if columns.has_slots else ()),
        *(_stored_form(columns.frame[field.name], field) for field in derived.fields if field.name in columns.frame.columns),
    ).sort("subject_id", "start_at", "key")
    constants: dict[str, Literal] = {"source": columns.source, "batch_id": batch_id}
    constants |= {} if columns.has_slots else {"slot": "", "version": 0}
    for field in derived.fields:
        if field.name not in columns.frame.columns:
            value = columns.constants.get(field.name, field.default)
            constants[field.name] = None if value is None else _stored_constant(value, field)
    return prepared_rows(dialect, derived.table.name, frame, constants)


def _stored_constant(value: Any, field: BodyField) -> Literal:
    """Return a value of a field as it is stored."""
    if field.sort is Sort.WHOLES:
        return pack(value)
    if field.sort is Sort.FLAG:
        return bool(value)
    if field.sort is Sort.DAY:
        return date(value.year, value.month, value.day)
    text = field_text(value, field)
    return int(text) if field.sort in (Sort.WHOLE, Sort.INSTANT) else text


def _stored_form(values: pl.Series, field: BodyField) -> pl.Series:
    """Return the values of a field as they are stored."""
    if field.sort is not Sort.WHOLES:
        return values
    lists = values.drop_nulls()
    starts = np.concatenate(([0], np.cumsum(lists.list.len().to_numpy()))).astype(np.int64)
    numbers = lists.list.explode(empty_as_null=False).to_numpy()
    packed: list[bytes | None] = [None] * len(values)
    for place, content in zip(values.is_not_null().arg_true().to_list(), pack_columns(numbers, starts), strict=True):
        packed[place] = content
    return pl.Series(values.name, packed, dtype=pl.Binary)


def insert_key_columns(connection: Connection, kind: str, keys: Iterable[pl.DataFrame], batch_id: int) -> None:
    """Store the keys of records, in order.

    Args:
        connection: a connection with an open write transaction.
        kind: their kind.
        keys: frames of ``key``, ``subject_id``, ``start_at``, ``slot_key`` and ``version``.
        batch_id: number of their batch.
    """
    constants: Mapping[str, Literal] = {"kind": kind, "batch_id": batch_id}
    rows = prepared_rows(connection.dialect.name, usage_key.name, pl.concat(keys).sort("key"), constants)
    with ahead(rows.blocks) as blocks:
        insert_prepared(connection, attrs.evolve(rows, blocks=blocks))
