"""A deployment on disk for the command line: a folder with ``billing.toml`` and a parking plugin that Python can import."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from billing_framework.cli.main import cli

SETTINGS = """
[deployment]
name = "gate"
database = "sqlite:///billing.sqlite3"
currency = "EUR"
zone = "Europe/Berlin"
plugins = ["gatehouse"]
actor = "ada"
"""

PLUGIN = '''
"""Parking, for tests of the command line."""
import attrs
from billing_framework import Layout, UsageKind, delimited_reader, hookimpl, measure_rater

@attrs.frozen(kw_only=True)
class Settings:
    limit: int = 3

@attrs.frozen(kw_only=True)
class Stay:
    """A parked car.

    Attributes:
        minutes: how long it stood.
    """
    minutes: int

STAY = UsageKind(name="stay", title="A parked car", body=Stay)
COLUMNS = {"external_id": "ticket", "subject": "card", "start": "entered", "minutes": "minutes"}

@hookimpl
def billing_settings():
    return Settings

@hookimpl
def billing_usage_kinds():
    return [STAY]

@hookimpl
def billing_readers():
    return [delimited_reader("tickets", "Exit tickets", Layout(kind=STAY, columns=COLUMNS))]

@hookimpl
def billing_raters():
    return [measure_rater("stay", "minutes", "minute", "parked")]
'''


def write_deployment(folder: Path) -> Path:
    """Write the settings and the installed plugin into `folder`, and return the path of the settings."""
    (folder / "gatehouse_for_tests.py").write_text(PLUGIN, encoding="utf-8")
    info = folder / "gatehouse_for_tests-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gatehouse-for-tests\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[billing_framework]\ngatehouse = gatehouse_for_tests\n", encoding="utf-8")
    path = folder / "billing.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


def billing(*arguments: str, given: bytes | None = None) -> Result:
    """Run the command line within this process; standard output and error are kept apart."""
    return CliRunner().invoke(cli, list(arguments), input=given)


def told(result: Result, code: int = 0) -> str:
    """Return what a command printed, after checking its exit code and that no traceback was shown."""
    assert result.exit_code == code, (result.exit_code, result.output)
    assert "Traceback" not in result.output
    return result.output


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make `folder` the deployment of this process."""
    path = write_deployment(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(folder)
    monkeypatch.delenv("BILLING_CONFIG", raising=False)
    return path
