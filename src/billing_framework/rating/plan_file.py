"""Price plan files: TOML becomes a plan version, or findings that name file, line, key, value and remedy.

The file is the contract of prices: what it says is hashed and kept, and a loaded version never changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import attrs

from billing_framework.rating.figure import plan_converter
from billing_framework.rating.price_plan import Component, Correction, LateUsage, PlanVersion, Proration, RoundingPlace
from billing_framework.rating.pricing import ChargeModel
from billing_framework.rating.rater import Rater
from billing_framework.values.code_name import are_titles, is_code
from billing_framework.values.errors import InputRefused, ValueRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Rounding, minor_digits
from billing_framework.values.rounding import RoundingMode
from billing_framework.values.spelling import did_you_mean
from billing_framework.values.structuring import shown
from billing_framework.values.typed_toml import Codes, dotted, line_of, raise_first, read_toml, structure

SCHEMA = 1
_CODES = Codes(unreadable="PLAN01", unknown_key="PLAN02", missing_key="PLAN03", bad_value="PLAN04")
_SECTIONS = ("schema", "plan", "component")


@attrs.frozen(kw_only=True)
class PlanRead:
    """What reading a plan file came to.

    Attributes:
        plan: the version, None where a finding stands against it.
        findings: everything that is wrong with the file.
    """

    plan: PlanVersion | None
    findings: tuple[Finding, ...] = ()


def _above_zero(_table: object, field: attrs.Attribute[int], value: int) -> None:
    if value < 1:
        raise ValueRefused("PLAN12", f"{field.name} must be above zero, not {value}", remedy="Correct the number")


@attrs.frozen(kw_only=True)
class _RoundingTable:
    place: RoundingPlace = RoundingPlace.LINE
    mode: RoundingMode = RoundingMode.HALF_UP
    step_minor: int = attrs.field(default=1, validator=_above_zero)


@attrs.frozen(kw_only=True)
class _PlanTable:
    code: str = attrs.field(validator=is_code)
    version: str = attrs.field(validator=is_code)
    valid_from: date
    valid_to: date | None = None
    currency: str = attrs.field(validator=lambda _table, _field, value: (minor_digits(value), None)[1])
    rounding: _RoundingTable = attrs.field(factory=_RoundingTable)
    proration: Proration = Proration.ACTUAL_DAYS
    fixed_days: int = attrs.field(default=30, validator=_above_zero)
    correction: Correction = Correction.HOLD
    late_usage: LateUsage = LateUsage.LIST
    late_usage_days: int = attrs.field(default=365, validator=_above_zero)
    supersedes: str = ""
    reason: str = ""


@attrs.frozen(kw_only=True)
class _ComponentTable:
    code: str = attrs.field(validator=is_code)
    title: Mapping[str, str] = attrs.field(validator=are_titles)
    model: str
    charge_code: str = attrs.field(validator=is_code)
    tax_category: str = attrs.field(validator=is_code)
    measure: str = ""


_COMMON = tuple(field.name for field in attrs.fields(_ComponentTable))


def params_by_model(models: Iterable[ChargeModel], raters: Iterable[Rater] = ()) -> dict[str, type]:
    """Return the parameter class of every model that a plan may name: charge models, and those that raters price themselves."""
    params = {model.name: model.params for model in models}
    for rater in raters:
        params.update(rater.models)
    return params


def read_plan(content: bytes, *, file: str, params: Mapping[str, type]) -> PlanRead:
    """Return the plan version that a file holds, or everything that is wrong with it.

    Args:
        content: bytes of the file.
        file: its name, for messages.
        params: name of each known model to its attrs class of parameters; see `params_by_model`.
    """
    text, tables, findings = read_toml(content, file, _CODES)
    if findings:
        return PlanRead(plan=None, findings=tuple(findings))
    reading = _Reading(file=file, text=text, params=params)
    reading.sections(tables)
    table = reading.structured(_PlanTable, tables.get("plan", {}), ("plan",))
    listed = tables.get("component", [])
    components = [reading.component(one, number) for number, one in enumerate(listed)] if isinstance(listed, list) else []
    if table is None or reading.findings or None in components:
        return PlanRead(plan=None, findings=tuple(reading.findings))
    plan = PlanVersion(
        code=table.code,
        version=table.version,
        valid_from=table.valid_from,
        valid_to=table.valid_to,
        currency=table.currency,
        components=tuple(one for one in components if one is not None),
        rounding=Rounding(table.rounding.mode, table.rounding.step_minor),
        rounding_place=table.rounding.place,
        proration=table.proration,
        fixed_days=table.fixed_days,
        correction=table.correction,
        late_usage=table.late_usage,
        late_usage_days=table.late_usage_days,
        supersedes=table.supersedes,
        reason=table.reason,
        sha256=hashlib.sha256(content).hexdigest(),
        source=text,
    )
    return PlanRead(plan=plan)


def parse_plan(content: bytes, *, file: str, params: Mapping[str, type]) -> PlanVersion:
    """Return the plan version that a file holds; see `read_plan`.

    Raises:
        InputRefused: the first finding, and how many more there are.
    """
    read = read_plan(content, file=file, params=params)
    raise_first(read.findings, InputRefused, "billing plan check")
    if read.plan is None:
        raise InputRefused("PLAN01", "the file holds no plan", place=file)
    return read.plan


@attrs.define(kw_only=True)
class _Reading:
    """One file being read: where it is, and what was found so far."""

    file: str
    text: str
    params: Mapping[str, type]
    findings: list[Finding] = attrs.field(factory=list)

    def sections(self, tables: Mapping[str, Any]) -> None:
        for key in tables:
            if key not in _SECTIONS:
                self.problem("PLAN02", (key,), f"the key {key!r} is unknown here", did_you_mean(key, _SECTIONS))
        if tables.get("schema") != SCHEMA:
            given = tables.get("schema")
            what = "the schema of the file is missing" if given is None else "this schema of plan files is unknown"
            self.problem("PLAN17", ("schema",), what, f"Write schema = {SCHEMA} as the first line", shown(given or ""))
        if not isinstance(tables.get("component"), list) or not tables["component"]:
            self.problem("PLAN03", ("component",), "the plan has no components", "Add at least one [[component]]")

    def problem(self, code: str, path: tuple[str | int, ...], what: str, remedy: str, value: str = "") -> None:
        self.findings.append(
            Finding(
                code=code,
                severity=Severity.BLOCKING,
                what=what,
                remedy=remedy,
                file=self.file,
                line=line_of(self.text, path),
                field=dotted(path),
                value=value,
            )
        )

    def structured(self, cls: type[Any], table: object, path: tuple[str | int, ...]) -> Any:
        value, findings = structure(cls, table, file=self.file, text=self.text, codes=_CODES, at=path, converter=plan_converter())
        self.findings.extend(findings)
        return value

    def component(self, table: object, number: int) -> Component | None:
        path = ("component", number)
        given = table if isinstance(table, Mapping) else {}
        common = self.structured(_ComponentTable, {key: given[key] for key in _COMMON if key in given}, path)
        model = given.get("model")
        if not isinstance(model, str):
            return None
        cls = self.params.get(model)
        if cls is None:
            remedy = did_you_mean(model, self.params)
            self.problem("PLAN05", (*path, "model"), "this charge model is unknown", remedy, model)
            return None
        known = [field.name for field in attrs.fields(cls)]
        own = {key: value for key, value in given.items() if key not in _COMMON or key in known}
        for key in [key for key in own if key not in known]:
            remedy = did_you_mean(key, [*_COMMON, *known])
            self.problem("PLAN02", (*path, key), f"the model {model!r} has no key {key!r}", remedy)
            del own[key]
        params = self.structured(cls, own, path)
        if common is None or params is None:
            return None
        if not common.title.get("en"):
            self.problem("PLAN09", (*path, "title"), "the English title is missing", 'Write title = { en = "..." }')
        return Component(
            code=common.code,
            titles=dict(common.title),
            model=common.model,
            params=params,
            charge_code=common.charge_code,
            tax_category=common.tax_category,
            measure=common.measure,
        )
