"""The table of loaded rate tables; a version stays as it was loaded, with its bytes and digest."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import Day, Digest, Instant, Key, Whole
from billing_framework.storage.guard import Guard, append_only, create_guards, never_emptied

metadata = sa.MetaData()

rate_table_version = sa.Table(
    "rate_table_version",
    metadata,
    sa.Column("code", Key, nullable=False),
    sa.Column("version", Key, nullable=False),
    sa.Column("kind", Key, nullable=False),
    sa.Column("valid_from", Day, nullable=False),
    sa.Column("valid_to", Day),
    sa.Column("currency", sa.Text, nullable=False),  # empty where the plan's currency applies
    sa.Column("supersedes", Key, nullable=False),  # version that it corrects, or empty
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("row_count", Whole, nullable=False),
    sa.Column("sha256", Digest, nullable=False),  # of all that decides prices: the file's digest and the columns above
    sa.Column("file_sha256", Digest, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # the bytes of the file, compressed by zlib
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("loaded_at", Instant, nullable=False),
    sa.Column("loaded_by", Key, nullable=False),
    sa.PrimaryKeyConstraint("code", "version"),
    sqlite_strict=True,
)

_NEVER_CHANGES = "TABLE31 a loaded version of a rate table never changes"


def guards() -> Iterator[Guard]:
    """Yield every guard of this table."""
    yield from append_only(rate_table_version, _NEVER_CHANGES)
    yield from never_emptied([rate_table_version.name], _NEVER_CHANGES)


def create_rate_table_tables(connection: Connection) -> None:
    """Create the table with its guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
