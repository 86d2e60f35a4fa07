"""A third party's answers as plain comma-separated rows: small enough to write one into a test."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import BinaryIO

import attrs

from billing_framework import (
    Adjustment,
    Answer,
    AnswerAdjustment,
    AnsweredDocument,
    AnswerItem,
    AnswerLine,
    AnswerReader,
    AnswerRequest,
    AnswerStatus,
    Finding,
    Money,
    Treatment,
    hookimpl,
)


def read_slips(stream: BinaryIO, request: AnswerRequest) -> Iterator[Answer | Finding]:
    """Read rows ``payment``, ``item``, ``line``, ``adjust`` and ``other``; an adjustment belongs to the row above it."""
    answer: Answer | None = None
    for number, row in enumerate(csv.reader(io.TextIOWrapper(stream, "utf-8")), start=1):
        kind, *cells = row
        if kind == "payment":
            if answer is not None:
                yield answer
            payer, trace, amount, on = cells
            answer = Answer(
                payer=payer, trace=trace, money=Money.of(amount, request.currency), paid_on=date.fromisoformat(on), method="check"
            )
        elif answer is None:
            yield Finding(code="SLIP01", what="a row stands before the payment", line=number, file=request.file)
        else:
            answer = with_row(answer, kind, cells, request.currency, number)
    if answer is not None:
        yield answer


def with_row(answer: Answer, kind: str, cells: list[str], currency: str, number: int) -> Answer:
    if kind == "other":
        reason, reference, amount, code = cells
        one = AnswerAdjustment(reason=reason, reference=reference, money=Money.of(amount, currency), code=code)
        return attrs.evolve(answer, adjustments=(*answer.adjustments, one))
    if kind == "item":
        key, document, reference, status, billed, paid, owed = cells
        item = AnswerItem(
            key=key, document=document, reference=reference, status=AnswerStatus(status), billed=Money.of(billed, currency),
            paid=Money.of(paid, currency), owed_next=Money.of(owed, currency) if owed else None, place=number,
        )  # fmt: skip
        return attrs.evolve(answer, items=(*answer.items, item))
    *before, last = answer.items
    if kind == "line":
        line, billed, paid = cells
        new = AnswerLine(line=int(line), billed=Money.of(billed, currency), paid=Money.of(paid, currency))
        return attrs.evolve(answer, items=(*before, attrs.evolve(last, lines=(*last.lines, new))))
    group, reason, amount, treatment, code = cells
    made = Adjustment(group=group, reason=reason, money=Money.of(amount, currency), treatment=Treatment(treatment), code=code)
    if last.lines:
        *lines, open_line = last.lines
        open_line = attrs.evolve(open_line, adjustments=(*open_line.adjustments, made))
        return attrs.evolve(answer, items=(*before, attrs.evolve(last, lines=(*lines, open_line))))
    return attrs.evolve(answer, items=(*before, attrs.evolve(last, adjustments=(*last.adjustments, made))))


def patron(question: AnsweredDocument) -> str:
    """Return the account that the term ``patron`` of the agreement names."""
    return next((one.terms["patron"] for one in question.document.agreements.values() if "patron" in one.terms), "")


@hookimpl
def billing_answer_readers() -> list[AnswerReader]:
    return [AnswerReader(format="slips", title="Answers as rows", read=read_slips, next_party=patron, options={"wide": "rows"})]
