from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.rating.price_plan import Proration
from billing_framework.rating.proration import days_360, factor, with_last_day
from billing_framework.values.period import DateSpan

MAY = DateSpan(date(2026, 5, 1), date(2026, 6, 1))
FEBRUARY = DateSpan(date(2026, 2, 1), date(2026, 3, 1))


def span(month: int, first: int, end: int) -> DateSpan:
    return DateSpan(date(2026, month, first), date(2026, month, end))


@pytest.mark.parametrize(
    ("policy", "dates", "unit", "expected"),
    [
        (Proration.ACTUAL_DAYS, span(5, 1, 16), MAY, "15/31"),
        (Proration.ACTUAL_DAYS, MAY, MAY, "1"),
        (Proration.FIXED_30, span(5, 1, 16), MAY, "1/2"),
        (Proration.FIXED_30, span(5, 1, 31), MAY, "1"),
        (Proration.FIXED_30, span(5, 2, 3), MAY, "1/30"),
        (Proration.FIXED_30, MAY, MAY, "1"),
        (Proration.FIXED_30, FEBRUARY, FEBRUARY, "1"),
        (Proration.FIXED_30, span(2, 15, 28), FEBRUARY, "13/30"),
        (Proration.FIXED_DAYS, span(5, 1, 16), MAY, "15/28"),
        (Proration.THIRTY_360, span(5, 1, 16), MAY, "1/2"),
        (Proration.THIRTY_360, DateSpan(date(2026, 2, 15), date(2026, 3, 1)), FEBRUARY, "16/30"),
        (Proration.THIRTY_360, span(5, 30, 31), MAY, "0"),
        (Proration.NONE, span(5, 20, 21), MAY, "1"),
        (Proration.ACTUAL_DAYS, FEBRUARY, MAY, "0"),
    ],
)
def test_policies(policy: Proration, dates: DateSpan, unit: DateSpan, expected: str) -> None:
    assert factor(dates, unit, policy, fixed_days=28) == Fraction(expected)


def test_a_second_part_of_a_month_in_full_costs_nothing_more() -> None:
    first, second = MAY.tiles([date(2026, 5, 11)])
    assert factor(first, MAY, Proration.NONE, service=MAY) == 1
    assert factor(second, MAY, Proration.NONE, service=MAY) == 0


@given(
    st.sampled_from(Proration),
    st.dates(date(2023, 1, 1), date(2028, 1, 1)),
    st.integers(2, 400),
    st.integers(0, 400),
    st.integers(0, 400),
    st.lists(st.integers(1, 400), max_size=4),
)
def test_tiles_of_the_service_add_up_to_it(
    policy: Proration, start: date, size: int, first: int, last: int, cuts: list[int]
) -> None:
    unit = DateSpan(start, start + timedelta(days=size))
    low, high = sorted((first % size, last % size))
    service = DateSpan(start + timedelta(days=low), start + timedelta(days=high + 1))
    tiles = service.tiles(start + timedelta(days=cut) for cut in cuts)
    parts = [factor(tile, unit, policy, service=service) for tile in tiles]
    assert sum(parts) == factor(service, unit, policy)
    assert all(0 <= part <= 1 for part in parts)
    if service == unit:
        assert sum(parts) == 1


@given(st.dates(date(2023, 1, 1), date(2028, 1, 1)), st.integers(1, 90), st.integers(1, 90))
def test_days_360_are_additive(start: date, first: int, second: int) -> None:
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    assert days_360(start, middle) + days_360(middle, end) == days_360(start, end)


def test_an_inclusive_end_bills_the_last_day_within_the_unit() -> None:
    assert with_last_day(span(5, 1, 10), date(2026, 5, 10), MAY) == span(5, 1, 11)
    assert with_last_day(span(5, 1, 10), None, MAY) == span(5, 1, 10)
    assert with_last_day(span(5, 1, 10), date(2026, 5, 20), MAY) == span(5, 1, 10)
    assert with_last_day(MAY, date(2026, 6, 1), MAY) == MAY
