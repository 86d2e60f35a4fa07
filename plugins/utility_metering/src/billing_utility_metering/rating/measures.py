"""From contributions to the measures that plans price: ``consumption``, ``export``, ``reactive``, and one channel of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from billing_framework import Finding, Measure, PlanVersion, Quantity, Step, Tile, exact_text
from billing_utility_metering.kinds import Flow
from billing_utility_metering.rating.contribution import Context, Contribution
from billing_utility_metering.rating.series import IntervalSeries, RegisterTotals, ScaledRuns
from billing_utility_metering.units import CONSUMPTION_UNIT, OTHER_UNIT, factor, family_of

NAMES = {Flow.DELIVERED: "consumption", Flow.RECEIVED: "export", Flow.REACTIVE: "reactive"}
"""Measure of each flow; ``consumption.E2`` is the channel or register E2 of it."""


def is_ours(measure: str) -> bool:
    """True where a component's measure is one that this plugin yields."""
    return measure.split(".", maxsplit=1)[0] in NAMES.values()


def measures_of(context: Context, contributions: Sequence[Contribution]) -> tuple[list[Measure], list[Finding]]:
    """Return the measures of every tile, each in the unit of the plan's components that price it.

    All contributions of one flow are summed (two meters of a point, two points of an agreement); they must count one and the
    same thing, so a mixture of electricity and gas is a finding (``UTIL27``). The measure of a single channel or register is
    given where a component names it.
    """
    measures: list[Measure] = []
    findings: list[Finding] = []
    for number, tile in enumerate(context.usage.tiles):
        for flow, name in NAMES.items():
            own = [one for one in contributions if one.tile == number and one.flow is flow]
            families = sorted({family_of(one.unit) for one in own})
            if len(families) > 1:
                findings.append(_mixed(context, families))
            elif own:
                measures.extend(_measures(context, tile, name, own))
    return measures, findings


def _mixed(context: Context, families: Iterable[str]) -> Finding:
    return Finding(
        code="UTIL27",
        what=f"the agreement's points count different things: {', '.join(families)}",
        remedy="Give each of them an agreement of its own",
        subject=context.usage.agreement.code,
    )


def _measures(context: Context, tile: Tile, name: str, own: list[Contribution]) -> Iterator[Measure]:
    wanted = {component.measure for component in tile.plan.components}
    yield _measure(context, tile, name, own)
    for part in sorted({one.name for one in own}):
        if f"{name}.{part}" in wanted:
            yield _measure(context, tile, f"{name}.{part}", [one for one in own if one.name == part])


def plan_unit(plan: PlanVersion, measure: str, unit: str) -> str:
    """Return the unit in which a measure is given: that of the first component pricing it which is a multiple of `unit`."""
    for component in plan.components:
        wanted = getattr(component.params, "unit", "")
        if component.measure == measure and factor(unit, wanted) is not None:
            return str(wanted)
    family = family_of(unit)
    return CONSUMPTION_UNIT.get(family) or OTHER_UNIT.get(family) or unit


def _measure(context: Context, tile: Tile, name: str, own: list[Contribution]) -> Measure:
    unit = plan_unit(tile.plan, name, own[0].unit)
    scale = [factor(one.unit, unit) or Fraction(1) for one in own]
    total = sum((one.quantity * by for one, by in zip(own, scale, strict=True)), Fraction(0))
    converted = tuple(_conversion(one, by, unit) for one, by in zip(own, scale, strict=True) if one.unit != unit)
    return Measure(
        agreement=context.usage.agreement.code,
        name=name,
        quantity=Quantity(total, unit),
        dates=tile.dates,
        records=tuple(dict.fromkeys(key for one in own for key in one.records)),
        estimated=any(one.estimated for one in own),
        steps=(*(step for one in own for step in one.steps), *converted),
        details=_facts(own),
        series=_series(own, scale),
        state_read=tuple(dict.fromkeys(state for one in own for state in one.state_read)),
    )


def _conversion(one: Contribution, by: Fraction, unit: str) -> Step:
    formula = f"{Quantity(one.quantity, one.unit)} x {exact_text(by)}"
    return Step(label="unit", formula=formula, result=str(Quantity(one.quantity * by, unit)))


def _series(own: list[Contribution], scale: list[Fraction]) -> IntervalSeries | RegisterTotals | None:
    if all(len(one.runs) for one in own):
        known = own[0].known if len(own) == 1 else None
        return IntervalSeries(
            runs=ScaledRuns(tuple((one.runs, by) for one, by in zip(own, scale, strict=True))),
            known=known,
            value=own[0].count_value * scale[0],
        )
    if any(len(one.runs) for one in own):
        return None
    totals: dict[str, Fraction] = {}
    for one, by in zip(own, scale, strict=True):
        totals[one.name] = totals.get(one.name, Fraction(0)) + one.quantity * by
    return RegisterTotals(totals=totals)


def _facts(own: list[Contribution]) -> dict[str, str]:
    """Return the facts of all contributions; a label that would tell two things bears the channel's or the point's name."""
    facts: dict[str, str] = {}
    for one in own:
        for label, text in one.facts:
            for candidate in (label, f"{one.name} {label}", f"{one.subject} {one.name} {label}"):
                if facts.setdefault(candidate, text) == text:
                    break
    return facts
