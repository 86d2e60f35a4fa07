"""Files of rate tables: CSV with one column per field of the kind's row class becomes typed rows, or findings with their place.

A file is a contract of prices: it is taken whole or not at all, its bytes are kept, and a loaded version never changes.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from unicodedata import category
from zoneinfo import ZoneInfo

import attrs

from billing_framework.rating.rate_table import RateTable, RateTableKind
from billing_framework.usage.delimited_cell import BadCell, CellRules, cell_value, number
from billing_framework.usage.kind_fields import BodyField, Sort, class_fields
from billing_framework.values.code_name import is_code, is_code_or_empty
from billing_framework.values.errors import BillingError, ContractBroken
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import minor_digits
from billing_framework.values.number import exact_text
from billing_framework.values.spelling import did_you_mean

if TYPE_CHECKING:
    from billing_framework.rating.rate_table_columns import RowColumns

_MOST_FINDINGS = 200
_LONG = 2**17  # bytes; shorter files are read by rows sooner than numpy is loaded
_RULES = CellRules(zone=ZoneInfo("UTC"))
_CELLS = (Sort.TEXT, Sort.WHOLE, Sort.FLAG, Sort.EXACT, Sort.DAY, Sort.CHOICE)


@attrs.frozen(kw_only=True)
class RateTableHeader:
    """What is said of a version beside its rows, by the officer who loads it.

    Attributes:
        code: code of the table.
        version: label of the version.
        kind: name of the kind of its rows.
        valid_from: first service date that it prices.
        valid_to: the date after the last, or None for open end.
        currency: ISO 4217 code of its prices, or empty.
        supersedes: version that it corrects, or empty.
        reason: why it corrects it.
    """

    code: str = attrs.field(validator=is_code)
    version: str = attrs.field(validator=is_code)
    kind: str
    valid_from: date
    valid_to: date | None = None
    currency: str = attrs.field(default="", validator=lambda _header, _field, value: (value and minor_digits(value), None)[1])
    supersedes: str = attrs.field(default="", validator=is_code_or_empty)
    reason: str = ""

    @property
    def name(self) -> str:
        """Return ``code@version``."""
        return f"{self.code}@{self.version}"


@attrs.frozen(kw_only=True)
class RateTableRead:
    """What reading a file of rates came to.

    Attributes:
        table: the version, None where a finding stands against it.
        findings: everything that is wrong with the file, at most a few hundred.
    """

    table: RateTable | None
    findings: tuple[Finding, ...] = ()


def pinned_digest(header: RateTableHeader, file_sha256: str) -> str:
    """Return the digest of a version as hex: of its file, and of all that is said about it beside."""
    said = {
        "code": header.code,
        "version": header.version,
        "kind": header.kind,
        "valid_from": header.valid_from.isoformat(),
        "valid_to": header.valid_to.isoformat() if header.valid_to else "",
        "currency": header.currency,
        "supersedes": header.supersedes,
        "file": file_sha256,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


@functools.lru_cache(maxsize=256)
def row_fields(kind: RateTableKind) -> tuple[BodyField, ...]:
    """Return the columns of a kind, in the order of its row class.

    Raises:
        ContractBroken: ``PLUGIN11`` where a field's type cannot stand in a cell, or key and prices name no fitting fields.
    """
    who = f"rate table kind {kind.name!r}"
    fields = {field.name: field for field in class_fields(kind.row, who)}
    for field in fields.values():
        if field.sort not in _CELLS:
            raise ContractBroken("PLUGIN11", f"the {who} cannot be stored: {field.name!r} holds {field.sort.value}")
    for name in (*kind.key, *kind.prices):
        if name not in fields:
            raise ContractBroken("PLUGIN11", f"the {who} names the field {name!r}: {did_you_mean(name, fields)}")
    wrong = next((name for name in kind.prices if fields[name].sort not in (Sort.EXACT, Sort.WHOLE)), "")
    if wrong or not kind.key:
        what = f"the price {wrong!r} is no number" if wrong else "it has no key"
        raise ContractBroken("PLUGIN11", f"the {who} cannot be stored: {what}")
    return tuple(fields.values())


def read_rate_table(content: bytes, *, file: str, header: RateTableHeader, kind: RateTableKind) -> RateTableRead:
    """Return the version that a file holds, or everything that is wrong with it.

    Args:
        content: bytes of the file: CSV (RFC 4180, UTF-8) whose first line names the columns, in any order.
        file: its name, for messages.
        header: what is said of the version beside its rows.
        kind: the kind of its rows.
    """
    columns = rows_by_columns(content, kind) if len(content) >= _LONG else None
    if columns is not None:
        table = _table(header, columns, content)
        if not (kind.check and kind.check(table)):
            return RateTableRead(table=table)
    return read_by_rows(content, file=file, header=header, kind=kind)


def read_by_rows(content: bytes, *, file: str, header: RateTableHeader, kind: RateTableKind) -> RateTableRead:
    """Read a file row by row: the reference, which tells the place of everything that is wrong; arguments as above."""
    sheet = _Sheet(file=file, kind=kind)
    rows, lines = sheet.rows(content)
    if not rows and not sheet.findings:
        sheet.problem("TABLE01", 1, "the file has no rows", "Give at least one row below the line with the columns")
    sheet.doubled(rows, lines)
    if sheet.findings:
        return RateTableRead(table=None, findings=tuple(sheet.findings))
    table = _table(header, tuple(rows), content)
    told = tuple(_placed(finding, file, lines) for finding in (kind.check(table) if kind.check else ()))
    return RateTableRead(table=None if any(finding.stops for finding in told) else table, findings=told)


def _table(header: RateTableHeader, rows: tuple[Any, ...] | RowColumns, content: bytes) -> RateTable:
    return RateTable(
        code=header.code,
        version=header.version,
        kind=header.kind,
        valid_from=header.valid_from,
        valid_to=header.valid_to,
        currency=header.currency,
        supersedes=header.supersedes,
        rows=rows,
        sha256=pinned_digest(header, hashlib.sha256(content).hexdigest()),
    )


def rows_by_columns(content: bytes, kind: RateTableKind) -> RowColumns | None:
    """Return the rows of a file as columns, None where something is wrong with it or only a row itself can tell.

    A cell that many rows have is read once. Classes that check or change what they are given are asked row by row.

    Args:
        content: bytes of the file.
        kind: the kind of its rows.
    """
    if not _takes_anything(kind.row):
        return None
    from billing_framework.rating.coded_cells import cell_columns  # noqa: PLC0415  numpy, only where columns are used
    from billing_framework.rating.rate_table_columns import CodedColumn, RowColumns  # noqa: PLC0415

    cells = cell_columns(content)
    sheet = _Sheet(file="", kind=kind)
    columns = sheet.columns([cell.strip() for cell in cells.header]) if cells else None
    if cells is None or columns is None or not cells.size:
        return None
    fields = {field.name: CodedColumn.same(field.default, cells.size) for field in row_fields(kind)}
    for column, coded in zip(columns, cells.columns, strict=True):
        try:
            values = _values(coded.texts, column)
        except BadCell:
            return None
        fields[column.name] = CodedColumn(tuple(values), coded.codes)
    found = RowColumns(row=kind.row, size=cells.size, fields=fields)
    return found if found.are_distinct(kind.key) else None


def _takes_anything(row: type) -> bool:
    """Return whether a class of rows keeps what it is given as it is given, and refuses nothing."""
    if any(hasattr(row, name) for name in ("__attrs_pre_init__", "__attrs_post_init__", "__attrs_init__")):
        return False
    return all(field.validator is None and field.converter is None for field in attrs.fields(row))


def _placed(finding: Finding, file: str, lines: Sequence[int]) -> Finding:
    """Give a finding of a kind's own check its file, and the line of the row whose position it names."""
    line = lines[finding.line - 1] if 0 < finding.line <= len(lines) else 0
    return attrs.evolve(finding, file=finding.file or file, line=line)


