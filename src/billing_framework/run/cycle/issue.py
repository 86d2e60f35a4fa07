"""Issues approved documents: numbers, open items, carried state, outbox and ledger entries, as sets in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from billing_framework.invoicing.entries import entry_columns, entry_of_figures
from billing_framework.invoicing.figures import DocumentFigures
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.invoicing.numbering import Numbered
from billing_framework.ledger.batch import Batch
from billing_framework.run.draft.digest import RunDigest, said_of
from billing_framework.run.draft.examine import with_proven_input
from billing_framework.storage.billing.billed_records import link_records
from billing_framework.storage.billing.documents import issue
from billing_framework.storage.billing.figure_rows import ProvenDocument, proven_documents
from billing_framework.storage.billing.keys import write_proven_states
from billing_framework.storage.billing.run_rows import Run, move_accounts_on
from billing_framework.storage.ledger.post import post_batch, post_columns, posts_by_columns
from billing_framework.storage.outbox import put_alike
from billing_framework.storage.receivable.rows import insert_document_items
from billing_framework.values.errors import Refused
from billing_framework.values.plain_form import json_string

_AT_A_TIME = 5_000


def refuse_changed(connection: Connection, run: Run, manifest: Sequence[Numbered], mapping: ChartMapping) -> None:
    """Refuse to post documents or entries that are not those that were approved.

    Raises:
        Refused: ``RUN11``; nothing of the run is posted.
    """
    digest = RunDigest()
    for one in _proven(connection, run, manifest):
        digest.add(said_of(one, mapping))
    if digest.hexdigest() != run.digest:
        raise Refused(
            "RUN11",
            f"the documents and entries of the run {run.code} are not those that were approved",
            remedy="The book's mapping was changed or stored rows were: cancel the run and start it anew",
        )


def _proven(connection: Connection, run: Run, manifest: Sequence[Numbered]) -> Iterator[ProvenDocument]:
    """Yield the documents of a manifest, some at a time, so that memory holds no whole run."""
    for start in range(0, len(manifest), _AT_A_TIME):
        keys = [one.document for one in manifest[start : start + _AT_A_TIME]]
        for document in with_proven_input(connection, proven_documents(connection, run, keys)):
            _refuse_wrong(document)
            yield document


def _refuse_wrong(document: ProvenDocument) -> None:
    if document.wrong:
        raise Refused(
            "RUN11",
            f"the document of account {document.figures.account} is not what was approved: {document.wrong}",
            remedy="Somebody changed stored rows; cancel the run and start it anew",
        )


def issue_documents(
    connection: Connection, run: Run, numbers: Sequence[Numbered], mapping: ChartMapping, *, now: datetime, actor: str
) -> None:
    """Issue documents under their numbers with all that follows from it; the entries, and the seal on them, come last.

    Args:
        connection: a connection with an open write transaction.
        run: the run, approved.
        numbers: the numbers of documents that are not issued yet.
        mapping: the accounts of the book.
        now: instant of posting.
        actor: who posts.

    Raises:
        Refused: ``RUN11`` where a stored document is not what was drafted; whatever the ledger refuses.
        Conflict: a number, an item or a record was taken by another document.
    """
    stored = proven_documents(connection, run, [one.document for one in numbers])
    for document in stored.values():
        _refuse_wrong(document)
    figures = [(stored[one.document].figures, one.number) for one in numbers]
    issue(connection, run.book, numbers, now=now)
    insert_document_items(connection, figures)
    write_proven_states(connection, ((key, one.state) for key, one in stored.items()))
    link_records(connection, stored)
    put_alike(connection, now, "document.issued", run.book, _told(run, figures))
    move_accounts_on(connection, stored, "approved", "posted")
    source = f"run/{run.code}/{numbers[0].number}"
    _post(connection, [document for document, _ in figures], mapping, source=source, now=now, actor=actor)


def _post(
    connection: Connection,
    documents: Sequence[DocumentFigures],
    mapping: ChartMapping,
    *,
    source: str,
    now: datetime,
    actor: str,
) -> None:
    """Post the entries of documents of one book: many by columns, which come to the same rows."""
    if posts_by_columns(len(documents)):
        columns = entry_columns(documents, mapping)
        if columns is not None:
            post_columns(connection, columns, source=source, now=now, actor=actor)
        return
    entries = [entry for one in documents if (entry := entry_of_figures(one, mapping))]
    if entries:
        batch = Batch(book=documents[0].book, source=source, entries=tuple(entries))
        post_batch(connection, batch, now=now, actor=actor)


def _told(run: Run, issued: Sequence[tuple[DocumentFigures, str]]) -> dict[str, str]:
    """Return what is told of each number, as `canonical_json` would write it."""
    source = json_string(f"run/{run.code}")
    return {number: f'{{"account":{json_string(document.account)},"source":{source}}}' for document, number in issued}
