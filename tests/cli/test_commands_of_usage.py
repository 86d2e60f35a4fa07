"""The commands of settings, plugins, database and usage, as an officer types them."""

import gzip
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.party import Party
from billing_framework.run.deployment import open_deployment
from billing_framework.storage.master.account_rows import insert_values
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from tests.cli.deployment import billing, told, use

HEADER = "ticket,card,entered,minutes\n"
TICKETS = HEADER + "T1,C1,2026-07-01T10:00,30\nT2,C1,2026-07-02T10:00,45\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path) -> Path:
    use(tmp_path, monkeypatch)
    shutil.copyfile(sqlite_template, tmp_path / "billing.sqlite3")
    told(billing("db", "upgrade"))
    with open_deployment() as deployment, deployment.database.begin() as connection:
        insert_values(connection, PARTIES, [Party(code="P1", name="Ada")])
        insert_values(connection, ACCOUNTS, [Account(code="A1", party="P1", book="CITY", currency="EUR")])
        insert_values(connection, AGREEMENTS, [Agreement(code="G1", account="A1", plan="p", starts_on=date(2026, 1, 1))])
        insert_values(connection, ASSIGNMENTS, [Assignment(subject="C1", agreement="G1", starts_on=date(2026, 1, 1))])
    return tmp_path


