"""Usage as columns in and out of its tables: what is known before intake, and what it stores."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.bulk import bulk_read_ints
from billing_framework.storage.bulk_columns import Literal, insert_columns
from billing_framework.storage.engine_errors import driver_errors_translated
from billing_framework.storage.many import rows_of
from billing_framework.storage.master.account_tables import account, agreement, assignment, subject_id
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.rows import among
from billing_framework.storage.usage.tables import usage_key, usage_suspense
from billing_framework.usage.columnar.identity import IdentifiedColumns
from billing_framework.usage.columnar.record_columns import microseconds_of
from billing_framework.usage.content import field_text
from billing_framework.usage.kind_fields import Sort
from billing_framework.values.period import midnight

Keys = np.ndarray[Any, np.dtype[np.int64]]

_KEYS_PER_STATEMENT = 100_000
_FOREVER = 2**63 - 1
_MONTH = "month"


def any_keys(connection: Connection) -> bool:
    """Return whether any usage is stored."""
    return connection.execute(sa.select(usage_key.c.key).limit(1)).first() is not None


def keys_among(connection: Connection, keys: Keys) -> Keys:
    """Return those of some keys that are stored, in order."""
    found: list[int] = []
    ordered = np.sort(keys)
    sqlite = connection.dialect.name == "sqlite"
    query = 'SELECT "key" FROM usage_key WHERE "key" IN (SELECT value FROM json_each(?))'
    query = query if sqlite else 'SELECT "key" FROM usage_key WHERE "key" = ANY(%s)'
    with driver_errors_translated():
        cursor: Any = connection.connection.cursor()
        for start in range(0, len(ordered), _KEYS_PER_STATEMENT):
            some = ordered[start : start + _KEYS_PER_STATEMENT].tolist()
            cursor.execute(query, (str(some) if sqlite else some,))
            found.extend(row[0] for row in cursor.fetchall())
        cursor.close()
    return np.array(sorted(found), dtype=np.int64)


def waiting_keys(connection: Connection) -> Keys:
    """Return the keys of all records that are or were in suspense, in order."""
    found = [row[0] for row in bulk_read_ints(connection, sa.select(usage_suspense.c.record_key))]
    return np.array(sorted(found), dtype=np.int64)


def guided_spans(connection: Connection, subjects: Collection[str]) -> pl.DataFrame:
    """Return when identifiers are assigned by an assignment of their own: ``subject_id``, ``since`` and ``until``.

    Identifiers with several assignments, or with none, are left out; `load_guide` knows about them.
    """
    columns = assignment.c
    query = (
        sa.select(columns.subject_id, columns.starts_on, columns.ends_on, account.c.zone)
        .join(agreement, agreement.c.code == columns.agreement)
        .join(account, account.c.code == agreement.c.account)
    )
    found: dict[int, tuple[int, int] | None] = {}
    midnights: dict[tuple[Any, str], int] = {}

    def instant(day: Any, zone: str) -> int:
        if (day, zone) not in midnights:
            midnights[day, zone] = microseconds_of(midnight(day, ZoneInfo(zone)))
        return midnights[day, zone]

    for row in rows_of(connection, map(subject_id, subjects), among(query, columns.subject_id)):
        until = _FOREVER if row.ends_on is None else instant(row.ends_on, row.zone)
        found[row.subject_id] = None if row.subject_id in found else (instant(row.starts_on, row.zone), until)
    rows = [(key, *span) for key, span in found.items() if span is not None]
    return pl.DataFrame(rows, schema={"subject_id": pl.Int64, "since": pl.Int64, "until": pl.Int64}, orient="row")


def insert_record_columns(
    connection: Connection, derived: KindTable, records: IdentifiedColumns, subject_ids: pl.Series, batch_id: int
) -> None:
    """Store records that are to be accepted, without their keys, for which `insert_key_columns` is asked.

    Args:
        connection: a connection with an open write transaction.
        derived: their kind with its table; one without personal fields.
        records: the records with their identity.
        subject_ids: ids of their identifiers.
        batch_id: number of their batch.
    """
    columns = records.columns
    months = pl.from_epoch(pl.col("start"), time_unit="us")
    frame = columns.frame.select(
        pl.Series("key", records.keys),
        "external_id",
        subject_ids.alias("subject_id"),
        (months.dt.year().cast(pl.Int64) * 100 + months.dt.month().cast(pl.Int64)).alias(_MONTH),
        pl.col("start").alias("start_at"),
        pl.col("end").alias("end_at"),
        pl.Series("digest", records.digests, dtype=pl.Binary),
        *(field.name for field in derived.fields if field.name in columns.frame.columns),
    ).sort("subject_id", "start_at", "key")
    constants: dict[str, Literal] = {"source": columns.source, "slot": "", "version": 0, "batch_id": batch_id}
    for field in derived.fields:
        if field.name not in columns.frame.columns:
            value = columns.constants.get(field.name, field.default)
            whole = field.sort in (Sort.WHOLE, Sort.FLAG, Sort.INSTANT)
            text = None if value is None else field_text(value, field)
            constants[field.name] = int(text) if whole and text is not None else text
    insert_columns(connection, derived.table.name, frame, constants)


def insert_key_columns(connection: Connection, kind: str, keys: Iterable[pl.DataFrame], batch_id: int) -> None:
    """Store the keys of records without slots, in order.

    Args:
        connection: a connection with an open write transaction.
        kind: their kind.
        keys: frames of ``key``, ``subject_id`` and ``start_at``.
        batch_id: number of their batch.
    """
    constants: Mapping[str, Literal] = {"kind": kind, "slot_key": 0, "version": 0, "batch_id": batch_id}
    insert_columns(connection, usage_key.name, pl.concat(keys).sort("key"), constants)
