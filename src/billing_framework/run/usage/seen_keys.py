"""The keys of the records that one file has brought so far, kept small and sorted, so that a repeated one is found at once."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

Keys = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def are_among(keys: Keys, ordered: Keys) -> Flags:
    """Return which of some keys are in a sorted array; for few of either, this costs a small part of what ``numpy.isin`` does."""
    if not len(ordered):
        return np.zeros(len(keys), dtype=np.bool_)
    places = np.searchsorted(ordered, keys)
    places[places == len(ordered)] = 0
    found: Flags = ordered[places] == keys
    return found


@attrs.define
class SeenKeys:
    """Sorted arrays, each at most half as long as the one before; eight bytes for a key."""

    _runs: list[Keys] = attrs.field(factory=list)

    def add(self, keys: Keys) -> None:
        """Remember some keys."""
        run = np.sort(keys)
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.concatenate([self._runs.pop(), run])
            run.sort(kind="stable")
        if len(run):
            self._runs.append(run)

    def among(self, keys: Keys) -> Keys:
        """Return those of some keys that were seen."""
        ordered = np.sort(keys)
        found = np.zeros(len(ordered), dtype=np.bool_)
        for run in self._runs:
            found |= are_among(ordered, run)
        return ordered[found]
