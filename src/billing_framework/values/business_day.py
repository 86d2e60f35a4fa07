"""Business days: due dates and debits that must not fall on a weekend or holiday."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import date, timedelta

import attrs

from billing_framework.values.errors import ValueRefused


class Roll(enum.Enum):
    """Where a date goes that is no business day.

    ``FOLLOWING`` the next business day, ``PRECEDING`` the one before, ``MODIFIED_FOLLOWING`` the next one unless it lies in
    another month, then the one before; ``NONE`` leaves the date.
    """

    FOLLOWING = "following"
    PRECEDING = "preceding"
    MODIFIED_FOLLOWING = "modified_following"
    NONE = "none"


SATURDAY_AND_SUNDAY = frozenset({5, 6})


def _weekdays(days: Iterable[int]) -> frozenset[int]:
    return frozenset(days)


def _dates(days: Iterable[date]) -> frozenset[date]:
    return frozenset(days)


@attrs.frozen(kw_only=True)
class BusinessCalendar:
    """Which days a bank or an office works.

    Attributes:
        name: the calendar's name.
        weekend: weekdays without business, Monday 0 to Sunday 6; one weekday at least must be left.
        holidays: dates without business besides the weekend.
    """

    name: str
    weekend: frozenset[int] = attrs.field(default=SATURDAY_AND_SUNDAY, converter=_weekdays)
    holidays: frozenset[date] = attrs.field(default=frozenset(), converter=_dates)

    def __attrs_post_init__(self) -> None:
        if not self.weekend < frozenset(range(7)):
            raise ValueRefused(
                "VALUE21",
                f"the weekend of calendar {self.name!r} must be some of the weekdays 0 to 6, not {sorted(self.weekend)}",
            )

    def is_business_day(self, day: date) -> bool:
        """True where there is business on `day`."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def roll(self, day: date, rule: Roll) -> date:
        """Return `day`, or the business day that `rule` puts in its place."""
        if rule is Roll.NONE or self.is_business_day(day):
            return day
        if rule is Roll.PRECEDING:
            return self._nearest(day, -1)
        following = self._nearest(day, 1)
        if rule is Roll.MODIFIED_FOLLOWING and (following.year, following.month) != (day.year, day.month):
            return self._nearest(day, -1)
        return following

    def add(self, day: date, business_days: int) -> date:
        """Return the date that many business days after `day` (before it, where negative); 0 rolls to the following one."""
        if business_days == 0:
            return self.roll(day, Roll.FOLLOWING)
        step = 1 if business_days > 0 else -1
        for _ in range(abs(business_days)):
            day = self._nearest(day, step)
        return day

    def _nearest(self, day: date, step: int) -> date:
        for distance in range(1, 7 * (len(self.holidays) + 1) + 1):  # even if every holiday were a week's only business day
            candidate = day + timedelta(days=step * distance)
            if self.is_business_day(candidate):
                return candidate
        raise ValueRefused("VALUE21", f"calendar {self.name!r} has no business day near {day}")
