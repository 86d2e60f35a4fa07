"""Calendars of whole weeks: 4-4-5, 4-5-4 and 5-4-4, with the years of 53 weeks.

Every quarter has thirteen weeks in three periods. The year ends on one weekday: either the last such day of a month, or the one
nearest to the month's end (the rule of the National Retail Federation's 4-5-4 calendar: the Saturday nearest to 31 January).
A year of 53 weeks gives the extra week to its last period.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import attrs

from billing_framework.values.calendar import CustomCycle
from billing_framework.values.errors import ValueRefused
from billing_framework.values.spelling import did_you_mean

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PATTERNS = ("4-4-5", "4-5-4", "5-4-4")
ENDINGS = ("last", "nearest")


def _one_of(*known: str) -> Callable[[object, attrs.Attribute[str], str], None]:
    def check(_holder: object, field: attrs.Attribute[str], value: str) -> None:
        if value not in known:
            raise ValueRefused(
                "VALUE20", f"{field.name} {value!r} of a week calendar is unknown", remedy=did_you_mean(value, known)
            )

    return check


@attrs.frozen(kw_only=True)
class WeekYear:
    """How years of whole weeks are cut.

    Attributes:
        pattern: weeks of the three periods of a quarter, one of `PATTERNS`.
        weekday: the weekday on which each year ends.
        month: the calendar month at whose end the year ends, 1 to 12.
        ending: ``last``: the last such weekday of the month; ``nearest``: the one nearest to the month's last day.
    """

    pattern: str = attrs.field(validator=_one_of(*PATTERNS))
    weekday: str = attrs.field(default="saturday", validator=_one_of(*WEEKDAYS))
    month: int = attrs.field(default=1)
    ending: str = attrs.field(default="last", validator=_one_of(*ENDINGS))

    @month.validator
    def _is_month(self, _field: object, value: int) -> None:
        if not 1 <= value <= 12:
            raise ValueRefused("VALUE20", f"month of a week calendar must be from 1 to 12, not {value}")

    def year_end(self, year: int) -> date:
        """Return the last day of the year whose final month lies in calendar year `year`."""
        month_end = date(year + self.month // 12, self.month % 12 + 1, 1) - timedelta(days=1)
        back = (month_end.weekday() - WEEKDAYS.index(self.weekday)) % 7
        forward = 7 - back if back > 3 and self.ending == "nearest" else -back
        return month_end + timedelta(days=forward)

    def boundaries(self, year: int) -> list[date]:
        """Return the first day of each of the twelve periods of the year that ends in `year`."""
        start, end = self.year_end(year - 1) + timedelta(days=1), self.year_end(year)
        lengths = [int(weeks) for weeks in self.pattern.split("-")] * 4
        days = [start]
        for weeks in lengths[:-1]:
            days.append(days[-1] + timedelta(weeks=weeks))
        last_weeks = ((end - days[-1]).days + 1) // 7
        if last_weeks - lengths[-1] not in (0, 1):
            raise ValueRefused("VALUE20", f"the year to {end} has neither 52 nor 53 weeks")
        return days


def week_calendar(name: str, rule: WeekYear, first_year: int, last_year: int) -> CustomCycle:
    """Return the periods of the years that end in `first_year` to `last_year` as a named calendar.

    Raises:
        ValueRefused: ``VALUE20`` where the years do not ascend or are too many.
    """
    if not 0 <= last_year - first_year < 200:
        raise ValueRefused("VALUE20", f"calendar {name!r} cannot run from {first_year} to {last_year}")
    days = [day for year in range(first_year, last_year + 1) for day in rule.boundaries(year)]
    return CustomCycle(name, [*days, rule.year_end(last_year) + timedelta(days=1)])


def calendar_from(name: str, table: Mapping[str, object]) -> CustomCycle:
    """Return a custom calendar from its table in ``billing.toml``: listed ``boundaries``, or a week pattern with its years.

    Args:
        name: the calendar's name.
        table: ``{"boundaries": [dates]}``, or ``pattern``, ``first_year``, ``last_year`` and optionally ``weekday``, ``month``,
            ``ending`` of `WeekYear`.

    Raises:
        ValueRefused: ``VALUE20`` for an unknown key, a missing key or a value of the wrong kind.
    """
    if set(table) == {"boundaries"}:
        days = table["boundaries"]
        if isinstance(days, list | tuple) and all(type(day) is date for day in days):
            return CustomCycle(name, days)
        raise ValueRefused("VALUE20", f"boundaries of calendar {name!r} must be a list of dates")
    kinds = {"pattern": str, "first_year": int, "last_year": int, "weekday": str, "month": int, "ending": str}
    for key, value in table.items():
        if key not in kinds:
            raise ValueRefused(
                "VALUE20", f"calendar {name!r} has an unknown key {key!r}", remedy=did_you_mean(key, [*kinds, "boundaries"])
            )
        if type(value) is not kinds[key]:
            raise ValueRefused("VALUE20", f"{key} of calendar {name!r} must be {kinds[key].__name__}, not {value!r}")
    missing = [key for key in ("pattern", "first_year", "last_year") if key not in table]
    if missing:
        raise ValueRefused("VALUE20", f"calendar {name!r} lacks {', '.join(missing)}", remedy="Or list its boundaries")
    rule = {key: value for key, value in table.items() if key not in ("first_year", "last_year")}
    return week_calendar(name, WeekYear(**rule), table["first_year"], table["last_year"])  # type: ignore[arg-type]  # checked above