def key_text(kind: RateTableKind, row: Any) -> str:
    """Return the key of a row as people write it: its parts with ``/`` between them."""
    return "/".join(cell_text(getattr(row, name)) for name in kind.key)


def cell_text(value: object) -> str:
    """Return a value of a row as a cell says it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return exact_text(value) if isinstance(value, Fraction) else str(getattr(value, "value", value))


@attrs.define(kw_only=True)
class _Sheet:
    """One file being read, and what was found so far."""

    file: str
    kind: RateTableKind
    findings: list[Finding] = attrs.field(factory=list)

    def problem(self, code: str, line: int, what: str, remedy: str, *, field: str = "", value: str = "") -> None:
        self.findings.append(
            Finding(
                code=code,
                severity=Severity.BLOCKING,
                what=what,
                remedy=remedy,
                file=self.file,
                line=line,
                field=field,
                value=value,
            )
        )

    def rows(self, content: bytes) -> tuple[list[Any], list[int]]:
        rows: list[Any] = []
        lines: list[int] = []
        cells = self._cells(content)
        header = next(cells, None)
        columns = self.columns([cell.strip() for cell in header[1]]) if header else None
        if columns is None:
            return rows, lines
        reader = _RowReader(kind=self.kind, columns=columns)
        for line, row in cells:
            if len(self.findings) >= _MOST_FINDINGS:
                self.problem("TABLE02", line, "the file was read no further, because so much is wrong", "Correct these first")
                break
            if len(row) != len(columns):
                what = f"the line has {len(row)} cells, the first line {len(columns)}"
                self.problem("TABLE01", line, what, "Quote cells that hold a comma")
                continue
            made, wrong = reader.read(row)
            for field, text, what, remedy in wrong:
                self.problem("TABLE02", line, what, remedy, field=field, value=text)
            if made is not None:
                rows.append(made)
                lines.append(line)
        return rows, lines

    def _cells(self, content: bytes) -> Iterator[tuple[int, list[str]]]:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self.problem("TABLE01", line, "the file is not UTF-8 text", "Save it as UTF-8")
            return
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        line = 1
        try:
            for row in reader:
                if row:
                    yield line, row
                line = reader.line_num + 1
        except csv.Error as error:
            self.problem("TABLE01", line, f"the quoting is broken: {error}", "Close every quote, and double the quotes inside")

    def columns(self, header: Sequence[str]) -> tuple[BodyField, ...] | None:
        fields = {field.name: field for field in row_fields(self.kind)}
        for position, name in enumerate(header):
            if name not in fields:
                self.problem("TABLE01", 1, f"the column {name!r} is unknown", did_you_mean(name, fields), field=name)
            elif name in header[:position]:
                self.problem("TABLE01", 1, f"the column {name!r} is there twice", "Name each column once", field=name)
        for name, field in fields.items():
            if name not in header and field.default is attrs.NOTHING:
                remedy = f"The first line names the columns: {', '.join(fields)}"
                self.problem("TABLE01", 1, f"the column {name!r} is missing", remedy, field=name)
        return None if self.findings else tuple(fields[name] for name in header)

    def doubled(self, rows: Sequence[Any], lines: Sequence[int]) -> None:
        seen: dict[tuple[Any, ...], int] = {}
        for row, line in zip(rows, lines, strict=True):
            key = tuple(getattr(row, name) for name in self.kind.key)
            first = seen.setdefault(key, line)
            if first != line and len(self.findings) < _MOST_FINDINGS:
                what = f"line {first} has the same {', '.join(self.kind.key)}"
                self.problem(
                    "TABLE03", line, what, "Leave one of the two", field=self.kind.key[0], value=key_text(self.kind, row)
                )


@attrs.define(kw_only=True)
class _RowReader:
    """Makes rows of cells; the same text in a column is read once, because prices and names repeat."""

    kind: RateTableKind
    columns: tuple[BodyField, ...]
    _known: list[dict[str, Any]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._known = [{} for _ in self.columns]

    def read(self, row: Sequence[str]) -> tuple[Any, list[tuple[str, str, str, str]]]:
        values: dict[str, Any] = {}
        wrong: list[tuple[str, str, str, str]] = []
        for column, known, text in zip(self.columns, self._known, row, strict=True):
            if text in known:
                values[column.name] = known[text]
                continue
            try:
                values[column.name] = known[text] = _value(text, column)
            except BadCell as error:
                wrong.append((column.name, text, error.what, error.remedy))
        if wrong:
            return None, wrong
        try:
            return self.kind.row(**values), wrong
        except BillingError as error:
            return None, [("", "", error.what, error.remedy)]
        except ValueError as error:  # a validator of the row class, such as attrs.validators.ge(0)
            what = str(error.args[0]) if error.args else "a value is not allowed"
            field = next((column.name for column in self.columns if f"'{column.name}'" in what), "")
            return None, [(field, cell_text(values.get(field)), what, "Correct the value")]


def _values(texts: Sequence[str], column: BodyField) -> list[Any]:
    """Return what cells say, the most frequent sorts of them without detours."""
    if column.sort is Sort.TEXT:
        return [text.strip() or _value(text, column) if text.isprintable() else _value(text, column) for text in texts]
    if column.sort is Sort.EXACT:
        return [number(text, _RULES) if text.isprintable() and text.strip() else _value(text, column) for text in texts]
    return [_value(text, column) for text in texts]


def _value(text: str, column: BodyField) -> Any:
    if not text.strip():
        if column.default is not attrs.NOTHING:
            return column.default
        if column.optional:
            return None
        raise BadCell("a value is missing", "Fill the cell")
    if not text.isprintable() and any(category(character) == "Cc" and character not in "\t\r\n" for character in text):
        raise BadCell("the cell holds control characters, so it is no text", "Write printable text")
    return cell_value(text, column, _RULES)
