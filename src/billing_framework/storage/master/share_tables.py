"""The table of shares: which account pays what part of an agreement's charges, and when."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import Day, ExactText, Key, Whole
from billing_framework.storage.guard import Guard, create_guards
from billing_framework.storage.master.account_tables import account, agreement

metadata = sa.MetaData()

share = sa.Table(
    "share",
    metadata,
    sa.Column("agreement", Key, sa.ForeignKey(agreement.c.code), nullable=False),
    sa.Column("payer", Key, sa.ForeignKey(account.c.code), nullable=False, index=True),
    sa.Column("starts_on", Day, nullable=False),
    sa.Column("codes", Key, nullable=False),  # charge codes with blanks between, in order; empty for all
    sa.Column("percent", ExactText),  # NULL for who bears the remainder
    sa.Column("ends_on", Day),
    sa.Column("revision", Whole, nullable=False),
    sa.PrimaryKeyConstraint("agreement", "payer", "starts_on", "codes"),
    sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="share_ends_after_start"),
    sqlite_strict=True,
)

_FITS = "ACCOUNT32 who bears a share has the book and currency of the agreement's account"


def guards() -> Iterator[Guard]:
    """Yield every guard of this table, and the one by which the accounts that pay keep their book and currency."""
    for name, event in (("share_fits", "INSERT"), ("share_fits_changed", "UPDATE")):
        yield Guard(
            name=name,
            table="share",
            event=event,
            message=_FITS,
            refuse_when="EXISTS (SELECT 1 FROM account p, agreement g, account a WHERE p.code = NEW.payer"
            " AND g.code = NEW.agreement AND a.code = g.account AND (p.book <> a.book OR p.currency <> a.currency))",
        )
    yield Guard(
        name="account_of_share_fixed",
        table="account",
        event="UPDATE",
        message="ACCOUNT12 the book and currency of an account never change once it bears a share",
        refuse_when="(OLD.book <> NEW.book OR OLD.currency <> NEW.currency)"
        " AND EXISTS (SELECT 1 FROM share s WHERE s.payer = OLD.code)",
    )


def create_share_tables(connection: Connection) -> None:
    """Create the table with its guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
