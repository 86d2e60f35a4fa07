from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.values.errors import ValueRefused
from billing_framework.values.number import exact, exact_text, is_storable_number, is_terminating, scaled, stored_number


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("12.345", Fraction(12345, 1000)),
        (" -0.10 ", Fraction(-1, 10)),
        ("+7", Fraction(7)),
        (".5", Fraction(1, 2)),
        ("100/3", Fraction(100, 3)),
        ("1.5/3", Fraction(1, 2)),
        (10**30, Fraction(10**30)),
        (Decimal("1E+3"), Fraction(1000)),
        (Fraction(10, 31), Fraction(10, 31)),
    ],
)
def test_reads_exact_numbers(given_value: Any, expected: Fraction) -> None:
    assert exact(given_value) == expected


@pytest.mark.parametrize(
    "refused",
    [
        0.1,
        True,
        None,
        Decimal("NaN"),
        Decimal("Infinity"),
        "",
        "1e3",
        "1,5",
        "1 000",
        "1_000",
        "٣",
        "0x10",
        "1/0",
        "--1",
        "9" * 121,
        "1\n2",
    ],
)
def test_refuses_what_is_not_exact_or_not_plain(refused: Any) -> None:
    with pytest.raises(ValueRefused, match="VALUE01 price must be an exact number") as caught:
        exact(refused, name="price")
    assert 'for example "0.1234"' in str(caught.value)
    assert ("Decimal" in str(caught.value)) is not isinstance(refused, str)  # who wrote text is told in words of people


@given(st.integers(-(2**3999), 2**3999), st.integers(1, 2**3999) | st.integers(0, 3999).map(lambda power: 2**power))
def test_what_can_be_stored_reads_back(numerator: int, denominator: int) -> None:
    number = Fraction(numerator, denominator)
    if is_storable_number(number):
        assert stored_number(exact_text(number)) == number


def test_the_longest_numbers_read_back_and_longer_ones_are_told() -> None:
    for number in (Fraction(1 - 2**3999), Fraction(1, 2**3998), Fraction(2**1999 - 1, 3**1261), Fraction(-(3**1261), 2**1999)):
        assert is_storable_number(number)
        assert stored_number(exact_text(number)) == number
    assert not is_storable_number(Fraction(2**4000))
    assert not is_storable_number(Fraction(1, 2**4000))


@given(st.fractions())
def test_canonical_text_reads_back(number: Fraction) -> None:
    assert exact(exact_text(number)) == number


@given(st.integers(), st.integers(0, 40))
def test_scaled_is_exact_and_smallest(unscaled: int, scale: int) -> None:
    number = Fraction(unscaled, 10**scale)
    own_scale, own = scaled(number)
    assert Fraction(own, 10**own_scale) == number
    assert own_scale == 0 or own % 10 != 0
    assert is_terminating(number)


def test_a_third_has_no_scaled_form() -> None:
    assert not is_terminating(Fraction(1, 3))
    with pytest.raises(ValueRefused, match="VALUE02 1/3 has no finite decimal form"):
        scaled(Fraction(1, 3))
