"""An office on disk, so that workers in other processes can open it; and a Dask cluster on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing_framework.run.deployment import open_deployment
from billing_framework.storage.engine import Database
from billing_framework.values.clock import MovableClock
from tests.scenarios.office import Office

REPOSITORY = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
THIRD = 2
SETTINGS = """
[deployment]
name = "office"
database = { file = "database.url" }
currency = "USD"
plugins = ["workshop"]
actor = "ada"
[review]
factor = "0"
zero_usage = false
missing_usage = false
"""
ENTRY_POINT = """
[billing_framework]
workshop = tests.scenarios.workshop
stuck_workshop = tests.run.stuck_workshop
ending_workshop = tests.run.ending_workshop
"""


def install_workshop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the workshop an installed plugin, for this process and for those that it starts."""
    info = folder / "workshop_for_tests-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: workshop-for-tests\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINT, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{REPOSITORY}")


def office_on_disk(database: Database, folder: Path, customers: int) -> Office:
    """Set up an office with customers, of whom each second one had a machine at work, whose settings stand in a file."""
    settings = folder / "billing.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    url = database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    (folder / "database.url").write_text(url, encoding="utf-8")
    set_up(Office.of(database), customers)
    clock = MovableClock(datetime(2026, 8, 1, 9, tzinfo=UTC))
    return Office(open_deployment(settings, clock=clock), clock)


@contextlib.contextmanager
def dask_cluster(folder: Path, workers: int = 2) -> Iterator[str]:
    """Run a scheduler and workers of Dask on loopback, and return the address of the scheduler."""
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    started = [_spawn([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *common], folder)]
    try:
        _wait_for(file)
        started += [
            _spawn([*dask, "worker", "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", *common], folder)
            for _ in range(workers)
        ]
        yield _address(file)
    finally:
        for process in started:
            process.kill()
            process.wait()


def _spawn(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "dask.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not file.exists() or "tcp://" not in file.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, (file.parent / "dask.log").read_text(encoding="utf-8")
        time.sleep(0.1)


def _address(file: Path) -> str:
    return str(json.loads(file.read_text(encoding="utf-8"))["address"])


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
