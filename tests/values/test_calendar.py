from datetime import date, timedelta
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.values.calendar import (
    CustomCycle,
    Cycle,
    DailyCycle,
    MonthlyCycle,
    ReadDateCycle,
    next_after,
    parse_cycle,
    period_containing,
    periods,
)
from billing_framework.values.errors import ValueRefused
from billing_framework.values.period import DateSpan

DAYS = st.dates(date(1900, 1, 1), date(2200, 1, 1))
CYCLES: st.SearchStrategy[Cycle] = st.one_of(
    st.builds(MonthlyCycle, st.integers(1, 31), st.integers(1, 24), DAYS),
    st.builds(DailyCycle, st.integers(1, 400), DAYS),
)


@given(CYCLES, DAYS)
def test_every_day_lies_in_one_period(cycle: Cycle, day: date) -> None:
    period = period_containing(cycle, day)
    assert day in period
    assert next_after(cycle, day) == period.end
    assert period_containing(cycle, period.end).start == period.end
    assert period_containing(cycle, period.last) == period


@given(CYCLES, DAYS, st.integers(1, 900))
def test_periods_tile_a_span(cycle: Cycle, start: date, days: int) -> None:
    span = DateSpan(start, start + timedelta(days=days))
    found = periods(cycle, span)
    assert found[0].start <= span.start < found[0].end
    assert found[-1].start < span.end <= found[-1].end
    assert all(one.end == other.start for one, other in pairwise(found))


@given(CYCLES)
def test_the_text_of_a_cycle_reads_back(cycle: Cycle) -> None:
    again = parse_cycle(str(cycle))
    day = date(2026, 5, 17)
    assert period_containing(again, day) == period_containing(cycle, day)
    assert str(again) == str(cycle)


def starts(text: str, first: str, count: int) -> list[str]:
    cycle, days = parse_cycle(text), [date.fromisoformat(first)]
    while len(days) < count:
        days.append(next_after(cycle, days[-1]))
    return [day.isoformat() for day in days]


@pytest.mark.parametrize(
    ("text", "boundaries"),
    [
        ("monthly:31", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("monthly:30", ["2028-01-30", "2028-02-29", "2028-03-30"]),
        ("monthly:1", ["2026-12-01", "2027-01-01", "2027-02-01"]),
        ("monthly:15:2:2026-01", ["2026-01-15", "2026-03-15", "2026-05-15"]),
        ("monthly:31:5:2026-04", ["2026-04-30", "2026-09-30", "2027-02-28", "2027-07-31"]),
        ("quarterly:1", ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01", "2027-01-01"]),
        ("quarterly:31:2", ["2026-02-28", "2026-05-31", "2026-08-31", "2026-11-30"]),
        ("quarterly:5:11", ["2026-02-05", "2026-05-05"]),
        ("yearly:04-01", ["2025-04-01", "2026-04-01", "2027-04-01"]),
        ("yearly:02-29", ["2027-02-28", "2028-02-29", "2029-02-28"]),
        ("weekly:4:2026-01-05", ["2026-01-05", "2026-02-02", "2026-03-02"]),
        ("weekly:1:2030-01-07", ["2025-12-29", "2026-01-05", "2026-01-12"]),
        ("daily:10:2026-01-01", ["2026-01-01", "2026-01-11"]),
        (" monthly:15 ", ["2026-01-15", "2026-02-15"]),
    ],
)
def test_cycles_by_hand(text: str, boundaries: list[str]) -> None:
    assert starts(text, boundaries[0], len(boundaries)) == boundaries
    cycle = parse_cycle(text)
    assert period_containing(cycle, date.fromisoformat(boundaries[1])).start.isoformat() == boundaries[1]


@pytest.mark.parametrize(
    "text", ["monthly:15", "monthly:15:5:2026-02", "quarterly:1", "quarterly:1:2", "yearly:04-01", "daily:10:2026-01-01"]
)
def test_texts_stay_as_they_were_written(text: str) -> None:
    assert str(parse_cycle(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "monthly",
        "monthly:0",
        "monthly:32",
        "monthly:x",
        "monthly:1:0:2026-01",
        "monthly:1:2",
        "monthly:1:2:2026-13",
        "quarterly:1:0",
        "yearly:13-01",
        "yearly:02-30",
        "weekly:4",
        "weekly:0:2026-01-05",
        "daily:-1:2026-01-01",
        "read-date:1",
        "fortnightly",
    ],
)
def test_other_texts_are_refused_with_the_known_forms(text: str) -> None:
    with pytest.raises(ValueRefused, match="VALUE17"):
        parse_cycle(text)


def test_a_custom_calendar_is_found_by_its_name() -> None:
    retail = CustomCycle("retail", [date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 5)])
    cycle = parse_cycle("custom:retail", {"retail": retail})
    assert cycle == retail
    assert str(cycle) == "custom:retail"
    assert period_containing(cycle, date(2026, 4, 4)) == DateSpan(date(2026, 3, 1), date(2026, 4, 5))
    with pytest.raises(ValueRefused, match=r"VALUE19 there is no calendar 'retial'. Did you mean 'retail'\?"):
        parse_cycle("custom:retial", {"retail": retail})
    with pytest.raises(ValueRefused, match="VALUE19 .* None are defined"):
        parse_cycle("custom:retail")


@pytest.mark.parametrize("day", [date(2026, 1, 31), date(2026, 4, 5)])
def test_a_listed_calendar_says_how_far_it_reaches(day: date) -> None:
    retail = CustomCycle("retail", [date(2026, 2, 1), date(2026, 4, 5)])
    with pytest.raises(
        ValueRefused, match="VALUE18 calendar 'retail', which reach from 2026-02-01 to 2026-04-05, hold no period"
    ):
        period_containing(retail, day)


def test_listed_boundaries_must_ascend() -> None:
    with pytest.raises(ValueRefused, match="VALUE17"):
        CustomCycle("retail", [date(2026, 2, 1), date(2026, 2, 1)])


def test_read_dates_come_with_the_data() -> None:
    cycle = parse_cycle("read-date")
    assert isinstance(cycle, ReadDateCycle)
    with pytest.raises(
        ValueRefused, match="VALUE18 the read dates, of which there are none, hold no period .* Wait for the next reading"
    ):
        period_containing(cycle, date(2026, 1, 5))
    known = attrs.evolve(cycle, boundaries=[date(2026, 1, 5), date(2026, 2, 4), date(2026, 3, 9)])
    assert period_containing(known, date(2026, 2, 4)) == DateSpan(date(2026, 2, 4), date(2026, 3, 9))
    assert str(known) == "read-date"
    with pytest.raises(ValueRefused, match="VALUE18"):
        next_after(known, date(2026, 3, 9))
    with pytest.raises(ValueRefused, match="VALUE18 .* no boundary number 3"):
        known.boundary(3)
