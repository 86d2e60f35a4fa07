from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.rating.term import Alignment, anchor_of, breaks_in, cycle_anchor, terms_over
from billing_framework.values.period import DateSpan


def span(start: str, end: str) -> DateSpan:
    return DateSpan(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("period", "months"),
    [
        ("2026-06-01 2026-07-01", ["2026-06-01 2026-07-01"]),
        ("2026-01-15 2026-04-15", ["2026-01-15 2026-02-15", "2026-02-15 2026-03-15", "2026-03-15 2026-04-15"]),
        ("2026-01-31 2026-02-28", ["2026-01-31 2026-02-28"]),
        ("2026-02-28 2026-03-31", ["2026-02-28 2026-03-31"]),
        ("2025-12-01 2026-02-01", ["2025-12-01 2026-01-01", "2026-01-01 2026-02-01"]),
        ("2026-06-10 2026-07-08", ["2026-06-01 2026-07-01", "2026-07-01 2026-08-01"]),
    ],
)
def test_months_of_a_billing_period(period: str, months: list[str]) -> None:
    dates = span(*period.split())
    assert list(terms_over(dates, 1, cycle_anchor(dates))) == [span(*month.split()) for month in months]


def test_years_begin_with_the_calendar_or_on_the_anniversary() -> None:
    june = span("2026-06-01", "2026-07-01")
    starts_on = date(2024, 6, 15)
    assert list(terms_over(june, 12, anchor_of(Alignment.CALENDAR, starts_on))) == [span("2026-01-01", "2027-01-01")]
    assert list(terms_over(june, 12, anchor_of(Alignment.ANNIVERSARY, starts_on))) == [
        span("2025-06-15", "2026-06-15"),
        span("2026-06-15", "2027-06-15"),
    ]
    assert breaks_in(june, 12, starts_on) == (date(2026, 6, 15),)
    assert breaks_in(june, 3, date(2000, 1, 1)) == ()
    assert breaks_in(span("2026-04-01", "2026-05-01"), 3, date(2000, 1, 1)) == ()


def test_a_term_from_29_february_springs_back() -> None:
    years = list(terms_over(span("2025-01-01", "2029-01-01"), 12, date(2024, 2, 29)))
    assert [year.start for year in years] == [
        date(2024, 2, 29),
        *(date(year, 2, 28) for year in (2025, 2026, 2027)),
        date(2028, 2, 29),
    ]


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.integers(1, 500),
    st.integers(1, 24),
    st.dates(date(2015, 1, 1), date(2035, 1, 1)),
)
def test_terms_follow_each_other_and_cover_the_dates(start: date, days: int, months: int, anchor: date) -> None:
    dates = DateSpan(start, start + timedelta(days=days))
    terms = list(terms_over(dates, months, anchor))
    assert terms[0].start <= dates.start
    assert terms[-1].end >= dates.end
    assert all(first.end == second.start for first, second in pairwise(terms))
    assert all(term.intersection(dates) for term in terms)
