"""Telephone numbers as integers, many at once: the first fifteen digits, padded with zeros, eight digits to a multiplication."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from billing_telecom_usage.numbers import E164_DIGITS

Integers = npt.NDArray[Any]
"""An array of int64."""
_WIDTH = 16
_BLOCK = 2**14
_WORD = np.dtype("<u8")


def _bytes(pattern: int) -> np.uint64:
    return np.uint64(int.from_bytes(bytes([pattern]) * 8, "little"))


_LOW, _HIGH, _SIX, _BIT, _ONES = _bytes(0x0F), _bytes(0xF0), _bytes(0x06), _bytes(0x10), _bytes(0x01)
_LAST_CLEARED = np.uint64(2**56 - 1)


@attrs.frozen(eq=False)
class Digits:
    """Numbers by their first fifteen digits.

    Attributes:
        keys: these digits, padded with zeros to fifteen, as an integer.
        sizes: how many of them there are.
        sound: False where one of them is no digit; the key then means nothing.
    """

    keys: Integers
    sizes: Integers
    sound: npt.NDArray[np.bool_]


def digits_of(texts: npt.NDArray[np.bytes_]) -> Digits:
    """Return the numbers that texts of ASCII digits say."""
    keys, sizes = (np.empty(len(texts), dtype=np.int64) for _ in range(2))
    sound = np.empty(len(texts), dtype=bool)
    for begin in range(0, len(texts), _BLOCK):  # a block stays in the cache of the processor
        block = slice(begin, begin + _BLOCK)
        keys[block], sizes[block], sound[block] = _block(texts[block])
    return Digits(keys, sizes, sound)


def _block(texts: npt.NDArray[np.bytes_]) -> tuple[Integers, Integers, npt.NDArray[np.bool_]]:
    width = texts.dtype.itemsize
    padded = np.zeros((len(texts), _WIDTH), dtype=np.uint8)
    padded[:, :width] = np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), width)[:, :_WIDTH]
    words = padded.view(_WORD)
    first, second = words[:, 0].copy(), words[:, 1] & _LAST_CLEARED  # the sixteenth digit names nobody
    sizes = np.zeros(len(texts), dtype=np.int64)
    sound = np.ones(len(texts), dtype=bool)
    for word in (first, second):
        marks = word & _BIT  # set in "0" to "9", not in the padding
        sizes += (((marks >> np.uint64(4)) * _ONES) >> np.uint64(56)).astype(np.int64)
        wanted = marks * np.uint64(3)
        beside = ~((marks >> np.uint64(4)) * np.uint64(15)) & _LOW
        sound &= ((word & _HIGH) == wanted) & (((word + _SIX) & _HIGH) == wanted) & ((word & beside) == 0)
    return _eight(first) * 10 ** (E164_DIGITS - 8) + _eight(second) // 10, sizes, sound


def _eight(words: npt.NDArray[np.uint64]) -> Integers:
    """Return the number that the eight digits of each word say, first digit in the lowest byte, padding counted as zero."""
    pairs = ((words & _LOW) * np.uint64(2561)) >> np.uint64(8)
    fours = ((pairs & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    eights = ((fours & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32)
    return eights.astype(np.int64)
