"""Bills that hand a yearly tier on, decided out of order: each must rest on what the bill before it leaves, or somebody is told.

Ten hours a year cost 2.00, all others 1.00, and the stand 30.00 a month; 10 % tax. The drill runs six hours a month.
"""

from __future__ import annotations

from datetime import date

import pytest

from billing_framework.run.correct.credit import credit_document
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.approve_part import ApprovalFilter
from billing_framework.run.cycle.cancel import cancel_run
from billing_framework.run.cycle.due import DueRequest, catch_up
from billing_framework.run.cycle.resume import resume_run
from billing_framework.run.review.edits import hold_account, release_account
from billing_framework.run.review.review import review_run
from billing_framework.run.usage.late import late_usage
from billing_framework.storage.billing.run_rows import Run, run_accounts
from billing_framework.storage.engine import Database
from billing_framework.values.errors import Refused
from tests.grown import grown_once
from tests.scenarios.office import Office

MAY, JUNE = "INV-2026-000001 C1 46.20", "INV-2026-000002 C1 44.00"  # 30 + 6 x 2.00, and 30 + 4 x 2.00 + 2 x 1.00


@pytest.fixture
def office(database: Database) -> Office:
    return two_months_told(database)


@grown_once
def two_months_told(database: Database) -> Office:
    office = Office.of(database)
    office.customer("C1", "drill")
    for number, month in enumerate(("2026-05", "2026-06"), start=5):
        office.jobs(f"j{number},drill,{month}-10T08:00:00+00:00,6,slot-{number},1", file=f"{month}.csv")
    return office


def started(office: Office, month: str) -> Run:
    run = office.start(month).run
    assert run is not None
    return run


def test_a_run_waits_for_the_one_before_it_to_be_posted(office: Office) -> None:
    may = office.approve(started(office, "2026-05").code).run
    june = started(office, "2026-06")
    with office.deployment.database.read() as connection:
        (row,) = run_accounts(connection, june)
    assert (row.state, [one.finding.code for one in row.evidence]) == ("held", ["RUN60"])
    assert may.code in row.reason
    release_account(office.deployment, june.code, "C1", reason="June is urgent")
    (waiting,) = approve_run(office.deployment, june.code).findings
    assert (waiting.code, waiting.subject) == ("RUN24", "C1")
    assert may.code in waiting.what

    office.post(may.code)
    (stale,) = approve_run(office.deployment, june.code).findings
    assert (stale.code, stale.subject) == ("RUN09", "C1")
    office.start("2026-06")
    office.approve(june.code)
    office.post(june.code)
    assert office.documents() == [MAY, JUNE]


def held_for(office: Office, run: Run) -> dict[str, list[str]]:
    """Return the accounts of a run that are held, each with the codes of what holds it."""
    with office.deployment.database.read() as connection:
        return {row.account: [one.finding.code for one in row.evidence] for row in run_accounts(connection, run, states=["held"])}


def test_a_bill_waits_for_the_one_before_it_and_not_for_others_of_that_run(office: Office) -> None:
    office.customer("C2", "lathe")
    office.jobs("j7,lathe,2026-06-10T08:00:00+00:00,6,slot-7,1", file="lathe.csv")
    may = started(office, "2026-05")
    approve_run(office.deployment, may.code, wanted=ApprovalFilter(accounts=("C1",)))
    office.post(may.code)
    assert held_for(office, started(office, "2026-06")) == {"C2": ["RUN60"]}


def test_a_bill_that_has_waited_is_drafted_by_going_on_with_its_run(office: Office) -> None:
    may, june = started(office, "2026-05"), started(office, "2026-06")
    assert held_for(office, june) == {"C1": ["RUN60"]}
    assert resume_run(office.deployment, june.code).step == ""
    cancel_run(office.deployment, may.code, reason="May was billed by hand")
    assert resume_run(office.deployment, june.code).counts == {"drafted": 1}


def without_c1(office: Office, kind: str = "final") -> Run:
    """Post May of another customer without C1."""
    office.customer("C2", "lathe")
    may = office.start("2026-05", kind=kind).run
    assert may is not None
    hold_account(office.deployment, may.code, "C1", reason="disputes it")
    office.approve(may.code)
    office.post(may.code)
    return may


def test_a_bill_is_held_where_the_period_before_was_left_out_and_catching_up_bills_that_first(office: Office) -> None:
    without_c1(office)
    june = started(office, "2026-06")
    assert held_for(office, june) == {"C1": ["RUN60"]}
    assert held_for(office, started(office, "2026-06")) == {"C1": ["RUN60"]}
    caught = catch_up(office.deployment, DueRequest(book="MAIN", as_of=date(2026, 7, 1)))
    assert [(one.run.code, dict(one.counts)) for one in caught.runs if one.run] == [
        ("MAIN.2026-05-01.monthly-1.2", {"drafted": 1})
    ]
    assert held_for(office, resume_run(office.deployment, june.code).run) == {"C1": ["RUN60"]}
    office.approve("MAIN.2026-05-01.monthly-1.2")
    office.post("MAIN.2026-05-01.monthly-1.2")
    assert resume_run(office.deployment, june.code).counts == {"drafted": 2}
    office.approve(june.code)
    office.post(june.code)
    assert [line for line in office.documents() if "C1" in line] == [MAY.replace("1 C1", "2 C1"), JUNE.replace("2 C1", "3 C1")]


