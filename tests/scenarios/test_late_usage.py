"""Usage that comes, changes or goes after its period was billed, found by the next run and billed as the plan says.

Ten hours a bill cost 2.00, all others 1.00, and the stand 30.00 a month; 10 % tax. The drill ran six hours a month.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta

import attrs
import pytest
import sqlalchemy as sa

from billing_framework.invoicing.edit import EditField
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.correct.late_items import BY_DIFFERENCE, NOTHING, TAKEN_OFF, late_of_run
from billing_framework.run.correct.late_run import compare_late, rebill_late
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle.off_cycle import OffCycleRequest, bill_finally
from billing_framework.run.master.customer_change import change, continue_agreement, end_agreement, end_assignment
from billing_framework.run.master.customers import create
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.review.edits import edit_draft
from billing_framework.run.review.review import review_run
from billing_framework.run.review.wanted_edits import LineEdit
from billing_framework.run.usage.history import record_history
from billing_framework.run.usage.intake import take_in
from billing_framework.run.usage.late import late_usage
from billing_framework.run.usage.suspense import recycle
from billing_framework.storage.billing.documents import find_document
from billing_framework.storage.billing.run_rows import run_accounts
from billing_framework.storage.billing.tables import document
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.verify import verify
from billing_framework.storage.master.master_kind import AGREEMENTS, ASSIGNMENTS
from billing_framework.storage.master.share_rows import SHARES
from billing_framework.usage.reconcile import ControlTotals
from billing_framework.values.clock import MovableClock
from billing_framework.values.errors import Refused
from tests.cli.in_office import told
from tests.grown import grown_once
from tests.scenarios.office import PLAN, Office


@grown_once
def office_with(database: Database, policy: str, *, accumulate: str = "bill", more: str = "") -> Office:
    """An office whose only customer was billed for May."""
    plan = PLAN.replace("currency =", f'late_usage = "{policy}"\n{more}\ncurrency =')
    office = Office.of(database, plan=plan, accumulate=accumulate)
    office.customer("C1", "drill")
    office.jobs("j5,drill,2026-05-10T08:00:00+00:00,6,slot-5,1", file="may.csv")
    office.bill("2026-05")
    assert office.documents() == ["INV-2026-000001 C1 46.20"]
    office.pass_days(1)
    return office


def lines(office: Office, number: str) -> list[str]:
    """Every line of a document: description, service dates, quantity and net."""
    with office.deployment.database.read() as connection:
        content = find_document(connection, number).content
    return [f"{one.description} {one.service} {one.quantity} {one.net}" for one in content.lines]


def sound(office: Office) -> None:
    """Every line of every invoice is proven by its replay, and the ledger verifies."""
    assert verify(office.deployment.database, "MAIN") == []
    for row in office.documents():
        number = row.split()[0]
        for line in range(1, len(lines(office, number)) + 1):
            explained = explain_line(office.deployment, f"{number}/{line}")
            assert explained.proven, (number, line, explained.findings)


STAND_JUNE = "Stand 2026-06-01/2026-06-30 1 month 30.00 USD"


def test_the_next_run_bills_the_difference_with_the_dates_of_its_period(database: Database) -> None:
    office = office_with(database, "delta")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    office.jobs("j6,drill,2026-06-10T08:00:00+00:00,1", file="june.csv")
    office.start("2026-06")
    assert [(item.document, item.code) for item in late_of_run(office.deployment)] == [("INV-2026-000001", "")]
    assert review_run(office.deployment).late == ()
    office.bill("2026-06")
    # Twelve hours come to 10 x 2.00 + 2 x 1.00 = 22.00, of which 12.00 were billed.
    billed = lines(office, "INV-2026-000002")
    assert billed[-1] == "Machine hours, late usage 2026-05-01/2026-05-31 6 hour 10.00 USD"
    assert office.documents()[-1] == "INV-2026-000002 C1 46.20"
    sound(office)

    office.pass_days(1)
    office.bill("2026-07")
    assert not [line for line in lines(office, "INV-2026-000003") if "late" in line]
    assert late_usage(office.deployment, "MAIN") == ()


def test_what_comes_later_still_is_billed_by_what_the_last_difference_left(database: Database) -> None:
    office = office_with(database, "delta")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    office.bill("2026-06")
    office.pass_days(1)
    office.jobs("j5c,drill,2026-05-21T08:00:00+00:00,1", "j6,drill,2026-06-21T08:00:00+00:00,1", file="later.csv")
    office.bill("2026-07")
    late = [line for line in lines(office, "INV-2026-000003") if "late" in line]
    assert late == [
        "Machine hours, late usage 2026-05-01/2026-05-31 1 hour 1.00 USD",
        "Machine hours, tier 1, late usage 2026-06-01/2026-06-30 1 hour 2.00 USD",
    ]
    sound(office)


def test_what_comes_to_the_same_is_told_as_nothing_to_bill(database: Database) -> None:
    office = office_with(database, "delta")
    office.jobs("j5b,drill,2026-05-11T08:00:00+00:00,6,slot-5,2", file="another_day.csv")
    office.start("2026-06")
    assert "it comes to the same, nothing to bill" in told(office, "run", "late")
    office.approve()
    office.post()
    assert not [line for line in lines(office, "INV-2026-000002") if "late" in line]
    assert late_usage(office.deployment, "MAIN") == ()
    assert [(item.document, item.outcome) for item in late_of_run(office.deployment)] == [("INV-2026-000001", NOTHING)]
    sound(office)


def test_a_difference_that_an_officer_takes_off_the_draft_is_told_as_such(sqlite_database: Database) -> None:
    office = office_with(sqlite_database, "delta")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    office.start("2026-06")
    edit_draft(office.deployment, "", "C1", LineEdit(line=2, field=EditField.AMOUNT, after="5"), reason="agreed")
    assert [item.outcome for item in late_of_run(office.deployment)] == [BY_DIFFERENCE]
    edit_draft(office.deployment, "", "C1", LineEdit(line=2, field=EditField.LINE), reason="goodwill")
    assert [item.outcome for item in late_of_run(office.deployment)] == [TAKEN_OFF]


def test_a_correction_of_the_source_is_billed_as_a_credit(database: Database) -> None:
    office = office_with(database, "delta")
    office.jobs("j5b,drill,2026-05-10T08:00:00+00:00,2,slot-5,2", file="correction.csv")
    office.bill("2026-06")
    assert lines(office, "INV-2026-000002")[-1] == "Machine hours, tier 1, late usage 2026-05-01/2026-05-31 -4 hour -8.00 USD"
    assert office.documents()[-1] == "INV-2026-000002 C1 24.20"
    sound(office)


def test_a_rehearsal_has_the_same_digest_whatever_the_size_of_the_batches(database: Database) -> None:
    office = office_with(database, "delta")
    for number in range(2, 6):
        office.customer(f"C{number}", f"saw-{number}", starts_on="2026-06-01")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    rehearsal = office.start("2026-06", kind="rehearsal", batch_size=1).run
    final = office.start("2026-06").run
    assert rehearsal is not None
    assert final is not None
    with office.deployment.database.read() as connection:
        digests = [
            set(connection.scalars(sa.select(document.c.digest).where(document.c.run_id == run.id))) for run in (rehearsal, final)
        ]
    assert digests[0] == digests[1]
    assert len(digests[0]) == 5


def test_where_carried_state_moves_the_account_waits_for_a_rebill(database: Database) -> None:
    office = office_with(database, "delta", accumulate="year")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    run = office.start("2026-06").run
    assert run is not None
    with office.deployment.database.read() as connection:
        (row,) = run_accounts(connection, run)
    assert row.state == "held"
    assert row.evidence[0].finding.code == "LATE01"
    rebill_document(office.deployment, "INV-2026-000001", reason="late jobs")
    again = office.start("2026-06")
    assert again.counts == {"drafted": 1}
    office.approve()
    office.post()
    sound(office)


def test_hold_waits_for_an_officer(database: Database) -> None:
    office = office_with(database, "hold")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    run = office.start("2026-06").run
    assert run is not None
    with office.deployment.database.read() as connection:
        (row,) = run_accounts(connection, run)
    assert (row.state, row.evidence[0].check, row.evidence[0].facts) == ("held", "late_usage", {"documents": "INV-2026-000001"})
    rebill_document(office.deployment, "INV-2026-000001", reason="late jobs")
    assert office.start("2026-06").counts == {"drafted": 1}


def test_credit_and_rebill_of_all_that_a_run_has_found(database: Database) -> None:
    office = office_with(database, "credit_rebill")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    assert office.start("2026-06").counts == {"held": 1}
    assert [(item.document, item.code) for item in late_of_run(office.deployment)] == [("INV-2026-000001", "LATE04")]
    (compared,) = compare_late(office.deployment)
    assert compared.comparison is not None
    assert str(compared.comparison.net) == "10.00 USD"
    (item,) = late_of_run(office.deployment)
    assert len(item.outcome) > 60
    assert item.outcome in told(office, "run", "late"), "the sentence is shown whole"
    unreasoned = told(office, "run", "rebill-late", code=2)
    assert unreasoned.count("RUN14 rebilling needs a reason") == 1
    assert "nothing to do" not in unreasoned
    failed = told(office, "run", "rebill-late", "--as-of", "2031-01-01", "--reason", "late jobs", code=1)
    assert "0 documents were rebilled for the run MAIN.2026-06-01.monthly-1.1, 1 were not" in failed
    assert "nothing to do" not in failed
    report = rebill_late(office.deployment, reason="late jobs")
    assert [(one.note, one.new) for one in report.rebilled] == [("CN-2026-000001", "INV-2026-000002")]
    assert rebill_late(office.deployment, reason="late jobs").rebilled == ()
    assert office.start("2026-06").counts == {"drafted": 1}
    office.approve()
    office.post()
    assert [row.split(" ", 1)[1] for row in office.documents()] == ["C1 -46.20", "C1 46.20", "C1 57.20", "C1 33.00"]
    sound(office)


def test_a_document_whose_late_usage_is_billed_is_not_credited_alone(database: Database) -> None:
    office = office_with(database, "delta")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    office.bill("2026-06")
    with pytest.raises(Refused) as refused:
        credit_document(office.deployment, "INV-2026-000001", reason="not ours")
    assert refused.value.code == "LATE05"
    credit_document(office.deployment, "INV-2026-000002", reason="not ours")
    credit_document(office.deployment, "INV-2026-000001", reason="not ours")


def test_what_is_older_than_the_plan_bills_back_is_only_told(database: Database) -> None:
    office = office_with(database, "delta", more="late_usage_days = 20")
    office.bill("2026-06")
    office.pass_days(1)
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    office.bill("2026-07")
    assert not [line for line in lines(office, "INV-2026-000003") if "late" in line]
    assert [(item.document, item.code) for item in late_of_run(office.deployment)] == [("INV-2026-000001", "LATE02")]


def test_a_rebill_of_the_corrected_document_takes_the_difference_off_the_later_bill(database: Database) -> None:
    office = office_with(database, "delta")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    office.bill("2026-06")
    report = rebill_document(office.deployment, "INV-2026-000001", reason="the customer wants one bill")
    assert [one.number for one in report.later] == ["INV-2026-000002"]
    assert lines(office, report.new)[-1].endswith("2 hour 2.00 USD")
    assert not [line for line in lines(office, report.later[0].new) if "late" in line]
    sound(office)


def test_a_rebill_of_the_later_document_keeps_the_difference(database: Database) -> None:
    office = office_with(database, "delta")
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    office.bill("2026-06")
    office.jobs("j6,drill,2026-06-20T08:00:00+00:00,1", file="june.csv")
    report = rebill_document(office.deployment, "INV-2026-000002", reason="late job of June")
    assert lines(office, report.new)[-1] == "Machine hours, late usage 2026-05-01/2026-05-31 6 hour 10.00 USD"
    sound(office)


def test_what_the_source_deletes_is_credited_by_the_next_run(database: Database) -> None:
    office = office_with(database, "delta")
    taken = office.jobs("d5,drill,2026-05-10T08:00:00+00:00,,slot-5,2", file="deleted.csv")
    assert (taken.totals.accepted, taken.totals.superseding) == (1, 1)
    office.bill("2026-06")
    assert lines(office, "INV-2026-000002")[-1] == "Machine hours, tier 1, late usage 2026-05-01/2026-05-31 -6 hour -12.00 USD"
    sound(office)
    history = record_history(office.deployment, "floor/j5")
    assert record_history(office.deployment, str(history.replaced_by)).record["deleted"] is True

    office.pass_days(1)
    assert office.jobs("d5,drill,2026-05-10T08:00:00+00:00,,slot-5,2", file="again.csv").totals.duplicate == 1
    assert office.jobs("x5,drill,2026-05-10T08:00:00+00:00,,slot-5,2", file="same.csv").totals.duplicate == 1
    assert office.jobs("y5,drill,2026-05-10T08:00:00+00:00,3,slot-5,2", file="other.csv").totals.rejected == 1
    assert office.jobs("z5,drill,2026-05-10T08:00:00+00:00,3,slot-5,3", file="back.csv").totals.accepted == 1
    office.bill("2026-07")
    assert lines(office, "INV-2026-000003")[-1] == "Machine hours, tier 1, late usage 2026-05-01/2026-05-31 3 hour 6.00 USD"
    sound(office)


def test_a_source_takes_a_record_back_by_a_column_of_its_file(database: Database) -> None:
    office = office_with(database, "delta")
    header = "job,sent,machine,at,hours,action"

    def sheet(file: str, *rows: str) -> ControlTotals:
        content = io.BytesIO("\n".join([header, *rows]).encode())
        return take_in(office.deployment, content, file_format="job_sheet", source="floor", name=file).totals

    assert sheet("june.csv", "j6,1,drill,2026-06-10T08:00:00+00:00,4,").accepted == 1
    office.bill("2026-06")
    office.pass_days(1)
    taken = sheet("back.csv", "j6,2,drill,2026-06-10T08:00:00+00:00,,withdrawn")
    assert (taken.accepted, taken.superseding) == (1, 1)
    assert sheet("again.csv", "j6,2,drill,2026-06-10T08:00:00+00:00,,withdrawn").duplicate == 1
    office.bill("2026-07")
    assert lines(office, "INV-2026-000003")[-1] == "Machine hours, tier 1, late usage 2026-06-01/2026-06-30 -4 hour -8.00 USD"
    sound(office)


def test_a_deletion_says_what_it_speaks_about_and_waits_for_its_assignment(database: Database) -> None:
    office = office_with(database, "delta")
    taken = office.jobs("d5,drill,2026-05-10T08:00:00+00:00,", "d6,saw,2026-05-10T08:00:00+00:00,,slot-6,2", file="deleted.csv")
    assert taken.totals.suspended == 2
    create(office.deployment, ASSIGNMENTS, {"subject": "saw", "agreement": "A-C1", "starts_on": "2026-01-01"})
    assert recycle(office.deployment).totals.accepted == 1


def test_a_record_that_waited_in_suspense_is_traced_to_its_file(database: Database) -> None:
    office = office_with(database, "list")
    assert office.jobs("j6,saw,2026-06-10T08:00:00+00:00,4", file="june.csv").totals.suspended == 1
    create(office.deployment, ASSIGNMENTS, {"subject": "saw", "agreement": "A-C1", "starts_on": "2026-01-01"})
    assert recycle(office.deployment).totals.accepted == 1
    office.bill("2026-06")
    assert record_history(office.deployment, "floor/j6").file == "june.csv:1, by way of suspense"
    (source,) = explain_line(office.deployment, "INV-2026-000002/2").records
    assert source.file == "june.csv:1, by way of suspense"


def test_a_record_that_moves_into_another_period_is_credited_in_the_first(database: Database) -> None:
    office = office_with(database, "delta")
    office.jobs("j5b,drill,2026-06-02T08:00:00+00:00,6,slot-5,2", file="moved.csv")
    office.bill("2026-06")
    late = [line for line in lines(office, "INV-2026-000002") if "hours" in line]
    assert late == [
        "Machine hours, tier 1 2026-06-01/2026-06-30 6 hour 12.00 USD",
        "Machine hours, tier 1, late usage 2026-05-01/2026-05-31 -6 hour -12.00 USD",
    ]


@pytest.mark.parametrize("hours", ["0", "1/3", "4", "17.25"])
def test_the_difference_comes_to_what_a_rebill_comes_to(database: Database, hours: str) -> None:
    office = office_with(database, "delta")
    office.jobs(f"j5b,drill,2026-05-20T08:00:00+00:00,{hours}", file="late.csv")
    office.bill("2026-06")
    late = [line for line in lines(office, "INV-2026-000002") if "late" in line]
    with office.deployment.database.read() as connection:
        content = find_document(connection, "INV-2026-000002").content
    difference = sum(line.net.minor for line in content.lines if "late" in line.description)
    report = rebill_document(office.deployment, "INV-2026-000001", reason="one bill")
    with office.deployment.database.read() as connection:
        before = find_document(connection, "INV-2026-000001").content.totals.net.minor
        after = find_document(connection, report.new).content.totals.net.minor if report.new else before
    assert after - before == difference
    assert bool(late) == bool(difference)


def changed(office: Office) -> list[tuple[str, tuple[str, ...]]]:
    """The documents that would be billed otherwise, and for which agreements."""
    assert review_run(office.deployment).late == late_usage(office.deployment, "MAIN")
    found = late_usage(office.deployment, "MAIN")
    for account in ("C1", "C2", "none"):
        own = tuple(one for one in found if one.account == account)
        assert late_usage(office.deployment, "MAIN", account=account) == own
    return [(one.document, one.agreements) for one in found]


def test_an_agreement_that_ends_within_what_is_billed_is_told_until_that_is_billed_again(database: Database) -> None:
    office = office_with(database, "list")
    end_agreement(office.deployment, "A-C1", date(2026, 5, 16), reason="moved out")
    assert changed(office) == [("INV-2026-000001", ("A-C1",))]
    final = bill_finally(office.deployment, OffCycleRequest(account="C1"))
    assert (final.started.run, final.too_far) == (None, ("INV-2026-000001",))
    rebill_document(office.deployment, "INV-2026-000001", reason="moved out")
    assert changed(office) == []
    assert bill_finally(office.deployment, OffCycleRequest(account="C1")).too_far == ()


CHANGES: dict[str, Callable[[Office], object]] = {
    "terms": lambda office: change(office.deployment, AGREEMENTS, "A-C1", {"term.size": "large"}, reason="as ordered"),
    "what is assigned": lambda office: end_assignment(office.deployment, "drill", date(2026, 5, 20), reason="sold"),
    "who pays": lambda office: create(
        office.deployment, SHARES, {"agreement": "A-C1", "payer": "C1", "percent": "", "starts_on": "2026-05-01"}
    ),
    "the plan from a date on": lambda office: continue_agreement(
        office.deployment, "A-C1", date(2026, 5, 16), {"term.size": "large"}, reason="as ordered"
    ),
}


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(days=90)], ids=["right_clock", "clock_behind"])
@pytest.mark.parametrize("what", CHANGES)
def test_what_officers_change_of_a_billed_agreement_is_told(sqlite_database: Database, what: str, behind: timedelta) -> None:
    office = office_with(sqlite_database, "list")
    assert changed(office) == []
    clock = MovableClock(office.clock.now() - behind)
    CHANGES[what](Office(attrs.evolve(office.deployment, clock=clock), clock))
    assert changed(office)[0] == ("INV-2026-000001", ("A-C1", "A-C1~2") if "date" in what else ("A-C1",))


def test_what_is_changed_for_other_dates_is_not_told(sqlite_database: Database) -> None:
    office = office_with(sqlite_database, "list")
    office.customer("C2", "lathe", "2026-06-01")
    continue_agreement(office.deployment, "A-C1", date(2026, 6, 1), {"term.size": "large"}, reason="as ordered")
    assert changed(office) == []
