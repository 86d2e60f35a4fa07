"""Starts a run only where no period of its cycle before it was left out, or where an officer leaves it out for a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.cycle.missed import missed_periods
from billing_framework.run.cycle.start import LeftOut, RunReport, RunRequest, start_run
from billing_framework.run.deployment import Deployment
from billing_framework.run.work.coordinate import Progress
from billing_framework.run.work.work import Work
from billing_framework.storage.billing.billed_dates import billing_since, started_dates_of
from billing_framework.storage.billing.run_rows import Run, runs
from billing_framework.storage.master.account_rows import account_codes, accounts_of_groups
from billing_framework.values.calendar import ReadDateCycle, parse_cycle
from billing_framework.values.errors import Refused
from billing_framework.values.period import DateSpan
from billing_framework.values.spelling import first_of

_NAMED = 3


def start_in_order(
    deployment: Deployment,
    request: RunRequest,
    *,
    leave_missed: str = "",
    work: Work | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Start a run or go on with one, as `start_run`, where its accounts miss no earlier period that no run was started for.

    Periods before the first run of the cycle were billed by whoever did so before, but not those of accounts that came to the
    book since its own first run; rehearsals and migrations bill nothing.

    Args:
        deployment: the deployment.
        request: what to bill.
        leave_missed: why it is started although earlier periods are missed; kept in the audit trail.
        work: by whom and in what shards it is worked on; by default as the settings say.
        progress: told how many accounts of how many are drafted.

    Raises:
        Refused: ``RUN63`` where earlier periods are missed, and no reason is given to leave them.
    """
    missed = _missed(deployment, request)
    if missed and not leave_missed.strip():
        raise Refused(
            "RUN63",
            f"no run was started for earlier periods of the cycle {request.cycle}: {_told(missed)}",
            remedy=f"Bill them in their order: billing run catch-up --book {request.book} --cycle {request.cycle};"
            " or start this one before them: --leave-missed REASON",
        )
    left_out = LeftOut(periods=missed, reason=leave_missed) if missed else None
    return start_run(deployment, attrs.evolve(request, left_out=left_out), work=work, progress=progress)


def _told(missed: Mapping[DateSpan, int]) -> str:
    named = [f"{period} ({count} account{'s' * (count > 1)})" for period, count in sorted(missed.items())]
    return first_of(named, _NAMED)


def _missed(deployment: Deployment, request: RunRequest) -> dict[DateSpan, int]:
    """Return the earlier periods that no run was started for, each to the number of accounts that miss it."""
    cycle = parse_cycle(request.cycle, deployment.settings.custom_cycles)
    if request.kind != "final" or isinstance(cycle, ReadDateCycle):
        return {}
    with deployment.database.read() as connection:
        known = [one for one in runs(connection, book=request.book, cycle=request.cycle) if one.is_final]
        known = [one for one in known if one.state != "cancelled"]
        earlier = [one.period.start for one in known if one.period.start < request.period.start]
        since = billing_since(connection, request.book) or date.max
        if (not earlier and since >= request.period.start) or any(_goes_before(one, request) for one in known):
            return {}
        begun = min(earlier, default=date.max)
        accounts = _accounts(connection, request)
        started = started_dates_of(connection, accounts)
        found: Counter[DateSpan] = Counter()
        for account, one in missed_periods(connection, request.book, accounts, cycle, request.period.start).items():
            had = started.get(account, ())
            theirs = [period for period in one.periods if one.is_new or period.start >= begun]
            found.update(period for period in theirs if not any(period.intersection(dates) for dates in had))
        return dict(found)


def _goes_before(run: Run, request: RunRequest) -> bool:
    """Return whether a run has had the period, or the one right before it, for all: what came before was looked at then."""
    if run.period == request.period:
        return not run.accounts or (bool(request.accounts) and set(request.accounts) <= set(run.accounts))
    return not run.accounts and run.period.end == request.period.start


def _accounts(connection: Connection, request: RunRequest) -> tuple[str, ...]:
    grouped = accounts_of_groups(connection, request.book, request.groups, request.cycle) if request.groups else ()
    wanted = {*request.accounts, *grouped}
    return tuple(one for one in account_codes(connection, request.book, request.cycle) if not wanted or one in wanted)
