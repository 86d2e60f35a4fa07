"""What has been billed before: charges by their keys, periods by account, components by date, and carried state."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.rating.state import CarriedState
from billing_framework.storage.billing import tables
from billing_framework.storage.billing.draft_rows import charge_id
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.many import delete_of, one_of, rows_of
from billing_framework.storage.master.account_tables import account_id
from billing_framework.values.errors import UNREADABLE, unreadable
from billing_framework.values.number import stored_number
from billing_framework.values.period import DateSpan
from billing_framework.values.plain_form import canonical_json, from_plain, to_plain


@attrs.frozen(kw_only=True)
class BilledCharge:
    """The newest billing of a charge.

    Attributes:
        revision: how often it has been billed, with what was taken back.
        document: key of the document that bills it.
        reversed: True where a posted credit note has taken it back.
    """

    revision: int
    document: int
    reversed: bool


def billed_charges(connection: Connection, natural_keys: Iterable[str]) -> dict[str, BilledCharge]:
    """Return the newest billing of each charge that was billed, in draft or posted, by natural key."""
    names = {charge_id(key): key for key in natural_keys}
    table = tables.charge_key
    newest: dict[str, BilledCharge] = {}
    for row in rows_of(
        connection,
        names,
        lambda some: sa.select(table).where(one_of(table.c.charge_id, some)).order_by(table.c.charge_id, table.c.revision),
    ):
        newest[names[row.charge_id]] = BilledCharge(
            revision=row.revision, document=row.document_id, reversed=row.reversed_by is not None
        )
    return newest


def take_back_charges(connection: Connection, document: int, credit_note: int, lines: Iterable[str] | None = None) -> None:
    """Note that the charges of an issued document were taken back by an issued credit note, so that they can be billed again.

    Args:
        connection: a connection with an open write transaction.
        document: key of the document.
        credit_note: key of the credit note.
        lines: natural keys of the charges that were credited in full; all of the document where None.
    """
    table = tables.charge_key
    statement = (
        table.update().where(table.c.document_id == document, table.c.reversed_by.is_(None)).values(reversed_by=credit_note)
    )
    if lines is None:
        connection.execute(statement)
        return
    for key in lines:
        connection.execute(statement.where(table.c.charge_id == charge_id(key)))


def free_charges(connection: Connection, documents: Iterable[int]) -> None:
    """Free the charges of drafts that were cancelled, or issued as void."""
    table = tables.charge_key
    delete_of(connection, list(documents), lambda some: table.delete().where(one_of(table.c.document_id, some)))


@attrs.frozen(kw_only=True)
class PeriodClaim:
    """Dates of an account that a run bills or has billed."""

    dates: DateSpan
    run_id: int


def claims_of(connection: Connection, accounts: Iterable[str], period: DateSpan) -> dict[str, PeriodClaim]:
    """Return for each account the claim that shares a date with `period`, where there is one."""
    names = {account_id(account): account for account in accounts}
    table = tables.billed_period
    return {
        names[row.account_id]: PeriodClaim(dates=DateSpan(row.period_start, row.period_end), run_id=row.run_id)
        for row in rows_of(
            connection,
            names,
            lambda some: sa.select(table).where(
                one_of(table.c.account_id, some), table.c.period_start < period.end, table.c.period_end > period.start
            ),
        )
    }


def claim_periods(connection: Connection, run: Run, accounts: Iterable[str]) -> None:
    """Claim the run's period for these accounts, so that no other run can bill a date of it.

    Raises:
        Refused: another run has claimed a date of it meanwhile.
    """
    rows = ((key, run.period.start, run.period.end, run.id) for key in sorted(map(account_id, accounts)))
    bulk_insert(connection, tables.billed_period, ("account_id", "period_start", "period_end", "run_id"), rows)


def free_periods(connection: Connection, run: Run, accounts: Iterable[str]) -> None:
    """Give back the claims of a run on accounts that it does not bill."""
    table = tables.billed_period
    delete_of(
        connection,
        [account_id(account) for account in accounts],
        lambda some: table.delete().where(table.c.run_id == run.id, one_of(table.c.account_id, some)),
    )


def billed_through(connection: Connection, agreements: Iterable[str], before: date) -> dict[str, dict[str, date]]:
    """Return up to which date each component was billed by issued documents of earlier periods, by agreement and component.

    Args:
        connection: a connection.
        agreements: codes of agreements.
        before: first day of the period that is billed; documents of that period or later ones do not count.
    """
    line, document, key = tables.document_line, tables.document, tables.charge_key
    found: dict[str, dict[str, date]] = {}
    for row in rows_of(
        connection,
        agreements,
        lambda some: (
            sa.select(line.c.agreement, line.c.component, sa.func.max(line.c.service_end).label("through"))
            .join(document, document.c.id == line.c.document_id)
            .where(
                one_of(line.c.agreement, some),
                sa.or_(document.c.status == "issued", taken_over()),
                document.c.kind == "invoice",
                document.c.period_start < before,
                sa.exists().where(key.c.document_id == document.c.id, key.c.reversed_by.is_(None)),
            )
            .group_by(line.c.agreement, line.c.component)
        ),
    ):
        found.setdefault(row.agreement, {})[row.component] = _day(row.through)
    return found


def taken_over() -> sa.ColumnElement[bool]:
    """Return the condition that a document stands for what another system has billed, as a migration has taken it over."""
    document, run = tables.document.c, tables.run
    migrated = sa.exists().where(run.c.id == document.run_id, run.c.kind == "migration", run.c.state == "posted")
    return sa.and_(document.status == "draft", migrated)


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def states_before(connection: Connection, scopes: Iterable[str], before: date) -> dict[str, dict[str, CarriedState]]:
    """Return the carried state as it stood at `before`, by scope and name: the latest that was not rewound."""
    table = tables.carried_state
    found: dict[str, dict[str, CarriedState]] = {}
    for row in rows_of(
        connection,
        scopes,
        lambda some: (
            sa.select(table)
            .where(one_of(table.c.scope, some), table.c.period_end <= before, table.c.rewound_by.is_(None))
            .order_by(table.c.scope, table.c.name, table.c.period_end)
        ),
    ):
        found.setdefault(row.scope, {})[row.name] = _state(row)
    return found


def _state(row: sa.Row[Any]) -> CarriedState:
    try:
        return CarriedState(
            scope=row.scope,
            name=row.name,
            period=DateSpan(row.period_start, row.period_end),
            values={name: stored_number(text) for name, text in row.values.items()},
            written_by=str(row.written_by),
        )
    except UNREADABLE as error:
        raise unreadable(f"carried state {row.name} of {row.scope}") from error


def write_states(connection: Connection, states: Mapping[int, Sequence[CarriedState]]) -> None:
    """Write the carried state of documents that are being posted, by key of the document."""
    columns = ("scope", "name", "period_start", "period_end", "written_by", "values")
    rows = sorted(
        (state.scope, state.name, state.period.start, state.period.end, document, to_plain(dict(state.values)))
        for document, written in states.items()
        for state in written
    )
    bulk_insert(connection, tables.carried_state, columns, rows)


def write_proven_states(connection: Connection, states: Iterable[tuple[int, str]]) -> None:
    """Write the carried state of documents that are being posted: key of each, and the text that was saved with its draft."""
    columns = ("scope", "name", "period_start", "period_end", "written_by", "values")
    rows = sorted(
        (one["scope"], one["name"], one["period"]["start"], one["period"]["end"], document, canonical_json(one["values"]))
        for document, text in states
        if text != "[]"
        for one in json.loads(text)
    )
    bulk_insert(connection, tables.carried_state, columns, rows, driver_form=True)


def write_states_of(connection: Connection, documents: Iterable[int]) -> None:
    """Write the carried state of documents that are being posted, as it was saved with their drafts."""
    columns = tables.document.c
    query = sa.select(columns.id, columns.state).where(sa.type_coerce(columns.state, sa.Text()) != "[]")
    write_states(
        connection,
        {
            row.id: [from_plain(state, CarriedState) for state in row.state]
            for row in rows_of(connection, documents, lambda some: query.where(one_of(columns.id, some)))
        },
    )


def rewind_states(connection: Connection, document: int, credit_note: int, *, keep: Collection[str] = ()) -> None:
    """Take back the carried state that a document wrote, but for the scopes `keep`; an earlier state becomes the present one."""
    table = tables.carried_state
    statement = table.update().where(table.c.written_by == document, table.c.rewound_by.is_(None))
    if keep:
        statement = statement.where(table.c.scope.not_in(sorted(keep)))
    connection.execute(statement.values(rewound_by=credit_note))


def replace_states(connection: Connection, states: Iterable[CarriedState], *, writer: int, rewound_by: int) -> None:
    """Put corrected carried state in the place of what stands for the same periods.

    Args:
        connection: a connection with the action's write transaction.
        states: the corrected states.
        writer: key of the document that stands for them.
        rewound_by: key of the document that takes the old ones back.
    """
    carried = tables.carried_state
    listed = list(states)
    for state in listed:
        connection.execute(
            carried.update()
            .where(
                carried.c.scope == state.scope,
                carried.c.name == state.name,
                carried.c.period_end == state.period.end,
                carried.c.rewound_by.is_(None),
            )
            .values(rewound_by=rewound_by)
        )
    write_states(connection, {writer: listed})
