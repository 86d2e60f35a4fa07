"""Starts a run of a billing cycle, or goes on with it: the same command again changes nothing, or finishes what was left.

A run claims the dates that it bills, account by account, so that no two runs bill one date of one account. Accounts that
another run has billed are left to it; what is new since is taken up by a further run over the same period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.billing_group import BillingGroups
from billing_framework.run.cycle.missed import has_unbilled
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.draft import DRAFTING, draft_accounts, stale_accounts
from billing_framework.run.draft.order import waited_enough
from billing_framework.run.review.left_before import left_before
from billing_framework.run.review.let_pass import let_pass
from billing_framework.run.review.told import keep_told
from billing_framework.run.review.unfinished import unfinished
from billing_framework.run.usage.unknown_kinds import refuse_unknown_kinds
from billing_framework.run.versions import computing_versions
from billing_framework.run.work.coordinate import Progress, expect_workers
from billing_framework.run.work.work import Work, work_of
from billing_framework.storage import audit
from billing_framework.storage.billing.candidate_rows import CandidateFile, add_candidates, candidate_digests
from billing_framework.storage.billing.keys import PeriodClaim, claim_periods, claims_of
from billing_framework.storage.billing.run_counts import counts_by_state
from billing_framework.storage.billing.run_rows import (
    HoldEvidence,
    Run,
    RunAccount,
    add_accounts,
    insert_run,
    locked,
    move_run,
    run_accounts,
    run_accounts_of,
    runs,
    save_accounts,
)
from billing_framework.storage.master.account_rows import account_codes, account_cycles, accounts_of_groups, load_accounts
from billing_framework.storage.master.account_tables import account as accounts
from billing_framework.storage.master.billing_group_rows import load_billing_groups
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.master.near_codes import near_codes
from billing_framework.storage.turn import take_turn
from billing_framework.values.calendar import ReadDateCycle
from billing_framework.values.clock import timezone, today
from billing_framework.values.errors import InputRefused, NotFound, Refused
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan
from billing_framework.values.spelling import did_you_mean


@attrs.frozen(kw_only=True)
class LeftOut:
    """That a run is started although earlier periods of its cycle were never started, kept in the audit trail.

    Attributes:
        periods: each of these periods to the number of accounts that miss it.
        reason: why they are left out.
    """

    periods: Mapping[DateSpan, int]
    reason: str


@attrs.frozen(kw_only=True)
class RunRequest:
    """What an officer asks for.

    Attributes:
        book: code of the book.
        cycle: billing cycle in text form.
        period: billing period.
        as_of: date of the documents; today in the book's zone where None.
        accounts: codes that it is restricted to, empty for all of the cycle.
        kind: ``final``, ``rehearsal`` or ``migration``.
        candidates: plans that a rehearsal tries out in the place of those in force.
        groups: run groups that it is restricted to, such as read routes; those who come to them later get a run of their own.
        left_out: earlier periods that an officer leaves out.
    """

    book: str
    cycle: str
    period: DateSpan
    as_of: date | None = None
    accounts: tuple[str, ...] = ()
    kind: str = "final"
    candidates: tuple[CandidateFile, ...] = ()
    groups: tuple[str, ...] = ()
    left_out: LeftOut | None = None


@attrs.frozen(kw_only=True)
class RunReport:
    """What starting a run did.

    Attributes:
        run: the run, None where there was nothing to bill.
        is_new: True where it did not exist before.
        counts: state of an account to the number of the run's accounts in it.
        drafted: number of accounts that were drafted now.
        stale: number of drafts that were made again because their input had changed.
        billed_elsewhere: number of accounts whose period another run has billed, and that are not in this one.
        goes_beyond: True where a run went on that had been started for more accounts than were asked for now.
        findings: what changes no result but should be known, such as a period that has not ended.
    """

    run: Run | None
    is_new: bool = False
    counts: Mapping[str, int] = attrs.field(factory=dict)
    drafted: int = 0
    stale: int = 0
    billed_elsewhere: int = 0
    goes_beyond: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        """True where nothing was drafted, because everything was done before."""
        return not self.drafted and not self.is_new


def start_run(
    deployment: Deployment,
    request: RunRequest,
    *,
    batch_size: int | None = None,
    work: Work | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Start a run or go on with one: draft what is pending, draft anew what is stale or held for its data.

    Args:
        deployment: the deployment.
        request: what to bill.
        batch_size: accounts per transaction, a whole shard where None; it decides nothing else.
        work: by whom and in what shards it is worked on; by default as the settings say.
        progress: told how many accounts of how many are drafted.

    Raises:
        NotFound: the book or an account does not exist, or ``RUN62``: nobody is billed on the cycle.
        InputRefused: ``RUN52`` where plans are to be tried out in a run that is no rehearsal.
        Refused: ``RUN03`` where the run is approved already, or its documents bear another date than is asked for.
        ConfigurationError: ``RUN44`` where the workers cannot be had, ``USAGE34`` where usage of the period is of a plugin that
            is not enabled; nothing is stored.
    """
    work = work or work_of(deployment, batch_size)
    expect_workers(deployment, DRAFTING, work)
    opened = _open(deployment, request)
    if opened.run is None:
        return opened
    run = opened.run
    if not run.is_open:
        return attrs.evolve(opened, counts=_counts(deployment, run))
    stale = 0 if opened.is_new else make_pending(deployment, run)
    told: list[Finding] = []
    run, drafted = finish_drafting(deployment, run, attrs.evolve(work, tell=told.append), progress)
    keep_told(deployment, run, told)
    with deployment.database.read() as connection:
        counts = counts_by_state(connection, run)
        findings = (*unfinished(run), *left_before(connection, run), *let_pass(deployment, connection, run), *told)
    return attrs.evolve(opened, run=run, counts=counts, drafted=drafted, stale=stale, findings=findings)


