"""Billing calendars: where one billing period ends and the next begins.

A cycle is an endless row of boundaries. Each boundary is computed from the cycle's anchor, never from the boundary before it, so
that day 31 is clamped to 28 February and springs back to 31 March. `parse_cycle` reads the one text form that ``billing.toml``,
CSV files and the command line share; `str` of a cycle writes it.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Protocol

import attrs

from billing_framework.values.errors import ValueRefused
from billing_framework.values.period import DateSpan
from billing_framework.values.spelling import did_you_mean

FORMS = (
    "monthly:DAY",
    "monthly:DAY:MONTHS:YYYY-MM",
    "quarterly:DAY[:FIRST-MONTH]",
    "yearly:MM-DD",
    "weekly:WEEKS:YYYY-MM-DD",
    "daily:DAYS:YYYY-MM-DD",
    "custom:NAME",
    "read-date",
)
"""The text forms of `parse_cycle`."""


class Cycle(Protocol):
    """An ordered row of period boundaries, numbered without end in both directions or as far as they are known."""

    def boundary(self, number: int) -> date:
        """Return the first day of period `number`; a cycle that knows no such boundary raises ``VALUE18``."""
        ...

    def number_of(self, day: date) -> int:
        """Return the number of the period that holds `day`; a cycle that does not reach so far raises ``VALUE18``."""
        ...


def period_containing(cycle: Cycle, day: date) -> DateSpan:
    """Return the billing period of `cycle` that holds `day`."""
    number = cycle.number_of(day)
    return DateSpan(cycle.boundary(number), cycle.boundary(number + 1))


def next_after(cycle: Cycle, day: date) -> date:
    """Return the first boundary later than `day`: the day on which the next period begins."""
    return cycle.boundary(cycle.number_of(day) + 1)


def periods(cycle: Cycle, span: DateSpan) -> tuple[DateSpan, ...]:
    """Return the whole periods that share a day with `span`, in order; the first and last may reach beyond it."""
    first, last = cycle.number_of(span.start), cycle.number_of(span.last)
    return tuple(DateSpan(cycle.boundary(number), cycle.boundary(number + 1)) for number in range(first, last + 1))


def _between(low: int, high: int) -> Callable[[object, attrs.Attribute[int], int], None]:
    def check(_holder: object, field: attrs.Attribute[int], value: int) -> None:
        if not low <= value <= high:
            raise ValueRefused("VALUE17", f"{field.name} of a cycle must be from {low} to {high}, not {value}")

    return check


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


def _dates(days: Iterable[date]) -> tuple[date, ...]:
    return tuple(days)


@attrs.frozen
class MonthlyCycle:
    """Periods of one or more months that begin on a day of the month; quarterly and yearly cycles are 3 and 12 months.

    Attributes:
        day: day of the month, 1 to 31; a shorter month begins its period on its last day.
        months: length of a period in months.
        anchor: a month in which a period begins, as its first day; it decides which months the others are.
    """

    day: int = attrs.field(default=1, validator=_between(1, 31))
    months: int = attrs.field(default=1, validator=_between(1, 1200))
    anchor: date = attrs.field(default=date(2000, 1, 1), converter=_first_of_month)

    def boundary(self, number: int) -> date:
        """Return the first day of period `number`, counted from the anchor."""
        years, month = divmod(self.anchor.year * 12 + self.anchor.month - 1 + number * self.months, 12)
        return _clamped(years, month + 1, self.day)

    def number_of(self, day: date) -> int:
        """Return the number of the period that holds `day`."""
        since_anchor = (day.year - self.anchor.year) * 12 + day.month - self.anchor.month
        number = since_anchor // self.months
        return number if self.boundary(number) <= day else number - 1

    def __str__(self) -> str:
        anchor = f"{self.anchor.year:04}-{self.anchor.month:02}"
        from_2000 = self.anchor.year == 2000 and self.anchor.month <= self.months
        if self.months == 1:
            return f"monthly:{self.day}"
        if self.months == 3 and from_2000:
            return f"quarterly:{self.day}" + (f":{self.anchor.month}" if self.anchor.month > 1 else "")
        if self.months == 12 and from_2000:
            return f"yearly:{self.anchor.month:02}-{self.day:02}"
        return f"monthly:{self.day}:{self.months}:{anchor}"


def _clamped(year: int, month: int, day: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(days=day - 1), following - timedelta(days=1))


@attrs.frozen
class DailyCycle:
    """Periods of a fixed number of days: weekly, fortnightly, four-weekly, every ten days.

    Attributes:
        days: length of a period in days.
        anchor: a day on which a period begins.
    """

    days: int = attrs.field(validator=_between(1, 36600))
    anchor: date

    def boundary(self, number: int) -> date:
        """Return the first day of period `number`, counted from the anchor."""
        return self.anchor + timedelta(days=number * self.days)

    def number_of(self, day: date) -> int:
        """Return the number of the period that holds `day`."""
        return (day - self.anchor).days // self.days

    def __str__(self) -> str:
        weeks, rest = divmod(self.days, 7)
        return f"daily:{self.days}:{self.anchor}" if rest else f"weekly:{weeks}:{self.anchor}"


def _ascending(name: str, boundaries: tuple[date, ...]) -> None:
    for earlier, later in pairwise(boundaries):
        if earlier >= later:
            raise ValueRefused("VALUE17", f"the boundaries of {name} must ascend, but {later} follows {earlier}")


@attrs.frozen
class CustomCycle:
    """A named calendar whose boundaries are listed one by one, for example a 4-4-5 calendar; see `week_calendar`.

    Attributes:
        name: the calendar's name in ``billing.toml``.
        boundaries: first day of each period, ascending, and the day after the last period.
    """

    name: str
    boundaries: tuple[date, ...] = attrs.field(converter=_dates)

    def __attrs_post_init__(self) -> None:
        _ascending(f"calendar {self.name!r}", self.boundaries)

    def boundary(self, number: int) -> date:
        """Return the first day of period `number`, counted from 0."""
        return _listed(self.boundaries, number, f"calendar {self.name!r}", "Add the boundaries of more periods to the calendar")

    def number_of(self, day: date) -> int:
        """Return the number of the period that holds `day`."""
        return _position(self.boundaries, day, f"calendar {self.name!r}", "Add the boundaries of more periods to the calendar")

    def __str__(self) -> str:
        return f"custom:{self.name}"


@attrs.frozen
class ReadDateCycle:
    """A period ends when its delivery was read off; the boundaries are data, known only as far as there are readings.

    Attributes:
        boundaries: dates of the readings, ascending; none until `attrs.evolve` supplies them.
    """

    boundaries: tuple[date, ...] = attrs.field(default=(), converter=_dates)

    def __attrs_post_init__(self) -> None:
        _ascending("the read dates", self.boundaries)

    def boundary(self, number: int) -> date:
        """Return the date of reading `number`, counted from 0."""
        return _listed(self.boundaries, number, "the read dates", "Wait for the next reading, or enter an estimate")

    def number_of(self, day: date) -> int:
        """Return the number of the reading that began the period which holds `day`."""
        return _position(self.boundaries, day, "the read dates", "Wait for the next reading, or enter an estimate")

    def __str__(self) -> str:
        return "read-date"


def _reach(boundaries: tuple[date, ...]) -> str:
    return f"which reach from {boundaries[0]} to {boundaries[-1]}" if boundaries else "of which there are none"


def _listed(boundaries: tuple[date, ...], number: int, name: str, remedy: str) -> date:
    if not 0 <= number < len(boundaries):
        raise ValueRefused("VALUE18", f"{name}, {_reach(boundaries)}, have no boundary number {number}", remedy=remedy)
    return boundaries[number]


def _position(boundaries: tuple[date, ...], day: date, name: str, remedy: str) -> int:
    number = bisect.bisect_right(boundaries, day) - 1
    if not 0 <= number < len(boundaries) - 1:
        raise ValueRefused("VALUE18", f"{name}, {_reach(boundaries)}, hold no period for {day}", remedy=remedy)
    return number


def parse_cycle(text: str, calendars: Mapping[str, CustomCycle] | None = None) -> Cycle:
    """Return the cycle that `text` names, in one of the `FORMS`.

    Args:
        text: for example ``monthly:15``, ``weekly:4:2026-01-05``, ``quarterly:1``, ``yearly:04-01``, ``custom:retail-445``.
        calendars: the deployment's custom calendars by name.

    Raises:
        ValueRefused: ``VALUE17`` for a text of another form, ``VALUE19`` for an unknown calendar.
    """
    kind, *parts = text.strip().split(":")
    if kind == "custom" and len(parts) == 1:
        known = calendars or {}
        if parts[0] not in known:
            raise ValueRefused("VALUE19", f"there is no calendar {parts[0]!r}", remedy=did_you_mean(parts[0], known))
        return known[parts[0]]
    try:
        return _cycle(kind, parts)
    except (ValueError, OverflowError) as error:
        raise ValueRefused(
            "VALUE17", f"{text!r} is no billing cycle", place="cycle", remedy=f"Write one of {', '.join(FORMS)}"
        ) from error


def _cycle(kind: str, parts: list[str]) -> Cycle:
    match kind, parts:
        case "monthly", [day]:
            return MonthlyCycle(int(day))
        case "monthly", [day, months, anchor]:
            return MonthlyCycle(int(day), int(months), date.fromisoformat(f"{anchor}-01"))
        case "quarterly", [day]:
            return MonthlyCycle(int(day), 3)
        case "quarterly", [day, month]:
            return MonthlyCycle(int(day), 3, date(2000, (date(2000, int(month), 1).month - 1) % 3 + 1, 1))
        case "yearly", [start]:
            first = date.fromisoformat(f"2000-{start}")  # a leap year, so that 02-29 can be said
            return MonthlyCycle(first.day, 12, first)
        case "weekly", [weeks, anchor]:
            return DailyCycle(7 * int(weeks), date.fromisoformat(anchor))
        case "daily", [days, anchor]:
            return DailyCycle(int(days), date.fromisoformat(anchor))
        case "read-date", []:
            return ReadDateCycle()
        case _:
            raise ValueError(kind)
