"""Intake as stored: whole or not at all, idempotent, with control totals that balance, on both databases."""

import gzip
import io
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import select

from billing_framework.plugin.hookspecs import hookimpl
from billing_framework.plugin.host import Host
from billing_framework.run.schema import grant_role
from billing_framework.run.usage.intake import take_in
from billing_framework.storage.audit import events
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.usage.batches import batches, coverage_rows
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.load import load_by_key, load_current, newest_batch
from billing_framework.storage.usage.suspense import suspense_rows
from billing_framework.storage.usage.tables import usage_key
from billing_framework.usage.reader import BadRecord, Coverage, Reader
from billing_framework.usage.record import UsageKind
from billing_framework.values.errors import BillingError, ContractBroken, InputRefused, NotFound, Refused, ValueRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.period import Span
from tests.postgres_server import Server
from tests.run.gate import assign, codes, content, counts, gate_of, row, tickets, unchanged
from tests.usage.stays import Size, Stay, stay

JULY = Span(datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC))


def test_a_file_is_taken_in_with_totals_that_balance(database: Database) -> None:
    deployment = gate_of(database)
    report = tickets(
        deployment, row("T1"), row("T2"), row("T2"), row("T2", minutes="31"), row("T3", "CARD-9"), row("T4", minutes="x")
    )
    assert counts(report) == (2, 1, 2, 1)
    assert report.totals.records == 6
    assert report.totals.by_kind == {"stay": 2}
    assert codes(report.findings) == ["USAGE02", "USAGE03", "USAGE25"]
    assert [finding.line for finding in report.findings] == [5, 6, 7]
    with database.read() as connection:
        (batch,) = batches(connection)
        assert batch.totals == report.totals
        assert (batch.actor, batch.taken_at, batch.file) == ("ada", deployment.clock.now(), "tickets.csv")
        waiting = [(item.state, item.line, item.external_id) for item in suspense_rows(connection)]
        (event,) = events(connection, object_kind="usage_batch")
    assert waiting == [("rejected", 5, "T2"), ("suspended", 6, "T3"), ("suspended", 7, "")]
    assert event.after is not None
    assert event.after["totals"]["records"] == 6


def test_records_come_back_exactly_as_they_were_taken_in(database: Database) -> None:
    given = stay(
        "T1",
        plate="Zürich \N{SNOWMAN}",
        paid=True,
        fee=Fraction(10, 3),
        size=Size.LARGE,
        weights=(1, -5, 2**62),
        left=datetime(2026, 7, 1, 13, tzinfo=UTC),
        day=JULY.start.date(),
        slot="s",
        version=2**62,
    )
    deployment = gate_of(database, given)
    take_in(deployment, io.BytesIO(b""), "told")
    tables = kind_tables(deployment.host.kinds)
    with database.read() as connection:
        found = load_current(connection, tables, {"CARD-1": [JULY]}, up_to_batch=1)
        again = load_by_key(connection, tables, {"stay": [found["CARD-1"][0].key, 7]})
    assert [item.usage for item in found["CARD-1"]] == [given]
    assert [item.usage for item in again.values()] == [given]


def test_the_same_file_again_changes_nothing_and_says_so(database: Database) -> None:
    deployment = gate_of(database)
    first = tickets(deployment, row("T1"), row("T2", "CARD-9"))
    with unchanged(database):
        again = tickets(deployment, row("T1"), row("T2", "CARD-9"), name="renamed.csv")
    assert again.repeated
    assert again.batch == first.batch
    assert counts(again) == (0, 2, 0, 0)
    assert codes(again.findings) == ["USAGE06"]
    assert not any(finding.stops for finding in again.findings)


