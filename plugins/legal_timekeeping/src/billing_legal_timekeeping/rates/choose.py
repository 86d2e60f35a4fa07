"""Chooses the price of an hour: the first level that has one, a named policy for ties, limits, and the reason why."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import attrs

from billing_framework import RateTable, Step, exact_text
from billing_legal_timekeeping.params import ENTRY, AboveCeiling, Tie, Time, level_of
from billing_legal_timekeeping.rates.facts import Work
from billing_legal_timekeeping.rates.rows import Row, rows_for
from billing_legal_timekeeping.tables import RateSort
from billing_legal_timekeeping.unpriceable import Unpriceable

_PRICES = (RateSort.ABSOLUTE, RateSort.PERCENT, RateSort.AMOUNT_OFF)


@attrs.frozen(kw_only=True)
class HourPrice:
    """The price of an hour, and how it was found.

    Attributes:
        rate: price of an hour in major units.
        standard: the person's standard rate on that day, None where there is none.
        off: what an hour is adjusted by where it stands above a ceiling that is shown; zero else, never above it.
        steps: why this price: the row, the version of the table, the rows that were passed over.
    """

    rate: Fraction
    standard: Fraction | None = None
    off: Fraction = Fraction(0)
    steps: tuple[Step, ...] = ()


def hour_price(work: Work, table: RateTable, params: Time) -> HourPrice:
    """Return the price of an hour of an entry.

    Source of the rule: the work date selects the row; no row in force is an error.

    Args:
        work: the entry.
        table: the version of the rate table that prices the day.
        params: precedence, tie policy and ceiling policy.

    Raises:
        Unpriceable: ``LEGAL11`` without a row, ``LEGAL12`` for a tie, ``LEGAL13`` where a percent has no standard rate.
    """
    rows = list(rows_for(table, work))
    standard = _standard(rows, params)
    found = _found(work, rows, standard, table, params)
    return _limited(_in_part(found, params), rows, params)


def _found(work: Work, rows: Sequence[Row], standard: Fraction | None, table: RateTable, params: Time) -> HourPrice:
    priced = [row for row in rows if row.row.sort in _PRICES]
    for level in params.precedence:
        if level == ENTRY and work.rate is not None:
            step = _step("rate", f"written on the entry{_passed_over(priced, [])}", work.rate)
            return HourPrice(rate=work.rate, standard=standard, steps=(step,))
        dimensions = level_of(level)
        at_level = [row for row in priced if row.level == dimensions]
        if not at_level:
            continue
        values = [_value(row, standard, work) for row in at_level]
        chosen = _chosen(at_level, values, params.tie, work)
        formula = f"{table.name} {at_level[chosen]}{_how(at_level[chosen])}{_passed_over(priced, [at_level[chosen]])}"
        return HourPrice(rate=values[chosen], standard=standard, steps=(_step("rate", formula, values[chosen]),))
    what = f"no row of {table.name} prices an hour of {_said(work)} on {work.on}"
    aside = f"; {len(priced)} rows fill dimensions that the precedence does not name" if priced else ""
    raise Unpriceable("LEGAL11", what + aside, remedy="Add the row with its dates, or name its level in the plan's precedence")


def _chosen(rows: Sequence[Row], values: Sequence[Fraction], tie: Tie, work: Work) -> int:
    if len(set(values)) == 1 or tie is Tie.FIRST:
        return 0
    if tie is Tie.REFUSE:
        named = "; ".join(f"{row} says {exact_text(value)}" for row, value in zip(rows, values, strict=True))
        what = f"several rows of one level price an hour of {_said(work)} on {work.on}: {named}"
        raise Unpriceable("LEGAL12", what, remedy="Leave one of them, or name a tie policy in the plan: highest, lowest, first")
    return values.index(max(values) if tie is Tie.HIGHEST else min(values))


def _value(row: Row, standard: Fraction | None, work: Work) -> Fraction:
    if row.row.sort is RateSort.ABSOLUTE:
        return row.row.value
    if standard is None:
        what = f"{row} refers to the standard rate of {_said(work)}, and there is none on {work.on}"
        raise Unpriceable("LEGAL13", what, remedy="Add the standard rate, or name its level in the plan")
    if row.row.sort is RateSort.PERCENT:
        return standard * row.row.value / 100
    return max(standard - row.row.value, Fraction(0))


def _standard(rows: Sequence[Row], params: Time) -> Fraction | None:
    for level in params.standard:
        dimensions = level_of(level)
        values = [one.row.value for one in rows if one.row.sort is RateSort.ABSOLUTE and one.level == dimensions]
        if values:
            return values[0] if len(set(values)) == 1 else None
    return None


def _in_part(found: HourPrice, params: Time) -> HourPrice:
    if params.percent == 100:
        return found
    rate = found.rate * params.percent / 100
    formula = f"{exact_text(params.percent)} % of {exact_text(found.rate)}"
    return attrs.evolve(found, rate=rate, steps=(*found.steps, _step("in part", formula, rate)))


def _limited(found: HourPrice, rows: Sequence[Row], params: Time) -> HourPrice:
    """Return the price within its limits: the lowest ceiling and the highest floor that speak about the entry."""
    floors = sorted((row for row in rows if row.row.sort is RateSort.FLOOR), key=lambda row: -row.row.value)
    ceilings = sorted((row for row in rows if row.row.sort is RateSort.CEILING), key=lambda row: row.row.value)
    if floors and found.rate < floors[0].row.value:
        value = floors[0].row.value
        step = _step("floor", f"{exact_text(found.rate)} is below {floors[0]}", value)
        found = attrs.evolve(found, rate=value, steps=(*found.steps, step))
    if not ceilings or found.rate <= ceilings[0].row.value:
        return found
    value = ceilings[0].row.value
    step = _step("ceiling", f"{exact_text(found.rate)} is above {ceilings[0]}", value)
    if params.above_ceiling is AboveCeiling.ADJUST:
        return attrs.evolve(found, off=value - found.rate, steps=(*found.steps, step))
    return attrs.evolve(found, rate=value, steps=(*found.steps, step))


def _step(label: str, formula: str, value: Fraction) -> Step:
    return Step(label=label, formula=formula, result=f"{exact_text(value)} per hour")


def _how(row: Row) -> str:
    sort, value = row.row.sort, exact_text(row.row.value)
    return {RateSort.PERCENT: f": {value} % of the standard rate", RateSort.AMOUNT_OFF: f": {value} off the standard rate"}.get(
        sort, ""
    )


def _passed_over(rows: Sequence[Row], chosen: Sequence[Row]) -> str:
    others = [f"{row} {row.row.sort.value} {exact_text(row.row.value)}" for row in rows if row not in chosen]
    return f"; passed over: {', '.join(others)}" if others else ""


def _said(work: Work) -> str:
    return ", ".join(f"{name} {'/'.join(values)}" for name, values in work.values.items() if values)
