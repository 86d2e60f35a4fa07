"""The tables of what an officer loads or enters beside customers: books, price plans, tax rates, and manual charges.

A loaded version of a book, plan or tax file stays as it was loaded, with its text and digest: what was known at an instant is
what had been loaded by then.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import CurrencyCode, Day, Digest, ExactText, Instant, Key, Whole
from billing_framework.storage.guard import Guard, append_only, create_guards, never_emptied, not_replaced

metadata = sa.MetaData()

book_version = sa.Table(
    "book_version",
    metadata,
    sa.Column("book", Key, nullable=False),
    sa.Column("version", Whole, nullable=False),  # 1, 2, 3: the newest that was loaded by an instant is the book of then
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sha256", Digest, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("loaded_at", Instant, nullable=False),
    sa.Column("loaded_by", Key, nullable=False),
    sa.PrimaryKeyConstraint("book", "version"),
    sqlite_strict=True,
)

plan_version = sa.Table(
    "plan_version",
    metadata,
    sa.Column("code", Key, nullable=False),
    sa.Column("version", Key, nullable=False),
    sa.Column("valid_from", Day, nullable=False),
    sa.Column("valid_to", Day),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("supersedes", Key, nullable=False),  # version that it corrects, or empty
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("sha256", Digest, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("loaded_at", Instant, nullable=False),
    sa.Column("loaded_by", Key, nullable=False),
    sa.PrimaryKeyConstraint("code", "version"),
    sqlite_strict=True,
)

tax_file = sa.Table(
    "tax_file",
    metadata,
    sa.Column("name", Key, nullable=False),  # of the set of rates; files of different names stand beside each other
    sa.Column("version", Whole, nullable=False),  # 1, 2, 3: the newest that was loaded by an instant holds from then on
    sa.Column("sha256", Digest, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("loaded_at", Instant, nullable=False),
    sa.Column("loaded_by", Key, nullable=False),
    sa.PrimaryKeyConstraint("name", "version"),
    sqlite_strict=True,
)

manual_charge = sa.Table(
    "manual_charge",
    metadata,
    sa.Column("id", Key, primary_key=True),  # shown to officers: account code and number
    sa.Column("account_id", Whole, nullable=False, index=True),
    sa.Column("account", Key, nullable=False),
    sa.Column("agreement", Key, nullable=False),
    sa.Column("code", Key, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("amount", ExactText, nullable=False),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("tax_category", Key, nullable=False),
    sa.Column("service_from", Day, nullable=False),
    sa.Column("service_to", Day, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("entered_at", Instant, nullable=False),
    sa.Column("entered_by", Key, nullable=False),
    sa.Column("withdrawn_at", Instant),
    sa.Column("withdrawn_by", Key),
    sa.Column("withdrawn_reason", sa.Text),
    sa.CheckConstraint("service_to > service_from", name="manual_charge_dates"),
    sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="manual_charge_withdrawn"),
    sqlite_strict=True,
)

_FIXED = (
    "id", "account_id", "account", "agreement", "code", "text", "amount", "currency", "tax_category", "service_from",
    "service_to", "reason", "entered_at", "entered_by",
)  # fmt: skip


def guards() -> Iterator[Guard]:
    """Yield every guard of these tables."""
    yield from append_only(book_version, "BOOK07 a loaded version of a book never changes")
    yield from append_only(plan_version, "PLAN31 a loaded version of a price plan never changes")
    yield from append_only(tax_file, "TAX31 a loaded file of tax rates never changes")
    changed = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in _FIXED)
    yield Guard(
        name="manual_charge_fixed",
        table="manual_charge",
        event="UPDATE",
        message="MANUAL04 a manual charge never changes; withdraw it and enter another",
        refuse_when=f"OLD.withdrawn_at IS NOT NULL OR {changed}",
    )
    yield not_replaced(manual_charge, "MANUAL04 a manual charge never changes; withdraw it and enter another")
    yield Guard(
        name="manual_charge_kept",
        table="manual_charge",
        event="DELETE",
        message="MANUAL04 a manual charge never changes; withdraw it and enter another",
        refuse_when="1 = 1",
    )
    loaded = ("book_version", "plan_version", "tax_file", "manual_charge")
    yield from never_emptied(loaded, "BOOK07 loaded versions are never removed")


def create_master_tables(connection: Connection) -> None:
    """Create the tables with their guards; part of a migration, after the tables of accounts."""
    metadata.create_all(connection)
    create_guards(connection, guards())
