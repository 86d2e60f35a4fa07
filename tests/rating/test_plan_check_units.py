"""The unit of a component is looked up among the units of the deployment, because measures and prices meet by its name."""

from __future__ import annotations

import pytest

from billing_framework.rating.charge_models import core_models
from billing_framework.rating.plan_check import check_plan
from billing_framework.rating.plan_file import params_by_model, read_plan
from billing_framework.values.finding import Severity
from billing_framework.values.unit_definition import UnitDefinition
from billing_framework.values.units import define_units

UNITS = define_units([UnitDefinition("GB", "[data]", ("gigabyte",))])
PLAN = """
schema = 1

[plan]
code = "data"
version = "1"
valid_from = 2026-01-01
currency = "EUR"

[[component]]
code = "traffic"
title = {{ en = "Traffic" }}
model = "per_unit"
measure = "traffic"
unit = "{unit}"
price = "1"
charge_code = "traffic"
tax_category = "standard"
"""


@pytest.mark.parametrize(
    ("unit", "severities", "told"),
    [
        ("GB", [], ""),
        ("gb", [Severity.BLOCKING], "Write GB"),
        ("gigabyte", [Severity.BLOCKING], "Write GB"),
        ("lamps", [Severity.INFORMATION], "no unit of the deployment"),
    ],
)
def test_a_unit_in_another_spelling_is_refused_with_its_name(unit: str, severities: list[Severity], told: str) -> None:
    models = {model.name: model for model in core_models()}
    read = read_plan(PLAN.format(unit=unit).encode(), file="data.toml", params=params_by_model(core_models(), ()))
    assert read.plan is not None
    findings = check_plan(read.plan, models=models, units=UNITS, file="data.toml")
    assert [finding.severity for finding in findings] == severities
    assert all(finding.code == "PLAN18" and finding.line == 15 and told in str(finding) for finding in findings)
