"""Looking up many numbers in one sorted list of interval starts: rate tables and calendars as columns, built once per version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import attrs
import numpy as np

from billing_framework.values.columns import Integers

_MOST_BUCKETS = 2**19


@attrs.frozen(eq=False)
class IntervalIndex:
    """Intervals that follow each other, each known by its start; a binary search in small buckets instead of the whole list.

    Attributes:
        starts: first number of each interval, ascending and without repeats.
        shift: bits by which a number is moved to the right to find its bucket.
        firsts: the interval in which each bucket begins; one more than there are buckets.
        steps: halvings that find a number in the fullest bucket.
    """

    starts: Integers
    shift: int
    firsts: Integers
    steps: int

    @classmethod
    def of(cls, starts: Sequence[int] | Integers) -> Self:
        """Return the index of intervals by their starts, at least one, ascending and without repeats."""
        edges = np.asarray(starts, dtype=np.int64)
        reach = int(edges[-1] - edges[0])
        shift = max(reach.bit_length() - _MOST_BUCKETS.bit_length() + 1, 0)
        buckets = (reach >> shift) + 1
        begins = edges[0] + (np.arange(buckets + 1, dtype=np.int64) << shift)
        firsts = np.searchsorted(edges, begins, side="right") - 1
        fullest = int(np.diff(firsts).max())
        return cls(edges, shift, firsts, fullest.bit_length())

    def places(self, numbers: Integers) -> Integers:
        """Return the place of the interval that each number lies in, -1 before the first; the last one has no end."""
        bucket = np.clip((numbers - self.starts[0]) >> self.shift, 0, len(self.firsts) - 2)
        low, high = self.firsts[bucket], self.firsts[bucket + 1]
        for _ in range(self.steps):
            middle = (low + high + 1) >> 1
            reached = self.starts[middle] <= numbers
            low = np.where(reached, middle, low)
            high = np.where(reached, high, middle - 1)
        return np.where(numbers < self.starts[0], -1, low)
