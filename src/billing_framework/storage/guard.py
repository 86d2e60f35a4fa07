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


def append_only(table: sa.Table, message: str, *, taken: str = "") -> tuple[Guard, ...]:
    """Return the guards of a table whose rows are only ever added.

    Args:
        table: the table.
        message: code and sentence of the refusal.
        taken: those for a row whose key is there already, where they differ.
    """
    changing = (
        Guard(name=f"{table.name}_{event.lower()}", table=table.name, event=event, refuse_when="1 = 1", message=message)
        for event in ("UPDATE", "DELETE")
    )
    return (*changing, not_replaced(table, taken or message))


def not_replaced(table: sa.Table, message: str) -> Guard:
    """Return the guard against ``INSERT OR REPLACE``, by which SQLite deletes a row without its DELETE triggers.

    Triggers on what REPLACE deletes fire only where a connection asks for it, as ours do; other programs do not. PostgreSQL has
    no such statement, and calls the UPDATE triggers where an insert becomes an update.
    """
    there = (f"EXISTS (SELECT 1 FROM {table.name} WHERE {key})" for key in _unique_keys(table))
    return Guard(
        name=f"{table.name}_taken",
        table=table.name,
        event="INSERT",
        refuse_when=" OR ".join(there),
        message=message,
        only="sqlite",
    )


def _unique_keys(table: sa.Table) -> Iterator[str]:
    """Yield for the primary key and each unique constraint the condition that a stored row has the values of a new one."""
    keys = [constraint.columns for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)]
    for columns in (table.primary_key.columns, *sorted(keys, key=lambda columns: columns.keys())):
        yield " AND ".join(f'"{column.name}" = NEW."{column.name}"' for column in columns)


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
    # A table of the session's own with the name of one of ours would else be read in its place.
    path = " SET search_path = public, pg_temp" if "SELECT" in body else ""
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql{path} AS $$ BEGIN {body} END $$"


def _quoted(message: str) -> str:
    return message.replace("'", "''").replace("%", "%%")
