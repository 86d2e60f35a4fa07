"""One bad account never stops the others: it is held, with the reason, and billed once its data are right."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from billing_framework import BillingGroup, Finding, Rater, Rating, hookimpl
from billing_framework.plugin.host import Host
from billing_framework.receivables.hold import Block
from billing_framework.run.collect.hold import HoldRequest, place_hold, release_hold
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle.resume import resume_run
from billing_framework.run.master.customer_change import continue_agreement
from billing_framework.run.review.review import review_run
from billing_framework.storage.engine import Database
from billing_framework.values.errors import ConfigurationError
from tests.scenarios import workshop
from tests.scenarios.office import PLAN, Office


class CursedWorkshop:
    """The workshop's plugin with a rater that fails on one machine, forgets the records of another, and warns of a third."""

    billing_usage_kinds = staticmethod(workshop.billing_usage_kinds)
    billing_readers = staticmethod(workshop.billing_readers)

    @staticmethod
    @hookimpl
    def billing_raters() -> list[Rater]:
        (rater,) = workshop.billing_raters()

        def rate(group: BillingGroup) -> Rating:
            subjects = {one.usage.subject for usage in group.agreements for one in usage.records}
            if "cursed" in subjects:
                raise ZeroDivisionError
            if "forgotten" in subjects:
                return Rating()
            rating = rater.rate(group)
            if "doubtful" in subjects:
                return attrs.evolve(rating, findings=(Finding(code="RATE01", what="too hot to be true", remedy="Look at it"),))
            return rating

        return [attrs.evolve(rater, rate=rate)]


def test_failing_forgetful_and_doubting_raters_hold_only_their_accounts(database: Database) -> None:
    office = Office.of(database)
    for number, machine in enumerate(("cursed", "drill", "forgotten", "doubtful")):
        office.customer(f"C{number}", machine)
        office.jobs(f"j{number},{machine},2026-07-03T08:00:00+00:00,4", file=f"{machine}.csv")
    cursed = Office(attrs.evolve(office.deployment, host=Host.build([("workshop", CursedWorkshop())])), office.clock)
    assert cursed.start("2026-07").counts == {"drafted": 1, "held": 3}
    held = {row.account: [item.finding.code for item in row.evidence] for row in review_run(cursed.deployment).held}
    assert held == {"C0": ["RATE01"], "C2": ["RATE02"], "C3": ["RATE01"]}
    cursed.approve()
    cursed.post()
    assert office.documents() == ["INV-2026-000001 C1 41.80"]

    # The authors have mended the plugin.
    assert office.start("2026-07").counts == {"drafted": 3}


def test_an_agreement_whose_plan_does_not_cover_a_date_is_held(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.customer("C2", "saw", starts_on="2025-12-15")
    assert office.start("2025-12").counts == {"held": 1, "skipped": 1}
    (held,) = review_run(office.deployment).held
    assert (held.account, held.evidence[0].finding.code) == ("C2", "PLAN13")
    office.load_plan(
        PLAN.format(accumulate="year", correction="hold").replace('"2026"', '"2025"').replace("2026-01-01", "2025-01-01")
    )
    assert office.start("2025-12").counts == {"drafted": 1, "skipped": 1}


def test_a_hold_on_the_account_keeps_it_from_being_billed(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    request = HoldRequest(
        account="C1", blocks=(Block.BILLING,), code="dispute", since=date(2026, 7, 1), reason="disputes the machine"
    )
    placed = place_hold(office.deployment, request)
    assert office.start("2026-07").counts == {"held": 1}
    (held,) = review_run(office.deployment).held
    assert "disputes the machine" in held.reason
    assert office.start("2026-07").nothing_to_do
    release_hold(office.deployment, placed.id, outcome="rejected", reason="looked at it")
    assert office.start("2026-07").counts == {"drafted": 1}


def test_a_change_of_plan_inside_the_period_is_billed_in_tiles(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    plan = (
        PLAN.format(accumulate="year", correction="hold").replace('code = "machine"', 'code = "dear"').replace("30.00", "62.00")
    )
    office.load_plan(plan)
    continue_agreement(office.deployment, "A-C1", date(2026, 7, 11), {"plan": "dear"}, reason="bigger place")
    office.bill("2026-07")
    # 10 of 31 days at 30.00 and 21 of 31 days at 62.00, 10 % tax: 9.68 + 42.00 + 5.17.
    assert office.documents() == ["INV-2026-000001 C1 56.85"]


def test_dates_are_not_billed_without_the_plugin_that_took_their_usage_in(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4")
    bare = Office(attrs.evolve(office.deployment, host=Host.build([])), office.clock)
    with pytest.raises(ConfigurationError, match="kinds job, which no enabled plugin") as caught:
        bare.start("2026-07")
    assert caught.value.code == "USAGE34"
    assert bare.start("2026-06", kind="rehearsal").counts == {"drafted": 1}

    started = office.start("2026-07")
    assert started.is_new
    run = started.run
    assert run is not None
    for act in (lambda: bare.start("2026-07"), lambda: resume_run(bare.deployment, run.code)):
        with pytest.raises(ConfigurationError, match="USAGE34"):
            act()
    office.approve(run.code)
    office.post(run.code)
    with pytest.raises(ConfigurationError, match="USAGE34"):
        rebill_document(bare.deployment, "INV-2026-000001", reason="checked")
    assert office.documents() == ["INV-2026-000001 C1 41.80"]
