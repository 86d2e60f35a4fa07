"""Reads the figures of documents from their columns, and proves their texts by their digest, without reading these as values."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.digest import content_digest
from billing_framework.invoicing.draft import DocumentKind
from billing_framework.invoicing.figures import DocumentFigures, LineFigures
from billing_framework.storage.billing.draft_rows import text_digest
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.tables import document, document_input, document_line, document_tax
from billing_framework.storage.column_types import day_of, read_stored
from billing_framework.storage.many import one_of
from billing_framework.values.identity import natural_ids_below
from billing_framework.values.money import Money
from billing_framework.values.period import month_key

_Line = tuple[int, int, str, int, int, str]
"""A line: document, number, code, net, tax and its text."""

_Tax = tuple[int, str, int, str]
"""A tax: document, code, amount and its text."""

_MOST_TEXTS = 65_536
"""How many amounts are kept as they are written; the documents of a run come to the same ones again and again."""

_AS_STORED = sa.types.NullType()
"""What the driver returns is what is wanted."""


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


def proven_documents(connection: Connection, run: Run, keys: Iterable[int]) -> dict[int, ProvenDocument]:
    """Return the documents of these keys; what is not there is left out.

    Whoever changed a text is found by the digest beside it, whoever changed a figure by the sums. What was changed all around is
    found by the digest of the run, which was frozen when it was approved.

    Args:
        connection: a connection with an open transaction.
        run: the run that has drafted them.
        keys: keys of the documents.

    Raises:
        StorageError: ``STORAGE21`` where a date or the kind of a document is none any more.
    """
    wanted = list(keys)
    lines, taxes = _lines(connection, wanted), _taxes(connection, wanted)
    columns = document.c
    query = _stored(
        columns.id, columns.status, columns.kind, columns.book, columns.account, columns.account_id, columns.month,
        columns.currency, columns.issue_on, columns.due_on, columns.net, columns.tax, columns.gross, columns.payable,
        columns.corrects_id, columns.replaces_id, columns.run_id, columns.revision, columns.reason, columns.digest,
        columns.content, columns.state,
    )  # fmt: skip
    rows = connection.execute(query.where(one_of(columns.id, wanted))).all()
    owners, run_id = natural_ids_below("account", keys=[row.account for row in rows]), run.id
    return {
        row.id: _proven(row, owner, run_id, lines.get(row.id, []), taxes.get(row.id, []))
        for row, owner in zip(rows, owners, strict=True)
    }


def _stored(*columns: sa.Column[Any]) -> sa.Select[Any]:
    plain: list[Any] = [sa.type_coerce(column, _AS_STORED).label(column.name) for column in columns]
    return sa.select(*plain)


def changed_inputs(connection: Connection, keys: Iterable[int]) -> set[int]:
    """Return those documents of a run whose input is gone, or is not the text that the digest beside it was made of.

    It is not read as a value, so it costs little more than its way from the database.

    Args:
        connection: a connection with an open transaction.
        keys: keys of the documents.
    """
    wanted, columns = list(keys), document_input.c
    query = _stored(columns.document_id, columns.manifest, columns.digest)
    rows = connection.execute(query.where(one_of(columns.document_id, wanted))).all()
    changed = {key for key, text, digest in rows if text_digest(text) != digest}
    return changed | set(wanted) - {row[0] for row in rows}


def draft_keys(connection: Connection, run: Run) -> set[int]:
    """Return the keys of all drafts of a run that are not issued."""
    columns = document.c
    return set(connection.scalars(sa.select(columns.id).where(columns.run_id == run.id, columns.status == "draft")))


def _lines(connection: Connection, keys: list[int]) -> dict[int, list[_Line]]:
    columns = document_line.c
    query = _stored(columns.document_id, columns.line, columns.code, columns.net, columns.tax, columns.content)
    query = query.where(one_of(columns.document_id, keys))
    return _by_document(connection.execute(query.order_by(columns.document_id, columns.line)).all())


def _taxes(connection: Connection, keys: list[int]) -> dict[int, list[_Tax]]:
    columns = document_tax.c
    query = _stored(columns.document_id, columns.code, columns.tax, columns.content)
    query = query.where(one_of(columns.document_id, keys))
    return _by_document(connection.execute(query.order_by(columns.document_id, columns.position)).all())


def _by_document(rows: Sequence[Any]) -> dict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def _proven(row: Any, owner: int, run: int, lines: list[_Line], taxes: list[_Tax]) -> ProvenDocument:
    (
        key, status, kind, book, account, account_id, month, currency, issue_on, due_on, net, tax, gross, payable, corrects,
        replaces, run_id, revision, reason, saved, text, carried,
    ) = row  # fmt: skip
    digest = content_digest(text, [line[5] for line in lines], [one[3] for one in taxes])
    head, wrong = _head(text), ""
    issued, due = day_of(issue_on), day_of(due_on)
    figures = tuple([LineFigures(number, code, line_net, line_tax) for _, number, code, line_net, line_tax, _ in lines])
    if bytes.fromhex(digest) != saved:
        wrong = "its content has another digest"
    elif _said_of(head) != (account, book, currency, issued.isoformat(), due.isoformat(), kind, corrects):
        wrong = "its stored account, currency or dates differ from its content"
    elif _said_totals(head) != (_money(net, currency), _money(tax, currency), _money(gross, currency), _money(payable, currency)):
        wrong = "its stored totals differ from its content"
    elif (account_id, month) != (owner, month_key(issued)):
        wrong = "it stands with another account or month than it says"
    elif reason != head.get("reason", "") and status != "void":
        wrong = "its stored reason differs from its content"
    elif run_id != run or (revision != 1 and replaces is None):
        wrong = "it stands with another run or revision than it was drafted with"
    elif not all(_same_line(line, currency) for line in lines):
        wrong = "a stored line differs from its content"
    elif not all(_same_tax(one, currency) for one in taxes):
        wrong = "a stored tax differs from its content"
    elif sum([line.net for line in figures]) != net:
        wrong = "its lines do not make its net total"
    elif sum([line.tax for line in figures]) != tax or sum([one[2] for one in taxes]) != tax:
        wrong = "its lines or taxes do not make its tax total"
    return ProvenDocument(
        figures=DocumentFigures(
            key=key,
            kind=read_stored(DocumentKind, kind, "kind of a document"),
            book=book,
            account=account,
            currency=currency,
            issue_on=issued,
            due_on=due,
            gross=gross,
            rounding=_minor((head.get("totals") or {}).get("rounding", ""), currency) or 0,
            corrects=corrects or 0,
            lines=figures,
            taxes=tuple([(code, amount) for _, code, amount, _ in taxes]),
        ),
        digest=digest,
        state=carried,
        wrong=wrong,
    )


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


def _same_line(line: _Line, currency: str) -> bool:
    """Return whether the text of a line says its figures; quotes inside of its values are escaped, so nothing else looks so."""
    _, _, code, net, _, text = line
    return _net(net, currency) in text and _code(code) in text


def _same_tax(one: _Tax, currency: str) -> bool:
    """Return whether the text of a tax says under which code it is booked, and its amount."""
    _, code, tax, text = one
    return _tax(tax, currency) in text and _tax_code(code) in text


@functools.lru_cache(_MOST_TEXTS)
def _money(minor: int, currency: str) -> str:
    return str(Money(minor, currency))


@functools.lru_cache(_MOST_TEXTS)
def _net(minor: int, currency: str) -> str:
    return f'"net":"{_money(minor, currency)}"'


@functools.lru_cache(_MOST_TEXTS)
def _code(code: str) -> str:
    return f'"charge_code":{json.dumps(code, ensure_ascii=False)}'


@functools.lru_cache(_MOST_TEXTS)
def _tax(minor: int, currency: str) -> str:
    return f'"tax":"{_money(minor, currency)}"'


@functools.lru_cache(_MOST_TEXTS)
def _tax_code(code: str) -> str:
    return f'"code":{json.dumps(code, ensure_ascii=False)}'


@functools.lru_cache(_MOST_TEXTS)
def _minor(money: str, currency: str) -> int | None:
    """Return the minor units of money as a text says it, None where it is no money of that currency."""
    number, _, unit = money.partition(" ")
    digits = number.replace(".", "", 1)
    return int(digits) if unit == currency and digits.lstrip("-").isdecimal() else None
