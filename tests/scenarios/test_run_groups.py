"""Groups of accounts, such as read routes, are billed and approved each by itself."""

from __future__ import annotations

from datetime import date

import pytest

from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.approve_part import ApprovalFilter
from billing_framework.run.cycle.due import DueRequest, catch_up, start_due
from billing_framework.run.cycle.start import RunReport, RunRequest, start_run
from billing_framework.run.master.customer_change import change
from billing_framework.run.master.periods import month
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS
from billing_framework.values.errors import NotFound
from tests.grown import grown_once
from tests.scenarios.office import Office


@grown_once
def routes(database: Database) -> Office:
    office = Office.of(database)
    office.customer("C1", "drill", run_group="north")
    office.customer("C2", "lathe", run_group="south")
    office.customer("C3", "mill", run_group="north")
    office.customer("C4", "press")
    return office


def start(office: Office, *groups: str) -> RunReport:
    period = month("2026-07")
    return start_run(
        office.deployment, RunRequest(book="MAIN", cycle="monthly:1", period=period, as_of=period.end, groups=groups)
    )


def test_each_group_has_its_run(database: Database) -> None:
    office = routes(database)
    north, south = start(office, "north"), start(office, "south")
    assert north.run is not None
    assert south.run is not None
    assert (north.run.code[-2:], north.run.accounts, south.run.accounts) == (".1", ("C1", "C3"), ("C2",))
    assert start(office, "north").nothing_to_do
    # Who comes to a route later gets a run of its own; the run of the cycle takes who is left.
    change(office.deployment, ACCOUNTS, "C4", {"run_group": "north"}, reason="moved")
    assert start(office, "north").counts == {"drafted": 1}
    assert start(office).billed_elsewhere == 3
    with pytest.raises(NotFound, match=r"RUN58.*south"):
        start(office, "sotuh")


def test_due_runs_and_approvals_are_cut_by_group(database: Database) -> None:
    office = routes(database)
    due = start_due(office.deployment, DueRequest(book="MAIN", as_of=date(2026, 8, 1), groups=("south",)))
    assert [one.counts for one in due.runs] == [{"drafted": 1}]
    missed = catch_up(office.deployment, DueRequest(book="MAIN", as_of=date(2026, 2, 1), groups=("north",)))
    assert [one.counts for one in missed.runs] == [{"drafted": 2}]
    rest = start(office)
    assert rest.run is not None
    report = approve_run(office.deployment, rest.run.code, wanted=ApprovalFilter(groups=("north",)))
    assert (report.documents, report.remaining, report.findings) == (2, 1, ())
