"""Brings the database of a deployment to the schema of this version and of its plugins, and checks it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import audit_event, record
from billing_framework.storage.backup import restore
from billing_framework.storage.billing.guards import input_guards
from billing_framework.storage.guard_proof import stated_findings
from billing_framework.storage.migrate import check, current_revisions, upgrade
from billing_framework.storage.partitions import Partitioned, PartitionReport, add_months
from billing_framework.storage.receivable.reconciliation_tables import held_reconciliation
from billing_framework.storage.roles import grant_application_role
from billing_framework.storage.usage.kind_table import (
    KindTable,
    create_kind_tables,
    kind_guards,
    kind_table_findings,
    kind_tables,
)
from billing_framework.storage.usage.tables import ONLY_ADDED
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan


def upgrade_schema(deployment: Deployment) -> list[str]:
    """Bring the schema to the newest revision, create the tables of new usage kinds, and return what was done.

    The migrations of the core and of the plugins run first; a usage kind whose plugin ships no migration for it gets its table
    derived from its class. Running it again does nothing.
    """
    database = deployment.database
    with database.begin() as connection:
        before = current_revisions(connection)
    upgrade(database, version_locations=migration_folders(deployment))
    with database.begin() as connection:
        after = current_revisions(connection)
        done = [f"revision {revision}" for revision in sorted(after - before)]
        done += [f"table {name}" for name in create_kind_tables(connection, tables_of(deployment))]
        if done:
            record(
                connection,
                deployment.clock.now(),
                deployment.actor,
                "db upgrade",
                object_kind="schema",
                object_key="database",
                before={"revisions": sorted(before)},
                after={"revisions": sorted(after), "done": done},
            )
    return done


def check_schema(deployment: Deployment) -> list[Finding]:
    """Return what is wrong with the schema: old revisions, missing guards, usage tables that differ from their classes."""
    findings = check(deployment.database, version_locations=migration_folders(deployment))
    if findings:
        return findings
    tables = tables_of(deployment)
    with deployment.database.read() as connection:
        guards = [guard for derived in tables for guard in kind_guards(derived)]
        return kind_table_findings(connection, tables) or stated_findings(connection, guards)


def add_partitions(deployment: Deployment, months: Sequence[DateSpan]) -> PartitionReport | None:
    """Make the monthly partitions of usage and of what was rated, on PostgreSQL; return what was done, None on SQLite.

    Args:
        deployment: the deployment, connected as the owner of the schema.
        months: the months that shall have partitions.
    """
    if deployment.database.dialect == "sqlite":
        return None
    tables = [
        Partitioned(table=derived.table.name, column="start_at", guards=kind_guards(derived)) for derived in tables_of(deployment)
    ]
    tables.append(Partitioned(table="document_input", column="month", guards=input_guards()))
    with deployment.database.begin() as connection:
        report = add_months(connection, tables, months)
        if report.added:
            record(
                connection,
                deployment.clock.now(),
                deployment.actor,
                "db partition",
                object_kind="schema",
                object_key="database",
                after={"added": list(report.added)},
            )
    return report


def grant_role(deployment: Deployment, role: str) -> None:
    """Give a role of PostgreSQL the rights that the application needs, and no other: it cannot switch the guards off.

    Raises:
        StorageError: ``STORAGE18`` on SQLite, or for a role that does not exist or could switch the guards off.
    """
    growing = [
        *ONLY_ADDED,
        audit_event.name,
        held_reconciliation.name,
        *(derived.table.name for derived in tables_of(deployment)),
    ]
    with deployment.database.begin() as connection:
        grant_application_role(connection, role, append_only=growing)
        record(
            connection,
            deployment.clock.now(),
            deployment.actor,
            "db grant",
            object_kind="role",
            object_key=role,
            after={"append_only": growing},
        )


def restore_backup(deployment: Deployment, source: Path, *, replace: bool = False) -> None:
    """Make the database what a backup holds, and note in its audit trail that this was done.

    Raises:
        Refused: ``STORAGE12`` where the database holds something and `replace` was not given.
        StorageError: ``STORAGE11`` where the backup is missing or damaged.
    """
    restore(deployment.database, source, replace=replace)
    with deployment.database.begin() as connection:
        record(
            connection,
            deployment.clock.now(),
            deployment.actor,
            "db restore",
            object_kind="schema",
            object_key="database",
            after={"backup": source.name},
        )


def migration_folders(deployment: Deployment) -> list[Path]:
    """Return the folders with the migrations of the plugins, in the order of the plugins."""
    return [plugin.migrations for plugin in deployment.host.plugins if plugin.migrations is not None]


def tables_of(deployment: Deployment) -> list[KindTable]:
    """Return the tables of all usage kinds, in the order in which the kinds were offered."""
    return list(kind_tables(deployment.host.kinds).values())
