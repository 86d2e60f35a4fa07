"""The columnar path has the same digits as the scalar path and the decimal module, also where int64 is too small."""

import decimal
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.values import columns
from billing_framework.values.columns import LIMIT, Column, Overflows
from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.money import Amount, Rounding
from billing_framework.values.rounding import RoundingMode, allocate, divide, to_places, to_step

MODES = st.sampled_from(RoundingMode)
DECIMAL_MODE = {
    RoundingMode.HALF_UP: decimal.ROUND_HALF_UP,
    RoundingMode.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    RoundingMode.UP: decimal.ROUND_UP,
    RoundingMode.DOWN: decimal.ROUND_DOWN,
}
SMALL = st.integers(-(10**6), 10**6)
NEAR_THE_EDGE = st.sampled_from(
    [LIMIT - 1, LIMIT, LIMIT + 1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, -LIMIT, 10**25, -(10**25)]
)
ANY = SMALL | st.integers(-(2**63), 2**63 - 1) | NEAR_THE_EDGE
ROWS = st.lists(SMALL, max_size=30) | st.lists(ANY, max_size=30)
SCALES = st.integers(0, 6)


def ints(column: columns.Integers) -> list[int]:
    return [int(number) for number in column]


@given(st.lists(st.tuples(ANY, ANY.filter(bool)), min_size=1, max_size=30), MODES)
def test_division_agrees_with_the_scalar_function(pairs: list[tuple[int, int]], mode: RoundingMode) -> None:
    above, below = Column([pair[0] for pair in pairs]).numbers, Column([pair[1] for pair in pairs]).numbers
    assert ints(columns.divide_columns(above, below, mode, Overflows())) == [divide(one, other, mode) for one, other in pairs]


@given(st.lists(SMALL, min_size=1), st.integers(0, 5), MODES)
def test_division_agrees_with_the_decimal_module(numbers: list[int], places: int, mode: RoundingMode) -> None:
    overflows = Overflows()
    rounded = columns.divide_columns(Column(numbers).numbers, 10**places, mode, overflows)
    expected = [int(Decimal(number).scaleb(-places).to_integral_value(DECIMAL_MODE[mode])) for number in numbers]
    assert ints(rounded) == expected
    assert overflows == Overflows()


@given(st.integers(-40, 40), st.sampled_from([-8, -5, -4, -2, 2, 4, 5, 8]), MODES)
def test_ties_agree_on_both_signs_of_both_sides(numerator: int, denominator: int, mode: RoundingMode) -> None:
    rounded = columns.divide_columns(np.array([numerator]), denominator, mode, Overflows())
    assert rounded.dtype == np.int64
    assert int(rounded[0]) == divide(numerator, denominator, mode)


@given(ROWS, ROWS, SCALES, SCALES)
def test_sums_and_products_are_those_of_rationals(first: list[int], second: list[int], scale: int, other_scale: int) -> None:
    rows = min(len(first), len(second))
    left, right = Column(first[:rows], scale), Column(second[:rows], other_scale)
    pairs = list(zip(left.fractions(), right.fractions(), strict=True))
    assert columns.add(left, right, Overflows()).fractions() == [one + other for one, other in pairs]
    assert columns.multiply(left, right, Overflows()).fractions() == [one * other for one, other in pairs]
    assert columns.total(left) == sum(left.fractions())


@given(ROWS, SCALES, st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=100), SCALES, MODES)
def test_rounding_agrees_with_the_scalar_path(
    numbers: list[int], scale: int, factor: Fraction, places: int, mode: RoundingMode
) -> None:
    column = Column(numbers, scale)
    step = Fraction(5, 10**places)
    by_step = columns.round_column(column, step, mode, Overflows())
    by_factor = columns.multiply_ratio(column, factor, places, mode, Overflows())
    assert by_step.fractions() == [to_step(value, step, mode) for value in column.fractions()]
    assert by_factor.fractions() == [to_places(value * factor, places, mode) for value in column.fractions()]


