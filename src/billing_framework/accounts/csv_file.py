"""Files of master data: a CSV file becomes filled forms, one per line, or findings that name line, field, value and remedy."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import attrs

from billing_framework.accounts.form import Form, fill
from billing_framework.values.errors import InputRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import did_you_mean

Value = TypeVar("Value")

DELIMITERS = (",", ";", "\t")


@attrs.frozen
class Row(Generic[Value]):
    """One good line of a file."""

    line: int
    value: Value


@attrs.frozen(kw_only=True)
class MasterFile(Generic[Value]):
    """What a file of master data holds.

    Attributes:
        rows: the good lines, in file order.
        findings: what is wrong with the others.
        lines: how many lines of data there are.
    """

    rows: tuple[Row[Value], ...]
    findings: tuple[Finding, ...]
    lines: int


def read_master_file(
    content: bytes, form: Form[Value], *, file: str, delimiter: str = ",", defaults: Mapping[str, str] | None = None
) -> MasterFile[Value]:
    """Read a CSV file (RFC 4180, UTF-8, with a header that names the form's fields in any order).

    Args:
        content: bytes of the file.
        form: what a line is.
        file: name of the file, for messages.
        delimiter: what separates the cells, one of `DELIMITERS`.
        defaults: field name to what an empty cell, or a column that is left out, says.

    Raises:
        InputRefused: ``ACCOUNT11`` where it is no such file at all: not UTF-8, no header, unknown columns, broken quotes.
    """
    cells = _cells(_decoded(content, file), file, delimiter)
    standing = defaults or {}
    header = _header(next(cells, (1, []))[1], form, standing, file)
    rows: list[Row[Value]] = []
    findings: list[Finding] = []
    first_lines: dict[str, int] = {}
    count = 0
    for line, row in cells:
        count += 1
        if len(row) != len(header):
            findings.append(_wrong_width(file, line, len(row), len(header)))
            continue
        given = {name: text for name, text in zip(header, row, strict=True) if text}
        filled = fill(form, {**standing, **given}, file=file, line=line)
        findings.extend(filled.findings)
        if filled.value is None:
            continue
        key = form.key(filled.value)
        if key in first_lines:
            findings.append(_twice(form, file, line, key, first_lines[key]))
            continue
        first_lines[key] = line
        rows.append(Row(line, filled.value))
    return MasterFile(rows=tuple(rows), findings=tuple(findings), lines=count)


def _decoded(content: bytes, file: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputRefused(
            "ACCOUNT11", "the file is not UTF-8 text", place=f"{file}:{line}", remedy="Save it as UTF-8"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputRefused(
            "ACCOUNT11", "the file holds a NUL, so it is no text", place=f"{file}:{line}", remedy="Save it as UTF-8 text"
        )
    return text


def _cells(text: str, file: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number at which each row begins, and its cells; empty lines are skipped."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield begins, [cell.strip() for cell in row]
            begins = rows.line_num + 1
    except csv.Error as error:
        remedy = "Close every quote, double quotes inside a quoted cell, and keep a cell below 131,072 characters"
        raise InputRefused("ACCOUNT11", f"the file is not CSV: {error}", place=f"{file}:{begins}", remedy=remedy) from error


def _header(row: Sequence[str], form: Form[Value], defaults: Mapping[str, str], file: str) -> Sequence[str]:
    place = f"{file}:1"
    required = [field.name for field in form.fields if field.required and field.name not in defaults]
    if not row:
        remedy = f"Give a header line with {', '.join(required)}"
        raise InputRefused("ACCOUNT11", "the file is empty", place=place, remedy=remedy)
    for name in row:
        if name not in form.names and not (form.free and name.startswith(form.free) and name != form.free):
            raise InputRefused(
                "ACCOUNT11", f"the column {name[:60]!r} is unknown", place=place, remedy=did_you_mean(name, _columns(form))
            )
        if row.count(name) > 1:
            raise InputRefused(
                "ACCOUNT11", f"the column {name!r} stands twice in the header", place=place, remedy="Remove one of them"
            )
    missing = [name for name in required if name not in row]
    if missing:
        raise InputRefused(
            "ACCOUNT11",
            f"the header lacks the column {missing[0]}",
            place=place,
            remedy=f"A file of this kind needs {', '.join(required)}",
        )
    return row


def _columns(form: Form[Value]) -> list[str]:
    return [*form.names, f"{form.free}NAME"] if form.free else list(form.names)


def _wrong_width(file: str, line: int, found: int, expected: int) -> Finding:
    return Finding(
        code="ACCOUNT11",
        severity=Severity.BLOCKING,
        what=f"the line has {found} cells, the header {expected}",
        remedy="Give every column a cell, and put a cell with a delimiter inside in double quotes",
        file=file,
        line=line,
    )


def _twice(form: Form[Value], file: str, line: int, key: str, first: int) -> Finding:
    return Finding(
        code="ACCOUNT08",
        severity=Severity.BLOCKING,
        what=f"the {form.kind} stands in line {first} already",
        remedy="Keep one of the two lines",
        file=file,
        line=line,
        field=form.keyed_by,
        value=key,
        subject=key,
    )
