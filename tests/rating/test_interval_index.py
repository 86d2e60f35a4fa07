"""Numbers are found among the starts of intervals as a plain binary search finds them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.rating.interval_index import IntervalIndex

numbers = st.one_of(st.integers(-50, 50), st.integers(-(2**61), 2**61), st.integers(10**15, 10**15 + 2000))


@given(st.sets(numbers, min_size=1, max_size=60), st.lists(numbers, max_size=60))
def test_each_number_is_found_in_its_interval(starts: set[int], asked: list[int]) -> None:
    edges = sorted(starts)
    wanted = [sum(edge <= number for edge in edges) - 1 for number in [*asked, *edges]]

    assert IntervalIndex.of(edges).places(np.array([*asked, *edges], dtype=np.int64)).tolist() == wanted


def test_more_numbers_than_a_block_are_found() -> None:
    edges = np.arange(0, 10**9, 12_345)
    asked = np.arange(-5, 10**9 + 10**6, 9_999)

    assert (IntervalIndex.of(edges).places(asked) == np.searchsorted(edges, asked, side="right") - 1).all()
