from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties import examples

Make = Callable[..., Any]
PLAN = """
[[component]]
code = "energy"
title = {{ en = "Energy" }}
model = "utility_metering.tiered_time_of_use"
charge_code = "energy"
tax_category = "standard"
measure = "consumption"
unit = "kWh"
policy = "{policy}"
[[component.periods]]
name = "day"
hours = [{{ start = "06:00", end = "22:00" }}]
tiers = [{{ to = "100", price = "0.20" }}, {{ to = "300", price = "0.30" }}, {{ price = "0.40" }}]
[[component.periods]]
name = "night"
rest = true
tiers = [{{ to = "100", price = "0.10" }}, {{ price = "0.15" }}]
"""
JUNE = "2026-06-01/2026-07-01"


def one(_: datetime) -> int:
    return 1


def parts(rated: Any) -> dict[str, Fraction]:
    return {charge.source: charge.quantity.value for charge in rated.charges}


def test_each_policy_shares_the_tiers_in_its_own_way(world: Any, interval_days: Make) -> None:
    hours = interval_days(JUNE, one)
    found = {name: parts(world.bill(world.plan(PLAN.format(policy=name)), records=hours)) for name in ("pro_rata", "per_period")}
    assert found["pro_rata"] == {
        "day.tier1": Fraction(200, 3),
        "day.tier2": Fraction(400, 3),
        "day.tier3": 280,
        "night.tier1": Fraction(100, 3),
        "night.tier2": Fraction(620, 3),
    }
    assert found["per_period"] == {
        "day.tier1": 100,
        "day.tier2": 200,
        "day.tier3": 180,
        "night.tier1": 100,
        "night.tier2": 140,
    }
    ordered = parts(world.bill(world.plan(PLAN.format(policy="time_order")), records=hours))
    assert ordered["day.tier1"] + ordered["night.tier1"] == 100
    assert ordered["night.tier1"] == 36


@given(st.lists(st.integers(0, 9), min_size=24, max_size=24), st.sampled_from(["pro_rata", "time_order", "per_period"]))
@settings(max_examples=examples(20), deadline=None)
def test_every_unit_is_priced_once(world: Any, interval_days: Make, load: list[int], policy: str) -> None:
    rated = world.bill(world.plan(PLAN.format(policy=policy)), records=interval_days(JUNE, lambda at: load[at.hour]))
    assert sum(parts(rated).values(), Fraction(0)) == 30 * sum(load)


def test_one_price_for_all_tiers_is_plain_time_of_use(world: Any, interval_days: Make) -> None:
    flat = PLAN.replace('"0.30"', '"0.20"').replace('"0.40"', '"0.20"').replace('"0.15"', '"0.10"')
    for policy in ("pro_rata", "time_order", "per_period"):
        rated = world.bill(world.plan(flat.format(policy=policy)), records=interval_days(JUNE, one))
        assert sum(charge.amount.value for charge in rated.charges) == 480 * Fraction("0.2") + 240 * Fraction("0.1")


def test_registers_know_no_order_of_time(world: Any, read_at: Make) -> None:
    reads = [
        read_at(on, value, register=register)
        for register in ("day", "night")
        for on, value in (("2026-06-01", "0"), ("2026-07-01", "200"))
    ]
    rated = world.bill(world.plan(PLAN.format(policy="time_order")), records=reads)
    assert [finding.code for finding in rated.findings] == ["UTIL29"]
    assert sum(parts(world.bill(world.plan(PLAN.format(policy="pro_rata")), records=reads)).values()) == 400


def test_widths_per_day_follow_the_length_of_the_period(world: Any, interval_days: Make) -> None:
    per_day = PLAN.format(policy="per_period").replace(
        'policy = "per_period"', 'policy = "per_period"\nwidths = { basis = "day" }'
    )
    per_day = per_day.replace('to = "100"', 'to = "2"').replace('to = "300"', 'to = "5"')
    rated = world.bill(world.plan(per_day), records=interval_days("2026-06-01/2026-06-11", one), period="2026-06-01/2026-06-11")
    assert parts(rated) == {"day.tier1": 20, "day.tier2": 30, "day.tier3": 110, "night.tier1": 20, "night.tier2": 60}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('{ to = "100", price = "0.10" }, { price = "0.15" }', '{ to = "100", price = "0.10" }', "PLAN07"),
        ('to = "300"', 'to = "50"', "PLAN07"),
        ('price = "0.15"', 'price = "0.15", flat = "2"', "UTIL34"),
        ('start = "06:00", end = "22:00"', 'days = ["sunday"], seasons = ["x"]', "UTIL32"),
    ],
)
def test_the_check_finds_wrong_tiers(old: str, new: str, code: str, world: Any) -> None:
    read = world.read_plan(PLAN.format(policy="pro_rata").replace(old, new))
    assert code in {finding.code for finding in world.problems(read.plan)}


def test_a_policy_must_be_named(world: Any) -> None:
    text = PLAN.format(policy="pro_rata").replace('policy = "pro_rata"\n', "")
    assert [finding.code for finding in world.read_plan(text).findings] == ["PLAN03"]
    assert [finding.code for finding in world.read_plan(PLAN.format(policy="top_down")).findings] == ["PLAN04"]


def test_no_consumption_is_a_bill_without_lines(world: Any, interval_days: Make) -> None:
    rated = world.bill(world.plan(PLAN.format(policy="pro_rata")), records=interval_days(JUNE, lambda _: 0))
    assert not rated.charges
    assert not rated.held
    assert rated.control.lost == 0
