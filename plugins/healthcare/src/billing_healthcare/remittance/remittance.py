"""A remittance as its file says it: one payment with the claims that it answers; signs stand as they came."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction

import attrs


@attrs.frozen(kw_only=True)
class Adjustment:
    """Why less (or, where negative, more) was paid than was charged.

    Attributes:
        group: who bears it: ``CO`` the provider by contract, ``PR`` the patient, ``OA`` other, ``PI`` the payer's initiative.
        reason: claim adjustment reason code.
        amount: positive lowers the payment, negative raises it.
        quantity: units that were not paid, where the file says so.
    """

    group: str
    reason: str
    amount: Fraction
    quantity: Fraction | None = None


@attrs.frozen(kw_only=True)
class LineAnswer:
    """What was decided about one service line.

    Attributes:
        code: code as it was adjudicated.
        modifiers: its modifiers.
        submitted: code as it was sent, where it was changed.
        charge: what was charged.
        paid: what is paid.
        units: units that are paid; 1 where the file says nothing.
        control: our line control number, or empty.
        served_on: date of service, None where only the claim has one.
        allowed: what the contract allows, where the file says so.
        adjustments: why it differs.
        remarks: remark codes.
        number: position of its segment in the file.
    """

    code: str
    modifiers: tuple[str, ...] = ()
    submitted: str = ""
    charge: Fraction
    paid: Fraction
    units: Fraction = Fraction(1)
    control: str = ""
    served_on: date | None = None
    allowed: Fraction | None = None
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()
    number: int = 0


REVERSAL = "22"
"""Claim status of the reversal of an earlier answer: the same amounts negated, under the original reasons."""

DENIED = "4"


@attrs.frozen(kw_only=True)
class ClaimAnswer:
    """What was decided about one claim.

    Attributes:
        reference: our identifier of the claim (CLM01).
        status: claim status code: 1, 2, 3 processed as first, second, third payer; 4 denied; 19, 20, 21 the same and forwarded;
            22 reversal; 23 forwarded, 25 predetermination.
        charge: what was charged.
        paid: what is paid.
        patient: what the patient bears, as the payer sums it.
        control: the payer's own number of the claim.
        adjustments: adjustments of the claim as a whole.
        lines: its service lines; a claim may be answered without.
        remarks: remark codes of the claim.
        is_forwarded: True where the payer sends the claim on to the next payer itself.
        number: position of its segment in the file.
    """

    reference: str
    status: str
    charge: Fraction
    paid: Fraction
    patient: Fraction = Fraction(0)
    control: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    lines: tuple[LineAnswer, ...] = ()
    remarks: tuple[str, ...] = ()
    is_forwarded: bool = False
    number: int = 0

    @property
    def all_adjustments(self) -> tuple[Adjustment, ...]:
        """Those of the claim and of its lines."""
        return (*self.adjustments, *(one for line in self.lines for one in line.adjustments))

    def adjusted(self, *groups: str) -> Fraction:
        """Return the sum of all adjustments of some groups, of all where none is named."""
        return total(one.amount for one in self.all_adjustments if not groups or one.group in groups)

    @property
    def is_reversal(self) -> bool:
        """True where it takes an earlier answer back."""
        return self.status == REVERSAL


@attrs.frozen(kw_only=True)
class ProviderAdjustment:
    """Money moved beside the claims (PLB): recoveries, interest, balances carried forward.

    Attributes:
        code: reason: ``WO`` recovery of an overpayment, ``L6`` interest, ``FB`` forward balance, 72 refund, and others.
        reference: what the payer names it by.
        amount: positive lowers the payment, negative raises it.
        number: position of its segment in the file.
    """

    code: str
    reference: str = ""
    amount: Fraction
    number: int = 0


@attrs.frozen(kw_only=True)
class Remittance:
    """One payment and what it answers.

    Attributes:
        payer: identifier of the payer that stands with the trace number (TRN03).
        payer_name: name of the payer.
        trace: check or transfer number; the bank's line carries it too.
        total: what is paid, negative never.
        method: ``ACH``, ``CHK``, ``FWT``, ``BOP``, or ``NON`` where no money moves.
        paid_on: date of the payment.
        claims: what it answers, in order.
        adjustments: what moved beside the claims.
        number: position of its first segment in the file.
    """

    payer: str
    payer_name: str = ""
    trace: str
    total: Fraction
    method: str
    paid_on: date
    claims: tuple[ClaimAnswer, ...]
    adjustments: tuple[ProviderAdjustment, ...] = ()
    number: int = 0


def total(amounts: Iterable[Fraction]) -> Fraction:
    """Return the exact sum."""
    return sum(amounts, Fraction(0))
