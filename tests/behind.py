"""Changes behind the program's back, as the owner of a server or of a file can make them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.engine import Database


def guards_off(connection: Connection) -> None:
    """Switch all guards off: on PostgreSQL for this transaction, on SQLite for good."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        return
    for name in connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        connection.exec_driver_sql(f"DROP TRIGGER {name}")


def behind(database: Database, statement: str, **values: Any) -> int:
    """Execute a statement with all guards off and return how many rows it changed, which are some.

    A colon within the statement is one, unless there are values.
    """
    with database.begin() as connection:
        guards_off(connection)
        changed = connection.execute(sa.text(statement if values else statement.replace(":", "\\:")), values).rowcount
    assert changed > 0
    return changed
