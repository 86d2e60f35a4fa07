"""The longest prefix of a deck that a number begins with: one dictionary for single numbers, one sorted column for many.

A prefix p of k digits covers the numbers from p followed by zeros to the next prefix of its length, as integers of 15 digits.
The prefixes of a deck cut these integers into intervals, each of which one prefix owns; a number is found by one binary search.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework import RateTable
from billing_telecom_usage.deck.table import ANY, DeckRow
from billing_telecom_usage.numbers import E164_DIGITS

Integers = npt.NDArray[np.int64]
_NONE = -1


@attrs.frozen(eq=False)
class Prefixes:
    """The rows of one deck that hold in one tariff period, ready to be asked.

    Attributes:
        rows: the rows, in the order of the deck.
        by_prefix: prefix to its place in `rows`.
        longest: digits of the longest prefix.
        any_row: place of the row for all other numbers, -1 where there is none.
        starts: first 15-digit integer of each interval, ascending.
        owners: place of the row that owns the interval, -1 for none.
        parents: place of the row with the longest shorter prefix of each row's prefix, -1 for none.
        lengths: digits of each row's prefix.
    """

    rows: tuple[DeckRow, ...]
    by_prefix: Mapping[str, int]
    longest: int
    any_row: int
    starts: Integers
    owners: Integers
    parents: Integers
    lengths: Integers

    def place(self, number: str) -> int:
        """Return the place of the row with the longest prefix that `number` begins with, -1 where there is none."""
        head = number[:E164_DIGITS]
        for length in range(min(self.longest, len(head)), 0, -1):
            found = self.by_prefix.get(head[:length])
            if found is not None:
                return found
        return self.any_row

    def places(self, numbers: Sequence[str]) -> Integers:
        """Return what `place` returns for each of many numbers of digits.

        A short number, padded with zeros, may seem to begin with a longer prefix; it then goes on to the shorter prefixes of
        that one until it is long enough.
        """
        if not numbers:
            return np.zeros(0, dtype=np.int64)
        heads = [number[:E164_DIGITS] for number in numbers]
        keys = np.array([head.ljust(E164_DIGITS, "0") for head in heads], dtype=f"S{E164_DIGITS}").astype(np.int64)
        sizes = np.array([len(head) for head in heads], dtype=np.int64)
        found = self.owners[np.searchsorted(self.starts, keys, side="right") - 1]
        while True:
            short = (found != _NONE) & (self.lengths[found] > sizes)
            if not short.any():
                break
            found[short] = self.parents[found[short]]
        found[found == _NONE] = self.any_row
        return found


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
    starts, owners = _intervals(by_prefix)
    return Prefixes(
        rows=rows,
        by_prefix=by_prefix,
        longest=max(map(len, by_prefix), default=0),
        any_row=next((place for place, row in enumerate(rows) if row.prefix == ANY), _NONE),
        starts=np.array(starts, dtype=np.int64),
        owners=np.array(owners, dtype=np.int64),
        parents=np.array([_parent(row.prefix, by_prefix) for row in rows] or [_NONE], dtype=np.int64),
        lengths=np.array([len(row.prefix) for row in rows] or [0], dtype=np.int64),
    )


def _parent(prefix: str, by_prefix: Mapping[str, int]) -> int:
    lengths = range(len(prefix) - 1, 0, -1)
    return next((by_prefix[prefix[:length]] for length in lengths if prefix[:length] in by_prefix), _NONE)


def _intervals(by_prefix: Mapping[str, int]) -> tuple[list[int], list[int]]:
    """Return starts and owners of the intervals, by a sweep over the ends of all prefixes with the open ones on a stack."""
    edges: dict[int, int] = {0: _NONE}
    open_ones: list[tuple[int, int]] = []  # end of its numbers, place

    def close(until: int) -> None:
        while open_ones and open_ones[-1][0] <= until:
            end, _ = open_ones.pop()
            edges[end] = open_ones[-1][1] if open_ones else _NONE

    spans = sorted(
        (int(prefix) * 10 ** (E164_DIGITS - len(prefix)), len(prefix), prefix, place) for prefix, place in by_prefix.items()
    )
    for start, length, prefix, place in spans:
        close(start)
        edges[start] = place
        open_ones.append(((int(prefix) + 1) * 10 ** (E164_DIGITS - length), place))
    close(10**E164_DIGITS)
    ordered = sorted(edges.items())
    return [start for start, _ in ordered], [owner for _, owner in ordered]
