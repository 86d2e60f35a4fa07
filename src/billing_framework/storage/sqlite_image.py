"""Rows in the file format of SQLite, as a database in memory that holds one table: the fastest way to hand it many rows at once.

SQLite itself then copies them into their table by one statement, with every check that a row given by parameters would meet; what
is saved is a call of the library for each value. The image is read from memory by the one library that Python links: no second
copy of the library comes near the file. The format is documented at https://sqlite.org/fileformat.html and never changes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from billing_framework.storage.row_bytes import Alike, Part, Varying, bytes_of, where_there, woven
from billing_framework.values.columns import Integers

SCHEMA = "block"
"""Name under which the database in memory is attached."""

TABLE = "rows_in_block"
"""Name of its table; the columns are ``c0``, ``c1`` and so on."""

_TAKES_IMAGES = hasattr(sqlite3.Connection, "deserialize")
"""False where the library was built without it."""

_PAGE = 65_536
_ROOT = 2
_LONGEST_ROW = _PAGE - 100
_MOST_PAGES = 4_000
_LEAF, _INNER = 0x0D, 0x05
_COUNT_AT = 28
_WHOLE = 6
_FIRST_BYTES, _FIRST_TEXT = 12, 13


def image_of(columns: Sequence[pl.Series]) -> bytes | None:
    """Return the image of a database with the rows of some columns; None where a row is too long, or no library takes images.

    Args:
        columns: whole numbers, text, bytes, and arrays of bytes of one length.
    """
    if not _TAKES_IMAGES:
        return None
    count = len(columns[0])
    heads, bodies = zip(*map(_part, columns), strict=True)
    head_length = 2 + sum(head.dtype.itemsize for head in heads)
    lengths = np.full(count, head_length, dtype=np.int64)
    for body in bodies:
        lengths += body.lengths if isinstance(body, Varying) else body.values.dtype.itemsize
    if int(lengths.max()) > _LONGEST_ROW:
        return None
    before = [_varints(lengths, 3), _varints(np.arange(1, count + 1), 4), _varints(np.full(count, head_length), 2), *heads]
    cells, starts = woven([*(Alike(values=part) for part in before), *bodies], count)
    pages, last_rows = _leaves(cells, starts)
    if len(pages) > _MOST_PAGES:
        return None
    return _database(len(columns), pages, last_rows)


def _part(values: pl.Series) -> tuple[npt.NDArray[Any], Part]:
    """Return what the head of a record says of each value of a column, and the bytes of the values."""
    count = len(values)
    if isinstance(values.dtype, pl.Array):
        matrix = np.ascontiguousarray(values.to_numpy())
        width = matrix.shape[1]
        return _varints(np.full(count, _FIRST_BYTES + 2 * width), 3), Alike(values=matrix.view(f"V{width}").ravel())
    if values.dtype == pl.Int64:
        numbers = values.fill_null(0).to_numpy().astype(">i8")
        if not values.null_count():
            return np.full(count, _WHOLE, dtype=np.uint8), Alike(values=numbers)
        is_there = values.is_not_null().to_numpy()
        return is_there * np.uint8(_WHOLE), where_there(numbers, is_there)
    part, lengths = bytes_of(values)
    kinds = lengths * 2 + (_FIRST_TEXT if values.dtype == pl.String else _FIRST_BYTES)
    return _varints(kinds * values.is_not_null().to_numpy(), 3), part  # nothing is 0


def _varints(numbers: Integers, width: int) -> npt.NDArray[Any]:
    """Return numbers as SQLite writes those of any length, all in `width` bytes: seven bits in each, the highest first."""
    written = np.empty((len(numbers), width), dtype=np.uint8)
    for place in range(width):
        more = 0x80 if place < width - 1 else 0
        written[:, place] = (numbers >> 7 * (width - 1 - place)) & 0x7F | more
    return written.view(f"V{width}").ravel()


def _leaves(cells: bytes, starts: Integers) -> tuple[list[bytes], list[int]]:
    """Return pages of whole cells, and the number of the last row of each."""
    pages, last_rows = [], []
    first, count = 0, len(starts) - 1
    room = starts + 2 * np.arange(count + 1)  # a cell costs two bytes more, which say where it is
    while first < count:
        after = int(np.searchsorted(room, room[first] + _PAGE - 8, side="right")) - 1
        begin, end = int(starts[first]), int(starts[after])
        content = _PAGE - (end - begin)
        places = (starts[first:after] - begin + content).astype(">u2").tobytes()
        head = bytes([_LEAF, 0, 0, *(after - first).to_bytes(2), *(content % _PAGE).to_bytes(2), 0])
        pages.append((head + places).ljust(content, b"\0") + cells[begin:end])
        last_rows.append(after)
        first = after
    return pages, last_rows


def _database(width: int, leaves: Sequence[bytes], last_rows: Sequence[int]) -> bytes:
    """Return the image of a database whose table has some leaves, the first of them at the root where it is the only one."""
    pages = [_first_page(width), *([] if len(leaves) == 1 else [_inner(last_rows)]), *leaves]
    first = bytearray(pages[0])
    first[_COUNT_AT : _COUNT_AT + 4] = len(pages).to_bytes(4)
    return bytes(first) + b"".join(pages[1:])


def _inner(last_rows: Sequence[int]) -> bytes:
    """Return the root of a table of several leaves, which follow it."""
    pages = range(_ROOT + 1, _ROOT + 1 + len(last_rows))
    numbers = _varints(np.array(last_rows, dtype=np.int64), 4)
    cells = [page.to_bytes(4) + number.tobytes() for page, number in zip(pages, numbers, strict=True)][:-1]
    content = _PAGE - 8 * len(cells)
    places = b"".join((content + 8 * place).to_bytes(2) for place in range(len(cells)))
    head = bytes([_INNER, 0, 0, *len(cells).to_bytes(2), *content.to_bytes(2), 0]) + pages[-1].to_bytes(4)
    return (head + places).ljust(content, b"\0") + b"".join(cells)


def _first_page(width: int) -> bytes:
    """Return the first page of a database with such a table, written by SQLite itself."""
    empty = sqlite3.connect(":memory:")
    empty.execute(f"PRAGMA page_size = {_PAGE}")
    empty.execute(f"CREATE TABLE {TABLE} ({', '.join(f'c{place}' for place in range(width))})")
    page = empty.serialize()[:_PAGE]
    empty.close()
    return page
