from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.values.calendar import period_containing
from billing_framework.values.errors import ValueRefused
from billing_framework.values.week_calendar import ENDINGS, PATTERNS, WEEKDAYS, WeekYear, calendar_from, week_calendar

NRF = WeekYear(pattern="4-5-4", weekday="saturday", month=1, ending="nearest")


@pytest.mark.parametrize(
    ("year", "last_day", "weeks"),
    [
        (2013, date(2013, 2, 2), 53),
        (2018, date(2018, 2, 3), 53),
        (2023, date(2023, 1, 28), 52),
        (2024, date(2024, 2, 3), 53),
        (2025, date(2025, 2, 1), 52),
        (2026, date(2026, 1, 31), 52),
    ],
)
def test_years_of_the_national_retail_federation(year: int, last_day: date, weeks: int) -> None:
    assert NRF.year_end(year) == last_day
    assert (NRF.year_end(year) - NRF.year_end(year - 1)).days == weeks * 7


@given(
    st.builds(
        WeekYear,
        pattern=st.sampled_from(PATTERNS),
        weekday=st.sampled_from(WEEKDAYS),
        month=st.integers(1, 12),
        ending=st.sampled_from(ENDINGS),
    ),
    st.integers(1950, 2100),
)
def test_every_rule_gives_years_of_thirteen_week_quarters(rule: WeekYear, year: int) -> None:
    calendar = week_calendar("any", rule, year, year + 6)
    weeks = [(end - start).days / 7 for start, end in zip(calendar.boundaries, calendar.boundaries[1:], strict=False)]
    pattern = [int(part) for part in rule.pattern.split("-")] * 4
    for number in range(7):
        own = weeks[12 * number : 12 * number + 12]
        assert own[:-1] == pattern[:-1]
        assert own[-1] - pattern[-1] in (0, 1)
    assert len(weeks) == 84
    assert all(day.weekday() == (WEEKDAYS.index(rule.weekday) + 1) % 7 for day in calendar.boundaries)


def test_the_extra_week_goes_to_the_last_period() -> None:
    calendar = week_calendar("nrf", NRF, 2024, 2024)
    january = period_containing(calendar, date(2024, 2, 3))
    assert (january.start, january.days) == (date(2023, 12, 31), 35)


def test_calendars_of_a_deployment_file() -> None:
    table = {"pattern": "4-4-5", "first_year": 2025, "last_year": 2027, "weekday": "sunday", "month": 12, "ending": "last"}
    calendar = calendar_from("works", table)
    assert calendar.boundaries[0] == date(2024, 12, 30)
    assert calendar.boundaries[-1] == date(2027, 12, 27)
    listed = calendar_from("odd", {"boundaries": [date(2026, 1, 1), date(2026, 2, 20)]})
    assert listed.boundaries == (date(2026, 1, 1), date(2026, 2, 20))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "lacks pattern, first_year, last_year"),
        ({"patern": "4-4-5"}, "unknown key 'patern'. Did you mean 'pattern'?"),
        ({"pattern": "4-4-4", "first_year": 2025, "last_year": 2026}, "pattern '4-4-4' .* unknown"),
        ({"pattern": "4-4-5", "first_year": 2025, "last_year": 2024}, "cannot run from 2025 to 2024"),
        ({"pattern": "4-4-5", "first_year": "2025", "last_year": 2026}, "first_year .* must be int"),
        ({"pattern": "4-4-5", "first_year": 2025, "last_year": 2026, "month": 13}, "month .* from 1 to 12"),
        ({"boundaries": ["2026-01-01"]}, "must be a list of dates"),
        ({"boundaries": [date(2026, 1, 1)], "pattern": "4-4-5"}, "unknown key 'boundaries'"),
    ],
)
def test_faulty_tables_are_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueRefused, match=f"VALUE20 .*{message}"):
        calendar_from("retail", table)
