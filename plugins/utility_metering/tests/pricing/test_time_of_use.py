from collections.abc import Callable
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from billing_utility_metering.pricing.day_periods import Calendar, Classifier, Hours, PeriodHours
from billing_utility_metering.pricing.day_types import Days, HolidaysAs, Season, season_breaks
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_framework import Assignment, DateSpan
from tests.properties import examples

Make = Callable[..., Any]
HEAD = """
[[component]]
code = "energy"
title = { en = "Energy", de = "Energie" }
model = "utility_metering.time_of_use"
charge_code = "energy"
tax_category = "standard"
measure = "consumption"
unit = "kWh"
"""
PERIODS = """
[[component.periods]]
name = "peak"
title = { en = "on-peak", de = "Hochtarif" }
price = "0.30"
hours = [{ days = ["weekday"], start = "16:00", end = "21:00" }]
[[component.periods]]
name = "off_peak"
title = { en = "off-peak", de = "Niedertarif" }
price = "0.10"
rest = true
"""
JUNE = "2026-06-01/2026-07-01"


def one(_: datetime) -> int:
    return 1


def by_source(rated: Any) -> dict[str, Fraction]:
    return {charge.source: charge.quantity.value for charge in rated.charges}


def test_each_hour_has_the_price_of_its_period(world: Any, interval_days: Make) -> None:
    rated = world.bill(world.plan(HEAD + PERIODS), records=interval_days(JUNE, one), locale="de_DE")
    peak, off_peak = rated.charges
    assert (peak.description, off_peak.description) == ("Energie, Hochtarif", "Energie, Niedertarif")
    assert (peak.quantity.value, off_peak.quantity.value) == (22 * 5, 720 - 110)
    assert (peak.amount.value, off_peak.amount.value) == (33, 61)
    assert (bool(peak.details), bool(off_peak.details)) == (True, False)
    assert not rated.findings


@pytest.mark.parametrize(("counts_as", "peak"), [("sunday", 21 * 5), ("saturday", 21 * 5), ("weekday", 22 * 5)])
def test_holidays_count_as_the_plan_says(counts_as: str, peak: int, world: Any, interval_days: Make) -> None:
    plan = world.plan(HEAD + f'holidays = "us"\nholidays_as = "{counts_as}"\n' + PERIODS)
    holidays = {"us": frozenset({date(2026, 6, 19)})}
    assert by_source(world.bill(plan, records=interval_days(JUNE, one), holidays=holidays))["peak"] == peak


def test_a_holiday_may_be_a_kind_of_day_of_its_own(world: Any, interval_days: Make) -> None:
    own = '[[component.periods]]\nname = "holiday"\nprice = "0.05"\nhours = [{ days = ["holiday"] }]\n'
    plan = world.plan(HEAD + 'holidays = "us"\nholidays_as = "holiday"\n' + PERIODS + own)
    holidays = {"us": frozenset({date(2026, 6, 19)})}
    assert by_source(world.bill(plan, records=interval_days(JUNE, one), holidays=holidays))["holiday"] == 24


def test_an_unknown_holiday_calendar_holds_the_account(world: Any, interval_days: Make) -> None:
    plan = world.plan(HEAD + 'holidays = "us"\n' + PERIODS)
    (finding,) = world.bill(plan, records=interval_days(JUNE, one)).findings
    assert finding.code == "UTIL33"


def test_seasons_choose_the_hours(world: Any, interval_days: Make) -> None:
    seasons = """
[[component.seasons]]
name = "summer"
first = "06-16"
last = "09-30"
[[component.seasons]]
name = "winter"
first = "10-01"
last = "06-15"
"""
    periods = PERIODS.replace('end = "21:00" }', 'end = "21:00", seasons = ["summer"] }')
    rated = world.bill(world.plan(HEAD + seasons + periods), records=interval_days(JUNE, one))
    assert by_source(rated)["peak"] == 11 * 5


