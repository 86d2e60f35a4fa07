"""Reads which book and period an officer means."""

from __future__ import annotations

import re
from datetime import date

from billing_framework.run.deployment import Deployment
from billing_framework.storage.master.book_rows import find_books
from billing_framework.values.calendar import parse_cycle, period_containing, periods
from billing_framework.values.errors import InputRefused
from billing_framework.values.period import DateSpan

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
    if len(known) != 1:
        remedy = f"Name it with --book: {', '.join(known)}" if known else "Load one: billing book load FILE"
        raise InputRefused("RUN22", f"there are {len(known)} books", remedy=remedy)
    return known[0]


def run_period(cycle: str, text: str) -> DateSpan:
    """Return the billing period of a cycle that `text` means.

    Args:
        cycle: billing cycle in text form.
        text: a month ``2026-07`` for the first period that begins in it, or a date for the period that holds it.

    Raises:
        InputRefused: ``RUN22`` for another text, or a month in which no period begins.
    """
    parsed = parse_cycle(cycle)
    try:
        month = _MONTH.fullmatch(text)
        if month is None:
            return period_containing(parsed, date.fromisoformat(text))
        first = date(int(month[1]), int(month[2]), 1)
    except ValueError as error:
        remedy = "Write a month such as 2026-07, or a date such as 2026-07-15"
        raise InputRefused("RUN22", f"{text!r} is neither a month nor a date", remedy=remedy) from error
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    for period in periods(parsed, DateSpan(first, after)):
        if first <= period.start < after:
            return period
    raise InputRefused("RUN22", f"no period of the cycle {cycle} begins in {text}", remedy="Give a date inside the period")
