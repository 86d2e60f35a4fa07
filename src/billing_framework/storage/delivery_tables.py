"""The table of deliveries: what has become of each issued document on each of the ways out that a deployment has set up."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import Digest, Instant, Key, Whole
from billing_framework.storage.guard import Guard, create_guards, never_emptied, not_replaced

metadata = sa.MetaData()

KEPT = "DELIVERY06 what was delivered stays noted as it was; a delivery is never taken off the list"

outbox_delivery = sa.Table(
    "outbox_delivery",
    metadata,
    sa.Column("event_id", Whole, nullable=False),
    sa.Column("step", Key, nullable=False),  # name of the delivery in billing.toml
    sa.Column("document", Key, nullable=False),  # number of the document
    sa.Column("state", Key, nullable=False),
    sa.Column("tries", Whole, nullable=False, server_default="0"),
    sa.Column("next_try_at", Instant),  # NULL where nothing is tried by itself any more
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("file", sa.Text, nullable=False, server_default=""),
    sa.Column("sha256", Digest),
    sa.Column("done_at", Instant),
    sa.PrimaryKeyConstraint("event_id", "step"),
    sa.CheckConstraint("state IN ('waiting', 'failed', 'done')"),
    sa.CheckConstraint("(state = 'done') = (done_at IS NOT NULL)"),
    sa.CheckConstraint("state <> 'done' OR next_try_at IS NULL"),
    sqlite_strict=True,
)
sa.Index("outbox_delivery_by_try", outbox_delivery.c.next_try_at, outbox_delivery.c.event_id, outbox_delivery.c.step)
sa.Index("outbox_delivery_by_document", outbox_delivery.c.document)
sa.Index("outbox_delivery_by_state", outbox_delivery.c.step, outbox_delivery.c.state)


def guards() -> Iterator[Guard]:
    """Yield the guards of the table."""
    yield Guard(
        name="outbox_delivery_fixed",
        table="outbox_delivery",
        event="UPDATE",
        message=KEPT,
        refuse_when=(
            "OLD.state = 'done' OR OLD.event_id <> NEW.event_id OR OLD.step <> NEW.step OR OLD.document <> NEW.document"
        ),
    )
    yield Guard(name="outbox_delivery_kept", table="outbox_delivery", event="DELETE", message=KEPT, refuse_when="1 = 1")
    yield not_replaced(outbox_delivery, KEPT)
    yield from never_emptied(["outbox_delivery"], KEPT)


def create_delivery_tables(connection: Connection) -> None:
    """Create the table with its guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
