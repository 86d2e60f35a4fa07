"""No double billing by construction: attempts by hand, by a charge that is taken, and by two runs at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import attrs
import pytest
import sqlalchemy as sa

from billing_framework.run.correct.credit import credit_document
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle.approve import approve_run
from billing_framework.storage.billing import tables
from billing_framework.storage.billing.draft_rows import charge_id
from billing_framework.storage.engine import Database, open_database
from billing_framework.values.errors import BillingError, Refused
from tests.grown import grown_once
from tests.scenarios.office import Office


@grown_once
def posted(database: Database) -> Office:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4")
    office.bill("2026-07")
    return office


def test_a_charge_billed_elsewhere_holds_the_account(database: Database) -> None:
    office = posted(database)
    with database.begin() as connection:
        row = connection.execute(sa.select(tables.document_line.c.charge).where(tables.document_line.c.line == 1)).scalar_one()
        key = row.replace("2026-07-01/2026-07-31", "2026-08-01/2026-08-31")
        document = draft_for(connection)
        connection.execute(tables.charge_key.insert().values(charge_id=charge_id(key), revision=1, document_id=document))
    report = office.start("2026-08")
    assert report.counts == {"held": 1}


def draft_for(connection: sa.Connection) -> int:
    columns = [
        column for column in tables.document.c if column.name not in ("id", "status", "number", "series", "counter", "posted_at")
    ]
    row = connection.execute(sa.select(*columns)).mappings().first()
    assert row is not None
    connection.execute(tables.document.insert().values(id=77, status="draft", **row))
    return 77


def test_a_credited_document_is_billed_again_only_by_rebilling_it(database: Database) -> None:
    office = posted(database)
    credit_document(office.deployment, "INV-2026-000001", reason="wrong customer")
    assert office.start("2026-07").nothing_to_do
    with pytest.raises(Refused, match="INVOICE16"):
        credit_document(office.deployment, "INV-2026-000001", reason="again")
    report = rebill_document(office.deployment, "INV-2026-000001", reason="it was the right one")
    assert (report.note, report.new) == ("", "INV-2026-000002")
    assert office.documents() == ["CN-2026-000001 C1 -41.80", "INV-2026-000001 C1 41.80", "INV-2026-000002 C1 41.80"]


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do acts in threads that start together; return what each returned or raised."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def do(place: int, act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[place] = act()  # type: ignore[call-overload]
        except BillingError as error:
            results[place] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=do, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(results)


def twin(office: Office) -> Office:
    """Return the same office through a connection pool of its own."""
    url = office.deployment.database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    return Office(attrs.evolve(office.deployment, database=open_database(url)), office.clock)


def test_two_runs_and_two_posters_at_once_bill_once(database: Database) -> None:
    office = Office.of(database)
    for number in range(6):
        office.customer(f"C{number}", f"machine-{number}")
    one, other = office, twin(office)
    at_once(lambda: one.start("2026-07", batch_size=2), lambda: other.start("2026-07", batch_size=3))
    assert office.start("2026-07").counts == {"drafted": 6}
    at_once(lambda: approve_run(one.deployment), lambda: approve_run(other.deployment))
    at_once(lambda: one.post(chunk_size=2), lambda: other.post(chunk_size=2))
    office.post()
    assert office.documents() == [f"INV-2026-00000{number + 1} C{number} 33.00" for number in range(6)]
    other.deployment.database.close()


def test_a_run_and_a_rebill_of_one_document_at_once(database: Database) -> None:
    office = posted(database)
    office.jobs("j2,drill,2026-07-05T08:00:00+00:00,1", file="late.csv")
    other = twin(office)
    acts = [
        lambda: rebill_document(office.deployment, "INV-2026-000001", reason="late usage"),
        lambda: rebill_document(other.deployment, "INV-2026-000001", reason="late usage"),
    ]
    results = at_once(*acts)
    assert sum(isinstance(result, BillingError) for result in results) == 1, results
    assert office.documents() == ["CN-2026-000001 C1 -41.80", "INV-2026-000001 C1 41.80", "INV-2026-000002 C1 44.00"]
    other.deployment.database.close()


def test_a_credit_that_is_given_twice_credits_once(database: Database) -> None:
    office = posted(database)
    credit_document(office.deployment, "INV-2026-000001", reason="goodwill", nets={1: "1.00"})
    with pytest.raises(Refused, match="INVOICE27"):
        credit_document(office.deployment, "INV-2026-000001", reason="goodwill", nets={1: "1.00"})
    credit_document(office.deployment, "INV-2026-000001", reason="late van", nets={1: "1.00"})
    credit_document(office.deployment, "INV-2026-000001", reason="goodwill", nets={1: "1.00"}, again=True)
    assert [line.split()[0] for line in office.documents() if line.startswith("CN")] == [
        "CN-2026-000001",
        "CN-2026-000002",
        "CN-2026-000003",
    ]
