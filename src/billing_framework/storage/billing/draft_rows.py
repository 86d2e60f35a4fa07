"""Saves drafts in bulk and removes them again; an issued document is out of reach, which the database sees to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.digest import DocumentTexts
from billing_framework.invoicing.document import Buyer, Seller
from billing_framework.invoicing.draft import DraftDocument
from billing_framework.rating.charge import Step
from billing_framework.rating.state import CarriedState
from billing_framework.storage.billing import tables
from billing_framework.storage.billing.billed_records import DeliveredRecords, insert_document_records
from billing_framework.storage.billing.buyers import plain_buyers
from billing_framework.storage.billing.record_tables import document_records
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.column_types import CanonicalText
from billing_framework.storage.many import delete_of, one_of
from billing_framework.storage.master.account_tables import account_id
from billing_framework.values.identity import natural_id
from billing_framework.values.period import month_key
from billing_framework.values.plain_form import text_of_plain, to_plain, to_text

_PARTS = (
    tables.document_line,
    tables.document_tax,
    tables.document_input,
    tables.document_party,
    tables.document_state_read,
    tables.charge_key,
    document_records,
)


def charge_id(natural_key: str) -> int:
    """Return the id under which a charge is billed once and for all."""
    return natural_id("charge", natural_key)


@attrs.frozen(kw_only=True)
class LineEvidence:
    """What one line rests on.

    Attributes:
        records: keys of the usage records.
        state_read: names of the carried state that it depends on.
        steps: how its amount came to be.
    """

    records: tuple[int, ...] = ()
    state_read: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


@attrs.frozen(kw_only=True)
class StateRead:
    """That a document depends on carried state.

    Attributes:
        scope: what the state belongs to.
        name: name of the state.
        written_by: key of the document that had written it; 0 where there was none yet.
    """

    scope: str
    name: str
    written_by: int


@attrs.frozen(kw_only=True)
class DraftRecord:
    """A draft with all that is stored beside it.

    Attributes:
        draft: the draft.
        texts: what it says.
        evidence: what each line rests on, in order of the lines.
        inputs: manifest of each account that contributed, by account code, as canonical JSON text.
        state: carried state that it will write.
        state_read: carried state that it depends on.
        seller: who bills.
        buyer: who is billed.
        run_id: run that drafted it, None for a document of its own.
        final: False for a rehearsal.
        version: counts the drafts of this document.
        revisions: natural key of each charge to its revision, 1 unless it was billed and taken back before.
        records: carried records that it is made of, for each account that delivered some.
        revision: 1, and one more with every credit and rebill of the document.
        replaces: key of the document that it bills anew, or None.
    """

    draft: DraftDocument
    texts: DocumentTexts
    evidence: tuple[LineEvidence, ...] = ()
    inputs: Mapping[str, str] = attrs.field(factory=dict)
    state: tuple[CarriedState, ...] = ()
    state_read: tuple[StateRead, ...] = ()
    seller: Seller
    buyer: Buyer
    run_id: int | None = None
    final: bool = True
    version: int = 1
    records: tuple[DeliveredRecords, ...] = ()
    revision: int = 1
    replaces: int | None = None
    revisions: Mapping[str, int] = attrs.field(factory=dict)


_NO_STATE = CanonicalText("[]")


@attrs.define
class _Texts:
    """Texts of values that many rows share: each object is written once.

    Attributes:
        _known: the objects by identity, with their texts.
    """

    _known: dict[int, tuple[object, CanonicalText]] = attrs.field(factory=dict)

    def of(self, value: object, write: Callable[[object], str]) -> CanonicalText:
        """Return the text of a value, as it is stored."""
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = (value, CanonicalText(write(value)))
        return known[1]


def _whole_text(value: object) -> str:
    return text_of_plain(to_plain(value))


def save_drafts(connection: Connection, records: Sequence[DraftRecord]) -> None:
    """Save drafts in bulk; earlier drafts of the same keys must be deleted before.

    Raises:
        Conflict: a charge of a final draft is billed already, by whatever run.
    """
    ordered = sorted(records, key=lambda record: record.draft.key)
    texts = _Texts()
    _insert_documents(connection, ordered)
    _insert_lines(connection, ordered, texts)
    _insert_taxes(connection, ordered)
    _insert_inputs(connection, ordered)
    bulk_insert(
        connection,
        tables.document_party,
        ("document_id", "seller", "buyer"),
        [
            (record.draft.key, texts.of(record.seller, _whole_text), CanonicalText(text_of_plain(buyer)))
            for record, buyer in zip(
                ordered, plain_buyers(connection, [(record.draft.key, record.buyer) for record in ordered]), strict=True
            )
        ],
    )
    bulk_insert(
        connection,
        tables.document_state_read,
        ("document_id", "scope", "name", "written_by"),
        [(record.draft.key, read.scope, read.name, read.written_by) for record in ordered for read in record.state_read],
    )
    insert_document_records(
        connection,
        [(record.draft.key, month_key(record.draft.issue_on), one) for record in ordered for one in record.records],
    )
    keys = [
        (charge_id(line.charge_key), record.revisions.get(line.charge_key, 1), record.draft.key)
        for record in ordered
        if record.final and record.revisions
        for line in record.draft.lines
    ]
    bulk_insert(connection, tables.charge_key, ("charge_id", "revision", "document_id"), sorted(keys))


def delete_drafts(connection: Connection, keys: Iterable[int]) -> None:
    """Remove drafts with all their parts and free the charges that they had taken."""
    listed = list(keys)
    for table in _PARTS:
        delete_of(connection, listed, lambda some, table=table: table.delete().where(one_of(table.c.document_id, some)))  # type: ignore[misc]
    delete_of(connection, listed, lambda some: tables.document.delete().where(one_of(tables.document.c.id, some)))


def _insert_documents(connection: Connection, records: Sequence[DraftRecord]) -> None:
    columns = (
        "id", "book", "account_id", "account", "month", "kind", "status", "final", "issue_on", "due_on", "period_start",
        "period_end", "currency", "net", "tax", "gross", "payable", "run_id", "version", "revision", "corrects_id", "replaces_id",
        "reason",
        "content", "state", "digest", "state_digest",
    )  # fmt: skip
    bulk_insert(connection, tables.document, columns, [_document_row(record) for record in records])


def _document_row(record: DraftRecord) -> tuple[object, ...]:
    draft, totals = record.draft, record.draft.totals
    state = CanonicalText(text_of_plain(list(map(to_plain, record.state)))) if record.state else _NO_STATE
    return (
        draft.key,
        draft.book,
        account_id(draft.account),
        draft.account,
        month_key(draft.issue_on),
        draft.kind.value,
        "draft",
        record.final,
        draft.issue_on,
        draft.due_on,
        draft.period.start,
        draft.period.end,
        draft.currency,
        totals.net.minor,
        totals.tax.minor,
        totals.gross.minor,
        totals.payable.minor,
        record.run_id,
        record.version,
        record.revision,
        draft.corrects or None,
        record.replaces,
        draft.reason,
        CanonicalText(record.texts.head),
        state,
        bytes.fromhex(record.texts.digest),
        state_digest(state),
    )


def state_digest(text: str) -> bytes | None:
    """Return the digest that stands beside the carried state of a document, as canonical JSON text; None where it has none."""
    return None if text == _NO_STATE else text_digest(text)


def _insert_lines(connection: Connection, records: Sequence[DraftRecord], texts: _Texts) -> None:
    columns = (
        "document_id", "line", "account_id", "month", "charge", "agreement", "component", "net", "tax", "amount", "quantity",
        "unit", "unit_price", "code", "service_start", "service_end", "origin", "content", "evidence",
    )  # fmt: skip
    bulk_insert(connection, tables.document_line, columns, [row for record in records for row in _line_rows(record, texts)])


def _line_rows(record: DraftRecord, texts: _Texts) -> list[tuple[object, ...]]:
    draft = record.draft
    account, month = account_id(draft.account), month_key(draft.issue_on)
    evidence = record.evidence or (LineEvidence(),) * len(draft.lines)
    return [
        (
            draft.key,
            line.number,
            account,
            month,
            line.charge_key,
            line.agreement,
            line.component,
            line.net.minor,
            line.tax.minor,
            line.amount.value,
            None if line.quantity is None else line.quantity.value,
            None if line.quantity is None else line.quantity.unit,
            None if line.unit_price is None else line.unit_price.value,
            line.charge_code,
            line.service.start,
            line.service.end,
            line.origin.value,
            CanonicalText(text),
            texts.of(proof, to_text),
        )
        for line, text, proof in zip(draft.lines, record.texts.lines, evidence, strict=True)
    ]


def _insert_taxes(connection: Connection, records: Sequence[DraftRecord]) -> None:
    columns = ("document_id", "position", "account_id", "month", "code", "base", "rate", "tax", "content")
    rows = [
        (
            record.draft.key,
            position,
            account_id(record.draft.account),
            month_key(record.draft.issue_on),
            tax.code,
            tax.taxable.minor,
            tax.rate,
            tax.tax.minor,
            CanonicalText(text),
        )
        for record in records
        for position, (tax, text) in enumerate(zip(record.draft.taxes, record.texts.taxes, strict=True), start=1)
    ]
    bulk_insert(connection, tables.document_tax, columns, rows)


def _insert_inputs(connection: Connection, records: Sequence[DraftRecord]) -> None:
    rows = [
        (record.draft.key, account_id(account), month_key(record.draft.issue_on), text, text_digest(text))
        for record in records
        for account, text in sorted(record.inputs.items())
    ]
    bulk_insert(connection, tables.document_input, ("document_id", "account_id", "month", "manifest", "digest"), rows)


def text_digest(text: str) -> bytes:
    """Return the digest that is stored beside a manifest."""
    return hashlib.sha256(text.encode()).digest()
