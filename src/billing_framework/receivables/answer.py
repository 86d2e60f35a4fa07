"""Answers: how a third party replies to documents with one file of payments, reductions, refusals and what others are to pay.

The file is believed only where it adds up; who made it classified every adjustment, and the core decides what is booked.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import date

import attrs

from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import Money


class Treatment(enum.Enum):
    """What an adjustment means for what is owed.

    ``REDUCE`` is given up and booked to the account of its code. ``NEXT_PARTY`` is owed by somebody else from now on. ``DENY`` is
    neither paid nor given up: it stays open and is worked on. ``NOTE`` tells what others have done; it is booked nowhere.
    """

    REDUCE = "reduce"
    NEXT_PARTY = "next_party"
    DENY = "deny"
    NOTE = "note"


class AnswerStatus(enum.Enum):
    """What the third party did with a document.

    ``ANSWERED`` is paid in full, in part or with nothing due. ``DENIED`` is refused: nothing is given up. ``REVERSED`` takes an
    earlier answer back, every amount with the opposite sign. ``INFORMATION`` decides nothing.
    """

    ANSWERED = "answered"
    DENIED = "denied"
    REVERSED = "reversed"
    INFORMATION = "information"


@attrs.frozen(kw_only=True)
class Adjustment:
    """A difference between what was billed and what is paid.

    Attributes:
        group: the third party's group of reasons, or empty.
        reason: its code for the reason.
        money: above zero lowers what is paid, below zero raises it.
        treatment: what it means for what is owed.
        code: adjustment code that the book maps to an account; needed where it is to be reduced.
        remarks: further codes that came with it.
    """

    group: str = ""
    reason: str
    money: Money
    treatment: Treatment
    code: str = ""
    remarks: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class AnswerLine:
    """The answer to one line of a document.

    Attributes:
        line: number of the line on the document, 0 where it is not known.
        reference: how the file names the line, or empty.
        billed: what the file says was asked for.
        paid: what is paid of it.
        adjustments: the differences.
    """

    line: int = 0
    reference: str = ""
    billed: Money
    paid: Money
    adjustments: tuple[Adjustment, ...] = ()


@attrs.frozen(kw_only=True)
class AnswerItem:
    """The answer to one document. It holds no personal data: names in the file are not taken over.

    Attributes:
        key: names it within the answer for ever: our reference, theirs and the status. Items of one answer with one key are told.
        document: number of our document, as the file names it.
        reference: number that the third party gave it, or empty.
        status: what the third party did.
        billed: what the file says was asked for.
        paid: what is paid.
        owed_next: what the file says the next party owes, None where it says nothing; checked against the adjustments.
        adjustments: differences that concern no line.
        lines: answers to lines; empty where the file tells none.
        account: code of the account that answers, empty where the document's own item tells it.
        next_account: code of the account that owes from now on what moves, empty where plugin or agreement tell it.
        is_part: True where it answers one of several requests that the document makes, so that it may be about less than all.
        place: 1-based line or segment in the file, for messages.
    """

    key: str
    document: str
    reference: str = ""
    status: AnswerStatus
    billed: Money
    paid: Money
    owed_next: Money | None = None
    adjustments: tuple[Adjustment, ...] = ()
    lines: tuple[AnswerLine, ...] = ()
    account: str = ""
    next_account: str = ""
    is_part: bool = False
    place: int = attrs.field(default=0, eq=False)

    def every_adjustment(self) -> Iterator[Adjustment]:
        """Yield the adjustments of the whole and of its lines, in order of the file."""
        yield from self.adjustments
        for line in self.lines:
            yield from line.adjustments

    def treated(self, treatment: Treatment) -> tuple[Adjustment, ...]:
        """Return the adjustments of one treatment; of a denied item nothing is reduced, what would be is denied."""
        return tuple(one for one in self.every_adjustment() if self._treatment(one) is treatment)

    def _treatment(self, one: Adjustment) -> Treatment:
        refused = self.status is AnswerStatus.DENIED and one.treatment is Treatment.REDUCE
        return Treatment.DENY if refused else one.treatment

    def total(self, treatment: Treatment) -> Money:
        """Return what the adjustments of one treatment come to."""
        return Money.total((one.money for one in self.treated(treatment)), self.paid.currency)


@attrs.frozen(kw_only=True)
class AnswerAdjustment:
    """A difference between what the items pay and what came, which concerns no document: interest, recovery, carried forward.

    Attributes:
        reason: the third party's code.
        reference: what it refers to there, or empty.
        money: above zero lowers the payment, below zero raises it.
        code: adjustment code that the book maps to an account; empty or not mapped: it waits in suspense, and is never dropped.
    """

    reason: str
    reference: str = ""
    money: Money
    code: str = ""


@attrs.frozen(kw_only=True)
class Answer:
    """One answer: a payment, and the items that it is for.

    Attributes:
        payer: the third party's identifier; with `trace` it names the answer for ever.
        trace: number of the payment, by which the bank's line is found.
        money: what is paid; zero where everything is set off.
        paid_on: date of the payment.
        method: ``bank_transfer``, ``check`` or the deployment's own word.
        items: the answers to documents, in order of the file.
        adjustments: what concerns no document.
    """

    payer: str
    trace: str
    money: Money
    paid_on: date
    method: str = "bank_transfer"
    items: tuple[AnswerItem, ...] = ()
    adjustments: tuple[AnswerAdjustment, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.money.minor < 0 or not self.payer.strip() or not self.trace.strip():
            raise ValueRefused(
                "ANSWER01",
                f"an answer needs a payer, a trace number and an amount not below zero, not {self.trace!r} of {self.money}",
                remedy="What a third party takes back is carried forward, or recorded as a payment that goes out",
            )
