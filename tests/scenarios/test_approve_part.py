"""A run is approved in parts: each has its numbers behind those before; what is not approved waits, or goes to the next run."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from billing_framework.run.cycle.approve import ApprovalReport, approve_run
from billing_framework.run.cycle.approve_part import ApprovalFilter
from billing_framework.run.cycle.cancel import cancel_run
from billing_framework.run.master.customer_change import change
from billing_framework.run.review.edits import edit_draft, hold_account
from billing_framework.run.review.report import report_run
from billing_framework.run.review.review import review_run
from billing_framework.run.review.wanted_edits import AddedLine, DroppedEdit
from billing_framework.run.usage.late import late_usage
from billing_framework.storage.billing.numbers import counters_given
from billing_framework.storage.billing.run_rows import find_run
from billing_framework.storage.billing.tables import run_account
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS
from billing_framework.values.errors import NotFound, Refused, UnitMismatch
from billing_framework.values.money import Money
from tests.cli.in_office import told
from tests.grown import grown_once
from tests.scenarios.office import Office

JULY = "MAIN.2026-07-01.monthly-1.1"


@grown_once
def drafted(database: Database) -> Office:
    office = Office.of(database)
    for code, machine in (("C1", "drill"), ("C2", "lathe"), ("C3", "mill"), ("C4", "press")):
        office.customer(code, machine)
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4", "j2,lathe,2026-07-20T08:00:00+00:00,90")
    office.start("2026-07")
    return office


def approve(office: Office, code: str = JULY, **fields: object) -> ApprovalReport:
    report = approve_run(office.deployment, code, wanted=ApprovalFilter(**fields), reason="looked at")  # type: ignore[arg-type]
    assert not report.findings, report.findings
    return report


def states(office: Office) -> dict[str, str]:
    with office.deployment.database.read() as connection:
        run = find_run(connection, JULY)
        rows = connection.execute(sa.select(run_account.c.account, run_account.c.state).where(run_account.c.run_id == run.id))
        return {row.account: row.state for row in rows}


def no_gap(office: Office) -> bool:
    with office.deployment.database.read() as connection:
        given, following = counters_given(connection, "MAIN")
    return all(sorted(given.get(name, [])) == list(range(1, after)) for name, after in following.items())


def test_parts_are_approved_and_posted_one_after_the_other(database: Database) -> None:
    office = drafted(database)
    digest = review_run(office.deployment, JULY).digest
    first = approve(office, up_to=Money.of("41.80", "USD"), accounts=("C1", "C2"))
    assert (first.documents, first.remaining, first.run.state) == (1, 3, "approved")
    assert states(office) == {"C1": "approved", "C2": "drafted", "C3": "drafted", "C4": "drafted"}
    assert office.post(JULY).run.state == "drafted"
    again = office.post(JULY)
    assert (again.run.state, again.posted, again.existing, again.remaining) == ("drafted", 0, 1, 3)
    # A second and a third part wait together, and are posted together.
    assert approve(office, accounts=("C4",)).documents == 1
    assert approve(office, accounts=("C2",)).remaining == 1
    assert office.post(JULY).posted == 2
    last = approve(office)
    assert (last.documents, last.remaining) == (1, 0)
    assert approve_run(office.deployment, JULY).was_approved
    posted = office.post(JULY)
    assert (posted.run.state, posted.posted, posted.existing) == ("posted", 1, 3)
    assert posted.run.digest == digest
    assert [line.split()[1] for line in office.documents()] == ["C1", "C4", "C2", "C3"]
    assert no_gap(office)
    assert office.start("2026-07").nothing_to_do


def test_usage_that_comes_between_two_approvals_is_late_for_the_first_part(database: Database) -> None:
    office = drafted(database)
    approve(office.as_("ben"), accounts=("C1",))
    office.pass_days(1)
    office.jobs("j3,drill,2026-07-04T08:00:00+00:00,1", file="more.csv")
    office.pass_days(1)
    run = approve(office.as_("eve")).run
    assert (run.approved_by, run.approved_at and run.approved_at.day) == ("ben, eve", 1)
    office.post(JULY)
    assert [one.account for one in late_usage(office.deployment, "MAIN")] == ["C1"]


def test_an_officer_may_edit_what_waits_but_not_what_is_posted(database: Database) -> None:
    office = drafted(database)
    approve(office, accounts=("C1",))
    office.post(JULY)
    added = AddedLine(code="stand", description="Cleaning", amount="7.50", tax_category="standard", on=date(2026, 7, 5))
    with pytest.raises(Refused, match=r"RUN03.*number already"):
        edit_draft(office.deployment, JULY, "C1", added, reason="forgotten")
    with pytest.raises(Refused, match=r"RUN03.*number already"):
        hold_account(office.deployment, JULY, "C1", reason="in dispute")
    assert edit_draft(office.deployment, JULY, "C2", added, reason="forgotten").state == "drafted"
    hold_account(office.deployment, JULY, "C3", reason="in dispute")
    change(office.deployment, ACCOUNTS, "C1", {"due_days": "30"}, reason="new terms")
    change(office.deployment, ACCOUNTS, "C4", {"due_days": "30"}, reason="new terms")
    assert dict(review_run(office.deployment, JULY).stale) == {"C4": ("account",)}
    office.customer("C5", "saw")
    again = office.start("2026-07")
    assert (again.stale, again.counts) == (1, {"drafted": 2, "held": 1, "posted": 1})
    assert approve(office).documents == 2
    assert office.post(JULY).run.state == "posted"
    # What was held, and who came while a part was posted, goes to the next run.
    following = office.start("2026-07")
    assert following.run is not None
    assert (following.run.sequence, following.counts) == (2, {"drafted": 2})


def test_what_waits_is_given_to_the_next_run_by_cancelling(database: Database) -> None:
    office = drafted(database)
    approve(office, accounts=("C1",))
    office.post(JULY)
    approve(office, accounts=("C2",))
    report = cancel_run(office.deployment, JULY, reason="the rest later")
    assert (report.run.state, report.void) == ("posted", ())
    assert states(office) == {"C1": "posted", "C2": "skipped", "C3": "skipped", "C4": "skipped"}
    assert no_gap(office)
    assert office.start("2026-07").counts == {"drafted": 3}
    office.approve()
    office.post()
    assert len(office.documents()) == 4
    assert no_gap(office)


def test_numbers_of_a_part_are_void_where_another_run_has_taken_later_ones(database: Database) -> None:
    office = drafted(database)
    approve(office, accounts=("C1",))
    office.post(JULY)
    approve(office, accounts=("C2",))
    office.customer("D1", "crane", cycle="monthly:1")
    august = office.start("2026-08")
    assert august.run is not None
    approve(office, august.run.code, accounts=("D1",))
    report = cancel_run(office.deployment, JULY, reason="the rest later", void_numbers=True)
    assert report.void == ("INV-2026-000002",)
    office.post(august.run.code)
    assert [line.split()[1] for line in office.documents()] == ["C1", "C2", "D1"]
    assert no_gap(office)


def test_parts_with_numbers_of_another_run_between_them_do_not_give_those_back(database: Database) -> None:
    office = drafted(database)
    approve(office, accounts=("C1",))
    office.customer("D1", "crane")
    august = office.start("2026-08", accounts=["D1"])
    assert august.run is not None
    approve(office, august.run.code)
    approve(office, accounts=("C2",))
    with pytest.raises(Refused, match="RUN10"):
        hold_account(office.deployment, JULY, "C1", reason="in dispute")
    office.post(JULY)
    office.post(august.run.code)
    assert no_gap(office)


def test_who_is_billed_together_is_approved_together(database: Database) -> None:
    office = Office.of(database)
    office.customer("P1", "drill")
    office.customer("P2", "lathe", parent="P1", payer="parent")
    office.customer("C1", "mill")
    office.start("2026-07")
    assert approve(office, accounts=("P2",)).documents == 1
    assert states(office) == {"C1": "drafted", "P1": "approved", "P2": "approved"}
    assert approve(office, accounts=("P1", "P2")).was_approved
    with pytest.raises(NotFound, match="RUN04 account 'C9' is not in the run"):
        approve(office, accounts=("P1", "C9"))
    hold_account(office.deployment, JULY, "C1", reason="disputed")
    with pytest.raises(NotFound, match="RUN04 account 'C1' is held in the run"):
        approve(office, accounts=("C1",))


def test_what_fits_nothing_is_told(database: Database) -> None:
    office = drafted(database)
    report = approve_run(office.deployment, JULY, wanted=ApprovalFilter(up_to=Money.of("1", "USD")))
    assert [finding.code for finding in report.findings] == ["RUN08"]
    with pytest.raises(UnitMismatch, match="VALUE07 no draft is in EUR"):
        approve(office, up_to=Money.of("1000", "EUR"))
    with pytest.raises(NotFound, match="RUN62"):
        approve(office, plans=("other",))
    assert approve(office, plans=("machine",)).documents == 4


def test_a_run_whose_control_totals_do_not_add_up_is_not_approved(database: Database) -> None:
    office = drafted(database)
    with database.begin() as connection:
        connection.execute(run_account.update().where(run_account.c.account == "C2").values(control={"records": 2, "priced": 1}))
    report = approve_run(office.deployment, JULY)
    assert [(finding.code, finding.subject) for finding in report.findings] == [("RUN56", "C2")]
    assert approve(office, accounts=("C1", "C3")).documents == 2


def test_cancelling_what_is_left_of_a_run_tells_what_stays_and_what_the_next_run_bills(sqlite_database: Database) -> None:
    office = drafted(sqlite_database)
    approve(office, accounts=("C1",))
    office.post(JULY)
    shown = told(office, "run", "cancel", JULY, "--reason", "the rest is wrong")
    assert shown.strip() == f"run {JULY} is ended: what it has posted stays, 3 accounts are left to the next run"
    assert f"RUN03 the run {JULY} is posted" in told(office, "run", "cancel", JULY, "--reason", "again", code=3)
    assert office.start("2026-07").counts == {"drafted": 3}


def test_posting_again_what_is_posted_in_part_says_what_waits_for_its_approval(sqlite_database: Database) -> None:
    office = drafted(sqlite_database)
    refused = told(office, "run", "post", code=3)
    assert f"RUN03 the run {JULY} is drafted, not approved. Approve it: billing run approve {JULY}" in refused
    told(office, "run", "approve", "--account", "C1")
    rest = f"  3 accounts are drafted and not approved: billing run approve {JULY}"
    assert told(office, "run", "post").splitlines() == [f"run {JULY}: 1 documents posted, 0 were posted before", rest]
    again = told(office, "run", "post").splitlines()
    assert again == [f"nothing to do: all that is approved of run {JULY} is posted", rest]
    told(office, "run", "approve")
    assert "3 documents posted" in told(office, "run", "post")
    assert told(office, "run", "post").strip() == f"nothing to do: run {JULY} is posted"


def test_a_run_that_was_ended_early_tells_what_it_has_left_and_no_way_that_is_refused(sqlite_database: Database) -> None:
    office = drafted(sqlite_database)
    hold_account(office.deployment, JULY, "C3", reason="in dispute")
    approve(office, accounts=("C1",))
    office.post(JULY)
    approve(office, accounts=("C2",))
    assert "RUN15" in told(office, "run", "review", JULY, code=1)
    told(office, "run", "cancel", JULY, "--reason", "the rest is wrong")
    shown = told(office, "run", "review", JULY)
    assert "left to the next run: C3: " in shown
    assert "What it has left out is billed by the next run: billing run start" in shown
    assert "run release" not in shown
    assert "digest        none since an approval was withdrawn" in told(office, "run", "report", JULY)
    told(office, "run", "start", "--period", "2026-07", "--rehearsal")
    shown = told(office, "run", "diff", JULY, "2026-07-01.monthly-1.r1", code=1)
    assert "(final, posted), none since an approval was withdrawn" in shown
    assert "(rehearsal, drafted), not approved yet" in shown


def test_a_run_that_is_cancelled_is_posted_by_starting_another(sqlite_database: Database) -> None:
    office = drafted(sqlite_database)
    told(office, "run", "cancel", JULY, "--reason", "wrong plan")
    refused = told(office, "run", "post", JULY, code=3)
    assert f"RUN03 the run {JULY} is cancelled, not approved. Start another one: billing run start" in refused


def test_cancelling_tells_how_many_edits_go_with_the_drafts(database: Database) -> None:
    office = drafted(database)
    added = AddedLine(code="stand", description="Goodwill", amount="-7.50", tax_category="standard", on=date(2026, 7, 5))
    for account in ("C1", "C2", "C3"):
        edit_draft(office.deployment, JULY, account, added, reason="goodwill")
    edit_draft(office.deployment, JULY, "C3", DroppedEdit(position=1), reason="not this one")
    edit_draft(office.deployment, JULY, "C4", added, reason="goodwill")
    hold_account(office.deployment, JULY, "C4", reason="in dispute")
    approve(office, accounts=("C1",))
    office.post(JULY)
    shown = told(office, "run", "cancel", JULY, "--reason", "the rest is wrong").splitlines()
    assert shown[1:] == ["  officers' edits that go with the drafts: 2, of C2, C4; make them again where they shall hold"]
    assert report_run(office.deployment, JULY).deeds[-1].facts["edits"] == "2"
    assert office.start("2026-07").counts == {"drafted": 3}
    edit_draft(office.deployment, "", "C2", added, reason="goodwill")
    shown = told(office, "run", "cancel", JULY.replace("1.1", "1.2"), "--reason", "a slip").splitlines()
    assert shown[1].startswith("  officers' edits that go with the drafts: 1, of C2;")
