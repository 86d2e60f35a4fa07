"""When an account is billed and when it must pay: periods from its billing cycle, due dates from its terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from billing_framework.accounts.account import Account
from billing_framework.values.business_day import BusinessCalendar, Roll
from billing_framework.values.calendar import CustomCycle, Cycle, ReadDateCycle, parse_cycle, period_containing
from billing_framework.values.period import DateSpan


def billing_period(
    account: Account,
    as_of: date,
    *,
    calendars: Mapping[str, CustomCycle] | None = None,
    read_dates: Sequence[date] = (),
) -> DateSpan:
    """Return the latest billing period of an account that has ended by `as_of`.

    Args:
        account: its `cycle` is read by `values.calendar.parse_cycle`.
        as_of: the date of the run; a period that ends at its midnight (its last day is the day before) has ended.
        calendars: the deployment's custom calendars by name.
        read_dates: dates of readings, ascending, for an account whose cycle is ``read-date``.

    Raises:
        ValueRefused: ``VALUE17`` or ``VALUE19`` where the cycle is none, ``VALUE18`` where it knows no period that far back, or
            a custom calendar does not reach `as_of`.
    """
    cycle = parse_cycle(account.cycle, calendars)
    if isinstance(cycle, ReadDateCycle):
        known = [day for day in read_dates if day <= as_of]
        cycle = ReadDateCycle(known)
        return last_period(cycle, known[-1] if known else as_of)
    return last_period(cycle, as_of)


def last_period(cycle: Cycle, as_of: date) -> DateSpan:
    """Return the latest whole period of `cycle` that has ended by `as_of`."""
    yesterday = period_containing(cycle, as_of - timedelta(days=1))
    return yesterday if yesterday.end <= as_of else period_containing(cycle, yesterday.start - timedelta(days=1))


def next_period(cycle: Cycle, period: DateSpan) -> DateSpan:
    """Return the period that follows `period`, which charges in advance are for.

    Where readings decide, nobody knows when the next one is taken: as many days again are taken for it.
    """
    if isinstance(cycle, ReadDateCycle):
        return DateSpan(period.end, period.end + (period.end - period.start))
    return period_containing(cycle, period.end)


def whole_period(cycle: Cycle, period: DateSpan) -> DateSpan:
    """Return the whole period of the cycle that `period` begins in, which prorated prices refer to."""
    return period if isinstance(cycle, ReadDateCycle) else period_containing(cycle, period.start)


def due_date(issue_on: date, due_days: int, calendar: BusinessCalendar | None = None, roll: Roll = Roll.FOLLOWING) -> date:
    """Return the date by which a document must be paid.

    Args:
        issue_on: date of the document.
        due_days: calendar days of the account's terms.
        calendar: business days; without one every day counts.
        roll: where a due date on a day without business goes.
    """
    day = issue_on + timedelta(days=due_days)
    return day if calendar is None else calendar.roll(day, roll)
