"""The columnar twin of `quoting` and `price`: plain calls of many accounts at once as columns, the same to the last digit.

Plain are calls of a component without tariff periods and allowances whose deck row has one price per minute, rounded per call.
All other calls, and a deck whose prices could outgrow int64, are left to the reference.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework import Overflows, RateTable, divide_columns
from billing_telecom_usage.deck.prefixes import Prefixes, prefixes_of
from billing_telecom_usage.deck.table import DeckRow
from billing_telecom_usage.rating.sorting import Task
from billing_telecom_usage.rating.tariff import CallPricing

Integers = npt.NDArray[np.int64]
_MINUTE = 60
_LIMIT = 2**62
_NO_LIMIT = -1


@attrs.frozen
class Quick:
    """The price of a plain call.

    Attributes:
        row: row of the deck.
        billed_s: seconds that are charged.
        amount: its price, rounded.
    """

    row: DeckRow
    billed_s: int
    amount: Fraction


@attrs.frozen(eq=False)
class DeckColumns:
    """The rows of a deck as columns, by place; prices in ``10**-scale`` of the currency.

    Attributes:
        prefixes: the deck's prefixes.
        scale: decimals of the prices.
        is_plain: whether a row has one price per minute, from the first date of the deck on.
        rate: price of a minute.
        fee: price of the connection.
        initial: seconds of the first block.
        increment: seconds of a step.
        included: first seconds that are free.
        nocharge: calls of at most so many seconds are free.
        minimum_s: least seconds.
        least: least price, -1 for none.
        most: highest price, -1 for none.
    """

    prefixes: Prefixes
    scale: int
    is_plain: npt.NDArray[np.bool_]
    rate: Integers
    fee: Integers
    initial: Integers
    increment: Integers
    included: Integers
    nocharge: Integers
    minimum_s: Integers
    least: Integers
    most: Integers


def quick_prices(tasks: Iterable[Task]) -> dict[int, Quick]:
    """Return the prices of the plain calls among `tasks`, by key of their record."""
    batches: dict[tuple[int, int], list[Task]] = {}
    for task in tasks:
        params = task.params
        if task.seconds and params.places is not None and not params.periods and not params.allowances:
            batches.setdefault((id(task.deck), id(params)), []).append(task)
    found: dict[int, Quick] = {}
    for batch in batches.values():
        found.update(_priced(batch, batch[0].deck, batch[0].params))
    return found


def _priced(tasks: Sequence[Task], deck: RateTable, params: CallPricing) -> Mapping[int, Quick]:
    columns = _columns_of(deck, params.minimum_charge, params.maximum_charge)
    if columns is None or params.places is None:
        return {}
    places = columns.prefixes.places([task.call.b_number for task in tasks])
    chosen = np.flatnonzero((places >= 0) & columns.is_plain[places])
    at = places[chosen]
    seconds = np.array([task.seconds for task in tasks], dtype=np.int64)[chosen]
    legs = np.array([task.call.continuation for task in tasks], dtype=bool)[chosen]
    billed = _billed(columns, at, seconds, params.minimum_s)
    if not len(chosen) or _reach(columns, at, billed, params.places) >= _LIMIT:
        return {}
    sixtieths = _sixtieths(columns, at, seconds, billed, legs)
    shift = params.places - columns.scale
    numerators = sixtieths * 10 ** max(shift, 0)
    units = divide_columns(numerators, _MINUTE * 10 ** max(-shift, 0), params.mode, Overflows())
    size = 10**params.places
    rows = columns.prefixes.rows
    return {
        tasks[one].record.key: Quick(rows[place], seconds, Fraction(unit, size))
        for one, place, seconds, unit in zip(chosen.tolist(), at.tolist(), billed.tolist(), units.tolist(), strict=True)
    }


def _billed(columns: DeckColumns, at: Integers, seconds: Integers, minimum_s: int) -> Integers:
    """Return the seconds that are charged: blocks of what is left after the free seconds, none for calls that are free."""
    rest = seconds - columns.included[at]
    initial, increment = columns.initial[at], columns.increment[at]
    steps = -(-np.maximum(rest - initial, 0) // increment)
    own = columns.minimum_s[at]
    blocks = np.maximum(initial + steps * increment, np.where(own == 0, minimum_s, own))
    return np.where((rest <= 0) | (seconds <= columns.nocharge[at]), 0, blocks)


def _reach(columns: DeckColumns, at: Integers, billed: Integers, places: int) -> int:
    """Return what no number of the computation exceeds, as a Python integer."""
    highest = max(_most(columns.fee[at]), _most(columns.least[at]), _most(columns.most[at]))
    shift: int = 10 ** abs(places - columns.scale)
    return (highest * _MINUTE + _most(columns.rate[at]) * max(_most(billed), 1)) * shift * _MINUTE


def _most(numbers: Integers) -> int:
    largest: int = max(numbers.tolist(), default=0)
    return largest


def _sixtieths(columns: DeckColumns, at: Integers, seconds: Integers, billed: Integers, legs: npt.NDArray[np.bool_]) -> Integers:
    """Return the exact prices in sixtieths of the column's unit, for a price per minute is a sixtieth a second."""
    fee = np.where(legs, 0, columns.fee[at]) * _MINUTE
    price = fee + columns.rate[at] * billed
    is_free = seconds <= columns.nocharge[at]
    is_nothing = is_free | ((billed == 0) & (fee == 0))  # what the reference calls free bears no least price
    least, most = columns.least[at], columns.most[at]
    price = np.where(is_free, 0, price)
    price = np.where(~is_nothing & (least != _NO_LIMIT), np.maximum(price, least * _MINUTE), price)
    return np.where(most != _NO_LIMIT, np.minimum(price, most * _MINUTE), price)


