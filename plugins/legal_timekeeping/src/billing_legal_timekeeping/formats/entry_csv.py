"""Time and expense entries in CSV: one header, the columns in any order, optional ones left out."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping
from typing import BinaryIO, cast

import attrs

from billing_framework import (
    InputRefused,
    Layout,
    Reader,
    ReadItem,
    ReadRequest,
    Usage,
    UsageKind,
    delimited_reader,
    timezone,
)
from billing_legal_timekeeping.formats.columns import ENVELOPE, EXPENSE, TIME
from billing_legal_timekeeping.formats.noon import at_noon
from billing_legal_timekeeping.kinds import EXPENSE as EXPENSE_KIND
from billing_legal_timekeeping.kinds import TIME_ENTRY

_OPTIONS = {
    "delimiter": "character between cells, by default a comma",
    "date_format": "how dates are written, as strptime says it: %d.%m.%Y; by default 2026-07-31",
    "decimal": "comma where decimals are written with a comma",
}


def entry_csv(file_format: str, title: str, kind: UsageKind, columns: Mapping[str, str]) -> Reader:
    """Return the reader of a kind of entry.

    The columns ``id``, ``matter`` and ``date`` are required, and those of the kind that have no default. With a column
    ``version`` a later file replaces an entry by one of the same id and a higher version.
    """
    defaults = {field.name: field.default for field in attrs.fields(kind.body)}

    def read(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
        options = request.options
        first = next(iter(stream), b"")
        found = _header(first, options.get("delimiter", ","), request)
        chosen: dict[str, str | tuple[str, ...]] = {**ENVELOPE}
        chosen.update({name: column for name, column in columns.items() if column in found or defaults[name] is attrs.NOTHING})
        if "version" in found:
            chosen.update({"external_id": ("id", "version"), "slot": "id", "version": "version"})
        layout = Layout(
            kind=kind,
            columns=chosen,
            delimiter=options.get("delimiter", ","),
            decimal_comma=options.get("decimal", "") == "comma",
            date_format=options.get("date_format", ""),
            time_format=options.get("date_format", "") or "%Y-%m-%d",
        )
        zone = timezone(request.zone)
        whole = cast("BinaryIO", itertools.chain([first] if first else [], stream))
        for item in delimited_reader(file_format, title, layout).read(whole, request):
            if isinstance(item, Usage):
                yield attrs.evolve(item, span=at_noon(item.start.astimezone(zone).date(), zone))
            else:
                yield item

    return Reader(format=file_format, title=title, kinds=(kind.name,), read=read, options=_OPTIONS)


def _header(line: bytes, delimiter: str, request: ReadRequest) -> set[str]:
    """Return the names of the columns; a header that cannot be read is refused with the whole file by the reader of cells."""
    if len(delimiter) != 1:
        raise InputRefused(
            "LEGAL01", f"the delimiter {delimiter!r} is no character", place=request.file, remedy="Give one: --option delimiter=;"
        )
    try:
        cells = next(csv.reader([line.decode("utf-8-sig")], delimiter=delimiter), [])
    except (UnicodeDecodeError, csv.Error):
        return set()
    return {cell.strip() for cell in cells}


TIME_CSV = entry_csv("legal_time_csv", "Time entries in CSV", TIME_ENTRY, TIME)
EXPENSE_CSV = entry_csv("legal_expense_csv", "Expenses in CSV", EXPENSE_KIND, EXPENSE)
