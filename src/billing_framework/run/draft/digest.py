"""The digest of a run: what "the rehearsal is identical to the final run" means for all its documents and entries together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from billing_framework.invoicing.entries import booked_amounts
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.storage.billing.figure_rows import ProvenDocument
from billing_framework.values.plain_form import json_string


def run_digest(said: Iterable[str]) -> str:
    """Return the digest of all documents and entries of a run, and of the state that they carry on, as hex.

    It is the same for a rehearsal and the final run over the same input, on every database, in whatever batches the run was
    drafted. Numbers, ids and clock times are not in it, nor are names and addresses.

    Args:
        said: what is said of each document, in any order; see `said_of`.
    """
    digest = hashlib.sha256()
    for place, one in enumerate(sorted(said)):
        digest.update(f"\n{one}".encode() if place else one.encode())
    return digest.hexdigest()


def said_of(one: ProvenDocument, mapping: ChartMapping) -> str:
    """Return as JSON account, content, entry and state of a document; an entry is its date, kind, currency and lines in order."""
    document = one.figures
    lines = ",".join([f"[{json_string(account)},{minor}]" for account, minor in booked_amounts(document, mapping)])
    entry = f'["{document.issue_on.isoformat()}","{document.kind.value}","{document.currency}",[{lines}]]'
    return f'[{json_string(document.account)},"{one.digest}",{entry},{json_string(one.state)}]'
