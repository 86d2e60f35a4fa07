"""Units, costs and texts as the format can hold them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from billing_legal_timekeeping.ledes.item import written_amounts
from billing_legal_timekeeping.ledes.layout import DECIMALS, decimals_of, read_date, read_number, write_number
from billing_legal_timekeeping.ledes.plain_text import plain_text
from billing_legal_timekeeping.ledes.profile import Charset
from hypothesis import given
from hypothesis import strategies as st

from billing_framework import exact


@given(
    st.fractions(min_value=0, max_value=24),
    st.fractions(min_value=0, max_value=2000),
    st.integers(-10_000_000, 10_000_000).map(lambda cents: Fraction(cents, 100)),
)
def test_units_times_cost_and_adjustment_always_make_the_total(units: Fraction, cost: Fraction, total: Fraction) -> None:
    amounts = written_amounts(units, cost, total)
    assert amounts.units is not None
    assert amounts.cost is not None
    for number in (amounts.units, amounts.cost, amounts.adjustment, amounts.total):
        assert decimals_of(number) <= DECIMALS
        assert read_number(write_number(number)) == number
    assert amounts.units * amounts.cost + amounts.adjustment == amounts.total == total
    assert amounts.is_exact == (amounts.units == units and amounts.cost == cost)


def test_what_can_be_written_is_written_as_it_is() -> None:
    amounts = written_amounts(exact("2.5"), exact("350"), exact("525"))
    assert (amounts.units, amounts.cost, amounts.adjustment) == (exact("2.5"), exact("350"), exact("-350"))
    assert amounts.is_exact
    third = written_amounts(Fraction(1, 3), exact("150.25"), exact("50.08"))
    assert (third.units, third.adjustment, third.is_exact) == (exact("0.33"), exact("0.4975"), False)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("1250.", "1250"), ("0.200", "0.2"), (".5", "0.5"), ("-.5", "-0.5"), ("-70", "-70")),
        *((text, None) for text in ("1,0", "+1", "", "1e3", "\u0661", " 1", "-", ".")),
    ],
)
def test_numbers_are_read_as_receivers_read_them(text: str, number: str | None) -> None:
    assert read_number(text) == (None if number is None else exact(number))


def test_dates_are_eight_digits() -> None:
    assert read_date("20260230") is None
    assert read_date("2026-01-31") is None
    assert str(read_date("20260131")) == "2026-01-31"


@pytest.mark.parametrize(
    ("text", "charset", "plain"),
    [
        ("a|b\r\nc[]d", Charset.ASCII, "a/b cd"),
        ("[[]] x", Charset.ASCII, "x"),
        ("“client’s” café — 5 €", Charset.ASCII, '"client\'s" cafe - 5 EUR'),
        ("“client’s” café", Charset.CP1252, "“client’s” café"),
        ("\uff3b\uff3d a\uff5cb", Charset.ASCII, "a/b"),
        ("日本", Charset.ASCII, "??"),
        ("日本", Charset.UTF8, "日本"),
        ("2.5\u00a0h", Charset.ASCII, "2.5 h"),
    ],
)
def test_texts_are_written_in_the_characters_of_the_receiver(text: str, charset: Charset, plain: str) -> None:
    assert plain_text(text, charset, 100) == plain
    assert len(plain_text(text * 50, charset, 30)) <= 30


@given(st.text(max_size=60))
def test_no_text_breaks_a_line(text: str) -> None:
    for charset in Charset:
        written = plain_text(text, charset, 40)
        written.encode(charset.value)
        assert not {"|", "\n", "\r"} & set(written)
        assert "[]" not in written
