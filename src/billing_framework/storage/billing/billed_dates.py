"""Which dates of accounts are billed, or were found to hold nothing to bill: what a catch-up starts from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.run_rows import CANCELLED, NOTHING, Run
from billing_framework.storage.billing.tables import billed_period, run, run_account
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id, agreement
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class BilledDates:
    """Dates of one account that a run bills or has dealt with.

    Attributes:
        dates: the dates.
        run: code of the run.
        is_over: False while its bill is not posted yet; others of the run may be.
        is_approved: True where its bill is approved and not posted, so that no bill on which it rests can be decided.
    """

    dates: DateSpan
    run: str
    is_over: bool
    is_approved: bool = False


def billed_until(billed: Sequence[BilledDates], before: date) -> date:
    """Return up to which date an account is billed by bills that begin before a date; the first of all dates without any."""
    return max((one.dates.end for one in billed if one.dates.start < before), default=date.min)


@attrs.frozen(kw_only=True)
class LeftDates:
    """Dates of one account that a run has had and left to the next run.

    Attributes:
        dates: the dates.
        run: code of the run.
        cycle: its cycle.
        kind: ``final`` or ``migration``.
    """

    dates: DateSpan
    run: str
    cycle: str
    kind: str


def first_dates_of(connection: Connection, accounts: Collection[str]) -> dict[str, date]:
    """Return the first date of the oldest run that was to bill an account, whatever became of it there."""
    return _dates_of(connection, accounts, "final", sa.func.min(run.c.period_start))


def billing_since(connection: Connection, book: str) -> date | None:
    """Return the first date of the oldest run for a whole cycle of a book, None before the first.

    Who came to the book on that date or later was billed by nobody before. A run that names its accounts tells nothing of it: it
    may bill one of them for dates long before.
    """
    columns = run.c
    of_all = columns.accounts == sa.literal([], columns.accounts.type)
    query = sa.select(sa.func.min(columns.period_start)).where(
        columns.book == book, columns.kind == "final", columns.state != "cancelled", of_all
    )
    first: date | None = connection.execute(query).scalar_one()
    return first


def taken_over_until(connection: Connection, accounts: Collection[str]) -> dict[str, date]:
    """Return up to which date migrations were about an account: what lies before, another system has billed."""
    return _dates_of(connection, accounts, "migration", sa.func.max(run.c.period_end))


def _dates_of(connection: Connection, accounts: Collection[str], kind: str, wanted: sa.ColumnElement[date]) -> dict[str, date]:
    names = {account_id(account): account for account in accounts}
    columns, rows = run.c, run_account.c
    query = (
        sa.select(rows.account_id, wanted.label("wanted"))
        .join(run, columns.id == rows.run_id)
        .where(columns.kind == kind, columns.state != "cancelled")
        .group_by(rows.account_id)
    )
    found = rows_of(connection, names, lambda some: query.where(one_of(rows.account_id, some)))
    return {names[row.account_id]: row.wanted for row in found}


def left_dates_of(connection: Connection, accounts: Collection[str]) -> dict[str, tuple[LeftDates, ...]]:
    """Return the dates of runs that hold accounts or have left them out, in order of dates, be they billed by another since."""
    names = {account_id(account): account for account in accounts}
    columns, rows = run.c, run_account.c
    query = (
        sa.select(rows.account_id, columns.period_start, columns.period_end, columns.code, columns.cycle, columns.kind)
        .join(run, columns.id == rows.run_id)
        .where(columns.kind != "rehearsal", columns.state != "cancelled", _is_left(run_account))
    )
    found: dict[str, list[LeftDates]] = {}
    for row in rows_of(connection, names, lambda some: query.where(one_of(rows.account_id, some))):
        dates = DateSpan(row.period_start, row.period_end)
        one = LeftDates(dates=dates, run=row.code, cycle=row.cycle, kind=row.kind)
        found.setdefault(names[row.account_id], []).append(one)
    return {account: tuple(sorted(left, key=lambda one: (one.dates, one.run))) for account, left in sorted(found.items())}


def billed_though_left(connection: Connection, billing: Run) -> tuple[str, ...]:
    """Return the accounts that a run bills and that a run of its cycle, up to the day on which it begins, has left out."""
    columns, rows, before = run.c, run_account.c, run_account.alias("before")
    runs_before = sa.select(columns.id).where(
        columns.book == billing.book,
        columns.cycle == billing.cycle,
        columns.period_end == billing.period.start,
        columns.kind != "rehearsal",
        columns.state != "cancelled",
    )
    query = (  # of each of these few runs only the accounts that it has left out are looked up in this one
        sa.select(rows.account)
        .distinct()
        .join(before, sa.and_(before.c.account_id == rows.account_id, rows.run_id == billing.id))
        .where(
            before.c.run_id.in_(connection.scalars(runs_before).all()),
            _is_left(before),
            rows.state.in_(("drafted", "approved")),
        )
        .order_by(rows.account)
    )
    return tuple(connection.scalars(query))


def came_before(connection: Connection, billing: Run, since: date) -> tuple[str, ...]:
    """Return the accounts that a run bills and none had before, of which an agreement began before it, but not before a date.

    Args:
        connection: a connection.
        billing: the run.
        since: the first date of which agreements count.
    """
    columns, rows, before = run.c, run_account.c, run_account.alias("before")
    right_before = sa.select(columns.id).where(
        columns.book == billing.book,
        columns.period_end == billing.period.start,
        columns.kind != "rehearsal",
        columns.state != "cancelled",
    )
    # Nearly all are in these few runs; what others have had is looked up one by one.
    had = sa.exists().where(before.c.account_id == rows.account_id, before.c.run_id.in_(connection.scalars(right_before).all()))
    came = sa.exists().where(
        agreement.c.account == rows.account, agreement.c.starts_on >= since, agreement.c.starts_on < billing.period.start
    )
    query = sa.select(rows.account).where(rows.run_id == billing.id, rows.state.in_(("drafted", "approved")), ~had, came)
    found = connection.scalars(query).all()
    started = started_dates_of(connection, found)
    return tuple(sorted(one for one in found if started.get(one, (billing.period,))[0].start >= billing.period.start))


def _is_left(accounts_of: sa.FromClause) -> sa.ColumnElement[bool]:
    rows = accounts_of.c
    return sa.or_(rows.state.in_(("held", "pending")), sa.and_(rows.state == "skipped", rows.reason == CANCELLED))


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
            waits = query is claimed and row.own == "approved"
            one = BilledDates(dates=dates, run=row.code, is_over=over, is_approved=waits and not over)
            found.setdefault(names[row.account_id], {})[dates] = one
    return {
        account: tuple(sorted(spans.values(), key=lambda one: (one.dates.start, one.dates.end)))
        for account, spans in sorted(found.items())
    }
