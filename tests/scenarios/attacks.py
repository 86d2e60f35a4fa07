"""Attacks on documents and their keys by plain SQL, for whoever may send it."""

from __future__ import annotations

import sqlalchemy as sa

from billing_framework.storage.billing import tables
from billing_framework.storage.engine import Database

ATTACKS = {
    "change an issued document": "UPDATE document SET gross = gross + 1, net = net + 1",
    "change its content": "UPDATE document SET content = '{}'",
    "take an issued document away": "DELETE FROM document",
    "make it a draft again": "UPDATE document SET status = 'draft', number = NULL, series = NULL, counter = NULL",
    "change a line": "UPDATE document_line SET net = net + 1",
    "take a line away": "DELETE FROM document_line WHERE line = 1",
    "add a line": "INSERT INTO document_line SELECT document_id, 9, account_id, month, 'x', agreement, component, net, tax,"
    " amount, quantity, unit, unit_price, code, service_start, service_end, origin, content, evidence"
    " FROM document_line WHERE line = 1",
    "change a tax": "UPDATE document_tax SET tax = tax + 1",
    "take a tax away": "DELETE FROM document_tax",
    "change the input": "UPDATE document_input SET manifest = '{}'",
    "take the input away": "DELETE FROM document_input",
    "change the buyer": "UPDATE document_party SET buyer = '{}'",
    "free a billed charge": "DELETE FROM charge_key",
    "take a charge back without a credit note": "UPDATE charge_key SET reversed_by = 1",
    "bill a charge again": "INSERT INTO charge_key (charge_id, revision, document_id)"
    " SELECT charge_id, 2, document_id FROM charge_key",
    "free a billed period": "DELETE FROM billed_period",
    "move a billed period": "UPDATE billed_period SET period_end = '2026-08-02'",
    "claim a billed date": "INSERT INTO billed_period SELECT account_id, '2026-07-15', '2026-08-15', 7 FROM billed_period",
    "change carried state": "UPDATE carried_state SET written_by = 1",
    "take carried state away": "DELETE FROM carried_state",
    "change an issued number": "UPDATE number_issued SET number = 'INV-2026-000009'",
    "take an issued number away": "DELETE FROM number_issued",
    "give a number again": "UPDATE number_series SET next_number = 1",
    "remove a series": "DELETE FROM number_series",
    "issue without a number of its own": "INSERT INTO document SELECT 5, book, account_id, account, month, kind, status, final,"
    " series, counter, number, issue_on, due_on, period_start, period_end, currency, net, tax, gross, payable, run_id, version,"
    " revision,"
    " corrects_id, 4, reason, content, state, digest, posted_at, state_digest FROM document",
}


def snapshot(database: Database) -> list[list[tuple[object, ...]]]:
    """Return every row of the tables of billing."""
    with database.read() as connection:
        return [
            [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))]
            for table in tables.metadata.sorted_tables
        ]