def intake(folder: Path, text: str, *options: str, code: int = 0, name: str = "t.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return told(billing("usage", "intake", name, "--format", "tickets", *options), code)


def test_settings_are_shown_checked_and_described(folder: Path) -> None:
    assert "plugin.gatehouse.limit    3" in told(billing("config", "show"))
    assert json.loads(told(billing("config", "show", "--json")))["deployment"]["zone"] == "Europe/Berlin"
    assert "nothing to correct" in told(billing("config", "check"))
    schema = json.loads(told(billing("config", "schema")))
    assert schema["properties"]["plugin"]["properties"]["gatehouse"]["properties"]["limit"]["default"] == 3
    (folder / "billing.toml").write_text((folder / "billing.toml").read_text() + "\n[plugin.gatehouse]\nlimt = 4\n")
    shown = told(billing("config", "check"), 1)
    assert "billing.toml:11: plugin.gatehouse.limt: CONFIG02" in shown
    assert "Did you mean 'limit'?" in shown
    assert json.loads(told(billing("config", "check", "--json"), 1))["findings"][0]["line"] == 11
    told(billing("usage", "batches"), 2)


def test_an_unknown_plugin_is_told_by_check_and_by_every_command(folder: Path) -> None:
    path = folder / "billing.toml"
    path.write_text(path.read_text().replace('["gatehouse"]', '["gatehous"]'))
    for command in (("config", "check"), ("plugin", "check")):
        shown = told(billing(*command), 1)
        assert "PLUGIN01" in shown
        assert "Did you mean 'gatehouse'?" in shown
    assert "Did you mean 'gatehouse'?" in told(billing("usage", "batches"), 2)


def test_settings_may_be_named_by_option_or_environment(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert "CONFIG08" in told(billing("config", "show"), 2)
    assert "gate" in told(billing("--config", str(folder / "billing.toml"), "config", "show"))
    assert "gate" in told(billing("config", "show", "-c", str(folder / "billing.toml")))
    monkeypatch.setenv("BILLING_CONFIG", str(folder / "billing.toml"))
    assert "gate" in told(billing("config", "show"))


@pytest.mark.usefixtures("folder")
def test_plugins_are_listed_shown_and_checked() -> None:
    listed = {row["name"]: row["enabled"] for row in json.loads(told(billing("plugin", "list", "--json")))}
    assert listed["gatehouse"] is True
    shown = told(billing("plugin", "show", "gatehouse"))
    for part in ("gatehouse-for-tests 1.0", "tickets: Exit tickets", "limit = 3", "minutes: whole number; how long it stood."):
        assert part in shown
    assert "nothing to correct in: gatehouse" in told(billing("plugin", "check"))
    assert "Did you mean 'gatehouse'?" in told(billing("plugin", "show", "gatehous"), 2)


def test_the_database_is_upgraded_checked_backed_up_and_restored(folder: Path) -> None:
    assert "the schema is current; nothing was changed" in told(billing("db", "upgrade"))
    assert "the schema is current" in told(billing("db", "check"))
    told(billing("db", "backup", "saved"))
    intake(folder, TICKETS)
    assert "STORAGE12" in told(billing("db", "restore", "saved"), 3)
    told(billing("db", "restore", "saved", "--replace"))
    assert "(none)" in told(billing("usage", "batches"))
    assert json.loads(told(billing("audit", "list", "--json")))
    assert "STORAGE18" in told(billing("db", "grant", "app"), 4)


def test_a_database_without_schema_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(tmp_path, monkeypatch)
    assert "Run billing db upgrade" in told(billing("usage", "batches"), 4)
    assert "Run billing db upgrade" in told(billing("db", "check"), 1)


def test_intake_tells_its_totals_and_a_second_time_changes_nothing(folder: Path) -> None:
    shown = intake(folder, TICKETS)
    assert "accepted   2 (2 stay)" in shown
    again = intake(folder, TICKETS)
    assert "taken in before; nothing was changed" in again
    assert "duplicate  2" in again
    assert told(billing("usage", "batches")).count("t.csv") == 1


def test_stored_usage_is_proven(folder: Path) -> None:
    intake(folder, TICKETS)
    assert told(billing("usage", "verify")).strip() == "1 batches, 2 records, all as it was taken in"
    with closing(sqlite3.connect(folder / "billing.sqlite3")) as raw, raw:
        raw.execute("DROP TRIGGER usage_stay_update")
        raw.execute("UPDATE usage_stay SET minutes = 1 WHERE external_id = 'T1'")
    shown = told(billing("usage", "verify"), 1)
    assert "USAGE32 record tickets/T1 of C1 does not say what it said when it was taken in" in shown
    assert "1 batches, 2 records, 1 findings" in shown
    assert len(json.loads(told(billing("usage", "verify", "--json"), 1))["findings"]) == 1


def test_who_names_no_format_is_told_which_there_are(folder: Path) -> None:
    (folder / "t.csv").write_text(TICKETS, encoding="utf-8")
    shown = told(billing("usage", "intake", "t.csv"), 2)
    assert "say with --format what the file is; known formats: tickets" in shown


def test_intake_reads_standard_input_and_packed_files(folder: Path) -> None:
    (folder / "t.csv.gz").write_bytes(gzip.compress(TICKETS.encode()))
    told(billing("usage", "intake", "t.csv.gz", "--format", "tickets"))
    result = billing("usage", "intake", "-", "--format", "tickets", "--json", given=(TICKETS + "T3,C1,2026-07-03,5\n").encode())
    report = json.loads(told(result))
    assert report["file"] == "standard input"
    assert (report["totals"]["accepted"], report["totals"]["duplicate"]) == (1, 2)


def test_what_waits_ends_with_1_and_is_decided_by_officers(folder: Path) -> None:
    text = TICKETS + "T3,C9,2026-07-03,5\nT4,C1,soon,5\nT1,C1,2026-07-01T10:00,31\n"
    shown = intake(folder, text, code=1)
    assert "t.csv:4: T3: subject: USAGE03" in shown
    assert "t.csv:5: entered: USAGE25" in shown
    assert "t.csv:6: C1: external_id: USAGE02" in shown
    numbers = {row["line"]: str(row["number"]) for row in json.loads(told(billing("usage", "suspense", "--json")))}
    assert list(numbers) == [4, 5, 6]
    told(billing("usage", "correct", numbers[4], "subject=C1", "--reason", "typing error"))
    told(billing("usage", "write-off", numbers[5], numbers[6], "--reason", "gate was broken"))
    assert "1 accepted" in told(billing("usage", "recycle"))
    assert "(none)" in told(billing("usage", "suspense"))
    assert "gate was broken" in told(billing("usage", "suspense", "--state", "written_off", "--json"))
    listed = told(billing("usage", "list", "C1", "--from", "2026-07-02", "--to", "2026-07-04"))
    assert "T2" in listed
    assert "T3" in listed
    assert "T1" not in listed
    source, key = listed.splitlines()[-1].split()[1], listed.split()[-1]
    assert told(billing("usage", "show", key)) == told(billing("usage", "show", f"{source}/T3"))
    assert "nothing was changed" in told(billing("usage", "recycle"))
    assert "USAGE15" in told(billing("usage", "correct", numbers[4], "subject=C2", "--reason", "again"), 3)
    assert "USAGE14" in told(billing("usage", "write-off", "99", "--reason", "x"), 2)


def test_every_decision_is_audited_with_its_actor(folder: Path) -> None:
    intake(folder, HEADER + "T3,C9,2026-07-03,5\n", code=1)
    told(billing("--actor", "bob", "usage", "write-off", "1", "--reason", "test"))
    trail = {event["action"]: event for event in json.loads(told(billing("audit", "list", "--json")))}
    assert trail["usage intake"]["actor"] == "ada"
    assert trail["usage write-off"]["actor"] == "bob"
    assert trail["usage write-off"]["reason"] == "test"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("intake", "none.csv", "--format", "tickets"), 2, "USAGE12"),
        (("intake", "t.csv", "--format", "ticket"), 2, "Did you mean 'tickets'?"),
        (("intake", "t.csv", "--format", "tickets", "--option", "colour"), 2, "NAME=VALUE"),
        (("intake", "t.csv", "--format", "tickets", "--option", "colour=red"), 2, "USAGE28"),
        (("intake", "t.csv", "--format", "tickets", "--zone", "Berlin"), 2, "VALUE15"),
        (("correct", "1", "subject", "--reason", "x"), 2, "FIELD=VALUE"),
        (("list", "C1", "--kind", "stey"), 2, "Did you mean 'stay'?"),
        (("list", "C1", "--from", "July"), 2, "July"),
    ],
)
def test_a_mistake_in_the_call_is_told(folder: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    (folder / "t.csv").write_text(TICKETS, encoding="utf-8")
    assert message in told(billing("usage", *arguments), code)


def test_hostile_files_end_with_2_and_store_nothing(folder: Path) -> None:
    files = {
        "cut.csv.gz": gzip.compress((HEADER + "T1,C1,2026-07-01,5\n" * 999).encode())[:-9],
        "latin.csv": HEADER.encode() + "T1,Zürich,2026-07-01,5\n".encode("latin-1"),
        "long.csv": HEADER.encode() + b"x" * 5_000_000,
        "headless.csv": b"T1,C1,2026-07-01,5\n",
        "empty.csv": b"",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
        assert name in told(billing("usage", "intake", name, "--format", "tickets"), 2)
    assert "(none)" in told(billing("usage", "batches"))
    assert "(none)" in told(billing("usage", "coverage"))


@pytest.mark.usefixtures("folder")
def test_standard_input_is_read_as_bytes() -> None:
    assert "USAGE22" in told(billing("usage", "intake", "-", "--format", "tickets", given=b"\xff\xfe"), 2)
