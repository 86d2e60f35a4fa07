"""The base of derived components: which earlier charges a percentage, minimum, maximum or commitment looks at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from billing_framework.rating.charge import Charge
from billing_framework.rating.group import AgreementUsage
from billing_framework.rating.payable import payable_lines
from billing_framework.rating.price_plan import Component, PlanVersion, RoundingPlace
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.number import exact_text
from billing_framework.values.spelling import did_you_mean


def chosen(charges: Iterable[Charge], of: Sequence[str], excluding: Sequence[str]) -> tuple[Charge, ...]:
    """Return the charges of the components `of` (all where it is empty) without those of `excluding`, in order."""
    return tuple(charge for charge in charges if (not of or charge.component in of) and charge.component not in excluding)


def total(charges: Iterable[Charge]) -> Fraction:
    """Return the exact sum of charges of one currency, in major units."""
    return sum((charge.amount.value for charge in charges), Fraction(0))


def payable_total(charges: Sequence[Charge], usage: AgreementUsage) -> Fraction:
    """Return what charges come to on the document, rounded where their plan rounds, in major units.

    A minimum is a promise about the printed sum: topping exact amounts up could print 19.99 for a minimum of 20.00.
    """
    plans = {tile.plan.name: tile.plan for tile in (*usage.tiles, *usage.next_tiles)}
    document = {name for name, plan in plans.items() if plan.rounding_place is RoundingPlace.DOCUMENT}
    exact = [charge for charge in charges if charge.plan in document]  # rounded with everything else, after the top-up
    rounded = [charge for charge in charges if charge.plan not in document]
    return total(exact) + sum((money.major for money in payable_lines(rounded, plans)), Fraction(0))


def formula(charges: Sequence[Charge]) -> str:
    """Return the sum as the explanation shows it: ``12.70 (service) + 30 (energy)``."""
    return " + ".join(f"{exact_text(charge.amount.value)} ({charge.component})" for charge in charges) or "0"


def base_findings(plan: PlanVersion, component: Component) -> tuple[Finding, ...]:
    """Return what is wrong with the components that `component` names as its base: unknown ones, and ones priced after it."""
    codes = [one.code for one in plan.components]
    before = codes[: codes.index(component.code)]
    findings = []
    for key in ("of", "excluding"):
        named = getattr(component.params, key, ())
        for code in named if isinstance(named, tuple) else ():
            if code in before:
                continue
            what = f"component {component.code!r} refers to {code!r}, which " + (
                "is not priced before it" if code in codes else "is no component of the plan"
            )
            remedy = f"Move {component.code!r} below {code!r}" if code in codes else did_you_mean(code, before)
            findings.append(
                Finding(
                    code="PLAN08",
                    severity=Severity.BLOCKING,
                    what=what,
                    remedy=remedy,
                    field=f"{component.code}.{key}",
                    value=code,
                    subject=component.code,
                )
            )
    return tuple(findings)
