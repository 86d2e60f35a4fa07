"""Answers and their items as rows: what was said once, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from billing_framework.receivables.answer import Answer, AnswerAdjustment, AnswerItem
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.column_types import natural_id
from billing_framework.storage.likely import likely
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.receivable.answer_tables import STATES, answer, answer_item
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money
from billing_framework.values.plain_form import from_plain, to_plain, to_text

Part = AnswerItem | AnswerAdjustment

CONFLICTS_FROM = 1_000_000
"""Positions from here on are of items that contradict what was taken in before; they stand in no file's order."""

_ANSWER = (
    "id", "book", "payer", "trace", "currency", "amount", "paid_on", "method", "payment_id", "format", "file", "sha256", "actor",
    "at",
)  # fmt: skip
_ITEM = (
    "id", "answer_id", "position", "part", "key", "document", "reference", "status", "currency", "amount", "content", "digest",
    "reverses_id", "state", "denial", "denied", "findings", "given", "made", "reason", "decided_by", "decided_at",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class StoredAnswer:
    """An answer as it was taken in.

    Attributes:
        id: its id.
        book: code of the book that was answered.
        payer: the third party.
        trace: number of the payment.
        money: what is paid.
        paid_on: date of the payment.
        method: how it came.
        payment: id of the payment that came for it, None where it is zero.
        format: format by which it was read.
        file: name of the file.
        sha256: digest of the file.
        actor: who took it in.
        at: when.
    """

    id: int
    book: str
    payer: str
    trace: str
    money: Money
    paid_on: date
    method: str
    payment: int | None
    format: str
    file: str
    sha256: bytes
    actor: str = ""
    at: datetime | None = None


@attrs.frozen(kw_only=True)
class StoredItem:
    """One item of an answer, or an adjustment that concerns no document, and what became of it.

    Attributes:
        id: its id; the same book, payer, trace and key are the same item.
        answer: id of the answer.
        position: place in the answer, from 1.
        key: what names it within the answer.
        content: what was said.
        state: ``posted``, ``suspended`` (waits with its money), ``conflict`` (the key was used for something else) or
            ``discarded``.
        denial: ``open`` while denied money is to be worked on, then ``closed``; empty where nothing was denied.
        denied: what was denied.
        findings: why it waits.
        given: what officers added: ``document``, ``next_account``.
        made: role, adjustment code and key of each open item that it made.
        reverses: id of the item that it took back, or None.
        reason: why it was decided so, in the officer's words.
        decided_by: who decided last.
        decided_at: when.
    """

    id: int
    answer: int
    position: int
    key: str
    content: Part
    state: str
    denial: str = ""
    denied: Money
    findings: tuple[Finding, ...] = ()
    given: Mapping[str, str] = attrs.field(factory=dict)
    made: tuple[tuple[str, str, str], ...] = ()
    reverses: int | None = None
    reason: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None

    @property
    def money(self) -> Money:
        """What it takes out of the payment; below zero it adds to it."""
        return self.content.paid if isinstance(self.content, AnswerItem) else -self.content.money

    @property
    def digest(self) -> bytes:
        """Digest of what was said."""
        return content_digest(self.content)


def content_digest(content: Part) -> bytes:
    """Return the digest of what an item says; its place in the file is no part of it."""
    plain = attrs.evolve(content, place=0) if isinstance(content, AnswerItem) else content
    return hashlib.sha256(to_text(plain).encode()).digest()


def answer_id(book: str, payer: str, trace: str) -> int:
    """Return the id of an answer."""
    return natural_id("answer", book, payer, trace)


def answer_item_id(book: str, said: Answer, key: str) -> int:
    """Return the id of an item of an answer."""
    return natural_id("answer_item", book, said.payer, said.trace, key)


def insert_answers(connection: Connection, answers: Iterable[StoredAnswer], *, actor: str, now: datetime) -> int:
    """Add answers and return how many they were."""
    rows = (
        (
            one.id, one.book, one.payer, one.trace, one.money.currency, one.money.minor, one.paid_on, one.method, one.payment,
            one.format, one.file, one.sha256, actor, now,
        )
        for one in answers
    )  # fmt: skip
    return bulk_insert(connection, answer, _ANSWER, rows)


def insert_items(connection: Connection, items: Iterable[StoredItem]) -> int:
    """Add items of answers and return how many they were."""
    return bulk_insert(connection, answer_item, _ITEM, map(_item_row, items))


def _item_row(one: StoredItem) -> tuple[object, ...]:
    content = one.content
    named = (content.document, content.reference, content.status.value) if isinstance(content, AnswerItem) else ("", "", "")
    return (
        one.id,
        one.answer,
        one.position,
        "item" if isinstance(content, AnswerItem) else "adjustment",
        one.key,
        *named,
        one.money.currency,
        one.money.minor,
        to_plain(content),
        one.digest,
        one.reverses,
        one.state,
        one.denial,
        one.denied.minor,
        to_plain(list(one.findings)),
        dict(one.given),
        [list(made) for made in one.made],
        one.reason,
        one.decided_by or None,
        one.decided_at,
    )


def update_item(connection: Connection, one: StoredItem) -> None:
    """Write what became of an item."""
    values = {
        "state": one.state,
        "denial": one.denial,
        "denied": one.denied.minor,
        "findings": to_plain(list(one.findings)),
        "given": dict(one.given),
        "made": [list(made) for made in one.made],
        "reverses_id": one.reverses,
        "reason": one.reason,
        "decided_by": one.decided_by or None,
        "decided_at": one.decided_at,
    }
    connection.execute(answer_item.update().where(answer_item.c.id == one.id).values(**values))


def load_answers(connection: Connection, keys: Collection[int]) -> dict[int, StoredAnswer]:
    """Return answers by id; what is not there is left out."""
    return {
        row.id: _answer(row) for row in rows_of(connection, keys, lambda some: sa.select(answer).where(one_of(answer.c.id, some)))
    }


def list_answers(connection: Connection, *, book: str = "", trace: str = "", limit: int = 1_000) -> list[StoredAnswer]:
    """Return answers, newest first; only of one book or trace number where given."""
    query = sa.select(answer).order_by(answer.c.at.desc(), answer.c.trace, answer.c.payer).limit(limit)
    if book:
        query = query.where(likely(answer.c.book == book) if trace else answer.c.book == book)
    if trace:
        query = query.where(answer.c.trace == trace)
    return [_answer(row) for row in connection.execute(query)]


def load_answer_items(connection: Connection, keys: Collection[int], *, lock: bool = False) -> dict[int, StoredItem]:
    """Return items of answers by id; what is not there is left out.

    Args:
        connection: a connection.
        keys: ids of the items.
        lock: True to keep every other act from them until the transaction ends.
    """

    def query(some: list[int]) -> sa.Select[Any]:
        found = sa.select(answer_item).where(one_of(answer_item.c.id, some)).order_by(answer_item.c.id)
        return found.with_for_update() if lock else found

    return {row.id: item_of_row(row) for row in rows_of(connection, keys, query)}


def items_of_answers(connection: Connection, answers: Collection[int]) -> list[StoredItem]:
    """Return the items of answers, by answer and position."""
    query = sa.select(answer_item)
    found = map(item_of_row, rows_of(connection, answers, lambda some: query.where(one_of(answer_item.c.answer_id, some))))
    return sorted(found, key=lambda one: (one.answer, one.position))


def waiting_items(connection: Connection, *, denied: bool = False, limit: int = 1_000) -> list[StoredItem]:
    """Return the items that wait for an officer: suspended ones and conflicts, or those with denied money to work on."""
    columns = answer_item.c
    query = sa.select(answer_item).order_by(columns.answer_id, columns.position).limit(limit)
    if denied:
        query = query.where(columns.state.in_(STATES), columns.denial == "open")
    else:
        query = query.where(columns.state.in_(("suspended", "conflict")))
    return [item_of_row(row) for row in connection.execute(query)]


def standing_items(connection: Connection, documents: Collection[str]) -> list[StoredItem]:
    """Return the posted items about these documents that nothing has taken back, in the order in which they were posted."""
    columns, back = answer_item.c, answer_item.alias("back")
    gone = sa.select(back.c.id).where(back.c.reverses_id == columns.id).exists()
    query = (
        sa.select(answer_item, answer.c.at)
        .join(answer, answer.c.id == columns.answer_id)
        .where(likely(columns.state == "posted"), columns.status.in_(("answered", "denied")), ~gone)
    )
    found = rows_of(connection, documents, lambda some: query.where(one_of(columns.document, some)))
    return [item_of_row(row) for row in sorted(found, key=lambda row: (row.decided_at or row.at, row.answer_id, row.position))]


def answered_payments(connection: Connection, payments: Collection[int]) -> set[int]:
    """Return which of these payments an answer has taken for its own."""
    rows = rows_of(connection, payments, lambda some: sa.select(answer.c.payment_id).where(one_of(answer.c.payment_id, some)))
    return {row.payment_id for row in rows}


def answered_money(connection: Connection, book: str, traces: Collection[str]) -> dict[str, set[Money]]:
    """Return by trace number the money of the answers of a book; several third parties may use one number."""
    query = sa.select(answer).where(likely(answer.c.book == book), answer.c.payment_id.is_not(None))
    found: dict[str, set[Money]] = {}
    for row in rows_of(connection, traces, lambda some: query.where(one_of(answer.c.trace, some))):
        found.setdefault(row.trace, set()).add(Money(row.amount, row.currency))
    return found


def _answer(row: Row[Any]) -> StoredAnswer:
    return StoredAnswer(
        id=row.id,
        book=row.book,
        payer=row.payer,
        trace=row.trace,
        money=Money(row.amount, row.currency),
        paid_on=row.paid_on,
        method=row.method,
        payment=row.payment_id,
        format=row.format,
        file=row.file,
        sha256=row.sha256,
        actor=row.actor,
        at=row.at,
    )


def item_of_row(row: Row[Any]) -> StoredItem:
    """Return an item of an answer from its row."""
    content = from_plain(row.content, AnswerItem) if row.part == "item" else from_plain(row.content, AnswerAdjustment)
    return StoredItem(
        id=row.id,
        answer=row.answer_id,
        position=row.position,
        key=row.key,
        content=content,
        state=row.state,
        denial=row.denial,
        denied=Money(row.denied, row.currency),
        findings=tuple(from_plain(one, Finding) for one in row.findings),
        given=row.given,
        made=tuple((role, code, key) for role, code, key in row.made),
        reverses=row.reverses_id,
        reason=row.reason,
        decided_by=row.decided_by or "",
        decided_at=row.decided_at,
    )
