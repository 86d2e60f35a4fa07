"""Finds the documents of one run that bear parts of the same charges."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.tables import charge_key, document, document_line
from billing_framework.storage.likely import likely
from billing_framework.storage.many import one_of, rows_of


def billed_with(connection: Connection, key: int) -> tuple[int, ...]:
    """Return the newest issued invoices of a document's run that bill an agreement which it bills too, or one of them does.

    The document itself comes first; by itself it stands where nobody shares its charges.

    Args:
        connection: a connection.
        key: key of an issued document.
    """
    run = connection.scalar(sa.select(document.c.run_id).where(document.c.id == key))
    found, agreements, fresh = {key}, set[str](), {key}
    while run is not None and fresh:
        more = agreements_of(connection, fresh) - agreements
        agreements |= more
        fresh = _billing(connection, run, more) - found
        found |= fresh
    return (key, *sorted(found - {key}))


def agreements_of(connection: Connection, documents: Iterable[int]) -> set[str]:
    """Return the agreements that some documents bill."""
    line = document_line.c
    query = sa.select(line.agreement).distinct()
    rows = rows_of(connection, documents, lambda some: query.where(one_of(line.document_id, some), line.agreement != ""))
    return {row.agreement for row in rows}


def _billing(connection: Connection, run: int, agreements: Iterable[str]) -> set[int]:
    line, columns, newer = document_line.c, document.c, document.alias("newer")
    query = (
        sa.select(columns.id)
        .join(document_line, line.document_id == columns.id)
        .where(
            likely(columns.run_id == run),
            columns.status == "issued",
            columns.kind == "invoice",
            ~sa.exists().where(newer.c.replaces_id == columns.id),
        )
        .distinct()
    )
    return {row.id for row in rows_of(connection, agreements, lambda some: query.where(one_of(line.agreement, some)))}


def standing_among(connection: Connection, documents: Iterable[int]) -> set[int]:
    """Return those of some documents of which something has not been taken back."""
    columns = charge_key.c
    query = sa.select(columns.document_id).where(columns.reversed_by.is_(None)).distinct()
    return {
        row.document_id for row in rows_of(connection, documents, lambda some: query.where(one_of(columns.document_id, some)))
    }
