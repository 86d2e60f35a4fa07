"""Reads stored documents back as the values that were saved, and issues drafts under their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.document import Buyer, Document, DocumentStatus, Seller
from billing_framework.invoicing.draft import DocumentKind, DraftDocument, DraftLine, TaxLine
from billing_framework.invoicing.numbering import Numbered
from billing_framework.invoicing.payment_reference import rf_reference
from billing_framework.rating.state import CarriedState
from billing_framework.storage.billing import tables
from billing_framework.storage.billing.buyers import parties_of
from billing_framework.storage.billing.draft_rows import LineEvidence
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id
from billing_framework.values.errors import BillingError, NotFound, Refused
from billing_framework.values.period import month_key
from billing_framework.values.plain_form import from_plain
from billing_framework.values.spelling import did_you_mean

_FIGURES = ("net", "tax", "gross", "payable")
_NUMBERS_OFFERED = 10_000


@attrs.frozen(kw_only=True)
class StoredDocument:
    """A document as the database holds it.

    Attributes:
        content: what it says.
        digest: digest of the content as it was saved, as hex.
        status: draft, issued or void.
        number: its number, empty for a draft.
        counter_name: counter of its series, empty for a draft.
        counter: position in the series, 0 for a draft.
        evidence: what each line rests on, in order of the lines.
        state: carried state that it writes.
        run_id: run that drafted it, None for a document of its own.
        revision: 1, and one more with every credit and rebill.
        reason: why it is void or corrects another.
        odd: columns, lines and taxes that say something else than the content; somebody changed the rows.
    """

    content: DraftDocument
    digest: str
    status: DocumentStatus
    number: str
    counter_name: str
    counter: int
    evidence: tuple[LineEvidence, ...]
    state: tuple[CarriedState, ...]
    run_id: int | None
    revision: int
    reason: str
    odd: tuple[str, ...] = ()

    @property
    def key(self) -> int:
        """Key of the document."""
        return self.content.key


def load_documents(connection: Connection, keys: Iterable[int]) -> dict[int, StoredDocument]:
    """Return the documents of these keys; what is not there is left out."""
    wanted = list(keys)
    lines: dict[int, list[tuple[DraftLine, LineEvidence]]] = {}
    odd: dict[int, set[str]] = {}
    places: dict[int, set[tuple[int, int]]] = {}
    table = tables.document_line
    for row in rows_of(
        connection, wanted, lambda some: sa.select(table).where(one_of(table.c.document_id, some)).order_by(table.c.line)
    ):
        line = from_plain(row.content, DraftLine)
        lines.setdefault(row.document_id, []).append((line, from_plain(row.evidence, LineEvidence)))
        places.setdefault(row.document_id, set()).add((row.account_id, row.month))
        if not _same_line(row, line):
            odd.setdefault(row.document_id, set()).add(f"line {row.line}")
    taxes: dict[int, list[TaxLine]] = {}
    tax = tables.document_tax
    for row in rows_of(
        connection, wanted, lambda some: sa.select(tax).where(one_of(tax.c.document_id, some)).order_by(tax.c.position)
    ):
        one = from_plain(row.content, TaxLine)
        taxes.setdefault(row.document_id, []).append(one)
        places.setdefault(row.document_id, set()).add((row.account_id, row.month))
        if (row.code, row.base, row.rate, row.tax) != (one.code, one.taxable.minor, one.rate, one.tax.minor):
            odd.setdefault(row.document_id, set()).add(f"tax {row.position}")
    document = tables.document
    found: dict[int, StoredDocument] = {}
    for row in rows_of(connection, wanted, lambda some: sa.select(document).where(one_of(document.c.id, some))):
        if places.get(row.id, set()) - {(row.account_id, row.month)}:
            odd.setdefault(row.id, set()).add("account or month of a line or tax")
        found[row.id] = _stored(row, lines.get(row.id, []), taxes.get(row.id, []), odd.get(row.id, set()))
    return found


def _same_line(row: sa.Row[Any], line: DraftLine) -> bool:
    columns = (
        row.line, row.net, row.tax, row.charge, row.agreement, row.component, row.code, row.amount, row.service_start,
        row.service_end, row.quantity, row.unit, row.unit_price, row.origin,
    )  # fmt: skip
    return columns == (
        line.number, line.net.minor, line.tax.minor, line.charge_key, line.agreement, line.component, line.charge_code,
        line.amount.value, line.service.start, line.service.end, None if line.quantity is None else line.quantity.value,
        None if line.quantity is None else line.quantity.unit, None if line.unit_price is None else line.unit_price.value,
        line.origin.value,
    )  # fmt: skip


def _odd_columns(row: sa.Row[Any], head: DraftDocument) -> Iterator[str]:
    """Yield the columns of a document that say something else than its content."""
    for name in _FIGURES:
        if getattr(row, name) != getattr(head.totals, name).minor:
            yield name
    for name in ("book", "account", "currency", "issue_on", "due_on"):
        if getattr(row, name) != getattr(head, name):
            yield name
    if head.key != row.id or head.lines or head.taxes:
        yield "content"
    if (row.kind, row.corrects_id or 0) != (head.kind.value, head.corrects):
        yield "kind"
    if (row.period_start, row.period_end) != (head.period.start, head.period.end):
        yield "period"
    if row.account_id != account_id(head.account):
        yield "account id"
    if row.month != month_key(head.issue_on):
        yield "month"
    if row.reason != head.reason and row.status != DocumentStatus.VOID.value:
        yield "reason"


def _stored(
    row: sa.Row[Any], lines: Sequence[tuple[DraftLine, LineEvidence]], taxes: Sequence[TaxLine], odd: Iterable[str]
) -> StoredDocument:
    # What stands in rows of its own is no part of the head; a head that says it nonetheless was changed.
    head = from_plain({"key": row.id, "lines": [], **row.content}, DraftDocument)
    return StoredDocument(
        content=attrs.evolve(head, lines=tuple(line for line, _ in lines), taxes=tuple(taxes)),
        digest=row.digest.hex(),
        status=DocumentStatus(row.status),
        number=row.number or "",
        counter_name=row.series or "",
        counter=row.counter or 0,
        evidence=tuple(proof for _, proof in lines),
        state=tuple(from_plain(state, CarriedState) for state in row.state),
        run_id=row.run_id,
        revision=row.revision,
        reason=row.reason,
        odd=tuple(sorted({*_odd_columns(row, head), *odd})),
    )


def load_inputs(connection: Connection, keys: Iterable[int]) -> dict[int, dict[int, tuple[str, bytes]]]:
    """Return for each document the manifests of its accounts: account id to the JSON text and the digest saved beside it."""
    table = tables.document_input
    found: dict[int, dict[int, tuple[str, bytes]]] = {}
    for row in rows_of(connection, keys, lambda some: sa.select(table).where(one_of(table.c.document_id, some))):
        found.setdefault(row.document_id, {})[row.account_id] = (row.manifest, row.digest)
    return found


def as_issued(connection: Connection, documents: Iterable[StoredDocument]) -> dict[int, Document]:
    """Return issued or void documents by key, with their parties and the number of the document that each corrects."""
    listed = list(documents)
    parties = parties_of(connection, [one.key for one in listed])
    table = tables.document
    originals = {
        row.id: row
        for row in rows_of(
            connection,
            {one.content.corrects for one in listed if one.content.corrects},
            lambda some: sa.select(table.c.id, table.c.number, table.c.issue_on).where(one_of(table.c.id, some)),
        )
    }
    return {one.key: _issued(one, *parties[one.key], originals.get(one.content.corrects)) for one in listed}


def _issued(stored: StoredDocument, seller: Seller, buyer: Buyer, original: sa.Row[Any] | None) -> Document:
    return Document(
        number=stored.number,
        counter_name=stored.counter_name,
        counter=stored.counter,
        status=stored.status,
        content=stored.content,
        digest=stored.digest,
        seller=seller,
        buyer=buyer,
        payment_reference=_reference(stored),
        corrects_number=original.number if original else "",
        corrects_on=original.issue_on if original else None,
        void_reason=stored.reason if stored.status is DocumentStatus.VOID else "",
    )


def _reference(stored: StoredDocument) -> str:
    asks = stored.status is DocumentStatus.ISSUED and stored.content.kind is not DocumentKind.CREDIT_NOTE
    return rf_reference(stored.number) if asks else ""


def find_document(connection: Connection, number: str) -> StoredDocument:
    """Return the document with this legal number.

    Raises:
        NotFound: ``INVOICE20`` with the nearest number.
    """
    table = tables.number_issued
    books = sa.select(tables.number_series.c.book)  # the index of numbers begins with the book, so the few books are named
    query = sa.select(table.c.document_id).where(table.c.number == number, table.c.book.in_(books))
    key = connection.execute(query).scalar()
    if key is None:
        known = connection.scalars(sa.select(table.c.number).order_by(table.c.number.desc()).limit(_NUMBERS_OFFERED))
        raise NotFound("INVOICE20", f"there is no document {number!r}", remedy=did_you_mean(number, list(known)))
    try:
        return load_documents(connection, [key])[key]
    except (BillingError, KeyError, TypeError, ValueError) as error:
        raise Refused(
            "INVOICE22",
            f"the document {number} was issued, but what is stored of it cannot be read: {error!r}",
            remedy="Find out who changed it behind the program's back, and restore it from a backup",
        ) from error


def replaced_by(connection: Connection, key: int) -> str:
    """Return the number of the document that bills a document anew, empty where it stands."""
    table = tables.document
    return connection.execute(sa.select(table.c.number).where(table.c.replaces_id == key)).scalar() or ""


def credit_notes_of(connection: Connection, key: int) -> list[DraftDocument]:
    """Return the issued credit notes of a document, oldest first."""
    table = tables.document
    query = sa.select(table.c.id).where(table.c.corrects_id == key, table.c.status == "issued", table.c.kind == "credit_note")
    keys = list(connection.execute(query.order_by(table.c.posted_at, table.c.id)).scalars())
    loaded = load_documents(connection, keys)
    return [loaded[note].content for note in keys]


def issued_as(stored: StoredDocument, numbered: Numbered) -> StoredDocument:
    """Return a draft as it is stored once `issue` has given it its number."""
    return attrs.evolve(
        stored,
        status=DocumentStatus.ISSUED,
        number=numbered.number,
        counter_name=numbered.counter_name,
        counter=numbered.counter,
    )


def issue(
    connection: Connection,
    book: str,
    numbers: Sequence[Numbered],
    *,
    now: datetime,
    void: Mapping[int, str] = MappingProxyType({}),
) -> None:
    """Issue drafts of one book under their numbers; from here on the database refuses every change.

    Args:
        connection: a connection with an open write transaction.
        book: code of the book.
        numbers: the numbers, one for each draft.
        now: instant of posting.
        void: key of each draft that is issued as void, to the reason.
    """
    bulk_insert(
        connection,
        tables.number_issued,
        ("book", "series", "counter", "number", "document_id"),
        [(book, one.counter_name, one.counter, one.number, one.document) for one in numbers],
        driver_form=True,
    )
    table = tables.document
    for key, reason in void.items():
        connection.execute(table.update().where(table.c.id == key).values(reason=reason))
    given = tables.number_issued
    status = sa.case((table.c.id.in_(sorted(void)), "void"), else_="issued") if void else "issued"
    connection.execute(
        table.update()
        .where(table.c.id == given.c.document_id, one_of(table.c.id, [one.document for one in numbers]))
        .values(status=status, series=given.c.series, counter=given.c.counter, number=given.c.number, posted_at=now)
    )
