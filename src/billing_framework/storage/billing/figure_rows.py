"""Reads the figures of documents from their columns, and proves their texts by their digest, without reading these as values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.digest import content_digest
from billing_framework.invoicing.draft import DocumentKind
from billing_framework.invoicing.figures import DocumentFigures, LineFigures
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.tables import document, document_line, document_tax
from billing_framework.storage.many import rows_of
from billing_framework.values.money import Money

_TOTALS = ("net", "tax", "gross", "payable")
_HEAD = (
    ("account", "account", ""),
    ("book", "book", ""),
    ("issue_on", "issue_on", ""),
    ("due_on", "due_on", ""),
    ("kind", "kind", "invoice"),
    ("corrects", "corrects_id", None),
)
"""What the head says, the column that says it too, and what is not said where it is so."""


@attrs.frozen(kw_only=True)
class ProvenDocument:
    """A stored document as its rows have it.

    Attributes:
        figures: what it comes to, by its columns.
        digest: digest of the texts as they are now, as hex.
        state: the carried state that it writes, as text.
        wrong: what does not fit together, in one sentence; empty where all does.
    """

    figures: DocumentFigures
    digest: str
    state: str = "[]"
    wrong: str = ""


def proven_documents(connection: Connection, keys: Iterable[int]) -> dict[int, ProvenDocument]:
    """Return the documents of these keys; what is not there is left out.

    Whoever changed a text is found by the digest beside it, whoever changed a figure by the sums. What was changed all around is
    found by the digest of the run, which was frozen when it was approved.
    """
    wanted = list(keys)
    lines = _lines(connection, wanted)
    taxes = _taxes(connection, wanted)
    text, columns = sa.Text(), document.c
    query = sa.select(
        columns.id, columns.kind, columns.book, columns.account, columns.currency, columns.issue_on, columns.due_on, columns.net,
        columns.tax, columns.gross, columns.payable, columns.corrects_id, columns.digest,
        sa.type_coerce(columns.content, text).label("said"), sa.type_coerce(columns.state, text).label("carried"),
    )  # fmt: skip
    return {
        row.id: _proven(row, lines.get(row.id, []), taxes.get(row.id, []))
        for row in rows_of(connection, wanted, lambda some: query.where(columns.id.in_(some)))
    }


def draft_keys(connection: Connection, run: Run) -> set[int]:
    """Return the keys of all drafts of a run that are not issued."""
    columns = document.c
    return set(connection.scalars(sa.select(columns.id).where(columns.run_id == run.id, columns.status == "draft")))


def _lines(connection: Connection, keys: list[int]) -> dict[int, list[tuple[LineFigures, str]]]:
    columns = document_line.c
    said = sa.type_coerce(columns.content, sa.Text()).label("said")
    query = sa.select(columns.document_id, columns.line, columns.code, columns.net, columns.tax, said)
    query = query.order_by(columns.document_id, columns.line)
    found: dict[int, list[tuple[LineFigures, str]]] = {}
    for row in rows_of(connection, keys, lambda some: query.where(columns.document_id.in_(some))):
        found.setdefault(row.document_id, []).append((LineFigures(row.line, row.code, row.net, row.tax), row.said))
    return found


def _taxes(connection: Connection, keys: list[int]) -> dict[int, list[tuple[str, int, str]]]:
    columns = document_tax.c
    said = sa.type_coerce(columns.content, sa.Text()).label("said")
    query = sa.select(columns.document_id, columns.code, columns.tax, said)
    query = query.order_by(columns.document_id, columns.position)
    found: dict[int, list[tuple[str, int, str]]] = {}
    for row in rows_of(connection, keys, lambda some: query.where(columns.document_id.in_(some))):
        found.setdefault(row.document_id, []).append((row.code, row.tax, row.said))
    return found


def _proven(row: sa.Row[Any], lines: list[tuple[LineFigures, str]], taxes: list[tuple[str, int, str]]) -> ProvenDocument:
    digest = content_digest(row.said, (said for _, said in lines), (said for _, _, said in taxes))
    head, wrong = _head(row.said), ""
    said = head.get("totals") or {}
    if digest != row.digest.hex():
        wrong = "its content has another digest"
    elif (row.net, row.tax, row.gross, row.payable) != tuple(_minor(said.get(name, ""), row.currency) for name in _TOTALS):
        wrong = "its stored totals differ from its content"
    elif any(head.get(name, default) != _told(getattr(row, column)) for name, column, default in _HEAD):
        wrong = "its stored account or dates differ from its content"
    elif not all(_same_line(line, text, row.currency) for line, text in lines):
        wrong = "a stored line differs from its content"
    elif sum(line.net for line, _ in lines) != row.net:
        wrong = "its lines do not make its net total"
    elif sum(line.tax for line, _ in lines) != row.tax or sum(tax for _, tax, _ in taxes) != row.tax:
        wrong = "its lines or taxes do not make its tax total"
    return ProvenDocument(
        figures=DocumentFigures(
            key=row.id,
            kind=DocumentKind(row.kind),
            book=row.book,
            account=row.account,
            currency=row.currency,
            issue_on=row.issue_on,
            due_on=row.due_on,
            gross=row.gross,
            rounding=_minor(said.get("rounding", ""), row.currency) or 0,
            corrects=row.corrects_id or 0,
            lines=tuple(line for line, _ in lines),
            taxes=tuple((code, tax) for code, tax, _ in taxes),
        ),
        digest=digest,
        state=row.carried,
        wrong=wrong,
    )


def _head(text: str) -> dict[str, Any]:
    """Return what the head of a document says; nothing where it cannot be read, which its digest tells."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _told(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _same_line(line: LineFigures, text: str, currency: str) -> bool:
    """Return whether the text of a line says its figures; quotes inside of its values are escaped, so nothing else looks so."""
    code = json.dumps(line.charge_code, ensure_ascii=False)
    return f'"net":"{Money(line.net, currency)}"' in text and f'"charge_code":{code}' in text


def _minor(money: str, currency: str) -> int | None:
    """Return the minor units of money as a text says it, None where it is no money of that currency."""
    number, _, unit = money.partition(" ")
    digits = number.replace(".", "", 1)
    return int(digits) if unit == currency and digits.lstrip("-").isdecimal() else None
