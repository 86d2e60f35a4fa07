"""The period that an officer means: a month, a date, or two dates, by the cycle of the accounts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from billing_framework.invoicing.cycle import next_period, whole_period
from billing_framework.plugin.settings import load_settings
from billing_framework.run.cycle.period import run_period
from billing_framework.values.calendar import parse_cycle
from billing_framework.values.errors import ConfigurationError, InputRefused
from billing_framework.values.period import DateSpan

SETTINGS = """
[deployment]
name = "shop"
database = "sqlite:///shop.sqlite3"
currency = "EUR"

[calendars.retail]
pattern = "4-4-5"
first_year = 2026
last_year = 2027

[calendars.terms]
boundaries = [2026-01-07, 2026-04-20, 2026-09-01]
"""


@pytest.mark.parametrize(
    ("cycle", "text", "first", "last"),
    [
        ("monthly:1", "2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("monthly:31", "2026-02", date(2026, 2, 28), date(2026, 3, 30)),
        ("monthly:15", "2026-07-20", date(2026, 7, 15), date(2026, 8, 14)),
        ("monthly:15", "2026-07-15/2026-08-14", date(2026, 7, 15), date(2026, 8, 14)),
        ("read-date", "2026-07-03/2026-08-02", date(2026, 7, 3), date(2026, 8, 2)),
        ("weekly:4:2026-01-05", "2026-02", date(2026, 2, 2), date(2026, 3, 1)),
        ("custom:retail", "2026-04-20", date(2026, 3, 29), date(2026, 5, 2)),
        ("custom:terms", "2026-05-01", date(2026, 4, 20), date(2026, 8, 31)),
    ],
)
def test_a_period_is_found_by_month_date_or_dates(tmp_path: Path, cycle: str, text: str, first: date, last: date) -> None:
    file = tmp_path / "billing.toml"
    file.write_text(SETTINGS)
    calendars = load_settings(file).settings.custom_cycles
    assert run_period(cycle, text, calendars) == DateSpan.inclusive(first, last)


@pytest.mark.parametrize(
    ("cycle", "text"),
    [
        ("monthly:1", "2026-07-02/2026-08-01"),
        ("monthly:1", "July"),
        ("monthly:1", "2026-13"),
        ("read-date", "2026-07"),
        ("read-date", "2026-07-03"),
    ],
)
def test_what_is_no_period_of_the_cycle_is_refused_with_a_remedy(cycle: str, text: str) -> None:
    with pytest.raises(InputRefused, match="RUN22") as refused:
        run_period(cycle, text)
    assert refused.value.remedy


def test_where_readings_decide_the_next_period_is_as_long_again() -> None:
    period = DateSpan(date(2026, 7, 3), date(2026, 8, 3))
    cycle = parse_cycle("read-date")
    assert whole_period(cycle, period) == period
    assert next_period(cycle, period) == DateSpan(date(2026, 8, 3), date(2026, 9, 3))


@pytest.mark.parametrize(
    "table",
    ['pattern = "4-4-4"\nfirst_year = 2026\nlast_year = 2027', 'pattern = "4-4-5"', "boundaries = [2026-05-01, 2026-01-01]", ""],
)
def test_a_calendar_without_sense_is_refused_where_it_stands(tmp_path: Path, table: str) -> None:
    file = tmp_path / "billing.toml"
    file.write_text(SETTINGS[: SETTINGS.index("[calendars")] + f"[calendars.odd]\n{table}\n")
    with pytest.raises(ConfigurationError) as refused:
        load_settings(file)
    assert "odd" in str(refused.value) or "calendar" in str(refused.value)
