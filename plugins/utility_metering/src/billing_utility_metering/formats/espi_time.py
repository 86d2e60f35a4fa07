"""Local time as a Green Button file states it: a fixed offset, and rules for the change to summer time and back."""

from __future__ import annotations

import calendar
import functools
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

from billing_utility_metering.formats.espi_feed import whole
from billing_utility_metering.time_cover import instant_of, seconds_of

_NO_CHANGE = 0xFFFFFFFF
_LARGEST_OFFSET, _LARGEST_SUMMER = 64_800, 7_200


@attrs.frozen(kw_only=True)
class ChangeRule:
    """When a year's change happens, decoded from 32 bits (NAESB ESPI ``DstRuleType``).

    Attributes:
        seconds: second of the day, in the local time before the change.
        weekday: 1 Monday to 7 Sunday.
        day: day of the month; 0 where the rule names a weekday of the month.
        operator: 0 on the day of month, 1 the weekday on or after it, 2 to 6 the first to fifth weekday, 7 the last.
        month: 1 to 12.
    """

    seconds: int
    weekday: int
    day: int
    operator: int
    month: int

    @classmethod
    def of(cls, text: str) -> ChangeRule | None:
        """Return the rule that 8 hex digits say; None for no change, and for bits that name no date."""
        try:
            bits = int(text.strip(), 16)
        except ValueError:
            return None
        rule = cls(
            seconds=(bits & 0xFFF) + 3600 * (bits >> 12 & 0x1F),
            weekday=bits >> 17 & 0x7,
            day=bits >> 20 & 0x1F,
            operator=bits >> 25 & 0x7,
            month=bits >> 28 & 0xF,
        )
        needs_day, needs_weekday = rule.operator in (0, 1), rule.operator != 0
        is_sound = 1 <= rule.month <= 12 and (rule.day or not needs_day) and (rule.weekday or not needs_weekday)
        return rule if bits != _NO_CHANGE and is_sound and bits <= _NO_CHANGE else None

    def on(self, year: int) -> date:
        """Return the date of the change in a year."""
        days = calendar.monthrange(year, self.month)[1]
        if self.operator == 0:
            return date(year, self.month, min(self.day, days))
        if self.operator == 1:
            start = date(year, self.month, min(self.day, days))
            return start + timedelta(days=(self.weekday - start.isoweekday()) % 7)
        first = date(year, self.month, 1)
        number = 1 + (self.weekday - first.isoweekday()) % 7 + 7 * (self.operator - 2 if self.operator < 7 else 4)
        return date(year, self.month, number if number <= days else number - 7)


@attrs.frozen(kw_only=True)
class FileZone:
    """Local time of a usage point.

    Attributes:
        zone: zone that the command names; it counts where the file states no offset of its own.
        offset: seconds from UTC in standard time, None where the file states none.
        summer: seconds that summer time adds.
        begins: rule of the change to summer time, None for a place without.
        ends: rule of the change back.
    """

    zone: ZoneInfo
    offset: int | None = None
    summer: int = 0
    begins: ChangeRule | None = None
    ends: ChangeRule | None = None

    @classmethod
    def of(cls, fields: Mapping[str, str], zone: ZoneInfo) -> FileZone:
        """Return the local time that a ``LocalTimeParameters`` resource states."""
        offset, summer = whole(fields.get("tzOffset")), whole(fields.get("dstOffset")) or 0
        if offset is None or abs(offset) > _LARGEST_OFFSET or abs(summer) > _LARGEST_SUMMER:
            return cls(zone=zone)
        return cls(
            zone=zone,
            offset=offset,
            summer=summer,
            begins=ChangeRule.of(fields.get("dstStartRule", "")),
            ends=ChangeRule.of(fields.get("dstEndRule", "")),
        )

    @classmethod
    def unsound(cls, fields: Mapping[str, str]) -> str:
        """Return which part of a ``LocalTimeParameters`` resource says nothing usable, empty where all is well."""
        offset, summer = whole(fields.get("tzOffset")), whole(fields.get("dstOffset", "0"))
        if "tzOffset" in fields and (offset is None or abs(offset) > _LARGEST_OFFSET):
            return f"tzOffset {fields['tzOffset']!r}"
        if summer is None or abs(summer) > _LARGEST_SUMMER:
            return f"dstOffset {fields['dstOffset']!r}"
        for name in ("dstStartRule", "dstEndRule") if summer else ():
            text = fields.get(name, "").strip()
            if text and text.upper() != f"{_NO_CHANGE:X}" and ChangeRule.of(text) is None:
                return f"{name} {text!r}"
        return ""

    def day_of(self, instant: int) -> tuple[date, int, int]:
        """Return the local date of an instant, and the instants where that day begins and ends (seconds since 1970)."""
        if self.offset is None:
            day = instant_of(instant).astimezone(self.zone).date()
        else:
            day = instant_of(instant + self._offset_at(instant)).date()
        return day, self._midnight(day), self._midnight(day + timedelta(days=1))

    def _midnight(self, day: date) -> int:
        if self.offset is None:
            return seconds_of(datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC))
        local = seconds_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
        standard = local - self.offset
        summer = standard - self.summer
        # Midnight may come twice (the earlier one counts) or be skipped (the day then begins with the change).
        return summer if self._offset_at(summer) == self.offset + self.summer else standard

    def _offset_at(self, instant: int) -> int:
        offset = self.offset or 0
        if self.begins is None or self.ends is None:
            return offset
        year = instant_of(instant + offset).year
        begins, ends = _changes(self, year)
        is_summer = begins <= instant < ends if begins < ends else not ends <= instant < begins
        return offset + self.summer if is_summer else offset


@functools.lru_cache(maxsize=1024)
def _changes(zone: FileZone, year: int) -> tuple[int, int]:
    """Return the instants at which summer time begins and ends in a year."""

    def at(rule: ChangeRule, offset: int) -> int:
        day = rule.on(year)
        return seconds_of(datetime(day.year, day.month, day.day, tzinfo=UTC)) + rule.seconds - offset

    standard = zone.offset or 0
    return at(zone.begins, standard) if zone.begins else 0, at(zone.ends, standard + zone.summer) if zone.ends else 0