@functools.lru_cache(maxsize=64)
def _columns_of(deck: RateTable, minimum: Fraction | None, maximum: Fraction | None) -> DeckColumns | None:
    """Return the columns of a deck, None where its prices outgrow int64; kept by deck, for it never changes.

    Args:
        deck: the deck.
        minimum: least price of rows that have none of their own.
        maximum: highest price of rows that have none of their own.
    """
    prefixes = prefixes_of(deck)
    rows = prefixes.rows
    least = [row.minimum_charge if row.minimum_charge is not None else minimum for row in rows]
    most = [row.maximum_charge if row.maximum_charge is not None else maximum for row in rows]
    prices = [price for row in rows for price in (row.rate_per_min, row.connect_fee)]
    scale = _scale([*prices, *(price for price in (*least, *most) if price is not None)])
    if not rows or scale is None:
        return None
    size, start = 10**scale, deck.valid_from
    if max(prices, default=Fraction(0)) * size >= _LIMIT or max(one or 0 for one in (*least, *most)) * size >= _LIMIT:
        return None

    def money(values: Iterable[Fraction | None]) -> Integers:
        return np.array([_NO_LIMIT if one is None else int(one * size) for one in values], dtype=np.int64)

    def whole(values: Iterable[int]) -> Integers:
        return np.array(list(values), dtype=np.int64)

    return DeckColumns(
        prefixes=prefixes,
        scale=scale,
        is_plain=np.array([not row.groups and (row.effective_from or start) <= start for row in rows], dtype=bool),
        rate=money(row.rate_per_min for row in rows),
        fee=money(row.connect_fee for row in rows),
        initial=whole(row.initial_s for row in rows),
        increment=whole(row.increment_s for row in rows),
        included=whole(row.included_s for row in rows),
        nocharge=whole(row.nocharge_s for row in rows),
        minimum_s=whole(row.minimum_s for row in rows),
        least=money(least),
        most=money(most),
    )


def _scale(prices: Sequence[Fraction]) -> int | None:
    """Return the fewest decimals that hold all prices exactly, None where there is no such number up to 12."""
    return next((scale for scale in range(13) if all((price * 10**scale).denominator == 1 for price in prices)), None)
