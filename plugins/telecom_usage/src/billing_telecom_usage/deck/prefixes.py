"""The longest prefix of a deck that a number begins with, by one dictionary; `prefix_columns` does it for many at once."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import attrs

from billing_framework import RateTable
from billing_telecom_usage.deck.table import ANY, DeckRow
from billing_telecom_usage.numbers import E164_DIGITS

NONE = -1
"""Place of a row that is not there."""


@attrs.frozen(eq=False)
class Prefixes:
    """The rows of one deck that hold in one tariff period, ready to be asked.

    Attributes:
        rows: the rows, in the order of the deck.
        by_prefix: prefix to its place in `rows`.
        longest: digits of the longest prefix.
        any_row: place of the row for all other numbers, -1 where there is none.
    """

    rows: tuple[DeckRow, ...]
    by_prefix: Mapping[str, int]
    longest: int
    any_row: int

    def place(self, number: str) -> int:
        """Return the place of the row with the longest prefix that `number` begins with, -1 where there is none."""
        head = number[:E164_DIGITS]
        for length in range(min(self.longest, len(head)), 0, -1):
            found = self.by_prefix.get(head[:length])
            if found is not None:
                return found
        return self.any_row


@functools.lru_cache(maxsize=64)
def prefixes_of(deck: RateTable, period: str = "") -> Prefixes:
    """Return the prefixes of a deck as they hold in a tariff period; kept by deck, for it never changes.

    Args:
        deck: the deck.
        period: name of the tariff period. A row for that very period stands before one of the same prefix for all periods.
    """
    chosen: dict[str, DeckRow] = {row.prefix: row for row in deck.rows if not row.period}
    if period:
        chosen.update({row.prefix: row for row in deck.rows if row.period == period})
    rows = tuple(chosen.values())
    by_prefix = {row.prefix: place for place, row in enumerate(rows) if row.prefix != ANY}
    return Prefixes(
        rows=rows,
        by_prefix=by_prefix,
        longest=max(map(len, by_prefix), default=0),
        any_row=next((place for place, row in enumerate(rows) if row.prefix == ANY), NONE),
    )
