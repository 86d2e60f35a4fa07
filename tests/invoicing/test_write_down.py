"""A write-down is shared out to lines so that they sum to what is left, to the minor unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.invoicing.write_down import cut_of, written_down
from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import Money


def usd(text: str) -> Money:
    return Money.of(text, "USD")


def test_the_largest_remainders_take_what_is_left() -> None:
    lines = [usd("630.00"), usd("700.00"), usd("40.00")]
    assert [str(line) for line in written_down(lines, usd("70.00"))] == ["597.81 USD", "664.23 USD", "37.96 USD"]


def test_ties_go_to_the_earlier_line_and_nothing_stays_nothing() -> None:
    lines = [usd("0.00"), usd("1.00"), usd("1.00"), usd("1.00")]
    assert [str(line) for line in written_down(lines, usd("0.01"))] == ["0.00 USD", "1.00 USD", "1.00 USD", "0.99 USD"]
    assert [str(line) for line in written_down(lines, usd("3.00"))] == ["0.00 USD"] * 4


@pytest.mark.parametrize(("text", "cut"), [("10%", "10.01"), (" 33.3 %", "33.32"), ("0.01", "0.01"), ("100%", "100.05")])
def test_a_cut_is_a_percentage_or_an_amount(text: str, cut: str) -> None:
    assert cut_of(text, usd("100.05")) == usd(cut)


@pytest.mark.parametrize("text", ["0", "0%", "-1", "100.06", "100.1%", "0.001%", "%", "ten", "1e400", "NaN"])
def test_a_cut_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ValueRefused):
        cut_of(text, usd("100.05"))


def test_lines_that_give_back_are_not_written_down() -> None:
    with pytest.raises(ValueRefused, match="INVOICE26"):
        written_down([usd("10.00"), usd("-1.00")], usd("1.00"))
    with pytest.raises(ValueRefused, match="INVOICE26"):
        written_down([], usd("0.00"))


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any), st.fractions(0, 1))
def test_lines_sum_to_what_is_left_and_none_grows(minors: list[int], part: object) -> None:
    lines = [Money(minor, "USD") for minor in minors]
    cut = Money(int(sum(minors) * part), "USD")  # type: ignore[operator]
    left = written_down(lines, cut)
    assert Money.total(left, "USD") == Money.total(lines, "USD") - cut
    assert all(0 <= after.minor <= before.minor for before, after in zip(lines, left, strict=True))
