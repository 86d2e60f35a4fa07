"""Migrations: from nothing to current, once; and the check that says what is missing."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.ledger.tables import metadata
from billing_framework.storage.migrate import check, current_revisions, upgrade
from billing_framework.storage.roles import grant_application_role
from billing_framework.values.errors import StorageError
from tests.postgres_server import Server

_PLUGIN_REVISION = '''
"""A table of a plugin."""

import sqlalchemy as sa
from alembic import op

revision = "example_1"
down_revision = None
branch_labels = ("example",)
depends_on = "0001"


def upgrade() -> None:
    """Create it."""
    op.create_table("example", sa.Column("id", sa.BigInteger, primary_key=True))
'''


def test_an_upgraded_database_checks_and_upgrades_to_nothing(database: Database) -> None:
    assert check(database) == []
    with database.read() as connection:
        before = current_revisions(connection)
    upgrade(database)
    with database.read() as connection:
        assert current_revisions(connection) == before != frozenset()
    assert check(database) == []


def test_an_empty_database_says_what_to_do(tmp_path: Path, postgres_server: Server) -> None:
    with postgres_server.fresh_database() as name:
        for url in (f"sqlite:///{tmp_path}/empty.sqlite3", postgres_server.url(name)):
            database = open_database(url)
            (finding,) = check(database)
            assert finding.code == "STORAGE07"
            assert "the schema is at nothing" in finding.what
            assert "billing db upgrade" in finding.remedy
            database.close()


def test_a_plugin_brings_a_branch_of_its_own(database: Database, tmp_path: Path) -> None:
    (tmp_path / "example_1.py").write_text(textwrap.dedent(_PLUGIN_REVISION), encoding="utf-8")
    assert [finding.code for finding in check(database, version_locations=[tmp_path])] == ["STORAGE07"]
    upgrade(database, version_locations=[tmp_path])
    assert check(database, version_locations=[tmp_path]) == []
    with database.read() as connection:
        assert "example" in sa.inspect(connection).get_table_names()


def test_a_schema_of_a_newer_version_is_left_alone(database: Database, tmp_path: Path) -> None:
    """Or of a plugin that is not enabled: who runs this version is told, and nothing is changed."""
    (tmp_path / "example_1.py").write_text(textwrap.dedent(_PLUGIN_REVISION), encoding="utf-8")
    upgrade(database, version_locations=[tmp_path])
    with pytest.raises(StorageError, match=r"STORAGE07 the schema is at example_1, which neither .* know") as refused:
        upgrade(database)
    (finding,) = check(database)
    assert (finding.code, finding.remedy) == ("STORAGE07", refused.value.remedy)
    assert "Install the version" in finding.remedy
    assert check(database, version_locations=[tmp_path]) == []


def test_the_tables_are_those_of_the_code(database: Database) -> None:
    with database.read() as connection:
        inspector = sa.inspect(connection)
        for table in metadata.sorted_tables:
            assert [column["name"] for column in inspector.get_columns(table.name)] == [column.name for column in table.columns]


def test_sqlite_tables_are_strict(sqlite_database: Database) -> None:
    with sqlite_database.read() as connection:
        loose = connection.exec_driver_sql(
            "SELECT name FROM pragma_table_list"
            " WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'"
        ).scalars()
        assert list(loose) == ["alembic_version"]


def test_posting_is_partitioned_by_month_without_a_default(postgres_database: Database) -> None:
    with postgres_database.read() as connection:
        strategy = connection.exec_driver_sql("SELECT pg_get_partkeydef('posting'::regclass)").scalar_one()
    assert strategy == "RANGE (month)"


def test_a_role_that_could_switch_guards_off_is_refused(postgres_database: Database, sqlite_database: Database) -> None:
    for database, role, text in (
        (postgres_database, "postgres", "could switch the guards off"),
        (postgres_database, "nobody_known", "there is no role"),
        (sqlite_database, "anyone", "SQLite has no roles"),
    ):
        with pytest.raises(StorageError, match=f"STORAGE18 .*{text}"), database.begin() as connection:
            grant_application_role(connection, role)
