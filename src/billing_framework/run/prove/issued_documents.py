"""Proves the documents of a book again: what they say, their numbers, what they left in the books, and accounts of their runs."""

from __future__ import annotations

import heapq
import itertools
import operator
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from sqlalchemy.engine import Connection

from billing_framework.invoicing.digest import document_digest
from billing_framework.invoicing.document import DocumentStatus
from billing_framework.invoicing.draft import DocumentKind
from billing_framework.invoicing.numbering import number_gaps
from billing_framework.invoicing.proof import prove
from billing_framework.receivables.open_item import document_item_key, item_of
from billing_framework.run.draft.manifest import read_back
from billing_framework.run.prove.issued_origins import wrong_origins
from billing_framework.run.prove.unreadable import cannot_be_read
from billing_framework.storage.billing.accounts_astray import settled_astray
from billing_framework.storage.billing.billed_records import mislinked
from billing_framework.storage.billing.documents import StoredDocument, as_issued, load_documents, load_inputs
from billing_framework.storage.billing.draft_rows import charge_id, text_digest
from billing_framework.storage.billing.issued import (
    Number,
    billed_keys,
    drafted_from,
    entered_amounts,
    inputs_astray,
    issued_numbers,
    numbered_by_series,
    numbered_documents,
    skipped_revisions,
    unclaimed_periods,
    written_states,
)
from billing_framework.storage.billing.numbers import counters_given
from billing_framework.storage.master.account_tables import account_id
from billing_framework.storage.master.book_rows import number_series_ever
from billing_framework.storage.receivable.rows import load_items
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.plain_form import to_plain

_AT_A_TIME = 500


def document_findings(connection: Connection, book: str) -> Iterator[Finding]:
    """Yield a finding for every issued document of a book that is not as it was issued, and for every gap in its numbers.

    Content against digest and columns, sums, number, entry, open item, charges, carried state, and the input it was made from.
    """
    yield from number_gaps(*counters_given(connection, book))
    yield from _wrong_numbers(connection, book)
    numbers = frozenset(number for _, (number, _, _) in numbered_documents(connection, book))
    documents = numbered_documents(connection, book)
    while some := dict(itertools.islice(documents, _AT_A_TIME)):
        yield from _some(connection, list(some), some, numbers)


def _wrong_numbers(connection: Connection, book: str) -> Iterator[Finding]:
    """Yield a finding for each document whose number is not the one that was issued to it, in order of the keys."""
    issued = ((key, True, number) for key, number in issued_numbers(connection, book))
    borne = ((key, False, number) for key, number in numbered_documents(connection, book))
    by_key = operator.itemgetter(0)
    for key, told in itertools.groupby(heapq.merge(issued, borne, key=by_key), by_key):
        numbers = {was_issued: number for _, was_issued, number in told}
        if numbers.get(True) != numbers.get(False):
            yield _number(key, numbers.get(True), numbers.get(False))


def number_findings(connection: Connection, book: str) -> Iterator[Finding]:
    """Yield a finding for every issued document of a book whose number is not what a series of the book makes of its place.

    The series may have been changed since it was issued, so each version of the book that was ever loaded counts.
    """
    known = number_series_ever(connection, book)
    for kind, issue_on, (number, series, counter) in numbered_by_series(connection, book):
        of_kind = [one for one in known if one.kind.value == kind and one.counter_name(issue_on) == series]
        if not any(one.format_number(counter, issue_on) == number for one in of_kind):
            yield _changed(number, f"its number is not that of its place {counter} in the series {series}")


def account_findings(connection: Connection, book: str) -> Iterator[Finding]:
    """Yield a finding for every account of a run of a book that does not stand as its document does: one of them was changed."""
    for account, run, what in settled_astray(connection, book):
        yield Finding(
            code="RUN11",
            severity=Severity.BLOCKING,
            what=f"{what} in the run {run}",
            remedy="Find out who changed it behind the program's back, and restore the rows from a backup",
            subject=account,
        )


def _number(key: int, issued: Number | None, borne: Number | None) -> Finding:
    if borne is None:
        return _changed(issued[0] if issued else str(key), "its number was issued, but the document is not there")
    given = f"the number {issued[0]} was issued to it" if issued else "no number was issued to it"
    return _changed(borne[0], f"it bears this number, but {given}")


