"""Flat fees, caps and discounts over whole bills: exact to the cent, carried from bill to bill, shown where the plan says."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties import examples

Make = Callable[..., Any]


def shown(rated: Any) -> list[tuple[str, str]]:
    return [(charge.component, f"{float(charge.amount.value):.2f}") for charge in rated.charges]


def test_the_hours_behind_a_flat_fee_stay_visible(world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    plan = fees() + arrangement("flat_fee", 'amount = "2500.00"')
    rated = world.bill(plan, [entry("2"), entry("1", timekeeper="TO")])
    assert shown(rated) == [("fees", "0.00"), ("fees", "0.00"), ("flat_fee", "2500.00")]
    assert rated.charges[0].details["Adjustment"] == "-$1,200.00 within the flat fee"
    assert [(state.name, dict(state.values)) for state in rated.state] == [("flat_fee.flat_fee", {"billed": 2500})]


def test_a_flat_fee_is_billed_once(world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    plan = fees() + arrangement("flat_fee", 'amount = "2500.00"\nhours = "hidden"')
    first = world.bill(plan, [entry("2")])
    later = world.bill(plan, [entry("2", on="2026-07-02")], period="2026-07-01/2026-08-01", state=first.state)
    assert shown(first) == [("flat_fee", "2500.00")]
    assert shown(later) == []
    assert list(later.unpriced.values()) == ["its hours are behind the flat fee flat_fee"]
    assert first.charges[0].state_read == ("flat_fee.flat_fee",)


def test_a_milestone_is_billed_when_it_was_reached(world: Any, arrangement: Make) -> None:
    plan = arrangement("flat_fee", 'amount = "900"\ndue_term = "filed_on"')
    assert shown(world.bill(plan)) == []
    assert shown(world.bill(plan, terms={"filed_on": "2026-06-20"})) == [("flat_fee", "900.00")]
    late = world.bill(plan, terms={"filed_on": "2026-05-20"})
    assert str(late.charges[0].service) == "2026-06-01/2026-06-01"
    refused = world.rate(world.group(plan, terms={"filed_on": "soon"}))
    assert [finding.code for finding in refused.findings] == ["LEGAL20"]


def test_hours_behind_a_flat_fee_need_no_price(world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    plan = fees('precedence = ["matter"]') + arrangement("flat_fee", 'amount = "900"\ntasks = ["L1*"]')
    assert shown(world.bill(plan, [entry("1", task="L110")])) == [("fees", "0.00"), ("flat_fee", "900.00")]
    assert world.rate(world.group(plan, [entry("1", task="L210")])).held


@pytest.mark.parametrize("where", ["lines", "below"])
def test_what_is_above_the_cap_is_taken_off(where: str, world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    plan = fees() + arrangement("cap", f'limit = "1000"\nshown = "{where}"')
    rated = world.bill(plan, [entry("1"), entry("2", timekeeper="TO")])
    assert sum(charge.amount.value for charge in rated.charges) == 1000
    assert [charge.component for charge in rated.charges] == ["fees", "fees"] + (["cap"] if where == "below" else [])
    assert all("cap.cap" in charge.state_read for charge in rated.charges)


def test_costs_count_under_the_cap_only_where_the_plan_says_so(
    world: Any, entry: Make, expense: Make, fees: Make, costs: Make, arrangement: Make
) -> None:
    records = [entry("1"), expense("E112", "500")]
    plan = fees() + costs() + arrangement("cap", 'limit = "1000"')
    assert sum(world.amounts(world.bill(plan, records))) == 1100
    both = fees() + costs() + arrangement("cap", 'limit = "1000"\nincludes_expenses = true')
    assert sum(world.amounts(world.bill(both, records))) == 1000


def test_what_is_carried_is_billed_when_the_cap_is_raised(world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    plan = fees() + arrangement("cap", 'limit = { term = "cap" }\noverflow = "carry"')
    first = world.bill(plan, [entry("2")], terms={"cap": "1000"})
    assert dict(first.state[0].values) == {"billed": 1000, "carried": 200, "reserved": 0}
    july = {"period": "2026-07-01/2026-08-01", "state": first.state}
    second = world.bill(plan, [entry("1", on="2026-07-02")], terms={"cap": "1700"}, **july)
    assert shown(second) == [("fees", "600.00"), ("cap", "100.00")]
    assert dict(second.state[0].values) == {"billed": 1700, "carried": 100, "reserved": 0}


def test_a_reserve_waits_for_the_outcome(world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    plan = fees() + arrangement("cap", 'limit = "1000"\nper = "period"\noverflow = "reserve"')
    first = world.bill(plan, [entry("2")])
    july = {"period": "2026-07-01/2026-08-01", "state": first.state}
    assert shown(world.bill(plan, terms={"outcome": "success"}, **july)) == [("cap", "200.00")]
    failed = world.bill(plan, terms={"outcome": "failure"}, **july)
    assert (shown(failed), list(failed.findings)) == ([], [])
    assert world.rate(world.group(plan, terms={"outcome": "maybe"}, **july)).held


@settings(max_examples=examples(40))
@given(months=st.lists(st.lists(st.integers(1, 900), max_size=4), min_size=1, max_size=5), cap=st.integers(0, 3000))
def test_a_cap_is_never_exceeded_however_the_work_is_cut_into_bills(
    months: list[list[int]], cap: int, world: Any, entry: Make, fees: Make, arrangement: Make
) -> None:
    plan = fees() + arrangement("cap", f'limit = "{cap}.37"')
    state: Any = ()
    billed = Fraction(0)
    for number, minutes in enumerate(months, start=1):
        records = [entry(minutes=one, on=f"2026-{number:02}-10", name=f"T{place}") for place, one in enumerate(minutes)]
        bill = world.bill(plan, records, period=f"2026-{number:02}-01/2026-{number + 1:02}-01", state=state)
        state = bill.state or state
        billed += sum(world.amounts(bill))
    work = sum((-(-one // 6)) * 60 for minutes in months for one in minutes)
    assert billed == min(Fraction(work), cap + Fraction("0.37"))


@settings(max_examples=examples(60))
@given(amounts=st.lists(st.integers(0, 99_999), min_size=1, max_size=8), percent=st.integers(0, 100))
def test_a_discount_is_exact_and_leaves_lines_of_nothing_alone(
    amounts: list[int], percent: int, world: Any, expense: Make, costs: Make, arrangement: Make
) -> None:
    plan = costs() + arrangement("courtesy_discount", f'percent = "{percent}"\nof = "costs"')
    records = [expense("E112", f"{cents // 100}.{cents % 100:02}") for cents in amounts]
    after = [int(value * 100) for value in world.amounts(world.bill(plan, records))]
    off = (sum(amounts) * percent + 50) // 100
    assert sum(amounts) - sum(after) == off
    assert all(0 <= now <= before for now, before in zip(sorted(after), sorted(amounts), strict=True))
    assert after.count(0) >= amounts.count(0)


def test_a_discount_below_keeps_tax_categories_apart(
    world: Any, entry: Make, expense: Make, fees: Make, costs: Make, arrangement: Make
) -> None:
    plan = (
        fees()
        + costs().replace('"standard"', '"exempt"')
        + arrangement("courtesy_discount", 'amount = "100"\nof = "all"\nshown = "below"')
    )
    rated = world.bill(plan, [entry("1"), expense("E112", "200")])
    below = [(charge.tax_category, charge.amount.value) for charge in rated.charges if charge.component == "courtesy_discount"]
    assert below == [("standard", -75), ("exempt", -25)]


def test_a_discount_by_a_term_is_nothing_without_it(world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    plan = fees() + arrangement("courtesy_discount", 'percent = { term = "courtesy" }')
    assert world.amounts(world.bill(plan, [entry("1")])) == [600]
    assert world.amounts(world.bill(plan, [entry("1")], terms={"courtesy": "10"})) == [540]
    assert world.rate(world.group(plan, [entry("1")], terms={"courtesy": "110"})).held


def test_a_discount_keeps_to_the_steps_of_the_plan(world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    plan = fees() + arrangement("courtesy_discount", 'percent = "7"')
    stepped = "[plan.rounding]\nstep_minor = 5\n" + plan
    rated = world.bill(stepped, [entry("0.7", name=f"T{number}") for number in range(3)], currency="CHF")
    assert [charge.amount.value for charge in rated.charges] == [Fraction("390.60")] * 3
    assert all(int(charge.amount.value * 100) % 5 == 0 for charge in rated.charges)
