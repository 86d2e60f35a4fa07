from datetime import date

import attrs
import pytest

from billing_framework.invoicing.cycle import billing_period, due_date, next_period
from billing_framework.values.business_day import BusinessCalendar, Roll
from billing_framework.values.calendar import parse_cycle
from billing_framework.values.errors import ValueRefused
from billing_framework.values.period import DateSpan
from tests.invoicing.drafts import ACCOUNT


@pytest.mark.parametrize(
    ("cycle", "as_of", "period"),
    [
        ("monthly:1", date(2026, 8, 1), DateSpan(date(2026, 7, 1), date(2026, 8, 1))),
        ("monthly:1", date(2026, 7, 31), DateSpan(date(2026, 6, 1), date(2026, 7, 1))),
        ("monthly:31", date(2026, 3, 15), DateSpan(date(2026, 1, 31), date(2026, 2, 28))),
        ("quarterly:1", date(2026, 8, 20), DateSpan(date(2026, 4, 1), date(2026, 7, 1))),
        ("weekly:4:2026-01-05", date(2026, 2, 3), DateSpan(date(2026, 1, 5), date(2026, 2, 2))),
    ],
)
def test_the_latest_period_that_has_ended(cycle: str, as_of: date, period: DateSpan) -> None:
    assert billing_period(attrs.evolve(ACCOUNT, cycle=cycle), as_of) == period


def test_read_dates_bound_the_period_and_may_be_missing() -> None:
    account = attrs.evolve(ACCOUNT, cycle="read-date")
    reads = [date(2026, 5, 4), date(2026, 6, 3), date(2026, 7, 6)]
    assert billing_period(account, date(2026, 7, 20), read_dates=reads) == DateSpan(date(2026, 6, 3), date(2026, 7, 6))
    assert billing_period(account, date(2026, 7, 5), read_dates=reads) == DateSpan(date(2026, 5, 4), date(2026, 6, 3))
    with pytest.raises(ValueRefused, match="VALUE18"):
        billing_period(account, date(2026, 7, 20), read_dates=reads[:1])


def test_a_due_date_rolls_off_the_weekend() -> None:
    calendar = BusinessCalendar(name="DE", holidays=frozenset({date(2026, 8, 17)}))
    assert due_date(date(2026, 8, 1), 14) == date(2026, 8, 15)
    assert due_date(date(2026, 8, 1), 14, calendar) == date(2026, 8, 18)
    assert due_date(date(2026, 8, 1), 14, calendar, Roll.PRECEDING) == date(2026, 8, 14)


def test_the_next_period_is_what_is_charged_in_advance() -> None:
    cycle = parse_cycle("monthly:31")
    assert next_period(cycle, DateSpan(date(2026, 1, 31), date(2026, 2, 28))) == DateSpan(date(2026, 2, 28), date(2026, 3, 31))
