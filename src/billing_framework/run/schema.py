"""Brings the database of a deployment to the schema of this version and of its plugins, and checks it."""

from __future__ import annotations

from pathlib import Path

from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import record
from billing_framework.storage.migrate import current_revisions, schema_findings, upgrade
from billing_framework.storage.usage_kind_table import KindTable, create_kind_tables, kind_table_findings, kind_tables
from billing_framework.values.finding import Finding


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
    """Return what is wrong with the schema: an old revision, or a usage table that differs from its class."""
    with deployment.database.read() as connection:
        findings = schema_findings(connection, migration_folders(deployment))
        return findings or kind_table_findings(connection, tables_of(deployment))


def migration_folders(deployment: Deployment) -> list[Path]:
    """Return the folders with the migrations of the plugins, in the order of the plugins."""
    return [plugin.migrations for plugin in deployment.host.plugins if plugin.migrations is not None]


def tables_of(deployment: Deployment) -> list[KindTable]:
    """Return the tables of all usage kinds, in the order in which the kinds were offered."""
    return list(kind_tables(deployment.host.kinds).values())
