"""Records that are each billed once, whenever they come: late ones go to the next bill, none is billed twice, none is lost."""

from __future__ import annotations

import shutil
from datetime import date
from fractions import Fraction
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_framework import Rater, Reader, UsageKind, hookimpl, measure_rater
from billing_framework.accounts.share import Share
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.cancel import cancel_run
from billing_framework.run.cycle.post import post_run
from billing_framework.run.master.customer_change import end_agreement, end_assignment
from billing_framework.run.master.customers import create, save
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.prove.trial_balance import prove
from billing_framework.run.review.edits import edit_draft
from billing_framework.run.review.review import review_run
from billing_framework.run.review.wanted_edits import RecordChange, RecordDeferral, WriteDown
from billing_framework.run.schema import check_schema
from billing_framework.run.usage.late import late_usage
from billing_framework.run.usage.waiting import waiting_usage
from billing_framework.storage.billing.record_tables import billed_record
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.master.master_kind import ASSIGNMENTS
from billing_framework.storage.master.share_rows import SHARES
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.verify import verify_usage
from billing_framework.values.errors import BillingError, Refused
from billing_framework.values.identity import natural_id
from tests.behind import behind
from tests.scenarios import workshop
from tests.scenarios.errand_office import client, errand_office, lines_of, load_price, tell
from tests.scenarios.office import Office


def standing(office: Office) -> int:
    """Return how many records documents that stand have billed."""
    with office.deployment.database.read() as connection:
        query = sa.select(sa.func.count()).select_from(billed_record).where(billed_record.c.reversed_by.is_(None))
        return connection.execute(query).scalar_one()


def test_a_late_record_is_on_the_next_bill_at_the_price_of_its_own_date(database: Database) -> None:
    office = errand_office(database)
    load_price(office, "2", "2026-06-01", "2.00")
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-06-10T08:00:00+00:00,5,Post", "e2,ann,2026-07-02T08:00:00+00:00,3,Bank")
    office.bill("2026-06")
    assert lines_of(office, "INV-2026-000001") == ["2026-06-10 Post 10.00"]

    tell(office, "e3,ann,2026-05-20T08:00:00+00:00,7,Court", "e4,ann,2026-06-30T23:59:59+00:00,1,Kiosk", file="late.csv")
    assert late_usage(office.deployment, "MAIN") == ()  # what comes late is on the next bill, not in a correction
    office.bill("2026-07")
    assert lines_of(office, "INV-2026-000002") == [
        "2026-05-20 Court 7.00",  # the version of May: 1.00 a minute
        "2026-06-30 Kiosk 2.00",
        "2026-07-02 Bank 6.00",
    ]
    assert standing(office) == 4
    assert all(explain_line(office.deployment, f"INV-2026-000002/{number}").proven for number in (1, 2, 3))
    assert office.start("2026-08").counts == {"skipped": 1}


class MeasuredJobs:
    """The workshop with jobs that are carried, and measured by the ready-made rater."""

    __name__ = "measured_jobs"

    @hookimpl
    def billing_usage_kinds(self) -> list[UsageKind]:
        return [attrs.evolve(workshop.JOB, carried=True)]

    @hookimpl
    def billing_readers(self) -> list[Reader]:
        return workshop.billing_readers()

    @hookimpl
    def billing_raters(self) -> list[Rater]:
        return [measure_rater("job", "hours", "hour", "hours", carried=True)]


def test_what_is_measured_late_counts_on_its_bill_and_waits_where_the_agreement_has_ended(database: Database) -> None:
    office = Office.of(database, plugin=MeasuredJobs(), accumulate="bill")
    office.customer("C1", "drill")
    office.jobs("j5,drill,2026-05-10T08:00:00+00:00,6")
    office.bill("2026-05")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", "j6,drill,2026-06-10T08:00:00+00:00,6", file="june.csv")
    end_agreement(office.deployment, "A-C1", date(2026, 7, 1), reason="moved")
    office.bill("2026-06")
    # Twelve hours on one bill, ten at 2.00 and two at 1.00, and the stand; ten per cent tax.
    assert office.documents()[-1] == "INV-2026-000002 C1 57.20"

    office.jobs("j6b,drill,2026-06-20T08:00:00+00:00,1", file="late.csv")
    run = office.start("2026-07").run
    assert run is not None
    assert review_run(office.deployment, run.code).control["deferred: no plan version is in force any more"] == 1
    cancel_run(office.deployment, run.code, reason="looked at")
    report = rebill_document(office.deployment, "INV-2026-000002", reason="came late", takes_waiting=True)
    assert f"{report.new} C1 58.30" in office.documents()
    assert waiting_usage(office.deployment) == ()


