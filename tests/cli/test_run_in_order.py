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


def late_comers(office: Office) -> None:
    """Bill July of the cycle by which the book is billed, then bring two who came in July, on a cycle that was never run."""
    bill(office, *JULY)
    office.customer("C3", "mill", starts_on="2026-07-20", cycle="monthly:15")
    office.customer("C4", "press", starts_on="2026-08-20", cycle="monthly:15")
    office.customer("C5", "saw", cycle="monthly:15")  # older than the book's first run: somebody else has billed it before


LATE = ("--cycle", "monthly:15", "--as-of", "2026-09-20")
AUGUST = ("run", "start", "--cycle", "monthly:15", "--period", "2026-08-15/2026-09-14", "--as-of", "2026-09-20")


def test_first_days_of_service_before_the_first_run_of_a_cycle_are_missed(office: Office) -> None:
    late_comers(office)
    shown = told(office, "run", "due", *LATE, code=1)
    assert "no run was started for earlier periods of the cycle monthly:15: 2026-07-15/2026-08-14 (1 account)" in shown
    assert "RUN63" in told(office, *AUGUST, code=3)
    assert "run MAIN.2026-07-15.monthly-15.1: 1 accounts drafted" in told(office, "run", "catch-up", *LATE, "--account", "C3")


@pytest.mark.parametrize("further", [(), ("approve", "post")])
def test_first_days_of_service_stay_missed_when_later_ones_are_billed(office: Office, further: tuple[str, ...]) -> None:
    late_comers(office)
    first = told(office, *AUGUST, "--leave-missed", "July is disputed")
    assert "RUN60 days of service before 2026-08-15/2026-09-14, the first bill, are on no bill, of C3." in first
    assert "of C3." in told(office, "run", "review")
    for step in further:
        told(office, "run", step)
    off_cycle = ("run", "off-cycle", "C3", "--from", "2026-07-20", "--to", "2026-08-14")
    refused = told(office, *off_cycle, code=3)
    assert "the days 2026-07-20/2026-08-14 are on no bill, but the ones after them are: 2026-08-15/2026-09-14" in refused
    assert "billing run catch-up --account C3" in refused
    assert "run MAIN.2026-07-15.monthly-15.1: 1 accounts drafted" in told(office, "run", "catch-up", *LATE)
    assert "RUN60" not in told(office, "run", "review", "2026-08-15.monthly-15.1")


def test_who_is_entered_after_the_run_of_the_first_days_is_told_of_and_caught_up(office: Office) -> None:
    bill(office, *MAY)
    office.customer("C3", "mill", starts_on="2026-05-20")
    june = told(office, "run", "start", "--period", "2026-06", "--as-of", "2026-07-01")
    assert "3 accounts drafted" in june
    assert "RUN60 days of service before 2026-06-01/2026-06-30, the first bill, are on no bill, of C3." in june
    assert "run MAIN.2026-05-01.monthly-1.2: 1 accounts drafted" in told(office, "run", "catch-up", "--as-of", "2026-07-01")


def test_who_was_taken_over_from_another_system_misses_nothing_before(office: Office) -> None:
    late_comers(office)
    told(office, "run", "start", "--migration", "--cycle", "monthly:15", "--period", "2026-07-15/2026-08-14")
    told(office, "run", "approve")
    told(office, "run", "post")
    shown = told(office, "run", "due", *LATE)
    assert "run MAIN.2026-08-15.monthly-15.1: 3 accounts drafted" in shown
    assert "RUN60" not in shown
