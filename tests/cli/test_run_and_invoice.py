"""The commands of a run and its documents: what they print, and with which exit code they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from billing_framework.plugin.settings import ReviewSettings
from billing_framework.run.master.books import load_book_file
from billing_framework.run.schema import upgrade_schema
from billing_framework.storage.engine import Database
from billing_framework.values.money import Money
from tests.cli.in_office import told
from tests.scenarios.office import BOOK, Office

JULY = "2026-07-01.monthly-1.1"
"""The end of its code that tells the run of July from all others."""


@pytest.fixture
def office(sqlite_database: Database) -> Office:
    return _office(sqlite_database)


def _office(database: Database) -> Office:
    office = Office.of(database, review=ReviewSettings(largest=(Money.of("60", "USD"),)))
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4", "j2,lathe,2026-07-20T08:00:00+00:00,90")
    return office


def data(office: Office, *args: str, code: int = 0) -> Any:
    return json.loads(told(office, *args, "--json", code=code))


def test_a_month_at_the_command_line(office: Office, tmp_path: Path) -> None:
    assert "2 accounts drafted" in told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    assert "nothing to do" in told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    shown = told(office, "run", "review", code=1)
    assert "held: C2: the total 143.00 USD is above the bound of 60.00 USD" in shown
    assert "records in = 2 priced = 2" in shown
    assert data(office, "run", "review", code=1)["counts"] == {"drafted": 1, "held": 1}
    assert "Machine hours, tier 2" in told(office, "run", "show", "", "C2")
    assert "needs a reason" in told(office, "run", "release", JULY, "C2", code=2)
    assert "C2 is drafted" in told(office, "run", "release", JULY, "C2", "--reason", "big order")
    told(office, "run", "review")

    assert "C1 is drafted, draft 2" in told(
        office, "run", "edit", JULY, "C1", "--line", "2", "--amount", "5", "--reason", "agreed by telephone"
    )
    assert "C1 is held" in told(office, "run", "hold", JULY, "C1", "--reason", "disputes it")
    assert "1 documents approved, 1 held accounts left out" in told(office, "run", "approve")
    assert "C1 is drafted" in told(office, "run", "release", JULY, "C1", "--reason", "settled")
    assert "2 documents approved" in told(office, "run", "approve")
    assert "2 documents posted" in told(office, "run", "post")
    assert "nothing to do" in told(office, "run", "post")
    assert [one["state"] for one in data(office, "run", "list")] == ["posted"]

    listed = data(office, "invoice", "list")
    assert [(one["number"], one["gross"], one["open"]) for one in listed] == [
        ("INV-2026-000001", "38.50 USD", "38.50 USD"),
        ("INV-2026-000002", "143.00 USD", "143.00 USD"),
    ]
    page = tmp_path / "invoice.html"
    assert "pay with reference  RF" in told(office, "invoice", "show", "INV-2026-000001", "--html", str(page))
    assert "INV-2026-000001" in page.read_text(encoding="utf-8")
    assert "proven" in told(office, "explain", "INV-2026-000001/2")
    assert data(office, "explain", "INV-2026-000002/1")["proven"] is True
    assert "nothing to do" in told(office, "invoice", "rebill", "INV-2026-000002", "--reason", "asked for")
    assert "CN-2026-000001 over -5.50 USD" in told(
        office, "invoice", "credit", "INV-2026-000002", "--line", "1=5.00 USD", "--reason", "goodwill"
    )


def test_a_period_that_has_not_ended_is_told_and_billed(office: Office) -> None:
    started = told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-07-20")
    assert "RUN66 the documents are of 2026-07-20, but the period 2026-07-01/2026-07-31 ends after that" in started
    assert "2 accounts drafted" in started
    assert "RUN66" in told(office, "run", "review", code=1)
    told(office, "run", "cancel", JULY, "--reason", "a slip")
    assert "RUN66" not in told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-07-31")
    assert data(office, "run", "review", code=1)["findings"] == []


def test_a_run_whose_accounts_are_all_held_names_them_and_the_review(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--account", "C2")
    run = data(office, "run", "list")[0]["code"]
    told(office, "run", "hold", JULY, "C2", "--reason", "disputes it")
    shown = told(office, "run", "approve", code=1)
    assert "RUN08" in shown
    assert "held are C2" in shown
    assert f"billing run review {run}" in shown
    assert "run start" not in shown
    assert "RUN04" in told(office, "run", "show", "", "C9", code=2)


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("run", "start", "--period", "July"), 2, "RUN22"),
        (("run", "start", "--period", "2026-07", "--account", "C9"), 2, "RUN04"),
        (("run", "start", "--period", "2026-07", "--book", "NONE"), 2, "BOOK08"),
        (("run", "start", "--period", "2026-07", "--cycle", "moonly"), 2, "VALUE17"),
        (("run", "show"), 2, "RUN01"),
        (("run", "approve", "x"), 2, "RUN01"),
        (("run", "post"), 2, "RUN01"),
        (("run", "cancel", "x", "--reason", "y"), 2, "RUN01"),
        (("run", "edit", "x", "C1", "--reason", "y"), 2, "give one of"),
        (("invoice", "show", "INV-1"), 2, "INVOICE20"),
        (("invoice", "credit", "INV-1", "--line", "x", "--reason", "y"), 2, "RUN22"),
        (("invoice", "rebill", "INV-1"), 2, "RUN14"),
        (("explain", "INV-1"), 2, "RUN17"),
    ],
)
def test_what_is_refused_names_the_remedy(office: Office, args: tuple[str, ...], code: int, says: str) -> None:
    assert says in told(office, *args, code=code)


def test_posting_what_is_not_approved_is_refused_by_the_state(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07")
    assert "not approved" in told(office, "run", "post", code=3)
    office.jobs("j3,drill,2026-07-04T08:00:00+00:00,1", file="more.csv")
    assert "stale" in told(office, "run", "approve", code=1)
    rehearsal = data(office, "run", "start", "--period", "2026-07", "--rehearsal")["run"]["code"]
    assert "never approved" in told(office, "run", "approve", rehearsal, code=3)
    assert "removed with 2 drafts" in told(office, "run", "purge", rehearsal)


def test_all_invoices_of_a_run_are_printed_into_a_folder(office: Office, tmp_path: Path) -> None:
    out = tmp_path / "letters" / "july"
    assert "EXPORT01" in told(office, "invoice", "print", "--out", str(out), code=2)
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    told(office, "run", "release", JULY, "C2", "--reason", "big order")
    run = data(office, "run", "list")[0]["code"]
    assert "EXPORT03" in told(office, "invoice", "print", "--run", run, "--out", str(out), code=3)
    assert not out.exists()
    told(office, "run", "approve")
    told(office, "run", "post")
    assert told(office, "invoice", "print", "--run", run, "--out", str(out)) == f"2 documents in {out}\n"
    assert sorted(file.name for file in out.iterdir()) == ["INV-2026-000001.html", "INV-2026-000002.html"]
    single = tmp_path / "one.html"
    told(office, "invoice", "show", "INV-2026-000002", "--html", str(single))
    assert (out / "INV-2026-000002.html").read_bytes() == single.read_bytes()
    told(office, "invoice", "print", "INV-2026-000002", "--text", "--out", str(tmp_path))
    assert "143.00" in (tmp_path / "INV-2026-000002.txt").read_text(encoding="utf-8")
    assert "INVOICE20" in told(office, "invoice", "print", "INV-9", "--out", str(tmp_path), code=2)
    assert "RUN01" in told(office, "invoice", "print", "--run", "nowhere", "--out", str(tmp_path), code=2)
    (tmp_path / "file").write_text("")
    assert told(office, "invoice", "print", "INV-2026-000002", "--out", str(tmp_path / "file" / "x"), code=2)


def test_an_edit_says_that_it_withdraws_the_approval_of_all(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    assert "withdrawn" not in told(office, "run", "hold", JULY, "C2", "--reason", "big order")
    told(office, "run", "approve")
    edited = told(office, "run", "edit", JULY, "C1", "--line", "2", "--amount", "5", "--reason", "agreed by telephone")
    assert "the approval of the whole run is withdrawn: approve it again" in edited


def test_an_account_is_held_once_and_by_whom_is_told(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    told(office, "run", "release", JULY, "C2", "--reason", "big order")
    told(office, "run", "approve")
    shown = told(office, "run", "hold", JULY, "C1", "--reason", "disputes it", "--actor", "ben")
    assert "C1 is held" in shown
    assert "the approval of the whole run is withdrawn" in shown
    told(office, "run", "approve")
    again = told(office, "run", "hold", JULY, "C1", "--reason", "another reason")
    assert again == "nothing to do: account C1 is held already, by ada since 2026-08-01T09:00+00:00: disputes it\n"
    assert data(office, "run", "status")["run"]["state"] == "approved"
    told(office, "run", "release", JULY, "C1", "--reason", "settled")
    assert "C1 is held" in told(office, "run", "hold", JULY, "C1", "--reason", "disputes it again")
    told(office, "run", "approve")
    told(office, "run", "post")
    assert "RUN03" in told(office, "run", "hold", JULY, "C1", "--reason", "too late", code=3)


def test_an_amount_is_stated_with_its_currency_or_without(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")

    def edit(*wanted: str, code: int = 0) -> str:
        return told(office, "run", "edit", JULY, "C1", *wanted, "--reason", "agreed", code=code)

    for stated in ("12.50", "12.50 USD", "12.50USD"):
        assert "C1 is drafted" in edit("--line", "2", "--amount", stated)
        assert "12.50 USD" in told(office, "run", "show", JULY, "C1")
    wrong = edit("--line", "2", "--amount", "12.50 EUR", code=2)
    assert "VALUE07 '12.50 EUR' is not in USD, the currency of account C1. State it in USD" in wrong
    edit("--line", "2", "--amount", "twelve", code=2)
    extra = ("--description", "Delivery", "--date", "2026-07-31")
    assert "C1 is drafted" in edit("--add", "manual", "--amount", "3.00 USD", *extra)
    assert "VALUE07" in edit("--add", "manual", "--amount", "3.00EUR", *extra, code=2)
    assert "VALUE07" in edit("--write-down", "1.00 EUR", code=2)
    assert "C1 is drafted" in edit("--write-down", "1.00 USD")

    assert "VALUE07 no draft is in EUR. State the largest total in USD" in told(
        office, "run", "approve", "--up-to", "100 EUR", code=2
    )
    assert "1 documents approved" in told(office, "run", "approve", "--up-to", "100")


def test_an_edit_that_leaves_no_draft_is_taken_back(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")

    def edit(*wanted: str, code: int = 0) -> str:
        return told(office, "run", "edit", JULY, "C1", *wanted, "--reason", "agreed", code=code)

    assert "VALUE30" in edit("--line", "1", "--amount", "9" * 23, code=1)
    assert "take an edit that is to blame back with --withdraw N" in edit("--line", "1", "--drop", code=2)
    assert "an edit is taken back by --withdraw N" in told(office, "run", "release", JULY, "C1", "--reason", "x", code=3)
    assert "C1 is drafted" in edit("--withdraw", "1")


def test_before_there_is_a_book_it_is_told_how_to_make_one(sqlite_database: Database) -> None:
    office = Office.at(sqlite_database)
    upgrade_schema(office.deployment)
    assert "RUN22 there is no book yet. Describe one in a file" in told(office, "run", "start", "--period", "2026-07", code=2)


def test_where_no_document_waits_for_a_rebill_nothing_is_done(office: Office) -> None:
    office.bill("2026-06")
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    before = data(office, "invoice", "list")
    assert "no document waits for a rebill" in told(office, "run", "late", "--compare")
    assert "billing usage late" in told(office, "run", "late")
    shown = told(office, "run", "rebill-late", "--reason", "late jobs")
    assert "nothing to do: no account of the run MAIN.2026-07-01.monthly-1.1 waits" in shown
    assert told(office, "run", "rebill-late", "--held", "--reason", "late jobs") == shown
    assert data(office, "invoice", "list") == before
    assert [one["action"] for one in data(office, "audit", "list") if "rebill" in one["action"]] == []


def test_the_trail_tells_of_a_thing_what_was_done_to_it_under_whatever_name(database: Database) -> None:
    office = _office(database)
    told(office, "run", "start", "--period", "2026-07")
    told(office, "run", "edit", JULY, "C1", "--line", "2", "--amount", "5", "--reason", "by telephone")
    told(office, "run", "approve")
    told(office, "run", "post")
    (number,) = [one["number"] for one in data(office, "invoice", "list")]
    told(office, "hold", "place", "--document", number, "--block", "dunning", "--code", "dispute", "--reason", "wrong")
    told(office, "payment", "record", "C1", "10.00", "USD", "--on", "2026-08-03", "--ref", "BK-1", "--reason", "at the desk")
    told(office, "payment", "unallocate", "BK-1", "--reason", "of another bill", "--on", "2026-08-03")
    told(office, "invoice", "credit", number, "--line", "1=1.00", "--reason", "goodwill")

    def acts(kind: str, key: str) -> list[str]:
        return [one["action"] for one in data(office, "audit", "show", kind, key)]

    shaped = ["run start", "run edit", "run approve", "run post", "hold place", "payment unallocate", "invoice credit"]
    assert acts("document", number) == shaped
    assert {"run edit", "hold place", "payment record", "invoice credit"} <= set(acts("account", "C1"))
    assert "run edit" not in acts("account", "C2")
    assert acts("payment", "BK-1") == ["payment record", "payment unallocate"]
    note = next(one["number"] for one in data(office, "invoice", "list") if one["number"] != number)
    assert acts("document", note) == ["invoice credit"]
    listed = told(office, "audit", "list", "--key", "C1")
    assert "run account" in listed
    assert "/C1" in listed


@pytest.mark.parametrize(("kind", "says"), [("payments", "Did you mean 'payment'?"), ("invoice", "document, ")])
def test_a_kind_that_the_trail_does_not_have_is_refused(office: Office, kind: str, says: str) -> None:
    for words in (("show", kind, "BK-1"), ("list", "--kind", kind)):
        refused = told(office, "audit", *words, code=2)
        assert "AUDIT02" in refused
        assert says in refused


MAPPED = BOOK.replace('[book.charges]\n"*" = "4000"', '[book.charges]\nstand = "4000"\nhours = "4000"')


def test_a_line_that_the_bill_cannot_hold_is_refused_at_the_edit(sqlite_database: Database) -> None:
    office = Office.of(sqlite_database, book=MAPPED)
    office.customer("C1", "drill")
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")

    def add(*wanted: str, fee: str = "stand", code: int = 2, date: str = "2026-07-31", amount: str = "3.00") -> str:
        extra = ("--amount", amount, "--description", "Delivery", "--date", date, "--reason", "agreed")
        return told(office, "run", "edit", JULY, "C1", "--add", fee, *wanted, *extra, code=code)

    assert "BOOK06" in add(fee="nonsense.fee")
    assert "ACCOUNT09 there is no agreement 'A-C7'" in add("--agreement", "A-C7")
    assert "INVOICE29" in add(date="2026-08-01")
    assert "VALUE06 10.005 USD has more than 2 decimals. State it with at most 2" in add(amount="10.005")
    line = ("run", "edit", JULY, "C1", "--line", "1", "--amount", "10.005", "--reason", "agreed")
    assert "VALUE06" in told(office, *line, code=2)
    assert "--again goes with --add" in told(office, *line, "--again", code=2)
    assert "draft 2" in add(code=0)
    assert "INVOICE30 edit 1 adds the same line for the same reason" in add(code=3)
    assert "draft 3" in add("--again", code=0)


def test_a_code_that_lost_its_account_is_told_with_the_drafts_that_bear_it(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    extra = ("--amount", "3.00", "--description", "Delivery", "--date", "2026-07-31", "--reason", "agreed")
    told(office, "run", "edit", JULY, "C1", "--add", "delivery", *extra)
    assert not load_book_file(office.deployment, "book.toml", MAPPED.encode(), reason="renamed").findings
    assert "has no account in book MAIN; it stands on the draft of C1" in told(office, "run", "approve", code=1)


def test_a_run_that_goes_on_says_for_whom_it_had_been_started(office: Office) -> None:
    start = ("run", "start", "--period", "2026-07", "--rehearsal")
    assert "had been started" not in told(office, *start)
    assert "it had been started for all accounts of its cycle, not only for those that are named now" in told(
        office, *start, "--account", "C1"
    )
    assert "had been started" not in told(office, *start)


def test_a_review_counts_what_an_identifier_delivered_on_days_on_which_nobody_has_it(office: Office) -> None:
    told(office, "agreement", "end", "A-C2", "--on", "2026-07-11", "--reason", "moves out")
    told(office, "agreement", "change", "A-C2", "ends_on=", "--reason", "stays")
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    assert "lathe: 1 records of the period belong to no agreement" in told(office, "run", "review")
    assert data(office, "run", "review")["unassigned"] == {"lathe": 1}


def test_what_an_identifier_delivered_since_somebody_has_it_is_not_counted_as_of_nobody(office: Office) -> None:
    told(office, "assignment", "create", "press", "--agreement", "A-C2", "--starts-on", "2026-07-21")
    office.jobs("j3,press,2026-07-22T08:00:00+00:00,1", file="press.csv")
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    assert data(office, "run", "review", code=1)["unassigned"] == {}
