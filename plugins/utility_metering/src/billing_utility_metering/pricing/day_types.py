"""Kinds of day and seasons of the year, as tariffs name them."""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import attrs

from billing_framework import DateSpan, ValueRefused

_MONTH_DAY = re.compile(r"(\d\d)-(\d\d)", re.ASCII)
_LEAP_YEAR = 2024


class Days(enum.Enum):
    """Which days a rule is for; ``HOLIDAY`` only exists where the tariff keeps holidays apart."""

    EVERY = "every"
    WEEKDAY = "weekday"
    WEEKEND = "weekend"
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    HOLIDAY = "holiday"


_WEEK = (Days.MONDAY, Days.TUESDAY, Days.WEDNESDAY, Days.THURSDAY, Days.FRIDAY, Days.SATURDAY, Days.SUNDAY)
_MEMBERS: Mapping[Days, frozenset[Days]] = {
    **{day: frozenset({day}) for day in (*_WEEK, Days.HOLIDAY)},
    Days.WEEKDAY: frozenset(_WEEK[:5]),
    Days.WEEKEND: frozenset(_WEEK[5:]),
    Days.EVERY: frozenset({*_WEEK, Days.HOLIDAY}),
}


class HolidaysAs(enum.Enum):
    """What a holiday counts as: the weekday that it falls on, a Saturday, a Sunday, or a kind of day of its own."""

    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    HOLIDAY = "holiday"


def members(days: Sequence[Days]) -> frozenset[Days]:
    """Return the single kinds of day that a list names: Monday to Sunday, and holiday."""
    return frozenset(single for day in days for single in _MEMBERS[day])


def kind_of(day: date, holidays: frozenset[date], holidays_as: HolidaysAs) -> Days:
    """Return the kind of a date: Monday to Sunday, or holiday."""
    if day in holidays and holidays_as is not HolidaysAs.WEEKDAY:
        return Days(holidays_as.value)
    return _WEEK[day.weekday()]


def kinds_in_use(holidays_as: HolidaysAs) -> tuple[Days, ...]:
    """Return the kinds of day that a tariff must cover."""
    return (*_WEEK, Days.HOLIDAY) if holidays_as is HolidaysAs.HOLIDAY else _WEEK


def month_day(text: str) -> tuple[int, int]:
    """Return month and day of ``06-01``.

    Raises:
        ValueRefused: ``UTIL32`` for anything else; 29 February is a day.
    """
    match = _MONTH_DAY.fullmatch(text)
    try:
        if match:
            date(_LEAP_YEAR, int(match[1]), int(match[2]))
            return int(match[1]), int(match[2])
    except ValueError:
        pass
    raise ValueRefused("UTIL32", f"{text!r} is no day of the year", remedy="Write month and day as 06-01")


def is_month_day(_season: object, _field: object, text: str) -> None:
    """Refuse text that is no day of the year; an attrs validator."""
    month_day(text)


@attrs.frozen(kw_only=True)
class Season:
    """A part of the year that comes every year.

    Attributes:
        name: unique in the component.
        first: first day as month and day: ``06-01``.
        last: last day, included: ``09-30``; earlier than `first` where the season spans the new year.
    """

    name: str
    first: str = attrs.field(validator=is_month_day)
    last: str = attrs.field(validator=is_month_day)

    def __contains__(self, day: date) -> bool:
        first, last, own = month_day(self.first), month_day(self.last), (day.month, day.day)
        return first <= own <= last if first <= last else own >= first or own <= last


def season_of(day: date, seasons: Sequence[Season]) -> str:
    """Return the name of the season that a date lies in; empty where there are no seasons."""
    return next((season.name for season in seasons if day in season), "")


@functools.lru_cache(maxsize=256)
def season_breaks(seasons: tuple[Season, ...], dates: DateSpan) -> tuple[date, ...]:
    """Return the dates inside a span on which another season begins; the same for all accounts of a plan."""
    return tuple(
        day
        for day in dates.dates()
        if day > dates.start and season_of(day, seasons) != season_of(day - timedelta(days=1), seasons)
    )


def season_problems(seasons: Sequence[Season]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a row of seasons and what to do: names given twice, days of the year in none or in two."""
    names = [season.name for season in seasons]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"the season {name!r} is given twice", "Give each season one entry, or one name each"
    if not seasons:
        return
    year = DateSpan(date(_LEAP_YEAR, 1, 1), date(_LEAP_YEAR + 1, 1, 1))
    for wanted, what in ((0, "in no season"), (2, "in more than one season")):
        days = [day for day in year.dates() if min(sum(day in season for season in seasons), 2) == wanted]
        if days:
            yield (
                f"{len(days)} days of the year are {what}, the first is {days[0]:%m-%d}",
                "Let the seasons follow each other without gap or overlap",
            )
