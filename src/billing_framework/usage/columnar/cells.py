"""Lines of delimited text become columns of cells; lines that are in any way unusual are left to be read one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs
import numpy as np
import polars as pl

from billing_framework.usage.columnar.line_blocks import LineBlock

LINE = "line"
"""Column with the number of the line."""

_CONTROL = (b"\0", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x1f")
"""Bytes that one library takes for a blank and another does not, or that no text holds; none of them is in a usual file."""

_BLANKS = (b" ", b"\t", b"\r")
"""Bytes of ASCII that stand around cells and are none of the above, nor the end of a line."""

_LONGEST_CELL = 131_072
"""The library that reads line by line takes no longer cells."""


@attrs.frozen(kw_only=True, eq=False)
class CellBlock:
    """What became of the lines of a block.

    Attributes:
        frame: `LINE`, and a column of text for each name that was asked for, of the lines with the right number of cells.
        others: numbers of the other lines, in order; blank ones are among them.
    """

    frame: pl.DataFrame
    others: Sequence[int]


def cells_of(
    block: LineBlock, places: Sequence[tuple[str, int]], *, width: int, delimiter: str, strips: bool = True
) -> CellBlock | None:
    """Return the cells of a block of UTF-8 text; None where it has to be read line by line.

    Args:
        block: the lines.
        places: names of columns with the positions of their cells from 0.
        width: how many cells a line has.
        delimiter: the character between cells, one byte of ASCII.
        strips: whether the blanks around cells are taken off.
    """
    longest = int(np.diff(block.starts).max(initial=0))
    if longest > _LONGEST_CELL or any(byte in block.data for byte in _CONTROL) or not _is_text(block.data):
        return None
    found = _all_alike(block, width, delimiter) or _usual_among(block, width, delimiter)
    if found is None:
        return None
    frame, others = found
    names = frame.columns
    cells = {name: pl.col(names[place]) for name, place in places}
    strips = strips and not (block.data.isascii() and not any(blank in block.data for blank in _BLANKS))
    chosen = [(cell.str.strip_chars() if strips else cell).alias(name) for name, cell in cells.items()]
    return CellBlock(frame=frame.select(LINE, *chosen), others=others)


def _is_text(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return not data.startswith(b"\xef\xbb\xbf")


def _all_alike(block: LineBlock, width: int, delimiter: str) -> tuple[pl.DataFrame, Sequence[int]] | None:
    """Return all lines of a block without quotes and blank lines, each of which has the right number of cells."""
    data, count = block.data, len(block)
    cuts = np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == ord(delimiter))
    if b'"' in data or b"\r" in data or cuts != count * (width - 1):
        return None
    if int(np.diff(block.starts).min(initial=width)) < width:
        return None  # a blank line
    frame = _parsed(data, width, delimiter, quote=None)
    if frame is None or frame.height != count:
        return None
    return frame.with_columns(pl.int_range(block.first, block.first + count, dtype=pl.Int64).alias(LINE)), ()


def _usual_among(block: LineBlock, width: int, delimiter: str) -> tuple[pl.DataFrame, Sequence[int]] | None:
    """Return the lines of a block whose quotes stand around whole cells, and the numbers of the others."""
    mark = re.escape(delimiter.encode())
    cell = rb'(?:"[^"]*"|[^"' + mark + rb"]*)"
    usual = re.compile(cell + b"(?:" + mark + cell + b"){%d}" % (width - 1))
    lines, numbers, others = [], [], []
    for number, line in enumerate(block.data.split(b"\n")[: len(block)], start=block.first):
        text = line.rstrip(b"\r")
        if usual.fullmatch(text) and b"\r" not in text and text.strip():
            lines.append(text)
            numbers.append(number)
        else:
            others.append(number)
    if not lines:
        return None
    frame = _parsed(b"\n".join(lines), width, delimiter, quote='"')
    if frame is None or frame.height != len(lines):
        return None
    return frame.with_columns(pl.Series(LINE, numbers, dtype=pl.Int64)), others


def _parsed(data: bytes, width: int, delimiter: str, *, quote: str | None) -> pl.DataFrame | None:
    names = [f"cell{place}" for place in range(width)]
    try:
        return pl.read_csv(
            data,
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            separator=delimiter,
            quote_char=quote,
            empty_string_is_null=False,
            truncate_ragged_lines=False,
        )
    except pl.exceptions.PolarsError:
        return None  # read line by line, which says what is wrong
