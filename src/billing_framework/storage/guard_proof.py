"""Proves that the guards around customers, usage, documents and receivables are in the database as stated, and switched on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage import audit, delivery_tables, row_numbers
from billing_framework.storage.billing import candidate_rows, record_tables, shard_tables
from billing_framework.storage.billing import guards as billing
from billing_framework.storage.guard import SEARCH_PATH, Guard, postgres_body, postgres_trigger, reads_tables, sqlite_trigger
from billing_framework.storage.master import account_tables, master_tables, rate_table_tables, share_tables
from billing_framework.storage.personal import tables as personal
from billing_framework.storage.receivable import answer_tables, reconciliation_tables
from billing_framework.storage.receivable import guards as receivable
from billing_framework.storage.usage import deletion_tables
from billing_framework.storage.usage import tables as usage
from billing_framework.values.finding import Finding, Severity


def core_guards() -> tuple[Guard, ...]:
    """Return all guards of the core outside of the ledger, which is proved by itself."""
    desks = (
        audit.guards(),
        usage.guards(),
        deletion_tables.guards(),
        account_tables.guards(),
        master_tables.guards(),
        rate_table_tables.guards(),
        share_tables.guards(),
        billing.guards(),
        record_tables.guards(),
        shard_tables.guards(),
        delivery_tables.guards(),
        candidate_rows.guards(),
        receivable.guards(),
        answer_tables.guards(),
        reconciliation_tables.guards(),
        personal.guards(),
        row_numbers.guards(),
    )
    return tuple(guard for guards in desks for guard in guards)


def stated_findings(connection: Connection, guards: Iterable[Guard]) -> list[Finding]:
    """Return a finding for each of the guards that is missing, changed or switched off."""
    own = [guard for guard in guards if guard.only in ("", connection.dialect.name)]
    found = _sqlite_findings(connection, own) if connection.dialect.name == "sqlite" else _postgres_findings(connection, own)
    return list(found)


def _sqlite_findings(connection: Connection, guards: Iterable[Guard]) -> Iterator[Finding]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    stored = {row.name: row.sql for row in connection.exec_driver_sql(query)}
    for guard in guards:
        if guard.name not in stored:
            yield _finding(guard, "missing")
        elif stored[guard.name] != sqlite_trigger(guard):
            yield _finding(guard, "changed")


def _postgres_findings(connection: Connection, guards: Sequence[Guard]) -> Iterator[Finding]:
    functions = {
        row.proname: (row.prosrc, row.proconfig)
        for row in connection.execute(
            sa.text("SELECT proname, prosrc, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        )
    }
    triggers = {
        row.tgname: row
        for row in connection.execute(
            sa.text(
                "SELECT tgname, tgenabled::text AS enabled, pg_get_triggerdef(t.oid) AS definition FROM pg_trigger t"
                " JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal AND NOT relispartition"
            )
        )
    }
    wanted = [(guard, postgres_body(guard), postgres_trigger(guard), reads_tables(guard)) for guard in guards]
    lock = Guard(name=receivable.LOCK, table="allocation", event="INSERT", refuse_when="", message="AR33 items are locked first")
    if any(guard.table == lock.table for guard in guards):
        wanted.append((lock, receivable.LOCK_BODY, receivable.LOCK_TRIGGER, True))
    for guard, body, definition, reads in wanted:
        trigger = triggers.get(guard.name)
        path = [f"search_path={SEARCH_PATH}"] if reads else None
        if trigger is None or guard.name not in functions:
            yield _finding(guard, "missing")
        elif trigger.enabled not in ("O", "A"):
            yield _finding(guard, "switched off")
        elif functions[guard.name] != (body, path) or _bare(trigger.definition) != definition:
            yield _finding(guard, "changed")
    on_partitions = [(guard, definition) for guard, _, definition, _ in wanted if guard.name in triggers]
    yield from _partition_findings(connection, on_partitions)


def _partition_findings(connection: Connection, wanted: Sequence[tuple[Guard, str]]) -> Iterator[Finding]:
    """Yield what is wrong with the triggers of partitions, which watch who writes to a partition directly."""
    partitions: dict[str, list[str]] = {}
    query = "SELECT inhparent::regclass::text AS parent, inhrelid::regclass::text AS name FROM pg_inherits ORDER BY 1, 2"
    for row in connection.execute(sa.text(query)):
        partitions.setdefault(row.parent, []).append(row.name)
    query = (
        "SELECT c.relname AS owner, tgname, tgenabled::text AS enabled, pg_get_triggerdef(t.oid) AS definition FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = tgrelid WHERE (NOT tgisinternal OR tgparentid <> 0) AND relispartition"
    )
    triggers = {(row.owner, row.tgname): row for row in connection.execute(sa.text(query))}
    for guard, definition in wanted:
        for partition in partitions.get(guard.table, ()):
            trigger = triggers.get((partition, guard.name))
            if trigger is None:
                yield _finding(guard, f"missing on {partition}")
            elif trigger.enabled not in ("O", "A"):
                yield _finding(guard, f"switched off on {partition}")
            elif _bare(trigger.definition) != definition.replace(f" ON {guard.table} ", f" ON {partition} ", 1):
                yield _finding(guard, f"changed on {partition}")


def _bare(definition: str) -> str:
    return definition.replace(" ON public.", " ON ").replace("FUNCTION public.", "FUNCTION ")


def _finding(guard: Guard, state: str) -> Finding:
    return Finding(
        code="STORAGE19",
        severity=Severity.BLOCKING,
        what=f"the trigger {guard.name} that guards the table {guard.table} is {state}: {guard.message}",
        remedy="Find out who did it, look at what the table holds, and restore the schema from a backup",
        subject=guard.table,
    )
