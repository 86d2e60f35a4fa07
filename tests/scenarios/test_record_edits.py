"""Reviewers change what a record says in a draft, or leave it for later; what was delivered never changes."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sqlalchemy as sa

from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.prove.invoices import show_draft
from billing_framework.run.review.edits import edit_draft
from billing_framework.run.review.review import review_run
from billing_framework.run.review.wanted_edits import (
    DroppedEdit,
    DroppedWriteDown,
    RecordChange,
    RecordDeferral,
    Wanted,
    WriteDown,
)
from billing_framework.run.usage.history import record_history
from billing_framework.storage.audit import events
from billing_framework.storage.engine import Database
from billing_framework.values.errors import BillingError, NotFound, Refused, ValueRefused
from tests.grown import grown_once
from tests.scenarios.errand_office import client, errand_office, lines_of, tell
from tests.scenarios.office import Office

TOLD = (
    "e1,ann,2026-07-02T08:00:00+00:00,5,Post",
    "e2,ann,2026-07-03T08:00:00+00:00,7,Bank",
    "e3,ann,2026-07-04T08:00:00+00:00,9,Court",
)


@grown_once
def drafted(database: Database) -> Office:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, *TOLD)
    office.start("2026-07")
    return office


def edit(office: Office, wanted: Wanted, reason: str = "agreed") -> None:
    edit_draft(office.deployment, "", "C1", wanted, reason=reason)


def lines(office: Office) -> list[str]:
    _, shown = show_draft(office.deployment, "", "C1")
    return [f"{line.description} {str(line.net)[:-4]}" for line in shown.document.content.lines]


def test_the_edited_record_is_billed_and_the_delivered_one_stays(database: Database) -> None:
    office = drafted(database)
    values = {"minutes": "2.5", "note": "Post office", "rush": "yes", "stamped": "2026-07-02T10:00:00+02:00"}
    edit(office, RecordChange(record="e1", values=values), reason="shorter way")
    edit(office, RecordChange(record="e2", values={"fate": "free"}), reason="goodwill")
    assert lines(office) == ["Post office 2.50", "Court 9.00"]
    assert review_run(office.deployment).control == {"records": 3, "priced": 2, "not priced: free of charge": 1}
    office.approve()
    office.post()

    found = explain_line(office.deployment, "INV-2026-000001/1")
    assert found.proven
    assert [(one.name, one.before, one.after, one.actor, one.reason) for one in found.edits][:2] == [
        ("minutes", "5", "2.5", "ada", "shorter way"),
        ("note", "Post", "Post office", "ada", "shorter way"),
    ]
    history = record_history(office.deployment, "runners/e1")
    assert (history.record["minutes"], history.record["note"]) == ("5", "Post")
    assert [(one.bill.document, len(one.edits)) for one in history.bills] == [("INV-2026-000001", 4)]
    assert record_history(office.deployment, str(history.key)) == history
    with database.read() as connection:
        [trail] = [event for event in events(connection, object_kind="run account") if event.reason == "shorter way"]
    assert trail.after is not None
    assert trail.after["edits"][0] | {"of": ""} == {
        "edit": 1, "field": "record", "of": "", "name": "minutes", "from": "5", "to": "2.5",
    }  # fmt: skip


def test_a_deferred_record_waits_for_the_next_bill_and_is_counted(database: Database) -> None:
    office = drafted(database)
    edit(office, RecordDeferral(record="e2"), reason="not finished")
    assert lines(office) == ["Post 5.00", "Court 9.00"]
    control = review_run(office.deployment).control
    assert control == {"records": 3, "priced": 2, "deferred: by a reviewer": 1}
    office.approve()
    office.post()
    assert explain_line(office.deployment, "INV-2026-000001/1").proven
    assert record_history(office.deployment, "runners/e2").bills == ()
    office.bill("2026-08")
    assert lines_of(office, "INV-2026-000002") == ["2026-07-03 Bank 7.00"]


def test_a_rebill_repeats_the_edits_but_not_the_deferral(database: Database) -> None:
    office = drafted(database)
    edit(office, RecordDeferral(record="e2"))
    edit(office, RecordChange(record="e3", values={"minutes": "1"}))
    office.approve()
    office.post()
    assert rebill_document(office.deployment, "INV-2026-000001", reason="same").unchanged
    tell(office, "e3b,ann,2026-07-04T08:00:00+00:00,9,Court,paid,e3,2", file="other.csv")
    office.bill("2026-08")
    assert sorted(lines_of(office, "INV-2026-000002")) == ["2026-07-03 Bank 7.00", "2026-07-04 Court 9.00"]


def test_an_edit_taken_back_leaves_the_record_as_it_was(database: Database) -> None:
    office = drafted(database)
    edit(office, RecordChange(record="e1", values={"minutes": "1"}))
    edit(office, RecordChange(record="e1", values={"minutes": "3"}))
    assert lines(office)[0] == "Post 3.00"
    edit(office, DroppedEdit(position=2))
    assert lines(office)[0] == "Post 1.00"
    edit(office, DroppedEdit(position=1))
    assert lines(office)[0] == "Post 5.00"


def test_an_edit_on_which_another_rested_cannot_be_taken_back_unseen(database: Database) -> None:
    office = drafted(database)
    edit(office, RecordChange(record="e1", values={"minutes": "1"}))
    edit(office, RecordChange(record="e1", values={"minutes": "3"}))
    edit(office, DroppedEdit(position=1))  # the second was made on what the first had said
    (held,) = review_run(office.deployment).held
    (finding,) = [item.finding for item in held.evidence]
    assert (finding.code, finding.subject) == ("INVOICE08", "e1")
    assert held.reason == "edit 2 was made on '1', but the record now says '5'"
    assert "--withdraw 2" in finding.remedy
    assert approve_run(office.deployment).findings
    edit(office, DroppedEdit(position=2))
    assert lines(office)[0] == "Post 5.00"


def test_a_record_replaced_by_its_source_holds_an_edited_draft(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post,paid,s1,1")
    office.start("2026-07")
    edit(office, RecordChange(record="e1", values={"minutes": "1"}))
    tell(office, "e1b,ann,2026-07-02T08:00:00+00:00,6,Post,paid,s1,2", file="again.csv")
    office.start("2026-07")
    (held,) = review_run(office.deployment).held
    assert [item.finding.code for item in held.evidence] == ["INVOICE07"]
    edit(office, DroppedEdit(position=1))
    assert lines(office) == ["Post 6.00"]


@pytest.mark.parametrize(
    ("wanted", "error", "code"),
    [
        (RecordChange(record="e1", values={"told": "x"}), ValueRefused, "INVOICE23"),
        (RecordChange(record="e1", values={"minuts": "1"}), ValueRefused, "INVOICE23"),
        (RecordChange(record="e1", values={"minutes": "an hour"}), ValueRefused, "INVOICE24"),
        (RecordChange(record="e1", values={"minutes": ""}), ValueRefused, "INVOICE24"),
        (RecordChange(record="e1", values={"minutes": "5"}), ValueRefused, "INVOICE24"),  # it says so already
        (RecordChange(record="e1", values={"fate": "lost"}), ValueRefused, "INVOICE24"),
        (RecordChange(record="e1", values={"rush": "perhaps"}), ValueRefused, "INVOICE24"),
        (RecordChange(record="e1", values={"stamped": "2026-07-02T10:00:00"}), ValueRefused, "INVOICE24"),
        (RecordChange(record="e1", values={"note": "x" * 10_001}), ValueRefused, "INVOICE24"),
        (RecordChange(record="e9", values={"minutes": "1"}), NotFound, "RUN17"),
        (RecordDeferral(record="e9"), NotFound, "RUN17"),
        (WriteDown(cut="0"), ValueRefused, "INVOICE26"),
        (WriteDown(cut="21.01"), ValueRefused, "INVOICE26"),
        (WriteDown(cut="101%"), ValueRefused, "INVOICE26"),
        (WriteDown(cut="10", codes=("stand",)), ValueRefused, "INVOICE26"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_trace(
    sqlite_database: Database, wanted: Wanted, error: type[BillingError], code: str
) -> None:
    office = drafted(sqlite_database)
    with pytest.raises(error, match=code):
        edit(office, wanted)
    with sqlite_database.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM edit")).scalar_one() == 0
    assert lines(office) == ["Post 5.00", "Bank 7.00", "Court 9.00"]


def test_a_write_down_is_shared_out_to_the_cent(database: Database) -> None:
    office = drafted(database)
    edit(office, WriteDown(cut="10%"))
    assert lines(office) == ["Post 4.50", "Bank 6.30", "Court 8.10"]
    edit(office, DroppedWriteDown())
    assert lines(office) == ["Post 5.00", "Bank 7.00", "Court 9.00"]
    edit(office, WriteDown(cut="2.11"))
    assert lines(office) == ["Post 4.50", "Bank 6.30", "Court 8.09"]
    office.approve()
    office.post()
    found = explain_line(office.deployment, "INV-2026-000001/3")
    assert found.proven
    assert [(edit.after, edit.cut, edit.about) for edit in found.edits] == [("8.09 USD", "2.11", "line 3")]
    with database.read() as connection:
        [trail] = [event for event in events(connection, object_kind="run account") if "takes back" in str(event.after)]
    assert trail.after == {"edits": [{"edit": place + 3, "takes back": place} for place in (1, 2, 3)]}


def test_lines_are_not_written_down_twice(database: Database) -> None:
    office = drafted(database)
    edit(office, WriteDown(cut="10%"))
    with pytest.raises(Refused, match="INVOICE28") as refused:
        edit(office, WriteDown(cut="10%"))
    assert "edits 1, 2, 3" in str(refused.value)
    edit(office, RecordChange(record="e1", values={"minutes": "10"}))  # the write-down was made on 5 minutes
    (held,) = review_run(office.deployment).held
    (finding,) = [item.finding for item in held.evidence]
    assert (finding.code, finding.subject) == ("INVOICE08", "line 1")
    assert "edit 1 was made on" in finding.what
    assert "--withdraw-write-down" in finding.remedy
    with pytest.raises(Refused, match="INVOICE28"):
        edit(office, WriteDown(cut="10%"))
    assert lines(office) == ["Post 10.00", "Bank 6.30", "Court 8.10"]
    edit(office, DroppedWriteDown())
    edit(office, WriteDown(cut="10%"))
    assert lines(office) == ["Post 9.00", "Bank 6.30", "Court 8.10"]
    assert review_run(office.deployment).held == ()


def test_a_write_down_that_is_not_there_is_not_taken_back(sqlite_database: Database) -> None:
    office = drafted(sqlite_database)
    edit(office, RecordChange(record="e1", values={"minutes": "10"}))
    with pytest.raises(NotFound, match="RUN17"):
        edit(office, DroppedWriteDown())
    assert lines(office)[0] == "Post 10.00"


def test_the_smallest_price_has_no_float(database: Database) -> None:
    office = drafted(database)
    edit(office, RecordChange(record="e1", values={"minutes": "1/3"}))
    with database.read() as connection:
        text = str(connection.execute(sa.text("SELECT content FROM edit")).scalar_one())
    assert "1/3" in text
    assert Fraction(1, 3) * 1 == Fraction("1/3")
    assert lines(office)[0] == "Post 0.33"
