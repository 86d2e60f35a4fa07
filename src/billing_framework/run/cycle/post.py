"""Posts an approved run: documents are issued under their numbers, entered in the ledger, and owed from then on.

The posting manifest is cut into shards, each a block of numbers. Each chunk of a shard is one transaction: numbers, documents,
open items, carried state, outbox, and the ledger's batch last. A process that dies in between has posted whole chunks; the same
command goes on with the rest and ends with the same books.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.invoicing.numbering import Numbered
from billing_framework.run.cycle.issue import issue_documents, refuse_changed
from billing_framework.run.cycle.take_over import take_over
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.issuer import mapping_of
from billing_framework.run.work.coordinate import Progress, coordinate, expect_workers
from billing_framework.run.work.lease import Lease
from billing_framework.run.work.shards import plan_posting
from billing_framework.run.work.work import Saved, Step, Work, Worked, collector_paused, work_of
from billing_framework.storage import audit
from billing_framework.storage.billing.accounts_astray import accounts_astray
from billing_framework.storage.billing.documents import issue
from billing_framework.storage.billing.keys import free_charges, free_periods
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.numbers import is_issued, issued_among, issued_by, manifest_of, manifest_part
from billing_framework.storage.billing.run_counts import count_left, counts_by_state
from billing_framework.storage.billing.run_rows import (
    Run,
    RunAccount,
    locked,
    move_run,
    run_accounts,
    run_accounts_on,
    save_accounts,
)
from billing_framework.storage.billing.shard_rows import shards_of
from billing_framework.storage.ledger.books import list_periods
from billing_framework.storage.master.book_rows import load_book
from billing_framework.values.errors import Conflict, LedgerRefused, Refused
from billing_framework.values.spelling import first_of

WHOLE_RUN = ("LEDGER06", "LEDGER09", "LEDGER18")
"""Refusals that concern the books, not one document: posting stops, and nothing is spoilt."""
_NAMED = 5


@attrs.frozen(kw_only=True)
class PostingReport:
    """What posting did.

    Attributes:
        run: the run as it stands now.
        posted: number of documents issued now.
        existing: number of documents that had been issued before.
        void: account to the reason why its document was issued as void.
        taken_over: number of accounts whose billing a migration has taken over from another system.
        was_ended: True where somebody cancelled the run while it was posted here.
        left: number of accounts that are left to the next run, where somebody cancelled what was left of this one.
        remaining: number of drafted accounts that are not approved yet, where only a part was.
    """

    run: Run
    posted: int = 0
    existing: int = 0
    taken_over: int = 0
    void: Mapping[str, str] = attrs.field(factory=dict)
    was_ended: bool = False
    left: int = 0
    remaining: int = 0


def post_run(
    deployment: Deployment,
    code: str = "",
    *,
    chunk_size: int | None = None,
    work: Work | None = None,
    progress: Progress | None = None,
) -> PostingReport:
    """Post an approved run, or go on where an earlier call was cut off.

    Args:
        deployment: the deployment.
        code: code of the run; the one that is meant where empty.
        chunk_size: documents per transaction, a whole shard where None.
        work: by whom and in what shards it is worked on; by default as the settings say.
        progress: told how many documents of how many are issued.

    Raises:
        NotFound: there is no such run.
        Refused: ``RUN03`` where it is not approved, ``RUN06`` for a rehearsal, ``RUN11`` where a stored document is not what
            was approved, ``RUN13`` where no open period holds the date of the documents.
        ConfigurationError: ``RUN44`` where the workers cannot be had; nothing is stored.
    """
    work = work or work_of(deployment, chunk_size)
    with deployment.database.read() as connection:
        run = meant_run(connection, code, _can_be_posted, final=True)
    if _can_be_posted(run) and run.kind != "migration":
        expect_workers(deployment, POSTING, work)  # before anything is locked: a cluster may let one wait
    with collector_paused(), deployment.database.begin() as connection:
        run = meant_run(connection, code, _can_be_posted, final=True, lock=True)
        if run.state == "posted":
            existing = issued_among(connection, manifest_of(connection, run))
            return PostingReport(run=run, existing=len(existing), left=count_left(connection, run))
        if not run.is_final:
            raise Refused("RUN06", f"{run.code} is a rehearsal, which is never posted", remedy="Start the final run")
        if not _can_be_posted(run):
            return _posted_in_part(connection, run)
        if run.kind == "migration":
            return _taken_over(deployment, connection, run)
        run, work, documents, existing = _planned(connection, run, work)
    worked = coordinate(deployment, run, POSTING, work, progress)
    run = _finish(deployment, run, documents)
    if run.is_ended_early:
        return _ended(deployment, run, existing, worked.void)
    existed = documents - worked.count
    with deployment.database.read() as connection:
        remaining = _remaining(connection, run)
    return PostingReport(run=run, posted=worked.count, existing=existed, void=worked.void, remaining=remaining)


def _posted_in_part(connection: Connection, run: Run) -> PostingReport:
    """Return that nothing is left to post of a run of which all that was approved is posted, and the rest is not approved yet.

    Raises:
        Refused: ``RUN03`` where nothing of it was approved.
    """
    existing = issued_among(connection, manifest_of(connection, run)) if run.is_open else ()
    if not existing:
        remedy = f"Approve it: billing run approve {run.code}" if run.is_open else "Start another one: billing run start"
        raise Refused("RUN03", f"the run {run.code} is {run.state}, not approved", remedy=remedy)
    return PostingReport(run=run, existing=len(existing), remaining=_remaining(connection, run))


def _remaining(connection: Connection, run: Run) -> int:
    return counts_by_state(connection, run).get("drafted", 0) if run.is_open else 0


def _planned(connection: Connection, run: Run, work: Work) -> tuple[Run, Work, int, set[int]]:
    """Prove what is to be posted, and plan its shards.

    Returns:
        The run and how it is worked on, the number of all its documents, and the keys of those that are issued already.
    """
    manifest = manifest_of(connection, run)
    mapping = mapping_of(load_book(connection, run.book).profile)
    refuse_changed(connection, run, manifest, mapping)
    _refuse_astray(connection, run)
    existing = issued_among(connection, manifest)
    work = work.for_documents(len(manifest) - len(existing))
    if len(existing) < len(manifest):
        refuse_closed(connection, run)
    if run.state == "approved":
        run = move_run(connection, run, "posting")
    plan_posting(connection, run, manifest, existing, work.shard_size)
    return run, work, len(manifest), existing


def _refuse_astray(connection: Connection, run: Run) -> None:
    """Refuse to post where accounts do not stand as the documents that are posted: some would be billed twice, or never.

    Raises:
        Refused: ``RUN11``; nothing is posted.
    """
    astray = accounts_astray(connection, run)
    if astray:
        raise Refused(
            "RUN11",
            f"accounts of the run {run.code} do not stand as their documents do: {first_of(astray, _NAMED)}",
            remedy="Somebody changed stored rows; cancel the run and start it anew",
        )


def _ended(deployment: Deployment, run: Run, existing: AbstractSet[int], void: Mapping[str, str]) -> PostingReport:
    """Return what is posted of a run that somebody cancelled meanwhile; what its workers knew went with their shards."""
    with deployment.database.read() as connection:
        posted = issued_by(connection, run)
        return PostingReport(
            run=run,
            posted=len(posted - existing),
            existing=len(posted & existing),
            void=void,
            was_ended=True,
            left=count_left(connection, run),
        )


def _can_be_posted(run: Run) -> bool:
    return run.state in ("approved", "posting")


def _taken_over(deployment: Deployment, connection: Connection, run: Run) -> PostingReport:
    """End a migration: what it has worked out stands, without a document, an entry or a number."""
    run = move_run(connection, run, "posting") if run.state == "approved" else run
    taken = take_over(connection, run)
    now = deployment.clock.now()
    after = {"state": "posted", "taken over": taken, "not billed": leave_unbilled(connection, run)}
    audit.record(
        connection, now, deployment.actor, "run post", object_kind="run", object_key=run.code, before=_APPROVED, after=after
    )
    return PostingReport(run=move_run(connection, run, "posted", ended_by=deployment.actor, ended_at=now), taken_over=taken)


_APPROVED = {"state": "approved"}


@attrs.frozen(kw_only=True)
class _PostingDesk:
    """What all shards of a posting share: the deployment, and the accounts of the book."""

    deployment: Deployment
    mapping: ChartMapping


def _prepare(deployment: Deployment, run: Run, _known_at: datetime) -> _PostingDesk:
    with deployment.database.read() as connection:
        return _PostingDesk(deployment=deployment, mapping=mapping_of(load_book(connection, run.book).profile))


def post_shard(desk: _PostingDesk, run: Run, lease: Lease, size: int, saved: Saved) -> Worked:
    """Issue the documents of a shard that are not issued yet.

    Args:
        desk: what all shards share.
        run: the run.
        lease: the shard.
        size: documents per transaction.
        saved: told after each transaction how many documents it saved.

    Raises:
        Conflict: ``RUN40`` where another worker has taken the shard over; what was issued before stands.
        Refused: ``RUN03`` where somebody has moved the run on.
    """
    deployment, shard = desk.deployment, lease.shard
    with deployment.database.read() as connection:
        part = manifest_part(connection, run, shard.first_position, shard.last_position)
        existing = issued_among(connection, part)
    waiting = [one for one in part if one.document not in existing]
    worked = Worked()
    for start in range(0, len(waiting), size):
        chunk = waiting[start : start + size]
        issued, spoilt = _post_chunk(deployment, run, chunk, desk.mapping, lease)
        worked += Worked(count=issued, void=spoilt)
        saved(len(chunk))
    with deployment.database.begin() as connection:
        lease.finish(connection)
    return worked


POSTING = Step(name="post", prepare=_prepare, work=post_shard)


def refuse_closed(connection: Connection, run: Run) -> None:
    """Refuse to post where no open period holds the date of the run's documents.

    Raises:
        Refused: ``RUN13``; the run stays as it is.
    """
    if not any(period.is_open and run.as_of in period.span for period in list_periods(connection, run.book)):
        raise Refused(
            "RUN13",
            f"no open period of book {run.book} holds {run.as_of}, the date of the documents",
            remedy="Open it: billing period open; where it is closed for good, cancel the run and start it with another date",
        )


def _post_chunk(
    deployment: Deployment, run: Run, chunk: Sequence[Numbered], mapping: ChartMapping, lease: Lease
) -> tuple[int, dict[str, str]]:
    """Post some documents in one transaction; where one of them is refused, each on its own, so that only that one is void.

    Returns:
        How many documents were issued here and by no other process, and account to reason of those that are void.
    """
    try:
        with deployment.database.begin() as connection:
            run = _still_posting(connection, run)
            lease.keep(connection, len(chunk))
            return _post_documents(deployment, connection, run, chunk, mapping), {}
    except Refused as refused:
        if not _is_about_one(refused):
            raise
        if len(chunk) == 1:
            void = _post_void(deployment, run, chunk[0], str(refused), lease)
            return int(bool(void)), void
    issued = 0
    spoilt: dict[str, str] = {}
    for one in chunk:
        count, void = _post_chunk(deployment, run, [one], mapping, lease)
        issued += count
        spoilt |= void
    return issued, spoilt


def _is_about_one(refused: Refused) -> bool:
    """Return whether a refusal concerns one document, which is then issued as void, and not the books or the database."""
    if refused.code in WHOLE_RUN or refused.code in ("STORAGE06", "RUN40"):
        return False
    return isinstance(refused, LedgerRefused | Conflict) or refused.code == "CHARGE06"


def _post_documents(
    deployment: Deployment, connection: Connection, run: Run, chunk: Sequence[Numbered], mapping: ChartMapping
) -> int:
    run = _still_posting(connection, run)
    done = issued_among(connection, chunk)
    numbers = [one for one in chunk if one.document not in done]
    if numbers:
        issue_documents(connection, run, numbers, mapping, now=deployment.clock.now(), actor=deployment.actor)
    return len(numbers)


def _post_void(deployment: Deployment, run: Run, one: Numbered, reason: str, lease: Lease) -> dict[str, str]:
    """Issue a document as void under its number, and let the next run bill its account."""
    with deployment.database.begin() as connection:
        now = deployment.clock.now()
        run = _still_posting(connection, run)
        lease.keep(connection, 1)
        if issued_among(connection, [one]):
            return {}
        issue(connection, run.book, [one], now=now, void={one.document: reason})
        free_charges(connection, [one.document])
        rows = [row for row in run_accounts_on(connection, [one.document]) if row.state == "approved"]
        save_accounts(connection, run, [_voided(row, one.number, reason) for row in rows])
        audit.record(
            connection,
            now,
            deployment.actor,
            "run post",
            object_kind="document",
            object_key=one.number,
            after={"status": "void"},
            reason=reason,
        )
        return {row.account: reason for row in rows}


def _voided(row: RunAccount, number: str, reason: str) -> RunAccount:
    return attrs.evolve(row, state="held", reason=f"{number} was issued as void: {reason}")


def _still_posting(connection: Connection, run: Run) -> Run:
    now = locked(connection, run, shared=True)
    if now.state == "cancelled":
        raise _cancelled(now)
    if now.state not in ("posting", "posted"):  # posted by another process that had fewer left to do
        raise Refused("RUN03", f"the run {run.code} is {now.state}", remedy="Look at it: billing run show")
    return now


def _cancelled(run: Run) -> Refused:
    what = f"the run {run.code} was cancelled meanwhile by {run.ended_by}: {run.reason}"
    return Refused("RUN03", what, remedy="None of its documents is issued; to bill its accounts, start another run")


def _finish(deployment: Deployment, run: Run, documents: int) -> Run:
    with deployment.database.begin() as connection:
        run = locked(connection, run)
        if run.state == "cancelled":
            raise _cancelled(run)
        if run.state != "posting" or shards_of(connection, run, POSTING.name, unfinished=True):
            return run  # ended by another command; what was approved since waits for its own posting
        if not is_issued(connection, run):
            raise Refused(
                "RUN11",
                f"not all documents of the run {run.code} are issued, although all its shards are said to be done",
                remedy="Somebody changed stored rows; post it again: billing run post",
            )
        now = deployment.clock.now()
        remaining = counts_by_state(connection, run).get("drafted", 0)
        if remaining:  # only a part was approved; the rest waits for its own approval
            after = {"state": "drafted", "documents": documents, "remaining": remaining}
        else:
            after = {"state": "posted", "documents": documents, "not billed": leave_unbilled(connection, run)}
        audit.record(
            connection,
            now,
            deployment.actor,
            "run post",
            object_kind="run",
            object_key=run.code,
            before=_APPROVED,
            after=after,
        )
        if remaining:
            return move_run(connection, run, "drafted")
        return move_run(connection, run, "posted", ended_by=deployment.actor, ended_at=now)


def leave_unbilled(connection: Connection, run: Run) -> int:
    """Give the dates and charges of accounts that a run does not bill to the next run; return how many there are."""
    left = run_accounts(connection, run, states=["held", "skipped", "pending"])
    free_periods(connection, run, [row.account for row in left])
    drafted = {row.document for row in left if row.document}
    if drafted:  # what is in the manifest is issued, be it as void, and its charges were dealt with then
        free_charges(connection, drafted - {one.document for one in manifest_of(connection, run)})
    return len(left)
