"""What the itemisation says of calls, made once for all calls that say the same."""

from __future__ import annotations

import functools
from datetime import date, time
from fractions import Fraction

from billing_framework import Amount, Quantity
from billing_telecom_usage.wording import clock, word

_MOST_KEPT = 65_536
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@functools.lru_cache(maxsize=_MOST_KEPT)
def lengths_of(locale: str, seconds: int, billed_s: int, free_s: int) -> tuple[tuple[str, str], ...]:
    """Return the details of a call: how long it took, how long it is charged, and what of that is free.

    Args:
        locale: language of the account.
        seconds: seconds to charge.
        billed_s: seconds that are charged or covered.
        free_s: seconds of these that allowances cover.
    """
    told = ((word(locale, "duration"), clock(seconds)), (word(locale, "charged"), clock(billed_s)))
    return (*told, (word(locale, "included"), clock(free_s))) if free_s else told


@functools.lru_cache(maxsize=_MOST_KEPT)
def seconds_of(seconds: int) -> Quantity:
    """Return so many seconds."""
    return Quantity(Fraction(seconds), "s")


@functools.lru_cache(maxsize=_MOST_KEPT)
def amount_of(units: int, size: int, currency: str) -> Amount:
    """Return ``units / size`` of a currency."""
    return Amount(Fraction(units, size), currency)


@functools.lru_cache(maxsize=_MOST_KEPT)
def amount_text(units: int, size: int, currency: str) -> str:
    """Return how steps write ``units / size`` of a currency."""
    return str(amount_of(units, size, currency))


@functools.lru_cache(maxsize=_MOST_KEPT)
def local_date(day: int) -> date:
    """Return a date by its days since 1970."""
    return date.fromordinal(_EPOCH_DAY + day)


@functools.lru_cache(maxsize=2 * 86_400)
def time_of_day(second: int) -> str:
    """Return a second of a day as the clock shows it: ``08:00:30``."""
    return time(second // 3600, second // 60 % 60, second % 60).isoformat()
