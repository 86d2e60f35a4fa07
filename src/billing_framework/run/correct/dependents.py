"""Finds the documents that rest on carried state which another document had written."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.documents import StoredDocument
from billing_framework.storage.billing.tables import charge_key, document, document_state_read
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class Dependent:
    """A later document that rests on carried state of an earlier one.

    Attributes:
        key: its key.
        number: its number.
        account: code of its account.
        period: its billing period.
        states: scope and name of the states that it rests on.
    """

    key: int
    number: str
    account: str
    period: DateSpan
    states: tuple[tuple[str, str], ...]


def dependents_of(connection: Connection, stored: StoredDocument, states: Iterable[tuple[str, str]]) -> tuple[Dependent, ...]:
    """Return the standing invoices of later periods that read one of `states`, by period and number.

    A state is handed on from period to period, so every later reader rests on it, directly or through the documents between.

    Args:
        connection: a connection.
        stored: the document that wrote the states.
        states: scope and name of each.
    """
    wanted = set(states)
    if not wanted:
        return ()
    columns, reads = document.c, document_state_read.c
    query = (
        sa.select(columns.id, columns.number, columns.account, columns.period_start, columns.period_end, reads.scope, reads.name)
        .join(document_state_read, reads.document_id == columns.id)
        .where(
            reads.scope.in_(sorted({scope for scope, _ in wanted})),
            columns.status == "issued",
            columns.kind == "invoice",
            columns.period_start >= stored.content.period.end,
            columns.id != stored.key,
            sa.exists().where(charge_key.c.document_id == columns.id, charge_key.c.reversed_by.is_(None)),
        )
        .order_by(columns.period_start, columns.number, reads.scope, reads.name)
    )
    found: dict[int, Dependent] = {}
    for row in connection.execute(query):
        if (row.scope, row.name) in wanted:
            known = found.get(row.id)
            states_read = (*(known.states if known else ()), (row.scope, row.name))
            found[row.id] = Dependent(
                key=row.id,
                number=row.number,
                account=row.account,
                period=DateSpan(row.period_start, row.period_end),
                states=states_read,
            )
    return tuple(found.values())
