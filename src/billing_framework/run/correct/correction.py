"""Issues corrections: a credit note for what was billed, the new document, their entries and open items, netted at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.book import BookProfile
from billing_framework.invoicing.digest import document_texts
from billing_framework.invoicing.document import Document
from billing_framework.invoicing.draft import DraftDocument
from billing_framework.invoicing.entries import document_entry
from billing_framework.invoicing.numbering import Numbered, plan_numbers
from billing_framework.ledger.batch import Batch
from billing_framework.receivables.allocation import settle
from billing_framework.receivables.open_item import Allocation, document_item_key, item_of
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.issuer import mapping_of
from billing_framework.run.draft.order import one_decision_at_a_time
from billing_framework.storage.billing.billed_records import free_records, link_records
from billing_framework.storage.billing.buyers import parties_of
from billing_framework.storage.billing.documents import (
    StoredDocument,
    as_issued,
    find_document,
    issue,
    load_documents,
)
from billing_framework.storage.billing.draft_rows import DraftRecord, save_drafts
from billing_framework.storage.billing.keys import billed_charges, rewind_states, take_back_charges, write_states
from billing_framework.storage.billing.numbers import next_counters, set_counters
from billing_framework.storage.billing.shared_documents import billed_with
from billing_framework.storage.ledger.post import post_batch
from billing_framework.storage.master.account_rows import lock_accounts
from billing_framework.storage.master.book_rows import number_series
from billing_framework.storage.outbox import Event, put_events
from billing_framework.storage.receivable.rows import insert_allocations, insert_items, load_standings
from billing_framework.values.clock import timezone, today
from billing_framework.values.errors import Refused


@attrs.frozen(kw_only=True)
class Correction:
    """One document and what corrects it.

    Attributes:
        original: key of the document.
        note: the credit note, None where nothing of the document is left to credit.
        spent: natural keys of the charges of which nothing is left afterwards; None for all.
        new: the document that bills anew, None where nothing is billed any more or only a credit was wanted.
        shared: agreements of which documents of other payers still stand: their carried state and records stay billed.
    """

    original: int
    note: DraftDocument | None
    spent: tuple[str, ...] | None = None
    new: DraftRecord | None = None
    shared: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class Corrected:
    """What a correction issued.

    Attributes:
        note: number of the credit note, empty where there was none.
        new: number of the new document, empty where there is none.
        note_key: key of the credit note, 0 without one.
        new_key: key of the new document, 0 without one.
    """

    note: str = ""
    new: str = ""
    note_key: int = 0
    new_key: int = 0


def locked_document(connection: Connection, number: str) -> StoredDocument:
    """Return the document with this number, its account kept from every other act until the transaction ends.

    Two officers who correct one document, or correct it and settle it, act one after the other, each on what the other left.

    Raises:
        NotFound: ``INVOICE20`` with the nearest number.
    """
    found = find_document(connection, number)
    one_decision_at_a_time(connection, found.content.book)
    together = load_documents(connection, billed_with(connection, found.key)).values()
    lock_accounts(connection, [one.content.account for one in together])
    return find_document(connection, number)


def issue_correction(
    deployment: Deployment, connection: Connection, book: BookProfile, wanted: Correction
) -> tuple[Corrected, tuple[DraftDocument, ...]]:
    """Issue the documents of one correction; as `issue_corrections`."""
    (corrected,), drafts = issue_corrections(deployment, connection, book, [wanted])
    return corrected, drafts


def issue_corrections(
    deployment: Deployment, connection: Connection, book: BookProfile, wanted: Sequence[Correction]
) -> tuple[tuple[Corrected, ...], tuple[DraftDocument, ...]]:
    """Issue the documents of corrections and net their open items; their entries are posted by `post_entries`, at the end.

    Everything is taken back before anything is billed anew: parts of one charge may go from one document to another.

    Args:
        deployment: the deployment.
        connection: a connection with the action's write transaction.
        book: the book.
        wanted: what to issue.

    Returns:
        The numbers for each correction, and the issued documents, whose entries are still to be posted.
    """
    drafts = [draft for one in wanted for draft in _drafts(one)]
    series = number_series(book)
    names = {one.counter_name(draft.issue_on) for draft in drafts for one in series if one.kind is draft.kind}
    block = plan_numbers(drafts, series, next_counters(connection, book.code, names))
    set_counters(connection, book.code, block.after)
    numbers = {one.document: one for one in block.numbers}
    now = deployment.clock.now()
    for one in wanted:
        _take_back(connection, one, numbers, now)
    for one in wanted:
        if one.new is not None:
            save_drafts(connection, [_with_revisions(connection, one.new)])
            issue(connection, book.code, [numbers[one.new.draft.key]], now=now)
            write_states(connection, {one.new.draft.key: one.new.state})
            link_records(connection, [one.new.draft.key])
    issued = as_issued(connection, load_documents(connection, numbers).values())
    insert_items(connection, book.code, [item for key in numbers if (item := item_of(issued[key])) is not None])
    for one in wanted:
        _net(deployment, connection, one, _drafts(one))
    put_events(connection, now, [_event(issued[key]) for key in numbers])
    return tuple(_corrected(one, numbers) for one in wanted), tuple(drafts)


def _drafts(wanted: Correction) -> list[DraftDocument]:
    return [draft for draft in (wanted.note, wanted.new.draft if wanted.new else None) if draft is not None]


def _take_back(connection: Connection, wanted: Correction, numbers: Mapping[int, Numbered], now: datetime) -> None:
    note = wanted.note
    if note is None:
        return
    seller, buyer = parties_of(connection, [wanted.original])[wanted.original]
    save_drafts(connection, [DraftRecord(draft=note, texts=document_texts(note), seller=seller, buyer=buyer)])
    issue(connection, note.book, [numbers[note.key]], now=now)
    take_back_charges(connection, wanted.original, note.key, wanted.spent)
    if wanted.spent is None:
        free_records(connection, wanted.original, note.key, keep=wanted.shared)
        rewind_states(connection, wanted.original, note.key, keep=wanted.shared)


def _corrected(wanted: Correction, numbers: Mapping[int, Numbered]) -> Corrected:
    note_key = wanted.note.key if wanted.note else 0
    new_key = wanted.new.draft.key if wanted.new else 0
    return Corrected(
        note=numbers[note_key].number if note_key else "",
        new=numbers[new_key].number if new_key else "",
        note_key=note_key,
        new_key=new_key,
    )


def _with_revisions(connection: Connection, record: DraftRecord) -> DraftRecord:
    keys = [line.charge_key for line in record.draft.lines]
    billed = billed_charges(connection, keys)
    for key in keys:
        if key in billed and not billed[key].reversed:
            raise Refused(
                "CHARGE01",
                f"the charge {key} was billed on another document and not taken back",
                remedy="Credit the other document first: billing invoice credit",
            )
    return attrs.evolve(record, revisions={key: billed[key].revision + 1 if key in billed else 1 for key in keys})


def _event(document: Document) -> Event:
    content = document.content
    payload = {"source": "correction", "account": content.account}
    return Event(topic="document.issued", book=content.book, key=document.number, payload=payload)


def _net(deployment: Deployment, connection: Connection, wanted: Correction, drafts: Sequence[DraftDocument]) -> None:
    """Settle the credit note with what is open of the document that it corrects, and with the new document for the rest."""
    if wanted.note is None:
        return
    credit_key = document_item_key(wanted.note.key)
    keys = [document_item_key(wanted.original), *(document_item_key(draft.key) for draft in drafts)]
    standing = {one.item.key: one for one in load_standings(connection, keys=keys)}
    credit = standing.get(credit_key)
    if credit is None or credit.item.is_debit:
        return
    left = credit.available
    allocations: list[Allocation] = []
    for position, key in enumerate(dict.fromkeys([keys[0], keys[-1]]), start=1):
        debit = standing.get(key)
        if debit is None or not debit.item.is_debit or not debit.open or not left:
            continue
        amount = min(debit.open, left)
        allocations.append(
            settle(
                debit.item, credit.item, amount, key=f"{credit_key}/{position}", on=wanted.note.issue_on, strategy="correction"
            )
        )
        left = left - amount
    now = deployment.clock.now()
    insert_allocations(connection, {wanted.note.account: allocations}, actor=deployment.actor, now=now)


def post_entries(
    deployment: Deployment, connection: Connection, book: BookProfile, documents: Sequence[DraftDocument], source: str
) -> None:
    """Post the entries of issued documents in one batch, as the last thing of the transaction."""
    mapping = mapping_of(book)
    entries = tuple(entry for one in documents if (entry := document_entry(one, mapping)) is not None)
    if entries:
        batch = Batch(book=book.code, source=source, entries=entries)
        post_batch(connection, batch, now=deployment.clock.now(), actor=deployment.actor)


def issue_date(deployment: Deployment, book: BookProfile, as_of: date | None) -> date:
    """Return the date that correcting documents bear: as given, else today in the book's zone."""
    return as_of or today(deployment.clock, timezone(book.zone))
