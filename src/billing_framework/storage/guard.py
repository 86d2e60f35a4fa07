"""A guard: something that the database itself refuses, whoever sends the SQL; stated once for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection


@attrs.frozen(kw_only=True)
class Guard:
    """One refusal, made by a trigger.

    Attributes:
        name: name of the trigger.
        table: table that it watches.
        event: ``INSERT``, ``UPDATE`` or ``DELETE``.
        refuse_when: SQL condition over ``OLD`` and ``NEW``, understood by both databases.
        message: code and sentence of the refusal.
        only: ``sqlite`` or ``postgresql`` where the other database holds the rule in another way.
    """

    name: str
    table: str
    event: str
    refuse_when: str
    message: str
    only: str = ""


def append_only(table: str, message: str) -> tuple[Guard, ...]:
    """Return the guards of a table whose rows are only ever added."""
    return tuple(
        Guard(name=f"{table}_{event.lower()}", table=table, event=event, refuse_when="1 = 1", message=message)
        for event in ("UPDATE", "DELETE")
    )


def create_guards(connection: Connection, guards: Iterable[Guard]) -> None:
    """Create the guards; part of the migration that creates their tables."""
    dialect = connection.dialect.name
    for guard in guards:
        if guard.only in ("", dialect):
            for statement in _statements(guard, dialect):
                connection.exec_driver_sql(statement.replace("%", "%%") if dialect == "postgresql" else statement)


def forbid_truncate(connection: Connection, tables: Iterable[str], message: str) -> None:
    """Forbid TRUNCATE of `tables` on PostgreSQL, which fires no row trigger; SQLite has no such statement."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        connection.execute(sa.text(_function(f"{table}_truncate", f"RAISE EXCEPTION '{_quoted(message)}'; RETURN NULL;")))
        connection.execute(
            sa.text(
                f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_truncate()"
            )
        )


def _statements(guard: Guard, dialect: str) -> Iterator[str]:
    if dialect == "sqlite":
        # SQLite before 3.39 does not know the standard's words for a comparison that NULL cannot escape.
        condition = guard.refuse_when.replace("IS DISTINCT FROM", "IS NOT")
        yield (
            f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} WHEN {condition}"
            f" BEGIN SELECT RAISE(ABORT, '{_quoted(guard.message)}'); END"
        )
        return
    row = "OLD" if guard.event == "DELETE" else "NEW"
    yield _function(
        guard.name, f"IF ({guard.refuse_when}) THEN RAISE EXCEPTION '{_quoted(guard.message)}'; END IF; RETURN {row};"
    )
    yield f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} FOR EACH ROW EXECUTE FUNCTION {guard.name}()"


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def _quoted(message: str) -> str:
    return message.replace("'", "''").replace("%", "%%")
