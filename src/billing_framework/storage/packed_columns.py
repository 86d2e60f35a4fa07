"""Many packed tuples of whole numbers at once, as one array: the columnar twins of `pack` and `unpack`.

Values that are written alike (the same header and length, as the days of interval meters are) become one matrix; each that is
compressed is opened by itself before, and each that may be worth compressing is packed by itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from billing_framework.storage.packed import pack
from billing_framework.values.columns import Integers
from billing_framework.values.errors import StorageError

_COMPRESSED = 0x20
_DIFFERENCES = 0x10
_WIDTHS = (1, 2, 4, 8)
_FIRST = 8
_LARGEST = 2**62
"""Differences of smaller numbers have 64 bits at most."""


def pack_columns(numbers: Integers, starts: Integers) -> list[bytes]:
    """Return what `pack` returns of each of many tuples.

    Args:
        numbers: the numbers of all tuples one after the other.
        starts: where those of each begin; the last is the end of all.
    """
    packed = [b""] * (len(starts) - 1)
    counts = np.diff(starts)
    for count in np.unique(counts).tolist():
        rows = np.flatnonzero(counts == count)
        alike = len(rows) == len(counts)
        matrix = numbers.reshape(len(rows), count) if alike else numbers[starts[rows][:, None] + np.arange(count)]
        for row, content in zip(rows.tolist(), _packed_matrix(matrix), strict=True):
            packed[row] = content
    return packed


def _packed_matrix(matrix: Integers) -> list[bytes]:
    """Return the packed rows of a matrix."""
    rows, count = matrix.shape
    if count < 2 or matrix.max() >= _LARGEST or matrix.min() <= -_LARGEST:
        return [pack(row) for row in matrix.tolist()]
    steps = np.diff(matrix, axis=1)
    widths, step_widths = _widths(matrix), _widths(steps)
    by_steps = step_widths < widths
    repeats = (steps[:, 1:] == steps[:, :-1]).sum(axis=1)
    by_itself = 2 * repeats >= count - 2
    kinds = np.where(by_itself, -1, np.where(by_steps, step_widths | _DIFFERENCES, widths))
    packed = [b""] * rows
    for kind in np.unique(kinds).tolist():
        chosen = np.flatnonzero(kinds == kind)
        own = matrix if len(chosen) == rows else matrix[chosen]
        if kind < 0:
            written = [pack(row) for row in own.tolist()]
        else:
            written = _written(own, steps[chosen] if kind & _DIFFERENCES else None, kind)
        for row, content in zip(chosen.tolist(), written, strict=True):
            packed[row] = content
    return packed


def _widths(matrix: Integers) -> Integers:
    """Return the width of the numbers of each row, as its place in `_WIDTHS`."""
    low, high = matrix.min(axis=1), matrix.max(axis=1)
    widths = np.full(len(matrix), len(_WIDTHS) - 1, dtype=np.int64)
    for place in reversed(range(len(_WIDTHS) - 1)):
        limit = 1 << (8 * _WIDTHS[place] - 1)
        widths[(-limit <= low) & (high < limit)] = place
    return widths


def _written(matrix: Integers, steps: Integers | None, header: int) -> list[bytes]:
    """Return the rows of a matrix, written as one header says."""
    kind = f"<i{_WIDTHS[header & 0x03]}"
    parts = [np.full((len(matrix), 1), header, dtype=np.uint8)]
    if steps is not None:
        parts.append(np.ascontiguousarray(matrix[:, :1], dtype="<i8").view(np.uint8))
    parts.append(np.ascontiguousarray(matrix if steps is None else steps, dtype=kind).view(np.uint8))
    joined = np.concatenate(parts, axis=1)
    content, length = joined.tobytes(), joined.shape[1]
    return [content[start : start + length] for start in range(0, len(content), length)]


def unpack_columns(packed: Sequence[bytes]) -> tuple[Integers, Integers]:
    """Return the numbers of all values one after the other, and where those of each begin; the last is the end of all.

    Raises:
        StorageError: ``STORAGE16`` where a value is damaged.
    """
    opened, content, headers = packed, *_joined(packed)
    compressed = np.flatnonzero(headers & _COMPRESSED)
    if len(compressed):
        places = set(compressed.tolist())
        opened = [_opened(one) if place in places else one for place, one in enumerate(packed)]
        content, headers = _joined(opened)
    lengths = np.fromiter(map(len, opened), dtype=np.int64, count=len(opened))
    counts = _counts(lengths, headers)
    starts = np.concatenate(([0], np.cumsum(counts)))
    kinds = lengths * 256 + headers
    found = np.empty(int(starts[-1]), dtype=np.int64)
    is_even = bool((counts == counts[:1]).all())
    for kind in np.unique(kinds).tolist():
        length, header = divmod(kind, 256)
        rows = np.flatnonzero(kinds == kind)
        if len(rows) == len(opened):
            return _matrix(content.reshape(-1, length), header).ravel(), starts
        written = np.frombuffer(b"".join([opened[row] for row in rows.tolist()]), dtype=np.uint8)
        matrix = _matrix(written.reshape(-1, length), header)
        if is_even:
            found.reshape(len(opened), -1)[rows] = matrix
        else:
            found[starts[rows][:, None] + np.arange(matrix.shape[1])] = matrix
    return found, starts


def _joined(packed: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], Integers]:
    """Return all bytes, and the first byte of each value."""
    if not all(packed):
        raise _damaged()
    return np.frombuffer(b"".join(packed), dtype=np.uint8), np.array([one[0] for one in packed], dtype=np.int64)


def _opened(packed: bytes) -> bytes:
    """Return a compressed value with its header, not compressed any more."""
    try:
        return bytes([packed[0] & ~_COMPRESSED]) + zlib.decompress(packed[1:])
    except zlib.error as error:
        raise _damaged() from error


def _damaged() -> StorageError:
    return StorageError("STORAGE16", "a packed value is damaged", remedy="Restore the database from a backup")


def _counts(lengths: Integers, headers: Integers) -> Integers:
    """Return how many numbers each value holds."""
    widths = np.array(_WIDTHS, dtype=np.int64)[headers & 0x03]
    steps = (headers & _DIFFERENCES) != 0
    content = lengths - 1 - np.where(steps, _FIRST, 0)
    if (content < 0).any() or (content % widths).any():
        raise _damaged()
    counts: Integers = content // widths + steps
    return counts


def _matrix(written: npt.NDArray[np.uint8], header: int) -> Integers:
    """Return the numbers of values of one length and header, a row for each."""
    width, raw = _WIDTHS[header & 0x03], written[:, 1:]
    if not header & _DIFFERENCES:
        return np.ascontiguousarray(raw).view(f"<i{width}").astype(np.int64)
    first = np.ascontiguousarray(raw[:, :_FIRST]).view("<i8")
    steps = np.ascontiguousarray(raw[:, _FIRST:]).view(f"<i{width}").astype(np.int64)
    found: Integers = np.cumsum(np.concatenate([first, steps], axis=1), axis=1)
    return found
