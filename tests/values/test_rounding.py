import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.values.errors import ValueRefused
from billing_framework.values.rounding import RoundingMode, RoundingStep, allocate, divide, to_places, to_step

DECIMAL_MODE = {
    RoundingMode.HALF_UP: decimal.ROUND_HALF_UP,
    RoundingMode.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    RoundingMode.UP: decimal.ROUND_UP,
    RoundingMode.DOWN: decimal.ROUND_DOWN,
}
MODES = st.sampled_from(RoundingMode)


@pytest.mark.parametrize(
    ("number", "half_up", "half_even", "up", "down"),
    [
        ("2.5", 3, 2, 3, 2),
        ("-2.5", -3, -2, -3, -2),
        ("3.5", 4, 4, 4, 3),
        ("-3.5", -4, -4, -4, -3),
        ("2.4999999999999999999", 2, 2, 3, 2),
        ("-2.0000000000000000001", -2, -2, -3, -2),
        ("0.5", 1, 0, 1, 0),
        ("-0.5", -1, 0, -1, 0),
        ("7", 7, 7, 7, 7),
    ],
)
def test_every_mode_by_hand(number: str, half_up: int, half_even: int, up: int, down: int) -> None:
    exact = Fraction(number)
    expected = dict(zip(RoundingMode, (half_up, half_even, up, down), strict=True))
    assert {mode: divide(exact.numerator, exact.denominator, mode) for mode in RoundingMode} == expected


@given(st.integers(-(10**40), 10**40), st.integers(0, 12), MODES)
def test_division_is_what_the_decimal_module_says(unscaled: int, places: int, mode: RoundingMode) -> None:
    with decimal.localcontext(prec=100):
        expected = int(Decimal(unscaled).scaleb(-places).to_integral_value(DECIMAL_MODE[mode]))
    assert divide(unscaled, 10**places, mode) == expected


@given(st.integers(), st.integers(min_value=1), MODES)
def test_a_credit_mirrors_its_charge(numerator: int, denominator: int, mode: RoundingMode) -> None:
    assert divide(-numerator, denominator, mode) == -divide(numerator, denominator, mode) == divide(numerator, -denominator, mode)


@given(st.fractions(), st.fractions(min_value=Fraction(1, 1000), max_value=1000), MODES)
def test_a_rounded_number_is_a_multiple_and_within_one_step(number: Fraction, step: Fraction, mode: RoundingMode) -> None:
    rounded = to_step(number, step, mode)
    assert (rounded / step).denominator == 1
    limit = step / 2 if mode in (RoundingMode.HALF_UP, RoundingMode.HALF_EVEN) else step
    assert abs(rounded - number) <= limit
    assert to_step(rounded, step, mode) == rounded


def test_places_may_be_negative() -> None:
    assert to_places(Fraction("1250"), -2, RoundingMode.HALF_UP) == 1300
    assert to_places(Fraction("1250"), -2, RoundingMode.HALF_EVEN) == 1200


def test_a_named_step_rounds_to_its_grid() -> None:
    six_seconds = RoundingStep("billed seconds", Fraction(6), RoundingMode.UP)
    assert six_seconds(Fraction(61)) == 66
    assert RoundingStep("cash", Fraction(1, 20))(Fraction("1.025")) == Fraction("1.05")


@pytest.mark.parametrize("step", [Fraction(0), Fraction(-1, 100)])
def test_a_step_that_is_no_grid_is_refused(step: Fraction) -> None:
    with pytest.raises(ValueRefused, match="VALUE03"):
        to_step(Fraction(1), step, RoundingMode.UP)


def test_a_denominator_of_zero_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        divide(1, 0, RoundingMode.UP)


WEIGHTS = st.lists(st.fractions(min_value=0, max_value=10**6, max_denominator=1000), min_size=1, max_size=12).filter(any)


@given(st.integers(), WEIGHTS)
def test_allocation_conserves_mirrors_and_stays_within_one(total: int, weights: list[Fraction]) -> None:
    parts = allocate(total, weights)
    whole = sum(weights, Fraction(0))
    assert sum(parts) == total
    assert allocate(-total, weights) == [-part for part in parts]
    assert all(abs(part - total * weight / whole) < 1 for part, weight in zip(parts, weights, strict=True))
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@given(st.integers(), WEIGHTS, st.fractions(min_value=Fraction(1, 1000), max_value=1000))
def test_allocation_sees_proportions_only(total: int, weights: list[Fraction], factor: Fraction) -> None:
    assert allocate(total, weights) == allocate(total, [weight * factor for weight in weights])


def test_ties_go_to_the_earlier_position() -> None:
    assert allocate(10000, [1, 1, 1]) == [3334, 3333, 3333]
    assert allocate(-10000, [1, 1, 1]) == [-3334, -3333, -3333]
    assert allocate(2, [1, 1, 1]) == [1, 1, 0]


def test_nothing_is_shared_by_no_weights() -> None:
    assert allocate(0, [0, 0]) == [0, 0]
    assert allocate(0, []) == []


@pytest.mark.parametrize(("total", "weights"), [(1, [0, 0]), (1, []), (5, [1, -1, 3]), (0, [-1])])
def test_shares_that_make_no_sense_are_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueRefused, match="VALUE04"):
        allocate(total, weights)
