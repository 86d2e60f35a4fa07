"""Cancels runs and purges rehearsals: drafts go, charges and dates are free again, numbers go back or are spent as void."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.numbering import Numbered
from billing_framework.run.cycle.post import leave_unbilled
from billing_framework.run.deployment import Deployment
from billing_framework.run.reason import needs_reason
from billing_framework.run.review.withdraw_approval import withdraw_approval
from billing_framework.storage import audit
from billing_framework.storage.billing import tables
from billing_framework.storage.billing.candidate_rows import drop_candidates
from billing_framework.storage.billing.documents import issue
from billing_framework.storage.billing.draft_rows import delete_drafts
from billing_framework.storage.billing.edit_rows import edits_not_posted
from billing_framework.storage.billing.figure_rows import draft_keys
from billing_framework.storage.billing.keys import free_charges, free_periods
from billing_framework.storage.billing.numbers import issued_among, manifest_of
from billing_framework.storage.billing.run_counts import counts_by_state
from billing_framework.storage.billing.run_rows import (
    CANCELLED,
    ENDED_EARLY,
    Run,
    find_run,
    move_run,
    run_accounts,
    save_accounts,
)
from billing_framework.storage.billing.shard_rows import drop_shards, purge_shards
from billing_framework.values.errors import Refused


@attrs.frozen(kw_only=True)
class CancelReport:
    """What cancelling did.

    Attributes:
        run: the run as it stands now.
        drafts: number of drafts that were removed.
        left: number of accounts that are left to the next run, where what is posted of this one stays.
        edits: accounts whose drafts officers had edited, to the number of edits that the next run does not know.
        void: numbers that were issued as void, because later ones were given out already.
        void_ranges: the same as text, numbers that follow each other as one range.
        was_cancelled: True where it had been cancelled before, and nothing was changed.
    """

    run: Run
    drafts: int = 0
    left: int = 0
    edits: Mapping[str, int] = attrs.field(factory=dict)
    void: tuple[str, ...] = ()
    void_ranges: tuple[str, ...] = ()
    was_cancelled: bool = False


def cancel_run(deployment: Deployment, code: str, *, reason: str, void_numbers: bool = False) -> CancelReport:
    """Cancel a run, or what is left of one whose posting was cut off: what is issued stays, the rest is issued as void.

    Numbers that can go back to their series go back; where some cannot, nothing is done unless they are to be void.

    Args:
        deployment: the deployment.
        code: code of the run.
        reason: why.
        void_numbers: whether numbers that cannot go back to their series are to be issued as void.

    Raises:
        NotFound: there is no such run.
        InputRefused: ``RUN14`` without a reason.
        Refused: ``RUN03`` where it is posted, ``RUN65`` where numbers would be void.
    """
    needs_reason(reason, "cancelling", code="RUN14")
    with deployment.database.begin() as connection:
        run = find_run(connection, code, lock=True)
        if run.state == "cancelled":
            return CancelReport(run=run, was_cancelled=True)
        if run.state == "posted":
            done = "what it took over counts as billed" if run.kind == "migration" else "its documents are issued"
            raise Refused(
                "RUN03",
                f"the run {run.code} is posted: {done}",
                remedy="Credit or rebill them one by one: billing invoice credit, billing invoice rebill",
            )
        before = run.state
        edits = edits_not_posted(connection, run)
        if issued_among(connection, manifest_of(connection, run)):
            report = _end_posting(deployment, connection, run, reason)
        else:
            report = _end(deployment, connection, run, reason)
        report = attrs.evolve(report, edits=edits)
        if report.void and not void_numbers:
            raise Refused(  # which undoes all of it
                "RUN65",
                f"cancelling the run {run.code} would issue {len(report.void)} numbers as void: {', '.join(report.void_ranges)}",
                remedy="Post it to its end: billing run post; or say that these numbers are to be void: --void-numbers",
            )
        audit.record(
            connection,
            deployment.clock.now(),
            deployment.actor,
            "run cancel",
            object_kind="run",
            object_key=run.code,
            before={"state": before},
            after={"state": report.run.state, "void": list(report.void), "edits": sum(edits.values())},
            reason=reason,
        )
        return report


def _end(deployment: Deployment, connection: Connection, run: Run, reason: str) -> CancelReport:
    void = _give_numbers_back(deployment, connection, run, reason) if run.state in ("approved", "posting") else []
    rows = run_accounts(connection, run)
    drop_shards(connection, run)
    spoilt = {row.document for row in rows if row.document} & _void_documents(connection, run)
    drafts = {row.document for row in rows if row.document} - spoilt
    drafts.update(draft_keys(connection, run))  # also those that no account has any more, since somebody changed stored rows
    delete_drafts(connection, drafts)
    free_charges(connection, spoilt)
    free_periods(connection, run, [row.account for row in rows])
    # Nothing of the run is posted; an account that says so was changed by SQL, and the database keeps it so.
    skipped = [attrs.evolve(row, state="skipped", reason=CANCELLED, document=None) for row in rows if row.state != "posted"]
    save_accounts(connection, run, skipped)
    run = find_run(connection, run.code)
    now = deployment.clock.now()
    run = move_run(connection, run, "cancelled", ended_by=deployment.actor, ended_at=now, reason=reason)
    return _report(run, void, drafts=len(drafts))


def _end_posting(deployment: Deployment, connection: Connection, run: Run, reason: str) -> CancelReport:
    """End a run of which some documents are issued: its other accounts go to the next run.

    Numbers of a part that was approved and not posted go back; where posting has begun, they are issued as void.
    """
    text = f"{ENDED_EARLY}{reason}"
    now = deployment.clock.now()
    if run.state == "approved":
        run = _withdrawn(deployment, connection, run, reason)
    manifest = manifest_of(connection, run)
    issued = issued_among(connection, manifest)
    rest = [one for one in manifest if one.document not in issued]
    issue(connection, run.book, rest, now=now, void={one.document: text for one in rest})
    spoilt = {one.document for one in rest}
    free_charges(connection, spoilt)
    drop_shards(connection, run)
    rows = [row for row in run_accounts(connection, run, states=["approved"]) if row.document in spoilt]
    save_accounts(connection, run, [attrs.evolve(row, state="held", reason=text) for row in rows])
    held = counts_by_state(connection, run).get("held", 0)
    waiting = run_accounts(connection, run, states=["drafted", "pending"])
    save_accounts(connection, run, [attrs.evolve(row, state="skipped", reason=CANCELLED) for row in waiting])
    leave_unbilled(connection, run)
    run = move_run(connection, run, "posted", ended_by=deployment.actor, ended_at=now, reason=text)
    return _report(run, rest, left=len(waiting) + held)


def _report(run: Run, void: Sequence[Numbered], *, drafts: int = 0, left: int = 0) -> CancelReport:
    numbers = tuple(one.number for one in void)
    return CancelReport(run=run, drafts=drafts, left=left, void=numbers, void_ranges=tuple(_ranges(void)))


def _ranges(numbers: Iterable[Numbered]) -> Iterator[str]:
    """Yield numbers of a series that follow each other as one range."""
    first = last = None
    for one in sorted(numbers, key=lambda one: (one.counter_name, one.counter)):
        if first is not None and last is not None and (one.counter_name, one.counter) != (last.counter_name, last.counter + 1):
            yield _range(first, last)
            first = None
        first, last = first or one, one
    if first is not None and last is not None:
        yield _range(first, last)


def _range(first: Numbered, last: Numbered) -> str:
    return first.number if first == last else f"{first.number} to {last.number}"


def _withdrawn(deployment: Deployment, connection: Connection, run: Run, reason: str) -> Run:
    """Return the run without its approval, or as it is where its numbers cannot go back."""
    try:
        return withdraw_approval(deployment, connection, run, reason=reason)
    except Refused as refused:
        if refused.code != "RUN10":
            raise
        return run


def _give_numbers_back(deployment: Deployment, connection: Connection, run: Run, reason: str) -> list[Numbered]:
    manifest = manifest_of(connection, run)
    try:
        withdraw_approval(deployment, connection, run, reason=reason)
    except Refused as refused:
        if refused.code != "RUN10":
            raise
    else:
        return []
    text = f"the run was cancelled: {reason}"
    issue(connection, run.book, manifest, now=deployment.clock.now(), void={one.document: text for one in manifest})
    return manifest


def _void_documents(connection: Connection, run: Run) -> set[int]:
    table = tables.document
    return set(
        connection.scalars(table.select().with_only_columns(table.c.id).where(table.c.run_id == run.id, table.c.status == "void"))
    )


def purge_run(deployment: Deployment, code: str) -> int:
    """Remove a rehearsal with all its drafts; return how many drafts there were.

    Raises:
        NotFound: there is no such run.
        Refused: ``RUN19`` for any other run.
    """
    with deployment.database.begin() as connection:
        run = find_run(connection, code, lock=True)
        if run.is_final:
            raise Refused("RUN19", f"{run.code} is no rehearsal", remedy="Cancel it: billing run cancel; its trail stays")
        table = tables.run_account
        drafted = sa.select(table.c.document_id).where(table.c.run_id == run.id, table.c.document_id.is_not(None))
        drafts = set(connection.scalars(drafted))
        delete_drafts(connection, drafts)
        purge_shards(connection, run)
        drop_candidates(connection, run)
        connection.execute(table.delete().where(table.c.run_id == run.id))
        connection.execute(tables.run.delete().where(tables.run.c.id == run.id))
        now = deployment.clock.now()
        before = {"kind": run.kind, "period": str(run.period), "state": run.state}
        audit.record(connection, now, deployment.actor, "run purge", object_kind="run", object_key=run.code, before=before)
        return len(drafts)
