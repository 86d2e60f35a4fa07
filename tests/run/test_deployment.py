"""Opening a deployment: the settings, their plugins with tables of their own, the database and who acts."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing_framework.plugin.check import check_file
from billing_framework.run.deployment import open_deployment, settings_path
from billing_framework.run.master.customers import create
from billing_framework.run.schema import check_schema, grant_role, upgrade_schema
from billing_framework.storage.audit import events
from billing_framework.storage.master.account_rows import load_parties
from billing_framework.storage.master.master_kind import PARTIES
from billing_framework.values.clock import FixedClock
from billing_framework.values.errors import ConfigurationError, StorageError

SETTINGS = """
[deployment]
name = "yard"
database = { env = "YARD_DATABASE" }
currency = "EUR"
plugins = ["yard"]
"""
PLUGIN = """
import attrs
from billing_framework import UsageKind, hookimpl

@attrs.frozen(kw_only=True)
class Lift:
    tonnes: int

@hookimpl
def billing_usage_kinds():
    return [UsageKind(name="lift", title="A lift of the crane", body=Lift)]
"""
REVISION = '''
"""The cranes."""
import sqlalchemy as sa
from alembic import op
revision = "yard0001"
down_revision = None
branch_labels = ("yard",)
depends_on = None

def upgrade():
    op.create_table("yard_crane", sa.Column("code", sa.Text, primary_key=True))
'''
CLOCK = FixedClock(datetime(2026, 8, 1, tzinfo=UTC))


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "yard_of_tests"
    (package / "migrations").mkdir(parents=True)
    (package / "__init__.py").write_text(PLUGIN, encoding="utf-8")
    (package / "migrations" / "yard0001_cranes.py").write_text(REVISION, encoding="utf-8")
    info = tmp_path / "yard_of_tests-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: yard-of-tests\nVersion: 1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[billing_framework]\nyard = yard_of_tests\n", encoding="utf-8")
    (tmp_path / "billing.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("YARD_DATABASE", "sqlite:///yard.sqlite3")
    sys.modules.pop("yard_of_tests", None)
    return tmp_path


def test_a_plugin_brings_tables_by_migrations_of_its_own_and_derived_ones(yard: Path) -> None:
    with open_deployment(yard / "billing.toml", clock=CLOCK, actor="ada") as deployment:
        done = upgrade_schema(deployment)
        assert "revision yard0001" in done
        assert "table usage_lift" in done
        assert upgrade_schema(deployment) == []
        assert check_schema(deployment) == []
        with deployment.database.read() as connection:
            assert {"yard_crane", "usage_lift"} <= set(sa.inspect(connection).get_table_names())
            (event,) = events(connection)
        assert (event.action, event.actor, event.at) == ("db upgrade", "ada", CLOCK.instant)
    assert (yard / "yard.sqlite3").is_file()


def test_a_missing_table_of_a_plugin_is_found_by_the_check(yard: Path) -> None:
    with open_deployment(yard / "billing.toml", clock=CLOCK) as deployment:
        assert [finding.code for finding in check_schema(deployment)] == ["STORAGE07"]
        upgrade_schema(deployment)
        with deployment.database.begin() as connection:
            connection.exec_driver_sql("DROP TABLE usage_lift")
        assert [finding.code for finding in check_schema(deployment)] == ["STORAGE17"]


def test_who_acts_is_said_by_the_call_the_settings_or_the_system(yard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "eve")
    path = yard / "billing.toml"
    for given, said, actor in (("", "", "eve"), ("", "bob", "bob"), ("ada", "bob", "ada")):
        path.write_text(SETTINGS + f'actor = "{said}"\n', encoding="utf-8")
        with open_deployment(path, actor=given) as deployment:
            assert deployment.actor == actor


@pytest.mark.parametrize("named", ["root", "root ", " root", "\troot\n", "root\u00a0"])
def test_blanks_around_a_name_make_no_other_actor(yard: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    path = yard / "billing.toml"
    monkeypatch.setenv("LOGNAME", named)
    with open_deployment(path) as by_system, open_deployment(path, actor=named) as by_call:
        assert (by_system.actor, by_call.actor) == ("root", "root")
    path.write_text(SETTINGS + f"actor = {json.dumps(named)}\n", encoding="utf-8")
    with open_deployment(path) as by_settings:
        assert by_settings.actor == "root"


def test_names_that_look_alike_are_one_actor(yard: Path) -> None:
    path = yard / "billing.toml"
    with open_deployment(path, actor="Zoe\u0308  Ohm") as one, open_deployment(path, actor="Zo\u00eb Ohm") as other:
        assert one.actor == other.actor == "Zo\u00eb Ohm"


@pytest.mark.parametrize(
    "named", [" ", "ro\u200bot", "root\u200d", "root\u3164", "root\ufe0f", "ro\u00a0ot", "a\x1bb", "a\nb", "x" * 201]
)
def test_a_name_that_is_not_seen_as_it_is_written_is_refused(yard: Path, named: str) -> None:
    with pytest.raises(ConfigurationError, match="CONFIG09"):
        open_deployment(yard / "billing.toml", actor=named)


def test_what_cannot_be_opened_says_why(yard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YARD_DATABASE", f"sqlite:///{yard}/none/yard.sqlite3")
    with pytest.raises(StorageError, match="cannot be reached"):
        open_deployment(yard / "billing.toml")
    monkeypatch.delenv("YARD_DATABASE")
    with pytest.raises(ConfigurationError, match="YARD_DATABASE"):
        open_deployment(yard / "billing.toml")


def test_where_the_settings_are() -> None:
    assert settings_path("a.toml", {"BILLING_CONFIG": "b.toml"}) == Path("a.toml")
    assert settings_path(None, {"BILLING_CONFIG": "b.toml"}) == Path("b.toml")
    assert settings_path(None, {}) == Path("billing.toml")


def test_sqlite_has_no_roles_to_grant_to(yard: Path) -> None:
    with open_deployment(yard / "billing.toml") as deployment, pytest.raises(StorageError, match="no roles"):
        grant_role(deployment, "app")


PERSONAL = """
import attrs
from billing_framework import UsageKind, hookimpl, personal

