"""Instants as whole microseconds since 1970, as databases and columns have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The instant from which instants are counted."""

MICROSECOND = timedelta(microseconds=1)
"""What instants are counted in."""


def microseconds_of(instant: datetime) -> int:
    """Return an aware instant as microseconds since 1970 in UTC."""
    return (instant - EPOCH) // MICROSECOND


def instant_at(number: int) -> datetime:
    """Return the instant of microseconds since 1970 in UTC."""
    return EPOCH + number * MICROSECOND
