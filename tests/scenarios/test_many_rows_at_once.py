"""A statement that writes many rows is refused as a whole where the database's guards refuse one of them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from billing_framework.storage.billing.record_tables import billed_record
from billing_framework.storage.billing.tables import document, document_tax
from billing_framework.storage.engine import Database
from billing_framework.values.errors import Refused
from tests.scenarios.office import Office


def drafted_and_issued(database: Database) -> tuple[int, int]:
    """Return the keys of a draft of August and of the bill of July."""
    office = Office.of(database)
    office.customer("C1", "drill")
    office.bill("2026-07")
    office.pass_days(31)
    office.start("2026-08")
    with database.read() as connection:
        keys = {row.status: row.id for row in connection.execute(sa.select(document.c.id, document.c.status))}
    return keys["draft"], keys["issued"]


def count_of(database: Database, table: sa.Table) -> int:
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_a_tax_of_a_draft_beside_one_of_an_issued_document(database: Database) -> None:
    draft, issued = drafted_and_issued(database)
    before = count_of(database, document_tax)
    rows = [
        {
            "document_id": key,
            "position": 9,
            "account_id": 1,
            "month": 202608,
            "code": "x",
            "base": 0,
            "rate": 0,
            "tax": 0,
            "content": {},
        }
        for key in (draft, issued)
    ]
    with pytest.raises(Refused, match="AR05"), database.begin() as connection:
        connection.execute(document_tax.insert().values(rows))
    assert count_of(database, document_tax) == before


def test_a_record_of_an_issued_document_beside_one_of_a_draft(database: Database) -> None:
    draft, issued = drafted_and_issued(database)
    rows = [{"record_key": key, "document_id": key, "claim": key} for key in (issued, draft)]
    with pytest.raises(Refused, match="CHARGE07"), database.begin() as connection:
        connection.execute(billed_record.insert().values(rows))
    assert count_of(database, billed_record) == 0


def test_a_document_that_bears_a_number_which_it_was_not_given(database: Database) -> None:
    drafted_and_issued(database)
    bears = {"status": "issued", "series": "INV-2026-", "counter": 7, "number": "INV-2026-000007"}
    with pytest.raises(Refused, match="AR09"), database.begin() as connection:
        connection.execute(document.update().where(document.c.status == "draft").values(**bears))
