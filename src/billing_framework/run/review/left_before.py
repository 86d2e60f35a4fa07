"""Tells which accounts a run bills although the period before it was left out and is on no bill: it may be forgotten."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from billing_framework.storage.billing.billed_dates import billed_dates_of, billed_though_left, billed_until
from billing_framework.storage.billing.run_rows import Run
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import first_of

_NAMED = 3


def left_before(connection: Connection, run: Run) -> tuple[Finding, ...]:
    """Return the finding ``RUN60`` where accounts are billed whose period before is on no bill; it stops nothing.

    Where the bill rests on what that period leaves, the account is held instead, and told of here when it is released.

    Args:
        connection: a connection.
        run: a run that is drafted.
    """
    left = billed_though_left(connection, run)
    billed = billed_dates_of(connection, left)
    start = run.period.start
    found = [account for account in left if billed_until(billed.get(account, ()), start) < start]
    if not found:
        return ()
    finding = Finding(
        code="RUN60",
        severity=Severity.INFORMATION,
        what=f"the period before {run.period} was left out and is on no bill, of {first_of(found, _NAMED)}",
        remedy="Bill it as well: billing run catch-up; what a migration has left out: billing run start --migration",
        subject=run.code,
    )
    return (finding,)
