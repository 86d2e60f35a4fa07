"""A file of calls in large blocks: what is plainly good becomes columns, the other lines are read one by one as ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import chain
from typing import BinaryIO

from billing_framework import LineBlock, ReadItem, ReadRequest, RecordColumns, cells_of, line_blocks, rejoined
from billing_telecom_usage.formats.call_columns import CallColumns
from billing_telecom_usage.formats.call_record import Opened, Sorter
from billing_telecom_usage.formats.named_columns import is_of_width, width_refused
from billing_telecom_usage.formats.rows import Row, codec_of, row_of, rows
from billing_telecom_usage.settings import Source

Reading = Callable[[BinaryIO, ReadRequest], Iterator[ReadItem]]


def column_items(
    stream: BinaryIO,
    request: ReadRequest,
    source: Source,
    opened: Callable[[Row], Opened],
    reference: Reading,
    *,
    delimiter: str,
) -> Iterator[ReadItem | RecordColumns]:
    """Yield the calls of a file, block by block: the columns of the plain lines, then what became of the others.

    Args:
        stream: the bytes.
        request: what the reader was told.
        source: settings of the switch.
        opened: says what the first line means.
        reference: reads the whole file where it cannot be read by columns.
        delimiter: the character between cells.
    """
    blocks = line_blocks(stream, request.file)
    first = next(blocks, None)
    row = None if first is None else _first_row(first, request, source, delimiter)
    known = None if row is None or row.refused is not None else opened(row)
    columns = None if known is None else CallColumns(request=request, source=source, shape=known.shape)
    if first is None or known is None or columns is None or not columns.fits or not delimiter.isascii():
        yield from reference(rejoined(chain([] if first is None else [first], blocks), request.file), request)
        return
    sorter = Sorter(request=request, source=source)
    codec = codec_of(source.encoding, request)
    for block in chain([first.without_first(known.skipped)], blocks):
        others: list[int] | range = range(block.first, block.first + len(block))
        cells = cells_of(block, columns.places, width=known.width, delimiter=delimiter)
        if cells is not None:
            calls, unusual = columns.calls(cells.frame)
            yield calls
            others = sorted([*cells.others, *unusual])
        for number in others:
            line = row_of(number, block.line(number), request, delimiter=delimiter, codec=codec)
            if line is not None:
                yield sorter.item(line if is_of_width(line, known.width) else width_refused(line, known.width), known.shape)
    yield from sorter.told()


def _first_row(block: LineBlock, request: ReadRequest, source: Source, delimiter: str) -> Row | None:
    return next(rows(BytesIO(block.data), request, delimiter=delimiter, encoding=source.encoding), None)
