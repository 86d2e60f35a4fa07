"""The command line is ended politely, loses its server, or finds the disk full: it says so, and the same command goes on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from billing_framework.storage.engine import open_database
from tests.postgres_server import Server
from tests.warm.start import LOCALE

SETTINGS = """
[deployment]
name = "gate"
database = "{url}"
plugins = ["parking"]
currency = "EUR"
zone = "Europe/Berlin"
actor = "ada"
"""
PATIENCE_SECONDS = 60
RECORDS = 4_000
ROOM_BYTES = 24 << 20
"""Of the small disk: enough for an empty database, and what a file of records brings."""


@pytest.fixture(autouse=True)
def commands(warm_billing_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes of commands be warm ones."""
    monkeypatch.setenv("PATH", f"{warm_billing_path}{os.pathsep}{os.environ['PATH']}")


def desk(folder: Path, url: str) -> Path:
    """Write a deployment of the database at `url`, and bring it to its schema."""
    (folder / "billing.toml").write_text(SETTINGS.format(url=url), encoding="utf-8")
    assert ended(billing(folder, "db", "upgrade"))[0] == 0
    return folder


def billing(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        ["billing", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": LOCALE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code, output and messages of a command."""
    told, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in errors
    return process.returncode, told, errors


def tickets(folder: Path) -> Path:
    """Write a file of records that belong to nobody yet."""
    path = folder / "tickets.csv"
    lines = (f"t{number},plate-{number % 50},2026-07-01T08:{number % 60:02}:00+00:00,{number % 90}" for number in range(RECORDS))
    path.write_text("\n".join(["ticket,plate,entered,minutes", *lines]), encoding="utf-8")
    return path


def take_in(folder: Path) -> tuple[int, Any, str]:
    """Take the file in."""
    code, told, errors = ended(billing(folder, "usage", "intake", "tickets.csv", "--format", "tickets", "--json"))
    return code, json.loads(told) if told else None, errors


@pytest.fixture
def waiting(postgres_server: Server, postgres_template: str, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Server]]:
    """A command that waits for a lock of the database."""
    with postgres_server.fresh_database(postgres_template) as name:
        folder = desk(tmp_path, postgres_server.url(name))
        with postgres_server.connect(name) as lock, lock.transaction():
            lock.execute("LOCK TABLE run IN ACCESS EXCLUSIVE MODE")
            process = billing(folder, "run", "list")
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not _waiters(postgres_server, name):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield process, postgres_server


def _waiters(server: Server, name: str) -> list[int]:
    with server.connect() as admin:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
        return [int(str(pid)) for (pid,) in admin.execute(query, (name,)).fetchall()]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=["terminated", "interrupted"])
def test_a_command_that_is_ended_says_that_nothing_was_stored(
    waiting: tuple[subprocess.Popen[str], Server], sent: signal.Signals
) -> None:
    waiting[0].send_signal(sent)
    code, told, errors = ended(waiting[0])
    assert (code, told) == (130, "")
    assert errors.strip() == "interrupted; nothing of an unfinished action was stored"


def test_a_lost_connection_is_told(waiting: tuple[subprocess.Popen[str], Server]) -> None:
    process, server = waiting
    with server.connect() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    code, told, errors = ended(process)
    assert (code, told) == (4, "")
    assert "STORAGE22 the connection to the database is lost" in errors
    assert "run the same command again" in errors


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of little room."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={ROOM_BYTES},mode=777", "billing-test", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False) if shutil.which("mount") else None
    if mounted is None or mounted.returncode:
        pytest.skip("a small disk to fill can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def leave_room(disk: Path, left: int) -> Path:
    """Fill a disk up to so many bytes, and return the file that does."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - left)))
    return ballast


def fill_and_make_room(folder: Path, disk: Path) -> None:
    """Take a file in on a disk that is nearly full, then again when there is room."""
    tickets(folder)
    ballast = leave_room(disk, 100_000)
    code, told, errors = take_in(folder)
    assert (code, told) == (4, None)
    assert "STORAGE23" in errors
    assert "make room, then run the same command again" in errors
    ballast.unlink()
    code, told, errors = take_in(folder)
    assert told["totals"]["suspended"] == RECORDS
    assert not told["repeated"]


def test_a_full_disk_of_sqlite_is_told_and_the_same_command_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        folder = desk(tmp_path, f"sqlite:///{disk}/billing.sqlite3")
        fill_and_make_room(folder, disk)


@pytest.mark.parametrize("full_on", ["writing", "connecting"])
def test_a_full_disk_of_postgresql_is_told_and_the_same_command_goes_on(
    postgres_server: Server, postgres_template: str, tmp_path: Path, full_on: str
) -> None:
    with small_disk(postgres_server.folder / "disk") as disk:
        location = disk / "space"
        location.mkdir(mode=0o777)
        owner = postgres_server.folder.stat()
        os.chown(location, owner.st_uid, owner.st_gid)
        with postgres_server.connect() as admin:
            admin.execute(f"CREATE TABLESPACE small LOCATION '{location}'")
            admin.execute(f'CREATE DATABASE small TEMPLATE "{postgres_template}" TABLESPACE small')
        try:
            folder = desk(tmp_path, postgres_server.url("small"))
            # The first connection to a database, and one after a change of its catalogue, writes a file of its own.
            open_database(postgres_server.url("small")).close()
            if full_on == "connecting":
                for file in location.rglob("pg_internal.init"):
                    file.unlink()
            fill_and_make_room(folder, disk)
        finally:
            with postgres_server.connect() as admin:
                admin.execute("DROP DATABASE small WITH (FORCE)")
                admin.execute("DROP TABLESPACE small")
