"""The check of a plan before it is loaded: what is wrong with it beyond the types of its keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

import attrs

from billing_framework.rating.base_charges import base_findings
from billing_framework.rating.price_plan import Component, PlanVersion
from billing_framework.rating.pricing import ChargeModel
from billing_framework.rating.rater import Rater
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import did_you_mean
from billing_framework.values.typed_toml import line_of
from billing_framework.values.units import Units


def check_plan(
    plan: PlanVersion,
    *,
    models: Mapping[str, ChargeModel],
    measures: Collection[str] = (),
    units: Units | None = None,
    file: str = "",
) -> tuple[Finding, ...]:
    """Return what is wrong with a plan: doubled components, tiers that do not ascend, bases that are not there.

    Args:
        plan: the version, as its file was read.
        models: charge models by name, whose own checks are made.
        measures: names of all measures that raters may yield, see `known_measures`; empty where they are not known, then none is
            refused.
        units: units of the deployment; None where they are not known, then no unit is looked at.
        file: name of the plan's file, for the place of the findings.
    """
    found = [*_validity(plan), *_components(plan, measures)]
    for component in plan.components:
        found.extend(base_findings(plan, component))
        if units is not None:
            found.extend(_unit_findings(component, units))
        model = models.get(component.model)
        if model is not None and model.check is not None:
            found.extend(model.check(component))
    return tuple(_placed(finding, plan, file) for finding in found)


def known_measures(raters: Iterable[Rater]) -> frozenset[str]:
    """Return the names of the measures that raters may yield, none where one of them does not say which."""
    asked = list(raters)
    if not all(rater.measures for rater in asked):
        return frozenset()
    return frozenset(name for rater in asked for name in rater.measures)


def _validity(plan: PlanVersion) -> Iterator[Finding]:
    if plan.valid_to is not None and plan.valid_to <= plan.valid_from:
        yield _finding(
            "PLAN11", "the version ends before it begins", "valid_to is the date after the last one", field="plan.valid_to"
        )
    if plan.supersedes and not plan.reason:
        yield _finding(
            "PLAN11", "a version that supersedes another needs the reason", 'Write reason = "..."', field="plan.supersedes"
        )
    if plan.supersedes == plan.version:
        yield _finding("PLAN11", "a version cannot supersede itself", "Give it a label of its own", field="plan.version")


def _components(plan: PlanVersion, measures: Collection[str]) -> Iterator[Finding]:
    for code, count in Counter(component.code for component in plan.components).items():
        if count > 1:
            yield _finding("PLAN06", f"{count} components have the code {code!r}", "Give each a code of its own", code=code)
    for component in plan.components:
        if not component.code:
            yield _finding("PLAN06", "a component has no code", "Give it a code", code="")
        if measures and component.measure and not _is_measured(component.measure, measures):
            yield _finding(
                "PLAN10",
                f"no rater measures {component.measure!r}",
                did_you_mean(component.measure, measures),
                field=f"{component.code}.measure",
                code=component.code,
            )
        names = {field.name for field in attrs.fields(type(component.params))} if attrs.has(type(component.params)) else set()
        if {"unit", "quantity"} <= names and not component.measure:
            yield _finding(
                "PLAN10",
                f"the model {component.model!r} prices a measure, but the component names none",
                "Add the measure that it prices",
                field=f"{component.code}.measure",
                code=component.code,
            )


def _unit_findings(component: Component, units: Units) -> Iterator[Finding]:
    """Yield a finding where the unit is another spelling of a known one: measures are compared with it by name.

    A unit that nobody defines is the plan's own word for what it counts, such as lamps; it is only told.
    """
    unit = str(getattr(component.params, "unit", ""))
    if not unit or unit in units.known:
        return
    place = f"{component.code}.unit"
    try:
        name = units.name(unit)
    except ValueRefused:
        what = f"{unit!r} is no unit of the deployment; only a measure in exactly this unit can be priced"
        yield attrs.evolve(
            _finding("PLAN18", what, did_you_mean(unit, units.names), field=place, code=component.code),
            severity=Severity.INFORMATION,
        )
    else:
        yield _finding("PLAN18", f"the unit is spelled {unit!r}", f"Write {name}", field=place, code=component.code)


def _is_measured(name: str, measures: Collection[str]) -> bool:
    return name in measures or any(known.endswith(".*") and name.startswith(known[:-1]) for known in measures)


def _finding(number: str, what: str, remedy: str, *, field: str = "", code: str = "") -> Finding:
    return Finding(code=number, severity=Severity.BLOCKING, what=what, remedy=remedy, field=field or code, subject=code)


def _placed(finding: Finding, plan: PlanVersion, file: str) -> Finding:
    """Return the finding with its file and line; ``field`` names a component's key as ``code.key``."""
    table, _, key = finding.field.rpartition(".")
    codes = [component.code for component in plan.components]
    code = finding.subject if finding.subject in codes else table
    path = ("component", codes.index(code), key) if code in codes else ("plan", key)
    return attrs.evolve(finding, file=finding.file or file, line=finding.line or line_of(plan.source, path))


def stopping(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings for which a plan is not loaded."""
    return tuple(finding for finding in findings if finding.stops)