@given(ROWS, SCALES, st.sampled_from(["USD", "JPY", "KWD"]), st.sampled_from([1, 5, 100]), MODES)
def test_payable_agrees_with_the_amount(numbers: list[int], scale: int, currency: str, step: int, mode: RoundingMode) -> None:
    column, rounding = Column(numbers, scale, currency), Rounding(mode, step)
    expected = [Amount(value, currency).payable(rounding).minor for value in column.fractions()]
    assert ints(columns.payable_column(column, Overflows(), rounding)) == expected


GROUPS = st.lists(st.lists(SMALL | ANY, max_size=6), max_size=8)


def starts_of(groups: list[list[Any]]) -> list[int]:
    return list(accumulate([len(group) for group in groups], initial=0))[: len(groups)]


@given(GROUPS)
def test_group_sums_agree_also_for_groups_without_rows(groups: list[list[int]]) -> None:
    column = Column([number for group in groups for number in group])
    assert ints(columns.sum_groups(column, starts_of(groups), Overflows()).numbers) == [sum(group) for group in groups]


WEIGHTS = st.lists(st.integers(0, 10**6) | st.integers(0, 2**63 - 1), min_size=1, max_size=6).filter(any)
SHARED = st.lists(st.tuples(st.integers(-(10**9), 10**9) | ANY, WEIGHTS), max_size=8)


@given(SHARED | st.lists(st.tuples(SMALL, st.lists(st.integers(0, 3), min_size=1, max_size=6).filter(any)), max_size=8))
def test_allocation_agrees_conserves_and_mirrors(shared: list[tuple[int, list[int]]]) -> None:
    totals, weights = (
        Column([total for total, _ in shared]).numbers,
        Column([weight for _, own in shared for weight in own]).numbers,
    )
    starts = starts_of([own for _, own in shared])
    parts = columns.allocate_columns(totals, starts, weights, Overflows())
    assert ints(parts) == [part for total, own in shared for part in allocate(total, own)]
    assert ints(columns.sum_groups(Column(parts), starts, Overflows()).numbers) == [total for total, _ in shared]
    mirrored = columns.allocate_columns(Column([-total for total, _ in shared]).numbers, starts, weights, Overflows())
    assert ints(mirrored) == [-part for part in ints(parts)]


def test_a_block_beyond_int64_is_computed_exactly_and_counted() -> None:
    overflows = Overflows()
    large = Column([2**61, -(2**61), 3], 3)
    product = columns.multiply(large, large, overflows)
    assert product.fractions()[0] == Fraction(2**122, 10**6)
    assert (overflows.blocks, overflows.rows) == (1, 3)
    back = columns.round_column(
        columns.multiply_ratio(product, Fraction(1, 2**61), 6, RoundingMode.DOWN, overflows),
        Fraction(1),
        RoundingMode.DOWN,
        overflows,
    )
    assert back.numbers.dtype == np.int64
    assert overflows.blocks > 1


def test_a_sum_that_numpy_would_wrap_is_exact() -> None:
    column = Column([2**62 - 1] * 3)
    assert int(np.array(column.numbers).sum()) < 0  # what numpy says
    assert columns.total(column) == 3 * (2**62 - 1)
    assert ints(columns.sum_groups(column, [0], Overflows()).numbers) == [3 * (2**62 - 1)]


def test_a_safe_block_is_not_counted_and_stays_int64() -> None:
    overflows = Overflows()
    quantity, price = Column.of(["1.250", "3"], label="h"), Column.of(["0.1234", "-7"])
    amount = columns.multiply(quantity, price, overflows, label="USD")
    assert amount.numbers.dtype == np.int64
    assert (amount.scale, amount.label) == (6, "USD")
    assert overflows == Overflows()


def test_large_factors_on_zeros_do_not_overflow() -> None:
    zeros = Column([0, 0])
    assert columns.widened(zeros, 40, Overflows()).fractions() == [0, 0]
    assert columns.multiply_ratio(zeros, Fraction(10**30, 7), 2, RoundingMode.UP, Overflows()).fractions() == [0, 0]


