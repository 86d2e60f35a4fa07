"""Periods of the day (peak, off-peak): which one an instant belongs to by local time, and whether every hour has exactly one."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs

from billing_framework import ValueRefused
from billing_utility_metering.pricing.day_types import Days, HolidaysAs, Season, kind_of, kinds_in_use, members, season_of
from billing_utility_metering.time_cover import instant_of

_CLOCK = re.compile(r"(\d\d):(\d\d)", re.ASCII)
_DAY_MINUTES = 1440
_DAY_SECONDS = 86_400
_ONE_DAY = timedelta(days=1)


def minute_of(text: str) -> int:
    """Return the minute of the day that ``16:30`` says; ``24:00`` is the end of the day.

    Raises:
        ValueRefused: ``UTIL30`` for anything else.
    """
    match = _CLOCK.fullmatch(text)
    minute = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else _DAY_MINUTES + 1
    if minute > _DAY_MINUTES:
        raise ValueRefused("UTIL30", f"{text!r} is no time of day", remedy="Write hours and minutes as 16:00, the end as 24:00")
    return minute


def is_clock(_holder: object, _field: object, text: str) -> None:
    """Refuse text that is no time of day; an attrs validator."""
    minute_of(text)


def is_clock_or_empty(_holder: object, _field: object, text: str) -> None:
    """Refuse text that is neither a time of day nor empty; an attrs validator."""
    if text:
        minute_of(text)


@attrs.frozen(kw_only=True)
class Hours:
    """Hours of some days that belong to a period.

    Attributes:
        days: the days; all where not given.
        start: first minute as local time, ``16:00``.
        end: the minute after the last, up to ``24:00``. At or before `start` it means the hours from `start` to midnight and
            those from midnight to `end`, both of the named days: ``22:00`` to ``06:00`` on Saturday begins with its first hour.
        seasons: names of the seasons; all where not given.
    """

    days: tuple[Days, ...] = (Days.EVERY,)
    start: str = attrs.field(default="00:00", validator=is_clock)
    end: str = attrs.field(default="24:00", validator=is_clock)
    seasons: tuple[str, ...] = ()

    @functools.cached_property
    def kinds(self) -> frozenset[Days]:
        """The single kinds of day."""
        return members(self.days)

    @functools.cached_property
    def minutes(self) -> tuple[tuple[int, int], ...]:
        """The ranges of minutes of a day."""
        start, end = minute_of(self.start), minute_of(self.end)
        if start < end:
            return ((start, end),)
        return tuple((low, high) for low, high in ((0, end), (start, _DAY_MINUTES)) if low < high)


@attrs.frozen(kw_only=True)
class PeriodHours:
    """A period by its hours.

    Attributes:
        name: name of the period.
        hours: the hours that belong to it.
        rest: True for the one period that takes all hours that no other has.
    """

    name: str
    hours: tuple[Hours, ...]
    rest: bool


@attrs.frozen(kw_only=True, cache_hash=True)
class Calendar:
    """The rules by which a tariff divides time.

    Attributes:
        periods: the periods.
        seasons: the seasons; none where the year is one.
        holidays_as: what a holiday counts as.
        repeated_hour: local time that stands for the second passing of an hour when clocks go back (PG&E prices the second
            01:00 as 02:00); empty to go by the clock.
    """

    periods: tuple[PeriodHours, ...]
    seasons: tuple[Season, ...] = ()
    holidays_as: HolidaysAs = HolidaysAs.SUNDAY
    repeated_hour: str = ""

    def periods_at(self, kind: Days, season: str, minute: int) -> list[str]:
        """Return the names of all periods that claim a minute of a kind of day; the rest only where no other does."""
        found = [
            period.name
            for period in self.periods
            if any(
                kind in hours.kinds
                and (not hours.seasons or season in hours.seasons)
                and any(low <= minute < high for low, high in hours.minutes)
                for hours in period.hours
            )
        ]
        return found or [period.name for period in self.periods if period.rest]

    def edges(self) -> tuple[int, ...]:
        """Return the minutes of the day at which a period may begin, in order; 0 is always one."""
        found = {0}
        for period in self.periods:
            for hours in period.hours:
                for low, high in hours.minutes:
                    found.update((low, high))
        return tuple(sorted(minute for minute in found if minute < _DAY_MINUTES))

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """Yield code, fault and remedy: hours without a period (``UTIL30``), hours of several (``UTIL31``), unknown seasons."""
        names = {season.name for season in self.seasons}
        for period in self.periods:
            for hours in period.hours:
                for season in hours.seasons:
                    if season not in names:
                        yield "UTIL32", f"period {period.name!r} names the unknown season {season!r}", "Name one of the seasons"
        if sum(period.rest for period in self.periods) > 1:
            yield "UTIL31", "more than one period takes the rest of the hours", "Let one period have rest = true"
        for season in sorted(names) or [""]:
            for kind in kinds_in_use(self.holidays_as):
                for minute in self.edges():
                    found = self.periods_at(kind, season, minute)
                    where = f"{kind.value} {minute // 60:02}:{minute % 60:02}" + (f" in season {season}" if season else "")
                    if not found:
                        yield "UTIL30", f"no period has the hour of {where}", "Add it to a period, or let one have rest = true"
                    elif len(found) > 1:
                        yield "UTIL31", f"the periods {' and '.join(found)} both have {where}", "Let each hour have one period"


@attrs.define
class Classifier:
    """Tells the period of instants, by the local time of one zone; remembers what it has told for each kind of day and time.

    Attributes:
        calendar: the tariff's rules.
        zone: the account's zone.
        holidays: dates of the tariff's holiday calendar.
    """

    calendar: Calendar
    zone: ZoneInfo
    holidays: frozenset[date]
    _edges: tuple[int, ...] = attrs.field(default=(), init=False)
    _known: dict[tuple[Days, str, int], str] = attrs.field(factory=dict, init=False)
    _days: dict[date, tuple[Days, str]] = attrs.field(factory=dict, init=False)
    _told: dict[tuple[Days, str, int, int], str] = attrs.field(factory=dict, init=False)
    _steady: dict[date, bool] = attrs.field(factory=dict, init=False)

    def period_of(self, start: int, end: int) -> str:
        """Return the period of an interval (seconds since 1970); empty where the interval lies in more than one or in none.

        A wall clock that is put back shows an hour twice; both belong to its period, or the second one to the hour that the
        tariff names for it.
        """
        local = instant_of(start).astimezone(self.zone)
        day, second = local.date(), (local.hour * 60 + local.minute) * 60 + local.second
        if second + end - start > _DAY_SECONDS or not self._is_steady(day):
            return self._searched(start, end)
        key = (*self._kind(day), second, end - start)
        if key not in self._told:
            self._told[key] = self._searched(start, end)
        return self._told[key]

    def _is_steady(self, day: date) -> bool:
        """True where the clock is not changed on a day, so that what is told of one day holds for all of its kind."""
        if day not in self._steady:
            midnights = [datetime.combine(one, time(fold=fold), self.zone) for one in (day, day + _ONE_DAY) for fold in (0, 1)]
            self._steady[day] = len({midnight.utcoffset() for midnight in midnights}) == 1
        return self._steady[day]

    def _kind(self, day: date) -> tuple[Days, str]:
        """Return kind and season of a day."""
        if day not in self._days:
            kind = kind_of(day, self.holidays, self.calendar.holidays_as)
            self._days[day] = (kind, season_of(day, self.calendar.seasons))
        return self._days[day]

    def _searched(self, start: int, end: int) -> str:
        first = self._at(instant_of(start).astimezone(self.zone))
        if not self._may_be_cut(start, end):
            return first
        position = start
        while (position := position + 60) < end:
            if self._at(instant_of(position).astimezone(self.zone)) != first:
                return ""
        return first

    def _may_be_cut(self, start: int, end: int) -> bool:
        """True where a period's edge, or a change of the clock, may lie inside the interval."""
        local, until = instant_of(start).astimezone(self.zone), instant_of(end - 1).astimezone(self.zone)
        low, high = local.hour * 60 + local.minute, until.hour * 60 + until.minute
        if local.date() != until.date() or local.utcoffset() != until.utcoffset():
            return True
        if not self._edges:
            self._edges = self.calendar.edges()  # where sums are known beforehand, nobody asks
        return any(low < edge <= high for edge in self._edges)

    def _at(self, local: datetime) -> str:
        minute, day = local.hour * 60 + local.minute, local.date()
        if local.fold and self.calendar.repeated_hour:
            minute = (minute_of(self.calendar.repeated_hour) + local.minute) % _DAY_MINUTES
        kind, season = self._kind(day)
        key = (kind, season, minute)
        if key not in self._known:
            found = self.calendar.periods_at(kind, season, minute)
            self._known[key] = found[0] if len(found) == 1 else ""
        return self._known[key]


@functools.lru_cache(maxsize=64)
def classifier(calendar: Calendar, zone: ZoneInfo, holidays: frozenset[date]) -> Classifier:
    """Return the one classifier of a tariff in a zone, which goes on remembering from account to account."""
    return Classifier(calendar=calendar, zone=zone, holidays=holidays)


def holiday_dates(calendars: Mapping[str, frozenset[date]], name: str) -> frozenset[date]:
    """Return the dates of a holiday calendar; none for an empty name.

    Raises:
        ValueRefused: ``UTIL33`` where the deployment has no calendar of that name.
    """
    if not name:
        return frozenset()
    if name not in calendars:
        known: Sequence[str] = sorted(calendars)
        raise ValueRefused(
            "UTIL33",
            f"there is no holiday calendar {name!r}",
            remedy=f"Add [holidays.{name}] to billing.toml" + (f"; known are {', '.join(known)}" if known else ""),
        )
    return calendars[name]
