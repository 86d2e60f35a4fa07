"""Many rows changed by one statement each road of its database: what differs from row to row stands in a table of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.bulk import converted
from billing_framework.storage.engine_errors import driver_errors_translated
from billing_framework.values.plain_form import text_of_plain


def bulk_update(
    connection: Connection,
    table: sa.Table,
    columns: Sequence[str],
    keys: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    counter: str = "",
) -> int:
    """Change rows of a table, found by their keys, within the transaction of `connection`, and return how many were found.

    Args:
        connection: a connection with an open write transaction.
        table: the table.
        columns: names of the columns that change.
        keys: names of the columns that tell its rows apart.
        rows: for each row the new values, then those of the keys, as Python values of the columns' types.
        counter: name of the one of the keys that counts the changes of a row, where there is one; it goes up by one.
    """
    names = (*columns, *keys)
    ready = list(converted(connection, table, names, rows))
    if not ready:
        return 0
    quote = connection.dialect.identifier_preparer.quote
    raised = f", {quote(counter)} = {{}}{quote(counter)} + 1" if counter else ""
    cursor: Any = connection.connection.cursor()
    with driver_errors_translated():
        if connection.dialect.name == "sqlite":
            values = ", ".join(f"{quote(name)} = ?" for name in columns)
            found = " AND ".join(f"{quote(name)} = ?" for name in keys)
            cursor.executemany(f"UPDATE {quote(table.name)} SET {values}{raised.format('')} WHERE {found}", ready)
        else:
            kinds = [table.c[name].type.compile(dialect=connection.dialect).partition(" COLLATE")[0] for name in names]
            fields = ", ".join(f"{quote(name)} {kind}" for name, kind in zip(names, kinds, strict=True))
            values = ", ".join(f"{quote(name)} = v.{quote(name)}" for name in columns)
            found = " AND ".join(f"t.{quote(name)} = v.{quote(name)}" for name in keys)
            changed = f"UPDATE {quote(table.name)} AS t SET {values}{raised.format('t.')}"
            cursor.execute(
                f"{changed} FROM json_to_recordset(%s) AS v({fields}) WHERE {found}",
                [text_of_plain([dict(zip(names, map(_plain, row), strict=True)) for row in ready])],  # one parameter for all
            )
    found_rows: int = cursor.rowcount
    cursor.close()
    return found_rows


def _plain(value: Any) -> Any:
    """Return a value in the form of the driver as PostgreSQL reads it from JSON."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return f"\\x{value.obj.hex()}"  # the driver wraps bytes
