from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_framework.rating.charge import Step
from billing_framework.rating.rate import RatedGroup
from billing_framework.values.period import DateSpan
from tests.properties import examples

JUNE = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
HALVES = JUNE.tiles([date(2026, 6, 16)])
TIERS = 'tiers = [{ to = "100", price = "0.10" }, { to = "300", price = "0.20", flat = "5" }, { price = "0.40" }]'


def component(model: str, keys: str) -> dict[str, str]:
    return {"use": f'model = "{model}"\nmeasure = "use"\nunit = "kWh"\n{keys}'}


def shown(rated: RatedGroup) -> list[tuple[str, str, str]]:
    assert rated.findings == ()
    return [(charge.source, str(charge.quantity), str(charge.amount)) for charge in rated.charges]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", [("tier1", "0 kWh", "0 USD")]),
        ("100", [("tier1", "100 kWh", "10 USD")]),
        ("100.5", [("tier1", "100 kWh", "10 USD"), ("tier2", "0.5 kWh", "5.1 USD")]),
        ("350", [("tier1", "100 kWh", "10 USD"), ("tier2", "200 kWh", "45 USD"), ("tier3", "50 kWh", "20 USD")]),
        ("-350", [("tier1", "-100 kWh", "-10 USD"), ("tier2", "-200 kWh", "-45 USD"), ("tier3", "-50 kWh", "-20 USD")]),
    ],
)
def test_graduated(plan: Any, usage: Any, rate: Any, measured: Any, value: str, expected: list[tuple[str, str, str]]) -> None:
    assert shown(rate(usage(plan(component("graduated", TIERS))), [measured("use", value, "kWh")])) == expected


