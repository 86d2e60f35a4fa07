"""Terms: the months, quarters and years that prices, tiers and commitments refer to, and where each begins."""

from __future__ import annotations

import enum
import functools
from datetime import date, timedelta

import attrs

from billing_framework.values.period import DateSpan


class Alignment(enum.Enum):
    """Where terms begin.

    ``CYCLE``: with the billing period; ``CALENDAR``: with the calendar's month, quarter or year; ``ANNIVERSARY``: on the day of
    the month on which the agreement started.
    """

    CYCLE = "cycle"
    CALENDAR = "calendar"
    ANNIVERSARY = "anniversary"


class Interval(enum.Enum):
    """What a price is for: a ``DAY``, a ``MONTH``, a ``QUARTER``, a ``YEAR``, or the billing ``PERIOD`` however long it is."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    PERIOD = "period"

    @property
    def months(self) -> int:
        """Number of months; 0 for days and periods."""
        return {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}.get(self, 0)


@attrs.frozen
class _MonthRow:
    """An endless row of terms of whole months; each edge is computed from the anchor, so that day 31 springs back."""

    anchor: date
    months: int

    def edge(self, number: int) -> date:
        year, month = divmod(self.anchor.year * 12 + self.anchor.month - 1 + number * self.months, 12)
        following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
        return min(date(year, month + 1, 1) + timedelta(days=self.anchor.day - 1), following - timedelta(days=1))

    def term(self, number: int) -> DateSpan:
        return DateSpan(self.edge(number), self.edge(number + 1))

    def number_of(self, day: date) -> int:
        number = ((day.year - self.anchor.year) * 12 + day.month - self.anchor.month) // self.months
        return number if self.edge(number) <= day else number - 1


@functools.lru_cache(maxsize=4096)
def terms_over(dates: DateSpan, months: int, anchor: date) -> tuple[DateSpan, ...]:
    """Return the whole terms of `months` months, counted from `anchor`, that share a day with `dates`, in order."""
    row = _MonthRow(anchor, months)
    return tuple(row.term(number) for number in range(row.number_of(dates.start), row.number_of(dates.last) + 1))


def anchor_of(alignment: Alignment, starts_on: date) -> date:
    """Return the day from which terms are counted: the agreement's first day, or a first of January."""
    return starts_on if alignment is Alignment.ANNIVERSARY else date(2000, 1, 1)


@functools.lru_cache(maxsize=1024)
def cycle_anchor(period: DateSpan) -> date:
    """Return the day from which the months of a billing cycle are counted, a first of January where its periods are no months.

    15 January to 15 April are three months from the 15th; 28 February to 31 March is one month of a cycle on day 31. A period
    of 28 days is priced by the calendar months that it touches.
    """
    count = (period.end.year - period.start.year) * 12 + period.end.month - period.start.month
    # January has every day of the month, so an anchor there never hides that the cycle is on day 31.
    anchor = date(period.start.year, 1, max(period.start.day, period.end.day))
    row = _MonthRow(anchor, 1)
    first = period.start.month - 1
    whole = count >= 1 and (row.edge(first), row.edge(first + count)) == (period.start, period.end)
    return anchor if whole else date(2000, 1, 1)


def breaks_in(dates: DateSpan, months: int, anchor: date) -> tuple[date, ...]:
    """Return the dates strictly inside `dates` on which a term begins."""
    return tuple(term.start for term in terms_over(dates, months, anchor) if term.start > dates.start)
