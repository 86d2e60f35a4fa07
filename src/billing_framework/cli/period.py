"""``billing period``: accounting periods, opened also ahead of time and closed for good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.output import emit, exit_for, show_findings, table
from billing_framework.ledger.book import AccountingPeriod
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.periods import (
    Closing,
    book_periods,
    close_book_period,
    inclusive,
    look_at_closing,
    month_or_date,
    months,
    open_periods,
    runs_dated_into,
)


@click.group()
def period() -> None:
    """Open and close accounting periods.

    Example:
      billing period open US 2026-01 --through 2026-12
      billing period list US
    """


_first = click.option("--from", "first", type=date_type, metavar="DATE", help="First date of a period that is no month.")
_last = click.option("--to", "last", type=date_type, metavar="DATE", help="Its last date.")


@period.command("open")
@click.argument("book")
@click.argument("month", required=False)
@click.option("--through", metavar="MONTH", help="Open every month up to this one too.")
@_first
@_last
@reason_option
@pass_deployment
@click.pass_context
def open_(
    context: click.Context,
    deployment: Deployment,
    *,
    book: str,
    month: str | None,
    through: str | None,
    first: datetime | None,
    last: datetime | None,
    reason: str,
) -> None:
    """Open periods for posting: a month, several months ahead of time, or the dates from --from to --to.

    Example:
      billing period open US 2026-07
      billing period open US 2026-01 --through 2026-12
      billing period open US --from 2026-02-02 --to 2026-03-01
    """
    if month is not None and first is None and last is None:
        spans = months(month, through or month)
    elif month is None and through is None and first is not None and last is not None:
        spans = (inclusive(first.date(), last.date()),)
    else:
        raise click.UsageError("give a MONTH (and perhaps --through), or both --from and --to")
    opened = open_periods(deployment, book, spans, reason=reason)
    done = f"opened {', '.join(str(one.span) for one in opened)}" if opened else "all of them were open already"
    emit(context, {"opened": [_facts(one) for one in opened]}, f"book {book}: {done}")


@period.command("list")
@click.argument("book")
@pass_deployment
@click.pass_context
def list_periods(context: click.Context, deployment: Deployment, book: str) -> None:
    """List the periods of a book.

    Example:
      billing period list US
    """
    rows = [_facts(one) for one in book_periods(deployment, book)]
    emit(context, rows, lambda: table(("first", "last", "state"), (list(row.values()) for row in rows)))


@period.command()
@click.argument("book")
@click.argument("month", required=False, metavar="[MONTH|DATE]")
@_first
@_last
@click.option("--leave-earlier", is_flag=True, help="Close it although earlier periods that have entries stay open.")
@click.option("--check", "check_only", is_flag=True, help="Only say what would happen.")
@reason_option
@pass_deployment
@click.pass_context
def close(
    context: click.Context,
    deployment: Deployment,
    *,
    book: str,
    month: str | None,
    first: datetime | None,
    last: datetime | None,
    leave_earlier: bool,
    check_only: bool,
    reason: str,
) -> None:
    """Close a period that has ended, for good: nothing can be posted into it any more.

    It is named as it was opened: a month, or the dates from --from to --to. A DATE names the period that holds it.
    With --check, exit code 1 where it would be refused.

    Example:
      billing period close US 2026-06 --check
      billing period close US 2026-06 --reason "June is reported"
      billing period close US --from 2026-02-02 --to 2026-03-01 --reason "the second period is reported"
    """
    if month is not None and first is None and last is None:
        wanted = month_or_date(month)
    elif month is None and first is not None and last is not None:
        wanted = inclusive(first.date(), last.date())
    else:
        raise click.UsageError("give a MONTH or a DATE, or both --from and --to")
    if check_only:
        found = look_at_closing(deployment, book, wanted, leave_earlier=leave_earlier)
        show_findings(context, found.findings)
        emit(context, found, lambda: _looked_at(found))
        exit_for(context, found.findings)
        return
    closed = close_book_period(deployment, book, wanted, reason=reason, leave_earlier=leave_earlier)
    if closed is not None:
        emit(context, _facts(closed), lambda: _closed(deployment, closed))
        return
    standing = look_at_closing(deployment, book, wanted).period
    emit(context, _facts(standing), f"nothing to do: {standing.span} of book {book} is closed")


def _looked_at(found: Closing) -> Iterator[str]:
    would = "would not be closed" if found.findings else "would be closed for good"
    would = would if found.period.is_open else "is closed already"
    yield f"book {found.period.book}: {found.period.span} {would}; {found.entries} entries are dated into it"
    yield from (f"  earlier and open: {span}, {entries or 'no'} entries" for span, entries in found.earlier.items())


def _closed(deployment: Deployment, closed: AccountingPeriod) -> Iterator[str]:
    yield f"book {closed.book}: closed {closed.span}; what is still to be posted bears a date in an open period"
    for run in runs_dated_into(deployment, closed):
        yield f"  the run {run} is dated into it: cancel it, and start it with a later date: billing run start --as-of DATE"
    left = [one for one in book_periods(deployment, closed.book) if one.is_open]
    earlier = [one for one in left if one.span.start < closed.span.start]
    if earlier:
        yield f"  earlier and still open: {_first_of(earlier)}"
    if left:
        yield f"  open: {_first_of(left)}"
    else:
        yield f"  no period is open; open one before the next posting: billing period open {closed.book} MONTH"


def _first_of(periods: Sequence[AccountingPeriod]) -> str:
    more = f" and {len(periods) - 1} more" if len(periods) > 1 else ""
    return f"{periods[0].span}{more}"


def _facts(period: AccountingPeriod) -> dict[str, str]:
    state = "open" if period.is_open else "closed"
    return {"first": period.span.start.isoformat(), "last": period.span.last.isoformat(), "state": state}
