"""Hostile input, one test each: the place and the remedy are told, the exit code is the documented one, nothing is lost.

Every test works on the example of the utility, set up by its own commands, and speaks to it as an officer does.
"""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from billing_framework.cli.main import cli

EXAMPLE = Path(__file__).parents[2] / "examples" / "utility"
SET_UP = (
    "db upgrade",
    "book load book.toml",
    "plan load plans/residential-flat.toml plans/residential-time-of-use.toml plans/residential-gas.toml",
    "tax load taxes.toml",
    "period open HARBOUR 2026-01 --through 2026-12",
    "party import parties.csv",
    "account import accounts.csv",
    "agreement import agreements.csv",
    "assignment import assignments.csv",
)


def billing(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment with customers, before any usage."""
    folder = tmp_path_factory.mktemp("office")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sqlite3*"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in SET_UP:
            done = billing(*command.split())
            assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def folder(office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The deployment of one test, which is also its present folder."""
    shutil.copytree(office, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BILLING_CONFIG", raising=False)
    return tmp_path


def refused(result: Result, code: int, *texts: str) -> None:
    """Check the exit code, that the error stream tells each of the texts, and that no traceback is shown."""
    assert result.exit_code == code, (result.exit_code, result.output)
    assert "Traceback" not in result.output
    for text in texts:
        assert text in result.stderr, (text, result.stderr)


def intake(name: str, *options: str) -> Result:
    return billing("usage", "intake", name, "--format", "nem12", *options)


def nothing_was_taken_in() -> None:
    assert json.loads(billing("usage", "batches", "--json").stdout) == []


def kept(records: int) -> None:
    """Check that all of `records` records are told and wait in suspense, and that none was accepted."""
    [batch] = json.loads(billing("usage", "batches", "--json").stdout)
    totals = batch["totals"]
    assert totals["records"] == totals["accepted"] + totals["duplicate"] + totals["suspended"] + totals["rejected"]
    assert (totals["records"], totals["accepted"], totals["suspended"]) == (records, 0, records)
    assert len(json.loads(billing("usage", "suspense", "--json").stdout)) == records


def nem12(folder: Path) -> bytes:
    return (folder / "data" / "nem12_2026-07.csv").read_bytes()


def written(folder: Path, name: str, content: bytes | str) -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


def one_day(folder: Path, old: str, new: str) -> str:
    """Return a NEM12 file of one channel and one day, with a field replaced."""
    lines = nem12(folder).decode().splitlines()[:3]
    assert any(old in line for line in lines)
    return "\n".join([*(line.replace(old, new, 1) for line in lines), "900"])


def test_a_truncated_file_is_refused_whole_wherever_it_ends(folder: Path) -> None:
    whole = nem12(folder)
    for place in (0, 1, 40, 1_000, len(whole) // 2, len(whole) - 5):
        refused(intake(written(folder, "cut.csv", whole[:place])), 2, "cut.csv", "UTIL0")
    refused(intake("cut.csv"), 2, "without a 900 record", "Ask the sender for the complete file")
    feed = (folder / "data" / "green_button_2026-07.xml").read_bytes()
    for place in (0, 1, 1_000, len(feed) // 2, len(feed) - 3):
        name = written(folder, "cut.xml", feed[:place])
        refused(billing("usage", "intake", name, "--format", "green_button"), 2, "cut.xml", "UTIL", "Give the file as")
    refused(intake(written(folder, "cut.gz", gzip.compress(whole)[:-20])), 2, "cut.gz", "USAGE10", "Fetch it again")
    nothing_was_taken_in()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_a_file_in_another_encoding_is_refused_whole(folder: Path, encoding: str) -> None:
    content = nem12(folder).decode().replace("HL00001", "HL\xe9\xff01").encode(encoding)
    refused(intake(written(folder, "other.csv", content)), 2, "other.csv", "UTIL01", "UTF-8")
    nothing_was_taken_in()


@pytest.mark.parametrize("file_format", ["nem12", "nem13", "green_button", "register_csv"])
def test_a_line_of_a_hundred_megabytes_is_refused_without_being_read(folder: Path, file_format: str) -> None:
    with (folder / "endless.csv").open("wb") as file:
        file.writelines(b"1" * 1_000_000 for _ in range(100))
    refused(billing("usage", "intake", "endless.csv", "--format", file_format), 2, "endless.csv:1", "longer than 1000000 bytes")
    nothing_was_taken_in()


def test_a_file_without_its_header_is_refused_whole(folder: Path) -> None:
    headless = nem12(folder).split(b"\n", 1)[1]
    refused(intake(written(folder, "headless.csv", headless)), 2, "headless.csv:1", "UTIL03", "header=lenient")
    reads = (folder / "data" / "gas_reads_2026-08-01.csv").read_bytes().split(b"\n", 1)[1]
    name = written(folder, "reads.csv", reads)
    refused(billing("usage", "intake", name, "--format", "register_csv"), 2, "reads.csv:1", "UTIL16", "column.point")
    nothing_was_taken_in()


def test_a_negative_interval_keeps_its_day_in_suspense(folder: Path) -> None:
    name = written(folder, "negative.csv", one_day(folder, ",0.099,", ",-0.099,"))
    refused(intake(name), 1, "negative.csv:3", "UTIL07", "IntervalValue1", "A channel counts one way")
    kept(1)


def test_an_unknown_unit_keeps_its_channel_in_suspense(folder: Path) -> None:
    name = written(folder, "unit.csv", one_day(folder, ",kWh,", ",furlong,"))
    refused(intake(name), 1, "unit.csv:2", "UTIL06", "the unit is not known ('furlong')", "empty_unit=kWh")
    kept(2)  # the 200 record, and the day below it


def plan(folder: Path, name: str, *changes: tuple[str, str]) -> str:
    text = (folder / "plans" / f"{name}.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return written(folder, "hostile.toml", text)


def loaded() -> int:
    return len(json.loads(billing("plan", "list", "--json").stdout))


def test_a_plan_whose_versions_overlap_is_not_loaded(folder: Path) -> None:
    name = plan(folder, "residential-flat", ('version = "2026"', 'version = "2026b"'))
    for verb in ("check", "load"):
        refused(billing("plan", verb, name), 1, "hostile.toml:7", "plan.valid_from", "PLAN14", "2026, 2026b", "supersede")
    assert loaded() == 3


def test_a_plan_that_leaves_hours_uncovered_is_not_loaded(folder: Path) -> None:
    rest = ('code = "residential-time-of-use"', 'code = "gaps"'), ("rest = true", 'hours = [{ start = "07:00", end = "15:00" }]')
    refused(
        billing("plan", "load", plan(folder, "residential-time-of-use", *rest)),
        1, "hostile.toml:20", "energy.periods", "UTIL30", "monday 15:00", "rest = true",
    )  # fmt: skip
    assert loaded() == 3


def test_an_agreement_without_a_plan_is_refused(folder: Path) -> None:
    header = "code,account,plan,starts_on,ends_on\n"
    for line, code, remedy in (
        ("G-9,A-1001,,2027-01-01,", "ACCOUNT01", "Give its plan"),
        ("G-9,A-1001,residential-flt,2027-01-01,", "ACCOUNT09", "Did you mean 'residential-flat'?"),
    ):
        name = written(folder, "agreements.csv", f"{header}{line}\n")
        refused(billing("agreement", "import", name), 1, "agreements.csv:2", "G-9", "plan", code, remedy)
    refused(billing("agreement", "create", "G-9", "--account", "A-1001", "--starts-on", "2027-01-01"), 2, "--plan")
    assert billing("agreement", "show", "G-9").exit_code == 2


def test_neither_a_file_of_accounts_nor_a_command_need_name_their_currency(folder: Path) -> None:
    name = written(folder, "accounts.csv", "code,party,book,currency\nA-9,P-1001,HARBOUR,\nA-8,P-1001,HARBOUR,AU\n")
    refused(billing("account", "import", name), 1, "accounts.csv:3", "A-8", "currency", "VALUE05")
    assert billing("account", "show", "A-9").exit_code == 2
    name = written(folder, "accounts.csv", "code,party,book,currency\nA-9,P-1001,HARBOUR,\n")
    assert billing("account", "import", name).exit_code == 0
    assert billing("account", "create", "A-8", "--party", "P-1001", "--book", "HARBOUR").exit_code == 0
    assert all("AUD" in billing("account", "show", code).stdout for code in ("A-8", "A-9"))


def settings(folder: Path, old: str, new: str) -> None:
    path = folder / "billing.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("currency =", "curency =", "billing.toml:6: deployment.curency"),
        ("locale =", "locael =", "billing.toml:7: deployment.locael"),
        ("[review]", "[reviw]", "billing.toml:17: reviw"),
        ("read_window_days", "read_windows_days", "billing.toml:22: plugin.utility_metering.read_windows_days"),
    ],
)
def test_a_misspelt_key_of_the_settings_stops_every_command(folder: Path, old: str, new: str, place: str) -> None:
    settings(folder, old, new)
    refused(billing("usage", "batches"), 2, place, "CONFIG02", f"Did you mean '{old.strip('[] =')}'?")
    refused(billing("config", "check"), 1, place)


def test_an_unknown_plugin_stops_every_command(folder: Path) -> None:
    settings(folder, '["utility_metering"]', '["utility_meterin"]')
    for command, code in ((("usage", "batches"), 2), (("config", "check"), 1)):
        refused(billing(*command), code, "billing.toml:5", "PLUGIN01", "Did you mean 'utility_metering'?")


RUN = ("run", "start", "--book", "HARBOUR", "--cycle", "monthly:1", "--period", "2026-07")


def charge(**changes: str) -> Result:
    given = {"amount": "10.00", "code": "service.visit", "text": "Visit", "date": "2026-07-20", "reason": "order 7", **changes}
    return billing("charge", "add", "A-1001", *(word for name, value in given.items() for word in (f"--{name}", value)))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("amount", "1e5", "VALUE01"),
        ("amount", "9" * 30, "VALUE30"),
        ("amount", "\uff11\uff12", "VALUE01"),
        ("amount", "0", "MANUAL01"),
        ("text", "", "MANUAL01"),
        ("text", "\x1b[2J", "ACCOUNT02"),
        ("date", "9999-12-31", "from 1900 to 2199"),
        ("date", "\uff12\uff10\uff12\uff16-07-20", "2026-07-31"),
        ("date", "2026-02-30", "--date"),
        ("code", "water.visit", "BOOK06"),
        ("reason", "", "ACCOUNT16"),
    ],
)
def test_a_charge_that_cannot_be_meant_is_refused(folder: Path, field: str, value: str, told: str) -> None:
    refused(charge(**{field: value}), 2, told)
    assert json.loads(billing("charge", "list", "--json").stdout) == []
    assert folder.is_dir()


def test_an_account_whose_bill_cannot_be_booked_is_held_and_the_others_are_billed(folder: Path) -> None:
    assert billing("usage", "intake", str(folder / "data" / "nem12_2026-07.csv"), "--format", "nem12").exit_code == 0
    assert charge(amount="99999999999999.00").exit_code == 0
    assert billing(*RUN, "--as-of", "2026-08-03").exit_code == 0
    review = billing("run", "review")
    assert review.exit_code == 1
    assert "held: A-1001: total comes to" in review.stdout
    assert "VALUE30" in review.stdout
    assert "Correct the quantity or the price" in review.stdout
    assert billing("run", "approve").exit_code == 0
    assert billing("run", "post").exit_code == 0
    accounts = {document["account"] for document in json.loads(billing("invoice", "list", "--json").stdout)}
    assert "A-1001" not in accounts
    assert {"A-1002", "A-2000"} <= accounts


@pytest.mark.parametrize("period", ["0001-01", "9999-12", "2026-13", "", "July", "0001-01-01/9999-12-31"])
def test_a_period_that_cannot_be_billed_is_refused(folder: Path, period: str) -> None:
    refused(billing(*RUN[:-1], period), 2, "RUN22" if period[:1] not in "09" or not period else "VALUE29")
    assert json.loads(billing("run", "list", "--json").stdout) == []
    assert folder.is_dir()


def test_a_run_is_not_gone_on_with_under_another_date(folder: Path) -> None:
    assert folder.is_dir()
    assert billing(*RUN, "--as-of", "2026-08-03").exit_code == 0
    refused(billing(*RUN, "--as-of", "2026-08-04"), 3, "RUN03", "documents of 2026-08-03", "billing run cancel")
    assert billing(*RUN, "--as-of", "2026-08-03").exit_code == 0
