"""Bills one account outside of its cycle: any dates that follow its last bill, or the rest when its agreements have ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import attrs

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.run.collect.view import HeldView, held_money
from billing_framework.run.cycle.start import RunReport, RunRequest, start_run
from billing_framework.run.deployment import Deployment
from billing_framework.run.usage.late import late_usage
from billing_framework.run.usage.waiting import waiting_of_account
from billing_framework.run.work.coordinate import Progress
from billing_framework.run.work.work import Work
from billing_framework.storage.billing.billed_dates import BilledDates, billed_dates_of
from billing_framework.storage.master.account_rows import load_accounts, load_agreements
from billing_framework.storage.master.account_tables import account as accounts
from billing_framework.storage.master.near_codes import near_codes
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.values.calendar import ReadDateCycle, parse_cycle, period_containing
from billing_framework.values.clock import timezone, today
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.period import DateSpan
from billing_framework.values.spelling import did_you_mean

_READ_DATE = str(ReadDateCycle())


@attrs.frozen(kw_only=True)
class OffCycleRequest:
    """What an officer asks for.

    Attributes:
        account: code of the account.
        first: first date to bill; the day after the last bill's where None.
        end: the date after the last to bill; today in the account's zone where None.
        as_of: date of the document; today where None.
        kind: ``final`` or ``rehearsal``.
    """

    account: str
    first: date | None = None
    end: date | None = None
    as_of: date | None = None
    kind: str = "final"


@attrs.frozen(kw_only=True)
class FinalBill:
    """What a final bill came to.

    Attributes:
        started: the run; one without a run where everything is billed.
        ended_on: the date on which the last agreement of the account ended.
        held: deposits and money in trust that are held for the account and can be applied to what it owes, or refunded.
        too_far: numbers of the documents that bill dates after an agreement has ended: they were made before it was ended.
        waiting: number of records of its usage that came after its last bill; the run bills them, where there is one.
    """

    started: RunReport
    ended_on: date
    held: tuple[HeldView, ...] = ()
    too_far: tuple[str, ...] = ()
    waiting: int = 0


def bill_off_cycle(
    deployment: Deployment, request: OffCycleRequest, *, work: Work | None = None, progress: Progress | None = None
) -> RunReport:
    """Start the run of an account's bill over dates of one's own, with all that are billed together with it.

    The dates must follow the last bill and lie within one period of the account's cycle, so that no day is lost or prorated
    twice; what is left of the period is billed by itself, by the next catch-up or off-cycle bill.

    Raises:
        NotFound: ``RUN04``: there is no such account.
        Refused: ``RUN54`` where the dates leave days unbilled, are billed already, or reach into another period; without a first
            date also where the last bill is not posted.
    """
    standing = _standing(deployment, request.account)
    end = request.end or standing.day
    begun = next((one.dates for one in standing.billed if not one.is_over and one.dates.end == end), None)
    if begun is None or request.first not in (None, begun.start):  # else the same command goes on with what it has begun
        if request.first is None:
            _refuse_behind_drafts(standing)
        begun = _dates(deployment, standing, request.first, end)
    report = start_run(deployment, _wanted(standing.account, begun, request), work=work, progress=progress)
    if report.run is None:  # a run has taken these dates since they were looked at: look again, and say which
        return bill_off_cycle(deployment, request, work=work, progress=progress)
    return report


def bill_finally(
    deployment: Deployment, request: OffCycleRequest, *, work: Work | None = None, progress: Progress | None = None
) -> FinalBill:
    """Start the run of an account's last bill, up to the day on which its last agreement ended.

    Where that is posted and usage has come since that waits for a bill, start a run of the dates that follow, which bills it.

    Raises:
        NotFound: ``RUN04``: there is no such account.
        Refused: ``RUN55`` where an agreement has not ended yet, or there is none; ``RUN54`` where earlier periods are not billed.
    """
    standing = _standing(deployment, request.account)
    ended_on = _ended(standing)
    held = tuple(one for one in held_money(deployment, account=request.account) if one.money.minor)
    is_billed = any(one.dates.end >= ended_on and one.is_over for one in standing.billed)
    waiting = _waiting(deployment, standing.account) if is_billed else 0
    if is_billed and not waiting:
        late = late_usage(deployment, standing.account.book, since=ended_on, account=request.account)
        too_far = tuple(one.document for one in late if one.agreements)
        nothing = RunReport(run=None, billed_elsewhere=1)
        return FinalBill(started=nothing, ended_on=ended_on, held=held, too_far=too_far)
    dates = next((one.dates for one in standing.billed if one.dates.end >= ended_on and not one.is_over), None)
    if dates is None:
        dates = _following(deployment, standing) if is_billed else _dates(deployment, standing, None, ended_on)
    started = start_run(deployment, _wanted(standing.account, dates, request), work=work, progress=progress)
    if started.run is None:  # as above
        return bill_finally(deployment, request, work=work, progress=progress)
    return FinalBill(started=started, ended_on=ended_on, held=held, waiting=waiting)


def _waiting(deployment: Deployment, account: Account) -> int:
    with deployment.database.read() as connection:
        return waiting_of_account(connection, kind_tables(deployment.host.kinds), account)


def _following(deployment: Deployment, standing: _Standing) -> DateSpan:
    """Return the dates that follow what is billed, up to yesterday or the end of the cycle's period that they begin."""
    account, begin = standing.account, max(one.dates.end for one in standing.billed)
    if begin >= standing.day:
        what = f"usage came after its last bill, and it is billed up to {begin - timedelta(days=1)}"
        raise _refused(account, what, f"Bill it later, or with the next day: billing run off-cycle {account.code} --to {begin}")
    cycle = parse_cycle(account.cycle, deployment.settings.custom_cycles)
    end = standing.day if isinstance(cycle, ReadDateCycle) else min(standing.day, period_containing(cycle, begin).end)
    return _dates(deployment, standing, None, end)