def test_values_keep_their_decimals() -> None:
    column = Column.of(["1.5", "2.25", 3], label="h")
    assert (ints(column.numbers), column.scale, len(column)) == ([150, 225, 300], 2, 3)
    assert Column.of(["1.5"], scale=4).scale == 4
    assert Column.of([]).fractions() == []


def test_numbers_of_a_column_cannot_be_changed() -> None:
    column = Column(np.array([1, 2, 3]))
    with pytest.raises(ValueError, match="read-only"):
        column.numbers[0] = 9


@pytest.mark.parametrize(
    "numbers", [[0.5], [True], np.array([1.0]), np.array([[1]]), np.array([1], dtype=np.uint64), ["1"], [None]]
)
def test_what_are_no_integers_is_refused(numbers: Any) -> None:
    with pytest.raises(ValueRefused, match="VALUE12"):
        Column(numbers)


def test_different_units_and_too_many_decimals_are_refused() -> None:
    with pytest.raises(UnitMismatch, match="VALUE08 h and min cannot be combined"):
        columns.add(Column([1], label="h"), Column([1], label="min"), Overflows())
    with pytest.raises(ValueRefused, match="VALUE13"):
        Column.of(["1.555"], scale=2)
    with pytest.raises(ValueRefused, match="VALUE13"):
        columns.widened(Column([1], 3), 2, Overflows())
    with pytest.raises(ValueRefused, match="VALUE02"):
        Column.of(["1/3"])


def test_a_zero_denominator_and_a_step_that_is_none_are_refused() -> None:
    with pytest.raises(ZeroDivisionError):
        columns.divide_columns(np.array([1, 2]), np.array([1, 0]), RoundingMode.UP, Overflows())
    with pytest.raises(ValueRefused, match="VALUE03"):
        columns.round_column(Column([1]), Fraction(0), RoundingMode.UP, Overflows())


@pytest.mark.parametrize("starts", [[1], [0, 2, 1], [0, 4], []])
def test_groups_that_do_not_fit_are_refused(starts: list[int]) -> None:
    with pytest.raises(ValueRefused, match="VALUE14"):
        columns.sum_groups(Column([1, 2, 3]), starts, Overflows())


@pytest.mark.parametrize(
    ("totals", "starts", "weights", "code"),
    [
        ([5], [0], [1, -1], "VALUE04"),
        ([5, 1], [0, 1], [1, 0], "VALUE04.*group 1 has no weight"),
        ([1, 1], [0, 2], [1, 1], "VALUE04.*group 1 has no weight"),
        ([5], [0, 1], [1, 1], "VALUE14"),
        ([2**62], [0], [2**62, -1], "VALUE04"),
    ],
)
def test_shares_that_make_no_sense_are_refused(totals: list[int], starts: list[int], weights: list[int], code: str) -> None:
    with pytest.raises(ValueRefused, match=code):
        columns.allocate_columns(np.array(totals), starts, np.array(weights), Overflows())


def test_an_empty_group_gets_nothing_of_nothing() -> None:
    assert ints(columns.allocate_columns(np.array([0, 7]), [0, 0], np.array([1, 1]), Overflows())) == [4, 3]
    assert ints(columns.allocate_columns(np.array([], dtype=np.int64), [], np.array([], dtype=np.int64), Overflows())) == []


def test_one_large_group_among_many_small_ones_shares_alike() -> None:
    overflows, own = Overflows(), [2**50 - number % 7 for number in range(1000)]
    totals, starts = [777, *[-5] * 999], [0, *range(1000, 1999)]
    parts = columns.allocate_columns(np.array(totals), starts, np.array(own + [3] * 999), overflows)
    assert ints(parts) == allocate(777, own) + [-5] * 999
    assert overflows == Overflows()  # the remainders are too large for one sort key, but not for int64
