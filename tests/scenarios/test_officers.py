"""What officers decide between drafting and posting: edits, holds, releases, approvals, cancelling."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from billing_framework.invoicing.edit import EditField
from billing_framework.plugin.settings import ReviewSettings
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.cancel import cancel_run, purge_run
from billing_framework.run.master.charges import ChargeRequest, enter_charge
from billing_framework.run.master.customer_change import change
from billing_framework.run.prove.invoices import show_draft
from billing_framework.run.review.edits import edit_draft, hold_account, release_account
from billing_framework.run.review.review import review_run
from billing_framework.run.review.wanted_edits import AddedLine, DroppedEdit, LineEdit
from billing_framework.storage.audit import events
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS
from billing_framework.values.errors import InputRefused, Refused
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan
from tests.cli.in_office import told
from tests.grown import grown_once
from tests.scenarios.office import Office


@grown_once
def drafted(database: Database, **settings: Any) -> Office:
    office = Office.of(database, **settings)
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4", "j2,lathe,2026-07-20T08:00:00+00:00,8")
    office.start("2026-07")
    return office


def lines(office: Office, account: str) -> list[str]:
    _, shown = show_draft(office.deployment, "", account)
    return [f"{line.description} {line.net}" for line in shown.document.content.lines]


def test_edits_make_new_drafts_that_say_what_was_agreed(database: Database) -> None:
    office = drafted(database)
    assert lines(office, "C1") == ["Stand 30.00 USD", "Machine hours, tier 1 8.00 USD"]
    edit_draft(office.deployment, "", "C1", LineEdit(line=2, field=EditField.AMOUNT, after="5"), reason="agreed")
    edit_draft(office.deployment, "", "C1", LineEdit(line=1, field=EditField.WAIVER, text="Goodwill"), reason="late delivery")
    added = AddedLine(code="stand", description="Cleaning", amount="7.50", tax_category="standard", on=DAY)
    row = edit_draft(office.deployment, "", "C1", added, reason="was asked for")
    assert row.version == 4
    assert lines(office, "C1") == [
        "Stand 30.00 USD",
        "Goodwill -30.00 USD",
        "Machine hours, tier 1 5.00 USD",
        "Cleaning 7.50 USD",
    ]

    edit_draft(office.deployment, "", "C1", DroppedEdit(position=2), reason="not agreed after all")
    assert lines(office, "C1") == ["Stand 30.00 USD", "Machine hours, tier 1 5.00 USD", "Cleaning 7.50 USD"]
    office.approve()
    office.post()
    assert office.documents() == ["INV-2026-000001 C1 46.75", "INV-2026-000002 C2 50.60"]
    with database.read() as connection:
        trail = [(event.action, event.reason) for event in events(connection, object_kind="run account")]
    assert trail[::-1] == [
        ("run edit", "agreed"),
        ("run edit", "late delivery"),
        ("run edit", "was asked for"),
        ("run edit", "not agreed after all"),
    ]


DAY = date(2026, 7, 5)


def test_an_edit_voids_an_approval_and_gives_its_numbers_back(database: Database) -> None:
    office = drafted(database)
    office.approve()
    edit_draft(office.deployment, "", "C1", LineEdit(line=2, field=EditField.LINE), reason="not delivered")
    with pytest.raises(Refused, match="RUN03"):
        office.post()
    office.approve()
    office.post()
    assert office.documents() == ["INV-2026-000001 C1 33.00", "INV-2026-000002 C2 50.60"]


def test_an_edit_whose_base_changed_is_a_finding_and_holds_the_account(database: Database) -> None:
    office = drafted(database)
    edit_draft(office.deployment, "", "C1", LineEdit(line=2, field=EditField.AMOUNT, after="5"), reason="agreed")
    office.jobs("j3,drill,2026-07-04T08:00:00+00:00,1", file="more.csv")
    report = office.start("2026-07")
    assert (report.stale, report.counts) == (1, {"drafted": 1, "held": 1})
    (held,) = review_run(office.deployment).held
    assert [item.finding.code for item in held.evidence] == ["INVOICE08"]
    with pytest.raises(Refused, match="RUN16"):
        release_account(office.deployment, "", "C1", reason="let it pass")
    edit_draft(office.deployment, "", "C1", DroppedEdit(position=1), reason="the reading is right")
    office.approve()


def test_a_stale_draft_cannot_be_approved(database: Database) -> None:
    office = drafted(database)
    office.jobs("j3,drill,2026-07-04T08:00:00+00:00,1", file="more.csv")
    report = approve_run(office.deployment)
    assert [(finding.code, finding.subject) for finding in report.findings] == [("RUN09", "C1")]
    assert "usage" in report.findings[0].what
    assert dict(review_run(office.deployment).stale) == {"C1": ("usage",)}

    change(office.deployment, ACCOUNTS, "C2", {"due_days": "30"}, reason="new terms")
    assert dict(review_run(office.deployment).stale) == {"C1": ("usage",), "C2": ("account",)}
    assert office.start("2026-07").stale == 2
    office.approve()
    office.post()
    assert office.documents() == ["INV-2026-000001 C1 44.00", "INV-2026-000002 C2 50.60"]


def test_a_manual_charge_makes_a_draft_stale_and_is_billed_once(database: Database) -> None:
    office = drafted(database)
    request = ChargeRequest(
        account="C2", agreement="", code="stand", text="Repair", amount="12", tax_category="standard",
        service=DateSpan.inclusive(DAY, DAY), reason="order 7",
    )  # fmt: skip
    enter_charge(office.deployment, request)
    assert dict(review_run(office.deployment).stale) == {"C2": ("manual charges",)}
    office.start("2026-07")
    office.approve()
    office.post()
    office.clock.advance(timedelta(days=31))
    office.bill("2026-08")
    assert office.documents() == [
        "INV-2026-000001 C1 41.80",
        "INV-2026-000002 C2 63.80",
        "INV-2026-000003 C1 33.00",
        "INV-2026-000004 C2 33.00",
    ]


def test_checks_hold_outliers_with_evidence_until_released(database: Database) -> None:
    bounds = ReviewSettings(largest=(Money.of("45", "USD"),), factor=Fraction(0), zero_usage=False, missing_usage=False)
    office = drafted(database, review=bounds)
    found = review_run(office.deployment)
    assert dict(found.counts) == {"drafted": 1, "held": 1}
    (held,) = found.held
    assert (held.account, held.evidence[0].check, held.evidence[0].finding.code) == ("C2", "largest_total", "REVIEW01")
    assert held.evidence[0].facts["total"] == "50.60 USD"

    assert release_account(office.deployment, "", "C2", reason="big order").state == "drafted"
    assert office.start("2026-07").nothing_to_do
    office.jobs("j3,lathe,2026-07-21T08:00:00+00:00,1", file="more.csv")
    assert office.start("2026-07").counts == {"drafted": 1, "held": 1}


def test_a_held_account_is_left_out_and_billed_by_the_next_run(database: Database) -> None:
    office = drafted(database)
    hold_account(office.deployment, "", "C1", reason="disputes the hours")
    report = office.approve()
    assert (report.documents, report.left_out) == (1, 1)
    office.post()
    assert office.documents() == ["INV-2026-000001 C2 50.60"]

    second = office.start("2026-07")
    assert (second.is_new, second.counts, second.billed_elsewhere) == (True, {"drafted": 1}, 1)
    office.approve()
    office.post()
    assert office.documents() == ["INV-2026-000001 C2 50.60", "INV-2026-000002 C1 41.80"]
    assert office.start("2026-07").nothing_to_do


def test_maker_and_checker_differ_where_it_is_demanded(database: Database) -> None:
    office = drafted(database, maker_checker=True)
    with pytest.raises(Refused, match="RUN07"):
        approve_run(office.deployment)
    edit_draft(office.as_("ben").deployment, "", "C1", LineEdit(line=1, field=EditField.LINE), reason="agreed")
    with pytest.raises(Refused, match="RUN07"):
        approve_run(office.as_("ben").deployment)
    assert approve_run(office.as_("cleo").deployment).documents == 2
    office.post()
    # It is about approving runs: a correction of what is issued has no second step.
    assert credit_document(office.deployment, "INV-2026-000001", reason="agreed").note == "CN-2026-000001"


def test_cancelling_frees_charges_dates_and_numbers(database: Database) -> None:
    office = drafted(database)
    first = office.approve().run
    with pytest.raises(InputRefused, match="RUN14"):
        cancel_run(office.deployment, first.code, reason=" ")
    report = cancel_run(office.deployment, first.code, reason="wrong plan")
    assert (report.drafts, report.void) == (2, ())
    assert cancel_run(office.deployment, first.code, reason="wrong plan").was_cancelled
    with pytest.raises(Refused, match="RUN03"):
        office.post(first.code)

    second = office.start("2026-07")
    assert second.is_new
    assert second.run is not None
    office.approve()
    office.post()
    assert office.documents() == ["INV-2026-000001 C1 41.80", "INV-2026-000002 C2 50.60"]
    with pytest.raises(Refused, match="RUN03"):
        cancel_run(office.deployment, second.run.code, reason="too late")


def test_a_rehearsal_is_never_approved_and_can_be_purged(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    rehearsal = office.start("2026-07", kind="rehearsal").run
    assert rehearsal is not None
    with pytest.raises(Refused, match="RUN06"):
        approve_run(office.deployment, rehearsal.code)
    with pytest.raises(Refused, match="RUN06"):
        edit_draft(office.deployment, rehearsal.code, "C1", LineEdit(line=1, field=EditField.LINE), reason="no")
    final = office.start("2026-07").run
    assert final is not None
    assert review_run(office.deployment, rehearsal.code).digest == review_run(office.deployment, final.code).digest
    assert purge_run(office.deployment, rehearsal.code) == 1
    with pytest.raises(Refused, match="RUN19"):
        purge_run(office.deployment, final.code)


def test_an_account_that_a_posted_run_left_out_is_told_the_way_on(sqlite_database: Database) -> None:
    office = drafted(sqlite_database)
    hold_account(office.deployment, "", "C1", reason="customer disputes it")
    office.approve()
    office.post()
    with pytest.raises(Refused, match="RUN03") as left_out:
        release_account(office.deployment, "", "C1", reason="settled")
    assert "billing run start" in left_out.value.remedy
    with pytest.raises(Refused, match="RUN03") as issued:
        release_account(office.deployment, "", "C2", reason="settled")
    assert "billing invoice rebill" in issued.value.remedy


def test_a_waived_line_leaves_no_tax(sqlite_database: Database) -> None:
    office = drafted(sqlite_database)
    for number, amount in enumerate(("0.05", "0.15", "0.25"), start=1):
        edit_draft(
            office.deployment,
            "",
            "C1",
            AddedLine(code="stand", description=f"Part {number}", amount=amount, tax_category="standard", on=DAY),
            reason="small parts",
        )
    edit_draft(office.deployment, "", "C1", LineEdit(line=3, field=EditField.WAIVER, text="Goodwill"), reason="late")
    _, shown = show_draft(office.deployment, "", "C1")
    content = shown.document.content
    waived, opposite = content.lines[2:4]
    assert (opposite.net, opposite.tax) == (-waived.net, -waived.tax)


def test_the_last_period_is_all_its_runs_together(sqlite_database: Database) -> None:
    office = Office.of(sqlite_database)
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    for code in ("C1", "C2"):
        run = office.start("2026-07", accounts=[code]).run
        assert run is not None
        office.approve(run.code)
        office.post(run.code)
    office.start("2026-08")
    last = review_run(office.deployment).last["USD"]
    assert (last.documents, str(last.gross)) == (2, "66.00 USD")


def test_the_last_period_is_what_stands_of_it(database: Database) -> None:
    office = Office.of(database)
    for code, machine in (("C1", "drill"), ("C2", "lathe"), ("C3", "mill"), ("C4", "press")):
        office.customer(code, machine)
    office.bill("2026-07")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4", file="late.csv")
    rebill_document(office.deployment, "INV-2026-000001", reason="a job came late")  # 33.00 becomes 41.80
    credit_document(office.deployment, "INV-2026-000002", reason="goodwill", nets={1: "10.00"})  # 22.00 are left
    credit_document(office.deployment, "INV-2026-000003", reason="moved out", nets={1: "10.00"})
    credit_document(office.deployment, "INV-2026-000003", reason="all of it")
    office.start("2026-08")
    last = review_run(office.deployment).last["USD"]
    assert (last.documents, str(last.net), str(last.tax), str(last.gross)) == (3, "88.00 USD", "8.80 USD", "96.80 USD")


def test_a_run_without_drafts_has_no_records(sqlite_database: Database) -> None:
    office = Office.of(sqlite_database)
    office.customer("C1", "drill", starts_on="2026-07-01")
    told(office, "run", "off-cycle", "C1", "--to", "2026-07-15", "--as-of", "2026-07-16")
    office.start("2026-07")  # whose dates are billed in part
    assert "Control totals: records in = none = 0" in told(office, "run", "review", "MAIN.2026-07-01.monthly-1.2", code=1)