def test_catching_up_waits_for_a_later_bill_only_where_it_is_approved(office: Office) -> None:
    without_c1(office)
    june = started(office, "2026-06")
    release_account(office.deployment, june.code, "C1", reason="June is urgent")
    assert [one.code for one in review_run(office.deployment, june.code).findings] == ["RUN60"]
    office.approve(june.code)
    asked = DueRequest(book="MAIN", as_of=date(2026, 7, 1))
    assert catch_up(office.deployment, asked).waiting == {june.code: 1}
    office.post(june.code)
    assert [one.run.period.start for one in catch_up(office.deployment, asked).runs if one.run] == [date(2026, 5, 1)]


def test_a_bill_on_which_nothing_rests_is_told_where_the_period_before_was_left_out(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    without_c1(office)
    june = office.start("2026-06")
    assert june.counts == {"drafted": 2}
    (told,) = (one for one in june.findings if one.code == "RUN60")
    assert told.what == "the period before 2026-06-01/2026-06-30 was left out and is on no bill, of C1"
    office.bill("2026-05")
    assert [one.code for one in office.start("2026-06").findings] == []


def test_what_a_migration_has_left_out_is_taken_over_first_and_not_caught_up(office: Office) -> None:
    may = without_c1(office, kind="migration")
    caught = catch_up(office.deployment, DueRequest(book="MAIN", as_of=date(2026, 7, 1)))
    (june,) = (one.run for one in caught.runs if one.run)
    assert (june.period.start, held_for(office, june)) == (date(2026, 6, 1), {"C1": ["RUN60"]})
    further = office.start("2026-05", kind="migration", accounts=("C1",)).run
    assert further is not None
    assert further.code != may.code
    office.approve(further.code)
    office.post(further.code)
    assert resume_run(office.deployment, june.code).counts == {"drafted": 2}


def test_an_earlier_period_waits_for_a_later_one_that_is_approved(office: Office) -> None:
    office.approve(started(office, "2026-06").code)
    (waiting,) = approve_run(office.deployment, started(office, "2026-05").code).findings
    assert waiting.code == "RUN24"


def test_a_period_billed_after_a_later_one_is_held_and_the_later_bill_listed(office: Office) -> None:
    office.bill("2026-06")
    report = office.start("2026-05")
    assert report.counts == {"held": 1}
    assert report.run is not None
    release_account(office.deployment, report.run.code, "C1", reason="June goes out again")
    office.approve(report.run.code)
    office.post(report.run.code)

    (late,) = late_usage(office.deployment, "MAIN")
    assert (late.document, late.states) == ("INV-2026-000001", ("accumulated.hours",))
    rebill_document(office.deployment, late.document, reason="May is billed now")
    assert office.documents() == [
        "CN-2026-000001 C1 -46.20",
        "INV-2026-000001 C1 46.20",
        "INV-2026-000002 C1 46.20",  # May
        "INV-2026-000003 C1 44.00",  # June
    ]
    assert late_usage(office.deployment, "MAIN") == ()


def test_state_that_is_taken_back_and_written_again_the_same_makes_nothing_late(office: Office) -> None:
    office.bill("2026-05")
    office.bill("2026-06")
    credit_document(office.deployment, "INV-2026-000001", reason="the wrong address")
    (late,) = late_usage(office.deployment, "MAIN")
    assert (late.document, late.states) == ("INV-2026-000002", ("accumulated.hours",))
    rebill_document(office.deployment, "INV-2026-000001", reason="the right address")
    assert late_usage(office.deployment, "MAIN") == ()

    office.jobs("j5b,drill,2026-05-10T08:00:00+00:00,2,slot-5,2", file="correction.csv")
    credit_document(office.deployment, "INV-2026-000003", reason="read again")
    rebill_document(office.deployment, "INV-2026-000003", reason="read again")
    (late,) = late_usage(office.deployment, "MAIN")
    assert (late.document, late.states) == ("INV-2026-000002", ("accumulated.hours",))


def test_nothing_is_corrected_under_an_approved_run(office: Office) -> None:
    office.bill("2026-05")
    june = office.approve(started(office, "2026-06").code).run
    office.jobs("j5b,drill,2026-05-10T08:00:00+00:00,2,slot-5,2", file="correction.csv")
    with pytest.raises(Refused, match="RUN24"):
        rebill_document(office.deployment, "INV-2026-000001", reason="read again")
    with pytest.raises(Refused, match="RUN24"):
        credit_document(office.deployment, "INV-2026-000001", reason="goodwill")
    credit_document(office.deployment, "INV-2026-000001", reason="goodwill", nets={1: "1.00"})  # leaves the state alone

    office.post(june.code)
    report = rebill_document(office.deployment, "INV-2026-000001", reason="read again")
    assert [later.number for later in report.later] == ["INV-2026-000002"]
