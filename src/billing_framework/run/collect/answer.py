"""Takes in a file by which a third party answers documents: the whole file or nothing, and no item twice."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.exchange.answer_reader import AnswerReader, AnswerRequest
from billing_framework.receivables.answer import Answer, AnswerItem
from billing_framework.receivables.answer_balance import answer_findings, item_findings
from billing_framework.run.collect.act import carry_out
from billing_framework.run.collect.answer_act import AnswerBatch, book_answers
from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.outbox import Event
from billing_framework.storage.receivable.answers import insert_answers, insert_items, update_item
from billing_framework.storage.turn import take_turn
from billing_framework.values.errors import ContractBroken, InputRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.foreign_code import failures_of
from billing_framework.values.money import Money
from billing_framework.values.spelling import did_you_mean

_LONGEST_NAME = 200


@attrs.frozen(kw_only=True)
class AnswerCount:
    """What became of one answer of a file.

    Attributes:
        payer: the third party.
        trace: number of the payment.
        money: what is paid.
        seen_before: True where the answer had been taken in before.
        items: number of items about documents.
        posted: items that were booked, those included that decide nothing.
        reversed: of these the ones that took an earlier answer back.
        denied: number of posted items of which something was denied and stays open.
        suspended: items and adjustments that wait.
        duplicate: items that had been taken in before; nothing was done with them.
        conflicts: items whose key had been used for something else; nothing was done with them.
        waiting: what the waiting items and adjustments leave in suspense.
    """

    payer: str
    trace: str
    money: Money
    seen_before: bool = False
    items: int = 0
    posted: int = 0
    reversed: int = 0
    denied: int = 0
    suspended: int = 0
    duplicate: int = 0
    conflicts: int = 0
    waiting: Money


@attrs.frozen(kw_only=True)
class AnswerImport:
    """What taking in a file of answers did, or would do.

    Attributes:
        file: name of the file.
        format: format by which it was read.
        written: True where something was written; False for a rehearsal, a refused file, and one that is known already.
        answers: the answers in order of the file.
        findings: why the file is refused, or why items wait.
    """

    file: str
    format: str
    written: bool
    answers: tuple[AnswerCount, ...] = ()
    findings: tuple[Finding, ...] = ()


def import_answers(
    deployment: Deployment,
    content: bytes,
    file_format: str,
    *,
    file: str,
    book: str,
    on: date | None = None,
    options: Mapping[str, str] | None = None,
    check_only: bool = False,
) -> AnswerImport:
    """Take in a file of answers in one transaction; the same items again change nothing.

    The money goes to suspense, and each item that adds up and fits takes its part out: to the account that was answered, to the
    accounts of its adjustments, and to whoever owes next. The others wait with their money until an officer decides.

    Args:
        deployment: the open deployment.
        content: bytes of the file.
        file_format: name of a reader of answers.
        file: name of the file, for messages and the audit.
        book: code of the book that is answered.
        on: date on which everything counts; the date of each payment where None.
        options: options of the reader.
        check_only: True to only say what would happen.

    Raises:
        NotFound: ``PLUGIN07`` for an unknown format, ``BOOK08`` for an unknown book.
        InputRefused: ``ANSWER13`` for an option that the reader does not have, or a file without answers; whatever the reader
            says of a file that it cannot read.
        ContractBroken: ``PLUGIN04`` or ``PLUGIN05`` where the reader fails.
        LedgerRefused: ``LEDGER06`` where a date lies in no open period.
    """
    reader, settings = deployment.host.answer_reader(file_format)
    given = dict(options or {})
    for option in given:
        if option not in reader.options:
            what = f"the format {file_format!r} has no option {option!r}"
            raise InputRefused("ANSWER13", what, remedy=did_you_mean(option, reader.options))
    request = AnswerRequest(file=file, currency=deployment.settings.deployment.currency, settings=settings, options=given)
    with deployment.database.read() if check_only else deployment.database.begin() as connection:
        currency = load_book(connection, book).profile.currency
        answers, findings = read_answers(deployment, reader, content, attrs.evolve(request, currency=currency))
        findings += _unbalanced(answers, deployment.settings.answers.unbalanced_item)
        if any(finding.stops for finding in findings):
            return AnswerImport(file=file, format=file_format, written=False, findings=tuple(findings))
        if not check_only:
            take_turn(connection, "answers", book)  # so that what is known of an answer stays true until it is written
        batch = book_answers(
            deployment, connection, answers, (reader, settings), book=book, on=on, file=(file, content), lock=not check_only
        )
        findings += batch.refused or [attrs.evolve(one, file=file) for item in batch.items for one in item.findings]
        report = AnswerImport(
            file=file, format=file_format, written=False, answers=_counts(answers, batch), findings=tuple(findings)
        )
        if check_only or batch.refused or not (batch.answers or batch.items):
            return report
        _write(deployment, connection, batch, report)
    return attrs.evolve(report, written=True)


def read_answers(
    deployment: Deployment, reader: AnswerReader, content: bytes, request: AnswerRequest
) -> tuple[list[Answer], list[Finding]]:
    """Return the answers in a file, and what the reader found; whatever it yields else is its fault.

    Raises:
        InputRefused: ``ANSWER13`` for a file without answers; the reader refuses the file.
        ContractBroken: ``PLUGIN04`` or ``PLUGIN05`` where the reader fails.
    """
    owner = deployment.host.owners["billing_answer_readers"][reader.format]
    who = f"the reader of answers {reader.format!r} of plugin {owner}"
    answers: list[Answer] = []
    findings: list[Finding] = []
    with failures_of(who, place=request.file):
        read: Iterable[object] = reader.read(io.BytesIO(content), request)
        for one in read:
            if isinstance(one, Answer):
                answers.append(one)
            elif isinstance(one, Finding):
                findings.append(one)
            else:
                raise ContractBroken("PLUGIN04", f"{who} yielded a {type(one).__name__}", place=request.file)
    if not answers and not findings:
        raise InputRefused("ANSWER13", "the file holds no answer", place=request.file, remedy="Check that it is the right file")
    return answers, findings


def _unbalanced(answers: Sequence[Answer], policy: str) -> list[Finding]:
    """Return why the file as a whole is refused."""
    findings = [finding for one in answers for finding in (*_odd_names(one), *answer_findings(one))]
    if policy == "refuse_file":
        items = (item for one in answers for item in one.items)
        findings += [attrs.evolve(finding, severity=Severity.BLOCKING) for item in items for finding in item_findings(item)]
    times = Counter((one.payer, one.trace) for one in answers)
    for payer, trace in sorted(name for name, number in times.items() if number > 1):
        what = f"the file holds two answers of {payer} under one trace number"
        remedy = "Ask the third party for a file in which each payment has its own number"
        findings.append(Finding(code="ANSWER11", severity=Severity.BLOCKING, what=what, remedy=remedy, subject=trace))
    return findings


def _odd_names(answer: Answer) -> Iterator[Finding]:
    """Yield a finding for each name in an answer that could not be kept or shown: no printable text, or a whole page of it."""
    names = [answer.payer, answer.trace, answer.method]
    for item in answer.items:
        names += [item.key, item.document, item.reference, item.account, item.next_account]
        names += [text for one in item.every_adjustment() for text in (one.group, one.reason, one.code, *one.remarks)]
    names += [text for one in answer.adjustments for text in (one.reason, one.reference, one.code)]
    for name in names:
        if len(name) > _LONGEST_NAME or not name.isprintable():
            what, remedy = f"{name[:60]!r} is no name of at most {_LONGEST_NAME} printable characters", "Ask for a sound file"
            yield Finding(code="ANSWER13", severity=Severity.BLOCKING, what=what, remedy=remedy)


def _write(deployment: Deployment, connection: Connection, batch: AnswerBatch, report: AnswerImport) -> None:
    now = deployment.clock.now()
    insert_answers(connection, batch.answers, actor=deployment.actor, now=now)
    insert_items(connection, batch.items)
    for one in batch.changed:
        update_item(connection, one)
    events = tuple(
        AuditEvent(
            action="answer import",
            object_kind="answer",
            object_key=one.trace,
            after={**_control(one), "file": report.file, "format": report.format},
            reason="",
        )
        for one in report.answers
        if one.posted or one.suspended or one.conflicts
    )
    told = tuple(
        Event(topic="answer.taken_in", key=f"answer/{one.id}", payload={"payer": one.payer, "trace": one.trace})
        for one in batch.answers
    )
    carry_out(deployment, connection, attrs.evolve(batch.act, events=events, told=(*batch.act.told, *told)))


def _counts(answers: Sequence[Answer], batch: AnswerBatch) -> tuple[AnswerCount, ...]:
    counts = []
    for one in answers:
        own = [item for item in batch.items if item.answer == batch.keys[one.payer, one.trace]]
        posted = [item for item in own if item.state == "posted"]
        waiting = [item for item in own if item.state == "suspended"]
        counts.append(
            AnswerCount(
                payer=one.payer,
                trace=one.trace,
                money=one.money,
                seen_before=batch.keys[one.payer, one.trace] in batch.known,
                items=len(one.items),
                posted=sum(1 for item in posted if isinstance(item.content, AnswerItem)),
                reversed=sum(1 for item in posted if item.reverses is not None),
                denied=sum(1 for item in posted if item.denial),
                suspended=len(waiting),
                duplicate=batch.duplicates.get((one.payer, one.trace), 0),
                conflicts=sum(1 for item in own if item.state == "conflict"),
                waiting=Money.total((item.money for item in waiting), one.money.currency),
            )
        )
    return tuple(counts)


def _control(count: AnswerCount) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in attrs.asdict(count, recurse=False).items()}
