"""A tuple of whole numbers in one small binary value: how interval data is stored, one row per channel and day.

One byte says how the rest is written: its low two bits the width of a number (1, 2, 4 or 8 bytes, little-endian, signed), bit 4
that the first value stands in 8 bytes and is followed by first differences, bit 5 that the rest is compressed by zlib. The
shorter form is taken; zlib is tried only where at least half of the steps from value to value repeat the step before, as in
nights without any consumption, and taken where it saves a quarter, because packing and unpacking it takes far longer. Digests
are taken over the values, never over these bytes, because another zlib may compress the same values differently.
"""

# ruff: noqa: ARG002, D102 - names and types of the methods are SQLAlchemy's

from __future__ import annotations

import itertools
import sys
import zlib
from array import array
from collections.abc import Sequence
from typing import Any

from sqlalchemy import LargeBinary
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from billing_framework.values.errors import StorageError, ValueRefused

_WIDTHS = ("b", "h", "i", "q")
_DIFFERENCES = 0x10
_COMPRESSED = 0x20
_LOWEST = -(2**63)
_HIGHEST = 2**63 - 1


def pack(values: Sequence[int]) -> bytes:
    """Return whole numbers as one binary value.

    Raises:
        ValueRefused: ``STORAGE13`` for a number beyond 64 bits.
    """
    if not values:
        return b"\x00"
    if min(values) < _LOWEST or max(values) > _HIGHEST:
        raise ValueRefused("STORAGE13", "a packed number is beyond 64 bits", remedy="Scale the values down")
    plain, header = _written(values), _width(values)
    steps = [second - first for first, second in itertools.pairwise(values)]
    if _width(steps) < header:
        plain, header = values[0].to_bytes(8, "little", signed=True) + _written(steps), _DIFFERENCES | _width(steps)
    if 2 * sum(first == second for first, second in itertools.pairwise(steps)) >= len(steps) - 1:
        short = zlib.compress(plain, 6)
        if len(short) * 4 <= len(plain) * 3:
            return bytes([header | _COMPRESSED]) + short
    return bytes([header]) + plain


def _width(values: Sequence[int]) -> int:
    low, high = min(values, default=0), max(values, default=0)
    for code, bits in enumerate((7, 15, 31, 63)):
        if -(1 << bits) <= low and high < (1 << bits):
            return code
    return len(_WIDTHS)  # differences of large numbers may need a 65th bit; then the values themselves are written


def _written(values: Sequence[int]) -> bytes:
    numbers = array(_WIDTHS[_width(values)], values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _read(content: bytes, width: int) -> array[int]:
    numbers = array(_WIDTHS[width])
    numbers.frombytes(content)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def unpack(packed: bytes) -> tuple[int, ...]:
    """Return the whole numbers that `pack` had written.

    Raises:
        StorageError: ``STORAGE16`` where the value is damaged.
    """
    try:
        header = packed[0]
        content = zlib.decompress(packed[1:]) if header & _COMPRESSED else packed[1:]
        if not header & _DIFFERENCES:
            return tuple(_read(content, header & 0x03))
        first = int.from_bytes(content[:8], "little", signed=True)
        return tuple(itertools.accumulate(_read(content[8:], header & 0x03), initial=first))
    except (IndexError, ValueError, zlib.error) as error:
        raise StorageError("STORAGE16", "a packed value is damaged", remedy="Restore the database from a backup") from error


class PackedWholes(TypeDecorator[tuple[int, ...]]):
    """A tuple of 64-bit whole numbers as one binary value."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sqlite.BLOB() if dialect.name == "sqlite" else postgresql.BYTEA())

    def process_bind_param(self, value: tuple[int, ...] | None, dialect: Dialect) -> bytes | None:
        return None if value is None else pack(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> tuple[int, ...] | None:
        return None if value is None else unpack(bytes(value))
