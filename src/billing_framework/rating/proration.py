"""Proration: which part of a month or year some dates are, as an exact fraction, by the named policies.

Every policy counts up from the first billed date of the unit; a part is the count at its end less the count at its start. So the
parts of a billed unit always add up to what the unit is billed as a whole, wherever plan versions cut it.
"""

from __future__ import annotations

import functools
from datetime import date, timedelta
from fractions import Fraction

from billing_framework.rating.price_plan import Proration
from billing_framework.values.period import DateSpan

_MONTH_DAYS = 30


@functools.lru_cache(maxsize=4096)
def factor(
    dates: DateSpan,
    unit: DateSpan,
    policy: Proration,
    *,
    service: DateSpan | None = None,
    months: int = 1,
    fixed_days: int = _MONTH_DAYS,
) -> Fraction:
    """Return which part of `unit` the `dates` are.

    Args:
        dates: the dates of one part; days outside `unit` and `service` do not count.
        unit: the whole month, year or billing period that the price is for.
        policy: how days become a part.
        service: all dates that are billed of the unit (from move-in to move-out), which `dates` is a part of; by default
            `dates` itself.
        months: length of `unit` in months, for the policies of fixed months.
        fixed_days: days of a month under ``Proration.FIXED_DAYS``.

    Returns:
        0 to 1. Over parts that add up to `service` the results add up to the factor of `service`, and to 1 where that is the
        whole unit.
    """
    billed = (service or dates).intersection(unit)
    part = dates.intersection(billed) if billed else None
    if billed is None or part is None:
        return Fraction(0)
    size = {Proration.FIXED_30: _MONTH_DAYS, Proration.FIXED_DAYS: fixed_days}.get(policy, 0) * months

    def counted(until: date) -> Fraction:
        if until == billed.start:
            return Fraction(0)
        if policy is Proration.NONE or (until == unit.end and billed.start == unit.start):
            return Fraction(1)
        if policy is Proration.ACTUAL_DAYS:
            return Fraction((until - billed.start).days, unit.days)
        if policy is Proration.THIRTY_360:
            return Fraction(days_360(billed.start, until), days_360(unit.start, unit.end) or unit.days)
        return min(Fraction((until - billed.start).days, size), Fraction(1))

    return counted(part.end) - counted(part.start)


def days_360(start: date, end: date) -> int:
    """Return the days between two dates in years of twelve months of thirty days (30E/360: day 31 counts as day 30)."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months * _MONTH_DAYS + min(end.day, _MONTH_DAYS) - min(start.day, _MONTH_DAYS)


def with_last_day(dates: DateSpan, ends_on: date | None, unit: DateSpan) -> DateSpan:
    """Return `dates` with the day `ends_on` added, for plans that bill the day on which an agreement ends.

    Our spans are half-open: a customer who moves out on the 10th is billed up to the 9th. Under an inclusive end the 10th is
    billed too, as far as it lies in `unit`.
    """
    if ends_on is None or dates.end != ends_on or ends_on >= unit.end:
        return dates
    return DateSpan(dates.start, dates.end + timedelta(days=1))
