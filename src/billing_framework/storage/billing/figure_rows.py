"""Reads the figures of documents from their columns, and proves their texts by their digest, without reading these as values."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
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

_LineRow = tuple[LineFigures, str]
"""What the columns of a line say, and its text."""

_TaxRow = tuple[str, int, str]
"""Code and amount of a tax, and its text."""

_MOST_TEXTS = 65_536
"""How many amounts are kept as they are written; the documents of a run come to the same ones again and again."""


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


def _lines(connection: Connection, keys: list[int]) -> dict[int, list[_LineRow]]:
    columns = document_line.c
    said = sa.type_coerce(columns.content, sa.Text())
    query = sa.select(columns.document_id, columns.line, columns.code, columns.net, columns.tax, said)
    query = query.order_by(columns.document_id, columns.line)
    found: defaultdict[int, list[_LineRow]] = defaultdict(list)
    rows: Iterable[Any] = rows_of(connection, keys, lambda some: query.where(columns.document_id.in_(some)))
    for key, number, code, net, tax, text in rows:
        found[key].append((LineFigures(number, code, net, tax), text))
    return found


def _taxes(connection: Connection, keys: list[int]) -> dict[int, list[_TaxRow]]:
    columns = document_tax.c
    said = sa.type_coerce(columns.content, sa.Text())
    query = sa.select(columns.document_id, columns.code, columns.tax, said)
    query = query.order_by(columns.document_id, columns.position)
    found: defaultdict[int, list[_TaxRow]] = defaultdict(list)
    rows: Iterable[Any] = rows_of(connection, keys, lambda some: query.where(columns.document_id.in_(some)))
    for key, code, tax, text in rows:
        found[key].append((code, tax, text))
    return found


def _proven(row: Any, lines: list[_LineRow], taxes: list[_TaxRow]) -> ProvenDocument:
    (key, kind, book, account, currency, issue_on, due_on, net, tax, gross, payable, corrects, saved, text, carried) = row
    digest = content_digest(text, [said for _, said in lines], [said for _, _, said in taxes])
    head, wrong = _head(text), ""
    if digest != saved.hex():
        wrong = "its content has another digest"
    elif _said_of(head) != (account, book, currency, issue_on.isoformat(), due_on.isoformat(), kind, corrects):
        wrong = "its stored account, currency or dates differ from its content"
    elif _said_totals(head) != (_money(net, currency), _money(tax, currency), _money(gross, currency), _money(payable, currency)):
        wrong = "its stored totals differ from its content"
    elif not all(_same_line(line, said, currency) for line, said in lines):
        wrong = "a stored line differs from its content"
    elif sum([line.net for line, _ in lines]) != net:
        wrong = "its lines do not make its net total"
    elif sum([line.tax for line, _ in lines]) != tax or sum([tax for _, tax, _ in taxes]) != tax:
        wrong = "its lines or taxes do not make its tax total"
    figures = DocumentFigures(
        key=key,
        kind=DocumentKind(kind),
        book=book,
        account=account,
        currency=currency,
        issue_on=issue_on,
        due_on=due_on,
        gross=gross,
        rounding=_minor((head.get("totals") or {}).get("rounding", ""), currency) or 0,
        corrects=corrects or 0,
        lines=tuple([line for line, _ in lines]),
        taxes=tuple([(code, tax) for code, tax, _ in taxes]),
    )
    return ProvenDocument(figures=figures, digest=digest, state=carried, wrong=wrong)


def _head(text: str) -> dict[str, Any]:
    """Return what the head of a document says; nothing where it cannot be read, which its digest tells."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _said_totals(head: Mapping[str, Any]) -> tuple[str | None, ...]:
    said = head.get("totals") or {}
    return said.get("net"), said.get("tax"), said.get("gross"), said.get("payable")


def _said_of(head: Mapping[str, Any]) -> tuple[str | int | None, ...]:
    said = head.get
    days = said("issue_on"), said("due_on")
    return said("account"), said("book"), said("currency"), *days, said("kind", "invoice"), said("corrects")


def _same_line(line: LineFigures, text: str, currency: str) -> bool:
    """Return whether the text of a line says its figures; quotes inside of its values are escaped, so nothing else looks so."""
    return _net(line.net, currency) in text and _code(line.charge_code) in text


@functools.lru_cache(_MOST_TEXTS)
def _money(minor: int, currency: str) -> str:
    return str(Money(minor, currency))


@functools.lru_cache(_MOST_TEXTS)
def _net(minor: int, currency: str) -> str:
    return f'"net":"{_money(minor, currency)}"'


@functools.lru_cache(_MOST_TEXTS)
def _code(code: str) -> str:
    return f'"charge_code":{json.dumps(code, ensure_ascii=False)}'


def _minor(money: str, currency: str) -> int | None:
    """Return the minor units of money as a text says it, None where it is no money of that currency."""
    number, _, unit = money.partition(" ")
    digits = number.replace(".", "", 1)
    return int(digits) if unit == currency and digits.lstrip("-").isdecimal() else None
