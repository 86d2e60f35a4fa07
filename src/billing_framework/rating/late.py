"""Late usage as lines of its own: what a billed period comes to now, minus what it came to before, component by component.

Both sides are rated whole, so that tiers, minimums and shared allowances are right, and both are rounded as their document
rounds. The lines therefore sum to exactly what a credit note and a new document would come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from billing_framework.rating.charge import Charge, Step
from billing_framework.rating.payable import payable_lines
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.wording import titled
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan
from billing_framework.values.quantity import Quantity

LATE = "late "
"""How the source of a late line begins."""

_Place = tuple[str, str, DateSpan, str, str]
"""What the charges of one late line share: agreement, component, service dates, charge code and tax category."""


@attrs.frozen(kw_only=True)
class LateCorrection:
    """One period of an account that is billed by its difference.

    Attributes:
        period: the billing period as it was billed.
        sequence: how often its difference is billed, this time included; it keeps the keys of the lines apart.
        agreements: codes of the agreements whose difference is billed.
        locale: language of the lines.
    """

    period: DateSpan
    sequence: int
    agreements: frozenset[str]
    locale: str


@attrs.frozen
class _Side:
    """The charges of one place on one side, and what they come to."""

    charges: tuple[Charge, ...] = ()
    minor: int = 0


def late_source(period: DateSpan, sequence: int) -> str:
    """Return how the source of all late lines of a period begins that are billed at once; what follows begins with a dot."""
    return f"{LATE}{period.start}/{sequence}"


def late_charges(
    correction: LateCorrection, before: Sequence[Charge], now: Sequence[Charge], plans: Mapping[str, PlanVersion]
) -> tuple[Charge, ...]:
    """Return a charge for each component and service dates whose amount differs, with its own dates and the difference.

    Args:
        correction: the period and what of it is billed.
        before: exact charges of the account's period as its standing documents have billed it.
        now: its exact charges with the usage that is known now.
        plans: plan versions by `PlanVersion.name`, which say how amounts become payable.
    """
    old, new = _sides(correction, before, plans), _sides(correction, now, plans)
    found = []
    used: dict[tuple[str, str, DateSpan], int] = {}
    for place in sorted(old.keys() | new.keys(), key=lambda one: (one[0], one[1], one[2].start, one[2].end, *one[3:])):
        was, is_now = old.get(place, _Side()), new.get(place, _Side())
        if was.minor == is_now.minor:
            continue
        number = used[place[:3]] = used.get(place[:3], 0) + 1
        found.append(_difference(correction, was, is_now, number, plans))
    return tuple(found)


def _sides(correction: LateCorrection, charges: Sequence[Charge], plans: Mapping[str, PlanVersion]) -> dict[_Place, _Side]:
    sides: dict[_Place, _Side] = {}
    for charge, money in zip(charges, payable_lines(charges, plans), strict=True):
        if charge.agreement in correction.agreements:
            place = (charge.agreement, charge.component, charge.service, charge.code, charge.tax_category)
            side = sides.get(place, _Side())
            sides[place] = _Side((*side.charges, charge), side.minor + money.minor)
    return sides


def _difference(correction: LateCorrection, was: _Side, is_now: _Side, number: int, plans: Mapping[str, PlanVersion]) -> Charge:
    model, last = (is_now.charges or was.charges)[0], (is_now.charges or was.charges)[-1]
    old, new = Money(was.minor, last.amount.currency), Money(is_now.minor, last.amount.currency)
    again = f".{number}" if number > 1 else ""
    return attrs.evolve(
        model,
        description=titled(_title(model, is_now.charges or was.charges, plans, correction.locale), correction.locale, "late"),
        source=f"{late_source(correction.period, correction.sequence)}{again}",
        quantity=_quantity(was.charges, is_now.charges),
        unit_price=None,
        amount=(new - old).amount,
        plan=last.plan,
        records=tuple(sorted(_records(was.charges) ^ _records(is_now.charges) or _records(is_now.charges))),
        state_read=(),  # it rests on the billed document, which tells what that rests on
        steps=(
            Step(label="as billed before", formula=_sum(was.charges), result=str(old)),
            Step(label="with the usage that is known now", formula=_sum(is_now.charges), result=str(new)),
            Step(label="late usage", formula=f"{new} - {old}", result=str(new - old)),
        ),
        details={},
        estimated=any(one.estimated for one in is_now.charges),
        items=(),
        share=None,
    )


def _title(model: Charge, charges: Sequence[Charge], plans: Mapping[str, PlanVersion], locale: str) -> str:
    """Return the title of the component; that of the charge itself where there is only one or its plan says none."""
    components = plans[model.plan].components if len(charges) > 1 and model.plan in plans else ()
    return next((one.title(locale) for one in components if one.code == model.component), model.description)


def _quantity(was: Sequence[Charge], is_now: Sequence[Charge]) -> Quantity | None:
    """Return how much more is billed, None where the charges are not all of one unit or nothing differs."""
    signed = [-one.quantity if one.quantity else None for one in was] + [one.quantity for one in is_now]
    known = [one for one in signed if one is not None]
    if len(known) < len(signed) or len({one.unit for one in known}) != 1:
        return None
    total = Quantity.zero(known[0].unit)
    for one in known:
        total = total + one
    return total or None


def _records(charges: Iterable[Charge]) -> set[int]:
    return {key for charge in charges for key in charge.records}


def _sum(charges: Iterable[Charge]) -> str:
    """Return the exact amounts of charges as a sum, each with its quantity where it has one."""
    return " + ".join(_shown(charge) for charge in charges) or "nothing"


def _shown(charge: Charge) -> str:
    return f"{charge.amount} for {charge.quantity}" if charge.quantity is not None else str(charge.amount)
