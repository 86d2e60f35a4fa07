"""Examines the drafts of a run, some at a time, and keeps of each only what numbering, digest and findings need."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Mapping

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.figures import DocumentFigures
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.run.draft.digest import RunDigest, said_of
from billing_framework.storage.billing.figure_rows import ProvenDocument, changed_inputs, proven_documents
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.many import chunks
from billing_framework.values.errors import ConfigurationError
from billing_framework.values.finding import Finding

_AT_A_TIME = 2_000
_NAMED = 5


@attrs.define(kw_only=True)
class Bearers:
    """Whose drafts bear a code.

    Attributes:
        first: codes of the first accounts.
        count: number of all drafts.
    """

    first: list[str] = attrs.field(factory=list)
    count: int = 0

    def add(self, account: str) -> None:
        """Count the draft of one more account."""
        self.count += 1
        if self.count <= _NAMED:
            self.first.append(account)


@attrs.define(kw_only=True)
class Examined:
    """What was found of some drafts; a run may have hundreds of thousands, so their lines are not kept.

    Attributes:
        heads: their figures without lines and taxes.
        digest: the digest of the run, to which they are added; incomplete where `error` is set.
        wrong: account and fault of each whose stored rows are not what was drafted.
        charge_codes: charge codes on their lines, with whose drafts they are.
        tax_codes: codes of the taxes that they owe, with whose drafts they are.
        error: why one cannot be booked, None where all can.
    """

    heads: list[DocumentFigures] = attrs.field(factory=list)
    digest: RunDigest = attrs.field(factory=RunDigest)
    wrong: list[tuple[str, str]] = attrs.field(factory=list)
    charge_codes: dict[str, Bearers] = attrs.field(factory=dict)
    tax_codes: dict[str, Bearers] = attrs.field(factory=dict)
    error: ConfigurationError | None = None

    def unmapped(self, mapping: ChartMapping) -> list[Finding]:
        """Return a finding for each code of theirs that has no account, and where nothing is to be owed on."""
        return mapping.unmapped(charge_codes=self.charge_codes, tax_codes=self.tax_codes, roles=["receivable"])


def examined(
    connection: Connection,
    run: Run,
    keys: Iterable[int],
    mapping: ChartMapping,
    *,
    with_input: bool = False,
    digest: RunDigest | None = None,
) -> Examined:
    """Prove drafts of a run and return what was found.

    Args:
        connection: a connection with an open transaction.
        run: the run.
        keys: keys of the drafts; those that are not there are left out.
        mapping: the accounts of the book.
        with_input: True to prove what they were made from, too.
        digest: the digest to which they are added, a new one by default.
    """
    found = Examined(digest=digest or RunDigest())
    for some in chunks(keys, _AT_A_TIME):
        proven = proven_documents(connection, run, some)
        for one in with_proven_input(connection, proven) if with_input else proven.values():
            figures = one.figures
            book, currency = sys.intern(figures.book), sys.intern(figures.currency)  # all documents name them
            found.heads.append(figures._replace(book=book, currency=currency, lines=(), taxes=()))
            if one.wrong:
                found.wrong.append((figures.account, one.wrong))
            for code in {line.charge_code for line in figures.lines}:
                found.charge_codes.setdefault(code, Bearers()).add(figures.account)
            for code in {code for code, tax in figures.taxes if tax}:
                found.tax_codes.setdefault(code, Bearers()).add(figures.account)
            if found.error is None:
                try:
                    found.digest.add(said_of(one, mapping))
                except ConfigurationError as error:
                    found.error = error
        gc.collect(0)  # where the collector is paused, each statement would stay, with the keys that it asked for
    return found


def with_proven_input(connection: Connection, documents: Mapping[int, ProvenDocument]) -> list[ProvenDocument]:
    """Return documents of a run, and tell of those whose input is not what was saved with them."""
    changed = changed_inputs(connection, documents)
    return [
        one._replace(wrong=one.wrong or "the input that it was made from was changed") if key in changed else one
        for key, one in documents.items()
    ]
