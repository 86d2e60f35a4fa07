"""Posts an approved run: documents are issued under their numbers, entered in the ledger, and owed from then on.

Each chunk of documents is one transaction: numbers, documents, open items, carried state, outbox, and the ledger's batch last.
A process that dies in between has posted whole chunks; the same command goes on with the rest and ends with the same books.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.digest import document_digest
from billing_framework.invoicing.entries import document_entry
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.invoicing.numbering import Numbered
from billing_framework.invoicing.proof import prove
from billing_framework.ledger.batch import Batch
from billing_framework.receivables.open_item import item_of
from billing_framework.run.cycle.digest import run_digest
from billing_framework.run.cycle.issuer import mapping_of
from billing_framework.run.deployment import Deployment
from billing_framework.storage import audit
from billing_framework.storage.billing.billed_records import link_records
from billing_framework.storage.billing.documents import StoredDocument, as_issued, issue, issued_as, load_documents
from billing_framework.storage.billing.keys import free_charges, free_periods, write_states
from billing_framework.storage.billing.numbers import issued_among, manifest_of
from billing_framework.storage.billing.run_rows import (
    Run,
    RunAccount,
    find_run,
    locked,
    move_run,
    run_accounts,
    run_accounts_on,
    save_accounts,
)
from billing_framework.storage.ledger.books import list_periods
from billing_framework.storage.ledger.post import post_batch
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.outbox import Event, put_events
from billing_framework.storage.receivable.rows import insert_items
from billing_framework.values.errors import Conflict, LedgerRefused, Refused

WHOLE_RUN = ("LEDGER06", "LEDGER09", "LEDGER18")
"""Refusals that concern the books, not one document: posting stops, and nothing is spoilt."""


@attrs.frozen(kw_only=True)
class PostingReport:
    """What posting did.

    Attributes:
        run: the run as it stands now.
        posted: number of documents issued now.
        existing: number of documents that had been issued before.
        void: account to the reason why its document was issued as void.
    """

    run: Run
    posted: int = 0
    existing: int = 0
    void: Mapping[str, str] = attrs.field(factory=dict)


def post_run(
    deployment: Deployment, code: str = "", *, chunk_size: int = 200, progress: Callable[[int, int], None] | None = None
) -> PostingReport:
    """Post an approved run, or go on where an earlier call was cut off.

    Args:
        deployment: the deployment.
        code: code of the run; the newest where empty.
        chunk_size: documents per transaction.
        progress: told after each chunk how many documents of how many are issued.

    Raises:
        NotFound: there is no such run.
        Refused: ``RUN03`` where it is not approved, ``RUN11`` where a stored document is not what was approved, ``RUN13`` where
            no open period holds the date of the documents.
    """
    with deployment.database.begin() as connection:
        run = find_run(connection, code, lock=True, final=True)
        if run.state == "posted":
            return PostingReport(run=run, existing=len(manifest_of(connection, run)))
        if run.state not in ("approved", "posting"):
            raise Refused("RUN03", f"the run {run.code} is {run.state}, not approved", remedy="Approve it: billing run approve")
        manifest = manifest_of(connection, run)
        mapping = mapping_of(load_book(connection, run.book).profile)
        _refuse_changed(connection, run, manifest, mapping)
        existing = issued_among(connection, manifest)
        if len(existing) < len(manifest):
            refuse_closed(connection, run)
        if run.state == "approved":
            run = move_run(connection, run, "posting")
    waiting = [one for one in manifest if one.document not in existing]
    posted = 0
    void: dict[str, str] = {}
    for start in range(0, len(waiting), chunk_size):
        issued, spoilt = _post_chunk(deployment, run, waiting[start : start + chunk_size], mapping)
        posted += issued
        void |= spoilt
        if progress:
            progress(len(existing) + min(start + chunk_size, len(waiting)), len(manifest))
    run = _finish(deployment, run, len(manifest))
    return PostingReport(run=run, posted=posted, existing=len(manifest) - posted, void=void)


def _refuse_changed(connection: Connection, run: Run, manifest: Sequence[Numbered], mapping: ChartMapping) -> None:
    stored = load_documents(connection, [one.document for one in manifest])
    for document in stored.values():
        wrong = [str(finding) for finding in prove(document.content)]
        wrong += [f"its stored {name} differs from its content" for name in document.odd]
        if document_digest(document.content) != document.digest:
            wrong.append("its content has another digest")
        if wrong:
            raise Refused(
                "RUN11",
                f"the document of account {document.content.account} is not what was approved: {wrong[0]}",
                remedy="Somebody changed stored rows; cancel the run and start it anew",
            )
    if run_digest((document.content for document in stored.values()), mapping) != run.digest:
        raise Refused(
            "RUN11",
            f"the documents and entries of the run {run.code} are not those that were approved",
            remedy="The book's mapping was changed or stored rows were: cancel the run and start it anew",
        )


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


def _post_chunk(deployment: Deployment, run: Run, chunk: Sequence[Numbered], mapping: ChartMapping) -> tuple[int, dict[str, str]]:
    """Post some documents in one transaction; where one of them is refused, each on its own, so that only that one is void.

    Returns:
        How many documents were issued here and by no other process, and account to reason of those that are void.
    """
    try:
        with deployment.database.begin() as connection:
            return _post_documents(deployment, connection, run, chunk, mapping), {}
    except Refused as refused:
        if not _is_about_one(refused):
            raise
        if len(chunk) == 1:
            void = _post_void(deployment, run, chunk[0], str(refused))
            return int(bool(void)), void
    issued = 0
    spoilt: dict[str, str] = {}
    for one in chunk:
        count, void = _post_chunk(deployment, run, [one], mapping)
        issued += count
        spoilt |= void
    return issued, spoilt


def _is_about_one(refused: Refused) -> bool:
    """Return whether a refusal concerns one document, which is then issued as void, and not the books or the database."""
    if refused.code in WHOLE_RUN or refused.code == "STORAGE06":
        return False
    return isinstance(refused, LedgerRefused | Conflict) or refused.code == "CHARGE06"


def _post_documents(
    deployment: Deployment, connection: Connection, run: Run, chunk: Sequence[Numbered], mapping: ChartMapping
) -> int:
    now = deployment.clock.now()
    run = _still_posting(connection, run)
    done = issued_among(connection, chunk)
    numbers = [one for one in chunk if one.document not in done]
    if not numbers:
        return 0
    stored = load_documents(connection, [one.document for one in numbers])
    issue(connection, run.book, numbers, now=now)
    _write_what_follows(deployment, connection, run, [issued_as(stored[one.document], one) for one in numbers])
    rows = [row for row in run_accounts_on(connection, run, stored) if row.state == "approved"]
    save_accounts(connection, run, [attrs.evolve(row, state="posted") for row in rows])
    entries = [entry for one in numbers if (entry := document_entry(stored[one.document].content, mapping)) is not None]
    if entries:
        post_batch(
            connection,
            Batch(book=run.book, source=f"run/{run.code}/{numbers[0].number}", entries=tuple(entries)),
            now=now,
            actor=deployment.actor,
        )
    return len(numbers)


def _write_what_follows(deployment: Deployment, connection: Connection, run: Run, documents: Sequence[StoredDocument]) -> None:
    """Write what follows from issuing documents, all but their ledger entries, which come last in the transaction."""
    issued = as_issued(connection, documents)
    insert_items(connection, run.book, [item for one in documents if (item := item_of(issued[one.key])) is not None])
    write_states(connection, {one.key: one.state for one in documents})
    link_records(connection, [one.key for one in documents])
    put_events(
        connection,
        deployment.clock.now(),
        [
            Event(
                topic="document.issued",
                key=one.number,
                payload={"source": f"run/{run.code}", "account": one.content.account},
            )
            for one in documents
        ],
    )


def _post_void(deployment: Deployment, run: Run, one: Numbered, reason: str) -> dict[str, str]:
    """Issue a document as void under its number, and let the next run bill its account."""
    with deployment.database.begin() as connection:
        now = deployment.clock.now()
        run = _still_posting(connection, run)
        if issued_among(connection, [one]):
            return {}
        issue(connection, run.book, [one], now=now, void={one.document: reason})
        free_charges(connection, [one.document])
        rows = [row for row in run_accounts_on(connection, run, [one.document]) if row.state == "approved"]
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
    now = locked(connection, run)
    if now.state not in ("posting", "posted"):  # posted by another process that had fewer left to do
        raise Refused("RUN03", f"the run {run.code} is {now.state}", remedy="Look at it: billing run show")
    return now


def _finish(deployment: Deployment, run: Run, documents: int) -> Run:
    with deployment.database.begin() as connection:
        run = locked(connection, run)
        if run.state == "posted":
            return run
        left = leave_unbilled(connection, run)
        now = deployment.clock.now()
        after = {"state": "posted", "documents": documents, "not billed": left}
        audit.record(
            connection,
            now,
            deployment.actor,
            "run post",
            object_kind="run",
            object_key=run.code,
            before={"state": "approved"},
            after=after,
        )
        return move_run(connection, run, "posted", ended_by=deployment.actor, ended_at=now)


def leave_unbilled(connection: Connection, run: Run) -> int:
    """Give the dates and charges of accounts that a run does not bill to the next run; return how many there are."""
    left = run_accounts(connection, run, states=["held", "skipped", "pending"])
    free_periods(connection, run, [row.account for row in left])
    in_manifest = {one.document for one in manifest_of(connection, run)}
    free_charges(connection, {row.document for row in left if row.document} - in_manifest)
    return len(left)
