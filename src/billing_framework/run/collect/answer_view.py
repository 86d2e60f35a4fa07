"""What officers look at: answers with what became of their items, and the items that wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.receivable.answers import (
    StoredAnswer,
    StoredItem,
    items_of_answers,
    list_answers,
    load_answer_items,
    load_answers,
    waiting_items,
)
from billing_framework.storage.turn import take_turn
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.money import Money
from billing_framework.values.number import whole_or_none
from billing_framework.values.spelling import did_you_mean


@attrs.frozen(kw_only=True)
class AnswerView:
    """An answer as it is stored.

    Attributes:
        answer: the answer.
        items: its items and adjustments, in order.
        states: state to number of items.
        waiting: what the waiting ones leave in suspense.
    """

    answer: StoredAnswer
    items: tuple[StoredItem, ...]
    states: Mapping[str, int]
    waiting: Money


@attrs.frozen(kw_only=True)
class WaitingItem:
    """An item that waits for an officer.

    Attributes:
        name: ``TRACE/POSITION``, by which commands name it.
        payer: the third party.
        item: the item.
    """

    name: str
    payer: str
    item: StoredItem


def answers_taken_in(deployment: Deployment, *, book: str = "", limit: int = 1_000) -> list[AnswerView]:
    """Return answers, newest first; only of one book where given.

    Raises:
        NotFound: ``BOOK08``: there is no such book.
    """
    with deployment.database.read() as connection:
        if book:
            load_book(connection, book)
        return _views(connection, list_answers(connection, book=book, limit=limit))


def show_answer(deployment: Deployment, trace: str, *, payer: str = "", book: str = "") -> AnswerView:
    """Return one answer with its items.

    Raises:
        NotFound: ``ANSWER14``: there is no such answer.
        Refused: ``ANSWER15`` where several third parties or books have one.
    """
    with deployment.database.read() as connection:
        (view,) = _views(connection, [_answer_called(connection, trace, payer, book)])
        return view


def items_waiting(deployment: Deployment, *, denied: bool = False) -> list[WaitingItem]:
    """Return the items that wait for an officer; those with denied money that stays open where `denied`."""
    with deployment.database.read() as connection:
        items = waiting_items(connection, denied=denied)
        answers = load_answers(connection, {one.answer for one in items})
    return [
        WaitingItem(name=f"{answers[one.answer].trace}/{one.position}", payer=answers[one.answer].payer, item=one)
        for one in items
    ]


def answer_item_called(
    connection: Connection, name: str, *, payer: str = "", book: str = "", lock: bool = False
) -> tuple[StoredAnswer, StoredItem]:
    """Return the answer and the item that ``TRACE/POSITION`` means.

    Args:
        connection: a connection.
        name: the name.
        payer: the third party, needed where several use the trace number.
        book: code of the book, needed where several were answered under it.
        lock: True to keep every other act from the item until the transaction ends.

    Raises:
        NotFound: ``ANSWER14`` where there is none.
        Refused: ``ANSWER15`` where several could be meant.
    """
    trace, _, last = name.rpartition("/")
    position = whole_or_none(last)
    if not trace or position is None:
        raise NotFound("ANSWER14", f"{name!r} names no item of an answer", remedy="Write TRACE/POSITION, as billing answer list")
    answer = _answer_called(connection, trace, payer, book)
    if lock:
        take_turn(connection, "answers", answer.book)
    items = {one.position: one for one in items_of_answers(connection, [answer.id])}
    found = items.get(position)
    if found is None:
        raise NotFound("ANSWER14", f"the answer {trace} has no item {position}", remedy=f"billing answer show {trace}")
    return answer, load_answer_items(connection, [found.id], lock=True)[found.id] if lock else found


def _answer_called(connection: Connection, trace: str, payer: str, book: str) -> StoredAnswer:
    found = [one for one in list_answers(connection, book=book, trace=trace) if payer in ("", one.payer)]
    if not found:
        known = [one.trace for one in list_answers(connection, book=book)]
        raise NotFound("ANSWER14", f"there is no answer {trace!r}", remedy=did_you_mean(trace, known))
    if len(found) > 1:
        who = ", ".join(sorted(f"{one.payer} in {one.book}" for one in found))
        raise Refused(
            "ANSWER15", f"several answers bear the trace number {trace}: {who}", remedy="Say whose with --payer or --book"
        )
    return found[0]


def _views(connection: Connection, answers: Sequence[StoredAnswer]) -> list[AnswerView]:
    items: dict[int, list[StoredItem]] = {}
    for one in items_of_answers(connection, [answer.id for answer in answers]):
        items.setdefault(one.answer, []).append(one)
    views = []
    for answer in answers:
        own = items.get(answer.id, [])
        waiting = Money.total((one.money for one in own if one.state == "suspended"), answer.money.currency)
        views.append(
            AnswerView(
                answer=answer, items=tuple(own), states=dict(sorted(Counter(one.state for one in own).items())), waiting=waiting
            )
        )
    return views
