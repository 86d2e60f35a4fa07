"""What an officer sees before approving a run: totals, holds, control totals, what is stale or missing, and the last period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.run.correct.late_items import late_of_run
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.draft import stale_accounts
from billing_framework.run.draft.examine import examined
from billing_framework.run.draft.issuer import mapping_of
from billing_framework.run.review.control import RECORDS, reconciles, records_and_fates
from billing_framework.run.review.held import LEFT_OUT
from billing_framework.run.review.left_before import left_before
from billing_framework.run.review.let_pass import let_pass
from billing_framework.run.review.totals import RunTotals, last_totals, totals_of
from billing_framework.run.review.unassigned import unassigned_records
from billing_framework.run.review.unfinished import unfinished
from billing_framework.run.usage.late import LateUsage, late_usage
from billing_framework.run.work.work import collector_paused
from billing_framework.storage.billing.account_briefs import AccountBrief, account_briefs
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_rows import Run, RunAccount, run_accounts
from billing_framework.storage.master.account_tables import agreement, assignment
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.usage.tables import usage_suspense
from billing_framework.values.finding import Finding

_LATE_DAYS = timedelta(days=400)
"""How far back a review looks for usage of billed periods; the command for late usage looks as far as it is told."""

_MOST_ASTRAY = 20
"""How many identifiers without an agreement a review names."""


@attrs.frozen(kw_only=True)
class RunReview:
    """A run as it stands.

    Attributes:
        run: the run.
        counts: state to the number of accounts in it.
        totals: totals by currency.
        last: what stands now of all runs over the period before, by currency; empty where there is none.
        control: fate of usage records to their number; ``records`` is what the accounts were given, and the others add up to it.
        reconciled: True where every record that an account was given is priced, or not priced or left for later for a reason, in
            every single account: what one has lost is not made up by what another counts twice.
        billed_records: records of accounts that have a draft, without those left for a later bill.
        held_records: records of accounts that are held; some may be priced, others not, before a check has held the account.
        suspended: records that wait in suspense, of whatever period.
        unassigned: identifiers that delivered in the period while they belong to no agreement, to the number of these records.
        held: the held accounts with their evidence; of a run that is over, those that it has left to the next one.
        stale: accounts whose input has changed since they were drafted, with what changed.
        late: late or corrected usage of periods that are billed already.
        digest: digest of the drafts and their entries; empty where a code has no account.
        findings: what stops nothing but should be known, such as a period that has not ended, or a measure without a price.
    """

    run: Run
    counts: Mapping[str, int]
    totals: Mapping[str, RunTotals]
    last: Mapping[str, RunTotals]
    control: Mapping[str, int]
    reconciled: bool
    billed_records: int
    held_records: int
    suspended: int
    unassigned: Mapping[str, int]
    held: tuple[RunAccount, ...]
    stale: Mapping[str, tuple[str, ...]]
    late: tuple[LateUsage, ...]
    digest: str
    findings: tuple[Finding, ...] = ()


def review_run(deployment: Deployment, code: str = "") -> RunReview:
    """Return what an officer needs to decide about a run; it changes nothing.

    Args:
        deployment: the deployment.
        code: code of the run; the one that is meant where empty.

    Raises:
        NotFound: there is no such run.
    """
    with collector_paused(), deployment.database.read() as connection:
        run = meant_run(connection, code)
        rows = account_briefs(connection, run)
        held = [_as_left(run, row) for row in run_accounts(connection, run, states=["held"])]
        totals = totals_of(connection, run)
        last = last_totals(connection, run)
        unassigned = unassigned_records(deployment, connection, run)
        waiting = connection.execute(
            sa.select(sa.func.count()).select_from(usage_suspense).where(usage_suspense.c.state == "suspended")
        ).scalar_one()
        digest = _digest(connection, run, rows)
        told = (*unfinished(run), *left_before(connection, run), *let_pass(deployment, connection, run), *_astray(connection))
    control: Counter[str] = Counter()
    for row in rows:
        control.update(row.control)
    return RunReview(
        run=run,
        counts=dict(sorted(Counter(row.state for row in rows).items())),
        totals=totals,
        last=last,
        control=records_and_fates(control),
        reconciled=all(reconciles(row.control) for row in rows),
        billed_records=sum(_billed(row) for row in rows if row.state in ("drafted", "approved", "posted")),
        held_records=sum(row.control.get(RECORDS, 0) for row in rows if row.state == "held"),
        suspended=waiting,
        unassigned=unassigned,
        held=tuple(held),
        stale=stale_accounts(deployment, run) if run.is_open else {},
        late=_late(deployment, run),
        digest=digest,
        findings=told,
    )


def _as_left(run: Run, row: RunAccount) -> RunAccount:
    """Return a held account with what can be done for it: where the run is over, nothing of it can be released any more."""
    if not run.is_over:
        return row
    evidence = (attrs.evolve(one, finding=attrs.evolve(one.finding, remedy=LEFT_OUT)) for one in row.evidence)
    return attrs.evolve(row, evidence=tuple(evidence))


def _late(deployment: Deployment, run: Run) -> tuple[LateUsage, ...]:
    """Return late usage of billed periods, without that whose difference is on the run's own drafts."""
    found = late_usage(deployment, run.book, since=run.period.start - _LATE_DAYS)
    if not found:
        return ()  # the inputs of all drafts need not be read
    drafted = {item.document for item in late_of_run(deployment, run.code) if not item.code}
    return tuple(one for one in found if one.document not in drafted)


def _astray(connection: Connection) -> tuple[Finding, ...]:
    """Return a finding for each assignment to an agreement that there is not: nobody is billed for what its identifier uses."""
    columns = assignment.c
    known = sa.exists().where(agreement.c.code == columns.agreement)
    query = sa.select(columns.subject, columns.agreement).where(~known).order_by(columns.subject).limit(_MOST_ASTRAY)
    return tuple(
        Finding(
            code="ACCOUNT09",
            what=f"it is assigned to the agreement {row.agreement!r}, which there is not",
            remedy="Find out who changed it behind the program's back, and restore it from a backup",
            subject=row.subject,
        )
        for row in connection.execute(query)
    )


def _billed(row: AccountBrief) -> int:
    left = sum(count for name, count in row.control.items() if name.startswith("deferred: "))
    return row.control.get(RECORDS, 0) - left


def _digest(connection: Connection, run: Run, rows: Sequence[AccountBrief]) -> str:
    keys = {row.document for row in rows if row.document and row.state in ("drafted", "approved", "posted")}
    mapping = mapping_of(load_book(connection, run.book).profile)
    found = examined(connection, run, keys, mapping)
    if found.unmapped(mapping):
        return ""
    if found.error is not None:
        raise found.error
    return found.digest.hexdigest()
