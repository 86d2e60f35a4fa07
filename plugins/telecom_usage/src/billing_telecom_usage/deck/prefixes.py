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
        deck: the deck.
        places: prefix to the place of its row in the deck; that for all other numbers is among them.
        longest: characters of the longest prefix.
    """

    deck: RateTable
    places: Mapping[str, int]
    longest: int

    def place(self, number: str) -> int:
        """Return the place in the deck of the row with the longest prefix that `number` begins with, -1 where there is none."""
        head = number[:E164_DIGITS]
        for length in range(min(self.longest, len(head)), 0, -1):
            found = self.places.get(head[:length])
            if found is not None:
                return found
        return self.places.get(ANY, NONE)

    def row(self, number: str) -> DeckRow | None:
        """Return that row, None where there is none."""
        place = self.place(number)
        return None if place == NONE else deck_row(self.deck, place)


@functools.lru_cache(maxsize=64)
def prefixes_of(deck: RateTable, period: str = "") -> Prefixes:
    """Return the prefixes of a deck as they hold in a tariff period; kept by deck, for it never changes.

    Args:
        deck: the deck.
        period: name of the tariff period. A row for that very period stands before one of the same prefix for all periods.
    """
    places: dict[str, int] = dict(prefixes_of(deck).places) if period else {}
    if deck.size:
        prefix, rows = deck.columns["prefix"], deck.columns["period"].rows_of(period)
        places |= zip(map(prefix.values.__getitem__, prefix.codes[rows].tolist()), rows.tolist(), strict=True)
    return Prefixes(deck=deck, places=places, longest=max(map(len, places), default=0))


@functools.lru_cache(maxsize=65_536)
def deck_row(deck: RateTable, place: int) -> DeckRow:
    """Return the row at a place of a deck; kept, because calls meet the same rows again and again."""
    row: DeckRow = deck.row(place)
    return row
