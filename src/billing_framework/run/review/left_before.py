"""Tells which accounts a run bills although days before it were left out and are on no bill: they may be forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from billing_framework.storage.billing.billed_dates import (
    billed_dates_of,
    billed_though_left,
    billed_until,
    billing_since,
    came_before,
    taken_over_until,
)
from billing_framework.storage.billing.run_rows import Run
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import first_of

_NAMED = 3


def left_before(connection: Connection, run: Run) -> tuple[Finding, ...]:
    """Return the findings ``RUN60`` where accounts are billed of which days before are on no bill; they stop nothing.

    That is the period before, which was left out, and what lies before the first bill of who came to the book since it is billed
    here. Where the bill rests on what that period leaves, the account is held instead, and told of here when it is released.

    Args:
        connection: a connection.
        run: a run that is drafted.
    """
    left = billed_though_left(connection, run)
    billed = billed_dates_of(connection, left)
    start = run.period.start
    found = [account for account in left if billed_until(billed.get(account, ()), start) < start]
    return (
        *_told(run, f"the period before {run.period} was left out and is on no bill", found),
        *_told(run, f"days of service before {run.period}, the first bill, are on no bill", _first_days(connection, run)),
    )


def _first_days(connection: Connection, run: Run) -> list[str]:
    """Return the accounts that the run is the first to bill, though an agreement began earlier, since the book is billed here."""
    since = billing_since(connection, run.book)
    if run.kind == "migration" or since is None or since >= run.period.start:
        return []
    came = came_before(connection, run, since)
    taken_over = taken_over_until(connection, came)
    return [account for account in came if account not in taken_over]


def _told(run: Run, what: str, accounts: Sequence[str]) -> tuple[Finding, ...]:
    if not accounts:
        return ()
    finding = Finding(
        code="RUN60",
        severity=Severity.INFORMATION,
        what=f"{what}, of {first_of(accounts, _NAMED)}",
        remedy="Bill it as well: billing run catch-up; what a migration has left out: billing run start --migration",
        subject=run.code,
    )
    return (finding,)
