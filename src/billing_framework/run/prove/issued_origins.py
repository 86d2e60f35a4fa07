"""Proves how issued documents came to be: by which run, in which batch of the ledger, instead of which other document."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy.engine import Connection

from billing_framework.invoicing.document import DocumentStatus
from billing_framework.ledger.entry import entry_id
from billing_framework.receivables.open_item import document_item_key
from billing_framework.run.correct.rebill_one import rebill_key
from billing_framework.storage.billing.documents import StoredDocument
from billing_framework.storage.billing.issued import Origin, batches, origins


def wrong_origins(
    connection: Connection, documents: Mapping[int, StoredDocument], numbers: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield number of a document and what is wrong, where it stands otherwise than other rows say that it was issued.

    Args:
        connection: a connection with an open transaction.
        documents: issued or void documents of one book, by key.
        numbers: all numbers that documents of the book bear.
    """
    entries = {key: entry_id(one.content.book, document_item_key(key)) for key, one in documents.items()}
    found, posted = origins(connection, documents), batches(connection, entries.values())
    for key, origin in found.items():
        stored = documents[key]
        for what in _wrong(stored, origin):
            yield stored.number, what
        batch = posted.get(entries[key])
        if origin.run is None or batch is None or stored.status is not DocumentStatus.ISSUED:
            continue
        if batch[0] != origin.posted_at:
            yield stored.number, "it stands with another instant of posting than its entry in the ledger"
        run, _, first = batch[1].rpartition(f"run/{origin.run[1]}/")
        if run or first not in numbers:
            yield stored.number, "its entry in the ledger stands in a batch that its run has not made"


def _wrong(stored: StoredDocument, origin: Origin) -> Iterator[str]:
    if origin.run is not None and stored.run_id != origin.run[0]:
        yield "it stands with another run than the one that has issued it"
    if stored.revision != origin.revision:
        yield f"its stored revision {stored.revision} should be {origin.revision}"
    if origin.replaced is not None and stored.key != rebill_key(*origin.replaced):
        yield f"it stands as the one that bills {origin.replaced[0]} anew, which it is not"
    if not origin.final:
        yield "it stands as a document of a rehearsal, which is never issued"
    if origin.drafts is None:  # a cancelled run has left the documents that were issued as void
        if stored.status is DocumentStatus.ISSUED:
            yield "its account does not stand with it in its run any more"
    elif not 1 <= origin.version <= origin.drafts:
        yield f"it stands as draft {origin.version}, but {origin.drafts} were made"
    if origin.posted_at is None:
        yield "the instant at which it was issued is not there"
