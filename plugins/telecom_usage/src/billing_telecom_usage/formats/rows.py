"""Lines of delimited text, each on its own: a line that is cut or broken is told and kept, and never takes others with it."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from typing import BinaryIO

import attrs

from billing_framework import ReadRequest
from billing_telecom_usage.formats.refusal import RecordRefused, refuse_file

_ASK = "Ask for the file again, whole"


@attrs.frozen
class Row:
    """One line of a file.

    Attributes:
        line: 1-based line number.
        raw: the line as it stood, without its end.
        cells: its cells; empty where `refused` says why there are none.
        refused: what is wrong with it, None where nothing is.
    """

    line: int
    raw: str
    cells: tuple[str, ...] = ()
    refused: RecordRefused | None = None


def rows(stream: BinaryIO, request: ReadRequest, *, delimiter: str, encoding: str) -> Iterator[Row]:
    """Yield the lines of a file that are not blank.

    Switches write one record to a line and never a line end into a cell, so each line is read by itself: an open quote in the
    last one, cut in transfer, refuses that line only.

    Raises:
        InputRefused: ``TEL01`` for a file that is empty or no text, or an unknown encoding.
    """
    codec = codec_of(encoding, request)
    number = 0
    for number, data in enumerate(stream, start=1):
        row = row_of(number, data, request, delimiter=delimiter, codec=codec)
        if row is not None:
            yield row
    if not number:
        raise refuse_file(request, "TEL01", "the file is empty", remedy="Give the file as the switch made it")


def codec_of(encoding: str, request: ReadRequest) -> codecs.CodecInfo:
    """Return the codec of a file.

    Raises:
        InputRefused: ``TEL01`` for an unknown encoding.
    """
    try:
        return codecs.lookup(encoding)
    except LookupError as error:
        raise refuse_file(request, "TEL01", f"the encoding {encoding!r} is unknown", remedy="Use utf-8 or latin-1") from error


def row_of(number: int, data: bytes, request: ReadRequest, *, delimiter: str, codec: codecs.CodecInfo) -> Row | None:
    """Return a line of a file, None for a blank one.

    Raises:
        InputRefused: ``TEL01`` for a line that is no text at all.
    """
    content = data.removeprefix(codecs.BOM_UTF8) if number == 1 else data
    if b"\0" in content:
        raise refuse_file(request, "TEL01", "the line holds zero bytes, so this is no text", line=number, remedy=_ASK)
    return _row(number, content.rstrip(b"\r\n"), delimiter, codec)


def _row(number: int, data: bytes, delimiter: str, codec: codecs.CodecInfo) -> Row | None:
    try:
        text = codec.decode(data, "strict")[0]
    except UnicodeDecodeError:
        shown = data.decode("utf-8", "backslashreplace")
        remedy = "Name the encoding of the switch in its settings, or correct the record"
        return Row(number, shown, refused=RecordRefused("TEL02", f"the line is no {codec.name} text", remedy=remedy))
    if not text.strip():
        return None
    try:
        cells = next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return Row(
            number, text, refused=RecordRefused("TEL02", f"the line is cut or its quotes are broken: {error}", remedy=_ASK)
        )
    return Row(number, text, tuple(cells))