@attrs.frozen(kw_only=True)
class Lift:
    tonnes: int
    driver: str = personal()

@hookimpl
def billing_usage_kinds():
    return [UsageKind(name="lift", title="A lift of the crane", body=Lift)]
"""


def test_a_plugin_with_personal_data_needs_a_key(yard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (yard / "yard_of_tests" / "__init__.py").write_text(PERSONAL, encoding="utf-8")
    path = yard / "billing.toml"
    assert [(finding.code, finding.line) for finding in check_file(path)[2]] == [("PERSONAL01", 6)]
    with pytest.raises(ConfigurationError, match="PERSONAL01 the usage kind 'lift' of plugin 'yard'"):
        open_deployment(path)
    path.write_text(SETTINGS + '[personal_data]\nkey = { env = "YARD_KEY" }\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="CONFIG06"):
        open_deployment(path)
    monkeypatch.setenv("YARD_KEY", "a word")
    with pytest.raises(ConfigurationError, match="PERSONAL03") as caught:
        open_deployment(path)
    assert "a word" not in str(caught.value)
    monkeypatch.setenv("YARD_KEY", "0f" * 32)
    with open_deployment(path) as deployment:
        assert "0f0f" not in repr(deployment)
        upgrade_schema(deployment)
        assert check_schema(deployment) == []
    former = '[personal_data]\nkey = { env = "YARD_KEY" }\nformer_keys = [{ file = "old.key" }]\n'
    path.write_text(SETTINGS + former, encoding="utf-8")
    (yard / "old.key").write_text("1e" * 32 + "\n", encoding="utf-8")
    with open_deployment(path) as deployment:
        assert deployment.database.vault is not None
        assert len(deployment.database.vault.former) == 1


def test_a_key_without_personal_kinds_seals_parties(yard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (yard / "billing.toml").write_text(SETTINGS + '[personal_data]\nkey = { env = "YARD_KEY" }\n', encoding="utf-8")
    monkeypatch.setenv("YARD_KEY", "0f" * 32)
    with open_deployment(yard / "billing.toml", clock=CLOCK, actor="ada") as deployment:
        upgrade_schema(deployment)
        create(deployment, PARTIES, {"code": "P1", "name": "Ada Ohm"})
        with deployment.database.read() as connection:
            assert connection.execute(sa.text("SELECT name FROM party")).scalar() == ""
            assert load_parties(connection, ["P1"])["P1"].name == "Ada Ohm"
