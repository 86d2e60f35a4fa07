"""The digest of a run: what "the rehearsal is identical to the final run" means for all its documents and entries together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from billing_framework.invoicing.entries import booked_amounts
from billing_framework.invoicing.figures import DocumentFigures
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.storage.billing.figure_rows import ProvenDocument
from billing_framework.values.plain_form import text_of_plain


def run_digest(documents: Iterable[ProvenDocument], mapping: ChartMapping) -> str:
    """Return the digest of all documents and entries of a run, and of the state that they carry on, as hex.

    It is the same for a rehearsal and the final run over the same input, on every database, in whatever batches the run was
    drafted. Numbers, ids and clock times are not in it, nor are names and addresses.

    Args:
        documents: the documents, in any order.
        mapping: the accounts of the book.
    """
    parts = sorted(text_of_plain([one.figures.account, one.digest, _entry(one.figures, mapping), one.state]) for one in documents)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _entry(document: DocumentFigures, mapping: ChartMapping) -> list[object]:
    """Return what a document's entry says, without its key and the document's: date, kind, currency and lines in their order."""
    lines = [[account, minor] for account, minor in booked_amounts(document, mapping)]
    return [document.issue_on.isoformat(), document.kind.value, document.currency, lines]
