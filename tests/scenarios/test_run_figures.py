"""A run in figures, and two runs compared."""

from __future__ import annotations

import pytest

from billing_framework.invoicing.edit import EditField
from billing_framework.plugin.settings import ReviewSettings
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.approve_part import ApprovalFilter
from billing_framework.run.cycle.cancel import cancel_run
from billing_framework.run.review.diff import diff_runs
from billing_framework.run.review.edits import edit_draft, hold_account, release_account
from billing_framework.run.review.report import report_run
from billing_framework.run.review.told import keep_told
from billing_framework.run.review.wanted_edits import LineEdit
from billing_framework.storage.engine import Database
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money
from tests.cli.in_office import told
from tests.grown import grown_once
from tests.scenarios.office import Office

FINAL = "MAIN.2026-07-01.monthly-1.1"
REHEARSAL = "MAIN.2026-07-01.monthly-1.r1"


@grown_once
def drafted(database: Database) -> Office:
    office = Office.of(database, review=ReviewSettings(largest=(Money.of("60", "USD"),)))
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    office.customer("C3", "mill")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4", "j2,lathe,2026-07-20T08:00:00+00:00,90")
    office.start("2026-07")
    return office


def test_a_run_in_figures(database: Database) -> None:
    office = drafted(database)
    hold_account(office.deployment, "", "C3", reason="in dispute")
    found = report_run(office.deployment)
    assert (found.accounts, found.documents) == ({"drafted": 1, "held": 2}, {"draft": 3})
    assert [(one.code, one.lines, str(one.net), str(one.tax)) for one in found.charges] == [
        ("hours", 1, "8.00 USD", "0.80 USD"),
        ("stand", 1, "30.00 USD", "3.00 USD"),
    ]
    assert [(one.code, one.lines, str(one.net), str(one.tax)) for one in found.taxes] == [("sales", 1, "38.00 USD", "3.80 USD")]
    assert (found.control, found.reconciled, found.delivered) == ({"priced": 2, "records": 2}, True, {"job": 2})
    (kind,) = found.kinds
    assert (kind.kind, kind.delivered, kind.billed, kind.held, kind.open, kind.suspended) == ("job", 2, 1, 1, 0, 0)
    assert [(one.check, one.code, one.accounts, one.some) for one in found.holds] == [
        ("largest_total", "REVIEW01", 1, ("C2",)),
        ("officer", "RUN15", 1, ("C3",)),
    ]
    office.as_("ben").approve()
    office.post()
    found = report_run(office.deployment)
    assert (found.accounts, found.documents) == ({"held": 2, "posted": 1}, {"draft": 2, "issued": 1})
    assert [(one.actor, one.action, one.accounts) for one in found.deeds] == [
        ("ada", "run start", ()),
        ("ada", "run hold", ("C3",)),
        ("ben", "run approve", ()),
        ("ada", "run post", ()),
    ]
    assert found.run.digest
    assert [(one.step, one.shards, one.size) for one in found.times] == [("draft", 1, 3), ("post", 1, 1)]
    assert found.totals["USD"].gross == Money.of("41.80", "USD")


def test_the_review_tells_how_many_of_the_records_are_of_held_accounts(sqlite_database: Database) -> None:
    office = drafted(sqlite_database)
    shown = told(office, "run", "review", code=1)
    assert "records in = 2 priced = 2" in shown
    assert "  1 of these records are on drafts, 1 of accounts that are held; 0 others wait in suspense" in shown


def test_records_of_a_month_in_two_runs_add_up_in_the_report_of_each(database: Database) -> None:
    office = drafted(database)
    hold_account(office.deployment, "", "C1", reason="in dispute")
    release_account(office.deployment, "", "C2", reason="looked at")
    office.approve()
    office.post()
    office.start("2026-07")
    for run, fates in ((FINAL, "2 1 1 0 0 0"), (FINAL.replace("1.1", "1.2"), "2 1 0 0 1 0")):
        rows = [line.split() for line in told(office, "run", "report", run).splitlines()]
        assert ["job", *fates.split()] in rows


def test_what_was_left_to_another_run_is_open_no_more_once_that_bills_it(sqlite_database: Database) -> None:
    office = drafted(sqlite_database)
    release_account(office.deployment, "", "C2", reason="looked at")
    assert approve_run(office.deployment, FINAL, wanted=ApprovalFilter(accounts=("C1",)), reason="looked at").findings == ()
    office.post()
    cancel_run(office.deployment, FINAL, reason="the rest later")
    assert [(one.billed, one.open, one.others) for one in report_run(office.deployment, FINAL).kinds] == [(1, 1, 0)]
    office.start("2026-07")
    release_account(office.deployment, "", "C2", reason="looked at")
    assert [(one.billed, one.open, one.others) for one in report_run(office.deployment, FINAL).kinds] == [(1, 0, 1)]


