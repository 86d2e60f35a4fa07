"""Many packed values at once are what each is alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.storage.packed import pack, unpack
from billing_framework.storage.packed_columns import pack_columns, unpack_columns
from billing_framework.values.errors import StorageError

whole = st.integers(-(2**63), 2**63 - 1)
values = st.one_of(
    st.lists(st.integers(0, 9), max_size=60),
    st.lists(st.integers(-300, 300), max_size=20),
    st.lists(whole, max_size=5),
    st.integers(2**40, 2**41).flatmap(lambda base: st.lists(st.integers(base, base + 100), min_size=1, max_size=20)),
    st.just([7] * 96),
)


@given(st.lists(values, max_size=12))
def test_many_are_what_each_is_alone(many: list[list[int]]) -> None:
    packed = [pack(one) for one in many]
    numbers, starts = unpack_columns(packed)

    assert numbers.tolist() == [number for one in packed for number in unpack(one)]
    assert [len(one) for one in many] == (starts[1:] - starts[:-1]).tolist()


@pytest.mark.parametrize("damaged", [b"", b"\x01\x00", b"\x21nonsense", b"\x11\x00\x00"])
def test_a_damaged_value_is_told(damaged: bytes) -> None:
    with pytest.raises(StorageError, match="damaged"):
        unpack_columns([pack([1, 2]), damaged])


@given(st.lists(values, max_size=12))
def test_many_are_packed_as_each_is_alone(many: list[list[int]]) -> None:
    numbers = np.array([number for one in many for number in one], dtype=np.int64)
    starts = np.cumsum([0, *map(len, many)])
    assert pack_columns(numbers, starts) == [pack(one) for one in many]
