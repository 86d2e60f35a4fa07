"""The tables of answers: what a third party's file said, once for ever, and what became of each of its items."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import CurrencyCode, Day, Digest, Instant, JsonText, Key, MinorUnits, Whole
from billing_framework.storage.guard import Guard, append_only, create_guards, never_emptied, not_replaced

metadata = sa.MetaData()

KEPT = "ANSWER20 what an answer said is kept as it was; only what becomes of a waiting item is added"

answer = sa.Table(
    "answer",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("book", Key, nullable=False),
    sa.Column("payer", Key, nullable=False),
    sa.Column("trace", Key, nullable=False),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("amount", MinorUnits, nullable=False),
    sa.Column("paid_on", Day, nullable=False),
    sa.Column("method", Key, nullable=False),
    sa.Column("payment_id", Whole, unique=True),  # the money that came for it; NULL where it is zero
    sa.Column("format", Key, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("sha256", Digest, nullable=False),  # of the file
    sa.Column("actor", Key, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.UniqueConstraint("book", "payer", "trace"),
    sa.CheckConstraint("amount >= 0"),
    sqlite_strict=True,
)
sa.Index("answer_by_trace", answer.c.trace)

STATES = ("posted", "suspended", "conflict", "discarded")
"""What an item may be; whoever looks for denials names all, because their index begins with the state."""

answer_item = sa.Table(
    "answer_item",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("answer_id", Whole, nullable=False),
    sa.Column("position", Whole, nullable=False),  # 1-based, in order of the file; officers name it TRACE/POSITION
    sa.Column("part", Key, nullable=False),  # item: of a document; adjustment: of none
    sa.Column("key", Key, nullable=False),
    sa.Column("document", Key, nullable=False),
    sa.Column("reference", Key, nullable=False),
    sa.Column("status", Key, nullable=False),  # as the third party says
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("amount", MinorUnits, nullable=False),  # what it takes out of the payment; below zero it adds
    sa.Column("content", JsonText, nullable=False),
    sa.Column("digest", Digest, nullable=False),  # of the content: the same key with another is a conflict
    sa.Column("reverses_id", Whole, unique=True),  # the item that this one has taken back
    sa.Column("state", Key, nullable=False),
    sa.Column("denial", Key, nullable=False, server_default=""),  # of what stays open: open, closed; else empty
    sa.Column("denied", MinorUnits, nullable=False, server_default="0"),
    sa.Column("findings", JsonText, nullable=False),  # why it waits
    sa.Column("given", JsonText, nullable=False),  # what officers added: document, next_account
    sa.Column("made", JsonText, nullable=False),  # role, adjustment code and key of each open item
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("decided_by", Key),
    sa.Column("decided_at", Instant),
    sa.UniqueConstraint("answer_id", "position"),
    sa.CheckConstraint("part IN ('item', 'adjustment')"),
    sa.CheckConstraint(f"state IN {STATES}"),
    sa.CheckConstraint("denial IN ('', 'open', 'closed')"),
    sqlite_strict=True,
)
sa.Index("answer_item_by_answer", answer_item.c.answer_id, answer_item.c.position)
sa.Index("answer_item_by_document", answer_item.c.document)
sa.Index("answer_item_by_state", answer_item.c.state, answer_item.c.denial)

_FACTS = (
    "id", "answer_id", "position", "part", "key", "document", "reference", "status", "currency", "amount", "content", "digest",
)  # fmt: skip


def guards() -> tuple[Guard, ...]:
    """Return every guard: what was said never changes, and what is decided is decided once."""
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in _FACTS)
    booked = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in ("state", "made", "denied", "reverses_id"))
    return (
        *append_only(answer, KEPT),
        Guard(
            name="answer_item_frozen",
            table="answer_item",
            event="UPDATE",
            refuse_when=f"{changed} OR (OLD.state IN ('posted', 'discarded') AND ({booked}))"
            " OR (OLD.denial = 'closed' AND NEW.denial <> 'closed')",
            message=KEPT,
        ),
        not_replaced(answer_item, KEPT),
        Guard(name="answer_item_kept", table="answer_item", event="DELETE", refuse_when="1 = 1", message=KEPT),
        *never_emptied(sorted(metadata.tables), KEPT),
    )


def create_answer_tables(connection: Connection) -> None:
    """Create the tables with their guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
