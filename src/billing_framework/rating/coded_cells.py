"""Regular delimited text as columns: the different cells of each column, and which of them stands in which row.

Only text that the reader of RFC 4180 splits in the same way is taken; all other is None, and read row by row.
"""

from __future__ import annotations

import functools

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework.values.columns import Integers

_COMMA, _QUOTE, _RETURN, _FEED = b',"\r\n'
_BOM = b"\xef\xbb\xbf"
_WORD = 8
_LONGEST = 128
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MASKS = np.array([2 ** (8 * size) - 1 for size in range(_WORD + 1)], dtype=np.uint64)

Words = npt.NDArray[np.uint64]


@attrs.frozen(eq=False)
class CodedCells:
    """The cells of one column.

    Attributes:
        texts: the different cells without quotes around them; one that is written with and without them stands here twice.
        codes: place in `texts` of the cell of each row.
    """

    texts: tuple[str, ...]
    codes: Integers


@attrs.frozen(kw_only=True, eq=False)
class CellColumns:
    """A delimited text.

    Attributes:
        header: the cells of its first line.
        columns: the cells of the others, column by column.
        size: number of these lines.
    """

    header: tuple[str, ...]
    columns: tuple[CodedCells, ...]
    size: int


def cell_columns(content: bytes) -> CellColumns | None:
    """Return a delimited text as columns, None where it is not regular or has cells of more than 128 bytes.

    Args:
        content: UTF-8 text with commas between cells; quotes and line ends as RFC 4180 has them.
    """
    content = content.removeprefix(_BOM).rstrip(b"\r\n") + b"\n"
    try:
        content.decode()
    except UnicodeDecodeError:
        return None
    cells = None if b"\0" in content else _cells(content)
    if cells is None or cells.longest > _LONGEST:
        return None
    header = tuple(text for column in range(cells.starts.shape[1]) for text in cells.texts([0], column))
    columns = cells.coded()
    return None if columns is None else CellColumns(header=header, columns=columns, size=len(cells.starts) - 1)


@attrs.frozen(eq=False)
class _Cells:
    """Where the cells of a text begin and end, row by row, with the quotes around some of them."""

    content: bytes
    starts: Integers
    ends: Integers
    is_quoted: bool

    @property
    def longest(self) -> int:
        return int((self.ends - self.starts).max())

    def texts(self, rows: Integers | list[int], column: int) -> tuple[str, ...]:
        """Return the cells of a column in some rows."""
        bounds = zip(self.starts[rows, column].tolist(), self.ends[rows, column].tolist(), strict=True)
        texts = map(bytes.decode, [self.content[start:end] for start, end in bounds])
        if not self.is_quoted:
            return tuple(texts)
        return tuple([text[1:-1].replace('""', '"') if text.startswith('"') else text for text in texts])

    def coded(self) -> tuple[CodedCells, ...] | None:
        """Return the columns below the first line, None where different cells cannot be told apart by one number each."""
        padded = np.frombuffer(self.content + bytes(_LONGEST + _WORD), dtype=np.uint8)
        words = np.ndarray((len(padded) - _WORD + 1,), dtype="<u8", buffer=padded, strides=(1,))
        found = []
        for column in range(self.starts.shape[1]):
            starts, sizes = self.starts[1:, column], self.ends[1:, column] - self.starts[1:, column]
            parts = [
                words[starts + begin] & _MASKS[np.clip(sizes - begin, 0, _WORD)]
                for begin in range(0, max(int(sizes.max(initial=0)), 1), _WORD)
            ]
            mixed = functools.reduce(lambda before, part: before * _FACTOR + part, parts)
            codes = _codes(mixed)
            rows = np.empty(int(codes.max(initial=-1)) + 1, dtype=np.int64)
            rows[codes] = np.arange(len(codes))
            if len(parts) > 1 and any((part != part[rows][codes]).any() for part in parts):
                return None
            found.append(CodedCells(self.texts(rows + 1, column), codes))
        return tuple(found)


def _cells(content: bytes) -> _Cells | None:
    """Return the cells of a text, None where not all lines have as many of them, or a quote or line end is not as usual."""
    data = np.frombuffer(content, dtype=np.uint8)
    ends = np.flatnonzero((data == _COMMA) | (data == _FEED))
    returns = np.flatnonzero(data == _RETURN)
    quotes = np.flatnonzero(data == _QUOTE)
    if len(quotes):
        if not _is_quoted_well(data, quotes):
            return None
        ends, returns = (marks[np.searchsorted(quotes, marks) % 2 == 0] for marks in (ends, returns))
    width = int((data[ends] == _FEED).argmax()) + 1
    if len(ends) % width:
        return None
    bounds = ends.reshape(-1, width)
    if (data[bounds[:, -1]] != _FEED).any() or (data[bounds[:, :-1]] != _COMMA).any():
        return None
    starts = np.append(0, ends[:-1] + 1).reshape(-1, width)
    if len(returns):
        bounds = bounds.copy()
        bounds[:, -1] -= (data[bounds[:, -1] - 1] == _RETURN) & (bounds[:, -1] > starts[:, -1])
        if (data[returns + 1] != _FEED).any():
            return None
    is_blank = width == 1 and bool((bounds[:, 0] == starts[:, 0]).any())  # the reader leaves such lines out
    return None if is_blank else _Cells(content, starts, bounds, is_quoted=bool(len(quotes)))


def _is_quoted_well(data: npt.NDArray[np.uint8], quotes: Integers) -> bool:
    """Return whether quotes stand around whole cells only, and twice inside of them."""
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    before = data[opening - 1]
    is_open = (opening == 0) | (before == _COMMA) | (before == _FEED)
    is_open[1:] |= opening[1:] == closing[:-1] + 1
    after = data[closing + 1]
    is_closed = (after == _COMMA) | (after == _FEED) | (after == _RETURN)
    is_closed[:-1] |= opening[1:] == closing[:-1] + 1
    return bool(is_open.all() and is_closed.all())


def _codes(words: Words | Integers) -> Integers:
    """Return for each word a number from 0 on, the same for the same words."""
    if (words == words[:1]).all():
        return np.zeros(len(words), dtype=np.int64)
    codes: Integers = np.unique(words, return_inverse=True)[1]
    return codes
