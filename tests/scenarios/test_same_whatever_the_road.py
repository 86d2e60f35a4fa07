"""The digest of a run: rehearsal and final, any database, record order and batch size come to the same documents and entries."""

from __future__ import annotations

import itertools

import pytest

from billing_framework.run.review.review import review_run
from billing_framework.storage.engine import Database
from tests.scenarios.office import Office

JOBS = [
    f"j{number},{machine},2026-07-{day:02}T{hour:02}:30:00+00:00,{hours}"
    for number, (machine, (day, hour, hours)) in enumerate(
        itertools.product(("drill", "lathe", "saw"), ((3, 8, "4.25"), (17, 23, "7/3"), (31, 23, "0.1"), (31, 0, "2")))
    )
]


def office_with(database: Database, jobs: list[str]) -> Office:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.customer("C2", "lathe", zone="America/New_York")
    office.customer("C3", "saw", parent="C1", payer="parent")
    office.jobs(*jobs)
    return office


def digest(office: Office, **options: object) -> str:
    run = office.start("2026-07", **options).run  # type: ignore[arg-type]
    assert run is not None
    return review_run(office.deployment, run.code).digest


def test_rehearsal_and_final_run_are_one(database: Database) -> None:
    office = office_with(database, JOBS)
    rehearsed = digest(office, kind="rehearsal")
    office.pass_days(3)
    final = digest(office)
    assert rehearsed == final
    assert office.approve().run.digest == final
    assert office.post().run.digest == final


@pytest.mark.parametrize("size", [1, 2, 200])
def test_batch_size_and_record_order_decide_nothing(sqlite_database: Database, postgres_database: Database, size: int) -> None:
    one = digest(office_with(sqlite_database, JOBS))
    other = digest(office_with(postgres_database, JOBS[::-1]), batch_size=size)
    assert one == other
    assert one != ""


def test_one_cent_more_is_another_digest(sqlite_database: Database) -> None:
    office = office_with(sqlite_database, JOBS)
    before = digest(office)
    office.jobs("j99,drill,2026-07-04T08:00:00+00:00,0.01", file="more.csv")
    assert digest(office) != before


def test_the_parent_pays_on_one_document(database: Database) -> None:
    office = office_with(database, ["j1,drill,2026-07-04T08:00:00+00:00,5", "j2,saw,2026-07-04T08:00:00+00:00,2"])
    report = office.start("2026-07")
    assert report.counts == {"drafted": 3}
    office.approve()
    office.post()
    # C1 pays 30 + 5 x 2 for its own machine and 30 + 2 x 2 for that of C3.
    assert office.documents() == ["INV-2026-000001 C1 81.40", "INV-2026-000002 C2 33.00"]
    assert office.start("2026-07").nothing_to_do
