"""A month in the office: usage comes in, is billed, approved and posted; doing it again changes nothing."""

from __future__ import annotations

from billing_framework.storage.engine import Database
from tests.scenarios.office import Office


def test_one_month_is_billed_once_whatever_is_repeated(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4", "j2,drill,2026-07-20T08:00:00+00:00,8")

    started = office.start("2026-07")
    assert (started.is_new, started.drafted, started.counts) == (True, 2, {"drafted": 2})
    again = office.start("2026-07")
    assert (again.is_new, again.nothing_to_do, again.run) == (False, True, started.run)

    assert office.approve().documents == 2
    assert office.approve().was_approved
    posted = office.post()
    assert (posted.posted, posted.existing, posted.void) == (2, 0, {})
    # 30 + 10 h x 2 + 2 h x 1 = 52, and 10 % tax; the other machine stood still.
    assert office.documents() == ["INV-2026-000001 C1 57.20", "INV-2026-000002 C2 33.00"]

    again = office.start("2026-07")
    assert (again.nothing_to_do, again.billed_elsewhere) == (True, 0)
    assert office.post(started.run.code if started.run else "").posted == 0
    assert office.documents() == ["INV-2026-000001 C1 57.20", "INV-2026-000002 C2 33.00"]
