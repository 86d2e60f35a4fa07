"""A migration takes over what another system has billed: the first real run goes on from there, and nothing of it is issued."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.approve_part import ApprovalFilter
from billing_framework.run.cycle.cancel import cancel_run
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.review.edits import hold_account
from billing_framework.run.usage.late import late_usage
from billing_framework.run.usage.waiting import waiting_usage
from billing_framework.storage.billing.tables import document, number_issued
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.tables import entry
from billing_framework.usage.content import usage_key
from billing_framework.values.errors import Refused
from tests.cli.in_office import told
from tests.grown import grown_once
from tests.scenarios.errand_office import client, errand_office, tell
from tests.scenarios.office import PLAN, Office

JUNE = "MAIN.2026-06-01.monthly-1.m1"
IN_ADVANCE = PLAN.replace('price = "30.00"', 'price = "30.00"\nbilled = "advance"')


@grown_once
def machines(database: Database) -> Office:
    office = Office.of(database, plan=IN_ADVANCE)
    office.customer("C1", "drill", starts_on="2026-06-01")
    office.jobs("j1,drill,2026-06-03T08:00:00+00:00,8", "j2,drill,2026-07-20T08:00:00+00:00,8")
    return office


def take_over(office: Office) -> None:
    assert office.start("2026-06", kind="migration").counts == {"drafted": 1}
    office.approve(JUNE)
    assert office.post(JUNE).taken_over == 1


def test_the_first_real_run_goes_on_from_the_migration(database: Database) -> None:
    office = machines(database)
    take_over(office)
    with database.read() as connection:
        counts = [connection.execute(sa.select(sa.func.count()).select_from(one)).scalar_one() for one in (number_issued, entry)]
        assert counts == [0, 0]
        assert list(connection.scalars(sa.select(document.c.status))) == ["draft"]
    assert office.post(JUNE).run.state == "posted"
    assert office.start("2026-06").billed_elsewhere == 1
    office.bill("2026-07")
    # July was billed in advance by the other system, so that August is due: 30.00; two hours at 2.00, six at 1.00.
    assert office.documents() == ["INV-2026-000001 C1 44.00"]
    for line in (1, 2, 3):
        assert explain_line(office.deployment, f"INV-2026-000001/{line}").proven
    assert f"(taken over by the migration {JUNE})" in told(office, "explain", "INV-2026-000001/2")
    with pytest.raises(Refused, match="RUN03"):
        cancel_run(office.deployment, JUNE, reason="too late")


def test_it_is_as_if_the_months_before_had_been_billed_here(sqlite_database: Database) -> None:
    office = machines(sqlite_database)
    office.bill("2026-06")
    office.bill("2026-07")
    assert office.documents()[-1] == "INV-2026-000002 C1 44.00"


def test_records_of_a_migration_are_on_no_bill(database: Database) -> None:
    office = errand_office(database)
    client(office, "E1", "ann")
    tell(office, "e1,ann,2026-06-03T08:00:00+00:00,10,letters")
    take_over(office)
    tell(office, "e2,ann,2026-07-03T08:00:00+00:00,5,parcels", file="july.csv")
    office.bill("2026-07")
    assert office.documents() == ["INV-2026-000001 E1 5.50"]


def test_a_newer_version_of_what_was_taken_over_is_the_other_systems_and_a_new_record_is_billed(database: Database) -> None:
    office = errand_office(database)
    client(office, "E1", "ann")
    tell(office, "e1,ann,2026-06-03T08:00:00+00:00,10,letters,paid,s1,1")
    take_over(office)
    office.pass_days(1)
    late = ("e2,ann,2026-06-03T08:00:00+00:00,20,letters,paid,s1,2", "e3,ann,2026-06-04T08:00:00+00:00,3,parcels")
    assert tell(office, *late, file="late.csv").totals.superseding == 1
    office.bill("2026-07")

    assert office.documents() == ["INV-2026-000001 E1 3.30"]
    assert late_usage(office.deployment, "MAIN") == ()
    assert waiting_usage(office.deployment) == ()
    shown = told(office, "usage", "show", "runners/e1")
    assert "billed to E1 by another system, as a migration has taken over\n" in shown
    assert f"replaced by  {usage_key('runners', 'e2')}" in shown


def test_who_is_held_is_not_taken_over_and_cancelling_gives_all_back(database: Database) -> None:
    office = machines(database)
    office.customer("C2", "lathe", starts_on="2026-06-01")
    office.start("2026-06", kind="migration")
    hold_account(office.deployment, JUNE, "C2", reason="is billed here")
    with pytest.raises(Refused, match="RUN57"):
        approve_run(office.deployment, JUNE, wanted=ApprovalFilter(accounts=("C1",)))
    office.approve(JUNE)
    cancel_run(office.deployment, JUNE, reason="C2 first")
    again = office.start("2026-06", kind="migration").run
    assert again is not None
    hold_account(office.deployment, again.code, "C2", reason="is billed here")
    office.approve(again.code)
    assert office.post(again.code).taken_over == 1
    assert office.start("2026-06").counts == {"drafted": 1}
