"""Register reads in a delimited text file, with the columns that the sender has."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from fractions import Fraction
from typing import BinaryIO, TypeVar

import attrs

from billing_framework import BadRecord, Reader, ReadItem, ReadRequest, Span, Usage, exact, timezone
from billing_utility_metering.formats.lines import text_lines
from billing_utility_metering.formats.refusal import RecordRefused, bad_record, check_options, option, refuse_file
from billing_utility_metering.kinds import REGISTER_READ, Flow, ReadQuality, RegisterRead, stamp
from billing_utility_metering.units import unit_name

_FIELDS = {
    "point": "usage point that assignments name (needed)",
    "register": "register; 1 where there is no such column",
    "meter": "serial number of the meter",
    "read_at": "date, or date and time, of the reading in ISO form (needed)",
    "value": "what the register shows (needed)",
    "unit": "unit after the multiplier; option unit= gives one for the whole file",
    "quality": "actual, estimated, customer, substituted, final or their first letters; actual where there is no such column",
    "flow": "delivered or received; delivered where there is no such column",
    "version": "number that orders corrections of one reading; by quality where there is no such column",
    "deleted": "yes where the row takes a reading back: all of a lower version at its instant; needs a column of versions",
}
_DELETED = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
Named = TypeVar("Named")
_NEEDED = ("point", "read_at", "value")
OPTIONS = {
    **{f"column.{name}": f"name of the column: {what}" for name, what in _FIELDS.items()},
    "delimiter": "comma (default), semicolon, tab or pipe",
    "decimal": "point (default) or comma",
    "unit": "unit of every reading where the file has no such column",
    "ignore": "names of columns that are not needed, separated by commas",
}
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_QUALITIES = {quality.value: quality for quality in ReadQuality} | {quality.value[0]: quality for quality in ReadQuality}
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_WHEN = re.compile(r"([12]\d{3}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?)?", re.ASCII)


@attrs.frozen(kw_only=True)
class _Layout:
    """Where the fields stand, and how they are written."""

    delimiter: str
    decimal: str
    unit: str
    zone: tzinfo
    positions: Mapping[str, int]
    width: int

    def text(self, row: list[str], name: str, default: str = "") -> str:
        position = self.positions.get(name)
        return row[position].strip() if position is not None else default


def read_register_csv(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield a register read per row.

    The first line names the columns; a needed column that is missing, or one that nobody asked for, refuses the file, because a
    misspelt name would drop data in silence.

    Raises:
        InputRefused: ``UTIL01`` for no text, ``UTIL16`` for wrong columns, ``UTIL17`` for wrong options.
    """
    check_options(request, tuple(OPTIONS))
    delimiter = _DELIMITERS[option(request, "delimiter", "comma", *_DELIMITERS)]
    layout: _Layout | None = None
    for number, text in text_lines(stream, request):
        if not text.strip():
            continue
        try:
            row = _row(text, delimiter)
            if layout is None:
                layout = _layout(row, delimiter, request, number)
                continue
            yield _usage(row, layout, request, number)
        except RecordRefused as refused:
            if layout is None:
                raise refuse_file(request, "UTIL16", refused.what, line=number, remedy=refused.remedy) from refused
            yield _bad(request, number, text, refused)
    if layout is None:
        raise refuse_file(request, "UTIL16", "the file holds no header", remedy="The first line must name the columns")


def _bad(request: ReadRequest, number: int, text: str, refused: RecordRefused) -> BadRecord:
    return bad_record(request, number, text, refused)