def finish_drafting(deployment: Deployment, run: Run, work: Work, progress: Progress | None = None) -> tuple[Run, int]:
    """Draft what is pending in a run, in shards; return the run as it is then, and how many accounts were drafted here.

    Args:
        deployment: the deployment.
        run: a run that is not approved.
        work: by whom and in what shards it is worked on.
        progress: told how many accounts of how many are drafted.

    Raises:
        Refused: ``RUN03`` where somebody cancels it meanwhile.
    """
    drafted = draft_accounts(deployment, run, work=work, progress=progress)
    with deployment.database.begin() as connection:
        run = locked(connection, run)
        if run.state == "cancelled":
            raise Refused("RUN03", f"the run {run.code} was cancelled meanwhile", remedy="Start another one: billing run start")
        if run.state == "drafting" and not counts_by_state(connection, run).get("pending"):
            run = move_run(connection, run, "drafted")
    return run, drafted


def _counts(deployment: Deployment, run: Run) -> dict[str, int]:
    with deployment.database.read() as connection:
        return counts_by_state(connection, run)


def _open(deployment: Deployment, request: RunRequest) -> RunReport:
    with deployment.database.begin() as connection:
        # Two officers who start the same run get one run: the second finds what the first has opened.
        take_turn(connection, "run start", request.book)
        book = load_book(connection, request.book)
        refuse_unknown_kinds(connection, deployment.host, request.period, book.profile.zone)
        given = attrs.evolve(
            request,
            as_of=request.as_of or today(deployment.clock, timezone(book.profile.zone)),
            accounts=_restricted(connection, request),
        )
        groups = load_billing_groups(connection, request.book)
        own = _accounts(connection, given, groups)
        earlier = _earlier(connection, given)
        if not own and not earlier:
            refuse_unused(account_cycles(connection, request.book), [request.cycle])
        live = _to_resume(_with_candidates(connection, earlier, given), given)
        claims = {} if given.kind == "rehearsal" else claims_of(connection, own, given.period)
        parts = {account for account, claim in claims.items() if claim.dates != given.period}
        own = [account for account in own if account not in parts or has_unbilled(connection, account, given.period)]
        if live is not None:
            _refuse_other_date(live, request)
            _audit_left_out(deployment, connection, live, request)
            _take_in_new_accounts(connection, live, own, groups, claims)
            goes_beyond = bool(given.accounts) and set(given.accounts) != set(live.accounts)
            return RunReport(run=live, billed_elsewhere=_elsewhere(connection, live, claims), goes_beyond=goes_beyond)
        free = [account for account in own if account not in claims or claims[account].dates != given.period]
        if not free:
            done = _holder(earlier, claims)
            if done is not None and done.state != "posted":
                _refuse_other_date(done, request)
            return RunReport(
                run=done, billed_elsewhere=sum(claim.run_id != (done.id if done else 0) for claim in claims.values())
            )
        run = _new_run(deployment, connection, given, 1 + max((run.sequence for run in _siblings(connection, given)), default=0))
        add_candidates(connection, run, given.candidates)
        _audit_left_out(deployment, connection, run, request)
        _take_in_new_accounts(connection, run, free, groups, claims)
        return RunReport(run=run, is_new=True, billed_elsewhere=_elsewhere(connection, run, claims))


