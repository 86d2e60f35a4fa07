import json
from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest

Make = Callable[..., Any]
PLAN = """
[[component]]
code = "demand"
title = { en = "Demand" }
model = "utility_metering.demand"
charge_code = "demand"
tax_category = "standard"
measure = "consumption"
unit = "kW"
tiers = [{ price = "4" }]
"""
JUNE = "2026-06-01/2026-07-01"


def steady(_: datetime) -> int:
    return 1


@pytest.mark.parametrize(("rolling", "expected"), [("false", "fixed_block_max_kw"), ("true", "rolling_max_kw")])
def test_windows_are_fixed_or_rolling(rolling: str, expected: str, world: Any, interval_days: Make) -> None:
    vectors = json.loads((Path(__file__).parents[1] / "data" / "vectors" / "utility.json").read_text())["vectors"]
    vector = next(vector for vector in vectors if vector["id"] == "demand-window")
    kilowatts = vector["input"]["five_minute_kw"]

    def load(at: datetime) -> int:
        number = at.minute // 5
        return int(kilowatts[number]) if at.day == 9 and at.hour == 10 and number < len(kilowatts) else 0

    records = [_of_power(record) for record in interval_days(JUNE, load, minutes=5, unit="Wh")]
    plan = world.plan(PLAN + f"window_minutes = {vector['input']['window_minutes']}\nrolling = {rolling}\n")
    (charge,) = world.bill(plan, records=records).charges
    assert charge.quantity.value == vector["expected"][expected]


def _of_power(record: Any) -> Any:
    """Turn kW over five minutes into Wh."""
    values = tuple(value * 1000 // 12 for value in record.body.values)
    assert all(value * 12 == before * 1000 for value, before in zip(values, record.body.values, strict=True))
    return attrs.evolve(record, body=attrs.evolve(record.body, values=values))


def test_the_peak_is_shown_with_its_time(world: Any, interval_days: Make) -> None:
    records = interval_days(JUNE, lambda at: 9 if (at.day, at.hour) == (17, 18) else 1, zone="America/New_York")
    rated = world.bill(world.plan(PLAN + "window_minutes = 60\n"), records=records, zone="America/New_York")
    (charge,) = rated.charges
    assert (charge.quantity.value, charge.amount.value) == (9, 36)
    assert charge.details == {"highest demand": "9\u00a0kW on Jun 17, 2026, 18:00"}


def test_coincident_values_of_two_points_are_added_before_the_highest_is_taken(world: Any, interval_days: Make) -> None:
    one = interval_days(JUNE, lambda at: 9 if at.hour == 3 else 1)
    other = interval_days(JUNE, lambda at: 9 if at.hour == 5 else 2, channel="E2")
    rated = world.bill(world.plan(PLAN + "window_minutes = 60\n"), records=[*one, *other])
    assert rated.charges[0].quantity.value == 11


def test_only_windows_in_the_named_hours_count(world: Any, interval_days: Make) -> None:
    hours = 'window_minutes = 60\nhours = [{ days = ["weekday"], start = "16:00", end = "21:00" }]\n'
    records = interval_days(JUNE, lambda at: 9 if at.hour == 3 else (5 if at.hour == 17 and at.weekday() < 5 else 1))
    assert world.bill(world.plan(PLAN + hours), records=records).charges[0].quantity.value == 5


def test_floors_and_rounding(world: Any, interval_days: Make) -> None:
    text = PLAN + 'window_minutes = 60\nat_least = { term = "contract_kw" }\nstep = "10"\nmode = "up"\n'
    (charge,) = world.bill(world.plan(text), records=interval_days(JUNE, steady), terms={"contract_kw": "42"}).charges
    assert charge.quantity.value == 50
    assert charge.details["Billed demand"] == "50 kW"


def test_a_ratchet_bills_a_part_of_the_highest_past_peak_for_its_months(world: Any, interval_days: Make) -> None:
    vectors = json.loads((Path(__file__).parents[1] / "data" / "vectors" / "utility.json").read_text())["vectors"]
    vector = next(vector for vector in vectors if vector["id"] == "ratchet-80")
    given, wanted = vector["input"], vector["expected"]["minimum_billed_kw_next_11_months"]
    text = f'window_minutes = 60\nratchet = {{ percent = "{given["percent"]}", months = {given["months"]} }}\n'
    plan, state, billed = world.plan(PLAN + text), (), []
    for number in range(14):
        start, end = (date(2025 + month // 12, month % 12 + 1, 1) for month in (number, number + 1))
        peak = given["peak_kw"] if number == 0 else 100
        records = interval_days(f"{start}/{end}", lambda at, peak=peak: peak if (at.day, at.hour) == (5, 12) else 1)
        rated = world.bill(plan, records=records, period=f"{start}/{end}", state=state)
        billed.append(rated.charges[0].quantity.value)
        assert rated.charges[0].state_read == (("peak.demand",) if number else ())
        state = rated.state
    assert billed == [given["peak_kw"], *([wanted] * given["months"]), 100, 100]


@pytest.mark.parametrize(
    ("settings", "minutes", "code"),
    [
        ("", 60, "UTIL35"),
        ("window_minutes = 30\n", 15, ""),
        ('unit = "kVA"\n', 15, "UTIL35"),
    ],
)
def test_a_demand_needs_fitting_intervals_and_units(
    settings: str, minutes: int, code: str, world: Any, interval_days: Make
) -> None:
    text = PLAN.replace('unit = "kW"\n', "") if "unit" in settings else PLAN
    rated = world.bill(world.plan(text + settings), records=interval_days(JUNE, steady, minutes=minutes))
    assert [finding.code for finding in rated.findings] == ([code] if code else [])


def test_a_demand_of_registers_is_refused(world: Any, read_at: Make) -> None:
    rated = world.bill(world.plan(PLAN), records=[read_at("2026-06-01", "0"), read_at("2026-07-01", "9")])
    assert [finding.code for finding in rated.findings] == ["UTIL35"]


@pytest.mark.parametrize(
    "settings",
    ["window_minutes = 7\n", 'step = "0"\n', 'ratchet = { percent = "0" }\n'],
)
def test_settings_out_of_range_are_refused_when_the_plan_is_read(settings: str, world: Any) -> None:
    assert [finding.code for finding in world.read_plan(PLAN + settings).findings] == ["UTIL35"]


def test_the_check_of_a_plan_looks_at_tiers_and_ratchet(world: Any) -> None:
    text = PLAN.replace('{ price = "4" }', '{ to = "5", price = "4" }') + 'ratchet = { percent = "80", months = 99 }\n'
    assert {finding.code for finding in world.problems(world.read_plan(text).plan)} == {"PLAN07", "UTIL35"}


def test_no_load_is_a_line_of_zero(world: Any, interval_days: Make) -> None:
    (charge,) = world.bill(world.plan(PLAN + "window_minutes = 60\n"), records=interval_days(JUNE, lambda _: 0)).charges
    assert (charge.quantity.value, charge.amount.value) == (Fraction(0), 0)