@pytest.mark.parametrize(
    ("day", "hours", "night"),
    [("2026-03-08", 23, 7), ("2026-11-01", 25, 9), ("2026-06-01", 24, 8)],
)
def test_days_of_23_and_25_hours_are_priced_by_local_time(
    day: str, hours: int, night: int, world: Any, interval_days: Make
) -> None:
    night_hours = '[[component.periods]]\nname = "night"\nprice = "0.1"\nhours = [{ start = "22:00", end = "06:00" }]\n'
    plan = world.plan(HEAD + night_hours + PERIODS)
    period = f"{day}/{date.fromisoformat(day) + timedelta(days=1)}"
    zone = "America/New_York"
    rated = world.bill(plan, records=interval_days(period, one, zone=zone), period=period, zone=zone)
    found = by_source(rated)
    assert found["night"] == night
    assert sum(found.values()) == hours


def test_the_repeated_hour_may_be_priced_as_another(world: Any, interval_days: Make) -> None:
    two = '[[component.periods]]\nname = "two"\nprice = "0.1"\nhours = [{ start = "02:00", end = "03:00" }]\n'
    period, zone = "2026-11-01/2026-11-02", "America/Los_Angeles"
    records = interval_days(period, one, zone=zone)
    for setting, hours in (("", 1), ('repeated_hour = "02:00"\n', 2)):
        rated = world.bill(world.plan(HEAD + setting + two + PERIODS), records=records, period=period, zone=zone)
        assert by_source(rated)["two"] == hours


def test_registers_by_period_give_the_same_bill_as_intervals(world: Any, read_at: Make, interval_days: Make) -> None:
    plan = world.plan(HEAD + PERIODS.replace('price = "0.10"', 'price = "0.10"\nregisters = ["2"]'))
    reads = [
        read_at(on, value, register=register)
        for register, used in (("peak", "110"), ("2", "610"))
        for on, value in (("2026-06-01", "0"), ("2026-07-01", used))
    ]
    by_registers = world.bill(plan, records=reads)
    by_intervals = world.bill(plan, records=interval_days(JUNE, one))
    assert by_source(by_registers) == by_source(by_intervals)
    assert [charge.amount for charge in by_registers.charges] == [charge.amount for charge in by_intervals.charges]


@pytest.mark.parametrize("problem", ["unknown register", "total only"])
def test_consumption_without_time_is_refused(problem: str, world: Any, read_at: Make, interval_days: Make) -> None:
    reads = [read_at(on, value, point="Q") for on, value in (("2026-06-01", "0"), ("2026-07-01", "9"))]
    if problem == "total only":
        reads += interval_days(JUNE, one)
    points = [point("Q"), *([point("P")] if problem == "total only" else [])]
    rated = world.bill(world.plan(HEAD + PERIODS), records=reads, assignments=points)
    assert [finding.code for finding in rated.findings] == ["UTIL29"]
    assert not rated.charges


def point(subject: str) -> Assignment:
    return Assignment(subject=subject, agreement="A", starts_on=date(2000, 1, 1))


