"""From exact charges to payable amounts: where a plan rounds, so that printed parts sum to what is printed below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from billing_framework.rating.charge import Charge
from billing_framework.rating.price_plan import PlanVersion, RoundingPlace
from billing_framework.values.money import HALF_UP, Amount, Money, Rounding, minor_digits
from billing_framework.values.rounding import round_parts

_Group = tuple[str, ...]


def payable_lines(charges: Sequence[Charge], plans: Mapping[str, PlanVersion]) -> list[Money]:
    """Return the payable amount of each charge, in order, rounded where and how the charge's plan says.

    Charges of a plan that rounds by component or document are rounded in their sum, and the sum is shared back to them by
    largest remainder. Charges without a plan (an officer's), and parts of charges that payers share, which are whole minor units
    already, are rounded each, half up.

    Args:
        charges: exact charges of one document.
        plans: plan versions by `PlanVersion.name`.
    """
    groups: dict[tuple[_Group, Rounding], list[int]] = {}
    for position, charge in enumerate(charges):
        plan = None if charge.share else plans.get(charge.plan)
        place = plan.rounding_place if plan else RoundingPlace.LINE
        rounding = plan.rounding if plan else HALF_UP
        groups.setdefault((_group(charge, place, position), rounding), []).append(position)
    lines: dict[int, Money] = {}
    for (_, rounding), positions in groups.items():
        parts = round_amounts([charges[position].amount for position in positions], rounding)
        lines.update(zip(positions, parts, strict=True))
    return [lines[position] for position in range(len(charges))]


def _group(charge: Charge, place: RoundingPlace, position: int) -> _Group:
    if place is RoundingPlace.DOCUMENT:
        return ("document", charge.amount.currency)
    if place is RoundingPlace.COMPONENT:
        return ("component", charge.agreement, charge.component, charge.amount.currency)
    return ("line", str(position))


def round_amounts(amounts: Sequence[Amount], rounding: Rounding) -> list[Money]:
    """Return `amounts` in whole minor units that sum to their rounded sum, each next to its exact amount.

    Args:
        amounts: exact amounts of one currency, at least one.
        rounding: policy by which the sum is rounded.
    """
    if len(amounts) == 1:
        return [amounts[0].payable(rounding)]
    total = amounts[0]
    for amount in amounts[1:]:
        total = total + amount
    scale = Fraction(10 ** minor_digits(total.currency))
    parts = round_parts(total.payable(rounding).minor, [amount.value * scale for amount in amounts])
    return [Money(part, total.currency) for part in parts]
