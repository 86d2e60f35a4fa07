"""Cycles that are due, missed periods one by one, bills outside of the cycle, and the last bill of an account."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing_framework.run.collect.deposit import CashRequest, take_deposit
from billing_framework.run.collect.held import HeldMoney
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.approve_part import ApprovalFilter
from billing_framework.run.cycle.cancel import cancel_run
from billing_framework.run.cycle.due import DueReport, DueRequest, catch_up, start_due
from billing_framework.run.cycle.off_cycle import OffCycleRequest, bill_finally, bill_off_cycle
from billing_framework.run.cycle.resume import resume_run
from billing_framework.run.cycle.start import RunReport
from billing_framework.run.master.customer_change import end_agreement
from billing_framework.run.review.edits import hold_account
from billing_framework.run.work.work import Work
from billing_framework.storage.engine import Database
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.money import Money
from tests.scenarios.office import BOOK, Office

AUGUST = date(2026, 8, 1)


def asked(**fields: Any) -> DueRequest:
    return DueRequest(book="MAIN", as_of=AUGUST, **fields)


def told(report: DueReport) -> list[str]:
    return [f"{one.run.code} {one.run.state} {dict(one.counts)}" for one in report.runs if one.run]


def post_all(office: Office, reports: tuple[RunReport, ...]) -> None:
    for one in reports:
        if one.run is not None and one.run.state == "drafted":
            office.approve(one.run.code)
            office.post(one.run.code)


def test_every_cycle_whose_period_has_ended_gets_its_run(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.customer("C2", "lathe", cycle="monthly:15")
    office.customer("C3", "mill", cycle="read-date")
    report = start_due(office.deployment, asked())
    assert told(report) == [
        "MAIN.2026-07-01.monthly-1.1 drafted {'drafted': 1}",
        "MAIN.2026-06-15.monthly-15.1 drafted {'drafted': 1}",
    ]
    assert report.unread == ("read-date",)
    again = start_due(office.deployment, asked())
    assert all(one.nothing_to_do for one in again.runs)
    only = start_due(office.deployment, asked(cycles=("monthly:15",), kind="rehearsal"))
    assert told(only) == ["MAIN.2026-06-15.monthly-15.r1 drafted {'drafted': 1}"]


def test_missed_periods_are_billed_one_by_one_in_order(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill", starts_on="2026-05-10")
    office.customer("C2", "lathe", starts_on="2026-07-01")
    office.jobs(
        "j1,drill,2026-05-12T08:00:00+00:00,8",
        "j2,drill,2026-06-12T08:00:00+00:00,8",
        "j3,lathe,2026-07-09T08:00:00+00:00,1",
    )
    first = catch_up(office.deployment, asked())
    assert told(first) == [
        "MAIN.2026-05-01.monthly-1.1 drafted {'drafted': 1}",
        "MAIN.2026-07-01.monthly-1.1 drafted {'drafted': 1}",
    ]
    assert first.left == 2
    assert first.runs[0].run is not None
    waits = catch_up(office.deployment, asked())
    assert (told(waits), waits.waiting, waits.left) == ([], {"MAIN.2026-05-01.monthly-1.1": 1}, 2)
    post_all(office, first.runs)
    second = catch_up(office.deployment, asked())
    assert told(second) == ["MAIN.2026-06-01.monthly-1.1 drafted {'drafted': 1}"]
    post_all(office, second.runs)
    third = catch_up(office.deployment, asked())
    assert told(third) == ["MAIN.2026-07-01.monthly-1.2 drafted {'drafted': 1}"]
    post_all(office, third.runs)
    assert catch_up(office.deployment, asked()) == DueReport(runs=())
    # May is prorated; June counts the hours on from May: two at 2.00, six at 1.00.
    assert [line.split()[1:] for line in office.documents()] == [
        ["C1", "41.02"],
        ["C2", "35.20"],
        ["C1", "44.00"],
        ["C1", "33.00"],
    ]


def test_a_catch_up_that_was_cut_off_goes_on_with_what_it_has_begun(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill", starts_on="2026-06-01")
    office.customer("C2", "lathe", starts_on="2026-06-01")

    def cut_off(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catch_up(office.deployment, asked(), work=Work(shard_size=1), progress=cut_off)
    assert catch_up(office.deployment, asked(accounts=("C1",))).runs == ()  # the other account is begun with it
    office.pass_days(1)
    again = catch_up(office.deployment, DueRequest(book="MAIN"))
    assert told(again) == ["MAIN.2026-06-01.monthly-1.1 drafted {'drafted': 2}"]
    assert again.left == 2
    assert catch_up(office.deployment, asked()).runs == ()


def test_one_account_that_is_held_keeps_only_its_own_later_periods_back(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill", starts_on="2026-06-01")
    office.customer("C2", "lathe", starts_on="2026-06-01")
    june = catch_up(office.deployment, asked())
    hold_account(office.deployment, "", "C1", reason="in dispute")
    post_all(office, june.runs)
    again = catch_up(office.deployment, asked())
    assert told(again) == [
        "MAIN.2026-06-01.monthly-1.2 drafted {'drafted': 1}",
        "MAIN.2026-07-01.monthly-1.1 drafted {'drafted': 1}",
    ]
    assert again.left == 1
    first, second = again.runs
    assert first.run is not None
    assert second.run is not None
    assert (first.run.accounts, second.run.accounts) == (("C1",), ("C2",))


def test_periods_without_anything_to_bill_are_passed_over(database: Database) -> None:
    office = Office.of(database, plan=IDLE)
    office.customer("C1", "drill", starts_on="2026-06-01")
    office.jobs("j1,drill,2026-07-09T08:00:00+00:00,1")
    june = catch_up(office.deployment, asked())
    assert told(june) == ["MAIN.2026-06-01.monthly-1.1 posted {'skipped': 1}"]
    july = catch_up(office.deployment, asked())
    assert told(july) == ["MAIN.2026-07-01.monthly-1.1 drafted {'drafted': 1}"]


IDLE = """
schema = 1
[plan]
code = "machine"
version = "2026"
valid_from = 2026-01-01
currency = "USD"
[[component]]
code = "hours"
title = {{ en = "Machine hours" }}
model = "graduated"
measure = "hours"
unit = "hour"
charge_code = "hours"
tax_category = "standard"
tiers = [{{ price = "2.00" }}]
"""


def test_an_account_too_far_behind_is_left_to_an_officer(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill", starts_on="2026-01-01")
    report = catch_up(office.deployment, asked(most=3))
    assert (report.runs, report.too_far) == ((), {"C1": 7})
    assert told(catch_up(office.deployment, asked(accounts=("C1",)))) == ["MAIN.2026-01-01.monthly-1.1 drafted {'drafted': 1}"]
    with pytest.raises(Refused, match="RUN53"):
        catch_up(office.deployment, asked(kind="rehearsal"))
    with pytest.raises(NotFound, match="RUN04.*'C7'"):
        catch_up(office.deployment, asked(accounts=("C7",)))


def test_a_bill_outside_of_the_cycle_leaves_the_rest_to_a_catch_up(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill", starts_on="2026-07-01")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,8", "j2,drill,2026-07-20T08:00:00+00:00,8")
    half = bill_off_cycle(office.deployment, OffCycleRequest(account="C1", end=date(2026, 7, 16), as_of=date(2026, 7, 16)))
    assert half.run is not None
    assert half.run.code == "MAIN.2026-07-01.monthly-1.1"
    again = bill_off_cycle(office.deployment, OffCycleRequest(account="C1", end=date(2026, 7, 16), as_of=date(2026, 7, 16)))
    assert (again.run, again.drafted) == (half.run, 0)
    post_all(office, (half,))
    with pytest.raises(Refused, match="the days before 2026-07-16 are billed"):
        bill_off_cycle(office.deployment, OffCycleRequest(account="C1", first=date(2026, 7, 10)))
    with pytest.raises(Refused, match="would be on no bill"):
        bill_off_cycle(office.deployment, OffCycleRequest(account="C1", first=date(2026, 7, 20)))
    with pytest.raises(Refused, match="reach beyond"):
        bill_off_cycle(office.deployment, OffCycleRequest(account="C1", end=date(2026, 8, 9)))
    with pytest.raises(NotFound, match="RUN04"):
        bill_off_cycle(office.deployment, OffCycleRequest(account="C9"))
    # The run of the cycle says why it cannot bill the account, and bills nothing twice.
    held = office.start("2026-07")
    assert held.counts == {"held": 1}
    rest = catch_up(office.deployment, asked())
    assert [str(one.run.period.start) for one in rest.runs if one.run] == ["2026-07-16"]
    post_all(office, rest.runs)
    # 15 and 16 of 31 days of 30.00; 8 hours at 2.00, then 2 at 2.00 and 6 at 1.00.
    assert office.documents() == ["INV-2026-000001 C1 33.57", "INV-2026-000002 C1 28.03"]


def test_dates_that_a_draft_claims_are_not_said_to_be_billed(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill", starts_on="2026-07-01")

    def bill(end: int, first: int | None = None) -> str:
        begin = date(2026, 7, first) if first else None
        wanted = OffCycleRequest(account="C1", first=begin, end=date(2026, 7, end), as_of=date(2026, 7, 20))
        run = bill_off_cycle(office.deployment, wanted).run
        assert run is not None
        return run.code

    half = bill(15)
    assert bill(15) == half
    claimed = f"the days 2026-07-01/2026-07-14 are claimed by the run {half}, which is not posted"
    with pytest.raises(Refused, match=rf"RUN54.*{claimed}.*--from 2026-07-15"):
        bill(20)
    with pytest.raises(Refused, match=claimed):
        bill(20, first=10)
    rest = bill(20, first=15)
    office.approve(half)
    office.post(half)
    with pytest.raises(Refused, match=f"the days 2026-07-15/2026-07-19 are claimed by the run {rest}"):
        bill(25, first=10)
    resume_run(office.deployment, rest)
    office.approve(rest)
    office.post(rest)
    with pytest.raises(Refused, match="the days before 2026-07-20 are billed already"):
        bill(25, first=10)


def test_the_last_bill_ends_where_the_agreement_does_and_names_the_deposit(database: Database) -> None:
    office = Office.of(database, book=WITH_DEPOSIT)
    office.customer("C1", "drill", starts_on="2026-06-01")
    office.customer("C2", "lathe", starts_on="2026-06-01")
    with pytest.raises(Refused, match="RUN55"):
        bill_finally(office.deployment, OffCycleRequest(account="C1"))
    end_agreement(office.deployment, "A-C1", date(2026, 7, 11), reason="moved out")
    take_deposit(office.deployment, CashRequest(held=HeldMoney(account="C1"), money=Money.of("50", "USD"), reference="D1"))
    with pytest.raises(Refused, match="RUN54"):
        bill_finally(office.deployment, OffCycleRequest(account="C1"))
    office.bill("2026-06")
    final = bill_finally(office.deployment, OffCycleRequest(account="C1"))
    assert final.started.run is not None
    assert (final.ended_on, final.started.counts) == (date(2026, 7, 11), {"drafted": 1})
    assert [str(one.money) for one in final.held] == ["50.00 USD"]
    again = bill_finally(office.deployment, OffCycleRequest(account="C1"))
    assert again.started.run == final.started.run
    post_all(office, (final.started,))
    assert bill_finally(office.deployment, OffCycleRequest(account="C1")).started.run is None
    assert office.documents()[-1] == "INV-2026-000003 C1 10.65"
    assert office.start("2026-07").counts == {"drafted": 1}
    assert catch_up(office.deployment, asked(accounts=("C1",))) == DueReport(runs=())


WITH_DEPOSIT = BOOK.replace(
    "[book.charges]",
    """[[book.account]]
code = "2400"
name = "Deposits"
type = "liability"
role = "deposits"
floor = "no_debit"
[book.charges]""",
)


def test_what_a_cancelled_rest_or_a_hold_left_unbilled_is_missed(database: Database) -> None:
    office = Office.of(database)
    for code in ("C1", "C2", "C3"):
        office.customer(code, f"drill-{code}", starts_on="2026-06-01")
    june = office.start("2026-06").run
    assert june is not None
    hold_account(office.deployment, june.code, "C3", reason="asked to wait")
    office.approve(june.code)
    office.post(june.code)
    july = office.start("2026-07").run
    assert july is not None
    approve_run(office.deployment, july.code, wanted=ApprovalFilter(accounts=("C1", "C3")))
    office.post(july.code)
    cancel_run(office.deployment, july.code, reason="the rest is wrong")
    office.pass_days(31)
    report = catch_up(office.deployment, asked())
    found = {str(one.run.period): sorted(one.counts) for one in report.runs if one.run is not None}
    assert found == {"2026-06-01/2026-06-30": ["drafted"], "2026-07-01/2026-07-31": ["drafted"]}
