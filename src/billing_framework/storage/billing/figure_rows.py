"""Reads the figures of documents from their columns, and proves their texts by their digest, without reading these as values."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.digest import content_digest
from billing_framework.invoicing.draft import DocumentKind
from billing_framework.invoicing.figures import DocumentFigures, LineFigures
from billing_framework.storage.billing.draft_rows import state_digest, text_digest
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.tables import document, document_input, document_line, document_tax
from billing_framework.storage.column_types import day_of, read_stored
from billing_framework.storage.many import chunks, one_of, streamed
from billing_framework.values.identity import natural_ids_below
from billing_framework.values.money import money_text
from billing_framework.values.period import month_key
from billing_framework.values.plain_form import read_mapping

_Line = tuple[int, int, str, int, int, str]
"""A line: document, number, code, net, tax and its text."""

_Tax = tuple[int, int, str, int, str]
"""A tax: document, position, code, amount and its text."""

_MOST_TEXTS = 65_536
"""How many amounts are kept as they are written; the documents of a run come to the same ones again and again."""

_AT_A_TIME = 1_000
"""Documents whose texts are in memory together; what is kept of them are figures."""

_AS_STORED = sa.types.NullType()
"""What the driver returns is what is wanted."""


class ProvenDocument(NamedTuple):
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
    return {key: one for some in chunks(keys, _AT_A_TIME) for key, one in _proven_some(connection, run.id, some).items()}


def _proven_some(connection: Connection, run_id: int, wanted: list[int]) -> dict[int, ProvenDocument]:
    lines, taxes = _lines(connection, wanted), _taxes(connection, wanted)
    columns = document.c
    query = _stored(
        columns.id, columns.status, columns.kind, columns.book, columns.account, columns.account_id, columns.month,
        columns.currency, columns.issue_on, columns.due_on, columns.net, columns.tax, columns.gross, columns.payable,
        columns.corrects_id, columns.replaces_id, columns.run_id, columns.revision, columns.reason, columns.digest,
        columns.content, columns.state, columns.state_digest,
    )  # fmt: skip
    rows = connection.execute(query.where(one_of(columns.id, wanted))).all()
    owners = natural_ids_below("account", keys=[row[4] for row in rows])
    return {
        row[0]: _proven(row, owner, run_id, lines.get(row[0], []), taxes.get(row[0], []))
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
    columns = document_input.c
    query = _stored(columns.document_id, columns.manifest, columns.digest)
    changed: set[int] = set()
    for some in chunks(keys, _AT_A_TIME):
        rows = connection.execute(query.where(one_of(columns.document_id, some))).all()
        changed.update(key for key, text, digest in rows if text_digest(text) != digest)
        changed |= set(some) - {row[0] for row in rows}
    return changed


def draft_keys(connection: Connection, run: Run) -> Iterator[int]:
    """Yield the keys of all drafts of a run that are not issued."""
    columns = document.c
    for rows in streamed(connection, sa.select(columns.id).where(columns.run_id == run.id, columns.status == "draft")):
        yield from (row.id for row in rows)


def _lines(connection: Connection, keys: list[int]) -> dict[int, list[_Line]]:
    columns = document_line.c
    query = _stored(columns.document_id, columns.line, columns.code, columns.net, columns.tax, columns.content)
    return _by_document(connection.execute(query.where(one_of(columns.document_id, keys))).all())


def _taxes(connection: Connection, keys: list[int]) -> dict[int, list[_Tax]]:
    columns = document_tax.c
    query = _stored(columns.document_id, columns.position, columns.code, columns.tax, columns.content)
    return _by_document(connection.execute(query.where(one_of(columns.document_id, keys))).all())


def _by_document(rows: Sequence[Any]) -> dict[int, list[Any]]:
    """Return the rows of each document by their second column; a database would sort all their texts with them."""
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    for own in found.values():
        own.sort(key=_second)
    return found


_second = itemgetter(1)


def _proven(row: Any, owner: int, run: int, lines: list[_Line], taxes: list[_Tax]) -> ProvenDocument:
    (
        key, status, kind, book, account, account_id, month, currency, issue_on, due_on, net, tax, gross, payable, corrects,
        replaces, run_id, revision, reason, saved, text, carried, carried_digest,
    ) = row  # fmt: skip
    digest = content_digest(text, [line[5] for line in lines], [one[4] for one in taxes])
    head, wrong = read_mapping(text), ""  # one that cannot be read is told by its digest
    said, totals = head.get, _totals(head)
    issued, due = day_of(issue_on), day_of(due_on)
    if digest != saved.hex():
        wrong = "its content has another digest"
    elif carried_digest != state_digest(carried):
        wrong = "the state that it carries on has another digest"
    elif (said("account"), said("book"), said("currency"), said("kind", "invoice"), said("corrects")) != (
        account, book, currency, kind, corrects,
    ) or (said("issue_on"), said("due_on")) != (issued.isoformat(), due.isoformat()):  # fmt: skip
        wrong = "its stored account, currency or dates differ from its content"
    elif (totals.get("net"), totals.get("tax"), totals.get("gross"), totals.get("payable")) != (
        money_text(net, currency), money_text(tax, currency), money_text(gross, currency), money_text(payable, currency),
    ):  # fmt: skip
        wrong = "its stored totals differ from its content"
    elif (account_id, month) != (owner, month_key(issued)):
        wrong = "it stands with another account or month than it says"
    elif reason != said("reason", "") and status != "void":
        wrong = "its stored reason differs from its content"
    elif run_id != run or (revision != 1 and replaces is None):
        wrong = "it stands with another run or revision than it was drafted with"
    elif not _same_lines(lines, currency):
        wrong = "a stored line differs from its content"
    elif not _same_taxes(taxes, currency):
        wrong = "a stored tax differs from its content"
    elif sum([line[3] for line in lines]) != net:
        wrong = "its lines do not make its net total"
    elif sum([line[4] for line in lines]) != tax or sum([one[3] for one in taxes]) != tax:
        wrong = "its lines or taxes do not make its tax total"
    figures = DocumentFigures(
        key=key,
        kind=_KINDS.get(kind) or read_stored(DocumentKind, kind, "kind of a document"),
        book=book,
        account=account,
        currency=currency,
        issue_on=issued,
        due_on=due,
        gross=gross,
        rounding=_minor(totals.get("rounding", ""), currency) or 0,
        corrects=corrects or 0,
        lines=tuple([LineFigures(*line[1:5]) for line in lines]),
        taxes=tuple([(one[2], one[3]) for one in taxes]),
    )
    return ProvenDocument(figures, digest, carried, wrong)


_KINDS = {kind.value: kind for kind in DocumentKind}


def _totals(head: Mapping[str, Any]) -> dict[str, Any]:
    said = head.get("totals")
    return said if isinstance(said, dict) else {}


def _same_lines(lines: list[_Line], currency: str) -> bool:
    """Return whether the texts of lines say their figures; quotes inside of values are escaped, so nothing else looks so."""
    return all(_net(net, currency) in text and _code(code) in text for _, _, code, net, _, text in lines)


def _same_taxes(taxes: list[_Tax], currency: str) -> bool:
    """Return whether the texts of taxes say under which code they are booked, and their amounts."""
    return all(_tax(tax, currency) in text and _tax_code(code) in text for _, _, code, tax, text in taxes)


@functools.lru_cache(_MOST_TEXTS)
def _net(minor: int, currency: str) -> str:
    return f'"net":"{money_text(minor, currency)}"'


@functools.lru_cache(_MOST_TEXTS)
def _code(code: str) -> str:
    return f'"charge_code":{json.dumps(code, ensure_ascii=False)}'


@functools.lru_cache(_MOST_TEXTS)
def _tax(minor: int, currency: str) -> str:
    return f'"tax":"{money_text(minor, currency)}"'


@functools.lru_cache(_MOST_TEXTS)
def _tax_code(code: str) -> str:
    return f'"code":{json.dumps(code, ensure_ascii=False)}'


@functools.lru_cache(_MOST_TEXTS)
def _minor(money: str, currency: str) -> int | None:
    """Return the minor units of money as a text says it, None where it is no money of that currency."""
    number, _, unit = money.partition(" ")
    digits = number.replace(".", "", 1)
    return int(digits) if unit == currency and digits.lstrip("-").isdecimal() else None
