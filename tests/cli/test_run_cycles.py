"""The commands that start runs by themselves: what they print, and with which exit code they end."""

from __future__ import annotations

from tests.cli.in_office import told
from tests.cli.test_run_and_invoice import data, office
from tests.scenarios.office import Office

__all__ = ["office"]


def test_due_runs_and_missed_periods_are_started_by_one_command(office: Office) -> None:
    office.customer("C3", "mill", cycle="read-date")
    shown = told(office, "run", "due", "--as-of", "2026-08-01")
    assert "run MAIN.2026-07-01.monthly-1.1: 2 accounts drafted" in shown
    assert "cycle read-date: readings tell its periods" in shown
    assert "nothing has changed" in told(office, "run", "due", "--as-of", "2026-08-01", "--cycle", "monthly:1")
    assert "VALUE17" in told(office, "run", "due", "--cycle", "sometimes", code=2)
    waits = told(office, "run", "catch-up", "--as-of", "2026-09-01", "--account", "C1")
    assert "1 accounts wait until run MAIN.2026-07-01.monthly-1.1 is posted" in waits
    told(office, "run", "cancel", "monthly-1.1", "--reason", "start again with January")
    shown = told(office, "run", "catch-up", "--as-of", "2026-08-01", "--account", "C1")
    assert "run MAIN.2026-01-01.monthly-1.1: 1 accounts drafted" in shown
    assert "6 missed periods are left" in shown
    assert "C2 misses 7 periods and was left out" in told(
        office, "run", "catch-up", "--as-of", "2026-08-01", "--most", "3", code=1
    )


