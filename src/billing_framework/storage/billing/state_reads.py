"""Which documents rest on which carried state: who wrote what they read, and whether that still stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing import tables
from billing_framework.storage.many import one_of, rows_of

StateName = tuple[str, str]
"""Scope and name of carried state."""

_READ = tables.document_state_read.c


@attrs.frozen(kw_only=True)
class Reader:
    """A document that rests on carried state.

    Attributes:
        document: its key.
        number: its number, empty for a draft.
        account: code of the account that it bills.
        run: code of the run that made it, empty for a correction.
        state: scope and name of the state.
    """

    document: int
    number: str
    account: str
    run: str
    state: StateName


def reads_of(connection: Connection, documents: Iterable[int]) -> dict[int, dict[StateName, int]]:
    """Return by document and state the key of the document that had written what it read; 0 where there was none yet."""
    found: dict[int, dict[StateName, int]] = {}
    table = tables.document_state_read
    for row in rows_of(connection, documents, lambda some: sa.select(table).where(one_of(table.c.document_id, some))):
        found.setdefault(row.document_id, {})[row.scope, row.name] = row.written_by
    return found


def _standing() -> sa.ColumnElement[bool]:
    document, key = tables.document.c, tables.charge_key.c
    billed = sa.exists().where(key.document_id == document.id, key.reversed_by.is_(None))
    return sa.and_(document.status == "issued", document.kind == "invoice", billed)


def _readers(*conditions: sa.ColumnElement[bool]) -> sa.Select[tuple[int, str, str, str, str, str]]:
    document, run = tables.document, tables.run
    return (
        sa.select(document.c.id, document.c.number, document.c.account, run.c.code, _READ.scope, _READ.name)
        .join(tables.document_state_read, _READ.document_id == document.c.id)
        .outerjoin(run, run.c.id == document.c.run_id)
        .where(*conditions)
        .order_by(document.c.period_start, document.c.number, _READ.scope, _READ.name)
    )


def _found(rows: Iterable[sa.Row[tuple[int, str, str, str, str, str]]]) -> list[Reader]:
    return [
        Reader(document=row.id, number=row.number or "", account=row.account, run=row.code or "", state=(row.scope, row.name))
        for row in rows
    ]


def later_readers(connection: Connection, states: Collection[StateName], since: date) -> list[Reader]:
    """Return the standing invoices of periods that begin at `since` or later and rest on one of the states."""
    columns = tables.document.c
    scopes = {scope for scope, _ in states}
    rows = rows_of(
        connection, scopes, lambda some: _readers(one_of(_READ.scope, some), columns.period_start >= since, _standing())
    )
    return [one for one in _found(rows) if one.state in states]


def reserved_readers(connection: Connection, states: Collection[StateName], *, but_run: int = 0) -> list[Reader]:
    """Return the documents of approved runs that are not issued yet and rest on one of the states, or will write it.

    Args:
        connection: a connection.
        states: scope and name of each state.
        but_run: id of a run whose own documents do not count.
    """
    columns, reserved = tables.document.c, tables.posting_manifest.c
    waiting = sa.exists().where(reserved.document_id == columns.id, reserved.run_id != but_run)
    scopes = {scope for scope, _ in states}
    rows = rows_of(connection, scopes, lambda some: _readers(one_of(_READ.scope, some), columns.status == "draft", waiting))
    return [one for one in _found(rows) if one.state in states]


def moved_readers(
    connection: Connection, book: str, *, since: date | None = None, among: Collection[int] | None = None
) -> list[Reader]:
    """Return the standing invoices that rest on carried state which another document has written otherwise since.

    State that was taken back and written again the same is what it was. Where the state that a document wrote itself was replaced
    too, a correction has dealt with it already.

    Args:
        connection: a connection.
        book: code of the book.
        since: only periods that end after this date, where given.
        among: keys of the only documents to look at; all of the book where None.
    """
    document, state = tables.document.c, tables.carried_state.c
    own = tables.carried_state.alias("own")
    stands, was_read = state.rewound_by.is_(None), state.written_by == _READ.written_by
    moved = _READ.written_by != sa.func.coalesce(_newest(state.written_by, stands), 0)
    otherwise = (
        _newest(column, was_read).is_distinct_from(_newest(column, stands)) for column in (state.period_end, state["values"])
    )
    replaced = sa.exists().where(
        own.c.written_by == document.id, own.c.scope == _READ.scope, own.c.name == _READ.name, own.c.rewound_by.is_not(None)
    )
    own_or_all = document.book == book if among is None else one_of(document.id, among)
    conditions = [own_or_all, _standing(), moved, sa.or_(*otherwise), ~replaced]
    if since is not None:
        conditions.append(document.period_end > since)
    return _found(connection.execute(_readers(*conditions)))


def _newest(column: sa.Column[Any], condition: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """Return a column of the newest state of a name that a document reads, as of its period, among rows of a condition."""
    state = tables.carried_state.c
    of_read = sa.and_(state.scope == _READ.scope, state.name == _READ.name, state.period_end <= tables.document.c.period_start)
    query = sa.select(column).where(of_read, condition).order_by(state.period_end.desc()).limit(1)
    return query.correlate(tables.document, tables.document_state_read).scalar_subquery()
