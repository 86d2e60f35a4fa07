"""An act on one account takes as long in a large office as in a small one: the database looks up what it needs by an index.

SQLite counts the steps of its machine, which is how often it looked at a row and more, whatever the speed of the computer.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from billing_framework.run.collect.payment import PaymentRequest, record_payment
from billing_framework.storage.engine import Database, open_database
from billing_framework.values.money import Money
from tests.cli.in_office import told
from tests.scenarios.office import Office

FEW, MANY = 4, 40
AUGUST = "MAIN.2026-08-01.monthly-1.1"
ACTS = [
    "account payer C-2",
    "account create C-X --party P-C-2 --book MAIN --currency USD --parent C-2",
    "invoice list --account C-2",
    "invoice show INV-2026-000003",
    "explain INV-2026-000003/1",
    "account show C-2",
    "account change C-2 due_days=20 --reason agreed",
    "agreement end A-C-1 --on 2026-12-01 --reason leaves",
    "agreement change A-C-1 ends_on= --reason stays",
    "charge add C-2 --amount 5 --code stand --text Extra --date 2026-08-04 --reason order",
    "charge list C-2",
    "payment record C-2 12.00 USD --on 2026-08-03 --ref B-1 --remittance INV-2026-000003",
    "payment open C-2",
    "payment show PAID-2",
    "payment unallocate PAID-2 --reason asked",
    "payment list --account C-2",
    "audit show payment PAID-2",
    "payment list --suspense --book MAIN",
    "payment reverse B-1 --on 2026-08-04 --code AC04 --reason returned",
    "hold place --document INV-2026-000003 --block dunning --code dispute --reason disputed",
    "hold list C-2",
    "usage list M-2",
    "audit show account C-2",
    "audit show document INV-2026-000003",
    "invoice credit INV-2026-000003 --line 1=0.10 --reason goodwill",
    "invoice rebill INV-2026-000002 --reason counted",
    "period close MAIN 2026-01 --reason reported",
    f"run edit {AUGUST} C-3 --line 1 --amount 7.00 --reason agreed",
    f"run hold {AUGUST} C-3 --reason asked",
    f"run retry {AUGUST} --account C-3",
    f"run release {AUGUST} C-3 --reason answered",
    f"run show {AUGUST} C-3",
    "agreement end A-C-0 --on 2026-07-20 --reason left",
    "run final-bill C-0",
]


def office_of(customers: int, folder: Path) -> Office:
    """Set up an office whose customers were all billed for July and are drafted for August."""
    office = Office.of(open_database(f"sqlite:///{folder}/of_{customers}.db"), accumulate="bill")
    for number in range(customers):
        office.customer(f"C-{number}", f"M-{number}")
    office.jobs(*(f"j{number},M-{number},2026-07-05T08:00:00Z,3" for number in range(customers)))
    office.bill("2026-07")
    for number in range(customers):
        paid = PaymentRequest(
            account=f"C-{number}", money=Money.of("1", "USD"), received_on=date(2026, 8, 1), external_ref=f"PAID-{number}"
        )
        record_payment(office.deployment, paid)
    office.pass_days(31)
    office.start("2026-08")
    return office


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Office]]:
    """Yield a small office and a large one, for tests that change nothing in them."""
    few, many = (office_of(customers, tmp_path_factory.mktemp("offices")) for customers in (FEW, MANY))
    yield few, many
    few.deployment.close()
    many.deployment.close()


@contextmanager
def counted(database: Database) -> Iterator[Callable[[], int]]:
    """Count the steps of SQLite's machine within the block."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_progress_handler(count, 1)
    try:
        yield lambda: steps
    finally:
        driver.set_progress_handler(None, 0)


def steps_of(office: Office, act: str, *, code: int = 0) -> int:
    with counted(office.deployment.database) as steps:
        told(office, *act.split(), code=code)
    return steps()


