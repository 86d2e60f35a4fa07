"""The digest of a run: what "the rehearsal is identical to the final run" means for all its documents and entries together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from billing_framework.invoicing.digest import document_digest
from billing_framework.invoicing.draft import DraftDocument
from billing_framework.invoicing.entries import document_entry
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.entry import Entry
from billing_framework.values.plain_form import canonical_json


def entry_content(entry: Entry | None) -> list[Any] | None:
    """Return what an entry says, without its key and the document's: date, kind and lines in their order."""
    if entry is None:
        return None
    lines = [[line.gl_account, line.account_key, line.sub_key, line.money.minor, line.money.currency] for line in entry.postings]
    return [entry.effective_on.isoformat(), entry.kind, lines]


def run_digest(documents: Iterable[DraftDocument], mapping: ChartMapping) -> str:
    """Return the digest of all documents and entries of a run, as hex.

    It is the same for a rehearsal and the final run over the same input, on every database, in whatever batches the run was
    drafted. Numbers, ids and clock times are not in it, nor are names and addresses.

    Args:
        documents: the documents, in any order.
        mapping: the accounts of the book.
    """
    parts = sorted(
        canonical_json([document.account, document_digest(document), entry_content(document_entry(document, mapping))])
        for document in documents
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
