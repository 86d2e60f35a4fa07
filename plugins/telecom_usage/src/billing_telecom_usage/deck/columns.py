"""A deck as columns: the prices of all its rows in all tariff periods as integers of one scale, built once per version."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import attrs
import numpy as np

from billing_framework import CodedColumn, RateTable
from billing_telecom_usage.deck.digits import Digits, Integers
from billing_telecom_usage.deck.prefix_columns import PrefixColumns, prefix_columns
from billing_telecom_usage.deck.prefixes import NONE

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
        deck: the deck.
        rows: place in the deck of each row.
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

    deck: RateTable
    rows: Integers
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

    def field(self, at: int, name: str) -> Any:
        """Return a field of a row by its name, without making the row."""
        column = self.deck.columns[name]
        return column.values[column.codes[self.rows[at]]]

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
    if not deck.size:
        return None
    prefix = deck.columns["prefix"].recoded()
    searches: list[tuple[PrefixColumns, int]] = []
    shared: dict[bytes, PrefixColumns | None] = {}
    rows = np.zeros(0, dtype=np.int64)
    for period in periods:
        known, own = _held(prefix, deck.columns["period"], period)
        if known.tobytes() not in shared:
            shared[known.tobytes()] = prefix_columns([prefix.values[code] for code in known.tolist()])
        search = shared[known.tobytes()]
        if search is None:
            return None
        searches.append((search, len(rows)))
        rows = np.concatenate((rows, own))
    if not len(rows):
        return None
    prices = _prices(deck, rows, minimum, maximum)
    if prices is None:
        return None
    names = tuple(sorted(set(deck.columns["destination"].values)))
    place_of = {name: place for place, name in enumerate(names)}

    def whole(name: str, value: Callable[[Any], int] = int) -> Integers:
        column = deck.columns[name]
        return _column([value(one) for one in column.values], column.codes[rows])

    return DeckColumns(
        deck=deck,
        rows=rows,
        searches=tuple(searches),
        destinations=names,
        destination=whole("destination", place_of.__getitem__),
        scale=prices.scale,
        is_plain=whole("groups", lambda groups: not groups),
        since=whole("effective_from", lambda day: day.toordinal() - _EPOCH_DAY if day else _ALWAYS),
        rate=prices.columns["rate_per_min"],
        fee=prices.columns["connect_fee"],
        initial=whole("initial_s"),
        increment=whole("increment_s"),
        included=whole("included_s"),
        nocharge=whole("nocharge_s"),
        minimum_s=whole("minimum_s", lambda seconds: seconds or minimum_s),
        least=prices.columns["minimum_charge"],
        most=prices.columns["maximum_charge"],
        highest=prices.highest,
    )


def _held(prefix: CodedColumn, periods: CodedColumn, period: str) -> tuple[Integers, Integers]:
    """Return the places of the prefixes that have a row in a tariff period, and these rows: the twin of `prefixes_of`."""
    rows = np.full(len(prefix.values), NONE, dtype=np.int64)
    for name in ("", period):
        found = periods.rows_of(name)
        rows[prefix.codes[found]] = found
    known = np.flatnonzero(rows != NONE)
    return known, rows[known]


@attrs.frozen(kw_only=True)
class _Prices:
    """The prices of a deck by field, as whole ``10**-scale``, and the highest of them."""

    columns: Mapping[str, Integers]
    scale: int
    highest: int


def _prices(deck: RateTable, rows: Integers, minimum: Fraction | None, maximum: Fraction | None) -> _Prices | None:
    """Return the prices of some rows, None where they have too many decimals or outgrow int64; each is converted once."""
    fields = {"rate_per_min": None, "connect_fee": None, "minimum_charge": minimum, "maximum_charge": maximum}
    stated = {
        name: [default if price is None else price for price in deck.columns[name].values] for name, default in fields.items()
    }
    below = math.lcm(*{price.denominator for prices in stated.values() for price in prices if price is not None})
    scale = next((scale for scale in range(_MOST_SCALE + 1) if 10**scale % below == 0), None)
    if scale is None:
        return None
    size = 10**scale
    units = {
        name: [NO_LIMIT if price is None else price.numerator * (size // price.denominator) for price in prices]
        for name, prices in stated.items()
    }
    highest = max(map(max, units.values()))
    if highest >= _HIGHEST:
        return None
    columns = {name: _column(values, deck.columns[name].codes[rows]) for name, values in units.items()}
    return _Prices(columns=columns, scale=scale, highest=max(highest, 0))


def pick(column: Integers, at: Integers) -> Integers:
    """Return the values of a deck's column for many rows, one number where all rows of the deck have the same."""
    return column if column.ndim == 0 else column[at]


def _column(values: Sequence[int], codes: Integers) -> Integers:
    """Return the value of each row by its place among the values, a single number where all rows have the same."""
    column = np.array(values, dtype=np.int64)[codes]
    return column[0].reshape(()) if (column == column[0]).all() else column
