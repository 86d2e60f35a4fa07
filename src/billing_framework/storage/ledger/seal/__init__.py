"""The seal of the ledger: the guards inside the database, created by the first revision and checked at any time."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from importlib import resources
from typing import Any

from sqlalchemy.engine import Connection


def create_seal(connection: Connection) -> None:
    """Create all triggers and functions of the seal; the tables must exist."""
    script = seal_script(connection.dialect.name)
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "postgresql":
        cursor.execute(script)
    else:
        # executescript() would commit the migration's transaction.
        for statement in sqlite_statements(script):
            cursor.execute(statement)
    cursor.close()


def remake_function(connection: Connection, name: str) -> None:
    """Make a function of the seal anew as this version has it; nothing on SQLite, which has none. Part of a later revision."""
    if connection.dialect.name == "postgresql":
        found = re.search(rf"^CREATE (FUNCTION {name}\(.*?AS \$\$.*?\$\$;)", seal_script("postgresql"), re.DOTALL | re.MULTILINE)
        if found is None:
            raise LookupError(name)
        cursor: Any = connection.connection.cursor()
        cursor.execute(f"CREATE OR REPLACE {found[1]}")
        cursor.close()


def seal_script(dialect: str) -> str:
    """Return the SQL of the seal for ``sqlite`` or ``postgresql``."""
    return (resources.files(__name__) / f"ledger_{dialect}.sql").read_text("utf-8")


def sqlite_statements(script: str) -> Iterator[str]:
    """Yield the statements of an SQLite script; a trigger with its inner statements is one."""
    statement = ""
    for line in script.splitlines(keepends=True):
        if not statement and (not line.strip() or line.startswith("--")):
            continue
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