def test_one_account_is_billed_outside_of_its_cycle(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-06", "--as-of", "2026-07-01")
    told(office, "run", "approve")
    told(office, "run", "post")
    assert "would be on no bill" in told(office, "run", "off-cycle", "C1", "--from", "2026-07-05", code=3)
    shown = told(office, "run", "off-cycle", "C1", "--to", "2026-07-15", "--as-of", "2026-07-16")
    assert "run MAIN.2026-07-01.monthly-1.1: 1 accounts drafted" in shown
    assert data(office, "run", "show")["run"]["period"] == {"start": "2026-07-01", "end": "2026-07-16"}
    assert "RUN04" in told(office, "run", "off-cycle", "C9", code=2)


def test_an_account_of_which_another_run_bills_some_dates_is_counted_once(office: Office) -> None:
    told(office, "run", "off-cycle", "C1", "--from", "2026-07-01", "--to", "2026-07-14", "--as-of", "2026-07-16")
    first = told(office, "run", "due", "--as-of", "2026-08-01")
    assert "run MAIN.2026-07-01.monthly-1.2: 1 of 2 accounts drafted" in first
    again = told(office, "run", "due", "--as-of", "2026-08-01")
    for shown in (first, again):
        assert "  2 held" in shown
        assert "billed by another run" not in shown


def test_the_last_bill_is_asked_for_by_name(office: Office) -> None:
    assert "billing agreement end A-C1" in told(office, "run", "final-bill", "C1", code=3)
    told(office, "run", "start", "--period", "2026-06", "--as-of", "2026-07-01")
    told(office, "run", "approve")
    told(office, "run", "post")
    told(office, "agreement", "end", "A-C1", "--on", "2026-07-11", "--reason", "moved out")
    assert "1 accounts drafted" in told(office, "run", "final-bill", "C1", "--as-of", "2026-08-01")
    told(office, "run", "approve")
    told(office, "run", "post")
    shown = told(office, "run", "final-bill", "C1")
    assert "nothing to do: account C1 is billed up to 2026-07-10, the last day of its last agreement" in shown
    assert "close the account when it owes nothing: billing account change C1 status=closed" in shown


def test_the_date_of_a_run_that_a_catch_up_has_started_is_not_changed_in_silence(office: Office) -> None:
    told(office, "run", "catch-up", "--as-of", "2026-02-03")
    start = ("run", "start", "--period", "2026-01")
    refused = told(office, *start, "--as-of", "2026-02-16", code=3)
    assert "RUN03 the run MAIN.2026-01-01.monthly-1.1 is drafted with documents of 2026-02-03, not of 2026-02-16" in refused
    assert "RUN03" in told(office, *start, "--as-of", "2026-02-16", "--account", "C1", code=3)
    for same in (start, (*start, "--as-of", "2026-02-03")):
        assert "nothing to do: run MAIN.2026-01-01.monthly-1.1 is drafted" in told(office, *same)
    told(office, "run", "approve")
    told(office, "run", "post")
    assert "is posted and nothing has changed" in told(office, *start, "--as-of", "2026-02-16")


def test_a_run_keeps_its_date_on_the_next_day_where_none_is_asked_for(office: Office) -> None:
    told(office, "run", "due")
    office.pass_days(1)
    assert "nothing has changed" in told(office, "run", "due")
    assert "not of 2026-08-02" in told(office, "run", "due", "--as-of", "2026-08-02", code=3)
    office.customer("C3", "mill", starts_on="2026-07-01")
    assert "run MAIN.2026-07-01.monthly-1.1: 1 accounts drafted" in told(office, "run", "catch-up", "--account", "C3")
    assert {one["as_of"] for one in data(office, "run", "list")} == {"2026-08-01"}


def test_a_cycle_that_nobody_is_on_is_refused_by_every_command_that_starts_runs(office: Office) -> None:
    for command in (("start", "--period", "2026-07"), ("due",), ("catch-up",)):
        shown = told(office, "run", *command, "--cycle", "monthly:2", code=2)
        assert "RUN62 no account of the book is billed on the cycle monthly:2. Its accounts are billed on monthly:1" in shown
    assert data(office, "run", "list") == []


def test_a_new_run_of_which_nothing_can_be_drafted_says_that_it_was_started(office: Office) -> None:
    for account in ("C1", "C2"):
        told(office, "run", "off-cycle", account, "--from", "2026-07-01", "--to", "2026-07-14", "--as-of", "2026-07-16")
    shown = told(office, "run", "due", "--as-of", "2026-08-01")
    assert "run MAIN.2026-07-01.monthly-1.3 was started; none of its 2 accounts could be drafted\n  2 held\n" in shown
    assert "nothing to do" not in shown
    assert "nothing to do" in told(office, "run", "due", "--as-of", "2026-08-01")


def test_dates_that_another_run_claims_name_that_run_and_what_helps(office: Office) -> None:
    office.customer("C3", "mill", cycle="read-date")
    start = ("run", "start", "--cycle", "read-date", "--as-of", "2026-08-01", "--period")
    told(office, *start, "2026-07-05/2026-07-31")
    told(office, *start, "2026-07-03/2026-07-31")
    wrong, right = "MAIN.2026-07-05.read-date.1", "MAIN.2026-07-03.read-date.1"
    shown = told(office, "run", "review", right, code=1)
    assert f"dates are claimed with the period 2026-07-05/2026-07-31 by the run {wrong}, which is drafted" in shown
    assert f"billing run cancel {wrong}; then start this run again" in shown
    assert "billing run start --cycle read-date --period 2026-07-03/2026-07-31" in shown

    told(office, "run", "approve", wrong)
    told(office, "run", "post", wrong)
    told(office, *start, "2026-07-03/2026-07-31")
    shown = told(office, "run", "review", right, code=1)
    assert f"some of these dates are billed with the period 2026-07-05/2026-07-31 by the run {wrong}" in shown
    assert "billing run start --cycle read-date --period FROM/TO --account C3" in shown


def test_dates_are_billed_once_the_run_that_claims_them_is_cancelled(office: Office) -> None:
    office.customer("C3", "mill", cycle="read-date")
    start = ("run", "start", "--cycle", "read-date", "--as-of", "2026-08-01", "--period")
    told(office, *start, "2026-07-05/2026-07-31")
    told(office, *start, "2026-07-03/2026-07-31")
    told(office, "run", "cancel", "MAIN.2026-07-05.read-date.1", "--reason", "the wrong date")
    assert "1 accounts drafted" in told(office, *start, "2026-07-03/2026-07-31")
