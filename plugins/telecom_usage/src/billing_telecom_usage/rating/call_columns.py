"""The prices of many calls of one tariff as columns of integers: the twin of `price`.

A price per minute is a sixtieth a second, so exact prices are whole sixtieths of the deck's smallest unit until the one rounding.
"""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework import Overflows, divide_columns
from billing_telecom_usage.deck.columns import NO_LIMIT, DeckColumns, pick
from billing_telecom_usage.deck.digits import Integers
from billing_telecom_usage.rating.tariff import Boundary, CallPricing

_MINUTE = 60
_LIMIT = 2**62


@attrs.frozen(kw_only=True, eq=False)
class CallColumns:
    """Calls of one tariff that somebody answered.

    Attributes:
        at: row of the deck for the period in which each starts.
        then: row for the period after it, where the call reaches there; else the same.
        seconds: seconds to charge.
        edge: after how many seconds that period begins.
        legs: 1 for later legs of a session, which bear no connection fee.
    """

    at: Integers
    then: Integers
    seconds: Integers
    edge: Integers
    legs: Integers


@attrs.frozen(kw_only=True, eq=False)
class SpokenColumns:
    """What calls come to before allowances and rounding; prices in sixtieths of the deck's unit.

    Attributes:
        billed: seconds that are charged.
        spoken: price of these seconds.
        fee: price of the connection.
    """

    billed: Integers
    spoken: Integers
    fee: Integers


def spoken_columns(deck: DeckColumns, calls: CallColumns, boundary: Boundary) -> SpokenColumns:
    """Return seconds and exact prices of calls: the twin of `priced` for rows with one price per minute."""
    at, seconds = calls.at, calls.seconds
    rest = seconds - pick(deck.included, at)
    rate = pick(deck.rate, at)
    billed = _whole(rest, pick(deck.initial, at), pick(deck.increment, at))
    spoken = rate * billed
    crossing = np.flatnonzero((calls.edge < seconds) & (rest > 0))
    if len(crossing) and boundary is not Boundary.START_PERIOD:
        billed[crossing], spoken[crossing] = _crossed(deck, calls, crossing, rest[crossing], boundary)
    fee = np.where(calls.legs == 1, 0, pick(deck.fee, at) * _MINUTE)
    short = np.flatnonzero((billed < pick(deck.minimum_s, at)) & (rest > 0))
    if len(short):
        least = np.broadcast_to(pick(deck.minimum_s, at[short]), short.shape)
        spoken[short] += pick(deck.rate, calls.then[short]) * (least - billed[short])
        billed[short] = least
    free = seconds <= pick(deck.nocharge, at)
    if free.any():
        billed, spoken, fee = (np.where(free, 0, column) for column in (billed, spoken, fee))
    return SpokenColumns(billed=billed, spoken=spoken, fee=fee)


def _whole(length: Integers, initial: Integers, increment: Integers) -> Integers:
    """Return the whole increments of a call within one period."""
    blocks = initial + np.maximum(length - initial + (increment - 1), 0) // increment * increment
    return np.where(length > 0, blocks, 0)


def _walk(start: Integers, end: Integers, initial: Integers, increment: Integers) -> Integers:
    """Return the second at which whole increments from `start` on reach `end`; the first one is that of the call's begin."""
    begun = np.where((start < initial) & (start < end), start + initial, start)
    reached: Integers = begun + np.maximum(end - begun + increment - 1, 0) // increment * increment
    return reached


def _crossed(
    deck: DeckColumns, calls: CallColumns, rows: Integers, rest: Integers, boundary: Boundary
) -> tuple[Integers, Integers]:
    """Return seconds and price of calls that reach into the next period."""
    at, then = calls.at[rows], calls.then[rows]
    cut = np.maximum(calls.edge[rows] - pick(deck.included, at), 0)
    first, second = (pick(deck.initial, one) for one in (at, then))
    step, later = (pick(deck.increment, one) for one in (at, then))
    if boundary is Boundary.INCREMENT_START:
        before = _whole(cut, first, step)
        until = np.where(before < rest, _walk(before, rest, second, later), before)
        return until, pick(deck.rate, at) * before + pick(deck.rate, then) * (until - before)
    before, after = cut, rest - cut
    if boundary is Boundary.ROUND_EACH_SEGMENT:
        size = np.where(cut < second, second, later)
        before, after = -(-before // first) * first, -(-after // size) * size
    after = np.where(cut == 0, _whole(rest, second, later), after)
    return before + after, pick(deck.rate, at) * before + pick(deck.rate, then) * after


def settled_columns(
    deck: DeckColumns,
    at: Integers,
    price: SpokenColumns,
    *,
    free: Integers,
    bears: npt.NDArray[np.bool_],
    params: CallPricing,
) -> Integers | None:
    """Return what calls cost in ``10**-places``, None where int64 does not hold it: the twin of `settled`.

    Args:
        deck: the deck.
        at: row of the deck of each call.
        price: what they come to before.
        free: seconds that allowances cover.
        bears: whether a call that is covered wholly still bears the connection fee.
        params: least and highest price, and rounding.
    """
    places = params.places or 0
    up, down = 10 ** max(places - deck.scale, 0), 10 ** max(deck.scale - places, 0)
    longest = max(_most(price.billed), 1)
    if (deck.highest * _MINUTE + deck.highest * longest) * up * max(longest, _MINUTE * down) * 2 >= _LIMIT:
        return None
    used = free > 0
    covered = used & (free >= price.billed)
    fee = np.where(covered & ~bears, 0, price.fee)
    limits = _Limits(
        least=pick(deck.least, at), most=pick(deck.most, at), bears_least=~covered & ((price.billed > 0) | (price.fee > 0))
    )
    total = limits.held(fee + np.where(covered, 0, price.spoken), _MINUTE)
    units = divide_columns(total * up, _MINUTE * down, params.mode, Overflows())
    part = np.flatnonzero(used & ~covered)
    if len(part):
        billed = price.billed[part]
        sizes = billed * _MINUTE
        exact = limits.of(part).held(fee[part] * billed + price.spoken[part] * (billed - free[part]), sizes)
        units[part] = divide_columns(exact * up, sizes * down, params.mode, Overflows())
    return units


@attrs.frozen(kw_only=True, eq=False)
class _Limits:
    """Least and highest prices of calls, and which bear the least one."""

    least: Integers
    most: Integers
    bears_least: npt.NDArray[np.bool_]

    def of(self, rows: Integers) -> _Limits:
        return _Limits(least=pick(self.least, rows), most=pick(self.most, rows), bears_least=self.bears_least[rows])

    def held(self, prices: Integers, size: Integers | int) -> Integers:
        """Return prices, in parts of so many to a unit, within the limits."""
        if self.least.ndim or self.least != NO_LIMIT:
            bound = self.bears_least & (self.least != NO_LIMIT)
            prices = np.where(bound, np.maximum(prices, self.least * size), prices)
        if self.most.ndim or self.most != NO_LIMIT:
            prices = np.where(self.most != NO_LIMIT, np.minimum(prices, self.most * size), prices)
        return prices


def _most(numbers: Integers) -> int:
    return int(numbers.max()) if len(numbers) else 0
