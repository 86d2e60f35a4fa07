"""Which dates of accounts are billed, or were found to hold nothing to bill: what a catch-up starts from."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.run_rows import NOTHING
from billing_framework.storage.billing.tables import billed_period, run, run_account
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class BilledDates:
    """Dates of one account that a run bills or has dealt with.

    Attributes:
        dates: the dates.
        run: code of the run.
        is_over: False while its bill is not posted yet; others of the run may be.
    """

    dates: DateSpan
    run: str
    is_over: bool


def first_dates_of(connection: Connection, accounts: Collection[str]) -> dict[str, date]:
    """Return the first date of the oldest run that has had an account, whatever became of it there; rehearsals do not count."""
    names = {account_id(account): account for account in accounts}
    columns, rows = run.c, run_account.c
    query = (
        sa.select(rows.account_id, sa.func.min(columns.period_start).label("first"))
        .join(run, columns.id == rows.run_id)
        .where(columns.kind != "rehearsal", columns.state != "cancelled")
        .group_by(rows.account_id)
    )
    found = rows_of(connection, names, lambda some: query.where(one_of(rows.account_id, some)))
    return {names[row.account_id]: row.first for row in found}


def started_dates_of(connection: Connection, accounts: Collection[str]) -> dict[str, tuple[DateSpan, ...]]:
    """Return the dates of the runs that have had an account, but of no rehearsals and none that were cancelled."""
    names = {account_id(account): account for account in accounts}
    columns, rows = run.c, run_account.c
    query = (
        sa.select(rows.account_id, columns.period_start, columns.period_end)
        .join(run, columns.id == rows.run_id)
        .where(columns.kind != "rehearsal", columns.state != "cancelled")
    )
    found: dict[str, list[DateSpan]] = {}
    for row in rows_of(connection, names, lambda some: query.where(one_of(rows.account_id, some))):
        found.setdefault(names[row.account_id], []).append(DateSpan(row.period_start, row.period_end))
    return {account: tuple(sorted(spans)) for account, spans in found.items()}


def billed_dates_of(connection: Connection, accounts: Collection[str]) -> dict[str, tuple[BilledDates, ...]]:
    """Return what is billed of accounts, or is being billed, in order of dates; accounts of which nothing is are left out.

    Dates on which a run has found nothing to bill count as billed.

    Args:
        connection: a connection.
        accounts: codes of the accounts.
    """
    names = {account_id(account): account for account in accounts}
    claim, columns, accounts_of = billed_period.c, run.c, run_account.c
    claimed = (
        sa.select(
            claim.account_id, claim.period_start, claim.period_end, columns.code, columns.state, accounts_of.state.label("own")
        )
        .join(run, columns.id == claim.run_id)
        .outerjoin(run_account, sa.and_(accounts_of.run_id == claim.run_id, accounts_of.account_id == claim.account_id))
    )
    empty = (
        sa.select(accounts_of.account_id, columns.period_start, columns.period_end, columns.code, columns.state)
        .join(run, columns.id == accounts_of.run_id)
        .where(
            accounts_of.state == "skipped",
            accounts_of.reason == NOTHING,
            columns.kind != "rehearsal",
            columns.state != "cancelled",
        )
    )
    found: dict[str, dict[DateSpan, BilledDates]] = {}
    for query, key in ((empty, accounts_of.account_id), (claimed, claim.account_id)):
        for row in rows_of(connection, names, lambda some, query=query, key=key: query.where(one_of(key, some))):  # type: ignore[misc]
            dates = DateSpan(row.period_start, row.period_end)
            over = query is empty or "posted" in (row.state, row.own)
            found.setdefault(names[row.account_id], {})[dates] = BilledDates(dates=dates, run=row.code, is_over=over)
    return {
        account: tuple(sorted(spans.values(), key=lambda one: (one.dates.start, one.dates.end)))
        for account, spans in sorted(found.items())
    }
