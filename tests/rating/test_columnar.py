"""The columnar charge models give the digits of the scalar ones, whatever the sign, the threshold or the size."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.rating.columnar import (
    PercentageBounds,
    TierColumns,
    graduated_columns,
    package_columns,
    per_unit_columns,
    percentage_columns,
    volume_columns,
)
from billing_framework.rating.tiers import Bound, portions, tier_of
from billing_framework.values.columns import Column, Overflows
from billing_framework.values.errors import ValueRefused
from billing_framework.values.number import exact_text
from billing_framework.values.rounding import RoundingMode, to_step

small = st.integers(-2000, 2000).map(lambda units: Fraction(units, 100))
huge = st.integers(-(10**25), 10**25).map(lambda units: Fraction(units, 1000))
quantities = st.lists(st.one_of(small, huge), max_size=6)
prices = st.integers(-99999, 99999).map(lambda units: Fraction(units, 10**5))
widths = st.lists(st.integers(1, 900).map(lambda units: Fraction(units, 100)), max_size=3)


def ends_of(steps: list[Fraction]) -> list[Fraction]:
    return [sum(steps[: number + 1], Fraction(0)) for number in range(len(steps))]


@given(quantities, prices)
def test_per_unit(given_quantities: list[Fraction], price: Fraction) -> None:
    found = per_unit_columns(Column.of(given_quantities, label="kWh"), price, "USD", Overflows())
    assert found.fractions() == [quantity * price for quantity in given_quantities]
    assert found.label == "USD"


@given(quantities, widths, st.data())
def test_graduated_is_what_the_scalar_portions_cost(
    given_quantities: list[Fraction], steps: list[Fraction], data: st.DataObject
) -> None:
    ends = ends_of(steps)
    tier_prices = data.draw(st.lists(prices, min_size=len(ends) + 1, max_size=len(ends) + 1))
    flats = data.draw(st.lists(prices, min_size=len(ends) + 1, max_size=len(ends) + 1))
    rows = len(given_quantities)
    tiers = TierColumns(tuple(Column.of([end] * rows) for end in ends), tuple(tier_prices), tuple(flats))
    found = graduated_columns(Column.of(given_quantities), tiers, "USD", Overflows())
    for row, quantity in enumerate(given_quantities):
        parts = portions(quantity, [*ends, None])
        assert sum(parts) == quantity
        sign = (quantity > 0) - (quantity < 0)
        starts = [Fraction(0), *ends]
        expected = [
            part * price + (flat * sign if abs(quantity) > start else 0)
            for part, price, flat, start in zip(parts, tier_prices, flats, starts, strict=True)
        ]
        assert [column.fractions()[row] for column in found] == expected


@given(quantities, widths, st.sampled_from(Bound), st.data())
def test_volume_takes_the_tier_of_the_scalar_model(
    given_quantities: list[Fraction], steps: list[Fraction], edge: Bound, data: st.DataObject
) -> None:
    ends = ends_of(steps)
    on_the_edge = [*given_quantities, *ends, *(-end for end in ends)]
    tier_prices = data.draw(st.lists(prices, min_size=len(ends) + 1, max_size=len(ends) + 1))
    flats = data.draw(st.lists(prices, min_size=len(ends) + 1, max_size=len(ends) + 1))
    tiers = TierColumns(tuple(Column.of([end] * len(on_the_edge)) for end in ends), tuple(tier_prices), tuple(flats))
    found = volume_columns(Column.of(on_the_edge), tiers, "USD", Overflows(), edge=edge)
    for quantity, amount in zip(on_the_edge, found.fractions(), strict=True):
        number = tier_of(quantity, [*ends, None], edge)
        sign = (quantity > 0) - (quantity < 0)
        assert amount == quantity * tier_prices[number] + flats[number] * sign


@given(quantities, st.integers(1, 700).map(lambda units: Fraction(units, 7)), prices)
def test_packages_are_begun(given_quantities: list[Fraction], size: Fraction, price: Fraction) -> None:
    found = package_columns(Column.of(given_quantities), size, price, "USD", Overflows())
    for quantity, amount in zip(given_quantities, found.fractions(), strict=True):
        whole = -(-abs(quantity) // size) * (-1 if quantity < 0 else 1)
        assert amount == whole * price


@given(quantities, prices, st.sampled_from(RoundingMode))
def test_percentage_with_step_and_bounds(amounts: list[Fraction], rate: Fraction, mode: RoundingMode) -> None:
    bounds = PercentageBounds(step=Fraction(1, 100), mode=mode, at_least=Fraction("-2.5"), at_most=Fraction("17.123"))
    found = percentage_columns(Column.of(amounts, label="USD"), rate, Overflows(), bounds).fractions()
    expected = [to_step(amount * rate, Fraction(1, 100), mode) for amount in amounts]
    assert found == [min(max(one, Fraction("-2.5")), Fraction("17.123")) for one in expected]


TIERS = 'tiers = [{ to = "4", price = "1.98", flat = "0.5" }, { to = "8", price = "2.56" }, { price = "5.91", flat = "-1" }]'


def priced_in_columns(model: str, one: Column, tiers: TierColumns) -> tuple[Column, ...]:
    if model == "graduated":
        return graduated_columns(one, tiers, "USD", Overflows())
    if model == "volume":
        return (volume_columns(one, tiers, "USD", Overflows()),)
    if model == "per_unit":
        return (per_unit_columns(one, Fraction("0.1234"), "USD", Overflows()),)
    return (package_columns(one, Fraction("1.5"), Fraction("7.5"), "USD", Overflows()),)


@pytest.mark.parametrize("value", ["0", "3.999", "4", "4.001", "8", "20.5", "-4", "-9.25"])
@pytest.mark.parametrize("model", ["graduated", "volume", "per_unit", "package"])
def test_columns_equal_the_charge_models_themselves(
    plan: Any, usage: Any, rate: Any, measured: Callable[..., Any], model: str, value: str
) -> None:
    keys = {"per_unit": 'price = "0.1234"', "package": 'price = "7.5"\nsize = "1.5"'}.get(model, TIERS)
    priced = plan({"water": f'model = "{model}"\nmeasure = "water"\nunit = "ccf"\n{keys}'})
    charges = rate(usage(priced), [measured("water", value, "ccf")]).charges
    tiers = TierColumns(
        (Column.of(["4"]), Column.of(["8"])),
        (Fraction("1.98"), Fraction("2.56"), Fraction("5.91")),
        (Fraction("0.5"), Fraction(0), Fraction(-1)),
    )
    columns = priced_in_columns(model, Column.of([value]), tiers)
    total = sum((column.fractions()[0] for column in columns), Fraction(0))
    assert exact_text(total) == exact_text(sum((charge.amount.value for charge in charges), Fraction(0)))


def test_a_block_beyond_int64_is_counted_and_right() -> None:
    overflows = Overflows()
    found = per_unit_columns(Column.of([10**17, 3]), Fraction("0.12345"), "USD", overflows)
    assert found.fractions() == [10**17 * Fraction("0.12345"), 3 * Fraction("0.12345")]
    assert overflows.blocks == 1


def test_tiers_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueRefused, match="PLAN07"):
        TierColumns((), (Fraction(1), Fraction(2)), (Fraction(0),))
