"""What officers decide about answers that wait: try again, discard with their money, or close what was denied."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.receivables.answer import Answer, AnswerAdjustment, AnswerItem
from billing_framework.receivables.answer_entries import answer_entries, suspense_entry
from billing_framework.receivables.answer_settlement import Made
from billing_framework.receivables.open_item import ItemKind, OpenItem
from billing_framework.run.collect.act import Act, act_date, book_mapping, carry_out, locked_position
from billing_framework.run.collect.answer_act import adjusted, earlier_denials
from billing_framework.run.collect.answer_material import Task, answer_material
from billing_framework.run.collect.answer_plan import AnswerDesk, allocations_by_account, stored_item
from billing_framework.run.collect.answer_view import answer_item_called
from billing_framework.run.deployment import Deployment
from billing_framework.run.reason import needs_reason
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.receivable.answers import (
    StoredAnswer,
    StoredItem,
    load_answers,
    update_item,
    waiting_items,
)
from billing_framework.values.errors import InputRefused, Refused
from billing_framework.values.finding import Finding


@attrs.frozen(kw_only=True)
class AnswerDecision:
    """What became of an item that waited.

    Attributes:
        name: its name, ``TRACE/POSITION``.
        state: its state now.
        item: the item as it is stored now.
        findings: why it still waits.
    """

    name: str
    state: str
    item: StoredItem
    findings: tuple[Finding, ...] = ()


@attrs.frozen(kw_only=True)
class Retry:
    """What an officer adds when an item is tried again.

    Attributes:
        document: number of the document that is meant, where the file names another.
        next_account: code of the account that owes what moves.
        on: date on which it counts; today in the book's zone where None.
        reason: why, for the audit; needed where something is added.
    """

    document: str = ""
    next_account: str = ""
    on: date | None = None
    reason: str = ""

    @property
    def given(self) -> dict[str, str]:
        """What is added."""
        given = {"document": self.document, "next_account": self.next_account}
        return {name: value for name, value in given.items() if value}


def retry_item(deployment: Deployment, name: str, request: Retry, *, payer: str = "", book: str = "") -> AnswerDecision:
    """Try a waiting item once more on what is known now; where it still does not fit, nothing changes.

    Args:
        deployment: the open deployment.
        name: ``TRACE/POSITION``.
        request: what the officer adds.
        payer: the third party, needed where several use the trace number.
        book: code of the book, needed where several were answered under it.

    Raises:
        NotFound: ``ANSWER14``: there is no such item.
        InputRefused: ``ACCOUNT16`` without a reason where something is added.
        Refused: ``ANSWER15`` where it does not wait.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    if request.given:
        needs_reason(request.reason, "adding to an answer")
    with deployment.database.begin() as connection:
        answer, item = answer_item_called(connection, name, payer=payer, book=book, lock=True)
        if item.state != "suspended":
            raise Refused("ANSWER15", f"{name} is {item.state}", remedy="Only a suspended item is tried again")
        when = act_date(deployment, connection, answer.book, request.on)
        if isinstance(item.content, AnswerItem):
            done, act, closed = _booked(
                deployment, connection, answer, attrs.evolve(item, given={**item.given, **request.given}), when
            )
        else:
            done, act = _adjusted(connection, answer, item, item.content, when)
            closed = ()
        if done.state == "suspended":
            return AnswerDecision(name=name, state=done.state, item=done, findings=done.findings)
        done = _decided(deployment, done, request.reason)
        for one in (done, *closed):
            update_item(connection, one)
        event = _event("answer retry", name, item, done, request.reason)
        carry_out(deployment, connection, attrs.evolve(act, events=(event,)))
    return AnswerDecision(name=name, state=done.state, item=done)


