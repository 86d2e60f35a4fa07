"""Columns become rows of bytes, one row after the other, without an object for a value; both databases take rows in such a form.

Some rows at a time are laid out as a table, every part as wide as its longest value; then what no row says is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import polars as pl

from billing_framework.values.columns import Integers

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_ROWS_AT_ONCE = 2_048
"""So few that what is worked on stays in the cache of the processor, and one long text widens few rows."""

_BYTES_AT_ONCE = 32 * 1024**2
"""Bytes that the widest rows may come to; where values are long, fewer rows are laid out at a time."""


@attrs.frozen(kw_only=True, eq=False)
class Alike:
    """A part of a row that has as many bytes in every row.

    Attributes:
        values: the bytes of each row, as an array of any type whose values are bytes side by side.
    """

    values: npt.NDArray[Any]


@attrs.frozen(kw_only=True, eq=False)
class Varying:
    """A part of a row that has its own length in every row.

    Attributes:
        content: the bytes of all rows, one after the other.
        lengths: how many of them belong to each row.
    """

    content: Bytes
    lengths: Integers


Part = Alike | Varying


def woven(parts: Sequence[Part], count: int) -> tuple[bytes, Integers]:
    """Return the bytes of all rows, and where each row begins, the last number being the end of all.

    Args:
        parts: the parts of a row, in order.
        count: how many rows there are.
    """
    ends = [np.concatenate(([0], np.cumsum(part.lengths))) if isinstance(part, Varying) else None for part in parts]
    lengths = np.zeros(count, dtype=np.int64)
    for part in parts:
        lengths += part.values.dtype.itemsize if isinstance(part, Alike) else part.lengths
    widest = sum([part.values.dtype.itemsize if isinstance(part, Alike) else int(part.lengths.max()) for part in parts])
    step = max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // max(widest, 1)))
    rows = [_some_rows(parts, ends, slice(first, min(first + step, count))) for first in range(0, count, step)]
    return b"".join(rows), np.concatenate(([0], np.cumsum(lengths)))


def _some_rows(parts: Sequence[Part], ends: Sequence[Integers | None], some: slice) -> bytes:
    fields = [
        (str(place), part.values.dtype if isinstance(part, Alike) else f"V{int(part.lengths[some].max())}")
        for place, part in enumerate(parts)
    ]
    table = np.zeros(some.stop - some.start, dtype=fields)
    wide = table.view(np.uint8).reshape(len(table), table.dtype.itemsize)
    is_said = np.ones(wide.shape, dtype=np.bool_)
    for (name, _), part, end in zip(fields, parts, ends, strict=True):
        if end is None or isinstance(part, Alike):
            table[name] = part.values[some]  # type: ignore[union-attr]
            continue
        kind, begin = table.dtype.fields[name][:2]
        within = np.arange(kind.itemsize) < part.lengths[some][:, None]
        columns = slice(begin, begin + kind.itemsize)
        is_said[:, columns] = within
        wide[:, columns][within] = part.content[end[some.start] : end[some.stop]]
    return wide[is_said].tobytes()


def bytes_of(values: pl.Series) -> tuple[Part, Integers]:
    """Return the bytes of a column of text, or of bytes, and how many there are in each row; those of nothing are none."""
    if values.dtype == pl.String:
        content, counted = values.str.join("").item().encode(), values.str.len_bytes()
    else:
        content, counted = b"".join(values.drop_nulls().to_list()), values.bin.size()
    found, lengths = np.frombuffer(content, dtype=np.uint8), counted.fill_null(0).cast(pl.Int64).to_numpy()
    width = int(lengths[0])
    if width and bool((lengths == width).all()):
        return Alike(values=found.view(f"V{width}")), lengths
    return Varying(content=found, lengths=lengths), lengths


def where_there(values: npt.NDArray[Any], is_there: Flags) -> Varying:
    """Return a part of those values that are there, each as many bytes as its type has.

    Args:
        values: a value for each row, whatever it be where none is there.
        is_there: in which rows one is.
    """
    content = np.ascontiguousarray(values[is_there]).view(np.uint8)
    return Varying(content=content, lengths=is_there * np.int64(values.dtype.itemsize))
