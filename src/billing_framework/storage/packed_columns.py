"""Many packed tuples of whole numbers at once, as one array: the columnar twin of `unpack`.

Values that are written alike (the same header and length, as the days of interval meters are) become one matrix; each that is
compressed is opened by itself before.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from billing_framework.values.columns import Integers
from billing_framework.values.errors import StorageError

_COMPRESSED = 0x20
_DIFFERENCES = 0x10
_WIDTHS = (1, 2, 4, 8)
_FIRST = 8


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
