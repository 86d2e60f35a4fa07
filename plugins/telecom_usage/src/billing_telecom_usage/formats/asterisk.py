"""Asterisk ``cdr-csv`` (asterisk/asterisk, cdr/cdr_csv.c): no header, local time without zone, 16 to 21 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

from billing_framework import Reader, ReadItem, ReadRequest
from billing_telecom_usage.formats.call_record import Opened, Shape, Sorter, source_of
from billing_telecom_usage.formats.named_columns import is_of_width, named_ids, width_refused
from billing_telecom_usage.formats.refusal import refuse_file
from billing_telecom_usage.formats.rows import Row, rows
from billing_telecom_usage.kinds import CALL

if TYPE_CHECKING:
    from billing_framework import RecordColumns

_BASE = (
    "accountcode",
    "src",
    "dst",
    "dcontext",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
)
_NEW = ("peeraccount", "linkedid", "sequence")
COLUMNS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        16: _BASE,
        17: (*_BASE, "uniqueid"),
        18: (*_BASE, "uniqueid", "userfield"),
        19: (*_BASE, *_NEW),
        20: (*_BASE, "uniqueid", *_NEW),
        21: (*_BASE, "uniqueid", "userfield", *_NEW),
    }
)
"""Number of columns to their names, by what cdr.conf lets the module write."""

_FIELDS = {
    "caller": "src",
    "called": "dst",
    "start": "start",
    "answer": "answer",
    "end": "end",
    "duration": "duration",
    "billed": "billsec",
    "disposition": "disposition",
    "account_code": "accountcode",
}
_BY_CALL = ("start", "src", "dst", "channel", "dstchannel")


def read_asterisk(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield a call per line.

    A record is named by its ``uniqueid`` and, where it is written, ``sequence``; without a ``uniqueid`` by the call's own fields.
    The first line decides how many columns there are; a later line with another number is told as cut.

    Raises:
        InputRefused: ``TEL01`` for a file that is no text, or whose first line has no number of columns that Asterisk writes;
            ``TEL07`` for a column of the settings that the file has not.
    """
    source = source_of(request)
    sorter = Sorter(request=request, source=source)
    opened: Opened | None = None
    for row in rows(stream, request, delimiter=",", encoding=source.encoding):
        if row.refused is None and opened is None:
            opened = _opened(row, request)
        known = opened or Opened(shape=Shape(fields={}, ids=()), width=0)
        yield sorter.item(row if is_of_width(row, known.width) else width_refused(row, known.width), known.shape)
    yield from sorter.told()


def read_asterisk_columns(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem | RecordColumns]:
    """Return the same calls as `read_asterisk`, as columns."""
    from billing_telecom_usage.formats.column_file import column_items  # noqa: PLC0415 - needs polars

    def opened(row: Row) -> Opened:
        return _opened(row, request)

    return column_items(stream, request, source_of(request), opened, read_asterisk, delimiter=",")


def _opened(row: Row, request: ReadRequest) -> Opened:
    """Return what the number of columns of a line says."""
    width = len(row.cells)
    if width not in COLUMNS:
        what = f"the line has {width} columns, a file of Asterisk has 16 to 21"
        raise refuse_file(request, "TEL01", what, line=row.line, remedy="Choose the format that the switch writes")
    names = _names(width, request)
    usual = tuple(name for name in ("uniqueid", "sequence") if name in names) if "uniqueid" in names else _BY_CALL
    ids = named_ids(source_of(request).record_id or usual, names, request)
    return Opened(shape=Shape(fields={field: names.index(name) for field, name in _FIELDS.items()}, ids=ids), width=width)


def _names(width: int, request: ReadRequest) -> tuple[str, ...]:
    """Return the column names; with 17 columns the option says whether the last is ``uniqueid`` or ``userfield``."""
    last = request.options.get("seventeenth", "uniqueid")
    if last not in ("uniqueid", "userfield"):
        what = f"option seventeenth cannot be {last!r}"
        raise refuse_file(request, "TEL07", what, remedy="Use uniqueid or userfield")
    return (*_BASE, last) if width == len(_BASE) + 1 else COLUMNS[width]


ASTERISK = Reader(
    format="asterisk_cdr_csv",
    title="Call detail records of Asterisk, cdr-csv",
    kinds=(CALL.name,),
    read=read_asterisk,
    read_columns=read_asterisk_columns,
    options={"seventeenth": "what the last of 17 columns is: uniqueid (default) or userfield"},
)
