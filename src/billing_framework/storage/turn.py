"""Turns: work that must not be done by two processes at once is done by one after the other."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.values.identity import natural_id


def take_turn(connection: Connection, work: str, subject: str) -> None:
    """Wait until no other transaction does this work on this subject, and keep others from it until this one ends.

    What is read afterwards is what the one before has committed. SQLite has one writer and needs nothing.

    Args:
        connection: a connection with an open write transaction.
        work: what is done, for example ``run start``.
        subject: what it is done to, for example the code of a book.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": natural_id("turn", work, subject)})
