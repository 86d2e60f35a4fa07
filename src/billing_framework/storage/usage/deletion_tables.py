"""Deletions that sources have delivered: the envelope of each, which has no row among the records of its kind.

The key of a deletion stands in ``usage_key`` under its slot, so that whoever looks for the highest version of the slot passes the
earlier ones over; there is no row for the deletion itself that could be read as a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.column_types import Digest, Instant, Key, Whole
from billing_framework.storage.guard import Guard, append_only, create_guards, never_emptied
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.usage.tables import USAGE_APPEND_ONLY
from billing_framework.usage.intake import Delivered

metadata = sa.MetaData()

usage_deletion = sa.Table(
    "usage_deletion",
    metadata,
    sa.Column("key", Whole, primary_key=True, autoincrement=False),
    sa.Column("kind", Key, nullable=False),
    sa.Column("source", Key, nullable=False),
    sa.Column("external_id", Key, nullable=False),
    sa.Column("subject", Key, nullable=False),
    sa.Column("start_at", Instant, nullable=False),
    sa.Column("end_at", Instant, nullable=False),
    sa.Column("slot", Key, nullable=False),
    sa.Column("version", Whole, nullable=False),
    sa.Column("digest", Digest, nullable=False),
    sa.Column("batch_id", Whole, nullable=False),
    sqlite_strict=True,
)


def guards() -> Iterator[Guard]:
    """Yield the guards of the table: like records, deletions are only ever added."""
    yield from append_only(usage_deletion, USAGE_APPEND_ONLY)
    yield from never_emptied(["usage_deletion"], USAGE_APPEND_ONLY)


def create_deletion_tables(connection: Connection) -> None:
    """Create the table with its guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())


def insert_deletions(connection: Connection, accepted: Iterable[Delivered], batch_id: int) -> None:
    """Store accepted deletions."""
    rows = [
        (
            one.key, one.usage.kind, one.usage.source, one.usage.external_id, one.usage.subject, one.usage.span.start,
            one.usage.span.end, one.usage.slot, one.usage.version, one.digest, batch_id,
        )
        for one in accepted
        if one.usage is not None
    ]  # fmt: skip
    bulk_insert(connection, usage_deletion, [column.name for column in usage_deletion.columns], sorted(rows))


def deletions(connection: Connection, keys: Iterable[int]) -> dict[int, sa.Row[Any]]:
    """Return stored deletions by key, each with an empty ``mark`` like records without personal fields."""
    query = sa.select(usage_deletion, sa.literal(b"").label("mark"))
    return {row.key: row for row in rows_of(connection, keys, lambda some: query.where(one_of(usage_deletion.c.key, some)))}
