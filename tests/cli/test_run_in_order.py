"""No period is started before an earlier one that was never started, unless an officer says why."""

from __future__ import annotations

import pytest

from billing_framework.run.cycle.behind import start_in_order
from billing_framework.run.cycle.start import RunRequest
from billing_framework.run.master.periods import month
from tests.cli.in_office import told
from tests.cli.test_run_and_invoice import data, office
from tests.scenarios.office import Office

__all__ = ["office"]

MAY = ("run", "start", "--period", "2026-05", "--as-of", "2026-06-01")
JULY = ("run", "start", "--period", "2026-07", "--as-of", "2026-08-01")


def bill(office: Office, *start: str) -> None:
    told(office, *start)
    told(office, "run", "approve")
    told(office, "run", "post")


def test_a_period_after_one_that_was_never_started_is_refused_with_the_way_on(office: Office) -> None:
    bill(office, *MAY)
    refused = told(office, *JULY, code=3)
    assert "RUN63 no run was started for earlier periods of the cycle monthly:1: 2026-06-01/2026-06-30 (2 accounts)" in refused
    assert "billing run catch-up --book MAIN --cycle monthly:1" in refused
    assert len(data(office, "run", "list")) == 1
    assert "2 accounts drafted" in told(office, *JULY, "--rehearsal")
    assert "2026-06-01.monthly-1.1: 2 accounts drafted" in told(office, "run", "catch-up", "--as-of", "2026-08-01")
    assert "2 accounts drafted" in told(office, *JULY)


def test_a_run_that_was_cancelled_does_not_count_and_one_account_less_is_missed_by_one(office: Office) -> None:
    bill(office, *MAY)
    told(office, "run", "start", "--period", "2026-06", "--account", "C1")
    assert "2026-06-01/2026-06-30 (1 account)" in told(office, *JULY, code=3)
    told(office, "run", "start", "--period", "2026-07", "--account", "C1")
    told(office, "run", "cancel", "2026-07-01.monthly-1.1", "--reason", "too early")
    told(office, "run", "cancel", "2026-06-01.monthly-1.1", "--reason", "too early")
    assert "2026-06-01/2026-06-30 (2 accounts)" in told(office, *JULY, code=3)


def test_an_officer_who_leaves_a_period_out_says_why_and_the_audit_keeps_it(office: Office) -> None:
    bill(office, *MAY)
    assert "RUN63" in told(office, *JULY, "--leave-missed", " ", code=3)
    told(office, *JULY, "--leave-missed", "June is billed by the old system")
    assert "nothing has changed" in told(office, *JULY)  # it goes on by itself
    (event,) = [one for one in data(office, "audit", "list") if one["action"] == "run leave missed"]
    assert (event["reason"], event["after"]) == ("June is billed by the old system", {"2026-06-01/2026-06-30": 2})


def test_the_reason_is_kept_from_the_moment_on_that_the_run_is_there(office: Office) -> None:
    bill(office, *MAY)
    request = RunRequest(book="MAIN", cycle="monthly:1", period=month("2026-07"))

    def cut_off(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start_in_order(office.deployment, request, leave_missed="billed elsewhere", progress=cut_off)
    deeds = data(office, "run", "report", "2026-07-01.monthly-1.1")["deeds"]
    assert [(one["action"], one["reason"]) for one in deeds] == [("run start", ""), ("run leave missed", "billed elsewhere")]


def test_a_rehearsal_is_refused_at_posting_as_what_it_is(office: Office) -> None:
    told(office, *JULY, "--rehearsal")
    assert "RUN06" in told(office, "run", "post", "2026-07-01.monthly-1.r1", code=3)


def test_what_is_due_leaves_a_cycle_out_that_is_behind_and_goes_on_with_the_others(office: Office) -> None:
    office.customer("C3", "mill", cycle="monthly:15")
    bill(office, *MAY)
    shown = told(office, "run", "due", "--as-of", "2026-08-01", code=1)
    assert "no run was started for earlier periods of the cycle monthly:1: 2026-06-01/2026-06-30 (2 accounts)" in shown
    assert "bill them first: billing run catch-up --cycle monthly:1" in shown
    assert "run MAIN.2026-06-15.monthly-15.1: 1 accounts drafted" in shown


def test_an_account_that_was_held_is_left_to_the_next_run_and_keeps_nobody_waiting(office: Office) -> None:
    told(office, *MAY)
    told(office, "run", "hold", "2026-05-01.monthly-1.1", "C1", "--reason", "disputes it")
    told(office, "run", "approve")
    told(office, "run", "post")
    assert "2 accounts drafted" in told(office, "run", "start", "--period", "2026-06", "--as-of", "2026-07-01")
