"""The longest prefixes of many numbers at once: the columnar twin of `Prefixes.place`.

A prefix p of k digits covers the numbers from p followed by zeros to the next prefix of its length, as integers of 15 digits.
The prefixes of a deck cut these integers into intervals, each of which one prefix owns; a number is found by one search.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np

from billing_framework import IntervalIndex
from billing_telecom_usage.deck.digits import Digits, Integers
from billing_telecom_usage.deck.prefixes import NONE, Prefixes
from billing_telecom_usage.numbers import E164_DIGITS


@attrs.frozen(eq=False)
class PrefixColumns:
    """The prefixes of one deck and tariff period as intervals.

    Attributes:
        index: the intervals.
        owners: place of the row that owns the interval, -1 for none.
        parents: place of the row with the longest shorter prefix of each row's prefix, -1 for none.
        lengths: digits of each row's prefix.
        any_row: place of the row for all other numbers, -1 where there is none.
    """

    index: IntervalIndex
    owners: Integers
    parents: Integers
    lengths: Integers
    any_row: int

    def places(self, numbers: Digits) -> Integers:
        """Return what `Prefixes.place` returns for each of many numbers of digits.

        A short number, padded with zeros, may seem to begin with a longer prefix; it then goes on to the shorter prefixes of
        that one until it is long enough.
        """
        found = self.owners[self.index.places(numbers.keys)]
        while True:
            short = np.flatnonzero((found != NONE) & (self.lengths[found] > numbers.sizes))
            if not len(short):
                break
            found[short] = self.parents[found[short]]
        found[found == NONE] = self.any_row
        return found


def prefix_columns(prefixes: Prefixes) -> PrefixColumns:
    """Return the intervals of prefixes."""
    starts, owners = _intervals(prefixes.by_prefix)
    rows = prefixes.rows
    return PrefixColumns(
        index=IntervalIndex.of(starts),
        owners=np.array(owners, dtype=np.int64),
        parents=np.array([_parent(row.prefix, prefixes.by_prefix) for row in rows] or [NONE], dtype=np.int64),
        lengths=np.array([len(row.prefix) for row in rows] or [0], dtype=np.int64),
        any_row=prefixes.any_row,
    )


def _parent(prefix: str, by_prefix: Mapping[str, int]) -> int:
    lengths = range(len(prefix) - 1, 0, -1)
    return next((by_prefix[prefix[:length]] for length in lengths if prefix[:length] in by_prefix), NONE)


def _intervals(by_prefix: Mapping[str, int]) -> tuple[list[int], list[int]]:
    """Return starts and owners of the intervals, by a sweep over the ends of all prefixes with the open ones on a stack."""
    edges: dict[int, int] = {0: NONE}
    open_ones: list[tuple[int, int]] = []  # end of its numbers, place

    def close(until: int) -> None:
        while open_ones and open_ones[-1][0] <= until:
            end, _ = open_ones.pop()
            edges[end] = open_ones[-1][1] if open_ones else NONE

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
