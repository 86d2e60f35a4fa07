"""Backup and restore: consistent while in use, never over something by accident, and the restored book still proves."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from billing_framework.storage.backup import backup, restore
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.ledger.verify import verify
from billing_framework.storage.migrate import check
from billing_framework.values.errors import BillingError, NotFound, Refused, StorageError
from tests.ledger_world import MAIN, count, deposit, post, sale, settle
from tests.postgres_server import Server


def test_a_restored_book_proves_and_goes_on(database: Database, tmp_path: Path, postgres_server: Server) -> None:
    settle(database)
    archive = backup(database, tmp_path / "billing.backup")
    post(database, sale("after the backup", 1))
    with postgres_server.fresh_database() as name:
        url = f"sqlite:///{tmp_path}/restored.sqlite3" if database.dialect == "sqlite" else postgres_server.url(name)
        restored = open_database(url)
        restore(restored, archive)
        assert (verify(restored, MAIN), check(restored), count(restored, "entry")) == ([], [], 2)
        assert post(restored, sale("sale", 10_000)).existing == ("sale",)
        assert post(restored, sale("new", 1)).seq == 3
        with pytest.raises(BillingError, match="LEDGER10"):
            post(restored, deposit("too much", -50_001))
        restored.close()


def test_a_backup_is_consistent_while_others_write(database: Database, tmp_path: Path) -> None:
    settle(database)
    stop = threading.Event()

    def keep_posting() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            post(database, sale(f"meanwhile {number}", 1))

    poster = threading.Thread(target=keep_posting)
    poster.start()
    try:
        archive = backup(database, tmp_path / "billing.backup")
    finally:
        stop.set()
        poster.join(60)
    restore(database, archive, replace=True)
    assert verify(database, MAIN) == []
    assert check(database) == []


def test_nothing_is_overwritten_by_accident(database: Database, tmp_path: Path) -> None:
    settle(database)
    archive = backup(database, tmp_path / "billing.backup")
    with pytest.raises(Refused, match=r"STORAGE11 .*billing\.backup exists"):
        backup(database, archive)
    assert [path.name for path in tmp_path.glob("billing.backup*")] == ["billing.backup"]
    backup(database, archive, replace=True)
    post(database, sale("kept", 1))
    with pytest.raises(Refused, match="STORAGE12"):
        restore(database, archive)
    assert count(database, "entry") == 3
    restore(database, archive, replace=True)
    assert count(database, "entry") == 2


def test_a_damaged_or_missing_backup_is_refused_before_anything_is_lost(database: Database, tmp_path: Path) -> None:
    settle(database)
    damaged = tmp_path / "damaged.backup"
    damaged.write_bytes(b"no backup at all" * 500)
    with pytest.raises(StorageError, match="STORAGE11"):
        restore(database, damaged, replace=True)
    with pytest.raises(NotFound, match="STORAGE11"):
        restore(database, tmp_path / "missing.backup", replace=True)
    assert verify(database, MAIN) == []
    assert count(database, "entry") == 2


def test_missing_programs_are_named(postgres_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(StorageError, match="STORAGE11 the program pg_dump is not installed. Install"):
        backup(postgres_database, tmp_path / "billing.backup")
