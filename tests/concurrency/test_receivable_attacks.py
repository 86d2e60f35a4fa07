"""What the database itself refuses around open items, allocations and payments, whoever sends the SQL."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.run.collect.assign import assign_payment
from billing_framework.storage.engine import Database, sqlite_path
from billing_framework.storage.master.account_tables import account_id
from billing_framework.storage.receivable.rows import item_id
from billing_framework.storage.receivable.tables import allocation, open_item, payment
from billing_framework.values.errors import BillingError, Refused
from tests.run.cashier import Cashier


@pytest.fixture
def desk(database: Database) -> Cashier:
    """Two accounts: one owes 100 and has paid 60 that nobody has allocated, the other owes 50."""
    desk = Cashier.of(database)
    desk.account("A-1", allocation="by_document")
    desk.account("A-2")
    desk.invoice("I-1", "100.00")
    desk.invoice("I-2", "50.00", account="A-2")
    desk.pay("60.00", "B-1")
    return desk


def row(number: int = 1, **changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "id": number, "key": f"forged/{number}", "account_id": account_id("A-1"), "debit_id": item_id("document/I-1"),
        "credit_id": item_id("payment/MAIN/B-1"), "currency": "EUR", "amount": 1000, "on_date": date(2026, 8, 20),
        "strategy": "forged", "line": 0, "undoes_id": None, "actor": "mallory", "at": datetime(2026, 8, 20, tzinfo=UTC),
    }  # fmt: skip
    return base | changes


def forge(connection: Connection, number: int = 1, **changes: Any) -> None:
    connection.execute(allocation.insert().values(row(number, **changes)))


def test_an_honest_row_is_taken(desk: Cashier) -> None:
    with desk.deployment.database.begin() as connection:
        forge(connection, amount=6000)
    assert desk.open() == {"I-1": "40.00"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 6001}, "AR31"),
        ({"amount": 0}, "STORAGE09"),
        ({"amount": -1000}, "STORAGE09|AR02"),
        ({"currency": "USD"}, "AR01"),
        ({"account_id": account_id("A-2")}, "AR01"),
        ({"debit_id": item_id("document/I-2")}, "AR01"),
        # Both rules are broken; which one speaks first is the database's affair.
        ({"debit_id": item_id("payment/MAIN/B-1")}, "AR01|AR31"),
        ({"credit_id": item_id("document/I-1")}, "AR01|AR31"),
        ({"debit_id": 4711}, "AR01"),
        ({"undoes_id": 4711, "amount": -1000}, "AR02"),
        ({"undoes_id": 4711, "amount": 1000}, "AR02|STORAGE09"),
    ],
)
def test_a_forged_allocation_is_refused(desk: Cashier, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(BillingError, match=code), desk.deployment.database.begin() as connection:
        forge(connection, **changes)
    assert desk.open() == {"I-1": "100.00", "B-1": "-60.00"}


def test_one_allocation_after_the_other_cannot_exceed_what_is_open(desk: Cashier) -> None:
    with desk.deployment.database.begin() as connection:
        forge(connection, 1, amount=4000)
    with pytest.raises(Refused, match="AR31"), desk.deployment.database.begin() as connection:
        forge(connection, 2, amount=2001)
    assert desk.open() == {"I-1": "60.00", "B-1": "-20.00"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"amount": -999}, "AR02"), ({"line": 1}, "AR02"), ({"debit_id": item_id("document/I-2")}, "AR0[12]")],
)
def test_only_the_exact_opposite_undoes(desk: Cashier, changes: dict[str, Any], code: str) -> None:
    with desk.deployment.database.begin() as connection:
        forge(connection, 1)
    with pytest.raises(Refused, match=code), desk.deployment.database.begin() as connection:
        forge(connection, 2, **{"undoes_id": 1, "amount": -1000, **changes})


def test_nothing_is_undone_twice_and_no_undoing_is_undone(desk: Cashier) -> None:
    with desk.deployment.database.begin() as connection:
        forge(connection, 1)
        forge(connection, 2, undoes_id=1, amount=-1000)
    with pytest.raises(Refused, match="STORAGE05|AR34"), desk.deployment.database.begin() as connection:
        forge(connection, 3, undoes_id=1, amount=-1000)
    with pytest.raises(Refused, match="AR02|STORAGE09"), desk.deployment.database.begin() as connection:
        forge(connection, 3, undoes_id=2, amount=1000)
    assert desk.open() == {"I-1": "100.00", "B-1": "-60.00"}


STATEMENTS: dict[str, sa.Executable] = {
    "an item's amount": open_item.update().values(original=1),
    "an item's due date": open_item.update().values(due_on=date(2027, 1, 1)),
    "an item": open_item.delete(),
    "an allocation's amount": allocation.update().values(amount=1),
    "an allocation": allocation.delete(),
    "a payment": payment.delete(),
    "a payment's amount": payment.update().values(amount=1),
    "a payment's account": payment.update().values(account="A-2", account_id=account_id("A-2")),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_row_is_changed_or_removed(desk: Cashier, name: str) -> None:
    with desk.deployment.database.begin() as connection:
        forge(connection)
    before = desk.open(), desk.open("A-2")
    with pytest.raises(Refused, match="AR03|AR32"), desk.deployment.database.begin() as connection:
        connection.execute(STATEMENTS[name])
    assert (desk.open(), desk.open("A-2")) == before


@pytest.mark.parametrize("column", ["amount", "external_ref", "received_on", "purpose", "digest"])
def test_suspense_changes_its_account_and_nothing_else(desk: Cashier, column: str) -> None:
    desk.pay("5.00", "B-9", account="", book="MAIN")
    others = {"amount": 1, "external_ref": "B-8", "received_on": date(2026, 8, 1), "purpose": "trust", "digest": bytes(32)}
    change = payment.update().where(payment.c.external_ref == "B-9")
    with pytest.raises(Refused, match="AR32"), desk.deployment.database.begin() as connection:
        connection.execute(change.values(account="A-1", account_id=account_id("A-1"), **{column: others[column]}))
    assign_payment(desk.deployment, "B-9", "A-1")
    with pytest.raises(Refused, match="AR32"), desk.deployment.database.begin() as connection:
        connection.execute(change.values(account=None, account_id=None))


@pytest.mark.parametrize("table", ["payment", "open_item", "allocation"])
def test_replacing_a_row_is_refused_on_sqlite_also_where_a_program_fires_no_delete_triggers(
    sqlite_database: Database, table: str
) -> None:
    desk = Cashier.of(sqlite_database)
    desk.account("A-1")
    desk.invoice("I-1", "100.00")
    desk.pay("60.00")
    with sqlite3.connect(sqlite_path(sqlite_database)) as foreign, pytest.raises(sqlite3.IntegrityError, match="AR34"):
        foreign.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    foreign.close()
    assert desk.open() == {"I-1": "40.00"}


@pytest.mark.parametrize("table", ["payment", "payment_file", "open_item", "allocation"])
def test_truncating_is_refused_on_postgresql(postgres_database: Database, table: str) -> None:
    with pytest.raises(Refused, match="AR03"), postgres_database.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {table} CASCADE"))


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_transaction_that_does_not_see_the_others_cannot_allocate(postgres_database: Database, level: str) -> None:
    desk = Cashier.of(postgres_database)
    desk.account("A-1", allocation="by_document")
    desk.invoice("I-1", "100.00")
    desk.pay("60.00", "B-1")
    with (
        pytest.raises(Refused, match="AR33"),
        postgres_database.engine.connect().execution_options(isolation_level=level) as connection,
        connection.begin(),
    ):
        forge(connection)
