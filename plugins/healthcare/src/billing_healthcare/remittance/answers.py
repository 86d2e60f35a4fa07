"""From remittances to answers: claims become items, reason codes get their treatment, and the core checks, books and suspends.

Whether line, claim and file add up is checked by the core on what stands here, with every sign as the file has it. A contractual
reduction is given up and never asked of the patient; what the patient bears moves to the next party; any other reduction is a
denial that stays open until somebody has worked on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
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
    InputRefused,
    Money,
    Treatment,
    ValueRefused,
)
from billing_healthcare.claims.document import document_of
from billing_healthcare.remittance import remittance as said
from billing_healthcare.remittance.read import read_remittances
from billing_healthcare.settings import HealthcareSettings

NEXT_PARTY_TERM = "next_party"
"""Term of an agreement: the accounts that owe after its own, in order: the next payer's, then the patient's."""

_STATUS = {
    **dict.fromkeys(("1", "2", "3", "19", "20", "21"), AnswerStatus.ANSWERED),
    said.DENIED: AnswerStatus.DENIED,
    said.REVERSAL: AnswerStatus.REVERSED,
}
"""Claim status to what it means here. Any other (forwarded, predetermination) decides nothing; with money it is suspended."""

_METHODS = {"ACH": "bank_transfer", "FWT": "bank_transfer", "BOP": "bank_transfer", "CHK": "check", "NON": "none"}
BESIDE = {"WO": "recovery", "72": "refund", "L6": "interest", "FB": "forward_balance", "50": "late_filing", "CS": "adjustment"}
"""Reason of a provider adjustment to the adjustment code that the book maps; any other waits in suspense and is never dropped."""


def read_answers(stream: BinaryIO, request: AnswerRequest) -> Iterator[Answer | Finding]:
    """Yield the answers of a remittance file, one for each payment.

    Args:
        stream: bytes of the file.
        request: name of the file, currency, and the plugin's settings with its lists of reasons.

    Raises:
        InputRefused: where the file is no sound remittance; nothing of it is posted.
    """
    settings = request.settings if isinstance(request.settings, HealthcareSettings) else HealthcareSettings()
    make = AnswerMaker(currency=request.currency, settings=settings)
    for remittance in read_remittances(stream, file=request.file):
        try:
            yield make.answer(remittance)
        except ValueRefused as error:
            place = f"{request.file}:{remittance.number}"
            raise InputRefused("HEALTH05", error.what, place=place, remedy="Ask the payer for a corrected file") from error


def next_party(question: AnsweredDocument) -> str:
    """Return the account that owes what a payer leaves: the one after it in the agreement's order, empty where there is none."""
    for agreement in question.document.agreements.values():
        listed = [
            agreement.account,
            *(part.strip() for part in agreement.terms.get(NEXT_PARTY_TERM, "").split(",") if part.strip()),
        ]
        if question.account in listed[:-1]:
            return listed[listed.index(question.account) + 1]
    return ""


@attrs.frozen(kw_only=True)
class AnswerMaker:
    """Makes answers of remittances in one currency, by the reasons of the settings."""

    currency: str
    settings: HealthcareSettings

    def answer(self, given: said.Remittance) -> Answer:
        """Return the answer that a remittance is."""
        return Answer(
            payer=given.payer,
            trace=given.trace,
            money=self.money(given.total),
            paid_on=given.paid_on,
            method=_METHODS.get(given.method, given.method.lower() or "none"),
            items=tuple(self.item(claim) for claim in given.claims),
            adjustments=tuple(
                AnswerAdjustment(
                    reason=one.code, reference=one.reference, money=self.money(one.amount), code=BESIDE.get(one.code, "")
                )
                for one in given.adjustments
            ),
        )

    def item(self, claim: said.ClaimAnswer) -> AnswerItem:
        """Return the item that a claim of it is."""
        status = _STATUS.get(claim.status, AnswerStatus.INFORMATION)
        document = document_of(claim.reference)
        return AnswerItem(
            # Without the status a reversal and its correction in one file would be taken for one answer told twice.
            key=f"{claim.reference}/{claim.control}/{claim.status}",
            document=document,
            reference=claim.control,
            status=status,
            billed=self.money(claim.charge),
            paid=self.money(claim.paid),
            owed_next=None if claim.is_reversal else self.money(claim.patient),
            adjustments=tuple(self.adjustment(one, claim.remarks) for one in claim.adjustments),
            lines=tuple(self.line(line) for line in claim.lines),
            is_part=document != claim.reference,
            place=claim.number,
        )

    def line(self, given: said.LineAnswer) -> AnswerLine:
        """Return the answer to one service line."""
        return AnswerLine(
            reference=given.control or "-".join((given.code, *given.modifiers)),
            billed=self.money(given.charge),
            paid=self.money(given.paid),
            adjustments=tuple(self.adjustment(one, given.remarks) for one in given.adjustments),
        )

    def adjustment(self, given: said.Adjustment, remarks: tuple[str, ...]) -> Adjustment:
        """Return an adjustment with its treatment."""
        treatment, code = self.treated(given)
        return Adjustment(
            group=given.group,
            reason=given.reason,
            money=self.money(given.amount),
            treatment=treatment,
            code=code,
            remarks=remarks,
        )

    def treated(self, given: said.Adjustment) -> tuple[Treatment, str]:
        """Return what an adjustment means for what is owed, and its code where it is given up."""
        if given.group == "PR":
            return Treatment.NEXT_PARTY, ""
        if given.group == "OA":
            return (Treatment.NOTE if given.reason in self.settings.informational_reasons else Treatment.DENY), ""
        if given.reason in self.settings.sequestration_reasons:
            return Treatment.REDUCE, "sequestration"
        return (Treatment.REDUCE, "contractual") if given.reason in self.settings.contractual_reasons else (Treatment.DENY, "")

    def money(self, amount: Fraction) -> Money:
        """Return an amount in whole cents; a remittance has no parts of them."""
        return Money.of(amount, self.currency)


X12_835 = AnswerReader(
    format="x12_835",
    title="Remittances of payers (835, 005010X221A1)",
    read=read_answers,
    next_party=next_party,
)
