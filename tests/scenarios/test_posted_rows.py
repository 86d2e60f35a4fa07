"""The rows that posting writes by the thousand are those that the values of one document come to, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import attrs
import sqlalchemy as sa

from billing_framework.invoicing.entries import document_entry
from billing_framework.ledger.batch import sealed_entry
from billing_framework.receivables.open_item import item_of
from billing_framework.run.draft.issuer import mapping_of
from billing_framework.storage.billing.documents import as_issued, load_documents
from billing_framework.storage.billing.keys import states_before
from billing_framework.storage.billing.tables import document, outbox
from billing_framework.storage.column_types import natural_id
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.tables import entry, posting
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.receivable.rows import load_items
from billing_framework.storage.receivable.tables import open_item
from tests.scenarios.office import Office

CODES = ("C1", "c2:#/~@+9")
LINE = ("line", "gl_account_id", "account_id", "sub_key", "document_key", "currency", "amount")


def posted(database: Database) -> str:
    """Bill two customers, one with a code of all signs that a code may have, and return the code of the run."""
    office = Office.of(database)
    for code, machine in zip(CODES, ("drill", "lathe"), strict=True):
        office.customer(code, machine)
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4", "j2,lathe,2026-07-04T08:00:00+00:00,7/3")
    report = office.bill("2026-07")
    assert report.posted == len(CODES)
    return report.run.code


def rows_of(connection: sa.Connection, table: sa.Table) -> Sequence[sa.Row[Any]]:
    return connection.execute(sa.select(table)).all()


def keys_in(connection: sa.Connection) -> list[int]:
    return list(connection.scalars(sa.select(document.c.id)))


def test_entries_and_their_lines(database: Database) -> None:
    posted(database)
    with database.read() as connection:
        mapping = mapping_of(load_book(connection, "MAIN").profile)
        contents = [one.content for one in load_documents(connection, keys_in(connection)).values()]
        wanted = [sealed_entry(one, "MAIN") for content in contents if (one := document_entry(content, mapping))]
        assert {
            (row.id, row.idempotency_key, row.request_digest, row.effective_on, row.memo) for row in rows_of(connection, entry)
        } == {(one.id, one.key, one.digest, one.effective_on, "") for one in wanted}
        lines = {(row.entry_id, row.month, tuple(getattr(row, name) for name in LINE)) for row in rows_of(connection, posting)}
        assert lines == {(one.id, one.month, line) for one in wanted for line in one.lines}


def test_open_items(database: Database) -> None:
    posted(database)
    with database.read() as connection:
        issued = as_issued(connection, load_documents(connection, keys_in(connection)).values())
        wanted = {item.key: item for one in issued.values() if (item := item_of(one))}
        assert {item.key: item for item in load_items(connection, keys=list(wanted))} == wanted
        assert {(row.id, row.account_id, row.document_id, row.payment_id) for row in rows_of(connection, open_item)} == {
            (natural_id("open_item", item.key), natural_id("account", item.account), key, None)
            for key in issued
            for item in (wanted[f"document/{key}"],)
        }


def test_what_is_told_and_carried_on(database: Database) -> None:
    source = f"run/{posted(database)}"
    with database.read() as connection:
        stored = load_documents(connection, keys_in(connection))
        told = [(row.id, row.topic, row.book, row.key, row.payload) for row in rows_of(connection, outbox)]
        assert sorted(told) == sorted(
            (
                natural_id("outbox", "document.issued", "MAIN", one.number),
                "document.issued",
                "MAIN",
                one.number,
                {"account": one.content.account, "source": source},
            )
            for one in stored.values()
        )
        for key, one in stored.items():
            [state] = one.state
            assert states_before(connection, [state.scope], date(2026, 8, 1)) == {
                state.scope: {state.name: attrs.evolve(state, written_by=str(key))}
            }
