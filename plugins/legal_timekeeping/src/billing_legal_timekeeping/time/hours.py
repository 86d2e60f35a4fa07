"""From time to billed hours: whole units of an increment, for each entry, day or invoice at once, exactly.

Time is counted in exact minutes, so that a multiple of the increment never goes up (a binary float would let it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import RoundingMode, Step, allocate, exact_text, to_places, to_step
from billing_legal_timekeeping.params import Increment, IncrementMode, IncrementScope

_HOUR = Fraction(60)
_MODES: Mapping[IncrementMode, RoundingMode] = {
    IncrementMode.UP: RoundingMode.UP,
    IncrementMode.NEAREST_HALF_UP: RoundingMode.HALF_UP,
    IncrementMode.NEAREST_HALF_EVEN: RoundingMode.HALF_EVEN,
    IncrementMode.DOWN: RoundingMode.DOWN,
}


@attrs.frozen(kw_only=True)
class Spent:
    """Time of one entry.

    Attributes:
        key: key of the record.
        minutes: exact minutes as entered.
        timekeeper: code of the person.
        matter: code of the matter.
        day: date of the work.
        activity: activity code.
        status: whether it is billed; what is billed and what is not are never rounded together.
    """

    key: int
    minutes: Fraction
    timekeeper: str
    matter: str
    day: date
    activity: str = ""
    status: str = ""


@attrs.frozen(kw_only=True)
class Billed:
    """Hours to be billed for one entry, and how they came to be."""

    hours: Fraction
    steps: tuple[Step, ...]


def billed_hours(entries: Sequence[Spent], rule: Increment) -> dict[int, Billed]:
    """Return the billed hours of each entry by its key.

    Units of a day or invoice are shared to its entries by largest remainder, ties to the earlier entry, so that the printed hours
    sum up. The result does not depend on the order in which entries of different people, days or matters stand.

    Args:
        entries: time of the entries that one component takes, in the order of their records.
        rule: the increment.
    """
    groups: dict[tuple[object, ...], list[Spent]] = {}
    for entry in entries:
        groups.setdefault(_group(entry, rule.scope), []).append(entry)
    billed: dict[int, Billed] = {}
    for together in groups.values():
        billed.update(_billed(together, rule))
    return billed


def _group(entry: Spent, scope: IncrementScope) -> tuple[object, ...]:
    if scope is IncrementScope.ENTRY:
        return (entry.key,)
    shared = (entry.status, entry.matter, entry.timekeeper)
    return (*shared, entry.day) if scope is IncrementScope.DAY else shared


def _billed(together: Sequence[Spent], rule: Increment) -> dict[int, Billed]:
    spent = [_at_least(one, rule) for one in together]
    total = sum(spent, Fraction(0))
    raised = max(total, Fraction(rule.minimum_minutes)) if total else total
    mode = _MODES.get(rule.mode)
    if mode is None:
        hours = _unstepped(spent, total, raised, rule)
    else:
        step = Fraction(rule.step_minutes)
        units = to_step(raised, step, mode) / step
        if total and raised > total:  # a minimum is kept in every mode
            units = max(units, to_step(raised, step, RoundingMode.UP) / step)
        hours = [share * step / _HOUR for share in allocate(units.numerator, spent if total else [1] * len(spent))]
    return {
        one.key: Billed(hours=share, steps=(*_entered(one, used), _rounded(share, total, rule, len(together))))
        for one, used, share in zip(together, spent, hours, strict=True)
    }


def _at_least(one: Spent, rule: Increment) -> Fraction:
    """Return the minutes of an entry, at least those that its activity is billed with."""
    return max(one.minutes, Fraction(rule.activity_minimums.get(one.activity, 0))) if one.minutes else one.minutes


def _unstepped(spent: Sequence[Fraction], total: Fraction, raised: Fraction, rule: Increment) -> list[Fraction]:
    """Return exact hours, or hours with as many decimals as are printed."""
    scaled = [one * raised / total for one in spent] if total else list(spent)
    if rule.mode is IncrementMode.EXACT:
        return [one / _HOUR for one in scaled]
    if rule.scope is IncrementScope.ENTRY:
        return [to_places(one / _HOUR, rule.places, RoundingMode.HALF_UP) for one in scaled]
    grid = Fraction(10) ** rule.places
    units = to_places(raised / _HOUR, rule.places, RoundingMode.HALF_UP) * grid
    return [share / grid for share in allocate(units.numerator, scaled if total else [1] * len(spent))]


def _entered(one: Spent, used: Fraction) -> tuple[Step, ...]:
    entered = Step(label="entered", formula=f"{exact_text(one.minutes)} min", result=f"{exact_text(one.minutes / _HOUR)} h")
    if used == one.minutes:
        return (entered,)
    formula = f"at least {exact_text(used)} min for activity {one.activity}"
    return entered, Step(label="minimum", formula=formula, result=f"{exact_text(used)} min")


def _rounded(hours: Fraction, total: Fraction, rule: Increment, together: int) -> Step:
    how = f"{rule.mode.value}, {rule.places} decimals" if rule.mode is IncrementMode.PRINTED_UNITS else rule.mode.value
    unit = f" to units of {rule.step_minutes} min" if rule.mode in _MODES else ""
    least = f", at least {rule.minimum_minutes} min" if rule.minimum_minutes else ""
    scope = f", of {exact_text(total)} min in {together} entries" if together > 1 else ""
    return Step(label="billed hours", formula=f"{how}{unit}{least}{scope}", result=f"{exact_text(hours)} h")