def retry_all(deployment: Deployment, *, on: date | None = None) -> list[AnswerDecision]:
    """Try every waiting item once more, each in a transaction of its own, in order of the answers."""
    with deployment.database.read() as connection:
        waiting = [one for one in waiting_items(connection, limit=1_000_000) if one.state == "suspended"]
        answers = load_answers(connection, {one.answer for one in waiting})
    done = []
    for one in waiting:
        parent = answers[one.answer]
        name = f"{parent.trace}/{one.position}"
        done.append(retry_item(deployment, name, Retry(on=on), payer=parent.payer, book=parent.book))
    return done


def _booked(
    deployment: Deployment,
    connection: Connection,
    answer: StoredAnswer,
    item: StoredItem,
    when: date,
) -> tuple[StoredItem, Act, tuple[StoredItem, ...]]:
    assert isinstance(item.content, AnswerItem)  # noqa: S101  the caller has looked
    said = Answer(payer=answer.payer, trace=answer.trace, money=answer.money, paid_on=answer.paid_on, method=answer.method)
    task = Task(id=item.id, position=item.position, answer=said, item=item.content, given=item.given)
    reader = _reader(deployment, answer.format)
    material = answer_material(deployment, connection, [task], reader, lock=True)
    desk = AnswerDesk(connection=connection, book=answer.book, material=material, on=when)
    booked = desk.take(task, answer)
    done = attrs.evolve(stored_item(booked), answer=item.answer, key=item.key)
    closed = tuple(attrs.evolve(one, denial="closed", reason="taken back") for one in earlier_denials([booked], ()))
    act = Act(
        book=answer.book,
        source=f"{task.action}/retry",
        items=tuple(made.item for made in booked.made),
        allocations=allocations_by_account([booked]),
        entries=booked.entries,
    )
    return done, act, closed


def _reader(deployment: Deployment, file_format: str) -> tuple[Any, Any] | None:
    return deployment.host.answer_reader(file_format) if file_format in deployment.host.answer_readers else None


def _adjusted(
    connection: Connection, answer: StoredAnswer, item: StoredItem, content: AnswerAdjustment, when: date
) -> tuple[StoredItem, Act]:
    mapping = book_mapping(connection, answer.book)
    key = f"answer/{answer.trace[:60]}/{item.position}/{item.id}"
    done, entries = adjusted(item, content, mapping, key=key, on=when)
    return done, Act(book=answer.book, source=f"{key}/retry", entries=entries)


