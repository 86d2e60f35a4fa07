from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.values.business_day import BusinessCalendar, Roll
from billing_framework.values.errors import ValueRefused

BANK = BusinessCalendar(name="bank", holidays=[date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1)])
DAYS = st.dates(date(2026, 1, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("day", "roll", "expected"),
    [
        (date(2026, 4, 4), Roll.FOLLOWING, date(2026, 4, 7)),  # over Easter Monday
        (date(2026, 4, 4), Roll.PRECEDING, date(2026, 4, 2)),  # over Good Friday
        (date(2026, 5, 30), Roll.MODIFIED_FOLLOWING, date(2026, 5, 29)),  # Monday would be in June
        (date(2026, 5, 2), Roll.MODIFIED_FOLLOWING, date(2026, 5, 4)),
        (date(2026, 4, 4), Roll.NONE, date(2026, 4, 4)),
        (date(2026, 4, 2), Roll.PRECEDING, date(2026, 4, 2)),
    ],
)
def test_dates_roll_to_business_days(day: date, roll: Roll, expected: date) -> None:
    assert BANK.roll(day, roll) == expected


def test_business_days_are_counted_over_holidays() -> None:
    assert BANK.add(date(2026, 4, 2), 1) == date(2026, 4, 7)
    assert BANK.add(date(2026, 4, 7), -1) == date(2026, 4, 2)
    assert BANK.add(date(2026, 4, 4), 0) == date(2026, 4, 7)
    assert BANK.add(date(2026, 4, 4), 3) == date(2026, 4, 9)


@given(DAYS, st.integers(1, 40))
def test_adding_and_taking_off_meet_again(day: date, count: int) -> None:
    start = BANK.roll(day, Roll.FOLLOWING)
    end = BANK.add(start, count)
    assert BANK.add(end, -count) == start
    between = [start + timedelta(days=number) for number in range(1, (end - start).days + 1)]
    assert sum(map(BANK.is_business_day, between)) == count


def test_friday_and_saturday_can_be_the_weekend() -> None:
    gulf = BusinessCalendar(name="gulf", weekend={4, 5})
    assert gulf.roll(date(2026, 1, 2), Roll.FOLLOWING) == date(2026, 1, 4)


@pytest.mark.parametrize("weekend", [range(7), {7}, {-1}])
def test_a_week_without_business_is_refused(weekend: frozenset[int]) -> None:
    with pytest.raises(ValueRefused, match="VALUE21"):
        BusinessCalendar(name="never", weekend=weekend)


def test_a_calendar_with_one_business_day_a_week_and_many_holidays_ends() -> None:
    mondays = [date(2026, 1, 5) + timedelta(weeks=week) for week in range(20)]
    calendar = BusinessCalendar(name="mondays", weekend=range(1, 7), holidays=mondays)
    assert calendar.roll(date(2026, 1, 1), Roll.FOLLOWING) == mondays[-1] + timedelta(weeks=1)
