"""Proves that the guards of the ledger are in the database as this version made them, and switched on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.ledger.seal import seal_script, sqlite_statements
from billing_framework.values.finding import Finding, Severity

_FUNCTION = re.compile(r"CREATE FUNCTION (?P<name>\w+)\((?P<head>.*?)AS \$\$(?P<body>.*?)\$\$", re.DOTALL)
_TRIGGER = re.compile(r"^CREATE (?:CONSTRAINT )?TRIGGER (?P<name>\w+) (?P<rest>[^;]+?);", re.MULTILINE)
_TABLE = re.compile(r" ON (?:public\.)?(\w+)")
# On every partition: what the parent's triggers, which are per statement, do not watch.
_ON_PARTITIONS = ("posting_noted", "posting_append_only")


def guard_findings(connection: Connection) -> list[Finding]:
    """Return a finding for every guard of the ledger that is missing, changed or switched off."""
    found = _sqlite_findings(connection) if connection.dialect.name == "sqlite" else _postgres_findings(connection)
    return list(found)


def _sqlite_findings(connection: Connection) -> Iterator[Finding]:
    stored = {
        name: _plain(sql)
        for name, sql in connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    }
    for statement in sqlite_statements(seal_script("sqlite")):
        name = statement.split()[2]
        if stored.get(name) != _plain(statement):
            yield _finding(f"trigger {name}", "missing" if name not in stored else "changed")
    for setting in ("foreign_keys", "recursive_triggers"):
        if connection.exec_driver_sql(f"PRAGMA {setting}").scalar() != 1:
            yield _finding(f"setting {setting}", "switched off")


def _postgres_findings(connection: Connection) -> Iterator[Finding]:
    script = seal_script("postgresql")
    functions = {
        row.proname: row
        for row in connection.execute(
            sa.text("SELECT proname, prosrc, prosecdef FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        )
    }
    for match in _FUNCTION.finditer(script):
        row = functions.get(match["name"])
        if row is None:
            yield _finding(f"function {match['name']}", "missing")
        elif _plain(row.prosrc) != _plain(match["body"]) or row.prosecdef != ("SECURITY DEFINER" in match["head"]):
            yield _finding(f"function {match['name']}", "changed")
    triggers = {
        (row.owner, row.tgname): row
        for row in connection.execute(
            sa.text(
                "SELECT c.relname AS owner, t.tgname, t.tgenabled::text AS enabled, pg_get_triggerdef(t.oid) AS definition"
                " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal"
            )
        )
    }
    for owner, name, definition in _expected_triggers(connection, script):
        row = triggers.get((owner, name))
        if row is None:
            yield _finding(f"trigger {name} on {owner}", "missing")
        elif _plain(row.definition).replace("public.", "") != definition:
            yield _finding(f"trigger {name} on {owner}", "changed")
    for (owner, name), row in triggers.items():
        if row.enabled not in ("O", "A"):
            yield _finding(f"trigger {name} on {owner}", "switched off")


def _expected_triggers(connection: Connection, script: str) -> Iterator[tuple[str, str, str]]:
    """Yield table, name and definition of every trigger that must be there, those of the partitions included."""
    partitions = list(
        connection.scalars(sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'posting'::regclass"))
    )
    for match in _TRIGGER.finditer(script):
        definition = _plain(match[0]).rstrip(";")
        table = _TABLE.search(definition)
        if table is None:
            continue
        yield table[1], match["name"], definition
        if match["name"] in _ON_PARTITIONS:
            for partition in partitions:
                yield partition, match["name"], definition.replace(" ON posting ", f" ON {partition} ", 1)


def _plain(sql: str) -> str:
    return " ".join(sql.split()).rstrip(";")


def _finding(what: str, state: str) -> Finding:
    return Finding(
        code="LEDGER26",
        severity=Severity.BLOCKING,
        what=f"the {what} that guards the ledger is {state}",
        remedy="Find out who did it, run billing ledger verify, and restore the schema from a backup",
        subject=what,
    )
