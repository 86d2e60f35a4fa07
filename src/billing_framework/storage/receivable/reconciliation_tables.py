"""The table of reconciliations of held money: what was counted on a date, kept as it was."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import CurrencyCode, Day, Instant, JsonText, Key, MinorUnits, Whole
from billing_framework.storage.guard import Guard, append_only, create_guards, never_emptied

metadata = sa.MetaData()

KEPT = "AR56 a reconciliation is kept as it was; a later one of the same date stands beside it"

held_reconciliation = sa.Table(
    "held_reconciliation",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("book", Key, nullable=False),
    sa.Column("dated_on", Day, nullable=False),
    sa.Column("number", Whole, nullable=False),  # 1-based among those of the book, date and currency
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("bank", MinorUnits, nullable=False),
    sa.Column("in_transit", MinorUnits, nullable=False),
    sa.Column("outstanding", MinorUnits, nullable=False),
    sa.Column("journal", MinorUnits, nullable=False),
    sa.Column("ledgers", MinorUnits, nullable=False),
    sa.Column("balances", JsonText, nullable=False),  # account, subject and minor units of every ledger
    sa.Column("findings", JsonText, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", Key, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.UniqueConstraint("book", "dated_on", "currency", "number"),
    sa.CheckConstraint("number > 0"),
    sqlite_strict=True,
)


def guards() -> tuple[Guard, ...]:
    """Return every guard: what was counted never changes."""
    return (*append_only(held_reconciliation, KEPT), *never_emptied(sorted(metadata.tables), KEPT))


def create_reconciliation_tables(connection: Connection) -> None:
    """Create the table with its guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
