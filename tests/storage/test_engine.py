"""Opening databases: the settings that the guards rely on, and errors that say where and what to do."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing_framework.storage.engine import Database, open_database, sqlite_path
from billing_framework.values.errors import BillingError, StorageError
from tests.postgres_server import Server


@pytest.mark.parametrize(
    ("url", "code", "text"),
    [
        ("mysql://host/name", "STORAGE01", "'mysql'"),
        ("sqlite://", "STORAGE01", "'sqlite'"),
        ("sqlite:///:memory:", "STORAGE01", "'sqlite'"),
        ("no url at all, but: a password", "STORAGE01", "begins with ''"),
        ("sqlite:///x.db?mode=ro", "STORAGE01", "without anything after it"),
        ("sqlite:////no/such/folder/billing.sqlite3", "STORAGE02", "/no/such/folder/billing.sqlite3"),
        ("postgresql://officer:secret@127.0.0.1:1/billing", "STORAGE02", "officer:***@127.0.0.1:1/billing"),
    ],
)
def test_what_cannot_be_opened_is_explained(url: str, code: str, text: str) -> None:
    with pytest.raises(StorageError, match=code) as refusal:
        open_database(url)
    assert text in str(refusal.value)
    assert "secret" not in str(refusal.value)
    assert refusal.value.remedy


def test_an_old_server_is_refused(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(StorageError, match=r"STORAGE03 SQLite 3\.36\.0 is too old\. Use SQLite 3\.37\.0 or newer"):
        open_database(str(sqlite_database.engine.url))


def test_every_sqlite_connection_has_its_settings(sqlite_database: Database) -> None:
    wanted = {"foreign_keys": 1, "recursive_triggers": 1, "journal_mode": "wal", "synchronous": 1, "busy_timeout": 60_000}
    with sqlite_database.begin() as first, sqlite_database.read() as second:
        for connection in (first, second):
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
            assert found == wanted


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear customer, " * 100, encoding="utf-8")
    with pytest.raises(StorageError, match="STORAGE02 .*not a database"):
        open_database(f"sqlite:///{path}")


def test_reading_is_one_snapshot_and_never_writes(database: Database) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE note (text TEXT)")
    query = sa.text("SELECT count(*) FROM note")
    with database.read() as reading:
        assert reading.scalar(query) == 0
        writer = threading.Thread(target=_insert, args=(database,))
        writer.start()
        writer.join(30)
        assert reading.scalar(query) == 0
    with database.read() as reading:
        assert reading.scalar(query) == 1
    with pytest.raises(BillingError, match="STORAGE"), database.read() as reading:
        reading.exec_driver_sql("DELETE FROM note")
    with database.begin() as connection:
        assert connection.scalar(query) == 1


def _insert(database: Database) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO note VALUES ('written meanwhile')")


def test_writers_on_sqlite_come_one_after_the_other(sqlite_database: Database) -> None:
    """Each reads and writes back; without BEGIN IMMEDIATE updates would be lost or refused."""
    with sqlite_database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE counter (value INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (0)")

    def count_up() -> None:
        for _ in range(10):
            with sqlite_database.begin() as connection:
                value = connection.exec_driver_sql("SELECT value FROM counter").scalar_one()
                connection.exec_driver_sql(f"UPDATE counter SET value = {value + 1}")

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with sqlite_database.read() as connection:
        assert connection.exec_driver_sql("SELECT value FROM counter").scalar_one() == 40


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT * FROM no_such_table", "STORAGE07"),
        ("SELECT no_such_column FROM audit_event", "STORAGE07"),
        ("INSERT INTO audit_event (no_such_column) VALUES (1)", "STORAGE07"),
        (
            "INSERT INTO period (id, book_id, starts_on, ends_before, status) VALUES (1, 99, '2026-01-01', '2026-02-01', 'open')",
            "STORAGE09",
        ),
        ("INSERT INTO book (id, key, name, currency, genesis) VALUES (1, NULL, 'x', 'USD', NULL)", "STORAGE09"),
    ],
)
def test_errors_of_the_driver_speak_our_language(database: Database, statement: str, code: str) -> None:
    with pytest.raises(BillingError, match=code), database.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_fault_of_the_program_stays_one(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError), database.begin() as connection:
        connection.exec_driver_sql("SELEKT 1")


def test_the_url_of_a_database_hides_the_password(postgres_server: Server) -> None:
    name = "postgres"
    database = open_database(postgres_server.url(name).replace("postgres@", "postgres:secret@"))
    assert "secret" not in database.url
    assert "secret" not in repr(database)
    assert database.dialect == "postgresql"
    database.close()


def test_the_file_of_a_database(sqlite_database: Database) -> None:
    assert sqlite_path(sqlite_database).is_file()


def test_who_falls_silent_within_a_transaction_is_ended(
    postgres_server: Server, postgres_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing_framework.storage.engine._MOST_IDLE", "200ms")
    with postgres_server.fresh_database(postgres_template) as name:
        frozen, other = (open_database(postgres_server.url(name)) for _ in range(2))
        lock = sa.text("LOCK TABLE run IN ACCESS EXCLUSIVE MODE")

        def fall_silent() -> None:
            with frozen.begin() as held:
                held.execute(lock)
                with other.begin() as connection:  # waits until the server has ended the other
                    connection.execute(lock)
                held.execute(sa.text("SELECT 1"))

        with pytest.raises(StorageError, match="STORAGE22") as caught:
            fall_silent()
        assert "run the same command again" in caught.value.remedy
        frozen.close()
        other.close()


def test_what_an_administrator_says_of_silent_sessions_stands(postgres_server: Server, postgres_template: str) -> None:
    shown = sa.text("SHOW idle_in_transaction_session_timeout")
    with postgres_server.fresh_database(postgres_template) as name:
        database = open_database(postgres_server.url(name))
        with database.read() as connection:
            assert connection.scalar(shown) == "15min"
        database.close()
        with postgres_server.connect(name) as admin:
            admin.execute(f'ALTER DATABASE "{name}" SET idle_in_transaction_session_timeout = 90000')
        database = open_database(postgres_server.url(name))
        with database.read() as connection:
            assert connection.scalar(shown) == "90s"
        database.close()
