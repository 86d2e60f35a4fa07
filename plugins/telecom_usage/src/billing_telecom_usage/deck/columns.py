"""A deck as columns: the prices of all its rows in all tariff periods as integers of one scale, built once per version."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from fractions import Fraction

import attrs
import numpy as np

from billing_framework import RateTable
from billing_telecom_usage.deck.digits import Digits, Integers
from billing_telecom_usage.deck.prefix_columns import PrefixColumns, prefix_columns
from billing_telecom_usage.deck.prefixes import NONE, prefixes_of
from billing_telecom_usage.deck.table import DeckRow

NO_LIMIT = -1
"""A least or highest price that is not there."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_ALWAYS = -(10**6)
_MOST_SCALE = 12
_HIGHEST = 2**62


@attrs.frozen(eq=False)
class DeckColumns:
    """The rows of a deck as columns, those of each tariff period after those of the one before; prices in ``10**-scale``.

    A column in which all rows say the same is a single number; `pick` reads both.

    Attributes:
        rows: the rows.
        searches: for each tariff period its prefixes, and the place in `rows` at which its rows begin; periods of the same
            prefixes share one search.
        destinations: names of the destinations, in order.
        destination: place in `destinations` of each row.
        scale: decimals of the prices.
        is_plain: 1 where a row has one price per minute instead of price groups, else 0.
        since: first day (since 1970) of a row's prices.
        rate: price of a minute.
        fee: price of the connection.
        initial: seconds of the first block.
        increment: seconds of a step.
        included: first seconds that are free.
        nocharge: calls of at most so many seconds are free.
        minimum_s: least seconds.
        least: least price.
        most: highest price.
        highest: no price is above it.
    """

    rows: tuple[DeckRow, ...]
    searches: tuple[tuple[PrefixColumns, int], ...]
    destinations: tuple[str, ...]
    destination: Integers
    scale: int
    is_plain: Integers
    since: Integers
    rate: Integers
    fee: Integers
    initial: Integers
    increment: Integers
    included: Integers
    nocharge: Integers
    minimum_s: Integers
    least: Integers
    most: Integers
    highest: int

    def places(self, numbers: Digits) -> Places:
        """Return the rows of numbers."""
        known: dict[int, Integers] = {}
        for search, _ in self.searches:
            if id(search) not in known:
                known[id(search)] = search.places(numbers)
        return Places(
            found=tuple(known[id(search)] for search, _ in self.searches),
            firsts=np.array([first for _, first in self.searches], dtype=np.int64),
            is_shared=len(known) == 1,
        )


@attrs.frozen(kw_only=True, eq=False)
class Places:
    """The rows of numbers in a deck.

    Attributes:
        found: for each tariff period the place of the row of each number among those of the period, -1 where there is none.
        firsts: place in the deck at which the rows of each period begin.
        is_shared: whether the rows of all periods have the same prefixes in the same order.
    """

    found: tuple[Integers, ...]
    firsts: Integers
    is_shared: bool

    def at(self, period: Integers, number: Integers) -> Integers:
        """Return the row of each of many calls, -1 where there is none, by their periods and the places of their numbers."""
        first = self.firsts[period]
        own = self.found[0][number]
        if not self.is_shared:
            for other in range(1, len(self.found)):
                rows = np.flatnonzero(period == other)
                own[rows] = self.found[other][number[rows]]
        place = own + first
        place[own == NONE] = NONE
        return place


@functools.lru_cache(maxsize=64)
def deck_columns(
    deck: RateTable, periods: tuple[str, ...], minimum_s: int, minimum: Fraction | None, maximum: Fraction | None
) -> DeckColumns | None:
    """Return the columns of a deck, None where it has no rows or its prices outgrow int64; kept by deck, for it never changes.

    Args:
        deck: the deck.
        periods: names of the tariff periods.
        minimum_s: least seconds of rows that have none of their own.
        minimum: least price of rows that have none of their own.
        maximum: highest price of rows that have none of their own.
    """
    searches: list[tuple[PrefixColumns, int]] = []
    shared: dict[tuple[str, ...], PrefixColumns] = {}
    rows: list[DeckRow] = []
    for period in periods:
        prefixes = prefixes_of(deck, period)
        known = tuple(row.prefix for row in prefixes.rows)
        if known not in shared:
            shared[known] = prefix_columns(prefixes)
        searches.append((shared[known], len(rows)))
        rows += prefixes.rows
    if not rows:
        return None
    least = [row.minimum_charge if row.minimum_charge is not None else minimum for row in rows]
    most = [row.maximum_charge if row.maximum_charge is not None else maximum for row in rows]
    stated = (*(row.rate_per_min for row in rows), *(row.connect_fee for row in rows), *least, *most)
    # Rows of one file share the objects of equal prices; telling them apart by identity spares hashing each of them.
    prices = list({id(price): price for price in stated if price is not None}.values())
    scale = _scale(prices)
    highest = max(prices, default=Fraction(0))
    if scale is None or highest * 10**scale >= _HIGHEST:
        return None
    money = functools.partial(_money, 10**scale)
    names = tuple(sorted({row.destination for row in rows}))
    place_of = {name: place for place, name in enumerate(names)}

    def whole(value: Callable[[DeckRow], int]) -> Integers:
        return _column([value(row) for row in rows])

    return DeckColumns(
        rows=tuple(rows),
        searches=tuple(searches),
        destinations=names,
        destination=whole(lambda row: place_of[row.destination]),
        scale=scale,
        is_plain=whole(lambda row: not row.groups),
        since=whole(lambda row: row.effective_from.toordinal() - _EPOCH_DAY if row.effective_from else _ALWAYS),
        rate=money(row.rate_per_min for row in rows),
        fee=money(row.connect_fee for row in rows),
        initial=whole(lambda row: row.initial_s),
        increment=whole(lambda row: row.increment_s),
        included=whole(lambda row: row.included_s),
        nocharge=whole(lambda row: row.nocharge_s),
        minimum_s=whole(lambda row: row.minimum_s or minimum_s),
        least=money(least),
        most=money(most),
        highest=int(highest * 10**scale),
    )


def pick(column: Integers, at: Integers) -> Integers:
    """Return the values of a deck's column for many rows, one number where all rows of the deck have the same."""
    return column if column.ndim == 0 else column[at]


def _money(size: int, values: Iterable[Fraction | None]) -> Integers:
    return _column([NO_LIMIT if one is None else one.numerator * (size // one.denominator) for one in values])


def _column(values: Sequence[int]) -> Integers:
    column = np.array(values, dtype=np.int64)
    return column[0].reshape(()) if (column == column[0]).all() else column


def _scale(prices: Sequence[Fraction]) -> int | None:
    """Return the fewest decimals that hold all prices exactly, None where there is no such number up to 12."""
    return next(
        (scale for scale in range(_MOST_SCALE + 1) if all((price * 10**scale).denominator == 1 for price in prices)), None
    )
