"""The tables of master data about customers: parties, accounts, agreements and assignments.

They refer to each other by code, which never changes; ids are natural ids of the codes, for the tables that grow. `revision`
counts the changes of a row, so that an officer who looked at an older one is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.identifier_range import BETWEEN
from billing_framework.storage.column_types import CurrencyCode, Day, JsonText, Key, Scattered, Whole
from billing_framework.storage.guard import Guard, create_guards
from billing_framework.values.identity import natural_id

metadata = sa.MetaData()


@functools.lru_cache(maxsize=65_536)
def account_id(code: str) -> int:
    """Return the id of the account `code`, the same in every table and on both databases."""
    return natural_id("account", code)


def subject_id(identifier: str) -> int:
    """Return the id of an identifier of the field, by which usage and assignments are joined; those of ranges are negative."""
    key = natural_id("subject", identifier)
    return -key if BETWEEN in identifier else key


party = sa.Table(
    "party",
    metadata,
    sa.Column("code", Key, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("lines", JsonText, nullable=False),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("postcode", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("country", Key, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("tax_id", sa.Text, nullable=False),
    # Where the deployment has a key for personal data: column to what it says, encrypted; the columns are empty then.
    sa.Column("sealed", JsonText),
    sa.Column("revision", Whole, nullable=False),
    sqlite_strict=True,
)

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", Scattered, primary_key=True, autoincrement=False),
    sa.Column("code", Key, nullable=False, unique=True),
    sa.Column("party", Key, sa.ForeignKey("party.code"), nullable=False, index=True),
    sa.Column("book", Key, nullable=False),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("locale", Key, nullable=False),
    sa.Column("zone", Key, nullable=False),
    sa.Column("cycle", Key, nullable=False),
    sa.Column("due_days", Whole, nullable=False),
    # Deferred, so that a file may name an account before the one above it.
    sa.Column("parent", Key, sa.ForeignKey("account.code", deferrable=True, initially="DEFERRED"), index=True),
    sa.Column("payer", Key, nullable=False),
    sa.Column("tax_status", Key, nullable=False),
    sa.Column("tax_jurisdiction", Key, nullable=False),
    sa.Column("exemption", sa.Text, nullable=False),
    sa.Column("allocation", Key, nullable=False),
    sa.Column("status", Key, nullable=False),
    sa.Column("run_group", Key, nullable=False, server_default=""),
    sa.Column("revision", Whole, nullable=False),
    sa.CheckConstraint("payer IN ('self', 'parent') AND (payer = 'self' OR parent IS NOT NULL)", name="account_payer"),
    sa.CheckConstraint("parent IS NULL OR parent <> code", name="account_not_above_itself"),
    sa.CheckConstraint("due_days >= 0", name="account_due_days"),
    sqlite_strict=True,
)
sa.Index("account_by_cycle", account.c.book, account.c.cycle)
sa.Index("account_by_zone", account.c.zone)

agreement = sa.Table(
    "agreement",
    metadata,
    sa.Column("id", Scattered, primary_key=True, autoincrement=False),
    sa.Column("code", Key, nullable=False, unique=True),
    sa.Column("account", Key, sa.ForeignKey("account.code"), nullable=False, index=True),
    sa.Column("plan", Key, nullable=False, index=True),
    sa.Column("starts_on", Day, nullable=False),
    sa.Column("ends_on", Day),
    sa.Column("terms", JsonText, nullable=False),
    sa.Column("succeeds", Key, sa.ForeignKey("agreement.code", deferrable=True, initially="DEFERRED"), unique=True),
    sa.Column("revision", Whole, nullable=False),
    sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="agreement_ends_after_start"),
    sqlite_strict=True,
)

assignment = sa.Table(
    "assignment",
    metadata,
    sa.Column("subject_id", Whole, nullable=False),
    sa.Column("subject", Key, nullable=False),
    sa.Column("agreement", Key, sa.ForeignKey("agreement.code"), nullable=False, index=True),
    sa.Column("starts_on", Day, nullable=False),
    sa.Column("ends_on", Day),
    sa.Column("details", JsonText, nullable=False),
    sa.Column("revision", Whole, nullable=False),
    sa.PrimaryKeyConstraint("subject_id", "starts_on"),
    sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="assignment_ends_after_start"),
    sqlite_strict=True,
)
sa.Index("assignment_by_subject", assignment.c.subject)
# Intake asks for hundreds of thousands of identifiers whose rows lie everywhere; what it asks for stands in this index alone.
sa.Index("assignment_by_dates", assignment.c.subject_id, assignment.c.starts_on, assignment.c.ends_on).ddl_if(dialect="sqlite")

_OVERLAP = "ACCOUNT07 an identifier has one agreement at a time"


def guards() -> Iterator[Guard]:
    """Yield every guard of these tables."""
    yield Guard(
        name="account_fixed",
        table="account",
        event="UPDATE",
        message="ACCOUNT12 the code, book and currency of an account never change once it has an agreement",
        refuse_when="OLD.code <> NEW.code OR OLD.id <> NEW.id OR ((OLD.book <> NEW.book OR OLD.currency <> NEW.currency)"
        " AND EXISTS (SELECT 1 FROM agreement g WHERE g.account = OLD.code))",
    )
    yield Guard(
        name="agreement_fixed",
        table="agreement",
        event="UPDATE",
        message="ACCOUNT12 the code and account of an agreement never change",
        refuse_when="OLD.code <> NEW.code OR OLD.id <> NEW.id OR OLD.account <> NEW.account",
    )
    for name, event in (("assignment_overlap", "INSERT"), ("assignment_overlap_changed", "UPDATE")):
        # PostgreSQL holds this by its exclusion constraint, also between two open transactions; SQLite has one writer.
        itself = "" if event == "INSERT" else " AND NOT (a.subject_id = OLD.subject_id AND a.starts_on = OLD.starts_on)"
        yield Guard(
            name=name,
            table="assignment",
            event=event,
            message=_OVERLAP,
            refuse_when="EXISTS (SELECT 1 FROM assignment a WHERE a.subject_id = NEW.subject_id"
            " AND (NEW.ends_on IS NULL OR a.starts_on < NEW.ends_on)"
            f" AND (a.ends_on IS NULL OR a.ends_on > NEW.starts_on){itself})",
            only="sqlite",
        )


def create_account_tables(connection: Connection) -> None:
    """Create the tables with their guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
    if connection.dialect.name == "postgresql":
        # An id as a range of one is compared by the index types that every server has, without an extension. The server's
        # message quotes the constraint's name, which is how the refusal gets its code.
        connection.execute(
            sa.text(
                f'ALTER TABLE assignment ADD CONSTRAINT "{_OVERLAP}" EXCLUDE USING gist'
                " (int8range(subject_id, subject_id, '[]') WITH &&, daterange(starts_on, ends_on) WITH &&)"
            )
        )