def test_an_act_costs_what_it_costs_in_a_small_office(tmp_path: Path) -> None:
    """One test of all acts, because each begins where the one before has ended."""
    offices = [office_of(customers, tmp_path) for customers in (FEW, MANY)]
    steps = {act: [steps_of(office, act) for office in offices] for act in ACTS}
    assert all(few > 0 for few, _ in steps.values())
    assert {act: counts for act, counts in steps.items() if counts[1] - counts[0] > MANY - FEW} == {}
    for office in offices:
        office.deployment.close()


@pytest.mark.parametrize(
    "act",
    [
        "account show C-99",
        "agreement show A-C-99",
        "run off-cycle C-99",
        "charge withdraw C-99/1",
        "assignment create M-99 --agreement A-C-99 --from 2026-07-01",
        f"run hold {AUGUST} C-99 --reason asked",
    ],
)
def test_a_mistyped_code_is_compared_with_those_next_to_it(
    offices: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    monkeypatch.setattr("billing_framework.storage.master.near_codes._EACH_WAY", 2)
    few, many = (steps_of(office, act, code=2) for office in offices)
    assert many - few <= MANY - FEW, f"{few} steps among {FEW} accounts, {many} among {MANY}"


SMALL = ("json_each", "number_series", "(")
"""What may be looked at as a whole."""

KEYS = re.compile(r"(\w+)\.\"?(\w+)\"? IN \(SELECT value FROM json_each")


@contextmanager
def statements_with_keys(database: Database) -> Iterator[dict[str, Any]]:
    """Collect the statements of the block that name many keys, with what they bind."""
    found: dict[str, Any] = {}

    def note(_connection: sa.Connection, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if KEYS.search(statement):
            found.setdefault(statement, parameters)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def badly_found(connection: sa.Connection, statement: str, parameters: Any) -> str:
    """Return how SQLite finds the rows of a statement, where it is not by its keys; empty where it is."""
    plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    whole = [step for step in plan if step.startswith("SCAN ") and not step.removeprefix("SCAN ").startswith(SMALL)]
    steps = " | ".join(plan)
    missed = [
        column
        for table, column in KEYS.findall(statement)
        if not re.search(rf"SEARCH {table} USING .*\b({column}|rowid)=\?", steps)
    ]
    return f"{missed} {whole}: {steps}" if missed or whole else ""


def test_what_is_asked_for_many_keys_is_looked_up_by_them(tmp_path: Path) -> None:
    """SQLite knows nothing of how many rows there are: one condition more, and it looks at a whole run for every shard."""
    office = Office.of(open_database(f"sqlite:///{tmp_path}/office.db"), accumulate="year")
    for number in range(FEW):
        office.customer(f"C-{number}", f"M-{number}")
    office.jobs(*(f"j{number},M-{number},2026-07-05T08:00:00Z,3" for number in range(FEW)))
    database = office.deployment.database
    with statements_with_keys(database) as found:
        office.bill("2026-07")
        office.jobs("late,M-1,2026-07-06T08:00:00Z,9", file="late.csv")
        office.pass_days(31)
        office.start("2026-08")
        for act in (
            f"run edit {AUGUST} C-0 --line 1 --amount 7.00 --reason agreed",
            f"run hold {AUGUST} C-0 --reason asked",
            f"run release {AUGUST} C-0 --reason answered",
        ):
            told(office, *act.split())
        office.approve(AUGUST)
        office.post(AUGUST)
        for act in (
            "hold place --document INV-2026-000003 --block dunning --code dispute --reason disputed",
            "payment record C-2 12.00 USD --on 2026-08-03 --ref B-1 --remittance INV-2026-000003",
            "invoice rebill INV-2026-000007 --reason counted",
            "audit show document INV-2026-000003",
            "usage late",
            "ledger verify MAIN",
        ):
            told(office, *act.split())
    assert len(found) > 50
    with database.read() as connection:
        wrong = {
            statement: bad for statement, parameters in found.items() if (bad := badly_found(connection, statement, parameters))
        }
    assert wrong == {}
    office.deployment.close()
