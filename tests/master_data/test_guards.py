"""What the database itself refuses about master data, whoever sends the SQL; on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from billing_framework.run.deployment import Deployment
from billing_framework.run.master.charges import ChargeRequest, enter_charge
from billing_framework.run.master.customers import create
from billing_framework.run.master.taxes import load_tax_file
from billing_framework.storage.master.account_tables import account, agreement, assignment
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.storage.master.master_tables import book_version, manual_charge, plan_version, tax_file
from billing_framework.values.errors import BillingError, Refused
from billing_framework.values.period import DateSpan

TAXES = b"""
schema = 1
[[tax]]
code = "sales"
title = { en = "Sales tax" }
category = "standard"
percent = "8.25"
valid_from = 2020-01-01
"""


@pytest.fixture
def filled(deployment: Deployment) -> Deployment:
    """One of everything."""
    create(deployment, PARTIES, {"code": "P-1", "name": "Ada Ohm"})
    for code in ("A-1", "A-2"):
        create(deployment, ACCOUNTS, {"code": code, "party": "P-1", "book": "US", "currency": "USD"})
    create(deployment, AGREEMENTS, {"code": "G-1", "account": "A-1", "plan": "basic", "starts_on": "2026-01-01"})
    create(deployment, ASSIGNMENTS, {"subject": "M-1", "agreement": "G-1", "starts_on": "2026-01-01", "ends_on": "2026-03-01"})
    create(deployment, ASSIGNMENTS, {"subject": "M-1", "agreement": "G-1", "starts_on": "2026-03-01"})
    load_tax_file(deployment, "taxes.toml", TAXES)
    service = DateSpan(date(2026, 7, 14), date(2026, 7, 15))
    charge = ChargeRequest(
        account="A-1", amount="5", service=service, code="service.x", text="x", tax_category="standard", reason="x"
    )
    enter_charge(deployment, charge)
    return deployment


def attack(deployment: Deployment, statement: sa.Executable) -> BillingError:
    with pytest.raises(BillingError) as caught, deployment.database.begin() as connection:
        connection.execute(statement)
    return caught.value


VERSIONED = [(book_version, "BOOK07"), (plan_version, "PLAN31"), (tax_file, "TAX31")]


@pytest.mark.parametrize(("table", "code"), VERSIONED, ids=str)
def test_a_loaded_version_is_neither_changed_nor_removed(filled: Deployment, table: sa.Table, code: str) -> None:
    for statement in (table.update().values(source="x"), table.delete()):
        assert attack(filled, statement).code == code


@pytest.mark.parametrize("table", [table for table, _ in VERSIONED], ids=str)
def test_a_loaded_version_is_not_replaced_by_another_of_its_name(filled: Deployment, table: sa.Table) -> None:
    with filled.database.read() as connection:
        row = dict(connection.execute(sa.select(table)).mappings().one()) | {"source": "x"}
    columns = ", ".join(row)
    bound = ", ".join(f":{name}" for name in row)
    verb = "INSERT OR REPLACE" if filled.database.dialect == "sqlite" else "INSERT"
    keys = ", ".join(column.name for column in table.primary_key)
    tail = "" if filled.database.dialect == "sqlite" else f" ON CONFLICT ({keys}) DO UPDATE SET source = excluded.source"
    typed = [sa.bindparam(name, row[name], type_=table.c[name].type) for name in row]

    attack(filled, sa.text(f"{verb} INTO {table.name} ({columns}) VALUES ({bound}){tail}").bindparams(*typed))
    with filled.database.read() as connection:
        assert connection.scalar(sa.select(table.c.source)) != "x"


@pytest.mark.parametrize("table", ["book_version", "plan_version", "tax_file", "manual_charge"])
def test_truncate_is_refused(filled: Deployment, table: str) -> None:
    if filled.database.dialect == "sqlite":
        assert attack(filled, sa.text(f"DELETE FROM {table}")).code in ("BOOK07", "PLAN31", "TAX31", "MANUAL04")
    else:
        assert attack(filled, sa.text(f"TRUNCATE {table} CASCADE")).code == "BOOK07"


@pytest.mark.parametrize(
    "values", [{"amount": 7}, {"text": "y"}, {"service_from": date(2026, 7, 1)}, {"code": "service.y"}, {"account": "A-2"}]
)
def test_a_manual_charge_changes_only_by_being_withdrawn(filled: Deployment, values: dict[str, object]) -> None:
    assert attack(filled, manual_charge.update().values(**values)).code == "MANUAL04"
    assert attack(filled, manual_charge.delete()).code == "MANUAL04"


def test_a_withdrawn_charge_stays_withdrawn(filled: Deployment) -> None:
    withdrawn = {"withdrawn_at": datetime(2026, 7, 2, tzinfo=UTC), "withdrawn_by": "anna"}
    with filled.database.begin() as connection:
        connection.execute(manual_charge.update().values(**withdrawn))

    assert attack(filled, manual_charge.update().values(withdrawn_at=None, withdrawn_by=None)).code == "MANUAL04"


@pytest.mark.parametrize(
    "values",
    [
        {"starts_on": date(2026, 2, 28), "ends_on": date(2026, 3, 1)},
        {"starts_on": date(2025, 6, 1), "ends_on": None},
        {"starts_on": date(2030, 6, 1), "ends_on": date(2030, 6, 2)},
    ],
)
def test_a_second_agreement_for_a_day_of_an_identifier_is_refused(filled: Deployment, values: dict[str, date | None]) -> None:
    with filled.database.read() as connection:
        row = dict(connection.execute(sa.select(assignment).limit(1)).mappings().one())

    refused = attack(filled, assignment.insert().values(**(row | values)))

    assert isinstance(refused, Refused)
    assert refused.code == "ACCOUNT07"


def test_an_assignment_does_not_grow_into_the_next_one(filled: Deployment) -> None:
    first = assignment.c.starts_on == date(2026, 1, 1)

    assert attack(filled, assignment.update().where(first).values(ends_on=date(2026, 3, 2))).code == "ACCOUNT07"
    assert attack(filled, assignment.update().where(first).values(ends_on=None)).code == "ACCOUNT07"
    with filled.database.begin() as connection:
        connection.execute(assignment.update().where(first).values(ends_on=date(2026, 2, 1)))


@pytest.mark.parametrize(
    "statement",
    [
        account.update().where(account.c.code == "A-1").values(currency="EUR"),
        account.update().where(account.c.code == "A-1").values(book="CH"),
        account.update().where(account.c.code == "A-2").values(code="A-3"),
        agreement.update().values(account="A-2"),
        agreement.update().values(code="G-2"),
    ],
)
def test_what_identifies_never_changes(filled: Deployment, statement: sa.Update) -> None:
    assert attack(filled, statement).code == "ACCOUNT12"


@pytest.mark.parametrize(
    "statement",
    [
        account.delete().where(account.c.code == "A-1"),
        agreement.delete(),
        account.update().where(account.c.code == "A-1").values(parent="A-9"),
        account.update().where(account.c.code == "A-1").values(parent="A-1"),
        account.update().where(account.c.code == "A-1").values(payer="parent"),
        account.update().where(account.c.code == "A-1").values(due_days=-1),
        agreement.update().values(ends_on=date(2026, 1, 1)),
        account.update().where(account.c.code == "A-1").values(party="P-9"),
    ],
)
def test_what_is_referred_to_stays_and_every_reference_holds(filled: Deployment, statement: sa.Executable) -> None:
    assert isinstance(attack(filled, statement), Refused)
