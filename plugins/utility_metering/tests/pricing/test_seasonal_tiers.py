from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
PLAN = """
[[component]]
code = "energy"
title = { en = "Energy" }
model = "utility_metering.seasonal_tiers"
charge_code = "energy"
tax_category = "standard"
measure = "consumption"
unit = "kWh"
widths = { basis = "month" }
[[component.seasons]]
name = "summer"
first = "06-01"
last = "09-30"
tiers = [{ to = "300", price = "0.10" }, { price = "0.20" }]
[[component.seasons]]
name = "winter"
first = "10-01"
last = "05-31"
tiers = [{ price = "0.05" }]
"""


def test_a_period_across_seasons_is_cut_by_days(world: Any, read_at: Make) -> None:
    reads = [read_at("2026-05-17", "0"), read_at("2026-06-16", "600")]
    charges = world.bill(world.plan(PLAN), records=reads, period="2026-05-17/2026-06-16").charges
    assert [(charge.source, charge.quantity.value, charge.service.days) for charge in charges] == [
        ("tier1", 300, 15),
        ("tier1", 150, 15),
        ("tier2", 150, 15),
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('first = "10-01"', 'first = "10-02"', "UTIL32"),
        ('first = "10-01"', 'first = "09-30"', "UTIL32"),
        ('"winter"', '"summer"', "UTIL32"),
        ('{ price = "0.20" }', '{ to = "200", price = "0.20" }', "PLAN07"),
    ],
)
def test_the_check_finds_gaps_and_overlaps(old: str, new: str, code: str, world: Any) -> None:
    read = world.read_plan(PLAN.replace(old, new))
    findings = world.problems(read.plan)
    assert {finding.code for finding in findings} == {code}
    assert all(finding.line for finding in findings)


def test_a_day_that_is_none_is_refused_when_the_plan_is_read(world: Any) -> None:
    (finding,) = world.read_plan(PLAN.replace('"06-01"', '"06-31"')).findings
    assert (finding.code, bool(finding.line)) == ("UTIL32", True)
