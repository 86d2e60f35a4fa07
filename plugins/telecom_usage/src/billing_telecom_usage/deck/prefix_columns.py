"""The longest prefixes of many numbers at once: the columnar twin of `Prefixes.place`.

A prefix p of k digits covers the numbers from p followed by zeros to the next prefix of its length, as integers of 15 digits.
The prefixes of a deck cut these integers into intervals, each of which one prefix owns; a number is found by one search.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from billing_framework import IntervalIndex
from billing_telecom_usage.deck.digits import Digits, Integers, digits_of
from billing_telecom_usage.deck.prefixes import NONE
from billing_telecom_usage.deck.table import ANY
from billing_telecom_usage.numbers import E164_DIGITS


@attrs.frozen(eq=False)
class PrefixColumns:
    """The prefixes of one deck and tariff period as intervals; a place is that of a prefix among them.

    Attributes:
        index: the intervals.
        owners: place of the prefix that owns the interval, -1 for none.
        parents: place of the longest shorter prefix of each prefix, -1 for none.
        lengths: digits of each prefix.
        any_row: place of the prefix for all other numbers, -1 where there is none.
    """

    index: IntervalIndex
    owners: Integers
    parents: Integers
    lengths: Integers
    any_row: int

    def places(self, numbers: Digits) -> Integers:
        """Return the place of what `Prefixes.place` finds for each of many numbers of digits.

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


def prefix_columns(prefixes: Sequence[str]) -> PrefixColumns | None:
    """Return the intervals of different prefixes, None where one of them is neither one to fifteen digits nor the one for all."""
    any_row = prefixes.index(ANY) if ANY in prefixes else NONE
    texts = [prefix for prefix in prefixes if prefix != ANY] if any_row != NONE else prefixes
    together = "".join(texts)
    if texts and not (together.isascii() and together.isdigit() and all(texts) and max(map(len, texts)) <= E164_DIGITS):
        return None
    numbers = digits_of(np.array(texts, dtype=f"S{E164_DIGITS}"))
    places = np.arange(len(texts), dtype=np.int64)
    if any_row != NONE:
        places[any_row:] += 1
    starts, lengths = numbers.keys, numbers.sizes
    ends = starts + 10 ** (E164_DIGITS - lengths)
    sorted_edges = np.sort(np.concatenate(([0], starts, ends)))
    edges = sorted_edges[np.diff(sorted_edges, prepend=-1) > 0]
    first, last = np.searchsorted(edges, starts), np.searchsorted(edges, ends)
    owners = np.full(len(edges), NONE, dtype=np.int64)
    parents, sizes = (np.full(len(prefixes) + 1, none, dtype=np.int64) for none in (NONE, 0))  # at -1 that of no prefix
    sizes[places] = lengths
    # The numbers of a longer prefix lie within those of a shorter one, or beside them.
    for length in sorted(set(lengths.tolist())):
        own = np.flatnonzero(lengths == length)
        parents[places[own]] = owners[first[own]]
        marks = np.zeros(len(edges), dtype=np.int64)
        marks[first[own]] += places[own] + 1
        marks[last[own]] -= places[own] + 1
        covering = np.cumsum(marks)
        owners = np.where(covering > 0, covering - 1, owners)
    return PrefixColumns(
        index=IntervalIndex.of(edges),
        owners=owners,
        parents=parents,
        lengths=sizes,
        any_row=any_row,
    )
