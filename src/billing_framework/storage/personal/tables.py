"""The table of the keys of people: one wrapped key per owner and generation, without which what was sealed under it is noise."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import Instant, Key, Sealed, Whole
from billing_framework.storage.guard import Guard, create_guards, never_emptied, not_replaced

metadata = sa.MetaData()

personal_key = sa.Table(
    "personal_key",
    metadata,
    # Who the data are about: subject:IDENTIFIER, party:CODE; or batch:NUMBER where that could not be read.
    sa.Column("owner", Key, nullable=False),
    # Counts up where data come in again after an erasure; what was sealed under an erased generation stays closed.
    sa.Column("generation", Whole, nullable=False),
    sa.Column("key_id", Key, nullable=False),  # the deployment's key that wraps it
    sa.Column("wrapped", Sealed),  # NULL once it is erased
    sa.Column("erased_at", Instant),
    sa.PrimaryKeyConstraint("owner", "generation"),
    sa.CheckConstraint("(wrapped IS NULL) = (erased_at IS NOT NULL)", name="personal_key_erased"),
    sqlite_strict=True,
)
sa.Index("personal_key_by_key", personal_key.c.key_id)

_KEPT = "PERSONAL09 the key of a person is wrapped anew or erased, and stands for one owner for ever"


def guards() -> tuple[Guard, ...]:
    """Return every guard of the table."""
    return (
        Guard(name="personal_key_kept", table="personal_key", event="DELETE", refuse_when="1 = 1", message=_KEPT),
        Guard(
            name="personal_key_same",
            table="personal_key",
            event="UPDATE",
            refuse_when="OLD.owner <> NEW.owner OR OLD.generation <> NEW.generation OR OLD.erased_at IS NOT NULL",
            message=_KEPT,
        ),
        not_replaced(personal_key, _KEPT),
        *never_emptied(["personal_key"], _KEPT),
    )


def create_personal_tables(connection: Connection) -> None:
    """Create the table with its guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
