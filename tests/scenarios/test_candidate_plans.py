"""A rate change is rehearsed on the usage of a month that is billed already, before it goes live."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from billing_framework.run.cycle.cancel import purge_run
from billing_framework.run.cycle.start import RunReport, RunRequest, start_run
from billing_framework.run.draft.rehearse import read_candidates
from billing_framework.run.master.charges import ChargeRequest, enter_charge
from billing_framework.run.master.periods import month
from billing_framework.run.review.diff import diff_runs
from billing_framework.run.review.review import review_run
from billing_framework.storage.billing.candidate_rows import run_plan
from billing_framework.storage.engine import Database
from billing_framework.storage.master.plan_rows import plan_rows
from billing_framework.values.errors import InputRefused, Refused
from tests.cli.in_office import told
from tests.grown import grown_once
from tests.scenarios.errand_office import client, errand_office, tell
from tests.scenarios.office import PLAN, Office

FINAL = "MAIN.2026-07-01.monthly-1.1"


def candidate(stand: str, *, version: str = "2027") -> bytes:
    text = PLAN.format(accumulate="year", correction="hold").replace('price = "30.00"', f'price = "{stand}"')
    return text.replace('"2026"', f'"{version}"').replace("2026-01-01", "2027-01-01").encode()


def rehearse(office: Office, *plans: bytes) -> RunReport:
    files = [(f"plan{number}.toml", plan) for number, plan in enumerate(plans)]
    dates = month("2026-07")
    request = RunRequest(
        book="MAIN",
        cycle="monthly:1",
        period=dates,
        as_of=dates.end,
        kind="rehearsal",
        candidates=read_candidates(office.deployment, files),
    )
    return start_run(office.deployment, request)


@grown_once
def billed(database: Database) -> Office:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4", "j2,lathe,2026-07-20T08:00:00+00:00,90")
    cleaning = ChargeRequest(
        account="C1",
        code="stand",
        text="Cleaning",
        amount="5",
        tax_category="standard",
        service=month("2026-07"),
        reason="was asked for",
    )
    enter_charge(office.deployment, cleaning)
    office.bill("2026-07")
    office.jobs("j3,lathe,2026-08-02T08:00:00+00:00,1", file="august.csv")
    office.bill("2026-08")
    return office


def test_a_month_that_is_billed_can_be_rehearsed_and_comes_out_the_same(database: Database) -> None:
    office = billed(database)
    run = rehearse(office).run
    assert run is not None
    found = diff_runs(office.deployment, FINAL, run.code)
    assert (found.is_equal, found.same, found.other_texts) == (True, 2, ())
    review = review_run(office.deployment, run.code)
    assert review.digest == found.first.digest
    assert (review.held, review.stale) == ((), {})


def test_a_plan_that_is_not_in_force_is_tried_out(database: Database) -> None:
    office = billed(database)
    report = rehearse(office, candidate("31.50"))
    assert report.run is not None
    assert report.counts == {"drafted": 2}
    found = diff_runs(office.deployment, FINAL, report.run.code)
    assert [(one.account, [str(line.net) for line in one.lines]) for one in found.accounts] == [
        ("C1", ["1.50 USD"]),
        ("C2", ["1.50 USD"]),
    ]
    assert str(found.totals["USD"].change) == "3.30 USD"
    with database.read() as connection:
        assert [row.name for row in plan_rows(connection)] == ["machine@2026"]
    # The same again goes on with it; another price is another rehearsal, and so is none.
    assert rehearse(office, candidate("31.50")).nothing_to_do
    other = rehearse(office, candidate("32.00"))
    plain = rehearse(office)
    assert other.run is not None
    assert plain.run is not None
    assert [one.run.code[-2:] for one in (report, other, plain) if one.run] == ["r1", "r2", "r3"]
    assert str(diff_runs(office.deployment, report.run.code, other.run.code).totals["USD"].change) == "1.10 USD"

    purge_run(office.deployment, report.run.code)
    with database.read() as connection:
        assert len(connection.execute(sa.select(run_plan)).all()) == 1
    again = rehearse(office, candidate("33.00"))
    assert again.run is not None
    assert again.run.code.endswith("r4")


def test_another_version_of_a_plan_with_the_same_prices_bills_alike(database: Database) -> None:
    office = billed(database)
    run = rehearse(office, candidate("30.00")).run
    assert run is not None
    found = diff_runs(office.deployment, FINAL, run.code)
    assert (found.is_equal, found.same, found.other_texts) == (True, 2, ())


def test_a_line_of_which_only_the_share_of_the_tax_moved_is_not_shown_as_changed(sqlite_database: Database) -> None:
    office = billed(sqlite_database)
    first, second = (rehearse(office, candidate(stand).replace(b'"2.00"', b'"2.01"')).run for stand in ("30.01", "30.06"))
    assert first is not None
    assert second is not None
    (one, _) = diff_runs(office.deployment, first.code, second.code).accounts
    assert [(line.shown.code, str(line.net), line.is_of_tax) for line in one.lines] == [
        ("stand", "0.05 USD", False),
        ("hours", "0.00 USD", True),
    ]
    shown = told(office, "run", "diff", first.code, second.code, code=1)
    assert "1 lines differ in their share of the tax only" in shown
    assert "Machine hours" not in shown
    assert "hours" in told(office, "run", "diff", first.code, second.code, "--csv", code=1)


def test_only_a_rehearsal_tries_out_plans(database: Database) -> None:
    office = billed(database)
    plans = read_candidates(office.deployment, [("plan.toml", candidate("1.00"))])
    request = RunRequest(book="MAIN", cycle="monthly:1", period=month("2026-09"), candidates=plans)
    with pytest.raises(InputRefused, match="RUN52"):
        start_run(office.deployment, request)
    with pytest.raises(InputRefused, match="RUN52"):
        rehearse(office, candidate("1.00"), candidate("2.00", version="2028"))
    with pytest.raises(InputRefused, match="plan0.toml"):
        rehearse(office, b"schema = 1")


def test_records_that_are_billed_once_are_rehearsed_again(database: Database) -> None:
    office = errand_office(database)
    client(office, "E1", "ann")
    client(office, "E2", "bob")
    tell(office, "e1,ann,2026-07-03T08:00:00+00:00,10,letters", "e2,bob,2026-07-04T08:00:00+00:00,4,parcels")
    office.bill("2026-07")
    assert office.start("2026-07", kind="rehearsal").counts == {"drafted": 2}
    found = diff_runs(office.deployment, FINAL, "MAIN.2026-07-01.monthly-1.r1")
    assert (found.is_equal, found.same, found.other_texts) == (True, 2, ())
    # What came since and what another month has billed are no part of it.
    tell(office, "e3,ann,2026-08-03T08:00:00+00:00,7,letters", file="august.csv")
    office.bill("2026-08")
    office.start("2026-07", kind="rehearsal")
    assert diff_runs(office.deployment, FINAL, "MAIN.2026-07-01.monthly-1.r1").is_equal


def test_a_candidate_that_nobody_is_under_is_refused(database: Database) -> None:
    office = billed(database)
    with pytest.raises(Refused, match="RUN59.*'machnie'.*machine"):
        rehearse(office, candidate("40.00").replace(b'code = "machine"', b'code = "machnie"'))
