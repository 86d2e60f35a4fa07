"""What a professional claim says, before it is written: who asks whom, for which patient, for which services."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import attrs

from billing_healthcare.coverage import Coverage
from billing_healthcare.kinds import Encounter, ServiceLine
from billing_healthcare.remittance.remittance import Adjustment, total

ORDER = ("P", "S", "T")
"""Payer responsibility: first, second, third payer."""


@attrs.frozen(kw_only=True)
class LinePaid:
    """What an earlier payer decided about a line.

    Attributes:
        payer: identifier of that payer, as on its `OtherPayer`.
        paid: what it paid.
        adjustments: why that differs from the charge.
        on: date of its decision.
    """

    payer: str
    paid: Fraction
    adjustments: tuple[Adjustment, ...] = ()
    on: date


@attrs.frozen(kw_only=True)
class ClaimLine:
    """One service of a claim.

    Attributes:
        body: the service as it was billed.
        charge: what is asked for, in dollars and cents.
        paid: what earlier payers decided, in their order.
    """

    body: ServiceLine
    charge: Fraction
    paid: tuple[LinePaid, ...] = ()


@attrs.frozen(kw_only=True)
class OtherPayer:
    """An earlier payer of a claim for a later one.

    Attributes:
        coverage: the patient's numbers there.
        name: name of the payer.
        adjustments: adjustments of its answer to the claim as a whole.
        paid: what it paid for the claim: the lines less the adjustments of the claim.
        remaining: what it leaves to the patient, None where its answer does not say.
        on: date of its decision where it decided the claim as a whole, None where the lines say it.
    """

    coverage: Coverage
    name: str
    adjustments: tuple[Adjustment, ...] = ()
    paid: Fraction
    remaining: Fraction | None = None
    on: date | None = None


@attrs.frozen(kw_only=True)
class Claim:
    """One claim.

    Attributes:
        reference: our identifier, which the answer repeats.
        encounter: patient, diagnoses and providers.
        coverage: the payer that is asked, and the patient's numbers there.
        payer_name: name of that payer.
        order: ``P``, ``S`` or ``T``: which payer it is.
        lines: the services.
        others: earlier payers, in order.
    """

    reference: str
    encounter: Encounter
    coverage: Coverage
    payer_name: str
    order: str = "P"
    lines: tuple[ClaimLine, ...]
    others: tuple[OtherPayer, ...] = ()

    @property
    def charge(self) -> Fraction:
        """What is asked for: always the sum of the lines."""
        return total(line.charge for line in self.lines)
