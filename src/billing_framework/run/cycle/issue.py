"""Issues approved documents: numbers, open items, carried state, outbox and ledger entries, as sets in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from billing_framework.invoicing.entries import entry_of_figures
from billing_framework.invoicing.figures import DocumentFigures
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.invoicing.numbering import Numbered
from billing_framework.ledger.batch import Batch
from billing_framework.receivables.open_item import item_of_figures
from billing_framework.run.draft.digest import run_digest
from billing_framework.storage.billing.billed_records import link_records
from billing_framework.storage.billing.documents import issue
from billing_framework.storage.billing.figure_rows import ProvenDocument, proven_documents
from billing_framework.storage.billing.keys import write_states_of
from billing_framework.storage.billing.run_rows import Run, move_accounts_on
from billing_framework.storage.ledger.post import post_batch
from billing_framework.storage.outbox import Event, put_events
from billing_framework.storage.receivable.rows import insert_items
from billing_framework.values.errors import Refused


def refuse_changed(connection: Connection, run: Run, manifest: Sequence[Numbered], mapping: ChartMapping) -> None:
    """Refuse to post documents or entries that are not those that were approved.

    Raises:
        Refused: ``RUN11``; nothing of the run is posted.
    """
    stored = proven_documents(connection, [one.document for one in manifest])
    for document in stored.values():
        _refuse_wrong(document)
    if run_digest(stored.values(), mapping) != run.digest:
        raise Refused(
            "RUN11",
            f"the documents and entries of the run {run.code} are not those that were approved",
            remedy="The book's mapping was changed or stored rows were: cancel the run and start it anew",
        )


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
    stored = proven_documents(connection, [one.document for one in numbers])
    for document in stored.values():
        _refuse_wrong(document)
    figures = {key: one.figures for key, one in stored.items()}
    issue(connection, run.book, numbers, now=now)
    items = [item for one in numbers if (item := item_of_figures(figures[one.document], one.number)) is not None]
    insert_items(connection, run.book, items)
    write_states_of(connection, figures)
    link_records(connection, figures)
    put_events(connection, now, [_issued(run, one, figures) for one in numbers])
    move_accounts_on(connection, run, figures, "approved", "posted")
    entries = [entry for one in numbers if (entry := entry_of_figures(figures[one.document], mapping)) is not None]
    if entries:
        source = f"run/{run.code}/{numbers[0].number}"
        post_batch(connection, Batch(book=run.book, source=source, entries=tuple(entries)), now=now, actor=actor)


def _issued(run: Run, one: Numbered, figures: Mapping[int, DocumentFigures]) -> Event:
    payload = {"source": f"run/{run.code}", "account": figures[one.document].account}
    return Event(topic="document.issued", book=run.book, key=one.number, payload=payload)
