"""Credits an issued document, in full or line by line, without billing anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.credit_note import credit_note, creditable
from billing_framework.invoicing.document import Document
from billing_framework.invoicing.draft import DraftDocument
from billing_framework.run.correct.correction import (
    Correction,
    issue_correction,
    issue_date,
    locked_document,
    post_entries,
)
from billing_framework.run.correct.dependents import Dependent, dependents_of
from billing_framework.run.correct.late_bills import refuse_billed_late
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.order import refuse_reserved
from billing_framework.run.reason import PRINTED, needs_reason
from billing_framework.storage import audit
from billing_framework.storage.billing.billed_records import free_records
from billing_framework.storage.billing.documents import StoredDocument, as_issued, credit_notes_of
from billing_framework.storage.billing.keys import rewind_states
from billing_framework.storage.billing.shared_documents import agreements_of, billed_with, standing_among
from billing_framework.storage.master.book_rows import load_book
from billing_framework.values.errors import Refused
from billing_framework.values.identity import natural_id
from billing_framework.values.money import Money
from billing_framework.values.stated_money import stated_number


@attrs.frozen(kw_only=True)
class CreditReport:
    """What was credited.

    Attributes:
        document: number of the document.
        note: number of the credit note.
        gross: what it comes to; negative.
        dependents: later documents that rest on carried state which the document had written.
    """

    document: str
    note: str
    gross: Money
    dependents: tuple[Dependent, ...] = ()


def credit_document(
    deployment: Deployment,
    number: str,
    *,
    reason: str,
    nets: Mapping[int, str] | None = None,
    as_of: date | None = None,
    again: bool = False,
) -> CreditReport:
    """Issue a credit note for what is left of a document, or for amounts of its lines.

    Args:
        deployment: the deployment; its actor credits.
        number: number of the document.
        reason: why; printed.
        nets: number of a line to the amount without tax, in the document's currency, such as 5.00; None credits all.
        as_of: date of the credit note; today in the book's zone where None.
        again: True where the same amounts for the same reason are credited once more on purpose.

    Raises:
        NotFound: there is no such document or line.
        InputRefused: ``RUN14`` where no reason is given.
        Refused: nothing or less is left; ``INVOICE27`` where a credit note says the same already.
    """
    needs_reason(reason, "a credit note", code="RUN14", kept=PRINTED)
    with deployment.database.begin() as connection:
        stored = locked_document(connection, number)
        book = load_book(connection, stored.content.book).profile
        on = issue_date(deployment, book, as_of)
        currency = stored.content.currency
        wanted = None if nets is None else {line: _stated(text, currency, number) for line, text in nets.items()}
        before = credit_notes_of(connection, stored.key)
        if wanted and not again:
            _refuse_same(number, before, reason, wanted)
        note = draft_note(connection, stored, before, on=on, reason=reason, nets=wanted)
        left = creditable(stored.content, [*before, note])
        whole = all(item.is_spent for item in left)
        if whole:
            _refuse_whole(connection, stored)
        spent = None if whole else tuple(item.line.charge_key for item in left if item.is_spent)
        dependents = dependents_of(connection, stored, {(state.scope, state.name) for state in stored.state}) if whole else ()
        beside = billed_with(connection, stored.key)[1:] if whole else ()
        shared = frozenset(agreements_of(connection, standing_among(connection, beside))) if beside else frozenset[str]()
        wanted_correction = Correction(original=stored.key, note=note, spent=spent, shared=shared)
        corrected, documents = issue_correction(deployment, connection, book, wanted_correction)
        for key in beside:
            _give_back(connection, key, shared)
        after = {"credit note": corrected.note, "gross": str(note.totals.gross)}
        audit.record(
            connection,
            deployment.clock.now(),
            deployment.actor,
            "invoice credit",
            object_kind="document",
            object_key=number,
            after=after,
            reason=reason,
        )
        post_entries(deployment, connection, book, documents, f"credit/{corrected.note}")
        return CreditReport(document=number, note=corrected.note, gross=note.totals.gross, dependents=dependents)


def _stated(text: str, currency: str, number: str) -> Money:
    return Money.of(stated_number(text, currency, of=number), currency)


def _refuse_whole(connection: Connection, stored: StoredDocument) -> None:
    """Refuse to credit a document in full on which others rest: by late usage of its period, or by its carried state."""
    refuse_billed_late(connection, [stored])
    refuse_reserved(connection, {(state.scope, state.name) for state in stored.state})


def _refuse_same(number: str, before: Iterable[DraftDocument], reason: str, nets: Mapping[int, Money]) -> None:
    """Refuse the command that was given twice: a credit in full has nothing left the second time, amounts of lines may."""
    for note in before:
        if note.reason == reason and {line.corrects_line: -line.net for line in note.lines} == dict(nets):
            raise Refused(
                "INVOICE27",
                f"{number} was credited by these amounts for this reason on {note.issue_on}",
                remedy="Nothing is left to do; to credit the same once more, give --again",
            )


def _give_back(connection: Connection, key: int, shared: Collection[str]) -> None:
    """Take back what a document had left for others that bore parts of its charges, once none of these stands."""
    notes = credit_notes_of(connection, key)
    if notes and not standing_among(connection, [key]):
        free_records(connection, key, notes[-1].key, keep=shared)
        rewind_states(connection, key, notes[-1].key, keep=shared)


def draft_note(
    connection: Connection,
    stored: StoredDocument,
    before: list[DraftDocument],
    *,
    on: date,
    reason: str,
    nets: Mapping[int, Money] | None = None,
) -> DraftDocument:
    """Return the credit note of a stored document; arguments as `credit_note.credit_note`."""
    original: Document = as_issued(connection, [stored])[stored.key]
    key = natural_id("document", "credit", original.number, len(before) + 1)
    return credit_note(original, before, key=key, issue_on=on, reason=reason, nets=nets)