def test_intervals_longer_than_a_period_s_edge_hold_the_account(world: Any, interval_days: Make) -> None:
    plan = world.plan(HEAD + PERIODS.replace('"16:00"', '"16:30"'))
    rated = world.bill(plan, records=interval_days(JUNE, one))
    assert [finding.code for finding in rated.findings] == ["UTIL28"]
    assert by_source(world.bill(plan, records=interval_days(JUNE, one, minutes=30)))["peak"] == 22 * 9


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEAD + PERIODS.replace("rest = true", 'hours = [{ days = ["weekend"] }]'), "UTIL30"),
        (HEAD + PERIODS.replace("rest = true", 'hours = [{ start = "20:00" }]'), "UTIL31"),
        (HEAD + PERIODS.replace('"off_peak"', '"peak"'), "UTIL31"),
        (HEAD + PERIODS + '[[component.periods]]\nname = "more"\nprice = "1"\nrest = true', "UTIL31"),
        (HEAD + PERIODS.replace("hours = [{", 'hours = [{ seasons = ["summer"],'), "UTIL32"),
        (HEAD + '[[component.seasons]]\nname = "s"\nfirst = "01-01"\nlast = "11-30"\n' + PERIODS, "UTIL32"),
        (HEAD + 'holidays_as = "holiday"\n' + PERIODS.replace("rest = true", 'hours = [{ days = ["weekend"] }]'), "UTIL30"),
        (HEAD.replace('measure = "consumption"\n', "") + PERIODS, "UTIL29"),
    ],
)
def test_the_check_of_a_plan_finds_wrong_hours_and_seasons(text: str, code: str, world: Any) -> None:
    read = world.read_plan(text)
    assert read.plan is not None
    findings = world.problems(read.plan)
    assert code in {finding.code for finding in findings}
    assert all(finding.stops and finding.remedy and finding.line for finding in findings)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"16:00"', '"4 pm"', "UTIL30"),
        ('"16:00"', '"24:30"', "UTIL30"),
        ('"weekday"', '"workday"', "PLAN04"),
        ("rest = true", 'rest = "yes"', "PLAN04"),
        ('price = "0.30"', "price = 0.30", "PLAN04"),
        ('unit = "kWh"', 'unit = "kWh"\npolicy = "x"', "PLAN02"),
        ('unit = "kWh"', 'unit = "kWh"\nrepeated_hour = "late"', "UTIL30"),
    ],
)
def test_misspelt_plans_are_refused_with_their_line(old: str, new: str, code: str, world: Any) -> None:
    read = world.read_plan((HEAD + PERIODS).replace(old, new))
    assert read.plan is None
    assert [(finding.code, bool(finding.line)) for finding in read.findings] == [(code, True)]


def test_a_misspelt_measure_is_found(world: Any) -> None:
    read = world.read_plan((HEAD + PERIODS).replace('"consumption"', '"consumtion"'))
    assert [finding.code for finding in world.problems(read.plan)] == ["PLAN10"]


CALENDAR = Calendar(
    periods=(
        PeriodHours(name="peak", hours=(Hours(days=(Days.WEEKDAY,), start="16:30", end="21:00"),), rest=False),
        PeriodHours(name="night", hours=(Hours(start="22:00", end="06:00"),), rest=False),
        PeriodHours(name="rest", hours=(), rest=True),
    )
)


@given(
    st.integers(1_700_000_000 // 300, 1_900_000_000 // 300),
    st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Europe/London"]),
    st.sampled_from([300, 900, 1800, 3600]),
)
@settings(max_examples=examples(300))
def test_the_classifier_agrees_with_the_wall_clock(number: int, name: str, seconds: int) -> None:
    zone = ZoneInfo(name)
    start = number * 300 // seconds * seconds

    def told(at: int) -> str:
        local = datetime.fromtimestamp(at, tz=zone)
        minute = local.hour * 60 + local.minute
        if local.weekday() < 5 and 990 <= minute < 1260:
            return "peak"
        return "night" if minute >= 1320 or minute < 360 else "rest"

    inside = {told(at) for at in range(start, start + seconds, 60)}
    expected = inside.pop() if len(inside) == 1 else ""
    assert Classifier(calendar=CALENDAR, zone=zone, holidays=frozenset()).period_of(start, start + seconds) == expected
    assert not list(CALENDAR.problems())


def test_seasons_cut_where_another_begins_and_may_span_the_new_year() -> None:
    seasons = (Season(name="w", first="10-01", last="05-31"), Season(name="s", first="06-01", last="09-30"))
    dates = DateSpan(date(2025, 9, 15), date(2026, 6, 15))
    assert season_breaks(seasons, dates) == (date(2025, 10, 1), date(2026, 6, 1))
    assert HolidaysAs("sunday") is HolidaysAs.SUNDAY
