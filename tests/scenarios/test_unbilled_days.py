"""Where two dates of readings say what is billed, days between two bills are told before anything is approved."""

from __future__ import annotations

from datetime import date

from billing_framework.run.cycle.start import RunReport, RunRequest, start_run
from billing_framework.run.master.customers import create
from billing_framework.run.review.edits import release_account
from billing_framework.storage.billing.run_rows import run_accounts
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.values.period import DateSpan
from tests.scenarios.office import Office


def start(office: Office, first: date, last: date) -> RunReport:
    span = DateSpan.inclusive(first, last)
    return start_run(office.deployment, RunRequest(book="MAIN", cycle="read-date", period=span, as_of=span.end, kind="final"))


def customer(office: Office, code: str, starts_on: str) -> None:
    create(office.deployment, PARTIES, {"code": f"P-{code}", "name": "Ada"})
    account = {"code": code, "party": f"P-{code}", "book": "MAIN", "currency": "USD", "cycle": "read-date"}
    create(office.deployment, ACCOUNTS, account)
    create(office.deployment, AGREEMENTS, {"code": f"A-{code}", "account": code, "plan": "machine", "starts_on": starts_on})
    create(office.deployment, ASSIGNMENTS, {"subject": f"m-{code}", "agreement": f"A-{code}", "starts_on": starts_on})


def test_days_that_no_bill_is_about_hold_the_draft(database: Database) -> None:
    office = Office.of(database)
    customer(office, "C1", "2026-05-20")
    first = start(office, date(2026, 5, 20), date(2026, 6, 18))
    assert first.counts == {"drafted": 1}  # before it there was no bill
    office.approve()
    office.post()
    customer(office, "C2", "2026-06-22")
    second = start(office, date(2026, 6, 22), date(2026, 7, 20))
    assert second.run is not None
    assert second.counts == {"drafted": 1, "held": 1}  # C2 begins on that day
    with database.read() as connection:
        [held] = [row for row in run_accounts(connection, second.run) if row.state == "held"]
    [why] = held.evidence
    assert (held.account, why.finding.code, why.finding.value) == ("C1", "RUN30", "2026-06-19/2026-06-21")
    release_account(office.deployment, "", "C1", reason="the machine was away in these days")
    office.approve()
    office.post()
    third = start(office, date(2026, 7, 21), date(2026, 8, 20))
    assert third.counts == {"drafted": 2}
