"""What AEMO's NEM12 and NEM13 files (Meter Data File Format) share: the frame of records, dates, numbers, units.

A file is a sequence of comma-separated records from 100 to 900. Source of the rules: AEMO "Meter Data File Format Specification
NEM12 & NEM13", and what files in the field do (blanks around dates, trailing commas, units in any letter case).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import BinaryIO

import attrs

from billing_framework import BadRecord, Finding, ReadRequest, Severity
from billing_utility_metering.formats.lines import text_lines
from billing_utility_metering.formats.refusal import RecordRefused, bad_record, check_options, option, refuse_file
from billing_utility_metering.kinds import Flow
from billing_utility_metering.units import unit_name

OPTIONS = {
    "header": "strict (a 100 record must come first) or lenient (a missing one is a finding)",
    "market_time": "offset of the file's times from UTC, +10:00 where not given",
    "empty_unit": "unit of channels that name none; without it they are refused",
}
QUALITY = re.compile(r"[AEFNSV][0-9]{0,2}", re.ASCII)
_DATE = re.compile(r"\d{8}(?:\d{4}(?:\d{2})?)?", re.ASCII)
_BLANK = re.compile(r"\s")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_EARLIEST, _LATEST = 1900, 2200
_FLOWS = {"E": Flow.DELIVERED, "B": Flow.RECEIVED, "Q": Flow.REACTIVE, "K": Flow.REACTIVE}


@attrs.frozen(kw_only=True)
class Record:
    """One record of the file: its indicator, its fields without the blanks around them, and its text."""

    line: int
    fields: tuple[str, ...]
    raw: str

    @property
    def indicator(self) -> str:
        """The first field: 200, 300, 250."""
        return self.fields[0]

    def at(self, position: int) -> str:
        """Return a field, empty where the record is shorter."""
        return self.fields[position] if position < len(self.fields) else ""

    def needed(self, position: int, name: str) -> str:
        """Return a field that must be there.

        Raises:
            RecordRefused: ``UTIL04`` where it is empty.
        """
        value = self.at(position)
        if not value:
            raise RecordRefused(
                "UTIL04",
                f"field {position + 1} ({name}) of a {self.indicator} record is empty",
                remedy="Ask the sender for the record",
                field=name,
            )
        return value


@attrs.frozen(kw_only=True)
class MarketOptions:
    """What a reader of these files is told: the offset of market time, and the unit of channels without one."""

    zone: timezone
    empty_unit: str

    @classmethod
    def of(cls, request: ReadRequest) -> MarketOptions:
        """Return the options of a request.

        Raises:
            InputRefused: ``UTIL17`` for an unknown option or a value that is none.
        """
        check_options(request, tuple(OPTIONS))
        text = option(request, "market_time", "+10:00")
        match = _OFFSET.fullmatch(text)
        if not match or int(match[2]) > 14 or int(match[3]) > 59:
            raise refuse_file(request, "UTIL17", f"option market_time cannot be {text!r}", remedy="Write it as +10:00")
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return cls(zone=timezone(-offset if match[1] == "-" else offset), empty_unit=option(request, "empty_unit", ""))


@attrs.define
class Frame:
    """The frame of a file: 100 opens it, 900 ends it. It is given line by line, and tells records and what is wrong with itself.

    Files that were put one behind the other (900, then 100 again) are read as one. Blank lines are skipped.

    Attributes:
        request: what the reader is told.
        version: what the 100 record has to name.
        lenient: True where a missing 100 record is a finding only.
        is_open: True between 100 and 900.
        ended_at: line of the 900 record, 0 where none came.
        last: the last line that was not blank.
    """

    request: ReadRequest
    version: str
    lenient: bool
    is_open: bool = False
    ended_at: int = 0
    last: int = 0

    @classmethod
    def of(cls, request: ReadRequest, version: str) -> Frame:
        """Return the frame of a file that was not read yet.

        Raises:
            InputRefused: ``UTIL17`` for an option that is none.
        """
        return cls(request, version, lenient=option(request, "header", "strict", "strict", "lenient") == "lenient")

    def take(self, number: int, text: str) -> Iterator[Record | Finding | BadRecord]:
        """Yield what a line comes to.

        Raises:
            InputRefused: ``UTIL02`` where a record follows the end, ``UTIL03`` where the 100 record is missing (strict) or names
                another version; nothing of such a file may be taken.
        """
        parts = text.split(",")
        fields = tuple(field.strip() for field in parts) if _BLANK.search(text) else tuple(parts)
        if not any(fields):
            return
        self.last = number
        if fields[0] == "100":
            _check_header(self.request, number, fields, self.version)
            self.is_open, self.ended_at = True, 0
        elif fields[0] == "900":
            self.is_open, self.ended_at = False, number
        elif self.ended_at:
            what = f"a record follows the end record of line {self.ended_at}"
            raise refuse_file(self.request, "UTIL02", what, line=number, remedy="Ask for the file again")
        else:
            if not self.is_open:
                yield _missing_header(self.request, number, fields[0], lenient=self.lenient)
                self.is_open = True
            if re.fullmatch(r"\d{3}", fields[0], re.ASCII):
                yield Record(line=number, fields=fields, raw=text)
            else:
                yield bad_record(self.request, number, text, _unknown(fields[0]))

    def close(self) -> None:
        """End the file.

        Raises:
            InputRefused: ``UTIL02`` where no 900 record ends it.
        """
        if not self.ended_at:
            raise refuse_file(
                self.request,
                "UTIL02",
                "the file ends without a 900 record, so a part of it may be lost" if self.last else "the file holds no record",
                line=self.last,
                remedy="Ask the sender for the complete file",
            )


def records(stream: BinaryIO, request: ReadRequest, version: str) -> Iterator[Record | Finding | BadRecord]:
    """Yield the records between 100 and 900, and what is wrong with the frame; see `Frame`.

    Raises:
        InputRefused: the frame is broken.
    """
    frame = Frame.of(request, version)
    for number, text in text_lines(stream, request):
        yield from frame.take(number, text)
    frame.close()


def _unknown(indicator: str) -> RecordRefused:
    return RecordRefused(
        "UTIL04", "this is no record indicator", remedy="Ask the sender for the record", field="RecordIndicator", value=indicator
    )


def _check_header(request: ReadRequest, line: int, fields: tuple[str, ...], version: str) -> None:
    found = fields[1].upper() if len(fields) > 1 else ""
    if found != version:
        raise refuse_file(
            request,
            "UTIL03",
            f"the 100 record says {found[:40]!r}, not {version}",
            line=line,
            remedy="Choose the format that the file names" if found.startswith("NEM") else f"This reader takes {version} files",
        )


def _missing_header(request: ReadRequest, line: int, indicator: str, *, lenient: bool) -> Finding:
    what = f"a {indicator[:20]} record comes before any 100 record"
    remedy = "Ask the sender for the complete file, or read it with --option header=lenient"
    if not lenient:
        raise refuse_file(request, "UTIL03", what, line=line, remedy=remedy)
    return Finding(
        code="UTIL03", severity=Severity.INFORMATION, what=f"{what}; read as if it were there", file=request.file, line=line
    )


def market_time(text: str, name: str, zone: tzinfo) -> datetime:
    """Return the instant (UTC) of a date of 8, 12 or 14 digits in market time.

    Raises:
        RecordRefused: ``UTIL04`` where it is none.
    """
    if _DATE.fullmatch(text) and _EARLIEST <= int(text[:4]) < _LATEST:
        try:
            day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
            clock = time(int(text[8:10] or 0), int(text[10:12] or 0), int(text[12:14] or 0))
            return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
        except ValueError:
            pass
    raise RecordRefused(
        "UTIL04",
        "this is no date of 8, 12 or 14 digits",
        remedy="Dates are written yyyymmdd, yyyymmddhhmm or yyyymmddhhmmss",
        field=name,
        value=text,
    )


def version_of(text: str, name: str) -> int:
    """Return an update instant as the number yyyymmddhhmmss; 0 where the field is empty."""
    if not text:
        return 0
    market_time(text, name, UTC)
    return int(text.ljust(14, "0"))


def canonical_unit(text: str, options: MarketOptions) -> str:
    """Return the unit in its canonical spelling.

    Raises:
        RecordRefused: ``UTIL06`` for an unknown unit, or none where the request names no unit for that.
    """
    name = unit_name(text or options.empty_unit)
    if name is None:
        raise RecordRefused(
            "UTIL06",
            "the unit is not known" if text else "the record names no unit",
            remedy="Ask the sender; where every channel without a unit has the same, read with --option empty_unit=kWh",
            field="UOM",
            value=text,
        )
    return name


def flow_of(suffix: str) -> Flow:
    """Return which way a data stream flows, by the first letter of its suffix: E to the customer, B from it, Q and K reactive."""
    return _FLOWS.get(suffix[:1].upper(), Flow.OTHER)
