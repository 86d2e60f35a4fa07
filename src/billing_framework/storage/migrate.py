"""Brings a database to the schema of this version, and checks that it is there with all its guards.

The migrations are Alembic's, embedded in the package. The core has one branch; each plugin with tables of its own has another,
in a folder that the plugin names.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from billing_framework.storage.engine import Database
from billing_framework.storage.guard_check import guard_findings
from billing_framework.storage.guard_proof import core_guards, stated_findings
from billing_framework.values.errors import StorageError
from billing_framework.values.finding import Finding, Severity

_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 4_711_001


def upgrade(database: Database, *, version_locations: Sequence[Path] = ()) -> None:
    """Bring the schema to the newest revision of the core and of every plugin; does nothing where it is there already.

    All revisions run in one transaction. A second upgrade at the same time waits and then finds nothing to do.

    Args:
        database: the database, opened by a role that may create tables.
        version_locations: folders with the migrations of the plugins.

    Raises:
        StorageError: ``STORAGE07`` where a newer version, or a plugin that is not enabled here, has upgraded the database.
    """
    with database.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        config = alembic_config(version_locations)
        unknown = current_revisions(connection) - _known(ScriptDirectory.from_config(config))
        if unknown:
            raise StorageError("STORAGE07", _ahead(unknown), remedy=_NEWER)
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")


def alembic_config(version_locations: Sequence[Path] = ()) -> Config:
    """Return the Alembic configuration of the embedded migrations and those of the plugins."""
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, [_MIGRATIONS / "versions", *version_locations])))
    return config


def current_revisions(connection: Connection) -> frozenset[str]:
    """Return the revisions that the database is at; empty for a database without our schema."""
    return frozenset(MigrationContext.configure(connection).get_current_heads())


def check(database: Database, *, version_locations: Sequence[Path] = ()) -> list[Finding]:
    """Return what is wrong with schema and guards: revisions, triggers and functions missing, changed or switched off.

    Args:
        database: an open database.
        version_locations: folders with the migrations of the plugins.
    """
    with database.read() as connection:
        return schema_findings(connection, version_locations) or [
            *guard_findings(connection),
            *stated_findings(connection, core_guards()),
        ]


def schema_findings(connection: Connection, version_locations: Sequence[Path] = ()) -> list[Finding]:
    """Return a finding where the schema is not at the newest revision of this version."""
    script = ScriptDirectory.from_config(alembic_config(version_locations))
    expected, found = frozenset(script.get_heads()), current_revisions(connection)
    if found == expected:
        return []
    what = f"the schema is at {', '.join(sorted(found)) or 'nothing'}, this version needs {', '.join(sorted(expected))}"
    remedy = "Run billing db upgrade with the plugins of this deployment enabled"
    if unknown := found - _known(script):
        what, remedy = _ahead(unknown), _NEWER
    return [Finding(code="STORAGE07", severity=Severity.BLOCKING, what=what, remedy=remedy, subject="schema")]


def _known(script: ScriptDirectory) -> frozenset[str]:
    return frozenset(one.revision for one in script.walk_revisions())


def _ahead(unknown: Iterable[str]) -> str:
    return f"the schema is at {', '.join(sorted(unknown))}, which neither this version nor the plugins that are enabled know"


_NEWER = "Install the version that has upgraded the database, and enable the plugins that it has tables of"
