"""The commands for accounting periods: what they take, what they print, and with which exit code they end."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.cli.in_office import told
from tests.cli.test_run_and_invoice import JULY, data, office
from tests.scenarios.office import Office

__all__ = ["office"]


def test_a_period_is_closed_as_it_was_opened(office: Office) -> None:
    told(office, "period", "open", "MAIN", "2027-01", "--reason", "new year")
    told(office, "period", "open", "MAIN", "--from", "2027-02-01", "--to", "2027-03-15")
    shown = told(office, "period", "close", "MAIN", "2026-01", "--reason", "January is reported")
    assert "book MAIN: closed 2026-01-01/2026-01-31" in shown
    assert "open: 2026-02-01/2026-02-28 and 12 more" in shown
    dates = ("--from", "2027-02-01", "--to", "2027-03-15")
    office.clock.move_to(datetime(2027, 3, 16, tzinfo=UTC))
    assert "closed 2027-02-01/2027-03-15" in told(office, "period", "close", "MAIN", *dates, "--reason", "reported")
    assert "closed 2026-02-01/2026-02-28" in told(office, "period", "close", "MAIN", "2026-02-10", "--reason", "by a date in it")
    done = "nothing to do: 2026-02-01/2026-02-28 of book MAIN is closed"
    for date_in_it in ("2026-02", "2026-02-10"):
        assert done in told(office, "period", "close", "MAIN", date_in_it, "--reason", "again")
    assert data(office, "period", "close", "MAIN", "2026-02", "--reason", "again")["state"] == "closed"
    assert "LEDGER09 the period 2026-02-01/2026-02-28 of book MAIN is closed for good" in told(
        office, "period", "open", "MAIN", "2026-02", code=3
    )
    assert "LEDGER06" in told(office, "period", "close", "MAIN", "2027-02", "--reason", "no such month", code=2)
    assert "PERIOD01" in told(office, "period", "close", "MAIN", "February", code=2)
    for asked in ((), ("2026-03", *dates), dates[:2]):
        assert "give a MONTH or a DATE, or both --from and --to" in told(office, "period", "close", "MAIN", *asked, code=2)
    audit = data(office, "audit", "list")
    reasons = {(one["action"], one["reason"]) for one in audit if one["action"].startswith("period") and one["reason"]}
    assert reasons >= {("period open", "new year"), ("period close", "January is reported")}


def test_who_closes_the_last_period_is_told_that_none_is_open(office: Office) -> None:
    office.clock.move_to(datetime(2027, 1, 1, tzinfo=UTC))
    for month in range(1, 12):
        told(office, "period", "close", "MAIN", f"2026-{month:02}", "--reason", "x")
    shown = told(office, "period", "close", "MAIN", "2026-12", "--reason", "x")
    assert "no period is open; open one before the next posting: billing period open MAIN MONTH" in shown


def test_a_run_dated_into_a_closed_period_is_told_the_way_out(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    told(office, "run", "release", JULY, "C2", "--reason", "big order")
    office.clock.move_to(datetime(2026, 9, 1, tzinfo=UTC))
    closed = told(office, "period", "close", "MAIN", "2026-08", "--reason", "reported")
    assert "the run MAIN.2026-07-01.monthly-1.1 is dated into it: cancel it, and start it with a later date" in closed
    shown = told(office, "run", "approve", code=1)
    assert "RUN13 no open period of book MAIN holds 2026-08-01. It is closed for good: cancel the run" in shown
    told(office, "run", "cancel", JULY, "--reason", "August is closed")
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2027-01-04")
    told(office, "run", "release", "monthly-1.2", "C2", "--reason", "big order")
    shown = told(office, "run", "approve", code=1)
    assert "Open it: billing period open MAIN 2027-01" in shown
    told(office, "period", "open", "MAIN", "2027-01")
    assert "2 documents approved" in told(office, "run", "approve")


def test_a_period_that_has_not_ended_is_not_closed(office: Office) -> None:
    shown = told(office, "period", "close", "MAIN", "2026-12", "--reason", "a slip", code=3)
    assert "PERIOD03 the period 2026-12-01/2026-12-31 has not ended: it is 2026-08-01" in shown
    assert "It can be closed from 2027-01-01 on" in shown
    office.clock.move_to(datetime(2026, 8, 31, 23, tzinfo=UTC))
    assert "PERIOD03" in told(office, "period", "close", "MAIN", "2026-08", "--reason", "a day early", code=3)
    office.clock.move_to(datetime(2026, 9, 1, tzinfo=UTC))
    shown = told(office, "period", "close", "MAIN", "2026-08", "--reason", "reported")
    assert "earlier and still open: 2026-01-01/2026-01-31 and 6 more" in shown


def test_a_period_is_closed_before_an_earlier_one_with_entries_only_knowingly(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-07-31")
    told(office, "run", "release", JULY, "C2", "--reason", "big order")
    told(office, "run", "approve")
    told(office, "run", "post")
    office.clock.move_to(datetime(2026, 9, 1, tzinfo=UTC))

    looked = told(office, "period", "close", "MAIN", "2026-08", "--check", code=1)
    assert "PERIOD04 earlier periods of book MAIN have entries and are still open: 2026-07-01/2026-07-31 (2 entries)" in looked
    assert "2026-08-01/2026-08-31 would not be closed; 0 entries are dated into it" in looked
    assert "earlier and open: 2026-06-01/2026-06-30, no entries" in looked
    assert "PERIOD04" in told(office, "period", "close", "MAIN", "2026-08", "--reason", "reported", code=3)

    knowingly = ("period", "close", "MAIN", "2026-08", "--leave-earlier")
    assert "would be closed for good" in told(office, *knowingly, "--check")
    assert [one["state"] for one in data(office, "period", "list", "MAIN")] == ["open"] * 12
    assert "closed 2026-08-01/2026-08-31" in told(office, *knowingly, "--reason", "July waits for a dispute")
    (event,) = [one for one in data(office, "audit", "list") if one["action"] == "period close"]
    assert event["after"]["left open"] == "2026-07-01/2026-07-31"
    assert "2026-08-01/2026-08-31 is closed already; 0 entries are dated into it" in told(office, *knowingly, "--check")
    assert len([one for one in data(office, "audit", "list") if one["action"] == "period close"]) == 1


def test_a_look_at_a_close_tells_the_run_that_is_still_to_post(office: Office) -> None:
    told(office, "run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    told(office, "run", "release", JULY, "C2", "--reason", "big order")
    told(office, "run", "approve")
    looked = data(office, "period", "close", "MAIN", "2026-08", "--check", code=1)
    assert [one["code"] for one in looked["findings"]] == ["PERIOD02", "PERIOD03"]
