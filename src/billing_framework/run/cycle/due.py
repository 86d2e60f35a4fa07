"""Starts the runs that are due: the last period of every cycle, or, to catch up, the oldest missed period of every account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.cycle import last_period
from billing_framework.run.cycle.behind import start_in_order
from billing_framework.run.cycle.missed import Missed, missed_periods, oldest
from billing_framework.run.cycle.post import leave_unbilled
from billing_framework.run.cycle.resume import resume_run
from billing_framework.run.cycle.start import RunReport, RunRequest, refuse_unused, start_run
from billing_framework.run.deployment import Deployment
from billing_framework.run.work.coordinate import Progress
from billing_framework.run.work.work import Work
from billing_framework.storage import audit
from billing_framework.storage.billing.run_counts import counts_by_state
from billing_framework.storage.billing.run_rows import Run, locked, move_run, runs
from billing_framework.storage.master.account_rows import (
    account_codes,
    account_cycles,
    accounts_of_groups,
    load_accounts,
)
from billing_framework.storage.master.account_tables import account as account_table
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.master.near_codes import near_codes
from billing_framework.values.calendar import ReadDateCycle, parse_cycle
from billing_framework.values.clock import timezone, today
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.period import DateSpan
from billing_framework.values.spelling import did_you_mean

DEFAULT_MOST = 12


@attrs.frozen(kw_only=True)
class DueRequest:
    """What an officer asks for.

    Attributes:
        book: code of the book.
        cycles: billing cycles in text form; all of the book's accounts where empty.
        as_of: date of the documents, by which periods have ended; today in the book's zone where None.
        accounts: codes that a catch-up is restricted to, empty for all.
        groups: run groups that the runs are restricted to, empty for all.
        kind: ``final`` or ``rehearsal``.
        most: an account that has missed more periods is not caught up.
    """

    book: str
    cycles: tuple[str, ...] = ()
    as_of: date | None = None
    accounts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    kind: str = "final"
    most: int = DEFAULT_MOST


@attrs.frozen(kw_only=True)
class DueReport:
    """What was started.

    Attributes:
        runs: the runs, in the order in which they were started.
        unread: cycles whose periods only readings tell; their runs are started with two dates.
        waiting: code of a run to the number of accounts that miss periods and wait until it is posted.
        too_far: account to the number of periods that it has missed, where these are more than are caught up.
        left: number of missed periods that are left when these runs are posted.
        behind: cycle to what is missed of it, where its last period was not started because earlier ones are missed.
    """

    runs: tuple[RunReport, ...]
    unread: tuple[str, ...] = ()
    waiting: Mapping[str, int] = attrs.field(factory=dict)
    too_far: Mapping[str, int] = attrs.field(factory=dict)
    left: int = 0
    behind: Mapping[str, str] = attrs.field(factory=dict)


def start_due(
    deployment: Deployment, request: DueRequest, *, work: Work | None = None, progress: Progress | None = None
) -> DueReport:
    """Start the run of the last period that has ended, for each cycle of a book, or go on with it.

    A cycle of which earlier periods are missed is named and left to `catch_up`.

    Raises:
        NotFound: there is no such book, or ``RUN62``: nobody is billed on a cycle.
        ValueRefused: ``VALUE17`` for a text that is no cycle.
    """
    day, cycles, unread = _asked(deployment, request)
    reports = []
    behind = {}
    for cycle in cycles:
        period = last_period(parse_cycle(cycle, deployment.settings.custom_cycles), day)
        wanted = RunRequest(
            book=request.book,
            cycle=cycle,
            period=period,
            as_of=request.as_of,  # a run of yesterday keeps its date where none is asked for
            accounts=request.accounts,
            groups=request.groups,
            kind=request.kind,
        )
        try:
            reports.append(start_in_order(deployment, wanted, work=work, progress=progress))
        except Refused as refused:
            if refused.code != "RUN63":
                raise
            behind[cycle] = refused.what
    return DueReport(runs=tuple(reports), unread=unread, behind=behind)


def catch_up(
    deployment: Deployment, request: DueRequest, *, work: Work | None = None, progress: Progress | None = None
) -> DueReport:
    """Start a run of the oldest missed period of every account that has missed one: never a later one before it.

    An account whose earlier run is not posted waits for it, because the bills after it rest on what that one carries on. The
    same command after posting goes on with the next period, until nothing is missed; where it was cut off, it goes on with what
    it has begun.

    Raises:
        NotFound: there is no such book or account, or ``RUN62``: nobody is billed on a cycle.
        Refused: ``RUN53`` for a rehearsal, which leaves nothing for the next period to rest on.
    """
    if request.kind != "final":
        raise Refused(
            "RUN53", "a catch-up is no rehearsal", remedy="Rehearse a single period: billing run start --rehearsal --period"
        )
    day, cycles, unread = _asked(deployment, request)
    reports: list[RunReport] = []
    waiting: dict[str, int] = {}
    too_far: dict[str, int] = {}
    left = 0
    for cycle in cycles:
        reports += _gone_on(deployment, request, cycle, day, work=work, progress=progress)
        missed = _missed(deployment, request, cycle, day)
        far = {account: len(one.periods) for account, one in missed.items() if len(one.periods) > request.most}
        ready = {account: one for account, one in missed.items() if account not in far and not one.waits_for}
        for account, one in missed.items():
            left += len(one.periods) - (account in ready)
            if one.waits_for and account not in far:
                waiting[one.waits_for] = waiting.get(one.waits_for, 0) + 1
        too_far |= far
        reports += _started(deployment, request, cycle, oldest(ready), work=work, progress=progress)
    return DueReport(runs=tuple(reports), unread=unread, waiting=dict(sorted(waiting.items())), too_far=too_far, left=left)


def _asked(deployment: Deployment, request: DueRequest) -> tuple[date, list[str], tuple[str, ...]]:
    """Return the date, the cycles whose periods a calendar tells, and those of which only readings do."""
    with deployment.database.read() as connection:
        zone = load_book(connection, request.book).profile.zone
        calendars = deployment.settings.custom_cycles
        _refuse_unknown(connection, request)
        among = {*request.accounts, *(accounts_of_groups(connection, request.book, request.groups) if request.groups else ())}
        cycles = sorted(request.cycles or account_cycles(connection, request.book, among))
        unread = tuple(cycle for cycle in cycles if isinstance(parse_cycle(cycle, calendars), ReadDateCycle))
        refuse_unused(account_cycles(connection, request.book), cycles)
    day = request.as_of or today(deployment.clock, timezone(zone))
    return day, [cycle for cycle in cycles if cycle not in unread], unread


def _refuse_unknown(connection: Connection, request: DueRequest) -> None:
    unknown = sorted(set(request.accounts) - load_accounts(connection, request.accounts).keys())
    if unknown:
        near = near_codes(connection, account_table.c.code, unknown[0], book=request.book, status="active")
        raise NotFound("RUN04", f"there is no account {unknown[0]!r}", remedy=did_you_mean(unknown[0], near))


def _missed(deployment: Deployment, request: DueRequest, cycle: str, day: date) -> dict[str, Missed]:
    with deployment.database.read() as connection:
        accounts = _accounts(connection, request, cycle)
        return missed_periods(connection, request.book, accounts, parse_cycle(cycle, deployment.settings.custom_cycles), day)


def _accounts(connection: Connection, request: DueRequest, cycle: str) -> tuple[str, ...]:
    accounts = account_codes(connection, request.book, cycle)
    if request.accounts:
        accounts = tuple(account for account in accounts if account in request.accounts)
    if request.groups:
        grouped = set(accounts_of_groups(connection, request.book, request.groups))
        accounts = tuple(account for account in accounts if account in grouped)
    return accounts


def _gone_on(
    deployment: Deployment, request: DueRequest, cycle: str, day: date, *, work: Work | None, progress: Progress | None
) -> list[RunReport]:
    """Draft what is left to draft in runs of periods that have ended, oldest first; of some accounts only where no others are."""
    with deployment.database.read() as connection:
        begun = [
            run
            for run in runs(connection, book=request.book, cycle=cycle, kind="final", state="drafting")
            if run.period.end <= day
        ]
        if begun and (request.accounts or request.groups):
            own = set(_accounts(connection, request, cycle))
            begun = [run for run in begun if run.accounts and own.issuperset(run.accounts)]
    reports = []
    for run in sorted(begun, key=lambda one: (one.period.start, one.sequence)):
        done = resume_run(deployment, run.code, work=work, progress=progress)
        reports.append(
            _passed_over(deployment, RunReport(run=done.run, counts=done.counts, drafted=done.drafted, findings=done.findings))
        )
    return reports


def _started(
    deployment: Deployment,
    request: DueRequest,
    cycle: str,
    groups: Mapping[DateSpan, Sequence[str]],
    *,
    work: Work | None,
    progress: Progress | None,
) -> list[RunReport]:
    reports = []
    for period, accounts in groups.items():
        wanted = RunRequest(book=request.book, cycle=cycle, period=period, as_of=request.as_of, accounts=tuple(accounts))
        reports.append(_passed_over(deployment, start_run(deployment, wanted, work=work, progress=progress)))
    return reports


def _passed_over(deployment: Deployment, report: RunReport) -> RunReport:
    if report.run is None or set(report.counts) != {"skipped"}:
        return report
    return attrs.evolve(report, run=_end_empty(deployment, report.run))


def _end_empty(deployment: Deployment, run: Run) -> Run:
    """End a run that has found nothing to bill, so that its accounts go on with their next period."""
    with deployment.database.begin() as connection:
        run = locked(connection, run)
        if not run.is_open or set(counts_by_state(connection, run)) != {"skipped"}:
            return run
        leave_unbilled(connection, run)
        now = deployment.clock.now()
        after = {"state": "posted", "documents": 0}
        audit.record(
            connection, now, deployment.actor, "run post", object_kind="run", object_key=run.code, after=after, reason=_NOTHING
        )
        return move_run(connection, run, "posted", ended_by=deployment.actor, ended_at=now, reason=_NOTHING)


_NOTHING = "there was nothing to bill"
