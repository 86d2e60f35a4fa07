"""The same files taken in by columns and record by record: the same rows in every table, the same reports, on both databases."""

from __future__ import annotations

import io
import random
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from billing_telecom_usage import plugin
from billing_telecom_usage.kinds import CALL
from billing_telecom_usage.settings import ColumnMapping, Source, TelecomSettings
from sqlalchemy import event

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.party import Party
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import DeploymentSettings, Settings
from billing_framework.run.deployment import Deployment
from billing_framework.run.schema import check_schema, tables_of
from billing_framework.run.usage import column_desk, column_road, intake
from billing_framework.run.usage.intake import IntakeReport, take_in
from billing_framework.run.usage.intake_desk import IntakeDesk
from billing_framework.storage.audit import audit_event
from billing_framework.storage.engine import Database, open_database, sqlite_path
from billing_framework.storage.master.account_rows import insert_values
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.storage.usage.kind_table import create_kind_tables, kind_table
from billing_framework.storage.usage.tables import usage_batch, usage_key, usage_subject, usage_suspense
from billing_framework.usage.columnar import line_blocks
from billing_framework.values.clock import MovableClock
from billing_framework.values.errors import InputRefused, StorageError

MAPPING = ColumnMapping(
    columns={"caller": "caller", "called": "called", "start": "start", "billed": "billed", "disposition": "result"},
    record_id=("id",),
)
SETTINGS = TelecomSettings(source={"switch": Source(mapping=MAPPING)})
HEADER = "id,caller,called,start,billed,result"
TABLES = (usage_batch, usage_key, usage_subject, usage_suspense, kind_table(CALL).table, audit_event)


def exchange_of(database: Database) -> Deployment:
    """Return a deployment with one account that has the numbers 4930000 to 4930009, one of them from the middle of June only."""
    deployment = Deployment(
        settings=Settings(deployment=DeploymentSettings(name="t", database="sqlite:///x", currency="EUR", zone="Europe/Berlin")),
        settings_sha256="",
        folder=Path.cwd(),
        host=Host.build([("telecom_usage", plugin)], settings={"telecom_usage": SETTINGS}),
        database=database,
        clock=MovableClock(datetime(2026, 8, 1, 9, tzinfo=UTC)),
        actor="ada",
    )
    with database.begin() as connection:
        create_kind_tables(connection, tables_of(deployment))
        insert_values(connection, PARTIES, [Party(code="P1", name="Ada")])
        insert_values(connection, ACCOUNTS, [Account(code="A1", party="P1", book="B", currency="EUR", zone="Europe/Berlin")])
        insert_values(connection, AGREEMENTS, [Agreement(code="G1", account="A1", plan="calls", starts_on=date(2026, 1, 1))])
        first, middle = date(2026, 1, 1), date(2026, 6, 15)
        known = [Assignment(subject=f"493000{n}", agreement="G1", starts_on=middle if n == 5 else first) for n in range(6)]
        moved = Assignment(subject="4930006", agreement="G1", starts_on=first, ends_on=middle)
        again = Assignment(subject="4930006", agreement="G1", starts_on=date(2026, 6, 20))
        ranged = Assignment(subject="4930007..4930008", agreement="G1", starts_on=first)
        insert_values(connection, ASSIGNMENTS, [*known, moved, again, ranged])
    return deployment