def _some(
    connection: Connection, keys: Sequence[int], names: Mapping[int, Number], numbers: Collection[str]
) -> Iterator[Finding]:
    try:
        documents = load_documents(connection, keys)
        yield from _content(documents.values())
        yield from _books(connection, documents)
        for number, what in wrong_origins(connection, documents, numbers):
            yield _changed(number, what)
        yield from _inputs(connection, documents)
        yield from _traces(connection, documents)
    except Exception as error:
        if not cannot_be_read(error):  # such as a missing key of personal data, which says nothing about a document
            raise
        if len(keys) == 1:
            yield _changed(names[keys[0]][0], f"what is stored of it cannot be read: {error!r}")
            return
        for key in keys:  # one of them cannot be read; the others can
            yield from _some(connection, [key], names, numbers)


def _content(documents: Iterable[StoredDocument]) -> Iterator[Finding]:
    for stored in documents:
        for name in stored.odd:
            yield _changed(stored.number, f"its stored {name} differs from its content")
        if document_digest(stored.content) != stored.digest:
            yield _changed(stored.number, "its content is not what was issued")
        for finding in prove(stored.content):
            yield _changed(stored.number, finding.what)


def _books(connection: Connection, documents: Mapping[int, StoredDocument]) -> Iterator[Finding]:
    """Yield a finding where entry or open item of a document say something else than the document."""
    issued = as_issued(connection, documents.values())
    wanted = {key: item for key, one in issued.items() if (item := item_of(one)) is not None}
    entries = entered_amounts(connection, [(documents[key].content.book, document_item_key(key)) for key in wanted])
    items = {item.key: item for item in load_items(connection, keys=[item.key for item in wanted.values()])}
    for key, item in wanted.items():
        found = entries.get(document_item_key(key))
        if found is None:
            yield _changed(documents[key].number, "it has no entry in the ledger")
        elif item.original.minor not in found.get(item.dated_on.isoformat(), ()):
            what = f"its entry in the ledger is not over {item.original} of {item.dated_on}"
            yield _changed(documents[key].number, what)
        if items.get(item.key) != item:
            what = "is not there" if item.key not in items else "differs from what it says"
            yield _changed(documents[key].number, f"its open item {what}")


def _inputs(connection: Connection, documents: Mapping[int, StoredDocument]) -> Iterator[Finding]:
    """Yield a finding where the input that an invoice was made from is gone or was changed."""
    stored, drafted = load_inputs(connection, documents), drafted_from(connection, documents)
    for key, one in documents.items():
        inputs = stored.get(key, {})
        if any(text_digest(text) != digest for text, digest in inputs.values()):
            yield _changed(one.number, "the input that it was made from was changed")
            continue
        read = {account: read_back(text) for account, (text, _) in inputs.items()}
        if any(account_id(code) != account for account, (code, _) in read.items()):
            yield _changed(one.number, "the input that it was made from stands with another account than it says")
        own = [digest for code, digest in read.values() if code == one.content.account]
        if key in drafted and one.status is DocumentStatus.ISSUED and own != [drafted[key]]:
            yield _changed(one.number, "the input that it was made from is not that which its run has drafted it from")
        if not inputs and one.content.kind is DocumentKind.INVOICE:
            yield _changed(one.number, "the input that it was made from is not there")
    for key in sorted(inputs_astray(connection, documents)):
        yield _changed(documents[key].number, "the input that it was made from stands with another month than it")


def _traces(connection: Connection, documents: Mapping[int, StoredDocument]) -> Iterator[Finding]:
    """Yield a finding where what keeps a document from being billed twice, or the state that it wrote, is gone or was changed."""
    own = {
        key: one
        for key, one in documents.items()
        if one.content.kind is DocumentKind.INVOICE and one.status is DocumentStatus.ISSUED
    }
    taken, written = billed_keys(connection, own), written_states(connection, own)
    for key, one in own.items():
        if {charge_id(line.charge_key) for line in one.content.lines} - taken.get(key, set()):
            yield _changed(one.number, "a charge on it is not noted as billed, so that it could be billed again")
        for state in one.state:
            place = (key, state.scope, state.name, state.period.end.isoformat())
            if written.get(place) != to_plain(dict(state.values)):
                yield _changed(one.number, f"the carried state {state.name} of {state.scope} that it wrote was changed")
    for key in sorted(mislinked(connection, own)):
        yield _changed(own[key].number, "the records noted as billed by it are not those that it bills")
    for key in sorted(skipped_revisions(connection, own)):
        yield _changed(own[key].number, "a charge on it is noted as billed again, but not as billed before")
    for key in sorted(unclaimed_periods(connection, own)):
        yield _changed(own[key].number, "its account is not noted as billed for the period of its run, and could be billed again")


def _changed(number: str, what: str) -> Finding:
    return Finding(
        code="INVOICE22",
        severity=Severity.BLOCKING,
        what=what,
        remedy="Find out who changed it behind the program's back, and restore the rows from a backup",
        subject=number,
    )
