from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.rating.charge import Charge
from billing_framework.rating.payable import payable_lines, round_amounts
from billing_framework.values.money import Amount, Rounding
from billing_framework.values.period import DateSpan
from billing_framework.values.rounding import RoundingMode, round_parts

JUNE = DateSpan(date(2026, 6, 1), date(2026, 7, 1))


def charge(component: str, amount: str, plan: str = "test@1", currency: str = "USD") -> Charge:
    return Charge(
        agreement="G1",
        component=component,
        code=component,
        description=component,
        service=JUNE,
        amount=Amount(amount, currency),
        tax_category="standard",
        plan=plan,
    )


PARTS = [charge("a", "1.004"), charge("a", "1.004"), charge("b", "2.004"), charge("b", "-1.005")]


@pytest.mark.parametrize(
    ("place", "expected"),
    [("line", [100, 100, 200, -101]), ("component", [101, 100, 200, -100]), ("document", [101, 100, 200, -100])],
)
def test_where_the_plan_rounds(plan: Any, place: str, expected: list[int]) -> None:
    made = plan({"a": 'model = "recurring"\nprice = "1"'}, plan_keys=f'rounding = {{ place = "{place}" }}')
    assert [money.minor for money in payable_lines(PARTS, {made.name: made})] == expected


def test_charges_without_a_plan_are_rounded_each() -> None:
    lines = payable_lines([charge("manual", "0.005", plan=""), charge("manual", "0.005", plan="")], {})
    assert [money.minor for money in lines] == [1, 1]


def test_minor_units_of_the_currency_count(plan: Any) -> None:
    made = plan({"a": 'model = "recurring"\nprice = "1"'}, currency="KWD")
    assert str(payable_lines([charge("a", "10.0005", currency="KWD")], {made.name: made})[0]) == "10.001 KWD"


amounts = st.lists(st.fractions(min_value=-1000, max_value=1000, max_denominator=997), min_size=1, max_size=8)


@given(amounts, st.sampled_from(RoundingMode), st.sampled_from([1, 5, 100]))
def test_rounded_parts_sum_to_the_rounded_sum_and_mirror(parts: list[Fraction], mode: RoundingMode, step: int) -> None:
    rounding = Rounding(mode, step)
    exact = [Amount(part, "USD") for part in parts]
    rounded = round_amounts(exact, rounding)
    assert sum(money.minor for money in rounded) == Amount(sum(parts), "USD").payable(rounding).minor
    assert [-money.minor for money in round_amounts([-amount for amount in exact], rounding)] == [
        money.minor for money in rounded
    ]
    if step == 1:
        assert all(abs(money.minor - part * 100) < 2 for money, part in zip(rounded, parts, strict=True))


def test_parts_of_nothing() -> None:
    assert round_parts(0, []) == []
    assert round_parts(7, [Fraction(0), Fraction(0)]) == [4, 3]
