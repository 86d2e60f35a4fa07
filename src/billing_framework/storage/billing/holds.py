"""Holds that keep accounts from being billed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.hold_tables import hold
from billing_framework.storage.many import one_of, rows_of


def billing_holds(connection: Connection, accounts: Iterable[str], on: date) -> dict[str, str]:
    """Return the accounts that a hold keeps from being billed on a day, with its reason.

    Args:
        connection: a connection.
        accounts: codes of accounts.
        on: the day.
    """
    return {
        row.scope_key: row.text or row.reason
        for row in rows_of(
            connection,
            accounts,
            lambda some: sa.select(hold).where(
                hold.c.scope == "account",
                one_of(hold.c.scope_key, some),
                hold.c.outcome.is_(None),
                hold.c.starts_on <= on,
                sa.or_(hold.c.until.is_(None), hold.c.until > on),
            ),
        )
        if "billing" in row.blocks
    }