def _row(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise RecordRefused("UTIL04", f"the row cannot be split: {error}", remedy="Correct the quotes of the row") from error


def _layout(header: list[str], delimiter: str, request: ReadRequest, line: int) -> _Layout:
    names = [name.strip() for name in header]
    ignored = {name.strip() for name in request.options.get("ignore", "").split(",")} - {""}
    wanted = {field: request.options.get(f"column.{field}", field) for field in _FIELDS}
    positions = {field: names.index(name) for field, name in wanted.items() if name in names}
    missing = [
        wanted[field]
        for field in _FIELDS
        if field not in positions and (field in _NEEDED or f"column.{field}" in request.options)
    ]
    strange = [name for name in names if name not in wanted.values() and name not in ignored]
    unit = request.options.get("unit", "")
    if "unit" not in positions and not unit_name(unit):
        missing.append("unit")
    if "deleted" in positions and "version" not in positions:
        missing.append(wanted["version"])
    if missing or strange or len(set(names)) < len(names):
        what = (
            f"columns are missing: {', '.join(missing)}"
            if missing
            else f"columns are unknown or double: {', '.join(strange or names)}"
        )
        raise refuse_file(
            request,
            "UTIL16",
            what[:300],
            line=line,
            remedy="Name columns by --option column.point=NAME, drop others by --option ignore=NAME, a unit by --option unit=kWh",
        )
    return _Layout(
        delimiter=delimiter,
        decimal={"point": ".", "comma": ","}[option(request, "decimal", "point", "point", "comma")],
        unit=unit,
        zone=timezone(request.zone),
        positions=positions,
        width=len(names),
    )


def _usage(row: list[str], layout: _Layout, request: ReadRequest, line: int) -> Usage[RegisterRead | None]:
    if len(row) != layout.width:
        raise RecordRefused(
            "UTIL04", f"the row has {len(row)} fields, the header {layout.width}", remedy="Correct the delimiters of the row"
        )
    point, register, meter = layout.text(row, "point"), layout.text(row, "register", "1"), layout.text(row, "meter")
    if not point or not register:
        raise RecordRefused("UTIL04", "the row names no point or register", remedy="Fill it in", field="point")
    instant = _instant(layout.text(row, "read_at"), layout.zone)
    deleted = _named(layout.text(row, "deleted") or "no", "deleted", _DELETED)
    quality = ReadQuality.ACTUAL if deleted else _named(layout.text(row, "quality", "actual"), "quality", _QUALITIES)
    version = layout.text(row, "version", str(quality.trust))
    if not re.fullmatch(r"\d{1,15}", version, re.ASCII):
        raise RecordRefused("UTIL04", "the version is no whole number", remedy="Correct the row", field="version", value=version)
    slot = f"{point}/{meter}/{register}/{stamp(instant)}"
    return Usage(
        kind=REGISTER_READ.name,
        source=request.source,
        external_id=f"{slot}/{int(version)}",
        subject=point,
        span=Span.at(instant),
        slot=slot,
        version=int(version),
        body=None if deleted else _body(row, layout, register, meter, quality),
        deleted=deleted,
        line=line,
    )


def _body(row: list[str], layout: _Layout, register: str, meter: str, quality: ReadQuality) -> RegisterRead:
    return RegisterRead(
        register=register,
        meter=meter,
        value=_value(layout.text(row, "value"), layout.decimal),
        unit=_unit(layout.text(row, "unit", layout.unit)),
        quality=quality,
        flow=_named(layout.text(row, "flow", "delivered"), "flow", {flow.value: flow for flow in Flow}),
    )


def _named(text: str, field: str, names: Mapping[str, Named]) -> Named:
    try:
        return names[text.casefold()]
    except KeyError:
        raise RecordRefused(
            "UTIL04", f"the {field} is none of {', '.join(names)}", remedy="Correct the row", field=field, value=text
        ) from None


def _value(text: str, decimal: str) -> Fraction:
    plain = text.replace(",", ".") if decimal == "," and "." not in text else text
    if not _NUMBER.fullmatch(plain):
        raise RecordRefused(
            "UTIL07" if text.startswith("-") else "UTIL04",
            "a register shows a plain number that is not negative",
            remedy="Correct the row, or name the decimal mark by --option decimal=comma",
            field="value",
            value=text,
        )
    return exact(plain)


def _unit(text: str) -> str:
    name = unit_name(text)
    if name is None:
        raise RecordRefused("UTIL06", "the unit is not known", remedy="Correct the row", field="unit", value=text)
    return name


def _instant(text: str, zone: tzinfo) -> datetime:
    """Return the instant of a reading; a date alone means the first moment of that date."""
    match = _WHEN.fullmatch(text)
    try:
        if match:
            day, clock = date.fromisoformat(match[1]), time.fromisoformat(match[2] or "00:00")
            offset = datetime.fromisoformat(f"2000-01-01T00:00:00{match[3]}").tzinfo if match[3] else zone
            local = datetime.combine(day, clock, tzinfo=offset)
            instant = local.astimezone(UTC)
            if match[2] and instant.astimezone(offset).replace(tzinfo=None) != local.replace(tzinfo=None):
                raise RecordRefused(
                    "UTIL04",
                    "this local time does not exist: the clocks were put forward",
                    remedy="Write the offset",
                    field="read_at",
                    value=text,
                )
            return instant
    except (ValueError, OverflowError):
        pass
    raise RecordRefused(
        "UTIL04",
        "this is no date or time",
        remedy="Write it as 2026-07-31 or 2026-07-31T09:30 (with an offset where needed)",
        field="read_at",
        value=text,
    )


REGISTER_CSV = Reader(
    format="register_csv",
    title="Register reads in a delimited text file",
    kinds=(REGISTER_READ.name,),
    read=read_register_csv,
    options=OPTIONS,
)