def test_runs_that_bill_the_same_do_not_differ(database: Database) -> None:
    office = drafted(database)
    office.start("2026-07", kind="rehearsal")
    found = diff_runs(office.deployment, FINAL, REHEARSAL)
    assert (found.is_equal, found.same, found.accounts, found.other_texts, dict(found.versions)) == (True, 2, (), (), {})
    assert found.neither == 1
    assert found.totals["USD"].change == Money(0, "USD")


def test_only_what_differs_is_told_line_by_line(database: Database) -> None:
    office = drafted(database)
    office.start("2026-07", kind="rehearsal")
    edit_draft(office.deployment, FINAL, "C1", LineEdit(line=2, field=EditField.AMOUNT, after="5"), reason="agreed")
    edit_draft(office.deployment, FINAL, "C3", LineEdit(line=1, field=EditField.LINE), reason="not delivered")
    found = diff_runs(office.deployment, FINAL, REHEARSAL)
    assert [(one.account, str(one.before), str(one.after)) for one in found.accounts] == [
        ("C1", "38.50 USD", "41.80 USD"),
        ("C3", "None", "33.00 USD"),
    ]
    first, third = found.accounts
    assert [
        (str(line.before and line.before.net), str(line.after and line.after.net), str(line.net)) for line in first.lines
    ] == [("5.00 USD", "8.00 USD", "3.00 USD")]
    assert (third.state_before, third.state_after) == ("skipped", "billed")
    assert [(line.before, str(line.shown.net)) for line in third.lines] == [(None, "30.00 USD")]
    assert (found.same, found.neither, str(found.totals["USD"].change)) == (0, 1, "36.30 USD")
    both, second = found.parts["USD"]
    assert (both.who, both.accounts, str(both.change)) == ("both", 1, "3.30 USD")
    assert (second.who, second.accounts, str(second.before), str(second.after)) == ("second", 1, "0.00 USD", "33.00 USD")
    assert [one.account for one in found.accounts if one.is_of_one] == ["C3"]


def test_a_part_of_a_month_is_compared_with_the_whole_by_what_both_bill(sqlite_database: Database) -> None:
    office = drafted(sqlite_database)
    office.start("2026-07", kind="rehearsal")
    hold_account(office.deployment, FINAL, "C1", reason="in dispute")
    edit_draft(office.deployment, FINAL, "C3", LineEdit(line=1, field=EditField.AMOUNT, after="10"), reason="agreed")
    shown = told(office, "run", "diff", FINAL, REHEARSAL, code=1)
    rows = [line.split() for line in shown.splitlines()]
    assert ["USD", "only", "the", "second", "bills", "1", "0.00", "USD", "41.80", "USD", "41.80", "USD"] in rows
    assert any(row[:4] == ["USD", "both", "runs", "bill"] and row[-2:] == ["22.00", "USD"] for row in rows)
    assert "1 differently; 1 are billed by one run only; 1 have no bill of their own in either" in shown
    assert shown.index("C3: ") < shown.index("C1: ")


def test_accounts_that_neither_run_bills_are_no_difference_of_bills(database: Database) -> None:
    office = drafted(database)
    hold_account(office.deployment, FINAL, "C1", reason="in dispute")
    office.approve()
    office.post()
    office.start("2026-07")
    release_account(office.deployment, "", "C2", reason="looked at")
    shown = told(office, "run", "diff", FINAL, FINAL.replace("1.1", "1.2"), code=1)
    assert "USD       only the second bills         2" in shown
    assert "0 accounts are billed alike, 0 differently; 3 are billed by one run only\n" in shown
    cancel_run(office.deployment, FINAL.replace("1.1", "1.2"), reason="a slip")
    shown = told(office, "run", "diff", FINAL, FINAL.replace("1.1", "1.2"), code=1)
    assert "0 differently; 1 are billed by one run only; 2 have no bill of their own in either" in shown


def test_documents_of_another_date_differ_in_texts_only(database: Database) -> None:
    office = drafted(database)
    office.start("2026-07", kind="rehearsal", as_of="2026-08-09")
    found = diff_runs(office.deployment, FINAL, REHEARSAL)
    assert (found.is_equal, found.other_texts) == (True, ("C1", "C3"))


def test_runs_of_other_periods_are_not_compared(database: Database) -> None:
    office = drafted(database)
    office.start("2026-06", kind="rehearsal")
    with pytest.raises(Refused, match="RUN50"):
        diff_runs(office.deployment, FINAL, "2026-06-01.monthly-1.r1")


def test_what_was_told_while_a_run_was_drafted_stands_in_its_report(database: Database) -> None:
    office = drafted(database)
    run = report_run(office.deployment).run
    slow = Finding(code="PLUGIN20", what="the plugin workshop has taken 31 seconds for a shard")
    keep_told(office.deployment, run, [])
    keep_told(office.deployment, run, [slow, slow])
    found = report_run(office.deployment)
    assert found.told == ("PLUGIN20 the plugin workshop has taken 31 seconds for a shard",)
    assert [one.action for one in found.deeds] == ["run start"]
