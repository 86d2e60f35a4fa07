"""The tables of usage that all kinds share: batches, dedupe keys, subjects, suspense and coverage.

Each usage kind has a table of its own besides, derived from its class in `usage_kind_table`. Usage rows carry neither account nor
billed mark: which agreement a record belongs to is decided by dated assignments, and what a run billed is linked from the run.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import Digest, Instant, JsonText, Key, Whole
from billing_framework.storage.guard import Guard, append_only, create_guards, never_emptied, not_replaced

metadata = sa.MetaData()

USAGE_APPEND_ONLY = "USAGE08 usage records are immutable; a correction is a new version from the source"

usage_batch = sa.Table(
    "usage_batch",
    metadata,
    # Batches are numbered in the order in which they were taken in; "known at a run" means "of a batch up to this number".
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("natural_key", Whole, nullable=False, unique=True),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("sha256", Digest, nullable=False),
    sa.Column("format", Key, nullable=False),
    sa.Column("source", Key, nullable=False),
    sa.Column("zone", Key, nullable=False),
    sa.Column("options", JsonText, nullable=False),
    sa.Column("taken_at", Instant, nullable=False),
    sa.Column("actor", Key, nullable=False),
    sa.Column("records", Whole, nullable=False),
    sa.Column("accepted", Whole, nullable=False),
    sa.Column("duplicate", Whole, nullable=False),
    sa.Column("suspended", Whole, nullable=False),
    sa.Column("rejected", Whole, nullable=False),
    sa.Column("superseding", Whole, nullable=False),
    sa.Column("by_kind", JsonText, nullable=False),
    sa.Column("start_at", Instant),
    sa.Column("end_at", Instant),
    sa.Column("expected_values", Whole, nullable=False),
    sa.Column("received_values", Whole, nullable=False),
    sa.Column("findings", JsonText, nullable=False),
    sa.CheckConstraint("records = accepted + duplicate + suspended + rejected", name="usage_batch_balanced"),
    sqlite_strict=True,
)
sa.Index("usage_batch_by_time", usage_batch.c.taken_at)

usage_subject = sa.Table(
    "usage_subject",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("identifier", Key, nullable=False),
    sqlite_strict=True,
)
usage_subject_by_identifier = sa.Index("usage_subject_by_identifier", usage_subject.c.identifier)

usage_key = sa.Table(
    "usage_key",
    metadata,
    sa.Column("key", Whole, primary_key=True, autoincrement=False),
    sa.Column("kind", Key, nullable=False),
    # Where the record stands: the tables of the kinds have one index only, by subject and start.
    sa.Column("subject_id", Whole, nullable=False),
    sa.Column("start_at", Instant, nullable=False),
    sa.Column("slot_key", Whole, nullable=False),  # 0 where records of the kind never replace each other
    sa.Column("version", Whole, nullable=False),
    sa.Column("batch_id", Whole, nullable=False),
    sqlite_strict=True,
)
_IN_SLOT = usage_key.c.slot_key != 0
sa.Index("usage_key_by_slot", usage_key.c.slot_key, usage_key.c.version, sqlite_where=_IN_SLOT, postgresql_where=_IN_SLOT)

usage_suspense = sa.Table(
    "usage_suspense",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("batch_id", Whole, sa.ForeignKey("usage_batch.id", deferrable=True, initially="DEFERRED"), nullable=False),
    sa.Column("record_key", Whole, nullable=False),
    sa.Column("digest", Digest, nullable=False),
    sa.Column("state", Key, nullable=False),
    sa.Column("kind", Key, nullable=False),
    sa.Column("source", Key, nullable=False),
    sa.Column("external_id", Key, nullable=False),
    sa.Column("subject", Key, nullable=False),
    sa.Column("line", Whole, nullable=False),
    sa.Column("findings", JsonText, nullable=False),
    sa.Column("record", JsonText),
    sa.Column("raw", sa.Text, nullable=False),
    # Personal data: the body of the record, or its text, encrypted; `record` and `raw` then hold the rest.
    sa.Column("sealed", JsonText),
    sa.Column("resolved_batch_id", Whole),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("revision", Whole, nullable=False, server_default="1"),
    sa.UniqueConstraint("record_key", "digest", name="usage_suspense_once"),
    sa.CheckConstraint("state IN ('suspended', 'rejected', 'accepted', 'duplicate', 'written_off')", name="usage_suspense_state"),
    sqlite_strict=True,
)
sa.Index("usage_suspense_by_state", usage_suspense.c.state, usage_suspense.c.batch_id)

usage_coverage = sa.Table(
    "usage_coverage",
    metadata,
    sa.Column("batch_id", Whole, nullable=False),
    sa.Column("position", Whole, nullable=False),
    sa.Column("subject", Key, nullable=False),
    sa.Column("start_at", Instant, nullable=False),
    sa.Column("end_at", Instant, nullable=False),
    sa.Column("expected", Whole, nullable=False),
    sa.Column("received", Whole, nullable=False),
    sa.Column("missing", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("batch_id", "position"),
    sqlite_strict=True,
)
sa.Index("usage_coverage_by_subject", usage_coverage.c.subject)

_ONLY_ADDED = (usage_batch, usage_subject, usage_key, usage_coverage)
ONLY_ADDED = tuple(table.name for table in _ONLY_ADDED)
"""Tables whose rows are only ever added."""


_KEPT = "USAGE16 what waits in suspense is accepted or written off, never removed"


def guards() -> Iterator[Guard]:
    """Yield every guard of these tables."""
    for table in _ONLY_ADDED:
        yield from append_only(table, USAGE_APPEND_ONLY)
    yield Guard(name="usage_suspense_kept", table="usage_suspense", event="DELETE", refuse_when="1 = 1", message=_KEPT)
    yield Guard(
        name="usage_suspense_same",
        table="usage_suspense",
        event="UPDATE",
        message=_KEPT,
        refuse_when="OLD.id <> NEW.id OR OLD.batch_id <> NEW.batch_id OR OLD.line <> NEW.line OR OLD.raw <> NEW.raw",
    )
    yield not_replaced(usage_suspense, _KEPT)
    yield from never_emptied([*ONLY_ADDED, "usage_suspense"], USAGE_APPEND_ONLY)


def create_usage_tables(connection: Connection) -> None:
    """Create the shared tables with their guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
