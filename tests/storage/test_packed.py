"""Packed whole numbers: exact, small, and damage is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.storage.packed import pack, unpack
from billing_framework.values.errors import StorageError, ValueRefused

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(INT64 | st.integers(-200, 200) | st.integers(10**12, 10**12 + 99), max_size=300))
def test_what_is_packed_comes_back(values: list[int]) -> None:
    assert unpack(pack(values)) == tuple(values)


@pytest.mark.parametrize(
    ("values", "most_bytes"),
    [
        ((), 1),
        ((0,) * 96, 20),
        (tuple(range(10**9, 10**9 + 96)), 30),
        (tuple((7 * place) % 120 for place in range(96)), 97),
        ((2**63 - 1, -(2**63), 2**63 - 1), 25),
    ],
)
def test_the_narrowest_form_is_taken(values: tuple[int, ...], most_bytes: int) -> None:
    packed = pack(values)
    assert len(packed) <= most_bytes
    assert unpack(packed) == values


def test_the_form_is_little_endian_and_stays_readable() -> None:
    # Written once by another version: these bytes are in the databases of users.
    assert unpack(b"\x00\x01\xff\x02") == (1, -1, 2)
    assert unpack(b"\x01\x00\x01\xff\xff") == (256, -1)
    assert unpack(b"\x10\x00\x00\x01\x00\x00\x00\x00\x00\x01") == (65536, 65537)


@pytest.mark.parametrize("values", [(2**63,), (1, -(2**63) - 1)])
def test_a_number_beyond_64_bits_is_refused(values: tuple[int, ...]) -> None:
    with pytest.raises(ValueRefused) as caught:
        pack(values)
    assert caught.value.code == "STORAGE13"


@pytest.mark.parametrize("packed", [b"", b"\x01\x00", b"\x20broken"])
def test_damage_is_noticed(packed: bytes) -> None:
    with pytest.raises(StorageError) as caught:
        unpack(packed)
    assert caught.value.code == "STORAGE16"
