"""Whether answers are stored as they were taken in: their items make their money, and the open items that they made are there."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from billing_framework.receivables.open_item import ItemKind
from billing_framework.storage.many import chunks, one_of, streamed
from billing_framework.storage.receivable.answer_tables import answer, answer_item
from billing_framework.storage.receivable.answers import CONFLICTS_FROM, item_of_row
from billing_framework.storage.receivable.tables import open_item, payment
from billing_framework.values.errors import BillingError


def odd_answers(connection: Connection, book: str) -> Iterator[tuple[str, str]]:
    """Yield trace number and fault of each answer that is not as it was taken in, which only a foreign program can have done.

    Args:
        connection: a connection.
        book: code of the book that was answered.
    """
    item = answer_item.c
    query = sa.select(answer_item, answer.c.trace).join(answer, answer.c.id == item.answer_id).where(answer.c.book == book)
    taken: Counter[int] = Counter()
    made: dict[str, str] = {}
    query = query.order_by(answer.c.trace, item.answer_id, item.position)
    for row in itertools.chain.from_iterable(streamed(connection, query)):
        if row.position < CONFLICTS_FROM:  # what contradicts a known item takes nothing out of the payment
            taken[row.answer_id] += row.amount
        if fault := _item_fault(row):
            yield row.trace, f"item {row.position} of the answer {row.trace} {fault}"
        made.update((key, row.trace) for _, _, key in row.made)
    yield from _odd_money(connection, book, taken)
    yield from _odd_items(connection, book, made)


def _item_fault(row: Row[tuple[object, ...]]) -> str:
    try:
        one = item_of_row(row)
    except (BillingError, AttributeError, KeyError, TypeError, ValueError):
        return "cannot be read"
    if one.digest != row.digest or one.money.minor != row.amount:
        return "is not what was said"
    return "" if row.state != "posted" or bool(row.denied) == bool(row.denial) else "tells of no denial, but something was denied"


def _odd_money(connection: Connection, book: str, taken: Mapping[int, int]) -> Iterator[tuple[str, str]]:
    query = (
        sa.select(answer.c.id, answer.c.trace, answer.c.amount, answer.c.payment_id, payment.c.amount.label("came"))
        .outerjoin(payment, payment.c.id == answer.c.payment_id)
        .where(answer.c.book == book)
        .order_by(answer.c.trace, answer.c.id)
    )
    for row in itertools.chain.from_iterable(streamed(connection, query)):
        if taken.get(row.id, 0) != row.amount:
            yield row.trace, f"the items of the answer {row.trace} do not make what was paid"
        if (row.came or 0) != row.amount or (row.payment_id is None) != (not row.amount):
            yield row.trace, f"the payment of the answer {row.trace} is another, or is not there"


def _odd_items(connection: Connection, book: str, made: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    columns = open_item.c
    for keys in chunks(made):
        there = sa.select(columns.key).where(one_of(columns.key, keys))
        kept = {row.key for row in connection.execute(there.add_columns(columns.book)) if row.book == book}
        yield from ((made[key], f"an open item that the answer {made[key]} made is not there") for key in keys if key not in kept)
    of_answers = sa.select(columns.key, columns.account, columns.reference).where(
        columns.book == book, columns.kind == ItemKind.ANSWER.value
    )
    for row in itertools.chain.from_iterable(streamed(connection, of_answers.order_by(columns.key))):
        if row.key not in made:
            yield row.account, f"the answer behind an open item of {row.reference} is not there"
