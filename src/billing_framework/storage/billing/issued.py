"""What belongs to issued documents in other tables, for the proof that nobody took it away or changed it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing import tables
from billing_framework.storage.ledger.tables import entry, posting
from billing_framework.storage.many import rows_of

Number = tuple[str, str, int]
"""Number, series and position in the series."""


def issued_numbers(connection: Connection, book: str) -> dict[int, Number]:
    """Return the number that was issued to each document of a book, by the document's key."""
    columns = tables.number_issued.c
    query = sa.select(tables.number_issued).where(columns.book == book).order_by(columns.series, columns.counter)
    return {row.document_id: (row.number, row.series, row.counter) for row in connection.execute(query)}


def numbered_documents(connection: Connection, book: str) -> dict[int, Number]:
    """Return the number that each issued or void document of a book bears, by its key."""
    columns = tables.document.c
    query = sa.select(columns.id, columns.number, columns.series, columns.counter)
    rows = connection.execute(query.where(columns.book == book, columns.status != "draft"))
    return {row.id: (row.number, row.series, row.counter) for row in rows}


def origins(connection: Connection, documents: Iterable[int]) -> dict[int, tuple[int | None, int]]:
    """Return by key the run that reserved the number of each document, None for one of no run, and the revision it must be."""
    reserved, replaced = tables.posting_manifest, tables.document.alias("replaced")
    columns = tables.document.c
    query = (
        sa.select(columns.id, reserved.c.run_id, sa.func.coalesce(replaced.c.revision, 0).label("before"))
        .outerjoin(reserved, reserved.c.document_id == columns.id)
        .outerjoin(replaced, replaced.c.id == columns.replaces_id)
    )
    rows = rows_of(connection, documents, lambda some: query.where(columns.id.in_(some)))
    return {row.id: (row.run_id, row.before + 1) for row in rows}


def entered_amounts(connection: Connection, keys: Iterable[str]) -> dict[str, dict[str, set[int]]]:
    """Return for the entries of these keys the date in ISO form and the amounts of their lines."""
    found: dict[str, dict[str, set[int]]] = {}
    match = sa.and_(posting.c.batch_id == entry.c.batch_id, posting.c.entry_id == entry.c.id)
    for row in rows_of(
        connection,
        list(keys),
        lambda some: (
            sa.select(entry.c.idempotency_key, entry.c.effective_on, posting.c.amount)
            .join(posting, match)
            .where(entry.c.idempotency_key.in_(some))
        ),
    ):
        by_date = found.setdefault(row.idempotency_key, {})
        by_date.setdefault(row.effective_on.isoformat(), set()).add(row.amount)
    return found


def billed_keys(connection: Connection, documents: Collection[int]) -> dict[int, set[int]]:
    """Return the ids of the charges that each document has taken."""
    table = tables.charge_key
    found: dict[int, set[int]] = {}
    for row in rows_of(connection, documents, lambda some: sa.select(table).where(table.c.document_id.in_(some))):
        found.setdefault(row.document_id, set()).add(row.charge_id)
    return found


def written_states(connection: Connection, documents: Collection[int]) -> dict[tuple[int, str, str, str], Mapping[str, str]]:
    """Return the values of the carried state that documents wrote, by document, scope, name and last date in ISO form."""
    table = tables.carried_state
    rows = rows_of(connection, documents, lambda some: sa.select(table).where(table.c.written_by.in_(some)))
    return {(row.written_by, row.scope, row.name, row.period_end.isoformat()): row._mapping["values"] for row in rows}  # noqa: SLF001