def test_what_a_rater_defers_waits_and_is_counted_apart(database: Database) -> None:
    office = errand_office(database, stand=True)
    client(office, "C1", "ann")
    tell(
        office,
        "e1,ann,2026-07-02T08:00:00+00:00,5,Post",
        "e2,ann,2026-07-03T08:00:00+00:00,5,Gift,free",
        "e3,ann,2026-07-04T08:00:00+00:00,5,Secret,later",
    )
    run = office.start("2026-07").run
    assert run is not None
    review = review_run(office.deployment, run.code)
    assert review.control == {"records": 3, "priced": 1, "not priced: free of charge": 1, "deferred: not released": 1}
    assert review.reconciled
    assert review.billed_records == 2
    office.approve()
    office.post()
    assert standing(office) == 2  # what is free of charge is billed at nothing; what is deferred is not billed
    [left] = waiting_usage(office.deployment)
    assert (left.subject, left.agreements, left.records, left.oldest.day) == ("ann", ("A-C1",), 1, 4)
    run = office.start("2026-08").run
    assert run is not None
    assert review_run(office.deployment, run.code).control == {"records": 1, "priced": 0, "deferred: not released": 1}


def test_a_rehearsal_and_a_cancelled_run_bill_nothing(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post")
    office.start("2026-07", kind="rehearsal")
    run = office.start("2026-07").run
    assert run is not None
    office.approve(run.code)
    cancel_run(office.deployment, run.code, reason="wrong date")
    assert standing(office) == 0
    office.bill("2026-08")
    assert lines_of(office, office.documents()[-1].split(" ", maxsplit=1)[0]) == ["2026-07-02 Post 5.00"]


def test_a_rebill_bills_the_same_records_and_leaves_newer_ones(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post", "e2,ann,2026-07-03T08:00:00+00:00,5,Bank")
    office.bill("2026-07")
    tell(office, "e3,ann,2026-07-04T08:00:00+00:00,9,Court", file="late.csv")
    load_price(office, "1b", "2026-01-01", "1.50", more='supersedes = "1"\nreason = "agreed"')
    report = rebill_document(office.deployment, "INV-2026-000001", reason="price")
    assert lines_of(office, report.new) == ["2026-07-02 Post 7.50", "2026-07-03 Bank 7.50"]
    assert standing(office) == 2
    office.bill("2026-08")
    assert lines_of(office, "INV-2026-000003") == ["2026-07-04 Court 13.50"]
    assert explain_line(office.deployment, f"{report.new}/1").proven
    assert explain_line(office.deployment, f"{report.note}/1").proven


def test_a_rebill_takes_in_what_waits_where_it_is_asked_to(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post")
    office.bill("2026-07")
    tell(office, "e2,ann,2026-07-04T08:00:00+00:00,9,Court", "e3,ann,2026-08-01T08:00:00+00:00,1,Kiosk", file="late.csv")
    assert rebill_document(office.deployment, "INV-2026-000001", reason="same").unchanged
    report = rebill_document(office.deployment, "INV-2026-000001", reason="one bill for July", takes_waiting=True)
    assert lines_of(office, report.new) == ["2026-07-02 Post 5.00", "2026-07-04 Court 9.00"]
    assert all(explain_line(office.deployment, f"{report.new}/{number}").proven for number in (1, 2))
    assert standing(office) == 2
    assert rebill_document(office.deployment, report.new, reason="again", takes_waiting=True).unchanged
    office.bill("2026-08")
    assert lines_of(office, "INV-2026-000003") == ["2026-08-01 Kiosk 1.00"]


def test_a_rebill_does_not_take_records_from_an_approved_run(database: Database) -> None:
    office = errand_office(database, together=True)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post")
    office.bill("2026-07")
    tell(office, "e2,ann,2026-07-04T08:00:00+00:00,9,Court", file="late.csv")
    run = office.start("2026-08").run
    assert run is not None
    office.approve(run.code)
    with pytest.raises(Refused, match="RUN24"):
        rebill_document(office.deployment, "INV-2026-000001", reason="one bill for July", takes_waiting=True)
    office.post(run.code)
    assert office.documents() == ["INV-2026-000001 C1 5.50", "INV-2026-000002 C1 9.90"]


def test_a_document_credited_in_full_frees_its_records_for_the_next_bill(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post", "e2,ann,2026-07-03T08:00:00+00:00,6,Bank")
    office.bill("2026-07")
    credit_document(office.deployment, "INV-2026-000001", reason="goodwill", nets={1: "5.00"})
    assert standing(office) == 2
    credit_document(office.deployment, "INV-2026-000001", reason="wrong address")
    assert standing(office) == 0
    office.bill("2026-08")
    assert lines_of(office, "INV-2026-000002") == ["2026-07-02 Post 5.00", "2026-07-03 Bank 6.00"]


def test_a_corrected_record_is_billed_by_rebilling_and_never_beside_the_first(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post,paid,s1,1")
    office.bill("2026-07")
    tell(office, "e1b,ann,2026-07-02T08:00:00+00:00,8,Post,paid,s1,2", file="corrected.csv")
    late = late_usage(office.deployment, "MAIN")
    assert [(one.document, len(one.added), len(one.superseded)) for one in late] == [("INV-2026-000001", 1, 1)]
    run = office.start("2026-08").run
    assert run is not None
    assert review_run(office.deployment, run.code).control.get("records", 0) == 0  # the slot is billed
    report = rebill_document(office.deployment, "INV-2026-000001", reason="corrected")
    assert lines_of(office, report.new) == ["2026-07-02 Post 8.00"]
    assert late_usage(office.deployment, "MAIN") == ()


def test_a_version_that_names_another_identifier_is_billed_in_the_place_of_the_first(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    client(office, "C2", "bob")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post,paid,s1,1", "e2,ann,2026-07-03T08:00:00+00:00,6,Bank")
    report = tell(office, "e1b,bob,2026-07-02T08:00:00+00:00,5,Post,paid,s1,2", file="corrected.csv")
    assert report.totals.superseding == 1
    office.bill("2026-07")
    assert office.documents() == ["INV-2026-000001 C1 6.60", "INV-2026-000002 C2 5.50"]


def test_a_version_that_moves_a_billed_record_to_another_identifier(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    client(office, "C2", "bob")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post,paid,s1,1", "e2,ann,2026-07-03T08:00:00+00:00,6,Bank")
    office.bill("2026-07")
    tell(office, "e1b,bob,2026-07-02T08:00:00+00:00,5,Post,paid,s1,2", file="corrected.csv")
    assert [one.document for one in late_usage(office.deployment, "MAIN")] == ["INV-2026-000001"]
    run = office.start("2026-08").run
    assert run is not None
    assert review_run(office.deployment, run.code).control.get("records", 0) == 0  # it is billed to the first client still
    cancel_run(office.deployment, run.code, reason="rebill first")
    report = rebill_document(office.deployment, "INV-2026-000001", reason="wrong runner")
    assert lines_of(office, report.new) == ["2026-07-03 Bank 6.00"]
    assert late_usage(office.deployment, "MAIN") == ()
    office.bill("2026-08")
    assert office.documents()[-1] == "INV-2026-000003 C2 5.50"
    assert explain_line(office.deployment, "INV-2026-000003/1").proven


def test_two_sources_that_number_alike_speak_about_two_records(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post,paid,1001,1")
    report = tell(office, "e1,ann,2026-07-03T08:00:00+00:00,6,Bank,paid,1001,2", source="others")
    assert (report.totals.accepted, report.totals.superseding) == (1, 0)
    office.bill("2026-07")
    assert lines_of(office, "INV-2026-000001") == ["2026-07-02 Post 5.00", "2026-07-03 Bank 6.00"]


@pytest.mark.parametrize("is_billed", [False, True])
def test_a_slot_that_was_stored_as_that_of_an_identifier_stays_it(database: Database, *, is_billed: bool) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post,paid,s1,1")
    older = natural_id("slot", "errand", "ann", "s1")
    behind(database, f"UPDATE usage_key SET slot_key = {older}")
    if is_billed:
        office.bill("2026-07")
    report = tell(office, "e1b,ann,2026-07-02T08:00:00+00:00,8,Post,paid,s1,2", file="corrected.csv")
    assert report.totals.superseding == 1
    assert tell(office, "o1,ann,2026-07-03T08:00:00+00:00,1,Bank,paid,s1,3", source="others").totals.superseding == 0
    with database.read() as connection:
        assert verify_usage(connection, kind_tables(office.deployment.host.kinds)).findings == ()
    if is_billed:
        assert [one.document for one in late_usage(office.deployment, "MAIN")] == ["INV-2026-000001"]
        office.bill("2026-08")
        assert lines_of(office, "INV-2026-000002") == ["2026-07-03 Bank 1.00"]
    else:
        office.bill("2026-07")
        assert lines_of(office, "INV-2026-000001") == ["2026-07-02 Post 8.00", "2026-07-03 Bank 1.00"]


def test_a_record_that_moved_to_another_agreement_leaves_the_document_and_is_billed_there(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    client(office, "C2", "bob")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post", "e2,ann,2026-07-20T08:00:00+00:00,6,Bank")
    office.bill("2026-07")
    end_assignment(office.deployment, "ann", date(2026, 7, 10), reason="another client")
    create(office.deployment, ASSIGNMENTS, {"subject": "ann", "agreement": "A-C2", "starts_on": "2026-07-10"})
    report = rebill_document(office.deployment, "INV-2026-000001", reason="wrong client")
    assert lines_of(office, report.new) == ["2026-07-02 Post 5.00"]
    office.bill("2026-08")
    assert office.documents()[-1] == "INV-2026-000003 C2 6.60"


def test_records_of_an_agreement_that_is_over_are_billed_without_its_standing_charges(database: Database) -> None:
    office = errand_office(database, stand=True)
    client(office, "C1", "ann", ends_on="2026-06-20")
    office.bill("2026-06")
    tell(office, "e1,ann,2026-06-19T08:00:00+00:00,5,Post")
    office.bill("2026-08")
    assert lines_of(office, "INV-2026-000002") == ["2026-06-19 Post 5.00"]
    assert explain_line(office.deployment, "INV-2026-000002/1").proven
    assert office.start("2026-09").counts == {"skipped": 1}


def test_two_approved_runs_never_hold_one_record(database: Database) -> None:
    office = errand_office(database, together=True)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post")
    first, second = office.start("2026-07").run, office.start("2026-08").run
    assert first is not None
    assert second is not None
    office.approve(first.code)
    [finding] = approve_run(office.deployment, second.code).findings
    assert (finding.code, finding.subject) == ("RUN24", "C1")
    office.post(first.code)
    [finding] = approve_run(office.deployment, second.code).findings
    assert finding.code == "RUN09"  # stale: the record is billed
    assert office.documents() == ["INV-2026-000001 C1 5.50"]


def test_the_database_refuses_the_second_document_whoever_posts_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    office = errand_office(database, together=True)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post")
    first, second = office.start("2026-07").run, office.start("2026-08").run
    assert first is not None
    assert second is not None
    office.approve(first.code)
    monkeypatch.setattr("billing_framework.run.draft.order.reserved_claims", lambda *_, **__: {})
    office.approve(second.code)  # as if both officers had decided at one instant
    office.post(first.code)
    report = post_run(office.deployment, second.code)
    assert set(report.void) == {"C1"}
    assert office.documents() == ["INV-2026-000001 C1 5.50", "INV-2026-000002 C1 5.50 void"]
    assert standing(office) == 1


ATTACKS = {
    "bill a record twice": "INSERT INTO billed_record (record_key, document_id, claim)"
    " SELECT record_key + 1, document_id, claim FROM billed_record",
    "bill it on a document of nobody": "INSERT INTO billed_record (record_key, document_id, claim) VALUES (7, 7, 7)",
    "free a record": "UPDATE billed_record SET reversed_by = document_id",
    "free it by any note": "UPDATE billed_record SET reversed_by = 7",
    "move it": "UPDATE billed_record SET document_id = document_id + 1",
    "forget it": "DELETE FROM billed_record",
    "put it in the place of another": "INSERT OR REPLACE INTO billed_record SELECT * FROM billed_record",
    "change what a document is made of": "UPDATE document_records SET deferred = '{}'",
    "take away what it is made of": "DELETE FROM document_records",
    "add to what it is made of": "INSERT INTO document_records SELECT document_id, 7, month, billed, claims, deferred"
    " FROM document_records",
}


def test_the_database_keeps_the_links_of_issued_documents(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post")
    office.bill("2026-07")
    for what, attack in ATTACKS.items():
        if "REPLACE" in attack and database.dialect == "postgresql":
            continue
        with pytest.raises(BillingError) as refused, database.begin() as connection:
            connection.execute(sa.text(attack))
        assert refused.value.code in ("CHARGE06", "CHARGE07", "AR05", "STORAGE05"), what
    assert standing(office) == 1
    assert not check_schema(office.deployment)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM billed_record",
        "UPDATE billed_record SET claim = claim + 1",
        "UPDATE billed_record SET record_key = record_key + 1",
        "DELETE FROM document_records",
    ],
)
def test_a_link_changed_behind_its_back_is_named(database: Database, statement: str) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post")
    office.bill("2026-07")
    assert prove(office.deployment, "MAIN").findings == ()
    behind(database, statement)
    assert [finding.subject for finding in prove(office.deployment, "MAIN").findings] == ["INV-2026-000001"]
    if "billed_record" in statement and "claim" not in statement:
        assert not explain_line(office.deployment, "INV-2026-000001/1").proven


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_record_is_billed_once_in_whatever_order_they_come(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> None:
    file = shutil.copyfile(sqlite_template, tmp_path_factory.mktemp("order") / "order.db")
    database = open_database(f"sqlite:///{file}")
    office = errand_office(database)
    client(office, "C1", "ann")
    days = [f"2026-{month:02}-{day:02}" for month in (4, 5, 6) for day in (1, 15, 28)]
    lines = [f"e{number},ann,{day}T08:00:00+00:00,{number + 1},Errand {number}" for number, day in enumerate(days)]
    order = data.draw(st.permutations(lines))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), min_size=2, max_size=2)))
    parts = [order[: cuts[0]], order[cuts[0] : cuts[1]], order[cuts[1] :]]
    for number, (month, part) in enumerate(zip(("2026-04", "2026-05", "2026-06"), parts, strict=True)):
        if part:
            tell(office, *part, file=f"part{number}.csv")
        run = office.start(month).run
        if run is not None and any(state == "drafted" for state in office.start(month).counts):
            office.approve(run.code)
            office.post(run.code)
    run = office.start("2026-07").run
    if run is not None and not approve_run(office.deployment, run.code).findings:
        office.post(run.code)
    billed = [line.split(" ", 1)[1] for text in office.documents() for line in lines_of(office, text.split(" ", maxsplit=1)[0])]
    assert sorted(billed) == sorted(f"Errand {number} {number + 1}.00" for number in range(len(days)))
    database.close()


def edited_office(database: Database, lines: list[str], *, batch_size: int) -> Office:
    office = errand_office(database)
    client(office, "C1", "ann")
    client(office, "C2", "bob", zone="America/New_York", parent="C1", payer="parent")
    client(office, "C3", "cy")
    for number in range(0, len(lines), 4):
        tell(office, *lines[number : number + 4], file=f"part{number}.csv")
    office.start("2026-07", batch_size=batch_size)
    for account, wanted in (
        ("C1", RecordChange(record="e0", values={"minutes": "7/3"})),
        ("C2", RecordDeferral(record="e4")),
        ("C2", RecordChange(record="e5", values={"fate": "free"})),
        ("C1", WriteDown(cut="5%")),
    ):
        edit_draft(office.deployment, "", account, wanted, reason="agreed")
    return office


def test_databases_order_and_batches_decide_nothing(sqlite_database: Database, postgres_database: Database) -> None:
    days = ("2026-05-03", "2026-06-30", "2026-07-01", "2026-07-31")
    lines = [
        f"e{number},{who},{day}T23:30:00+00:00,{number + 1},Errand {number}"
        for number, (who, day) in enumerate((who, day) for who in ("ann", "bob", "cy") for day in days)
    ]
    one = edited_office(sqlite_database, lines, batch_size=200)
    other = edited_office(postgres_database, lines[::-1], batch_size=1)
    digests = {review_run(office.deployment).digest for office in (one, other)}
    assert len(digests) == 1
    assert digests != {""}
    for office in (one, other):
        office.approve()
        office.post()
        assert standing(office) == 11
        # Two of the four of C2 are billed to C1: one waits, one is free of charge.
        assert [len(lines_of(office, f"INV-2026-00000{number}")) for number in (1, 2)] == [6, 4]
        assert all(explain_line(office.deployment, f"INV-2026-000001/{number}").proven for number in range(1, 7))
        report = rebill_document(office.deployment, "INV-2026-000001", reason="looked at again")
        assert report.unchanged
    assert one.documents() == other.documents()


def test_a_record_shared_by_payers_is_billed_once_and_free_when_the_last_is_credited(database: Database) -> None:
    office = errand_office(database)
    client(office, "C1", "ann")
    client(office, "C2", "bob")
    for payer, percent in (("C1", None), ("C2", Fraction(40))):
        share = Share(agreement="A-C1", payer=payer, percent=percent, codes=(), starts_on=date(2026, 1, 1), ends_on=None)
        save(office.deployment, SHARES, [share])
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post", "e2,bob,2026-07-02T08:00:00+00:00,1,Bank")
    office.bill("2026-07")
    assert office.documents() == ["INV-2026-000001 C1 3.30", "INV-2026-000002 C2 3.30"]
    assert standing(office) == 2
    credit_document(office.deployment, "INV-2026-000001", reason="wrong address")
    assert office.start("2026-08").counts == {"skipped": 2}
    credit_document(office.deployment, "INV-2026-000002", reason="wrong address")
    assert standing(office) == 0
