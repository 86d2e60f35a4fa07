"""Rows in the binary form of PostgreSQL's COPY, which the server takes without reading a number or a date from text.

The format is documented with the statement COPY. Each value stands behind its length, which is -1 for NULL.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from billing_framework.storage.row_bytes import Alike, Part, bytes_of, where_there, woven

HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""What the data of a COPY begins with."""

END = b"\xff\xff"
"""What it ends with."""

Constant = str | int | bool | bytes | date | None

_NULL = -1
_FIRST_DAY = 10_957
"""Days from 1970-01-01 to 2000-01-01, from which the server counts."""


def copied_rows(columns: Sequence[pl.Series], constants: Sequence[Constant]) -> bytes:
    """Return rows as COPY takes them.

    Args:
        columns: 64-bit whole numbers, text, bytes, arrays of bytes of one length, flags and dates; of columns of such a type.
        constants: the values of the columns after these, the same in every row.
    """
    count = len(columns[0])
    width = (len(columns) + len(constants)).to_bytes(2)
    parts: list[Part] = [_same(width, count)]
    for column in columns:
        parts += _parts(column)
    parts.append(_same(b"".join(map(_constant, constants)), count))
    return woven(parts, count)[0]


def _parts(values: pl.Series) -> tuple[Part, Part]:
    """Return the lengths of the values of a column, and the values."""
    count = len(values)
    if values.dtype in (pl.String, pl.Binary):
        part, lengths = bytes_of(values)
        if isinstance(part, Alike):
            return _lengths(np.full(count, part.values.dtype.itemsize)), part
        return _lengths(np.where(values.is_not_null().to_numpy(), lengths, _NULL)), part
    found = _numbers(values)
    width = found.dtype.itemsize
    if not values.null_count():
        return _same(width.to_bytes(4), count), Alike(values=found)
    is_there = values.is_not_null().to_numpy()
    return _lengths(np.where(is_there, width, _NULL)), where_there(found, is_there)


def _numbers(values: pl.Series) -> npt.NDArray[Any]:
    if isinstance(values.dtype, pl.Array):
        matrix = np.ascontiguousarray(values.to_numpy())
        return matrix.view(f"V{matrix.shape[1]}").ravel()
    if values.dtype == pl.Boolean:
        return values.cast(pl.UInt8).fill_null(0).to_numpy()
    if values.dtype == pl.Date:
        return (values.to_physical().fill_null(0).to_numpy() - _FIRST_DAY).astype(">i4")
    return values.fill_null(0).to_numpy().astype(">i8")


def _lengths(lengths: npt.NDArray[np.int64]) -> Part:
    return Alike(values=lengths.astype(">i4"))


def _same(content: bytes, count: int) -> Part:
    return Alike(values=np.full(count, np.void(content)))


def _constant(value: Constant) -> bytes:
    if value is None:
        return _NULL.to_bytes(4, signed=True)
    if isinstance(value, bool):
        content = bytes([value])
    elif isinstance(value, int):
        content = value.to_bytes(8, signed=True)
    elif isinstance(value, date):
        content = (value - date(2000, 1, 1)).days.to_bytes(4, signed=True)
    else:
        content = value.encode() if isinstance(value, str) else value
    return len(content).to_bytes(4) + content