def refuse_unused(used: Sequence[str], cycles: Sequence[str]) -> None:
    """Refuse cycles that nobody is billed on, as long as somebody is billed on any.

    Raises:
        NotFound: ``RUN62``, with the cycles that are used.
    """
    if used and (unused := [cycle for cycle in cycles if cycle not in used]):
        remedy = f"Its accounts are billed on {', '.join(used)}"
        raise NotFound("RUN62", f"no account of the book is billed on the cycle {unused[0]}", remedy=remedy)


def _holder(earlier: Sequence[Run], claims: Mapping[str, PeriodClaim]) -> Run | None:
    """Return the run that has the accounts already: one that is under way before one that is posted."""
    having = {claim.run_id for claim in claims.values()}
    known = [run for run in earlier if run.state != "cancelled"]
    return min(known, key=lambda run: (run.id not in having, run.state == "posted"), default=None)


def _elsewhere(connection: Connection, run: Run, claims: Mapping[str, PeriodClaim]) -> int:
    """Return how many accounts another run bills, without those that are in this one as well."""
    others = [account for account, claim in claims.items() if claim.run_id != run.id]
    return len(others) - len(run_accounts_of(connection, run, others))


def _restricted(connection: Connection, request: RunRequest) -> tuple[str, ...]:
    """Return the accounts that a run is restricted to: those that are named, and those of the groups that are."""
    if not request.groups:
        return request.accounts
    grouped = accounts_of_groups(connection, request.book, request.groups, request.cycle)
    if not grouped:
        raise NotFound(
            "RUN58",
            f"no account of the run group {', '.join(request.groups)} is billed on cycle {request.cycle}",
            remedy="Name its cycle: billing account list tells it",
        )
    return tuple(sorted({*request.accounts, *grouped}))


def _siblings(connection: Connection, request: RunRequest) -> list[Run]:
    """Return the runs whose code begins alike: over periods that begin on the same day."""
    return runs(connection, book=request.book, cycle=request.cycle, period_start=request.period.start, kind=request.kind)


def _with_candidates(connection: Connection, earlier: Sequence[Run], request: RunRequest) -> list[Run]:
    """Return the runs that try out the very plans that are asked for, which is none but in a rehearsal."""
    if request.kind != "rehearsal":
        if request.candidates:
            raise InputRefused(
                "RUN52", "only a rehearsal tries out plans", remedy="Add --rehearsal; to put a plan in force, load it"
            )
        return list(earlier)
    wanted = {one.plan.sha256 for one in request.candidates}
    return [run for run in earlier if candidate_digests(connection, run) == wanted]


def _refuse_other_date(live: Run, request: RunRequest) -> None:
    if request.as_of is None or request.as_of == live.as_of:
        return
    raise Refused(
        "RUN03",
        f"the run {live.code} is {live.state} with documents of {live.as_of}, not of {request.as_of}",
        remedy=f"Leave the date out, or cancel the run first: billing run cancel {live.code}",
    )


