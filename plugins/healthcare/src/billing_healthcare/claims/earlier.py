"""What earlier payers have answered, as a claim to a later payer must tell it: from the answers that were booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import attrs

from billing_framework import Adjustment, AnswerLine, Finding, GivenAnswer
from billing_healthcare.claims.claim import ClaimLine, LinePaid, OtherPayer
from billing_healthcare.coverage import Coverage
from billing_healthcare.remittance import remittance as said


@attrs.frozen(kw_only=True)
class Told:
    """What earlier payers have decided about a claim.

    Attributes:
        lines: its lines, each with what was decided about it.
        others: the payers with what they decided about the whole, in order.
    """

    lines: tuple[ClaimLine, ...]
    others: tuple[OtherPayer, ...] = ()


def told_by(
    reference: str,
    lines: Sequence[ClaimLine],
    coverages: Sequence[Coverage],
    answers: Sequence[GivenAnswer],
    names: Mapping[str, str],
) -> Told | Finding:
    """Return what payers have answered to a claim, or which of them has not.

    Args:
        reference: our identifier of the claim.
        lines: its lines.
        coverages: the payers that must have answered, in order.
        answers: what was answered to the document, in the order in which it was booked; payers answer in their order.
        names: identifier of each payer to its name.
    """
    own = [answer for answer in answers if answer.item.key.split("/", maxsplit=1)[0] == reference]
    payers = list(dict.fromkeys(answer.payer for answer in own))
    told = Told(lines=tuple(lines))
    for place, coverage in enumerate(coverages):
        if place >= len(payers):
            what = f"the payer {coverage.payer} has not answered yet"
            return Finding(code="HEALTH43", what=what, remedy="Take in its remittance first", subject=reference)
        latest = [answer for answer in own if answer.payer == payers[place]][-1]
        told = _with(told, coverage, latest, names.get(coverage.payer, coverage.payer))
    return told


def _with(told: Told, coverage: Coverage, answer: GivenAnswer, name: str) -> Told:
    item = answer.item
    other = OtherPayer(
        coverage=coverage,
        name=name,
        adjustments=_adjustments(item.adjustments),
        paid=Fraction(item.paid.major),
        remaining=None if item.owed_next is None else Fraction(item.owed_next.major),
        on=None if item.lines else answer.paid_on,
    )
    free = list(item.lines)
    lines = tuple(_line(line, free, coverage.payer, answer) for line in told.lines)
    return Told(lines=lines, others=(*told.others, other))


def _line(line: ClaimLine, free: list[AnswerLine], payer: str, answer: GivenAnswer) -> ClaimLine:
    """Return a line with its answer: the one that names it, else the first that names its code and asks for the same."""
    code = "-".join((line.body.code, *line.body.modifier_list))
    by_code = [one for one in free if one.reference in {code, line.body.code} and Fraction(one.billed.major) == line.charge]
    found = next((one for one in free if one.reference == line.body.control), by_code[0] if by_code else None)
    if found is None:
        return line
    free.remove(found)
    paid = LinePaid(payer=payer, paid=Fraction(found.paid.major), adjustments=_adjustments(found.adjustments), on=answer.paid_on)
    return attrs.evolve(line, paid=(*line.paid, paid))


def _adjustments(given: Sequence[Adjustment]) -> tuple[said.Adjustment, ...]:
    return tuple(said.Adjustment(group=one.group, reason=one.reason, amount=Fraction(one.money.major)) for one in given)
