"""The command line of reviewers who edit usage records, leave them for later, and write drafts down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing_framework.storage.engine import Database
from tests.cli.in_office import told
from tests.scenarios.errand_office import client, errand_office, tell
from tests.scenarios.office import Office

JULY = "2026-07-01.monthly-1.1"


@pytest.fixture
def office(sqlite_database: Database) -> Office:
    office = errand_office(sqlite_database)
    client(office, "C1", "ann")
    tell(
        office,
        "e1,ann,2026-07-02T08:00:00+00:00,5,Post",
        "e2,ann,2026-07-03T08:00:00+00:00,7,Bank",
        "e3,ann,2026-07-04T08:00:00+00:00,9,Court",
    )
    office.start("2026-07")
    return office


def data(office: Office, *args: str) -> Any:
    return json.loads(told(office, *args, "--json"))


def edit(office: Office, *args: str, code: int = 0) -> str:
    return told(office, "run", "edit", JULY, "C1", *args, "--reason", "agreed", code=code)


def test_a_reviewed_bill_from_edit_to_history(office: Office) -> None:
    assert "draft 2" in edit(office, "--record", "e1", "--set", "minutes=2.5", "--set", "note=Post office")
    assert "draft 3" in edit(office, "--defer", "e2")
    assert "draft 4" in edit(office, "--write-down", "10%", "--code", "hours")
    shown = told(office, "run", "show", "", "C1")
    assert "minutes of e1" in shown
    assert "write-down 10%" in shown
    assert "Post office" in shown
    assert "Left for a later bill, by a reviewer: e2" in shown
    assert "8.10 USD" in shown  # 9.00 less a tenth
    kept = data(office, "run", "show", "", "C1")["edits"]
    fields = ["record", "record", "defer", "amount", "amount"]
    assert [(one["position"], one["edit"]["field"]) for one in kept] == list(enumerate(fields, start=1))
    assert {one["edit"]["reason"] for one in kept} == {"agreed"}
    assert "deferred: by a reviewer" in told(office, "run", "review")
    told(office, "run", "approve")
    told(office, "run", "post")

    explained = told(office, "explain", "INV-2026-000001/1")
    assert "minutes: 5 -> 2.5, agreed" in explained
    assert "proven" in explained
    history = told(office, "usage", "show", "runners/e1")
    assert "billed by INV-2026-000001 of C1" in history
    assert "minutes: 5 -> 2.5, by ada" in history
    assert "not noted as billed" in told(office, "usage", "show", "runners/e2")
    key = data(office, "usage", "show", "runners/e1")["key"]
    assert data(office, "usage", "show", str(key))["record"]["note"] == "Post"
    told(office, "invoice", "credit", "INV-2026-000001", "--reason", "wrong address")
    assert "free again by CN-2026-000001" in told(office, "usage", "show", "runners/e1")


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("--record", "e1"), 2, "--record needs --set"),
        (("--record", "e1", "--set", "minutes"), 2, "FIELD=VALUE"),
        (("--record", "e1", "--set", "minutes=1", "--set", "minutes=2"), 2, "once for each field"),
        (("--set", "minutes=1", "--line", "1", "--drop"), 2, "--set goes with --record"),
        (("--line", "1", "--drop", "--code", "hours"), 2, "--code goes with --write-down"),
        (("--defer", "e1", "--record", "e1"), 2, "give one of"),
        (("--record", "e1", "--set", "minuts=1"), 2, "INVOICE23"),
        (("--record", "e1", "--set", "minutes=soon"), 2, "INVOICE24"),
        (("--record", "e7", "--set", "minutes=1"), 2, "RUN17"),
        (
            ("--write-down", "ten"),
            2,
            "'ten' is no percentage and no amount in USD to write down by. Write a percentage",
        ),
        (("--write-down", "ten%"), 2, "'ten%' is no percentage"),
        (("--write-down", "500"), 2, "INVOICE26"),
    ],
)
def test_what_is_refused_names_the_remedy(office: Office, args: tuple[str, ...], code: int, says: str) -> None:
    assert says in edit(office, *args, code=code)


@pytest.mark.parametrize("name", ["runners/e9", "7", "e1", "99999999999999999999999"])
def test_a_record_that_is_not_there_is_told(office: Office, name: str) -> None:
    assert "USAGE30" in told(office, "usage", "show", name, code=2)


def test_a_draft_that_an_edit_holds_names_the_edit(office: Office) -> None:
    edit(office, "--record", "e1", "--set", "minutes=2")
    edit(office, "--record", "e1", "--set", "minutes=3")
    held = edit(office, "--withdraw", "1", code=1)
    assert "e1: minutes: INVOICE08 edit 2 was made on '2'" in held
    assert "--withdraw 2" in held
    assert "account C1 is held" in held
    shown = told(office, "run", "show", "", "C1", code=2)
    assert "C1 2: record minutes e1:" in shown
    assert "See why: billing run review" in shown
    edit(office, "--withdraw", "2")
    assert "5.00 USD" in told(office, "run", "show", "", "C1")


def test_a_write_down_is_taken_back_as_a_whole(office: Office) -> None:
    edit(office, "--write-down", "10%")
    assert "INVOICE28" in edit(office, "--write-down", "10%", code=3)
    assert "line 3" in told(office, "run", "show", "", "C1")
    edit(office, "--withdraw-write-down")
    assert "9.00 USD" in told(office, "run", "show", "", "C1")
    assert "RUN17" in edit(office, "--withdraw-write-down", code=2)
    assert "give one of" in edit(office, "--withdraw-write-down", "--withdraw", "1", code=2)


def test_what_no_document_has_billed_yet_is_listed(office: Office) -> None:
    tell(office, "x1,nobody,2026-06-02T08:00:00+00:00,5,Lost", file="nobody.csv")
    assert [(one["subject"], one["agreements"], one["records"]) for one in data(office, "usage", "waiting")] == [
        ("ann", ["A-C1"], 3),
    ]  # what belongs to nobody waits in suspense
    edit(office, "--defer", "e2")
    told(office, "run", "approve")
    told(office, "run", "post")
    [left] = data(office, "usage", "waiting")
    assert (left["records"], left["oldest"][:10], left["newest"][:10]) == (1, "2026-07-03", "2026-07-03")
    assert "A-C1" in told(office, "usage", "waiting", "--before", "2026-07-04")
    assert "(none)" in told(office, "usage", "waiting", "--before", "2026-07-03")
