"""An account is closed when nothing of it is left to bill; late usage of an ended agreement is billed by its last bill."""

from __future__ import annotations

from datetime import UTC, datetime

from billing_framework.run.cycle.off_cycle import FinalBill, OffCycleRequest, bill_finally
from billing_framework.run.usage.waiting import waiting_usage
from billing_framework.storage.engine import Database
from tests.cli.in_office import told
from tests.scenarios.errand_office import client, errand_office, lines_of, tell
from tests.scenarios.office import Office

CLOSE = ("account", "change", "C1", "status=closed", "--reason", "moved out")
LATE = "e2,ann,2026-07-03T08:00:00+00:00,7,Court"


def ended_in_july(database: Database) -> Office:
    office = errand_office(database)
    client(office, "C1", "ann", starts_on="2026-07-01", ends_on="2026-07-20")
    tell(office, "e1,ann,2026-07-02T08:00:00+00:00,5,Post")
    return office


def last_bill(office: Office) -> FinalBill:
    return bill_finally(office.deployment, OffCycleRequest(account="C1"))


def paid(office: Office, amount: str) -> None:
    told(office, "payment", "record", "C1", amount, "USD", "--on", "2026-08-01", "--ref", f"B{amount}")


def test_an_account_is_not_closed_while_usage_of_it_waits(database: Database) -> None:
    office = ended_in_july(database)
    office.bill("2026-07")
    paid(office, "5.50")
    tell(office, LATE, file="late.csv")
    refused = told(office, *CLOSE, code=3)
    assert "ACCOUNT33 account C1 cannot be closed yet: 1 records of its usage wait for a bill" in refused
    assert "billing run final-bill C1" in refused
    office.clock.move_to(datetime(2026, 9, 10, 9, tzinfo=UTC))
    drafted = told(office, "run", "final-bill", "C1")
    assert "1 records of its usage came after its last bill" in drafted
    assert "MAIN.2026-08-01.monthly-1.1: 1 accounts drafted" in drafted
    assert "nothing to do: run MAIN.2026-08-01.monthly-1.1 is drafted" in told(office, "run", "final-bill", "C1")
    assert "cannot be closed yet" in told(office, *CLOSE, code=3)
    office.approve()
    office.post()
    assert lines_of(office, "INV-2026-000002") == ["2026-07-03 Court 7.00"]
    paid(office, "7.70")
    assert waiting_usage(office.deployment) == ()
    assert "nothing to do" in told(office, "run", "final-bill", "C1")
    assert "closed" in told(office, *CLOSE)


def test_late_usage_is_billed_in_the_rest_of_the_month_after_a_last_bill_amid_it(sqlite_database: Database) -> None:
    office = ended_in_july(sqlite_database)
    last_bill(office)
    office.approve()
    office.post()
    tell(office, LATE, file="late.csv")
    office.clock.move_to(datetime(2026, 9, 10, 9, tzinfo=UTC))
    found = last_bill(office)
    assert found.started.run is not None
    assert (str(found.started.run.period), found.started.counts, found.waiting) == ("2026-07-20/2026-07-31", {"drafted": 1}, 1)


def test_late_usage_of_an_account_that_is_billed_up_to_today_waits_for_tomorrow(sqlite_database: Database) -> None:
    office = ended_in_july(sqlite_database)
    office.bill("2026-07")
    tell(office, LATE, file="late.csv")
    refused = told(office, "run", "final-bill", "C1", code=3)
    assert "billing run off-cycle C1 --to 2026-08-01" in refused
    assert "1 accounts drafted" in told(office, "run", "off-cycle", "C1", "--to", "2026-08-01")


def test_an_account_is_not_closed_before_its_last_bill_is_posted(sqlite_database: Database) -> None:
    office = ended_in_july(sqlite_database)
    office.start("2026-07")
    assert "its bills are not posted up to 2026-07-19, the last day of its last agreement" in told(office, *CLOSE, code=3)


def test_usage_of_somebody_else_keeps_no_account_open(sqlite_database: Database) -> None:
    office = ended_in_july(sqlite_database)
    client(office, "C2", "bob")
    office.bill("2026-07")
    paid(office, "5.50")
    tell(office, "e3,bob,2026-07-03T08:00:00+00:00,7,Court", "e4,ann,2026-07-25T08:00:00+00:00,7,Court", file="late.csv")
    assert "closed" in told(office, *CLOSE)
