"""An office on disk, so that workers in other processes can open it: a settings file, and the workshop as an installed plugin."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing_framework.run.deployment import open_deployment
from billing_framework.storage.engine import Database
from billing_framework.values.clock import MovableClock
from tests.scenarios.office import Office

REPOSITORY = Path(__file__).parents[2]
VARIABLE = "OFFICE_DATABASE"
SETTINGS = f"""
[deployment]
name = "office"
database = {{ env = "{VARIABLE}" }}
currency = "USD"
plugins = ["workshop"]
actor = "ada"
[review]
factor = "0"
zero_usage = false
missing_usage = false
"""
THIRD = 2
ENTRY_POINT = "[billing_framework]\nworkshop = tests.scenarios.workshop\n"


def office_on_disk(database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, customers: int) -> Office:
    """Set up an office with customers, of whom each second one had a machine at work, whose settings stand in a file."""
    info = folder / "workshop_for_tests-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: workshop-for-tests\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINT, encoding="utf-8")
    settings = folder / "billing.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{REPOSITORY}")
    monkeypatch.setenv(VARIABLE, database.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    monkeypatch.setenv("BILLING_CONFIG", str(settings))
    set_up(Office.of(database), customers)
    clock = MovableClock(datetime(2026, 8, 1, 9, tzinfo=UTC))
    return Office(open_deployment(settings, clock=clock), clock)


def set_up(office: Office, customers: int) -> None:
    """Fill an office; the bill of each third customer is paid by the one before."""
    for number in range(customers):
        payer = {"parent": f"C{number - 1:02}", "payer": "parent"} if number % 3 == THIRD else {}
        office.customer(f"C{number:02}", f"machine-{number:02}", **payer)
    office.jobs(*jobs(customers))


def jobs(customers: int) -> list[str]:
    """Return the work of each second machine."""
    return [
        f"j{number},machine-{number:02},2026-07-{number % 28 + 1:02}T08:00:00+00:00,{number}/3"
        for number in range(0, customers, 2)
    ]