def discard_item(
    deployment: Deployment,
    name: str,
    *,
    payer: str = "",
    book: str = "",
    account: str = "",
    code: str = "",
    on: date | None = None,
    reason: str,
) -> AnswerDecision:
    """Decide that a waiting item is never booked, and where the money goes that it left in suspense.

    Args:
        deployment: the open deployment.
        name: ``TRACE/POSITION``.
        payer: the third party, needed where several use the trace number.
        book: code of the book, needed where several were answered under it.
        account: code of the account that gets the money as a credit (or owes it, where it is below zero).
        code: adjustment code whose account of the book gets it instead.
        on: date on which it counts; today in the book's zone where None.
        reason: why, for the audit.

    Raises:
        NotFound: ``ANSWER14`` or ``ACCOUNT09``: there is no such item or account.
        InputRefused: ``ACCOUNT16`` without a reason, ``ANSWER16`` where it is not said where the money goes, or twice.
        Refused: ``ANSWER15`` where it does not wait, ``AR47`` for an account of another book or currency.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    needs_reason(reason, "discarding an answer")
    with deployment.database.begin() as connection:
        answer, item = answer_item_called(connection, name, payer=payer, book=book, lock=True)
        if item.state not in ("suspended", "conflict"):
            raise Refused("ANSWER15", f"{name} is {item.state}", remedy="Only an item that waits is discarded")
        when = act_date(deployment, connection, answer.book, on)
        money = item.money if item.state == "suspended" else item.money - item.money
        if bool(account) + bool(code) != bool(money):
            what = f"{name} leaves {money} in suspense" if money else f"{name} leaves nothing in suspense"
            remedy = (
                "Say where it goes: --account ACCOUNT or --code CODE, one of the two"
                if money
                else "Leave --account and --code out"
            )
            raise InputRefused("ANSWER16", what, remedy=remedy)
        act = Act(book=answer.book, source=name)
        if money:
            act = _money_moved(connection, answer, item, account=account, code=code, when=when)
        made = tuple(("credited", "", one.key) for one in act.items)
        done = _decided(deployment, attrs.evolve(item, state="discarded", made=made), reason)
        update_item(connection, done)
        event = _event("answer discard", name, item, done, reason, account=account, code=code)
        carry_out(deployment, connection, attrs.evolve(act, events=(event,)))
    return AnswerDecision(name=name, state=done.state, item=done)


def _money_moved(connection: Connection, answer: StoredAnswer, item: StoredItem, *, account: str, code: str, when: date) -> Act:
    mapping = book_mapping(connection, answer.book)
    key = f"answer/{answer.trace[:60]}/{item.position}/{item.id}/discarded"
    if code:
        gl_account = mapping.adjustment_account(code)
        if not gl_account:
            what = f"the adjustment code {code!r} has no account in book {answer.book}"
            raise InputRefused("ANSWER10", what, remedy="Add it to [book.adjustments] and load the book")
        return Act(book=answer.book, source=key, entries=(suspense_entry(gl_account, -item.money, mapping, key=key, on=when),))
    owner = locked_position(connection, account).account
    if (owner.book, owner.currency) != (answer.book, item.money.currency):
        what = f"account {account} is kept in {owner.currency} by book {owner.book}"
        raise Refused("AR47", what, remedy=f"Name an account of book {answer.book} in {item.money.currency}")
    credit = OpenItem(
        key=key, kind=ItemKind.ANSWER, account=account, reference=answer.trace, original=-item.money, dated_on=when, due_on=when
    )
    entries = answer_entries([Made(role="credited", item=credit)], mapping)
    return Act(book=answer.book, source=key, items=(credit,), entries=entries)


def close_denial(deployment: Deployment, name: str, *, payer: str = "", book: str = "", reason: str) -> AnswerDecision:
    """Say that what was denied of an item needs no more work; what is open of the document stays open.

    Args:
        deployment: the open deployment.
        name: ``TRACE/POSITION``.
        payer: the third party, needed where several use the trace number.
        book: code of the book, needed where several were answered under it.
        reason: what was done, for the audit.

    Raises:
        NotFound: ``ANSWER14``: there is no such item.
        InputRefused: ``ACCOUNT16`` without a reason.
        Refused: ``ANSWER15`` where nothing of it is denied, or it is closed.
    """
    needs_reason(reason, "closing a denial")
    with deployment.database.begin() as connection:
        answer, item = answer_item_called(connection, name, payer=payer, book=book, lock=True)
        if item.denial != "open":
            raise Refused("ANSWER15", f"{name} has no open denial", remedy="billing answer list --denied shows those that have")
        done = _decided(deployment, attrs.evolve(item, denial="closed"), reason)
        update_item(connection, done)
        event = _event("answer close", name, item, done, reason)
        carry_out(deployment, connection, Act(book=answer.book, source=name, events=(event,)))
    return AnswerDecision(name=name, state=done.state, item=done)


def _decided(deployment: Deployment, item: StoredItem, reason: str) -> StoredItem:
    return attrs.evolve(item, reason=reason, decided_by=deployment.actor, decided_at=deployment.clock.now())


def _event(action: str, name: str, before: StoredItem, after: StoredItem, reason: str, **more: str) -> AuditEvent:
    return AuditEvent(
        action=action,
        object_kind="answer_item",
        object_key=name,
        before=_facts(before),
        after={**_facts(after), **{key: value for key, value in more.items() if value}},
        reason=reason,
    )


def _facts(item: StoredItem) -> dict[str, Any]:
    return {"state": item.state, "denial": item.denial, "money": str(item.money), "given": dict(item.given)}
