"""Rules over several procedures of one patient, day and renderer: ranked by fee, never by their order on the claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from billing_framework import Step, exact_text
from billing_healthcare.pricing.contract import Contract, EndoscopyDifference
from billing_healthcare.pricing.procedure import Expected, Procedure, percent_of
from billing_healthcare.pricing.value import FEE

SURGERY, ENDOSCOPY, IMAGING, THERAPY, HEART, EYE = "2", "3", "4", "5", "6", "7"


def ranked(procedures: Sequence[Procedure], contract: Contract) -> tuple[Expected, ...]:
    """Return what is allowed for each procedure after the rules about several, units included, in the order given.

    Args:
        procedures: all procedures of one day by one renderer that have a fee.
        contract: percentages.
    """
    results: dict[int, Expected] = {}
    by_rule: dict[str, list[int]] = {}
    for place, one in enumerate(procedures):
        by_rule.setdefault(_rule(one), []).append(place)
    results.update(_surgeries(procedures, [*by_rule.pop(SURGERY, []), *by_rule.pop(ENDOSCOPY, [])], contract))
    results.update(_therapies(procedures, by_rule.pop(THERAPY, []), contract))
    shares = {
        IMAGING: (contract.imaging_percents[0], contract.imaging_percents[1]),
        HEART: (contract.cardiovascular_percent, Fraction(100)),
        EYE: (contract.ophthalmology_percent, Fraction(100)),
    }
    for rule, (technical, professional) in shares.items():
        results.update(_by_parts(procedures, by_rule.pop(rule, []), technical, professional))
    for place in (place for places in by_rule.values() for place in places):
        results[place] = in_units(procedures[place], procedures[place].fee, procedures[place].steps)
    return tuple(results[place] for place in range(len(procedures)))


def in_units(procedure: Procedure, fee: Fraction, steps: tuple[Step, ...]) -> Expected:
    """Return a fee times the units of the line."""
    units = procedure.line.units
    if units == 1:
        return Expected(amount=fee, steps=steps)
    result = FEE(fee * units)
    step = Step(label="units", formula=f"{exact_text(units)} × {exact_text(fee)}", result=exact_text(result))
    return Expected(amount=result, steps=(*steps, step))


def _rule(procedure: Procedure) -> str:
    """Return the rule that applies; one whose figures are not known (a fee schedule) applies none."""
    needs: dict[str, object] = {
        ENDOSCOPY: procedure.endoscopy,
        THERAPY: procedure.valuation,
        IMAGING: procedure.parts,
        HEART: procedure.parts,
        EYE: procedure.parts,
    }
    if needs.get(procedure.multiple, True) is not None:
        return procedure.multiple
    return SURGERY if procedure.multiple == ENDOSCOPY else "0"


def _surgeries(procedures: Sequence[Procedure], places: Iterable[int], contract: Contract) -> Mapping[int, Expected]:
    """Rank surgeries; the members of an endoscopy family rank together, by what the family is paid."""
    items: dict[str, list[int]] = {}
    for place in places:
        family = procedures[place].endoscopy
        items.setdefault(f"family {family.base}" if family else f"line {place}", []).append(place)
    fees: dict[int, tuple[Fraction, tuple[Step, ...]]] = {}
    for members in items.values():
        fees.update(_family([procedures[place] for place in members], members, contract.endoscopy_difference))
    order = sorted(items.values(), key=lambda members: (-sum((fees[place][0] for place in members), Fraction(0)), members[0]))
    results: dict[int, Expected] = {}
    for rank, members in enumerate(order):
        for place in members:
            fee, steps = fees[place]
            if rank >= len(contract.multiple_schedule):
                results[place] = Expected(amount=None, reason=f"procedure {rank + 1} of the day is priced by report", steps=steps)
                continue
            if len(order) > 1:
                fee, step = percent_of(fee, contract.multiple_schedule[rank], f"procedure {rank + 1} of the day by fee")
                steps = (*steps, step)
            results[place] = in_units(procedures[place], fee, steps)
    return results


def _family(
    members: Sequence[Procedure], places: Sequence[int], difference: EndoscopyDifference
) -> Mapping[int, tuple[Fraction, tuple[Step, ...]]]:
    """Return fees within a family: the highest in full, the others less the base, which is paid once by that."""
    highest = max(range(len(members)), key=lambda at: (members[at].fee, -at))
    fees: dict[int, tuple[Fraction, tuple[Step, ...]]] = {}
    for at, (place, member) in enumerate(zip(places, members, strict=True)):
        family = member.endoscopy
        if at == highest or family is None:
            fees[place] = member.fee, member.steps
            continue
        if difference is EndoscopyDifference.RVU:
            own, base = family.exact, family.base_exact
        else:
            own, base = member.fee, family.base_fee
        left = FEE(max(own - base, Fraction(0)))
        label = f"less the base {family.base} of its endoscopy family"
        step = Step(label=label, formula=f"{exact_text(own)} - {exact_text(base)}", result=exact_text(left))
        fees[place] = left, (*member.steps, step)
    return fees


def _therapies(procedures: Sequence[Procedure], places: Sequence[int], contract: Contract) -> Mapping[int, Expected]:
    """Pay the unit with the highest practice expense in full, every further unit of the day with a share of it."""
    if not places:
        return {}

    def expense(place: int) -> tuple[Fraction, Fraction, int]:
        found = procedures[place].valuation
        return (found.expense if found else Fraction(0), procedures[place].fee, -place)

    first = max(places, key=expense)
    share = contract.therapy_percent / 100
    results: dict[int, Expected] = {}
    for place in places:
        one = procedures[place]
        full = Fraction(1) if place == first else Fraction(0)
        reduced = one.valuation.fee(share) if one.valuation else one.fee
        amount = FEE(full * one.fee + (one.line.units - full) * reduced)
        formula = f"{exact_text(full)} × {exact_text(one.fee)} + {exact_text(one.line.units - full)} × {exact_text(reduced)}"
        label = f"therapy units of the day, further ones with {exact_text(contract.therapy_percent)} % of practice expense"
        results[place] = Expected(
            amount=amount, steps=(*one.steps, Step(label=label, formula=formula, result=exact_text(amount)))
        )
    return results


def _by_parts(
    procedures: Sequence[Procedure], places: Sequence[int], technical: Fraction, professional: Fraction
) -> Mapping[int, Expected]:
    """Rank the technical and the professional parts apart; the highest of each in full, the others by a percentage."""
    firsts = [_first(procedures, places, which) for which in (_technical, _professional)]
    results: dict[int, Expected] = {}
    for place in places:
        one = procedures[place]
        amounts: list[Fraction] = []
        steps = list(one.steps)
        for which, first, percent, name in (
            (_technical, firsts[0], technical, "technical"),
            (_professional, firsts[1], professional, "professional"),
        ):
            part = which(one)
            if part is not None and place != first:
                part, step = percent_of(part, percent, f"{name} part of a further procedure of the day")
                steps.append(step)
            if part is not None:
                amounts.append(part)
        # In full on both parts the procedure is paid by its own row, which may differ from the parts by a cent.
        fee = one.fee if len(steps) == len(one.steps) else sum(amounts, Fraction(0))
        results[place] = in_units(one, fee, tuple(steps))
    return results


def _technical(procedure: Procedure) -> Fraction | None:
    return procedure.parts.technical if procedure.parts else None


def _professional(procedure: Procedure) -> Fraction | None:
    return procedure.parts.professional if procedure.parts else None


def _first(procedures: Sequence[Procedure], places: Sequence[int], which: Callable[[Procedure], Fraction | None]) -> int:
    """Return the place of the highest part, -1 where nobody bills it."""
    with_part = [(place, part) for place in places if (part := which(procedures[place])) is not None]
    return max(with_part, key=lambda found: (found[1], -found[0]))[0] if with_part else -1


def alone(procedures: Sequence[Procedure]) -> tuple[Procedure, ...]:
    """Return the procedures that are paid: those that are paid only alone are left out where another is payable that day."""
    others = [one for one in procedures if not one.only_if_alone]
    return tuple(others) if others else tuple(procedures)
