"""What accounts were billed before, as far as reviews and officers compare with it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.review import BilledQuantity, PastDocument
from billing_framework.storage.billing.tables import charge_key, document, document_line
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id
from billing_framework.values.money import Money
from billing_framework.values.quantity import Quantity

_LONGEST_HISTORY = 12


def past_documents(connection: Connection, accounts: Iterable[str], before: date) -> dict[str, tuple[PastDocument, ...]]:
    """Return the issued invoices of earlier periods that still stand, by account, newest first, twelve at most.

    Args:
        connection: a connection.
        accounts: codes of accounts.
        before: first day of the period that is billed.
    """
    names = {account_id(account): account for account in accounts}
    rows = [row for row in rows_of(connection, names, lambda some: _documents(some, before)) if row.place <= _LONGEST_HISTORY]
    quantities = _quantities(connection, [row.id for row in rows])
    found: dict[str, list[PastDocument]] = {}
    for row in rows:
        found.setdefault(names[row.account_id], []).append(
            PastDocument(
                issued_on=row.issue_on,
                days=(row.period_end - row.period_start).days,
                gross=Money(row.gross, row.currency),
                quantities=quantities.get(row.id, ()),
                ends_on=row.period_end,
            )
        )
    return {account: tuple(documents) for account, documents in found.items()}


def _documents(some: list[int], before: date) -> sa.Select[Any]:
    columns = document.c
    place = (
        sa.func.row_number()
        .over(partition_by=columns.account_id, order_by=(columns.period_start.desc(), columns.id))
        .label("place")
    )
    return (
        sa.select(
            columns.id,
            columns.account_id,
            columns.issue_on,
            columns.period_start,
            columns.period_end,
            columns.gross,
            columns.currency,
            place,
        )
        .where(
            one_of(columns.account_id, some),
            columns.status == "issued",
            columns.kind == "invoice",
            columns.period_end <= before,
            sa.exists().where(charge_key.c.document_id == columns.id, charge_key.c.reversed_by.is_(None)),
        )
        .order_by(columns.account_id, place)
    )


def _quantities(connection: Connection, documents: Iterable[int]) -> dict[int, tuple[BilledQuantity, ...]]:
    columns = document_line.c
    sums: dict[int, dict[tuple[str, str, str], Fraction]] = {}
    for row in rows_of(
        connection,
        documents,
        lambda some: (
            sa.select(columns.document_id, columns.agreement, columns.component, columns.quantity, columns.unit, columns.content)
            .where(one_of(columns.document_id, some), columns.quantity.is_not(None))
            .order_by(columns.document_id, columns.line)
        ),
    ):
        if row.content.get("records"):
            key = (row.agreement, row.component, row.unit)
            sums.setdefault(row.document_id, {}).setdefault(key, Fraction(0))
            sums[row.document_id][key] += row.quantity
    return {
        key: tuple(
            BilledQuantity(agreement=agreement, component=component, quantity=Quantity(value, unit))
            for (agreement, component, unit), value in parts.items()
        )
        for key, parts in sums.items()
    }
