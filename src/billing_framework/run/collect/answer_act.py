"""What a file of answers writes: its money, its items, and what became of each; nothing is written here."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.exchange.answer_reader import AnswerReader
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.entry import Entry
from billing_framework.receivables.answer import Answer, AnswerAdjustment, AnswerItem
from billing_framework.receivables.answer_entries import adjustment_entry
from billing_framework.receivables.entries import payment_entry
from billing_framework.receivables.payment import Direction, Payment
from billing_framework.run.collect.act import Act
from billing_framework.run.collect.answer_material import Task, answer_material
from billing_framework.run.collect.answer_plan import AnswerDesk, Booked, allocations_by_account, stored_item
from billing_framework.run.collect.payment import payment_received
from billing_framework.run.deployment import Deployment
from billing_framework.storage.receivable.answers import (
    CONFLICTS_FROM,
    Part,
    StoredAnswer,
    StoredItem,
    answer_id,
    answer_item_id,
    answered_payments,
    content_digest,
    load_answer_items,
    load_answers,
)
from billing_framework.storage.receivable.payments import StoredPayment, load_payments, payment_id, returns_of, said
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class AnswerBatch:
    """What a file of answers writes.

    Attributes:
        keys: payer and trace of each answer to its id.
        known: ids of the answers that had been taken in before.
        answers: new answers.
        items: new items, with what became of each.
        changed: items of earlier answers that change: denials that are closed because they were taken back.
        duplicates: payer and trace to the number of items that had been taken in before.
        act: money, open items, allocations and entries.
        refused: why nothing of the file is taken in.
    """

    keys: Mapping[tuple[str, str], int]
    known: frozenset[int] = frozenset()
    answers: tuple[StoredAnswer, ...] = ()
    items: tuple[StoredItem, ...] = ()
    changed: tuple[StoredItem, ...] = ()
    duplicates: Mapping[tuple[str, str], int] = attrs.field(factory=dict)
    act: Act
    refused: list[Finding] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class _Slip:
    """One item or adjustment of an answer under the key that it is stored by."""

    answer: Answer
    id: int
    position: int
    key: str
    content: Part
    findings: tuple[Finding, ...] = ()


def book_answers(
    deployment: Deployment,
    connection: Connection,
    answers: Sequence[Answer],
    reader: tuple[AnswerReader, Any],
    *,
    book: str,
    on: date | None,
    file: tuple[str, bytes],
    lock: bool,
) -> AnswerBatch:
    """Return what answers write, each that adds up, on what is stored; accounts are locked before anything is decided.

    Args:
        deployment: the open deployment.
        connection: a connection with the action's write transaction, or a reading one where nothing is locked.
        answers: the answers of one file.
        reader: their reader and its plugin's settings.
        book: code of the book that is answered.
        on: date on which everything counts; the date of each payment where None.
        file: name and bytes of the file.
        lock: False to only look.
    """
    stored = [_stored_answer(one, book, reader[0].format, file) for one in answers]
    keys = {(one.payer, one.trace): one.id for one in stored}
    known = load_answers(connection, set(keys.values()))
    payments, references, refused = _payments(connection, [one for one in stored if one.id not in known], on)
    stored = [_paid_by(one, references) for one in stored]
    refused += [_reused(one, old) for one in stored if (old := known.get(one.id)) and not _same(one, old)]
    act = Act(book=book, source=f"answers/{hashlib.sha256(file[1]).hexdigest()[:32]}")
    if refused:
        return AnswerBatch(keys=keys, act=act, refused=refused)
    slips, duplicates, odd = _sorted_out(connection, book, answers, known)
    tasks = {slip.id: task for slip in slips if (task := _task(slip)) is not None}
    material = answer_material(deployment, connection, [*tasks.values()], reader, lock=lock)
    desk = AnswerDesk(connection=connection, book=book, material=material, on=answers[0].paid_on)
    by_id = {one.id: one for one in stored}
    results: list[StoredItem] = []
    booked: list[Booked] = []
    entries = [payment_entry(one.payment, desk.mapping) for one in payments]
    for slip in slips:
        parent = by_id[keys[slip.answer.payer, slip.answer.trace]]
        desk.on = on or slip.answer.paid_on
        if (task := tasks.get(slip.id)) is None:
            item, written = _adjusted(desk, slip, parent.id)
        else:
            booked.append(desk.take(task, parent))
            item, written = attrs.evolve(stored_item(booked[-1]), answer=parent.id, key=slip.key), booked[-1].entries
        results.append(item)
        entries += written
    gone = {one.reverses.id for one in booked if one.reverses is not None}
    return AnswerBatch(
        keys=keys,
        known=frozenset(known),
        answers=tuple(one for one in stored if one.id not in known),
        items=(*(_taken_back(one) if one.id in gone else one for one in results), *odd),
        changed=tuple(map(_taken_back, earlier_denials(booked, {one.id for one in results}))),
        duplicates=duplicates,
        act=_act(act, booked, payments, entries),
    )


def _act(base: Act, booked: Sequence[Booked], payments: Sequence[StoredPayment], entries: Sequence[Entry]) -> Act:
    return attrs.evolve(
        base,
        payments=tuple(payments),
        items=tuple(made.item for one in booked for made in one.made),
        allocations=allocations_by_account(booked),
        entries=tuple(entries),
        told=tuple(payment_received(one.payment) for one in payments),
    )


def _stored_answer(one: Answer, book: str, file_format: str, file: tuple[str, bytes]) -> StoredAnswer:
    return StoredAnswer(
        id=answer_id(book, one.payer, one.trace),
        book=book,
        payer=one.payer,
        trace=one.trace,
        money=one.money,
        paid_on=one.paid_on,
        method=one.method,
        payment=None,
        format=file_format,
        file=file[0],
        sha256=hashlib.sha256(file[1]).digest(),
    )


def _paid_by(one: StoredAnswer, references: Mapping[int, str]) -> StoredAnswer:
    """Return a new answer with the payment that came for it."""
    reference = references.get(one.id)
    return one if reference is None else attrs.evolve(one, payment=payment_id(f"payment/{one.book}/{reference}"))


def _same(one: StoredAnswer, known: StoredAnswer) -> bool:
    return (one.money, one.paid_on) == (known.money, known.paid_on)


def _reused(one: StoredAnswer, known: StoredAnswer) -> Finding:
    what = f"the trace number stands for {known.money} of {known.paid_on}, not for {one.money} of {one.paid_on}"
    return _trace_taken(one, what)


def _trace_taken(one: StoredAnswer, what: str) -> Finding:
    remedy = "Compare with the bank's statement, and ask the third party; nothing of the file was taken in"
    return Finding(code="ANSWER11", severity=Severity.BLOCKING, what=what, remedy=remedy, subject=one.trace)


def _payments(
    connection: Connection, new: Sequence[StoredAnswer], on: date | None
) -> tuple[tuple[StoredPayment, ...], dict[int, str], list[Finding]]:
    """Return the payments that came for new answers, the reference of each answer's payment, and why the file is refused.

    A payment that stands in suspense already, from the bank, is taken for the answer's own. Third parties number their payments
    each on its own: where another's answer has the number, this one's payment is ``PAYER/TRACE``.
    """
    paid = [one for one in new if one.money]
    book = paid[0].book if paid else ""
    there = load_payments(connection, book, [name for one in paid for name in (one.trace, _own_reference(one))]) if paid else {}
    taken = answered_payments(connection, [payment_id(one.payment.key) for one in there.values()])
    gone = returns_of(connection, [one.payment.key for one in there.values()])
    times = Counter(one.trace for one in paid)
    made: list[StoredPayment] = []
    references: dict[int, str] = {}
    refused: list[Finding] = []
    for one in paid:
        reference = one.trace
        if reference in there and payment_id(there[reference].payment.key) in taken:
            reference = _own_reference(one)
        found = there.get(reference)
        if times[one.trace] > 1 or reference in references.values():
            refused.append(_trace_taken(one, "the file holds payments of several third parties under this trace number"))
        elif found is None:
            when = on or one.paid_on
            payment = Payment(book=book, external_ref=reference, method=one.method, money=one.money, received_on=when)
            made.append(StoredPayment(payment=payment, digest=said(payment, account="")))
            references[one.id] = reference
        elif _is_free(found, one.money) and payment_id(found.payment.key) not in taken and found.payment.key not in gone:
            references[one.id] = reference
        else:
            what = f"a payment of {found.payment.money} was recorded under {reference!r}, and is not free for the answer"
            refused.append(_trace_taken(one, what))
    return tuple(made), references, refused


def _own_reference(one: StoredAnswer) -> str:
    return f"{one.payer}/{one.trace}"


def _is_free(stored: StoredPayment, money: Money) -> bool:
    """True for a payment of that sum that came in and stands in suspense."""
    one = stored.payment
    return (one.direction, one.account, one.money, stored.purpose) == (Direction.IN, "", money, "")


def _sorted_out(
    connection: Connection, book: str, answers: Sequence[Answer], known: Mapping[int, StoredAnswer]
) -> tuple[list[_Slip], dict[tuple[str, str], int], list[StoredItem]]:
    """Return what is to be booked, how much of each answer is known already, and what contradicts what is known."""
    slips = [slip for one in answers for slip in _slips(book, one)]
    before = load_answer_items(connection, {slip.id for slip in slips})
    fresh: list[_Slip] = []
    odd: dict[int, StoredItem] = {}
    duplicates: Counter[tuple[str, str]] = Counter()
    for slip in slips:
        name = (slip.answer.payer, slip.answer.trace)
        parent = answer_id(book, *name)
        earlier = before.get(slip.id)
        if earlier is not None and earlier.digest == content_digest(slip.content):
            duplicates[name] += 1
        elif parent in known:
            one = _conflict(book, slip, parent)
            odd[one.id] = one
        else:
            fresh.append(slip)
    told = load_answer_items(connection, set(odd))
    duplicates.update(Counter((slip.answer.payer, slip.answer.trace) for slip in slips if _conflict_id(book, slip) in told))
    return fresh, dict(duplicates), [one for key, one in odd.items() if key not in told]


def _slips(book: str, answer: Answer) -> Iterator[_Slip]:
    """Yield the items and then the adjustments of an answer; what repeats a key of it is told apart, and waits."""
    times: Counter[str] = Counter()
    parts: list[tuple[str, Part]] = [(one.key, one) for one in answer.items]
    parts += [(f"adjustment/{one.reason}/{one.reference}", one) for one in answer.adjustments]
    for position, (key, part) in enumerate(parts, start=1):
        times[key] += 1
        again = times[key] > 1
        name = f"{key}#{times[key]}" if again else key
        waits = again and isinstance(part, AnswerItem)
        findings = (_repeated(part),) if waits and isinstance(part, AnswerItem) else ()
        yield _Slip(
            answer=answer,
            id=answer_item_id(book, answer, name),
            position=position,
            key=name,
            content=part,
            findings=findings,
        )


def _repeated(item: AnswerItem) -> Finding:
    what, remedy = "the answer names it twice", "Compare both; billing answer retry books this one too"
    return Finding(code="ANSWER12", what=what, remedy=remedy, line=item.place, subject=item.document)


def _conflict_id(book: str, slip: _Slip) -> int:
    return answer_item_id(book, slip.answer, f"{slip.key}#conflict/{content_digest(slip.content).hex()}")


def _conflict(book: str, slip: _Slip, parent: int) -> StoredItem:
    subject = slip.content.document if isinstance(slip.content, AnswerItem) else slip.content.reason
    finding = Finding(
        code="ANSWER12",
        what="the answer was taken in before with other content",
        remedy="Compare both with the third party; discard this one, nothing was booked of it",
        subject=subject,
    )
    # Behind the items of the first file, and the same number for the same content.
    position = CONFLICTS_FROM + _conflict_id(book, slip) % 1_000_000_000
    return StoredItem(
        id=_conflict_id(book, slip),
        answer=parent,
        position=position,
        key=slip.key,
        content=slip.content,
        state="conflict",
        denied=Money.zero(slip.answer.money.currency),
        findings=(finding,),
    )


def _task(slip: _Slip) -> Task | None:
    """Return what is to be booked about a document; None for what concerns none, and for what waits whatever it says."""
    if not isinstance(slip.content, AnswerItem) or slip.findings:
        return None
    return Task(id=slip.id, position=slip.position, answer=slip.answer, item=slip.content)


def _adjusted(desk: AnswerDesk, slip: _Slip, parent: int) -> tuple[StoredItem, tuple[Entry, ...]]:
    """Return what becomes of an adjustment that concerns no document, and of an item that waits whatever it says."""
    base = StoredItem(
        id=slip.id,
        answer=parent,
        position=slip.position,
        key=slip.key,
        content=slip.content,
        state="suspended",
        denied=Money.zero(slip.answer.money.currency),
        findings=slip.findings,
    )
    if not isinstance(slip.content, AnswerAdjustment):
        return base, ()
    key = f"answer/{slip.answer.trace[:60]}/{slip.position}/{slip.id}"
    return adjusted(base, slip.content, desk.mapping, key=key, on=desk.on)


def adjusted(
    base: StoredItem, one: AnswerAdjustment, mapping: ChartMapping, *, key: str, on: date
) -> tuple[StoredItem, tuple[Entry, ...]]:
    """Return an adjustment that concerns no document as it is booked, or as it waits in suspense for an account of its code."""
    if one.money and not mapping.adjustment_account(one.code):
        what = f"the adjustment {one.reason} has no account" + (f": {one.code} is not mapped" if one.code else "")
        remedy = "Add its code to [book.adjustments] and retry, or discard it to an account: billing answer discard --code"
        finding = Finding(code="ANSWER10", what=what, remedy=remedy, subject=one.reference or one.reason)
        return attrs.evolve(base, state="suspended", findings=(finding,)), ()
    entries = (adjustment_entry(one, mapping, key=key, on=on),) if one.money else ()
    return attrs.evolve(base, state="posted", findings=()), entries


def earlier_denials(booked: Sequence[Booked], new: Collection[int]) -> Iterator[StoredItem]:
    """Yield the items of earlier acts that were taken back while what they denied was still to be worked on."""
    for one in booked:
        if one.reverses is not None and one.reverses.denial == "open" and one.reverses.id not in new:
            yield one.reverses


def _taken_back(one: StoredItem) -> StoredItem:
    return attrs.evolve(one, denial="closed", reason="taken back by the third party") if one.denial == "open" else one