def _earlier(connection: Connection, request: RunRequest) -> list[Run]:
    """Return the runs over the same period; those that accounts may be added to are held, so that nobody approves them now."""
    found = runs(
        connection,
        book=request.book,
        cycle=request.cycle,
        period_start=request.period.start,
        period_end=request.period.end,
        kind=request.kind,
    )
    return [locked(connection, run) if run.is_open else run for run in found]


def _accounts(connection: Connection, request: RunRequest, groups: BillingGroups) -> list[str]:
    """Return the accounts of the cycle that are billed: those asked for, with all that are billed together with them."""
    of_cycle = dict.fromkeys(account_codes(connection, request.book, request.cycle))
    if request.accounts:
        known = load_accounts(connection, request.accounts)
        for code in request.accounts:
            if code not in known:
                near = near_codes(connection, accounts.c.code, code, book=request.book, status="active")
                raise NotFound("RUN04", f"there is no account {code!r}", remedy=did_you_mean(code, near))
            if code not in of_cycle:
                raise Refused(
                    "RUN04",
                    f"account {code} is not billed by book {request.book} on cycle {request.cycle}, or it is closed",
                    remedy=f"Its book is {known[code].book}, its cycle {known[code].cycle}, its status {known[code].status}",
                )
    wanted = set(request.accounts or of_cycle)
    # A bill that another account pays is complete only with everything else on it, a shared charge only with all its parts.
    heads = {groups.head(code) for code in wanted}
    return sorted(code for code in of_cycle if groups.head(code) in heads)


def _to_resume(earlier: Sequence[Run], request: RunRequest) -> Run | None:
    for run in earlier:
        covers = not run.accounts or (request.accounts and set(request.accounts) <= set(run.accounts))
        if (run.is_open or run.state in ("approved", "posting")) and covers:
            return run
    return None


def _new_run(deployment: Deployment, connection: Connection, request: RunRequest, sequence: int) -> Run:
    now = deployment.clock.now()
    mark = "r" if request.kind == "rehearsal" else "m" if request.kind == "migration" else ""
    run = Run(
        code=f"{request.book}.{request.period.start}.{request.cycle.replace(':', '-')}.{mark}{sequence}",
        book=request.book,
        cycle=request.cycle,
        period=request.period,
        kind=request.kind,
        sequence=sequence,
        as_of=request.as_of or today(deployment.clock, timezone("UTC")),
        known_at=now,
        accounts=request.accounts,
        state="drafting",
        versions=computing_versions(deployment),
        started_by=deployment.actor,
        started_at=now,
    )
    insert_run(connection, run)
    after = {"period": str(run.period), "kind": run.kind, "as_of": run.as_of.isoformat(), "accounts": list(run.accounts)}
    audit.record(connection, now, deployment.actor, "run start", object_kind="run", object_key=run.code, after=after)
    return run


def _audit_left_out(deployment: Deployment, connection: Connection, run: Run, request: RunRequest) -> None:
    if request.left_out is None:
        return
    audit.record(
        connection,
        deployment.clock.now(),
        deployment.actor,
        "run leave missed",
        object_kind="run",
        object_key=run.code,
        after={str(period): count for period, count in request.left_out.periods.items()},
        reason=request.left_out.reason,
    )


