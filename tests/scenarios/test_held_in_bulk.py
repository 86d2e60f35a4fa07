"""Many held accounts at once: released by what holds them, or drafted again after their data were mended."""

from __future__ import annotations

import pytest

from billing_framework.plugin.settings import ReviewSettings
from billing_framework.run.review.edits import hold_account
from billing_framework.run.review.held import HeldFilter, release_held, retry_held
from billing_framework.storage.audit import events
from billing_framework.storage.engine import Database
from billing_framework.values.errors import InputRefused, NotFound, Refused
from billing_framework.values.money import Money
from tests.grown import grown_once
from tests.scenarios.office import PLAN, Office


@grown_once
def held(database: Database) -> Office:
    """Four machines, three of them busy beyond the bound."""
    office = Office.of(database, review=ReviewSettings(largest=(Money.of("60", "USD"),)))
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    office.customer("C3", "mill")
    office.customer("C4", "press")
    office.jobs(
        "j1,drill,2026-07-03T08:00:00+00:00,90",
        "j2,lathe,2026-07-20T08:00:00+00:00,95",
        "j3,mill,2026-07-20T08:00:00+00:00,1",
        "j4,press,2026-07-20T08:00:00+00:00,80",
    )
    office.start("2026-07")
    return office


def test_one_reason_releases_all_that_one_check_holds(database: Database) -> None:
    office = held(database)
    hold_account(office.deployment, "", "C4", reason="in dispute")
    with pytest.raises(InputRefused, match="RUN14"):
        release_held(office.deployment, "", HeldFilter(), reason=" ")
    report = release_held(office.deployment, "", HeldFilter(checks=("largest_total",)), reason="busy month")
    assert report.released == ("C1", "C2")
    assert report.left == {"C4": "officer: held by ada: in dispute"}
    with office.deployment.database.read() as connection:
        trail = [(one.object_key.rpartition("/")[2], one.reason) for one in events(connection, object_kind="run account")]
    assert sorted(trail)[:2] == [("C1", "busy month"), ("C2", "busy month")]

    assert release_held(office.deployment, "", HeldFilter(codes=("REVIEW05",)), reason="again").released == ()
    both = HeldFilter(checks=("largest_total", "officer"), accounts=("C4",))
    assert release_held(office.deployment, "", both, reason="settled").released == ("C4",)
    assert office.approve().documents == 4
    office.post()
    with pytest.raises(Refused, match="RUN03"):
        release_held(office.deployment, "", HeldFilter(), reason="too late")


def test_a_release_in_bulk_voids_an_approval(database: Database) -> None:
    office = held(database)
    assert office.approve().documents == 1
    assert release_held(office.deployment, "", HeldFilter(), reason="known").released == ("C1", "C2", "C4")
    assert office.approve().documents == 4


def test_an_unknown_account_is_told_with_the_nearest(database: Database) -> None:
    office = held(database)
    with pytest.raises(NotFound, match="RUN04"):
        release_held(office.deployment, "", HeldFilter(accounts=("C9",)), reason="x")


def test_what_is_held_for_its_data_is_drafted_again_and_not_released(database: Database) -> None:
    office = Office.of(database, plan=PLAN.replace("2026-01-01", "2026-08-01"))
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    report = office.start("2026-07")
    assert report.counts == {"held": 2}
    hold_account(office.deployment, "", "C2", reason="in dispute")
    assert set(release_held(office.deployment, "", HeldFilter(), reason="let it pass").left) == {"C1", "C2"}

    again = retry_held(office.deployment, "", HeldFilter(checks=("rating",)))
    assert (again.retried, list(again.held), again.left) == (1, ["C1"], 1)
    earlier = PLAN.replace('"2026"', '"2026a"').replace(
        "valid_from = 2026-01-01", "valid_from = 2026-01-01\nvalid_to = 2026-08-01"
    )
    office.load_plan(earlier.format(accumulate="year", correction="hold"))
    again = retry_held(office.deployment, "", HeldFilter())
    assert (again.retried, again.drafted, again.held, again.left) == (1, ("C1",), {}, 1)
    assert again.run.state == "drafted"
    assert retry_held(office.deployment, "", HeldFilter(accounts=("C1",))).retried == 0
    office.approve()
    with pytest.raises(Refused, match="RUN03"):
        retry_held(office.deployment, "", HeldFilter())
