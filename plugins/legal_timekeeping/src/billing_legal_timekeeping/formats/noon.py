"""When an entry that has only a date happened: at noon, so that the date stays the same in nearly every zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from billing_framework import Span


def at_noon(day: date, zone: ZoneInfo) -> Span:
    """Return the instant at which an entry of a day stands.

    Args:
        day: date of the work.
        zone: zone of the intake; an account in another zone bills the same date as long as they are within half a day.
    """
    return Span.at(datetime.combine(day, time(12), zone).astimezone(UTC))