def _take_in_new_accounts(
    connection: Connection, run: Run, own: Sequence[str], groups: BillingGroups, claims: Mapping[str, PeriodClaim]
) -> None:
    """Add accounts to a run that have come to its cycle, and those that only pay for one of its accounts."""
    if not run.is_open:
        return
    before = run_accounts(connection, run)
    if any(row.state == "posted" for row in before):
        return  # a part is posted: what is new may belong together with it, and goes to the next run
    known = {row.account for row in before}
    behind = [row for row in before if any(item.check == "period" for item in row.evidence)]
    freed = [row for row in behind if row.account not in claims]
    new = [account for account in own if account not in known and claims.get(account, _NO_CLAIM).dates != run.period]
    taken = {account: claims[account] for account in [*new, *(row.account for row in behind)] if account in claims}
    in_the_way = _in_the_way(connection, run, taken)
    rows = [_with_hold(RunAccount(account=account), in_the_way.get(account)) for account in new]
    billed = {account for account in own if account not in claims or claims[account].run_id == run.id}
    payers = {payer for account in billed for payer in groups.bearers(account)} - known - set(new)
    rows += [RunAccount(account=account) for account in sorted(payers)]
    add_accounts(connection, run, rows)
    save_accounts(connection, run, [attrs.evolve(row, state="pending", evidence=()) for row in freed])
    told_anew = [_with_hold(row, in_the_way[row.account]) for row in behind if row.account in in_the_way]
    save_accounts(connection, run, [row for row in told_anew if row not in behind])
    if run.is_final:
        claim_periods(connection, run, [*(account for account in new if account not in claims), *(row.account for row in freed)])
    if (rows or freed) and run.state == "drafted":
        move_run(connection, run, "drafting")


_NO_CLAIM = PeriodClaim(dates=DateSpan(date.min, date.max), run_id=0)
_READ_DATE = str(ReadDateCycle())


def _with_hold(row: RunAccount, hold: HoldEvidence | None) -> RunAccount:
    if hold is None:
        return row
    others = (item for item in row.evidence if item.check != hold.check)
    return attrs.evolve(row, state="held", reason=hold.finding.what, evidence=(*others, hold))


def _in_the_way(connection: Connection, run: Run, claims: Mapping[str, PeriodClaim]) -> dict[str, HoldEvidence]:
    """Return of accounts of which another run has some of the dates what holds them: that run, and what helps."""
    found = {}
    for run_id in sorted({claim.run_id for claim in claims.values()}):
        (other,) = runs(connection, id=run_id)
        theirs = run_accounts_of(connection, other, [account for account, claim in claims.items() if claim.run_id == run_id])
        for account, row in theirs.items():
            finding = _billed_by(other, run, account, claims[account].dates, posted="posted" in (other.state, row.state))
            found[account] = HoldEvidence(check="period", finding=finding)
    return found


def _billed_by(other: Run, run: Run, account: str, dates: DateSpan, *, posted: bool) -> Finding:
    if posted:
        what = f"some of these dates are billed with the period {dates} by the run {other.code}"
        by_dates = f"billing run start --cycle {run.cycle} --period FROM/TO --account {account}"
        rest = by_dates if run.cycle == _READ_DATE else "billing run catch-up"
        remedy = f"Bill the rest as a period of its own: {rest}; or correct the account's cycle"
    else:
        what = f"some of these dates are claimed with the period {dates} by the run {other.code}, which is {other.state}"
        again = f"start this run again: billing run start --cycle {run.cycle} --period {run.period}"
        remedy = f"Cancel it where its dates are wrong, or post it: billing run cancel {other.code}; then {again}"
    return Finding(code="RUN05", what=what, remedy=remedy, subject=account)


def make_pending(deployment: Deployment, run: Run) -> int:
    """Send what is stale, held for its data, or has waited enough back to be drafted; return how many drafts were stale."""
    stale = stale_accounts(deployment, run)
    with deployment.database.begin() as connection:
        run = locked(connection, run)
        if not run.is_open:
            raise Refused("RUN03", f"the run {run.code} is {run.state}", remedy="Cancel it, or post it")
        found = run_accounts_of(connection, run, {*stale, *waited_enough(connection, run)}).values()
        rows = [row for row in found if row.state in ("drafted", "held", "skipped")]
        save_accounts(connection, run, [attrs.evolve(row, state="pending") for row in rows])
        if rows and run.state == "drafted":
            move_run(connection, run, "drafting")
    return sum(bool(row.document) and row.account in stale for row in rows)
