"""The digest of a run: what "the rehearsal is identical to the final run" means for all its documents and entries together."""

from __future__ import annotations

import gzip
import hashlib
import heapq
import io
from collections.abc import Iterator

import attrs

from billing_framework.invoicing.entries import booked_amounts
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.storage.billing.figure_rows import ProvenDocument
from billing_framework.values.plain_form import json_string

_AS_TEXT = 20_000
"""So many documents wait as they were said; those of a larger run wait packed, in a third of the memory."""


@attrs.define
class RunDigest:
    """The digest of all documents and entries of a run, and of the state that they carry on.

    It is the same for a rehearsal and the final run over the same input, on every database, in whatever batches the run was
    drafted: documents are added in any order. Numbers, ids and clock times are not in it, nor are names and addresses.
    """

    _waiting: list[bytes] = attrs.field(factory=list)
    _packed: list[bytes] = attrs.field(factory=list)

    def add(self, said: str) -> None:
        """Add what is said of a document; see `said_of`."""
        self._waiting.append(said.encode())
        if len(self._waiting) >= _AS_TEXT:
            self._pack()

    def hexdigest(self) -> str:
        """Return the digest of all that was added so far, as hex."""
        digest = hashlib.sha256()
        for place, one in enumerate(heapq.merge(sorted(self._waiting), *map(_lines, self._packed))):
            digest.update(b"\n" + one if place else one)
        return digest.hexdigest()

    def _pack(self) -> None:
        packed = io.BytesIO()
        with gzip.open(packed, "wb", compresslevel=1) as file:
            file.writelines([one + b"\n" for one in sorted(self._waiting)])  # no break of lines stands in JSON as it is
        self._packed.append(packed.getvalue())
        self._waiting.clear()


def _lines(packed: bytes) -> Iterator[bytes]:
    with gzip.open(io.BytesIO(packed)) as file:
        for line in file:
            yield line[:-1]


def said_of(one: ProvenDocument, mapping: ChartMapping) -> str:
    """Return as JSON account, content, entry and state of a document; an entry is its date, kind, currency and lines in order."""
    document = one.figures
    lines = ",".join([f"[{json_string(account)},{minor}]" for account, minor in booked_amounts(document, mapping)])
    entry = f'["{document.issue_on.isoformat()}","{document.kind.value}","{document.currency}",[{lines}]]'
    return f'[{json_string(document.account)},"{one.digest}",{entry},{json_string(one.state)}]'
