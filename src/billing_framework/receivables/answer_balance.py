"""Whether an answer adds up, on three levels: line, item, file. What does not is never booked, and never bent until it does.

Source of the rules: the balancing sections of the remittance standards that are in use; signs count as they are written.
"""

from __future__ import annotations

from collections.abc import Iterator

from billing_framework.receivables.answer import Answer, AnswerItem, AnswerLine, AnswerStatus, Treatment
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money

_ASK = "Ask the third party for a file that adds up; nothing is booked of this one"


def item_findings(item: AnswerItem) -> tuple[Finding, ...]:
    """Return why an item does not add up; none where it does.

    Each line: billed less adjustments is paid. The item: billed less all adjustments is paid, its lines sum to what was billed,
    and what the next party owes is the sum of what moves. The signs must fit the status: a reversal takes back, no other does.
    """
    return tuple(
        Finding(code=code, what=what, remedy=_ASK, line=item.place, subject=item.document) for code, what in _item_faults(item)
    )


def _item_faults(item: AnswerItem) -> Iterator[tuple[str, str]]:
    if len(set(_currencies(item))) > 1:
        yield "ANSWER02", "its amounts are of several currencies"
        return
    currency = item.paid.currency
    for number, line in enumerate(item.lines, start=1):
        expected = line.billed - Money.total((one.money for one in line.adjustments), currency)
        if expected != line.paid:
            yield "ANSWER02", f"line {_name(line, number)}: billed less adjustments makes {expected}, paid is {line.paid}"
    expected = item.billed - Money.total((one.money for one in item.every_adjustment()), currency)
    if expected != item.paid:
        yield "ANSWER02", f"billed less all adjustments makes {expected}, paid is {item.paid}"
    if item.lines and (billed := Money.total((line.billed for line in item.lines), currency)) != item.billed:
        yield "ANSWER02", f"its lines are billed {billed}, the whole {item.billed}"
    moves = item.total(Treatment.NEXT_PARTY)
    if item.owed_next is not None and item.owed_next != moves:
        yield "ANSWER02", f"the next party is said to owe {item.owed_next}, the adjustments that move make {moves}"
    yield from _sign_faults(item)


def _sign_faults(item: AnswerItem) -> Iterator[tuple[str, str]]:
    parts = {"billed": item.billed, "paid": item.paid}
    parts |= {"moved": item.total(Treatment.NEXT_PARTY), "denied": item.total(Treatment.DENY)}
    if item.status is AnswerStatus.REVERSED:
        wrong = [name for name, money in parts.items() if money.minor > 0]
        if wrong:
            yield "ANSWER03", f"it takes an answer back, but what is {wrong[0]} is {parts[wrong[0]]}"
        return
    wrong = [name for name, money in parts.items() if money.minor < 0]
    if wrong:
        yield "ANSWER03", f"it takes nothing back, but what is {wrong[0]} is {parts[wrong[0]]}"
    if item.status is AnswerStatus.DENIED and item.paid:
        yield "ANSWER03", f"it is denied, but {item.paid} are paid"
    if item.status is AnswerStatus.INFORMATION and item.paid:
        yield "ANSWER03", f"it decides nothing, but {item.paid} are paid"


def _currencies(item: AnswerItem) -> Iterator[str]:
    yield from (item.billed.currency, item.paid.currency)
    if item.owed_next is not None:
        yield item.owed_next.currency
    for line in item.lines:
        yield from (line.billed.currency, line.paid.currency)
    for one in item.every_adjustment():
        yield one.money.currency


def _name(line: AnswerLine, number: int) -> str:
    return line.reference or str(line.line or number)


def answer_findings(answer: Answer) -> tuple[Finding, ...]:
    """Return why an answer as a whole does not add up; with any of them the file is refused.

    The sum of what the items pay, less the adjustments that concern no document, is the payment.
    """
    moneys = [item.paid for item in answer.items] + [one.money for one in answer.adjustments]
    currency = answer.money.currency
    if any(money.currency != currency for money in moneys):
        return (_refused(answer, f"the payment is in {currency}, not so all that it is for"),)
    paid = Money.total((item.paid for item in answer.items), currency)
    other = Money.total((one.money for one in answer.adjustments), currency)
    if paid - other == answer.money:
        return ()
    return (_refused(answer, f"items of {paid} less adjustments of {other} make {paid - other}, the payment is {answer.money}"),)


def _refused(answer: Answer, what: str) -> Finding:
    return Finding(code="ANSWER04", severity=Severity.BLOCKING, what=what, remedy=_ASK, subject=answer.trace)
