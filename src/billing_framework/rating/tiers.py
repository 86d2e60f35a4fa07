"""Tiers: their thresholds for some dates, and how a quantity falls into them.

A credit mirrors its charge: the portions of a negative quantity are those of the positive one with the other sign.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import attrs

from billing_framework.rating.figure import Figure, figure
from billing_framework.rating.price_plan import Component, Proration
from billing_framework.rating.pricing import Pricing
from billing_framework.rating.quantity_rule import Basis, basis_factor, positive
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.number import exact_text
from billing_framework.values.rounding import RoundingMode, RoundingStep


class Bound(enum.Enum):
    """Whether a quantity equal to a tier's ``to`` still belongs to it (``INCLUSIVE``) or to the next one (``EXCLUSIVE``)."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"


@attrs.frozen(kw_only=True)
class Tier:
    """One tier (block, step).

    Attributes:
        to: upper threshold, counted from zero, in the component's unit; None for the last tier, which has no end.
        price: price of one unit in the tier.
        flat: price of the tier as such, where the quantity reaches into it.
    """

    to: Fraction | None = attrs.field(default=None, validator=positive)
    price: Figure = Fraction(0)
    flat: Figure = Fraction(0)


@attrs.frozen(kw_only=True)
class Widths:
    """What the tiers' thresholds are given for.

    Attributes:
        basis: per bill, per month (prorated) or per day.
        times: factor on all thresholds: dwelling units, contracted kilowatts.
        step: grid to which each threshold is rounded; None leaves it exact.
        mode: rounding mode of that step.
        proration: policy for months; None takes the plan's.
    """

    basis: Basis = Basis.PERIOD
    times: Figure = Fraction(1)
    step: Fraction | None = attrs.field(default=None, validator=positive)
    mode: RoundingMode = RoundingMode.HALF_UP
    proration: Proration | None = None


PLAIN_WIDTHS = Widths()
_NOTHING = Fraction(0)


def thresholds(
    pricing: Pricing, tiers: Sequence[Tier], widths: Widths, *, whole_term: bool = False
) -> tuple[Fraction | None, ...]:
    """Return the upper threshold of each tier for the tile's dates, None for a last tier without end.

    Rounding a threshold, not a width, is what tariffs do: 22.1918 kWh a day are 1332 kWh in 60 days.

    Args:
        pricing: the tile and the agreement's terms.
        tiers: the tiers.
        widths: what their thresholds are given for.
        whole_term: True where the tiers count over a quarter or year, whose thresholds no bill shares.
    """
    scale = Fraction(1) if whole_term else basis_factor(pricing, widths.basis, widths.proration)
    scale *= figure(widths.times, pricing.usage.agreement.terms)
    grid = RoundingStep("threshold", widths.step, widths.mode) if widths.step is not None else None
    ends = []
    for tier in tiers:
        end = None if tier.to is None else tier.to * scale
        ends.append(grid(end) if grid is not None and end is not None else end)
    return tuple(ends)


def portions(quantity: Fraction, ends: Sequence[Fraction | None], *, before: Fraction = Fraction(0)) -> list[Fraction]:
    """Return how much of `quantity` falls into each tier; the portions add up to it.

    Args:
        quantity: what is priced now; may be negative.
        ends: upper thresholds, ascending; None for no end. What lies above the last threshold is left out, so check for an
            open last tier before.
        before: what was priced already since the tiers began to count.
    """
    if not before:
        return _reached(quantity, ends)
    return [after - earlier for after, earlier in zip(_reached(before + quantity, ends), _reached(before, ends), strict=True)]


def _reached(amount: Fraction, ends: Sequence[Fraction | None]) -> list[Fraction]:
    """Return how much of an amount, counted from zero, falls into each tier."""
    if amount < 0:
        return [-part for part in _reached(-amount, ends)]
    parts, start = [], _NOTHING
    for end in ends:
        if amount <= start:
            parts.append(_NOTHING)
            continue
        top = amount if end is None or amount < end else end
        parts.append(top - start if start else top)
        start = top
    return parts


def tier_of(quantity: Fraction, ends: Sequence[Fraction | None], bound: Bound) -> int:
    """Return the position of the tier in which `quantity` ends; the last one where it lies above all thresholds."""
    size = abs(quantity)
    for position, end in enumerate(ends):
        if end is None or size < end or (size == end and bound is Bound.INCLUSIVE):
            return position
    return len(ends) - 1


def tier_findings(component: Component, tiers: Sequence[Tier]) -> tuple[Finding, ...]:
    """Return what is wrong with a row of tiers: none at all, thresholds that do not ascend, or a last tier that ends."""
    problems = []
    if not tiers:
        problems.append(("there are no tiers", "Give at least one tier"))
    if any(tier.to is None for tier in tiers[:-1]):
        problems.append(("a tier before the last has no threshold", "Give `to` in all tiers but the last"))
    if tiers and tiers[-1].to is not None:
        problems.append(
            (f"what lies above {exact_text(tiers[-1].to)} has no price", "Leave `to` out in the last tier, or add one without it")
        )
    for lower, upper in pairwise(tier.to for tier in tiers if tier.to is not None):
        if upper <= lower:
            problems.append(
                (f"the threshold {exact_text(upper)} does not lie above {exact_text(lower)}", "Order the tiers by ascending `to`")
            )
    return tuple(
        Finding(
            code="PLAN07",
            severity=Severity.BLOCKING,
            what=what,
            remedy=remedy,
            field=f"{component.code}.tiers",
            subject=component.code,
        )
        for what, remedy in problems
    )