def test_the_same_records_in_another_file_are_duplicates(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1"), row("T2", "CARD-9"), row("T3", minutes="x"), row("T1", minutes="31"))
    again = tickets(deployment, row("T3", minutes="x"), row("T1", minutes="31"), row("T2", "CARD-9"), row("T1"), row("T5"))
    assert counts(again) == (1, 4, 0, 0)
    assert again.batch == 2


def test_the_same_bytes_from_another_source_are_other_records(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1"))
    assert counts(tickets(deployment, row("T1"), source="north gate")) == (1, 0, 0, 0)


def test_a_conflict_with_an_earlier_file_names_its_batch(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1"))
    report = tickets(deployment, row("T1", minutes="31"))
    assert counts(report) == (0, 0, 0, 1)
    assert "(batch 1)" in report.findings[0].what


def test_a_newer_version_replaces_from_its_batch_on(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", rest=",bay-4,1"))
    report = tickets(deployment, row("T2", minutes="45", rest=",bay-4,2"), row("T0", minutes="1", rest=",bay-4,0"))
    assert report.totals.superseding == 1
    tables = kind_tables(deployment.host.kinds)
    with database.read() as connection:
        for known, name in ((1, "T1"), (2, "T2")):
            found = load_current(connection, tables, {"CARD-1": [JULY]}, up_to_batch=known)
            assert [item.usage.external_id for item in found["CARD-1"]] == [name]
        assert newest_batch(connection) == 2


def test_only_what_meets_the_span_is_loaded(database: Database) -> None:
    hours = [
        stay(f"T{number}", span=Span(JULY.start + timedelta(hours=number), JULY.start + timedelta(hours=number + 1)))
        for number in range(4)
    ]
    deployment = gate_of(database, *hours, stay("P", span=Span.at(JULY.start + timedelta(hours=2))))
    take_in(deployment, io.BytesIO(b""), "told")
    window = Span(JULY.start + timedelta(hours=1), JULY.start + timedelta(hours=2))
    tables = kind_tables(deployment.host.kinds)
    with database.read() as connection:
        assert load_current(connection, tables, {}, up_to_batch=1) == {}
        found = load_current(connection, tables, {"CARD-1": [window], "CARD-2": [window]}, up_to_batch=1, kinds=["stay"])
    assert [item.usage.external_id for item in found["CARD-1"]] == ["T1"]


def test_the_zone_of_the_account_decides_whose_midnight_it_is(database: Database) -> None:
    deployment = gate_of(database)
    assign(deployment, "CARD-2", date(2026, 7, 2))
    report = tickets(deployment, row("T1", "CARD-2", "2026-07-01T23:59"), row("T2", "CARD-2", "2026-07-02T00:00"))
    assert counts(report) == (1, 0, 1, 0)


def test_many_chunks_are_one_intake(database: Database) -> None:
    deployment = gate_of(database)
    rows = [row(f"T{number}") for number in range(5_000)]
    report = tickets(deployment, *rows, *rows[:100], row("T3", minutes="31"))
    assert counts(report) == (5_000, 100, 0, 1)
    assert "(batch 1)" in report.findings[0].what


def test_coverage_is_stored_and_its_gaps_are_told(database: Database) -> None:
    gap = Span(JULY.start, JULY.start + timedelta(hours=1))
    full = Coverage(subject="CARD-1", span=JULY, expected=10, received=10)
    deployment = gate_of(database, full, Coverage(subject="CARD-2", span=JULY, expected=10, received=7, missing=(gap,)))
    report = take_in(deployment, io.BytesIO(b""), "told")
    assert (report.expected_values, report.received_values) == (20, 17)
    assert codes(report.findings) == ["USAGE05"]
    assert str(gap) in report.findings[0].what
    with database.read() as connection:
        assert next(item for _, item in coverage_rows(connection)) == full
        ((_, found),) = coverage_rows(connection, gaps_only=True)
    assert found.missing == (gap,)


def refused(deployment: Any, file: bytes, code: str, file_format: str = "tickets", **options: Any) -> InputRefused:
    with unchanged(deployment.database), pytest.raises(InputRefused) as caught:
        take_in(deployment, io.BytesIO(file), file_format, name="f.csv", **options)
    assert caught.value.code == code
    assert caught.value.remedy
    return caught.value


GOOD_ROWS = content(*(row(f"T{number}") for number in range(2_100)))
HOSTILE = [
    ("empty", b"", "USAGE21"),
    ("wrong header", b"a,b,c\n1,2,3\n", "USAGE21"),
    ("late wrong encoding", GOOD_ROWS + b"\xff\xfe", "USAGE22"),
    ("late open quote", GOOD_ROWS + b'"x', "USAGE23"),
    ("late endless line", GOOD_ROWS + b"x" * 3_000_000, "USAGE11"),
    ("cut gzip", gzip.compress(GOOD_ROWS)[:-30], "USAGE10"),
    ("binary", b"\x00\x01\x02" * 50, "USAGE21"),
]


def test_a_hostile_file_stores_nothing_and_names_its_place(database: Database) -> None:
    deployment = gate_of(database)
    for name, file, code in HOSTILE:
        assert refused(deployment, file, code).place.startswith("f.csv"), name


def test_what_the_caller_says_wrong_is_told(database: Database, tmp_path: Path) -> None:
    deployment = gate_of(database)
    with pytest.raises(NotFound, match="Did you mean 'tickets'"):
        take_in(deployment, io.BytesIO(b""), "ticket")
    with pytest.raises(ValueRefused, match="Europe/Berlin"):
        tickets(deployment, zone="Europe/Berlim")
    with pytest.raises(InputRefused, match="cannot be opened") as caught:
        take_in(deployment, tmp_path / "nothing.csv", "tickets")
    assert caught.value.code == "USAGE12"
    assert "colour" in refused(deployment, b"", "USAGE28", "told", options={"color": "red"}).remedy


def boom() -> Any:
    raise KeyError("plate")


def leave() -> Any:
    sys.exit(0)


@pytest.mark.parametrize(
    ("item", "code", "what"),
    [
        (boom, "PLUGIN05", "the reader 'told' of plugin gate failed: KeyError: 'plate'"),
        (leave, "PLUGIN05", "the reader 'told' of plugin gate failed: SystemExit: 0"),
        ("a text", "PLUGIN04", "yielded a str"),
        (stay(kind="leave"), "PLUGIN04", "usage kind 'leave'"),
        (BadRecord(line=3, raw="x", findings=()), "PLUGIN04", "without a finding"),
    ],
)
def test_a_reader_that_breaks_its_contract_stores_nothing(sqlite_database: Database, item: Any, code: str, what: str) -> None:
    deployment = gate_of(sqlite_database, stay("T1"), item)
    with unchanged(sqlite_database), pytest.raises(ContractBroken, match=what) as caught:
        take_in(deployment, io.BytesIO(b""), "told")
    assert caught.value.code == code
    assert caught.value.exit_code == 70


def test_hostile_values_of_a_reader_wait_and_can_be_stored(database: Database) -> None:
    hostile = [
        stay("T1", plate="nul\x00"),
        stay("T2", plate="half \ud800"),
        stay("x" * 600),
        stay("T3", minutes=2**80),
        stay("T4", weights=(2**70,)),
        BadRecord(line=9, raw="raw\x00\ud800", findings=(Finding(code="USAGE25", what="odd \x00 \ud800", value="\x00\ud800"),)),
    ]
    deployment = gate_of(database, *hostile, stay("T9"))
    assert counts(take_in(deployment, io.BytesIO(b""), "told")) == (1, 0, 6, 0)
    assert counts(take_in(deployment, io.BytesIO(b"again"), "told")) == (0, 7, 0, 0)


def test_a_file_may_be_a_path_and_packed(database: Database, tmp_path: Path) -> None:
    deployment = gate_of(database)
    path = tmp_path / "tickets.csv.gz"
    path.write_bytes(gzip.compress(content(row("T1"))))
    read: list[int] = []
    report = take_in(deployment, path, "tickets", on_read=read.append)
    assert counts(report) == (1, 0, 0, 0)
    assert report.file == "tickets.csv.gz"
    assert read[-1] == path.stat().st_size


def test_two_intakes_at_once_count_each_record_once(database: Database) -> None:
    deployment = gate_of(database)
    url = database.engine.url.render_as_string(hide_password=False)
    done: list[tuple[int, int, int, int]] = []

    def take(number: int) -> None:
        other = open_database(url)
        try:
            mine = attrs.evolve(deployment, database=other)
            done.append(counts(tickets(mine, *(row(f"T{item}") for item in range(200)), row(f"own{number}"))))
        finally:
            other.close()

    threads = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [(1, 200, 0, 0)] * 3 + [(201, 0, 0, 0)]
    with database.read() as connection:
        assert len(connection.execute(select(usage_key)).all()) == 204
        assert [batch.id for batch in batches(connection)] == [4, 3, 2, 1]


class Visits:
    """Another plugin, whose kind has the records of the same source."""

    @hookimpl
    def billing_usage_kinds(self) -> list[Any]:
        return [UsageKind(name="visit", title="A visit", body=Stay)]

    @hookimpl
    def billing_readers(self) -> list[Reader]:
        return [Reader(format="visits", title="Visits", kinds=("visit",), read=lambda *_: iter([stay("T1", kind="visit")]))]


def test_an_id_that_a_plugin_used_which_is_gone_is_not_guessed_at(database: Database) -> None:
    deployment = gate_of(database, stay("T1"))
    take_in(deployment, io.BytesIO(b""), "told")
    other = attrs.evolve(deployment, host=Host.build([("visits", Visits())]))
    with unchanged(database), pytest.raises(Refused, match="'stay'") as caught:
        take_in(other, io.BytesIO(b""), "visits")
    assert caught.value.code == "USAGE06"


def test_the_database_refuses_to_change_usage(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1"))
    columns = {"usage_stay": "minutes", "usage_key": "version", "usage_batch": "records", "usage_subject": "id"}
    with unchanged(database):
        for table, column in columns.items():
            for act in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column} + 1"):
                with pytest.raises(Refused, match="immutable") as caught, database.begin() as connection:
                    connection.exec_driver_sql(act)
                assert caught.value.code == "USAGE08", act


def test_information_of_a_reader_is_kept_with_the_batch(database: Database) -> None:
    told = Finding(code="USAGE05", severity=Severity.INFORMATION, what="summary differs")
    deployment = gate_of(database, told, stay("T1"))
    report = take_in(deployment, io.BytesIO(b""), "told")
    assert report.findings == (told,)
    with database.read() as connection:
        assert next(batches(connection)).findings == (told,)


def test_the_application_role_takes_in_and_cannot_change(postgres_database: Database, postgres_server: Server) -> None:
    deployment = gate_of(postgres_database)
    role = "gatekeeper_of_tests"
    with postgres_server.connect() as admin:
        admin.execute(f"DROP ROLE IF EXISTS {role}")
        admin.execute(f"CREATE ROLE {role} LOGIN")
    grant_role(deployment, role)
    name = postgres_database.engine.url.database or ""
    application = open_database(postgres_server.url(name, role))
    try:
        report = tickets(attrs.evolve(deployment, database=application), row("T1"), row("T2", "CARD-9"))
        assert counts(report) == (1, 0, 1, 0)
        for statement in (
            "DELETE FROM usage_stay",
            "UPDATE usage_key SET version = 9",
            "TRUNCATE usage_batch",
            "ALTER TABLE usage_stay DISABLE TRIGGER ALL",
            "DELETE FROM audit_event",
        ):
            with pytest.raises(BillingError), application.begin() as connection:
                connection.exec_driver_sql(statement)
    finally:
        application.close()
        with postgres_server.connect(name) as admin:
            admin.execute(f"DROP OWNED BY {role}")
            admin.execute(f"DROP ROLE {role}")
