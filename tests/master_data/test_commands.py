"""The commands of master data as an officer types them: what they print, their exit codes, their JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from billing_framework.cli.main import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def ok(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def plain(*arguments: str) -> Any:
    return json.loads(ok(*arguments, "--json"))


@pytest.fixture
def shop(folder: Path) -> Path:
    """The folder with the book and the plan loaded, and one customer."""
    ok("book", "load", "book.toml")
    ok("plan", "load", "plan.toml")
    ok("party", "create", "P-1", "--name", "Ada Ohm", "--country", "US")
    ok("account", "create", "A-1", "--party", "P-1", "--book", "US", "--currency", "USD")
    ok("agreement", "create", "G-1", "--account", "A-1", "--plan", "basic", "--starts-on", "2026-01-01", "term.kw=5")
    ok("assignment", "create", "M-1", "--agreement", "G-1", "--starts-on", "2026-01-01", "detail.multiplier=40")
    return folder


def test_a_customer_from_nothing_to_a_meter(shop: Path) -> None:
    assert shop.exists()
    assert plain("account", "show", "A-1")["account"]["zone"] == "America/Chicago"  # the deployment's
    assert plain("agreement", "list", "--account", "A-1")[0]["term.kw"] == "5"
    assert plain("assignment", "show", "M-1")[0]["detail.multiplier"] == "40"
    assert "A-1 pays for A-1" in ok("account", "payer", "A-1")
    assert "Ada Ohm" in ok("party", "list", "--country", "US")
    assert "(none)" in ok("party", "list", "--country", "DE")


def test_the_same_command_again_says_that_nothing_changed(shop: Path) -> None:
    assert shop.exists()
    assert "unchanged" in ok("book", "load", "book.toml")
    assert "unchanged" in ok("plan", "load", "plan.toml")
    assert "unchanged" in ok("party", "create", "P-1", "--name", "Ada Ohm", "--country", "US")


def test_an_account_that_names_no_currency_has_the_deployments(shop: Path) -> None:
    created = plain("account", "create", "A-9", "--party", "P-1", "--book", "US", "--cycle", "monthly:1")
    wanted = plain("config", "show")["deployment"]
    assert (created["account"]["currency"], created["account"]["zone"]) == (wanted["currency"], wanted["zone"])
    assert shop.exists()


def test_a_change_shows_the_field_before_and_after_and_the_trail_keeps_it(shop: Path) -> None:
    assert shop.exists()
    shown = ok("account", "change", "A-1", "due_days=30", "--reason", "letter", "--actor", "ben")

    assert "14" in shown
    assert "30" in shown
    [event] = plain("audit", "list", "--kind", "account", "--key", "A-1", "--by", "ben")
    assert (event["reason"], event["before"]["due_days"], event["after"]["due_days"]) == ("letter", "14", "30")
    assert "due_days" in ok("audit", "show", "account", "A-1")
    assert plain("audit", "list", "--until", "2020-01-01") == []


def test_new_terms_from_a_date_on(shop: Path) -> None:
    assert shop.exists()
    shown = ok("agreement", "change", "G-1", "--on", "2026-08-01", "term.kw=8", "--reason", "wish")

    assert "G-1~2 begins on 2026-08-01; M-1 went over" in shown
    ended = ok("agreement", "end", "G-1~2", "--on", "2026-09-01", "--reason", "moved out")
    assert "2026-09-01" in ended
    assert [row["ends_on"] for row in plain("assignment", "show", "M-1")] == ["2026-08-01", "2026-09-01"]


def test_an_end_that_is_taken_back_tells_which_assignments_stay_ended(shop: Path) -> None:
    assert shop.exists()
    ok("assignment", "create", "M-7", "--agreement", "G-1", "--starts-on", "2026-10-01")
    ok("agreement", "end", "G-1", "--on", "2026-09-01", "--reason", "moved out")
    told = ok("agreement", "change", "G-1", "ends_on=", "--reason", "she stays")
    assert "billing assignment create M-7 --agreement G-1 --starts-on 2026-10-01" in told
    assert "M-1 is still assigned only until 2026-09-01" in told
    ok("assignment", "change", "M-1", "ends_on=", "--on", plain("assignment", "show", "M-1")[0]["starts_on"], "--reason", "so")
    assert "ends_on" not in plain("assignment", "show", "M-1")[0] or not plain("assignment", "show", "M-1")[0]["ends_on"]
    assert "is still assigned" not in ok("agreement", "change", "G-1", "term.kw=9", "--reason", "typing error")


def test_an_account_whose_agreements_run_is_closed_only_knowingly(shop: Path) -> None:
    close = ("account", "change", "A-1", "status=closed", "--reason", "moved out")
    refused = run(*close)
    assert refused.exit_code == 3
    assert "ACCOUNT33 account A-1 cannot be closed yet: the agreements G-1 still run" in refused.stderr
    row = plain("account", "show", "A-1")["account"]
    names = ("code", "party", "book", "currency", "cycle", "locale", "zone", "status")
    file = shop / "closed.csv"
    file.write_text(
        ",".join(names) + "\n" + ",".join({**row, "status": "closed"}.get(name, "") for name in names), encoding="utf-8"
    )
    assert "ACCOUNT33" in run("account", "import", str(file), "--update").stderr
    assert plain("account", "show", "A-1")["account"]["status"] == "active"
    assert "closed" in ok(*close, "--leave-open")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("account", "create", "A-2", "--party", "P-1", "--currency", "USD"), 2, "--book"),
        (("account", "create", "A-2", "--party", "P-9", "--book", "US", "--currency", "USD"), 2, "ACCOUNT09"),
        (("account", "create", "A-2", "--party", "P-1", "--book", "US", "--currency", "USB"), 2, "VALUE05"),
        (("account", "create", "A-1", "--party", "P-1", "--book", "US", "--currency", "EUR"), 3, "ACCOUNT10"),
        (("account", "change", "A-1", "due_days=30"), 2, "ACCOUNT16"),
        (("account", "change", "A-1", "due_day=30", "--reason", "x"), 2, "due_days"),
        (("account", "change", "A-1", "due_days", "--reason", "x"), 2, "ACCOUNT03"),
        (("account", "change", "A-1", "currency=EUR", "--reason", "x"), 3, "ACCOUNT12"),
        (("account", "show", "A-7"), 2, "A-1"),
        (("agreement", "create", "G-2", "--account", "A-1", "--starts-on", "2026-01-01"), 2, "--plan"),
        (("agreement", "create", "G-2", "--term", "payer=x"), 2, "No such option: --term. Write term.NAME=VALUE, without dashes"),
        (("agreement", "create", "G-2", "--term.payer=x"), 2, "No such option: --term.payer. Write term.NAME=VALUE"),
        (("assignment", "create", "M-2", "--detail", "title=x"), 2, "Write detail.NAME=VALUE"),
        (("agreement", "create", "G-2", "--plam", "x"), 2, "--plan"),
        (("party", "create", "P-2", "--term", "x=y"), 2, "No such option"),
        (("agreement", "end", "G-1", "--on", "2025-01-01", "--reason", "x"), 3, "ACCOUNT05"),
        (("agreement", "end", "G-1", "--on", "yesterday", "--reason", "x"), 2, "yesterday"),
        (("assignment", "create", "M-1", "--agreement", "G-1", "--starts-on", "2026-05-01"), 3, "ACCOUNT07"),
        (("assignment", "show", "M-7"), 2, "ACCOUNT09"),
        (("book", "show", "UK"), 2, "BOOK08"),
        (("plan", "show", "basics"), 2, "basic"),
        (("plan", "diff", "basic@2026", "basic@1"), 2, "PLAN32"),
        (("tax", "show", "nothing"), 2, "TAX34"),
        (("period", "open", "US"), 2, "MONTH"),
        (("period", "open", "US", "2026-13"), 2, "PERIOD01"),
        (("period", "close", "US", "2026-07-01", "--reason", "x"), 2, "LEDGER06"),
        (
            ("charge", "add", "A-1", "--amount", "1", "--code", "x", "--text", "x", "--date", "2026-07-01", "--reason", "x"),
            2,
            "BOOK06",
        ),
        (("charge", "withdraw", "A-1-M1", "--reason", "x"), 2, "MANUAL03"),
        (("ledger", "balance", "UK"), 2, "LEDGER18"),
        (("ledger", "verify", "--head", "1:zz"), 2, "hash"),
        (("party", "import", "nothing.csv"), 2, "nothing.csv"),
    ],
)
def test_what_is_wrong_is_told_with_its_exit_code_and_no_traceback(
    shop: Path, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    assert shop.exists()
    result = run(*arguments)

    assert result.exit_code == exit_code, result.output
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_file_with_a_wrong_line_ends_with_1_and_writes_nothing(shop: Path) -> None:
    (shop / "parties.csv").write_text("code,name,country\nP-2,Ben,US\nP-3,Carla,XX\n")

    result = run("party", "import", "parties.csv")

    assert result.exit_code == 1
    assert "parties.csv:3" in result.stderr
    assert "nothing written" in result.stdout
    assert len(plain("party", "list")) == 1


def test_a_file_is_checked_taken_and_taken_again(shop: Path) -> None:
    (shop / "parties.csv").write_text("code;name\nP-2;Ben\n")

    checked = plain("party", "import", "parties.csv", "--delimiter", ";", "--check")
    taken = plain("party", "import", "parties.csv", "--delimiter", ";")
    again = plain("party", "import", "parties.csv", "--delimiter", ";")

    assert (checked["created"], checked["written"]) == (1, False)
    assert (taken["created"], taken["written"]) == (1, True)
    assert (again["created"], again["unchanged"]) == (0, 1)


def test_an_unmapped_code_ends_the_check_with_1(shop: Path) -> None:
    assert ok("book", "check") == "every charge and tax code is mapped\n"
    (shop / "other.toml").write_text(
        (shop / "plan.toml").read_text().replace('"basic"', '"other"').replace("service.", "energy.")
    )
    ok("plan", "load", "other.toml")

    result = run("book", "check")

    assert result.exit_code == 1
    assert "BOOK06" in result.stderr
    assert "energy.fixed" in result.stderr
    assert run("plan", "check").exit_code == 1
    assert run("tax", "check").exit_code == 1


def test_plans_are_checked_shown_and_compared(shop: Path) -> None:
    text = (shop / "plan.toml").read_text()
    (shop / "2027.toml").write_text(
        text.replace('version = "2026"', 'version = "2027"').replace("2026-01-01", "2027-01-01").replace("12.70", "13")
    )
    (shop / "bad.toml").write_text(text.replace("price", "prize"))

    assert ok("plan", "check", "2027.toml") == "nothing to correct\n"
    assert run("plan", "check", "bad.toml").exit_code == 1
    assert run("plan", "load", "2027.toml", "bad.toml").exit_code == 1
    assert [row["version"] for row in plain("plan", "list")] == ["2026"]
    assert {"place": "service.price", "before": "12.7", "after": "13"} in plain("plan", "diff", "basic", "2027.toml")
    assert ok("plan", "show", "basic@2026", "--source") == text
    assert "Service charge" in ok("plan", "show", "basic")


def test_periods_charges_taxes_and_the_ledger_by_command(shop: Path) -> None:
    (shop / "texas.toml").write_text(
        'schema = 1\n[[tax]]\ncode = "sales"\ntitle = { en = "Sales tax" }\njurisdiction = "US-TX"\ncategory = "standard"\n'
        'percent = "8.25"\nvalid_from = 2020-01-01\n'
    )
    assert "created" in ok("tax", "load", "texas.toml")
    assert "8.25" in ok("tax", "list", "--place", "US-TX-Dallas", "--on", "2026-07-01")
    assert "(none)" in ok("tax", "list", "--place", "US-OH")
    assert 'percent = "8.25"' in ok("tax", "show", "texas")
    assert "opened 2026-07-01/2026-07-31" in ok("period", "open", "US", "2026-07")
    assert "open already" in ok("period", "open", "US", "2026-07")
    ok("period", "open", "US", "2026-01")
    assert "closed 2026-01-01/2026-01-31" in ok("period", "close", "US", "2026-01-15", "--reason", "reported")
    charge = ("--amount", "-12.50", "--code", "service.x", "--text", "Goodwill", "--date", "2026-07-14", "--reason", "late")
    assert "A-1-M1: -12.5 USD waits" in ok("charge", "add", "A-1", *charge)
    assert "MANUAL05 charge A-1-M1 says the same" in run("charge", "add", "A-1", *charge).stderr
    assert "A-1-M2" in ok("charge", "add", "A-1", *charge, "--again")
    assert "withdrawn" in ok("charge", "withdraw", "A-1-M2", "--reason", "twice")
    assert "withdrawn" in ok("charge", "withdraw", "A-1-M1", "--reason", "twice")
    assert plain("charge", "list", "A-1")[0]["state"] == "withdrawn"
    assert plain("ledger", "balance") == {"book": "US", "dates": None, "lines": [], "totals": {}}
    assert "all as it was sealed; head 0:" in ok("ledger", "verify")


def test_an_identifier_is_shown_with_the_range_that_it_is_in(shop: Path) -> None:
    assert shop.exists()
    ok("assignment", "create", "X-10..X-19", "--agreement", "G-1", "--starts-on", "2026-02-01")

    assert [row["subject"] for row in plain("assignment", "show", "X-15")] == ["X-10..X-19"]
    assert "X-10..X-19" in ok("assignment", "show", "X-15", "--on", "2026-02-01")
    assert run("assignment", "show", "X-15", "--on", "2026-01-31").exit_code != 0
    assert run("assignment", "create", "X-12", "--agreement", "G-1", "--starts-on", "2026-03-01").exit_code == 3
