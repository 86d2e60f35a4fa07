"""The price of one call, exactly: increments, tariff periods, free seconds, least and highest price; reference of the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import attrs

from billing_framework import RoundingMode, to_places
from billing_telecom_usage.deck.groups import Group
from billing_telecom_usage.rating.tariff import Boundary
from billing_telecom_usage.rating.wall_clock import Segment


@attrs.frozen(kw_only=True)
class Rates:
    """What a call costs in one tariff period.

    Attributes:
        groups: price groups by second of the call.
        connect_fee: price of the connection, that of the first period of the call.
        included_s: first seconds that are free.
        nocharge_s: calls of at most so many seconds are free.
        minimum_s: least seconds that are charged.
        minimum_charge: least price of a call that is not free.
        maximum_charge: highest price of a call.
    """

    groups: tuple[Group, ...]
    connect_fee: Fraction = Fraction(0)
    included_s: int = 0
    nocharge_s: int = 0
    minimum_s: int = 0
    minimum_charge: Fraction | None = None
    maximum_charge: Fraction | None = None


@attrs.frozen(kw_only=True)
class CallPrice:
    """What a call comes to, before allowances and rounding.

    Attributes:
        billed_s: seconds that are charged, whole increments.
        spoken: exact price of these seconds.
        connect_fee: price of the connection.
    """

    billed_s: int
    spoken: Fraction
    connect_fee: Fraction


FREE = CallPrice(billed_s=0, spoken=Fraction(0), connect_fee=Fraction(0))
"""A call that costs nothing."""


def priced(
    seconds: int,
    rates: Mapping[str, Rates],
    parts: Sequence[Segment],
    *,
    boundary: Boundary = Boundary.INCREMENT_START,
    continuation: bool = False,
) -> CallPrice:
    """Return the exact price of an answered call.

    Free seconds, least seconds and the connection fee are those of the first period. `included_s` leaves the first
    seconds out and counts blocks from the rest on.

    Args:
        seconds: seconds to charge, whole; none cost nothing, not even the connection.
        rates: rates by name of the tariff period.
        parts: the parts of the call by tariff period.
        boundary: what happens where there is more than one.
        continuation: True for a later leg of a session, which bears no connection fee.
    """
    if seconds <= 0:
        return FREE
    first = rates[parts[0].period]
    if seconds <= first.nocharge_s:
        return FREE
    fee = Fraction(0) if continuation else first.connect_fee
    start = first.included_s
    if seconds <= start:
        return CallPrice(billed_s=0, spoken=Fraction(0), connect_fee=fee)
    length = seconds - start
    moved = [Segment(max(part.start - start, 0), max(part.end - start, 0), part.period) for part in parts]
    inside = [part for part in moved if part.end > part.start]
    if len(inside) == 1 or boundary is Boundary.START_PERIOD:
        period = parts[0].period if boundary is Boundary.START_PERIOD else inside[0].period
        billed, spoken = _walked(0, length, rates[period].groups)
    elif boundary is Boundary.INCREMENT_START:
        billed, spoken = _by_increments(inside, rates)
    else:
        billed, spoken = _by_segments(inside, rates, is_rounded=boundary is Boundary.ROUND_EACH_SEGMENT)
    if billed < first.minimum_s:
        last = group_at(rates[inside[-1].period].groups, billed)
        spoken += last.rate * (first.minimum_s - billed) / last.per
        billed = first.minimum_s
    return CallPrice(billed_s=billed, spoken=spoken, connect_fee=fee)


def group_at(groups: Sequence[Group], second: int) -> Group:
    """Return the group with the largest start that is not after a second of the call."""
    return next(group for group in reversed(groups) if group.start <= second)


def _walked(start: int, end: int, groups: Sequence[Group]) -> tuple[int, Fraction]:
    """Return seconds and price from `start` until at least `end`, in whole increments of the groups on the way.

    An increment that has begun is taken whole, also over the start of the next group.
    """
    position, price = start, Fraction(0)
    while position < end:
        group = group_at(groups, position)
        stop = min([end, *(later.start for later in groups if later.start > position)])
        steps = -((position - stop) // group.increment)
        position += steps * group.increment
        price += group.rate * steps * group.increment / group.per
    return position - start, price


def _by_increments(parts: Sequence[Segment], rates: Mapping[str, Rates]) -> tuple[int, Fraction]:
    position, price = 0, Fraction(0)
    for part in parts:
        if position < part.end:
            walked, cost = _walked(position, part.end, rates[part.period].groups)
            position += walked
            price += cost
    return position, price


def _by_segments(parts: Sequence[Segment], rates: Mapping[str, Rates], *, is_rounded: bool) -> tuple[int, Fraction]:
    """Return seconds and price of each part by itself, at the group that is in force where the part begins."""
    billed, price = 0, Fraction(0)
    for part in parts:
        group = group_at(rates[part.period].groups, part.start)
        length = part.end - part.start
        if is_rounded:
            length = -(-length // group.increment) * group.increment
        billed += length
        price += group.rate * length / group.per
    return billed, price


def settled(
    price: CallPrice,
    *,
    free_s: int,
    fee_when_covered: bool,
    rates: Rates,
    places: int | None,
    mode: RoundingMode,
) -> Fraction:
    """Return what a call costs after its free seconds, within its least and highest price, rounded once.

    A call that is covered in part pays for the rest of its seconds in proportion, and the connection in full; one that is covered
    wholly bears neither a least price nor, unless the allowance says so, the connection.

    Args:
        price: the price before.
        free_s: seconds that allowances cover.
        fee_when_covered: whether the connection is charged also where all seconds are covered.
        rates: rates of the call's first period, for least and highest price.
        places: decimals of the result; None keeps it exact.
        mode: how it is rounded.
    """
    is_covered = 0 < price.billed_s <= free_s
    fee = Fraction(0) if is_covered and not fee_when_covered else price.connect_fee
    spoken = price.spoken if not free_s else price.spoken * max(price.billed_s - free_s, 0) / price.billed_s
    total = fee + spoken
    if price != FREE and not is_covered and rates.minimum_charge is not None:
        total = max(total, rates.minimum_charge)
    if rates.maximum_charge is not None:
        total = min(total, rates.maximum_charge)
    return total if places is None else to_places(total, places, mode)
