"""A procedure that is being priced: its fee before the rules about several procedures, and what those rules need to know."""

from __future__ import annotations

from fractions import Fraction

import attrs

from billing_framework import Step, exact_text
from billing_healthcare.kinds import ServiceLine
from billing_healthcare.pricing.value import FEE, Valuation


@attrs.frozen(kw_only=True)
class Service:
    """A service line as it is priced.

    Attributes:
        line: the line.
        place: place of service: the line's own, else the encounter's.
        charge: what is charged for it as a whole.
    """

    line: ServiceLine
    place: str
    charge: Fraction


@attrs.frozen(kw_only=True)
class Endoscopy:
    """The family of an endoscopy.

    Attributes:
        base: code of the base procedure.
        base_fee: its fee in the same setting.
        base_exact: that fee before it was rounded.
        exact: the procedure's own fee before it was rounded.
    """

    base: str
    base_fee: Fraction
    base_exact: Fraction
    exact: Fraction


@attrs.frozen(kw_only=True)
class Parts:
    """Fees of the technical and the professional part of a procedure, each from its own row; None where it is not billed."""

    technical: Fraction | None
    professional: Fraction | None


@attrs.frozen(kw_only=True)
class Procedure:
    """A service with its fee for one unit.

    Attributes:
        service: the service.
        fee: fee for one unit, in dollars and cents.
        steps: how it came to be.
        multiple: rule for several procedures of a day, as in the federal schedule.
        endoscopy: its family under rule 3.
        parts: its parts under the rules 4, 6 and 7.
        valuation: its relative values, which rule 5 needs.
        only_if_alone: True where it is paid only if nothing else of that day is.
    """

    service: Service
    fee: Fraction
    steps: tuple[Step, ...] = ()
    multiple: str = "0"
    endoscopy: Endoscopy | None = None
    parts: Parts | None = None
    valuation: Valuation | None = None
    only_if_alone: bool = False

    @property
    def line(self) -> ServiceLine:
        """Its service line."""
        return self.service.line


@attrs.frozen(kw_only=True)
class Expected:
    """What the contract allows for a line.

    Attributes:
        amount: dollars for the line as a whole; None where a person must decide.
        reason: why there is no amount, or why it is zero.
        steps: how it came to be.
    """

    amount: Fraction | None
    reason: str = ""
    steps: tuple[Step, ...] = ()


def percent_of(fee: Fraction, percent: Fraction, label: str) -> tuple[Fraction, Step]:
    """Return a percentage of a fee, rounded to cents, and the step that tells it."""
    result = FEE(fee * percent / 100)
    return result, Step(label=label, formula=f"{exact_text(percent)} % of {exact_text(fee)}", result=exact_text(result))