def test_tiers_are_shared_by_the_tiles_of_a_bill(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    made = plan(component("graduated", 'tiers = [{ to = "100", price = "0.10" }, { price = "0.20" }]'))
    rated = rate(usage(made, tiles=[(half, made) for half in HALVES]), [measured("use", 60, "kWh", half) for half in HALVES])
    assert [str(charge.quantity) for charge in rated.charges] == ["50 kWh", "10 kWh", "50 kWh", "10 kWh"]


@pytest.mark.parametrize(
    ("widths", "threshold"),
    [
        ('basis = "period"', "100"),
        ('basis = "month"', "50"),
        ('basis = "day"', "1500"),
        ('basis = "month", times = { term = "dwellings" }', "200"),
        ('basis = "month", proration = "none"', "100"),
        ('basis = "month", times = "1.005", step = "1"', "50"),
    ],
)
def test_widths(plan: Any, usage: Any, rate: Any, measured: Any, widths: str, threshold: str) -> None:
    made = plan(component("graduated", f'tiers = [{{ to = "100", price = "1" }}, {{ price = "2" }}]\nwidths = {{ {widths} }}'))
    period = HALVES[1]
    asked = usage(made, period=period, full_period=JUNE, starts_on=period.start, terms={"dwellings": "4"})
    rated = rate(asked, [measured("use", 9999, "kWh", period)])
    assert str(rated.charges[0].quantity) == f"{threshold} kWh"


def test_tiers_that_accumulate_over_a_year_go_on_and_begin_anew(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    made = plan(component("graduated", 'tiers = [{ to = "100", price = "1" }, { price = "2" }]\naccumulate = "year"'))
    may, january = DateSpan(date(2026, 5, 1), date(2026, 6, 1)), DateSpan(date(2027, 1, 1), date(2027, 2, 1))
    first = rate(usage(made, period=may), [measured("use", 70, "kWh", may)])
    assert shown(first) == [("tier1", "70 kWh", "70 USD")]
    second = rate(usage(made, state=first.state), [measured("use", 50, "kWh")])
    assert shown(second) == [("tier1", "30 kWh", "30 USD"), ("tier2", "20 kWh", "40 USD")]
    assert second.charges[0].state_read == ("accumulated.use",)
    assert [(state.name, state.period, state.values) for state in second.state] == [
        ("accumulated.use", JUNE, {"quantity": Fraction(120)})
    ]
    third = rate(usage(made, period=january, state=second.state), [measured("use", 50, "kWh", january)])
    assert shown(third) == [("tier1", "50 kWh", "50 USD")]


def test_tiles_of_one_bill_see_the_count_of_the_tile_before(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    made = plan(component("graduated", 'tiers = [{ to = "100", price = "1" }, { price = "2" }]\naccumulate = "year"'))
    asked = usage(made, tiles=[(half, made) for half in HALVES])
    rated = rate(asked, [measured("use", 80, "kWh", half) for half in HALVES])
    # The threshold of a bill is shared by its tiles, that of a year is not.
    assert [str(charge.amount) for charge in rated.charges] == ["80 USD", "20 USD", "120 USD"]
    assert [state.values["quantity"] for state in rated.state] == [160]


@pytest.mark.parametrize(
    ("bound", "value", "expected"),
    [
        ("inclusive", "100", "10"),
        ("exclusive", "100", "25"),
        ("inclusive", "300", "65"),
        ("inclusive", "301", "120.4"),
        ("inclusive", "-100", "-10"),
        ("inclusive", "0", "0"),
    ],
)
def test_volume(plan: Any, usage: Any, rate: Any, measured: Any, bound: str, value: str, expected: str) -> None:
    rated = rate(usage(plan(component("volume", f'{TIERS}\nbound = "{bound}"'))), [measured("use", value, "kWh")])
    assert [str(charge.amount) for charge in rated.charges] == [f"{expected} USD"]


@pytest.mark.parametrize(
    ("value", "at_zero", "expected"), [("0", "false", "0"), ("0", "true", "10"), ("100", "false", "10"), ("101", "false", "25")]
)
def test_stepped(plan: Any, usage: Any, rate: Any, measured: Any, value: str, at_zero: str, expected: str) -> None:
    keys = f'tiers = [{{ to = "100", flat = "10" }}, {{ flat = "25" }}]\nflat_at_zero = {at_zero}'
    (charge,) = rate(usage(plan(component("stepped", keys))), [measured("use", value, "kWh")]).charges
    assert str(charge.amount) == f"{expected} USD"
    assert charge.quantity is None


@pytest.mark.parametrize(("value", "packages"), [("0", 0), ("0.01", 1), ("50", 1), ("50.5", 2), ("-50.5", -2)])
def test_package(plan: Any, usage: Any, rate: Any, measured: Any, value: str, packages: int) -> None:
    rated = rate(usage(plan(component("package", 'price = "7"\nsize = "50"'))), [measured("use", value, "kWh")])
    assert shown(rated) == [("", f"{packages} package", f"{packages * 7} USD")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", [("included", "0 kWh", "0 USD")]),
        ("40", [("included", "40 kWh", "0 USD")]),
        ("60", [("included", "50 kWh", "0 USD"), ("above", "10 kWh", "2 USD")]),
        ("-60", [("included", "-50 kWh", "0 USD"), ("above", "-10 kWh", "-2 USD")]),
    ],
)
def test_included_allowance_is_prorated(
    plan: Any, usage: Any, rate: Any, measured: Any, value: str, expected: list[tuple[str, str, str]]
) -> None:
    made = plan(component("included", 'allowance = "100"\nprice = "0.2"'))
    period = HALVES[1]
    rated = rate(usage(made, period=period, full_period=JUNE, starts_on=period.start), [measured("use", value, "kWh", period)])
    assert shown(rated) == expected


def test_charges_take_over_what_the_measures_say(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    made = plan(component("graduated", TIERS))
    facts = {"Reading": "100 - 450"}
    read = measured(
        "use", 350, "kWh", details=facts, estimated=True, steps=(Step(label="read", formula="450 - 100", result="350"),)
    )
    charges = rate(usage(made), [read]).charges
    assert [charge.details for charge in charges] == [facts, {}, {}]
    assert all(charge.estimated for charge in charges)
    assert [step.label for step in charges[1].steps] == ["read", "tier 2", "price"]
    assert charges[1].steps[-1].formula == "200 kWh × 0.2 USD/kWh + 5"


def test_sources_are_summed_or_priced_apart(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    meters = [measured("use", 80, "kWh", source="M1"), measured("use", 40, "kWh", source="M2")]
    summed = rate(usage(plan(component("graduated", TIERS))), meters)
    assert shown(summed) == [("tier1", "100 kWh", "10 USD"), ("tier2", "20 kWh", "9 USD")]
    apart = rate(usage(plan(component("graduated", f"{TIERS}\nper_source = true"))), meters)
    assert shown(apart) == [("M1.tier1", "80 kWh", "8 USD"), ("M2.tier1", "40 kWh", "4 USD")]


def test_another_unit_than_the_price_holds_the_account(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    rated = rate(usage(plan(component("per_unit", 'price = "1"'))), [measured("use", 5, "m3")])
    assert [finding.code for finding in rated.findings] == ["RATE08"]
    assert rated.held


def test_bounds_of_the_quantity_are_given_for_days(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    keys = 'price = "1"\nquantity = { at_least = "2", at_most = "3", basis = "day" }'
    made = plan(component("per_unit", keys))
    found = [rate(usage(made), [measured("use", value, "kWh")]).charges[0].quantity for value in (0, 70, 500)]
    assert [str(quantity) for quantity in found] == ["60 kWh", "70 kWh", "90 kWh"]


cents = st.integers(0, 10**6).map(lambda units: Fraction(units, 100))


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cents, cents)
def test_a_graduated_price_rises_and_mirrors(
    plan: Any, usage: Any, rate: Any, measured: Callable[..., Any], low: Fraction, more: Fraction
) -> None:
    asked = usage(plan(component("graduated", TIERS)))

    def cost(quantity: Fraction) -> Fraction:
        charges = rate(asked, [measured("use", str(quantity), "kWh")]).charges
        assert sum(charge.quantity.value for charge in charges) == quantity
        return sum((charge.amount.value for charge in charges), Fraction(0))

    assert cost(low) <= cost(low + more)
    assert cost(-low) == -cost(low)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 29), max_size=4), st.integers(0, 3000))
def test_cutting_a_flat_tariff_changes_nothing(
    plan: Any, usage: Any, rate: Any, measured: Callable[..., Any], cuts: list[int], per_day: int
) -> None:
    made = plan(
        {
            "base": 'model = "recurring"\nprice = "12.70"',
            **component("graduated", 'tiers = [{ to = "500", price = "0.1" }, { price = "0.2" }]\nwidths = { basis = "month" }'),
        }
    )
    tiles = JUNE.tiles(date(2026, 6, 1 + cut) for cut in cuts)
    daily = Fraction(per_day, 30)
    use = [measured("use", str(daily * tile.days), "kWh", tile) for tile in tiles]
    rated = rate(usage(made, tiles=[(tile, made) for tile in tiles]), use)
    whole = rate(usage(made), [measured("use", per_day, "kWh")])
    assert sum(charge.amount.value for charge in rated.charges) == sum(charge.amount.value for charge in whole.charges)
