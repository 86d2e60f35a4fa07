"""The only place that asks what time it is, and the only door to time zones.

Everything else is told the instant: a run by its clock, a rebill by the run that it repeats, a test by the clock it moves.
"""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol

import attrs
import tzdata

from billing_framework.values.errors import ValueRefused
from billing_framework.values.period import utc
from billing_framework.values.spelling import did_you_mean


class Clock(Protocol):
    """Tells the present instant, aware UTC."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        ...


@attrs.frozen
class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's present instant, aware UTC."""
        return datetime.now(UTC)


@attrs.frozen
class FixedClock:
    """A clock that stands still: the as-of instant of a run, so that all its times are one.

    Attributes:
        instant: what it shows; any aware time, kept in UTC.
    """

    instant: datetime = attrs.field(converter=utc)

    def now(self) -> datetime:
        """Return the fixed instant."""
        return self.instant


@attrs.define
class MovableClock:
    """A clock that a test or a simulation moves; it never goes by itself and never back.

    Attributes:
        instant: what it shows; any aware time, kept in UTC.
    """

    instant: datetime = attrs.field(converter=utc)

    def now(self) -> datetime:
        """Return the instant that it was last moved to."""
        return self.instant

    def advance(self, by: timedelta) -> None:
        """Move the clock on."""
        self.move_to(self.instant + by)

    def move_to(self, instant: datetime) -> None:
        """Move the clock to a later instant.

        Raises:
            ValueRefused: ``VALUE16`` for an earlier instant.
        """
        if utc(instant) < self.instant:
            raise ValueRefused(
                "VALUE16", f"the clock shows {self.instant.isoformat()} and cannot go back to {instant.isoformat()}"
            )
        self.instant = utc(instant)


def today(clock: Clock, zone: zoneinfo.ZoneInfo) -> date:
    """Return the date that the clock's instant has in `zone`; a billing date always belongs to an account's zone."""
    return clock.now().astimezone(zone).date()


def timezone(name: str) -> zoneinfo.ZoneInfo:
    """Return the IANA time zone called `name`, such as ``Europe/Zurich``.

    Raises:
        ValueRefused: ``VALUE15`` for an unknown name; the remedy offers the nearest one.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:  # a name that is a folder or leaves the folder
        known = zoneinfo.available_timezones()
        raise ValueRefused("VALUE15", f"{name!r} is no IANA time zone", remedy=did_you_mean(name, known)) from error


def timezone_data_version(folders: Iterable[str | os.PathLike[str]] | None = None) -> str:
    """Return the release of the time zone rules in use, for example ``2026a``; every run stores it.

    Args:
        folders: where Python looks before it takes the tzdata package; by default what `zoneinfo` uses.
    """
    for folder in zoneinfo.TZPATH if folders is None else folders:
        if not Path(folder, "UTC").is_file() and not Path(folder, "Etc", "UTC").is_file():
            continue
        rules, stamp = Path(folder, "tzdata.zi"), Path(folder, "+VERSION")
        if rules.is_file():
            with rules.open(encoding="utf-8") as lines:
                return lines.readline().removeprefix("# version").strip()
        return stamp.read_text(encoding="utf-8").strip() if stamp.is_file() else f"unknown, from {folder}"
    version: str = tzdata.IANA_VERSION
    return version
