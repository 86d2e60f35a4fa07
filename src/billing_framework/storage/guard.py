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
        event: ``INSERT``, ``UPDATE`` or ``DELETE``; ``TRUNCATE`` on PostgreSQL.
        refuse_when: SQL condition over ``OLD`` and ``NEW``, understood by both databases.
        message: code and sentence of the refusal.
        only: ``sqlite`` or ``postgresql`` where the other database holds the rule in another way.
        at_once: True for a rule about ``NEW`` rows that looks at other tables: PostgreSQL then asks it once for all rows of a
            statement, when they are written, and takes the statement back. A call for every row is what many rows cost most.
            SQLite has no such triggers.
    """

    name: str
    table: str
    event: str
    refuse_when: str
    message: str
    only: str = ""
    at_once: bool = False


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


def row_taken(table: str, keys: str, message: str) -> Guard:
    """Return the guard against ``INSERT OR REPLACE`` for a table without a unique key, whose keys another table holds.

    Nobody names the number of a stored row, nor adds a second row for a stored key; keys are stored after their rows. Rows of
    SQLite have a number; of one that the database is still to number it is -1, which it gives to none.

    Args:
        table: the table.
        keys: the table that holds its keys, with a column ``key`` as it has itself.
        message: code and sentence of the refusal.
    """
    there = f'{number_taken(table)} OR EXISTS (SELECT 1 FROM {keys} WHERE "key" = NEW."key")'
    return Guard(name=f"{table}_taken", table=table, event="INSERT", refuse_when=there, message=message, only="sqlite")


def number_taken(table: str) -> str:
    """Return the condition that a new row names the number of a stored one, on SQLite."""
    return f"(NEW.rowid <> -1 AND EXISTS (SELECT 1 FROM {table} WHERE rowid = NEW.rowid))"


def _unique_keys(table: sa.Table) -> Iterator[str]:
    """Yield for the primary key and each unique constraint the condition that a stored row has the values of a new one."""
    keys = [constraint.columns for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)]
    for columns in (table.primary_key.columns, *sorted(keys, key=lambda columns: columns.keys())):
        yield " AND ".join(f'"{column.name}" = NEW."{column.name}"' for column in columns)


def never_emptied(tables: Iterable[str], message: str) -> tuple[Guard, ...]:
    """Return the guards against TRUNCATE on PostgreSQL, which fires no row trigger; SQLite has no such statement."""
    return tuple(
        Guard(name=f"{table}_truncate", table=table, event="TRUNCATE", refuse_when="1 = 1", message=message, only="postgresql")
        for table in tables
    )


def create_guards(connection: Connection, guards: Iterable[Guard]) -> None:
    """Create the guards; part of the migration that creates their tables."""
    dialect = connection.dialect.name
    for guard in guards:
        if guard.only in ("", dialect):
            statements = [sqlite_trigger(guard)]
            if dialect == "postgresql":
                statements = [postgres_function(guard), postgres_trigger(guard)]
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%") if dialect == "postgresql" else statement)


ROW_BY_ROW = " LIMIT 1 OFFSET 0"
"""Ends a look at another table for each row of a guard that is asked `at_once`.

PostgreSQL would make a join of it, and what it expects of a table that it has never analyzed is wrong by orders of magnitude; so
it looks in the index for each row.
"""

_WRITTEN = "written"
"""Name of the rows that a statement has written, where a guard looks at all of them at once."""

SEARCH_PATH = "public, pg_temp"
"""Where guards look for tables: a table of the session's own with the name of one of ours would else be read in its place."""


def reads_tables(guard: Guard) -> bool:
    """Return whether the guard looks at more than the row itself."""
    return "SELECT" in guard.refuse_when


def sqlite_trigger(guard: Guard) -> str:
    """Return the statement that creates the guard on SQLite."""
    # SQLite before 3.39 does not know the standard's words for a comparison that NULL cannot escape.
    condition = guard.refuse_when.replace("IS DISTINCT FROM", "IS NOT")
    return (
        f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{_quoted(guard.message)}'); END"
    )


def postgres_trigger(guard: Guard) -> str:
    """Return the statement that creates the guard's trigger on PostgreSQL, in the words in which the server tells it again."""
    if guard.at_once:
        when = f"AFTER {guard.event} ON {guard.table} REFERENCING NEW TABLE AS {_WRITTEN}"
        return f"CREATE TRIGGER {guard.name} {when} FOR EACH STATEMENT EXECUTE FUNCTION {guard.name}()"
    each = "STATEMENT" if guard.event == "TRUNCATE" else "ROW"
    return f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} FOR EACH {each} EXECUTE FUNCTION {guard.name}()"


def postgres_function(guard: Guard, *, again: bool = False) -> str:
    """Return the statement that creates the guard's function on PostgreSQL; `again` puts it in the place of an earlier one."""
    create = "CREATE OR REPLACE" if again else "CREATE"
    path = f" SET search_path = {SEARCH_PATH}" if reads_tables(guard) else ""
    return f"{create} FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql{path} AS $${postgres_body(guard)}$$"


def postgres_body(guard: Guard) -> str:
    """Return the body of the guard's function on PostgreSQL.

    A session plans the statements of a function once. One about many rows that was planned while a table was empty would read
    all of that table for each of them ever after; so it is planned for each statement anew, by ``EXECUTE``.
    """
    refusal = f"RAISE EXCEPTION '{_quoted(guard.message)}'; END IF; RETURN"
    if guard.at_once:
        condition = guard.refuse_when.replace("NEW.", f"{_WRITTEN}.").replace("'", "''")
        query = f"SELECT EXISTS (SELECT 1 FROM {_WRITTEN} WHERE {condition})"
        return f" DECLARE is_refused boolean; BEGIN EXECUTE '{query}' INTO is_refused; IF is_refused THEN {refusal} NULL; END "
    row = {"DELETE": "OLD", "TRUNCATE": "NULL"}.get(guard.event, "NEW")
    return f" BEGIN IF ({guard.refuse_when}) THEN {refusal} {row}; END "


def _quoted(message: str) -> str:
    return message.replace("'", "''").replace("%", "%%")