def _wanted(account: Account, period: DateSpan, request: OffCycleRequest) -> RunRequest:
    return RunRequest(
        book=account.book,
        cycle=account.cycle,
        period=period,
        as_of=request.as_of,
        accounts=(account.code,),
        kind=request.kind,
    )


@attrs.frozen(kw_only=True)
class _Standing:
    """How an account stands: itself, its agreements, what is billed of it, and the present day in its zone."""

    account: Account
    agreements: Sequence[Agreement]
    billed: Sequence[BilledDates]
    day: date


def _standing(deployment: Deployment, code: str) -> _Standing:
    with deployment.database.read() as connection:
        account = load_accounts(connection, [code]).get(code)
        if account is None:
            near = near_codes(connection, accounts.c.code, code)
            raise NotFound("RUN04", f"there is no account {code!r}", remedy=did_you_mean(code, near))
        return _Standing(
            account=account,
            agreements=load_agreements(connection, [code]).get(code, ()),
            billed=billed_dates_of(connection, [code]).get(code, ()),
            day=today(deployment.clock, timezone(account.zone)),
        )


def _ended(standing: _Standing) -> date:
    """Return the date on which the last agreement of an account ended."""
    ends = [one.ends_on for one in standing.agreements if one.ends_on is not None and one.ends_on <= standing.day]
    alive = [one.code for one in standing.agreements if one.ends_on is None or one.ends_on > standing.day]
    if alive or not ends:
        what = f"the agreement {alive[0]} has not ended yet" if alive else "it has no agreement"
        raise Refused(
            "RUN55",
            f"account {standing.account.code} gets no final bill: {what}",
            remedy=f"End it first: billing agreement end {alive[0] if alive else 'CODE'} --on DATE",
        )
    return max(ends)


def _dates(deployment: Deployment, standing: _Standing, first: date | None, end: date) -> DateSpan:
    """Return the dates to bill, which follow what is billed and lie within one period of the account's cycle."""
    account, billed = standing.account, standing.billed
    if not standing.agreements:
        raise Refused("RUN54", f"account {account.code} has no agreement", remedy="Enter one: billing agreement create")
    begin = max((one.dates.end for one in billed), default=min(one.starts_on for one in standing.agreements))
    start = first or begin
    if start < begin and billed:
        if not any(one.dates.start <= start < one.dates.end for one in billed):
            raise _behind(account, billed, start)
        if drafted := next((one for one in billed if one.dates.end > start and not one.is_over), None):
            raise _claimed(account, drafted, begin)
        raise _refused(account, f"the days before {begin} are billed already", f"Bill from {begin} on: leave --from out")
    if start > begin and billed:
        raise _refused(account, f"the days {DateSpan(begin, start)} would be on no bill", f"Bill from {begin} on: --from {begin}")
    if end <= start:
        last = end - timedelta(days=1)
        raise _refused(account, f"it is to be billed from {start} on, and {last} is not later", "Give a later date with --to")
    cycle = parse_cycle(account.cycle, deployment.settings.custom_cycles)
    if not isinstance(cycle, ReadDateCycle) and end > (whole := period_containing(cycle, start)).end:
        raise _refused(
            account,
            f"the dates {DateSpan(start, end)} reach beyond {whole}, the period of its cycle",
            f"Bill what was missed first: billing run catch-up --account {account.code}",
        )
    return DateSpan(start, end)


def _refuse_behind_drafts(standing: _Standing) -> None:
    """Refuse to bill what follows a draft where nobody has said so: those dates may be meant, too."""
    last = max(standing.billed, key=lambda one: one.dates.end, default=None)
    if last is not None and not last.is_over:
        raise _claimed(standing.account, last, last.dates.end)


def _behind(account: Account, billed: Sequence[BilledDates], start: date) -> Refused:
    """Say of dates that come before billed ones, and are on no bill themselves, how they are billed."""
    later = next(one.dates for one in billed if one.dates.start > start)
    days = DateSpan(start, later.start)
    by_dates = f"billing run start --cycle {account.cycle} --period {days} --account {account.code}"
    remedy = by_dates if account.cycle == _READ_DATE else f"billing run catch-up --account {account.code}"
    return _refused(
        account, f"the days {days} are on no bill, but the ones after them are: {later}", f"Bill what was missed: {remedy}"
    )


def _claimed(account: Account, drafted: BilledDates, begin: date) -> Refused:
    return _refused(
        account,
        f"the days {drafted.dates} are claimed by the run {drafted.run}, which is not posted",
        f"Post it, or cancel it to bill them otherwise: billing run cancel {drafted.run}; or bill what follows: --from {begin}",
    )


def _refused(account: Account, what: str, remedy: str) -> Refused:
    return Refused("RUN54", f"account {account.code} cannot be billed for these dates: {what}", remedy=remedy)
