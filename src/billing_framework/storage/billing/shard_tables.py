"""The table of shards: the parts of a run's work that workers take one by one, each under a lease with a fencing token."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import Instant, JsonText, Key, Whole
from billing_framework.storage.guard import Guard, create_guards, never_emptied, not_replaced

metadata = sa.MetaData()

SHARD = "RUN42 what a shard consists of never changes, its token never goes back, and what is done stays done"

run_shard = sa.Table(
    "run_shard",
    metadata,
    sa.Column("run_id", Whole, nullable=False),
    sa.Column("step", Key, nullable=False),  # draft or post
    sa.Column("shard", Whole, nullable=False),
    sa.Column("accounts", JsonText, nullable=False),  # codes that are drafted together; empty for posting
    sa.Column("first_position", Whole, nullable=False),  # of the posting manifest; 0 for drafting
    sa.Column("last_position", Whole, nullable=False),
    sa.Column("size", Whole, nullable=False),  # accounts or documents in it
    sa.Column("saved", Whole, nullable=False, server_default="0"),  # of these, so many are saved
    sa.Column("state", Key, nullable=False, server_default="pending"),
    sa.Column("owner", Key, nullable=False, server_default=""),  # the worker that has it, or had it last
    sa.Column("token", Whole, nullable=False, server_default="0"),  # counts who took it; only the last one may save
    sa.Column("lease_until", Instant),
    sa.Column("claimed_at", Instant),
    sa.Column("ended_at", Instant),
    sa.Column("error", sa.Text, nullable=False, server_default=""),  # why the last worker gave it back
    sa.Column("overruns", Whole, nullable=False, server_default="0"),  # how often its worker hung and was ended
    sa.PrimaryKeyConstraint("run_id", "step", "shard"),
    sa.CheckConstraint("step IN ('draft', 'post')"),
    sa.CheckConstraint("state IN ('pending', 'claimed', 'done')"),
    sa.CheckConstraint("(state = 'claimed') = (lease_until IS NOT NULL)"),
    sa.CheckConstraint("saved BETWEEN 0 AND size"),
    sqlite_strict=True,
)


def guards() -> Iterator[Guard]:
    """Yield the guards of the table."""
    fixed = ("run_id", "step", "shard", "accounts", "first_position", "last_position", "size")
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in fixed)
    yield Guard(
        name="run_shard_fixed",
        table="run_shard",
        event="UPDATE",
        message=SHARD,
        refuse_when=f"OLD.state = 'done' OR NEW.token < OLD.token OR NEW.saved < OLD.saved OR {changed}",
    )
    yield Guard(
        name="run_shard_kept",
        table="run_shard",
        event="DELETE",
        message=SHARD,
        refuse_when="OLD.state = 'done' AND EXISTS (SELECT 1 FROM run r WHERE r.id = OLD.run_id AND r.kind <> 'rehearsal')",
    )
    yield not_replaced(run_shard, SHARD)
    yield from never_emptied(["run_shard"], SHARD)


def add_overruns(connection: Connection) -> None:
    """Add the count of overruns to a table that was made without it; part of a migration."""
    names = {column["name"] for column in sa.inspect(connection).get_columns("run_shard")}
    if "overruns" not in names:
        connection.exec_driver_sql(
            "ALTER TABLE run_shard ADD COLUMN overruns BIGINT NOT NULL DEFAULT 0"
            if connection.dialect.name == "postgresql"
            else "ALTER TABLE run_shard ADD COLUMN overruns INTEGER NOT NULL DEFAULT 0"
        )


def create_shard_tables(connection: Connection) -> None:
    """Create the table with its guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
