"""Sharing consumption between two dates to the parts of a period, by days; the shares always sum to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import DateSpan, Quantity, allocate, format_quantity, to_places
from billing_framework import RoundingMode as Mode
from billing_utility_metering.rating.contribution import tile_of
from billing_utility_metering.settings import Sharing
from billing_utility_metering.wording import word

_SHOWN_PLACES = 3


@attrs.frozen(kw_only=True)
class DayShare:
    """What falls to one tile: the days and the quantity."""

    days: int
    quantity: Fraction


def day_shares(
    quantity: Fraction, start: date, dates: DateSpan | None, tiles: Sequence[DateSpan], sharing: Sharing
) -> list[DayShare]:
    """Return the share of each tile.

    Days before the first tile belong to it, days after the last to the last one: the readings of a period lie around its edges,
    and what they count must be billed once and completely.

    Args:
        quantity: what was consumed.
        start: date of the earlier reading.
        dates: the dates between the readings; None where both are of one date.
        tiles: the parts of the period, in order.
        sharing: exact shares, or whole units by largest remainder.
    """
    days = [0] * len(tiles)
    if dates is None:
        only = tile_of(start, tiles)
        return [DayShare(days=0, quantity=quantity if number == only else Fraction(0)) for number in range(len(tiles))]
    for number, tile in enumerate(tiles):
        first = dates.start if number == 0 else max(dates.start, tile.start)
        last = dates.end if number == len(tiles) - 1 else min(dates.end, tile.end)
        days[number] = max((last - first).days, 0)
    if sharing is Sharing.WHOLE_UNITS and quantity.denominator == 1:
        parts = [Fraction(part) for part in allocate(int(quantity), days)]
    else:
        parts = [quantity * count / dates.days for count in days]
    return [DayShare(days=count, quantity=part) for count, part in zip(days, parts, strict=True)]


def share_fact(locale: str, register: str, part: int, whole: int, quantity: Quantity) -> tuple[str, str]:
    """Return label and text that tell the bill's reader how a share came to be; the shown figure is rounded to three decimals."""
    shown = Quantity(to_places(quantity.value, _SHOWN_PLACES, Mode.HALF_UP), quantity.unit)
    label = word(locale, "share")
    text = word(locale, "share_of", part=part, whole=whole, quantity=format_quantity(shown, locale))
    return f"{register} {label}" if register else label, text