@pytest.fixture
def other(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A second database, on which each record is looked at by itself."""
    shutil.copyfile(sqlite_template, path := tmp_path / "other.sqlite3")
    database = open_database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LEAST_BYTES_BY_COLUMNS", 0)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few lines, so that a file of a test has many."""
    monkeypatch.setattr(line_blocks, "BLOCK_BYTES", 700)
    monkeypatch.setattr(column_desk, "_KEYS_AT_ONCE", 25)
    monkeypatch.setattr(column_desk, "_RECORDS_AT_ONCE", 3)


def calls(seed: int, count: int) -> bytes:
    """Return a file with bad cells, repeats, conflicts, numbers of nobody, quotes, blank and cut lines."""
    random_ = random.Random(seed)  # noqa: S311
    lines: list[str] = []
    for _ in range(count):
        billed = random_.choice(["60", "61", "0", "", " 7 ", "1.5", "x", "-1"] if random_.random() < 0.2 else ["30"])
        start = f"2026-06-{random_.randrange(1, 31):02}T{random_.randrange(24):02}:10:00"
        start = random_.choice(["never", "", "2026-03-29T02:30:00", start + "Z"]) if random_.random() < 0.1 else start
        cells = [f"c{random_.randrange(count * 2)}", f"493000{random_.randrange(10)}", "4489123456", start, billed, "OK"]
        line = ",".join(f'"{cell}"' for cell in cells) if random_.random() < 0.05 else ",".join(cells)
        lines += [line] * (2 if random_.random() < 0.05 else 1)
        lines += [random_.choice(["", "cut,off", " ", lines[random_.randrange(len(lines))]])] * (random_.random() < 0.15)
    return "\n".join([HEADER, *lines]).encode()


def rows(database: Database) -> dict[str, list[str]]:
    """Return every row of the tables that intake writes."""
    with database.read() as connection:
        return {table.name: sorted(map(repr, connection.execute(sa.select(table)))) for table in TABLES}


def by_record(monkeypatch: pytest.MonkeyPatch, deployment: Deployment, files: list[bytes]) -> list[IntakeReport]:
    """Take files in record by record."""
    with monkeypatch.context() as patch:
        patch.setattr(intake, "_by_columns", lambda *_: False)
        return by_columns(deployment, files)


def by_columns(deployment: Deployment, files: list[bytes]) -> list[IntakeReport]:
    """Take files in as they are taken in."""
    return [
        take_in(deployment, io.BytesIO(content), "mapped_csv", source="switch", name=f"calls{number}.csv")
        for number, content in enumerate(files)
    ]


@pytest.mark.parametrize(("seed", "others_at_once", "waiting_at_once"), [(1, 1, 0), (2, 9, 100_000), (3, 20_000, 0)])
@pytest.mark.usefixtures("small_blocks")
def test_both_roads_store_the_same(
    database: Database,
    other: Database,
    seed: int,
    others_at_once: int,
    waiting_at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(column_desk, "_OTHERS_AT_ONCE", others_at_once)
    monkeypatch.setattr(column_desk, "_WAITING_AT_ONCE", waiting_at_once)
    files = [calls(seed, 150), calls(seed + 100, 40) + b"\n" + calls(seed, 30), HEADER.encode(), calls(seed, 150)]
    fast, slow = exchange_of(database), exchange_of(other)
    reports = by_columns(fast, files)
    assert reports == by_record(monkeypatch, slow, files)
    assert rows(database) == rows(other)
    total = reports[0].totals
    assert min(total.accepted, total.duplicate, total.suspended, total.rejected) > 0
    assert check_schema(fast) == []


def test_one_large_block_gives_the_same(database: Database, other: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [calls(7, 300), calls(8, 60)]
    reports = by_columns(exchange_of(database), files)
    assert reports == by_record(monkeypatch, exchange_of(other), files)
    assert rows(database) == rows(other)


def test_an_assignment_begins_at_midnight_of_its_account(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = exchange_of(database), exchange_of(other)
    for deployment in both:
        far = Account(code="A2", party="P1", book="B", currency="EUR", zone="America/New_York")
        with deployment.database.begin() as connection:
            insert_values(connection, ACCOUNTS, [far])
            insert_values(connection, AGREEMENTS, [Agreement(code="G2", account="A2", plan="calls", starts_on=date(2026, 1, 1))])
            insert_values(connection, ASSIGNMENTS, [Assignment(subject="4930009", agreement="G2", starts_on=date(2026, 6, 15))])
    # Midnight of 15 June is 22:00 UTC of the day before in Berlin, and 04:00 UTC in New York.
    times = {"4930005": ("14T21:59:59", "14T22:00:00"), "4930009": ("15T03:59:59", "15T04:00:00")}
    calls_ = [(caller, time) for caller, both_times in times.items() for time in both_times]
    lines = [f"c{number},{caller},4489123456,2026-06-{time}Z,30,OK" for number, (caller, time) in enumerate(calls_)]
    file = "\n".join([HEADER, *lines]).encode()
    (report,) = by_columns(both[0], [file])
    assert [report] == by_record(monkeypatch, both[1], [file])
    assert (report.totals.accepted, report.totals.suspended) == (2, 2)
    assert rows(database) == rows(other)


def test_an_account_of_another_zone_may_come_meanwhile(postgres_database: Database) -> None:
    deployment = exchange_of(postgres_database)
    far = Account(code="A2", party="P1", book="B", currency="EUR", zone="America/New_York")
    agreement = Agreement(code="G2", account="A2", plan="calls", starts_on=date(2026, 1, 1))
    assignment = Assignment(subject="4930009", agreement="G2", starts_on=date(2026, 6, 15))
    entered: list[Account] = []

    def enter(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "min(account.zone)" in statement and not entered:
            entered.append(far)
            with postgres_database.begin() as connection:
                insert_values(connection, ACCOUNTS, entered)
                insert_values(connection, AGREEMENTS, [agreement])
                insert_values(connection, ASSIGNMENTS, [assignment])

    event.listen(postgres_database.engine, "after_cursor_execute", enter)
    before_it_begins = "c1,4930009,4489123456,2026-06-14T23:00:00Z,30,OK"
    (report,) = by_columns(deployment, [f"{HEADER}\n{before_it_begins}".encode()])
    assert entered
    assert (report.totals.accepted, report.totals.suspended) == (0, 1)


@pytest.mark.usefixtures("small_blocks")
def test_plain_records_are_never_made_objects(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"c{number},4930001,4489123456,2026-06-01T10:00:00,30,OK" for number in range(200)]
    taken: list[Any] = []
    monkeypatch.setattr(IntakeDesk, "take", lambda _, items: taken.extend(items))
    (report,) = by_columns(exchange_of(sqlite_database), ["\n".join([HEADER, *lines]).encode()])
    assert report.totals.accepted == 200
    assert taken == []


@pytest.mark.usefixtures("small_blocks")
def test_a_file_that_is_refused_late_leaves_nothing(database: Database) -> None:
    deployment = exchange_of(database)
    before = rows(database)
    for late in (b"\nzero\0byte,", b"\n" + b"x" * 1_500_000):
        with pytest.raises(InputRefused):
            by_columns(deployment, [calls(3, 120) + late])
        assert rows(database) == before
    assert check_schema(deployment) == []


@pytest.mark.usefixtures("small_blocks")
def test_a_database_that_fails_leaves_nothing_and_its_guards(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = exchange_of(database)
    before = rows(database)

    def fails(*_: Any) -> None:
        raise StorageError("STORAGE10", "the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(column_desk, "insert_key_columns", fails)
        with pytest.raises(StorageError):
            by_columns(deployment, [calls(3, 120)])
    assert rows(database) == before
    assert check_schema(deployment) == []
    assert by_columns(deployment, [calls(3, 120)])[0].totals.accepted > 0


def test_other_programs_replace_no_usage_by_the_number_of_its_row(sqlite_database: Database) -> None:
    by_columns(exchange_of(sqlite_database), [calls(3, 20)])
    before = rows(sqlite_database)
    foreign = sqlite3.connect(sqlite_path(sqlite_database), isolation_level=None)
    columns = [row[1] for row in foreign.execute("PRAGMA table_info(usage_call)")]
    for number, *values in foreign.execute(f"SELECT rowid, {', '.join(columns)} FROM usage_call").fetchall():
        changed = [value + 1 if name == "billed_seconds" else value for name, value in zip(columns, values, strict=True)]
        statement = f"INSERT OR REPLACE INTO usage_call (rowid, {', '.join(columns)}) VALUES (?, {', '.join('?' * len(columns))})"
        with pytest.raises(sqlite3.Error, match="USAGE08"):
            foreign.execute(statement, (number, *changed))
    foreign.close()
    assert rows(sqlite_database) == before


def test_without_the_library_each_record_is_looked_at(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = exchange_of(sqlite_database)
    monkeypatch.setattr(intake, "has_bulk", lambda: False)
    monkeypatch.setattr(column_road, "fill_by_columns", None)
    assert by_columns(deployment, [calls(3, 20)])[0].totals.accepted > 0
