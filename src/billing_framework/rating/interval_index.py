"""Looking up many numbers in one sorted list of interval starts: rate tables and calendars as columns, built once per version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import attrs
import numpy as np

from billing_framework.values.columns import Integers

_MOST_BUCKETS = 2**21
_BUCKETS_PER_INTERVAL = 32
_BLOCK = 2**15


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
        most = min(_MOST_BUCKETS, _BUCKETS_PER_INTERVAL * len(edges))
        shift = max(reach.bit_length() - most.bit_length() + 1, 0)
        buckets = (reach >> shift) + 1
        reached_in = (edges - edges[0] + ((1 << shift) - 1)) >> shift  # the first bucket that begins where an interval has begun
        firsts = np.cumsum(np.bincount(reached_in, minlength=buckets + 1), dtype=np.int32) - np.int32(1)
        fullest = int(np.diff(firsts).max())
        return cls(edges, shift, firsts, fullest.bit_length())

    def places(self, numbers: Integers) -> Integers:
        """Return the place of the interval that each number lies in, -1 before the first; the last one has no end."""
        found = np.empty(len(numbers), dtype=np.int64)
        for begin in range(0, len(numbers), _BLOCK):  # a block stays in the cache of the processor
            block = slice(begin, begin + _BLOCK)
            found[block] = self._block(numbers[block])
        return found

    def _block(self, numbers: Integers) -> Integers:
        bucket = (numbers - self.starts[0]) >> self.shift
        is_beyond = bool(bucket.min() < 0 or bucket.max() > len(self.firsts) - 2)
        if is_beyond:
            bucket = np.clip(bucket, 0, len(self.firsts) - 2)
        low, high = self.firsts[bucket], self.firsts[bucket + 1]
        rows = np.flatnonzero(low < high)
        left, right, wanted = low[rows], high[rows], numbers[rows]
        for _ in range(self.steps):
            middle = (left + right + 1) >> 1
            reached = self.starts[middle] <= wanted
            left = np.where(reached, middle, left)
            right = np.where(reached, right, middle - 1)
        low[rows] = left
        if is_beyond:
            low[numbers < self.starts[0]] = -1
        found: Integers = low
        return found
