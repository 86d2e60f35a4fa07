"""What a database holds, in a form that two deployments can be compared by: every row of every table.

Left out is only what says in how many transactions, and by whom, the work was done: seals of batches, shards, numbers of rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from billing_framework.storage.engine import Database

LEFT_OUT_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "entry": ("batch_id",),
    "posting": ("batch_id",),
    "audit_event": ("id",),
    "run_account": ("known",),
}
"""Columns that name the transaction in which a row was written, or count with gaps."""
BY_CLOCK = ("at", "taken_at", "known_at", "started_at", "approved_at", "ended_at", "posted_at", "entered_at")
"""Columns that say when something was done."""
TABLES_BY_CLOCK = ("document_input",)
"""Tables whose texts say it."""
LEFT_OUT = ("posting_batch", "batch_chain", "batch_note", "run_shard", "alembic_version")

_TOLD = 8

Rows = tuple[str, ...]


def snapshot(database: Database, *, clock: bool = True) -> dict[str, Rows]:
    """Return by table what its rows say, in an order of their own.

    Args:
        database: the database.
        clock: False where the work was done by the machine's clock; instants of doing are left out then.
    """
    with database.read() as connection:
        names = sa.inspect(connection).get_table_names()
        parts = _partitions(connection)
        found = {}
        left_out = {*LEFT_OUT} if clock else {*LEFT_OUT, *TABLES_BY_CLOCK}
        for name in sorted({*names} - parts - left_out):
            rows = connection.execute(sa.text(f'SELECT * FROM "{name}"'))
            gone = (*LEFT_OUT_COLUMNS.get(name, ()), *([] if clock else BY_CLOCK))
            kept = [place for place, key in enumerate(rows.keys()) if key not in gone]
            found[name] = tuple(sorted(str([row[place] for place in kept]) for row in rows))
        return found


def _partitions(connection: sa.Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        return set()
    return set(connection.execute(sa.text("SELECT relname::text FROM pg_class WHERE relispartition")).scalars())


def differences(one: Mapping[str, Rows], other: Mapping[str, Rows]) -> list[str]:
    """Return where two snapshots differ, some rows of each table."""
    told = []
    for name in sorted({*one, *other}):
        here, there = set(one.get(name, ())), set(other.get(name, ()))
        told += [f"{name}: missing {row[:200]}" for row in sorted(there - here)[:2]]
        told += [f"{name}: too many {row[:200]}" for row in sorted(here - there)[:2]]
        if here == there and len(one.get(name, ())) != len(other.get(name, ())):
            told.append(f"{name}: a row is there twice")
    return [*told[:_TOLD], *([f"and {len(told) - _TOLD} more"] if len(told) > _TOLD else [])]
