"""A reader of delimited text (CSV) made from a usage kind and the names of its columns: strict, streaming, without code."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO
from zoneinfo import ZoneInfo

import attrs

from billing_framework.usage.delimited_cell import YES, BadCell, CellRules, cell_value, flag, instant, whole
from billing_framework.usage.kind_fields import BodyField, Sort, body_fields
from billing_framework.usage.reader import BadRecord, Reader, ReadItem, ReadRequest
from billing_framework.usage.record import Usage, UsageKind
from billing_framework.usage.requirements import class_refusal
from billing_framework.values.errors import BillingError, ConfigurationError, InputRefused
from billing_framework.values.finding import Finding
from billing_framework.values.period import Span
from billing_framework.values.spelling import did_you_mean

if TYPE_CHECKING:
    from billing_framework.usage.columnar.record_columns import RecordColumns

_TEXT_FIELDS = ("external_id", "subject", "slot")
_ENVELOPE = (*_TEXT_FIELDS, "start", "end", "version", "deleted")
_LONGEST_RAW = 10_000


@attrs.frozen(kw_only=True)
class Layout:
    """How a delimited file is laid out.

    Attributes:
        kind: usage kind of its records.
        columns: field to the column that holds it. Fields are ``external_id``, ``subject``, ``start``, ``end``, ``slot``,
            ``version``, ``deleted`` and those of the kind; a tuple of columns is joined by ``/``, which makes an id of several
            columns. ``external_id``, ``subject`` and ``start`` are required; without ``end`` a record is at one instant. Where
            ``deleted`` says yes, the source takes back what lower versions of the slot say, and the fields of the kind are not
            read; it needs ``slot`` and ``version``.
        ignored: columns that may be there and are not read; any other column refuses the file.
        delimiter: the character between cells.
        encoding: ``utf-8`` (with or without a byte order mark) or another codec of Python.
        decimal_comma: True where decimals are written with a comma.
        date_format: `strptime` format of dates, ISO 8601 where empty.
        time_format: `strptime` format of instants, ISO 8601 where empty.
        deletion: what the column of ``deleted`` says where a record is taken back, such as ``D``, and anything else where not;
            where empty, it says yes or no, and an empty cell is no.
    """

    kind: UsageKind
    columns: Mapping[str, str | tuple[str, ...]]
    ignored: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal_comma: bool = False
    date_format: str = ""
    time_format: str = ""
    deletion: str = ""


def delimited_reader(file_format: str, title: str, layout: Layout) -> Reader:
    """Return a reader of delimited text for a plugin to offer.

    Args:
        file_format: name for ``--format``.
        title: one line for people.
        layout: columns and formats.

    Raises:
        ConfigurationError: ``USAGE20`` where the layout names unknown fields or leaves out what every record needs.
    """
    fields = {field.name: field for field in body_fields(layout.kind)}
    for name in layout.columns:
        if name not in fields and name not in _ENVELOPE:
            raise _layout_error(
                file_format, f"{name!r} is no field of {layout.kind.name}", did_you_mean(name, [*fields, *_ENVELOPE])
            )
    required = ["external_id", "subject", "start", *(name for name, field in fields.items() if field.default is attrs.NOTHING)]
    for name in required:
        if name not in layout.columns:
            raise _layout_error(file_format, f"no column is named for {name!r}", "Every record needs it")
    if "deleted" in layout.columns and not {"slot", "version"} <= layout.columns.keys():
        what = "a column says what is deleted, but none of what slot and version"
        raise _layout_error(file_format, what, "Name columns for 'slot' and 'version'")
    if any(field.sort is Sort.WHOLES for name, field in fields.items() if name in layout.columns):
        raise _layout_error(file_format, "a column cannot hold many numbers", "Write a reader of its own")
    codecs.lookup(layout.encoding)

    def read(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
        return _Sheet(layout=layout, fields=fields, request=request).items(stream)

    def read_columns(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem | RecordColumns] | None:
        return _Sheet(layout=layout, fields=fields, request=request).columns(stream)

    return Reader(format=file_format, title=title, kinds=(layout.kind.name,), read=read, read_columns=read_columns)


def _layout_error(file_format: str, what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError("USAGE20", f"the reader {file_format!r} cannot be made: {what}", remedy=remedy)


def _is_plain(data: bytes) -> bool:
    """Return whether each line of some text is a row of its own, without quotes."""
    return b'"' not in data and b"\r" not in data


@attrs.frozen(kw_only=True)
class _Place:
    line: int
    raw: str
    width: int


@attrs.define
class _Sheet:
    layout: Layout
    fields: Mapping[str, BodyField]
    request: ReadRequest
    _seen: list[str] = attrs.field(factory=list)

    def items(self, stream: BinaryIO) -> Iterator[ReadItem]:
        rows = csv.reader(self._lines(stream), delimiter=self.layout.delimiter, strict=True)
        header = self._next(rows, 0)
        if header is None:
            raise self._refused("USAGE21", "the file is empty", 0, "Give a file with a header and records")
        places = self._places([cell.strip() for cell in header])
        cells = CellRules(
            zone=ZoneInfo(self.request.zone),
            decimal_comma=self.layout.decimal_comma,
            date_format=self.layout.date_format,
            time_format=self.layout.time_format,
        )
        yield from self._records(rows, 1, len(header), places, cells)

    def _records(
        self, rows: Any, first: int, width: int, places: Mapping[str, tuple[int, ...]], cells: CellRules
    ) -> Iterator[ReadItem]:
        """Yield the records of rows, the first of which stands in a line of the file."""
        self._seen.clear()
        while (row := self._next(rows, line := rows.line_num + first)) is not None:
            raw = "".join(self._seen)[:_LONGEST_RAW].rstrip("\r\n")
            self._seen.clear()
            if row:
                yield self._item(row, _Place(line=line, raw=raw, width=width), places, cells)

    def columns(self, stream: BinaryIO) -> Iterator[ReadItem | RecordColumns] | None:
        """Return the records by columns, as far as their lines are plain; None where the layout is none for that."""
        from billing_framework.usage.columnar.delimited_columns import fits_columns  # noqa: PLC0415 - needs polars

        layout = self.layout
        is_utf8 = codecs.lookup(layout.encoding).name == "utf-8"
        formats = (layout.date_format, layout.time_format, layout.decimal_comma)
        is_plain_text = is_utf8 and layout.delimiter.isascii() and len(layout.delimiter) == 1 and not any(formats)
        if not fits_columns(layout.kind, self.fields, list(layout.columns), is_plain_text=is_plain_text):
            return None
        return self._by_columns(stream)

    def _by_columns(self, stream: BinaryIO) -> Iterator[ReadItem | RecordColumns]:
        from billing_framework.usage.columnar.delimited_columns import DelimitedColumns  # noqa: PLC0415 - needs polars
        from billing_framework.usage.columnar.line_blocks import line_blocks, rejoined  # noqa: PLC0415 - as before

        layout = self.layout
        blocks = line_blocks(stream, self.request.file)
        first = next(blocks, None)
        head = b"" if first is None else first.line(first.first)
        if first is None or not head.isascii() or not _is_plain(head.replace(b"\r\n", b"\n")) or not head.strip():
            yield from self.items(rejoined(chain([] if first is None else [first], blocks), self.request.file))
            return
        header = [cell.strip() for cell in head.decode().rstrip("\r\n").split(layout.delimiter)]
        places = self._places(header)
        zone = ZoneInfo(self.request.zone)
        columns = DelimitedColumns(
            kind=self.layout.kind,
            source=self.request.source,
            zone=zone,
            fields={name: field for name, field in self.fields.items() if name in places},
            places=places,
            width=len(header),
            delimiter=layout.delimiter,
        )
        cells = CellRules(zone=zone)
        for block in chain([first.without_first(1)], blocks):
            if not len(block):
                continue
            found = columns.read(block) if _is_plain(block.data.replace(b"\r\n", b"\n")) else None
            if found is None:
                # A quote may open a cell of many lines, so the rest of the file is read line by line.
                lines = self._lines(rejoined(chain([block], blocks), self.request.file), block.first)
                rows = csv.reader(lines, delimiter=layout.delimiter, strict=True)
                yield from self._records(rows, block.first, len(header), places, cells)
                return
            records, others = found
            yield records
            for number in others:
                text = block.line(number).decode()
                row = next(csv.reader([text], delimiter=layout.delimiter, strict=True), None)
                raw = text[:_LONGEST_RAW].rstrip("\r\n")
                if row:
                    yield self._item(row, _Place(line=number, raw=raw, width=len(header)), places, cells)

    def _lines(self, stream: BinaryIO, first: int = 1) -> Iterator[str]:
        # A byte order mark belongs to the encoding, not to the name of the first column.
        is_utf8 = first == 1 and codecs.lookup(self.layout.encoding).name == "utf-8"
        decoder = codecs.getincrementaldecoder("utf-8-sig" if is_utf8 else self.layout.encoding)()
        number = 0
        for number, line in enumerate(stream, start=first):
            yield self._decoded(decoder, line, number, final=False)
        rest = self._decoded(decoder, b"", number, final=True)
        if rest:
            yield rest

    def _decoded(self, decoder: codecs.IncrementalDecoder, line: bytes, number: int, *, final: bool) -> str:
        try:
            text = decoder.decode(line, final)
        except UnicodeDecodeError as error:
            what = f"the file is not {self.layout.encoding} text"
            raise self._refused("USAGE22", what, number, f"Save it as {self.layout.encoding}") from error
        self._seen.append(text)
        return text

    def _next(self, rows: Any, line: int) -> list[str] | None:
        try:
            found: list[str] | None = next(rows, None)
        except csv.Error as error:
            remedy = "Close every quote, and double the quotes inside"
            raise self._refused("USAGE23", f"the quoting is broken: {error}", line, remedy) from error
        return found

    def _places(self, header: Sequence[str]) -> dict[str, tuple[int, ...]]:
        wanted = {name: (column,) if isinstance(column, str) else column for name, column in self.layout.columns.items()}
        used = {column for columns in wanted.values() for column in columns}
        missing = sorted(used - set(header))
        if missing:
            remedy = f"{did_you_mean(missing[0], header)}. The first line is the header, cells end at {self.layout.delimiter!r}"
            raise self._refused("USAGE21", f"the column {missing[0]!r} is missing", 1, remedy)
        doubled = sorted({name for name in header if header.count(name) > 1})
        if doubled:
            raise self._refused("USAGE21", f"the column {doubled[0]!r} is there twice", 1, "Name each column once")
        unknown = [name for name in header if name not in used and name not in self.layout.ignored]
        if unknown:
            remedy = did_you_mean(unknown[0], [*used, *self.layout.ignored])
            raise self._refused("USAGE21", f"the column {unknown[0]!r} is unknown", 1, remedy)
        return {name: tuple(header.index(column) for column in columns) for name, columns in wanted.items()}

    def _item(self, row: Sequence[str], at: _Place, places: Mapping[str, tuple[int, ...]], cells: CellRules) -> ReadItem:
        line, raw = at.line, at.raw
        if len(row) != at.width:
            told = Finding(
                code="USAGE24",
                what=f"the line has {len(row)} cells, the header {at.width}",
                remedy="Quote cells that hold the delimiter",
                file=self.request.file,
                line=line,
            )
            return BadRecord(line=line, raw=raw, findings=(told,))
        values: dict[str, Any] = {}
        findings: list[Finding] = []
        texts = {name: "/".join(row[place] for place in found) for name, found in places.items()}
        deleted = self._takes_back(texts.get("deleted", ""))
        for name, text in texts.items():
            if deleted and name in self.fields:
                continue  # what is taken back has no fields
            try:
                values[name] = self._value(name, text, cells)
            except BadCell as error:
                findings.append(self._bad(name, error.what, error.remedy, text, line))
        if not findings:
            try:
                return self._usage(values, line, deleted=deleted)
            except BillingError as error:
                findings.append(self._bad("", error.what, error.remedy, "", line))
            except ValueError as error:  # a validator of the kind's class, such as attrs.validators.ge(0)
                what = class_refusal(error)
                field = next((name for name in self.fields if f"'{name}'" in what), "")
                text = str(values.get(field, ""))
                findings.append(self._bad(field, what, "Correct the value at its source", text, line))
        return BadRecord(line=line, raw=raw, findings=tuple(findings))

    def _value(self, name: str, text: str, cells: CellRules) -> Any:
        if name in self.fields:
            return cell_value(text, self.fields[name], cells)
        text = text.strip()
        if name in _TEXT_FIELDS:
            if not text and name != "slot":
                raise BadCell("text is missing", "Fill the cell")
            return text
        if name == "deleted":
            return None if self.layout.deletion or not text else flag(text)
        return whole(text) if name == "version" else instant(text, cells)

    def _takes_back(self, text: str) -> bool:
        """Return whether the cell that says so takes a record back; `_value` refuses what is neither yes nor no."""
        if self.layout.deletion:
            return text.strip() == self.layout.deletion
        return text.strip().lower() in YES

    def _usage(self, values: Mapping[str, Any], line: int, *, deleted: bool) -> Usage[Any]:
        start: datetime = values["start"]
        fields = {name: value for name, value in values.items() if name in self.fields}
        return Usage(
            kind=self.layout.kind.name,
            source=self.request.source,
            external_id=values["external_id"],
            subject=values["subject"],
            span=Span(start, values.get("end", start)),
            slot=values.get("slot", ""),
            version=values.get("version", 0),
            body=None if deleted else self.layout.kind.body(**fields),
            line=line,
            deleted=deleted,
        )

    def _bad(self, field: str, what: str, remedy: str, value: str, line: int) -> Finding:
        column = self.layout.columns.get(field, "")
        shown = column if isinstance(column, str) else "/".join(column)
        return Finding(code="USAGE25", what=what, remedy=remedy, file=self.request.file, line=line, field=shown, value=value)

    def _refused(self, code: str, what: str, line: int, remedy: str) -> InputRefused:
        place = f"{self.request.file}:{line}" if line else self.request.file
        return InputRefused(code, what, place=place, remedy=f"{remedy}; nothing of the file was taken in")
