"""Reads which book and period an officer means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from billing_framework.run.deployment import Deployment
from billing_framework.storage.master.book_rows import find_books
from billing_framework.values.calendar import CustomCycle, Cycle, ReadDateCycle, parse_cycle, period_containing, periods
from billing_framework.values.errors import InputRefused
from billing_framework.values.period import DateSpan, sane_date

_READ_DATES = "Write the date of the opening reading and the day before the closing one: 2026-07-03/2026-08-02"
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


def run_book(deployment: Deployment, given: str) -> str:
    """Return the book that is meant: the given one, else the only one.

    Raises:
        InputRefused: ``RUN22`` where there are several or none.
    """
    if given:
        return given
    with deployment.database.read() as connection:
        known = sorted(find_books(connection))
    if not known:
        raise InputRefused("RUN22", "there is no book yet", remedy="Describe one in a file, then load it: billing book load FILE")
    if len(known) != 1:
        raise InputRefused("RUN22", f"there are {len(known)} books", remedy=f"Name it with --book: {', '.join(known)}")
    return known[0]


def run_period(cycle: str, text: str, calendars: Mapping[str, CustomCycle] | None = None) -> DateSpan:
    """Return the billing period of a cycle that `text` means.

    Args:
        cycle: billing cycle in text form.
        text: a month ``2026-07`` for the first period that begins in it, a date for the period that holds it, or the first and
            the last date of the period, ``2026-07-03/2026-08-02``. Where readings decide (``read-date``) it must be these two:
            the date of the opening reading, and the day before the closing one.
        calendars: the deployment's custom calendars by name.

    Raises:
        InputRefused: ``RUN22`` for another text, or dates that are no period of the cycle.
    """
    parsed = parse_cycle(cycle, calendars)
    try:
        if "/" in text:
            first, last = text.split("/")
            dates = DateSpan.inclusive(sane_date(date.fromisoformat(first)), sane_date(date.fromisoformat(last)))
            return _stated(parsed, dates, cycle)
        month = _MONTH.fullmatch(text)
        if isinstance(parsed, ReadDateCycle):
            raise InputRefused("RUN22", f"{text!r} is not the two dates of a reading period", remedy=_READ_DATES)
        if month is None:
            return period_containing(parsed, sane_date(date.fromisoformat(text)))
        begin = sane_date(date(int(month[1]), int(month[2]), 1))
    except ValueError as error:
        raise _not_understood(text) from error
    after = date(begin.year + begin.month // 12, begin.month % 12 + 1, 1)
    for period in periods(parsed, DateSpan(begin, after)):
        if begin <= period.start < after:
            return period
    raise InputRefused("RUN22", f"no period of the cycle {cycle} begins in {text}", remedy="Give a date inside the period")


def _stated(cycle: Cycle, period: DateSpan, name: str) -> DateSpan:
    if not isinstance(cycle, ReadDateCycle) and period_containing(cycle, period.start) != period:
        remedy = f"The period of {period.start} is {period_containing(cycle, period.start)}"
        raise InputRefused("RUN22", f"{period} is no period of the cycle {name}", remedy=remedy)
    return period


def _not_understood(text: str) -> InputRefused:
    remedy = "Write a month such as 2026-07, a date such as 2026-07-15, or two dates such as 2026-07-03/2026-08-02"
    return InputRefused("RUN22", f"{text!r} says no period", remedy=remedy)
