"""Reads the bytes of a LEDES 1998B file: what its lines hold, and what is wrong with the file as such."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from billing_framework import Finding, Severity
from billing_legal_timekeeping.ledes.layout import END, NAMES, SEPARATOR, VERSION


@attrs.frozen(kw_only=True)
class ItemLine:
    """One line item.

    Attributes:
        number: 1-based line in the file.
        values: field name to text; no line of another number of fields becomes one.
    """

    number: int
    values: Mapping[str, str]


@attrs.frozen(kw_only=True)
class FileLines:
    """What a file holds.

    Attributes:
        items: the line items that have all fields.
        findings: what is wrong with the file and with the lines that have not.
    """

    items: tuple[ItemLine, ...]
    findings: tuple[Finding, ...]


def read_lines(data: bytes, *, file: str, charset: str) -> FileLines:
    """Return the line items of a file, and what is wrong with it as a file; it is read as leniently as that can be done.

    Args:
        data: the bytes.
        file: name of the file, for messages.
        charset: what the receiver reads: ``ascii``, ``cp1252`` or ``utf-8``.
    """
    findings: list[Finding] = []
    text = _decoded(data, file, charset, findings)
    if "\r" in text:
        findings.append(_told(file, 0, "the lines end with CR LF", "LF"))
    lines = [(number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), start=1)]
    while lines and not lines[-1][1].strip():
        lines.pop()
    for number, line in lines:
        if not line.strip():
            findings.append(_told(file, number, "the line is blank", "no blank lines"))
    lines = [(number, line.strip()) for number, line in lines if line.strip()]
    lines = _after_version(lines, file, findings)
    lines = _after_header(lines, file, findings)
    if not lines:
        findings.append(_wrong("LEDES01", file, 0, "the file has no line items", "Write one line for each item"))
    items = []
    for number, line in lines:
        values = _values(line, number, file, findings)
        if values is not None:
            items.append(ItemLine(number=number, values=values))
    return FileLines(items=tuple(items), findings=tuple(findings))


def _decoded(data: bytes, file: str, charset: str, findings: list[Finding]) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        findings.append(_told(file, 1, "the file begins with a byte order mark", "none"))
        data = data[3:]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            line.encode(charset)
        except UnicodeEncodeError as error:
            foreign = line[error.start : error.start + 1]
            findings.append(
                Finding(
                    code="LEDES09",
                    severity=Severity.INFORMATION,
                    what=f"the line has characters beyond {charset.upper()}, which this receiver may not read",
                    remedy="Write plain letters and quotes",
                    file=file,
                    line=number,
                    value=foreign,
                )
            )
    return text


def _after_version(lines: list[tuple[int, str]], file: str, findings: list[Finding]) -> list[tuple[int, str]]:
    if not lines:
        return lines
    number, line = lines[0]
    wanted = f"{VERSION}{END}"
    if line == wanted:
        return lines[1:]
    remedy = f"Write {wanted} as the first line"
    if line.upper() == wanted:
        findings.append(_told(file, number, "the version is written in small letters", wanted))
        return lines[1:]
    if SEPARATOR not in line:
        findings.append(_wrong("LEDES01", file, number, "the first line names another version", remedy, value=line))
        return lines[1:]
    findings.append(_wrong("LEDES01", file, number, "the line with the version is missing", remedy))
    return lines


def _after_header(lines: list[tuple[int, str]], file: str, findings: list[Finding]) -> list[tuple[int, str]]:
    if not lines:
        return lines
    number, line = lines[0]
    names = line.removesuffix(END).split(SEPARATOR)
    if "INVOICE_DATE" not in line.upper():
        findings.append(_wrong("LEDES01", file, number, "the line with the names of the fields is missing", "Write it second"))
        return lines
    if not line.endswith(END):
        findings.append(_wrong("LEDES02", file, number, f"the line does not end with {END}", f"End every line with {END}"))
    if len(names) != len(NAMES):
        what = f"{len(names)} fields are named, not {len(NAMES)}"
        findings.append(_wrong("LEDES01", file, number, what, "Name the 24 fields in their order"))
    for name, wanted in zip(names, NAMES, strict=False):
        if name != wanted:
            what = f"the field {wanted} is named otherwise"
            findings.append(_wrong("LEDES01", file, number, what, "Name the 24 fields in their order", field=wanted, value=name))
    return lines[1:]


def _values(line: str, number: int, file: str, findings: list[Finding]) -> dict[str, str] | None:
    if not line.endswith(END):
        findings.append(_wrong("LEDES02", file, number, f"the line does not end with {END}", f"End every line with {END}"))
    values = line.removesuffix(END).split(SEPARATOR)
    if len(values) != len(NAMES):
        what = f"the line has {len(values)} fields, not {len(NAMES)}"
        remedy = "Leave no field out; a separator or line break inside a text must be taken out"
        findings.append(_wrong("LEDES02", file, number, what, remedy))
        return None
    return dict(zip(NAMES, (value.strip() for value in values), strict=True))


def _wrong(code: str, file: str, line: int, what: str, remedy: str, *, field: str = "", value: str = "") -> Finding:
    return Finding(code=code, what=what, remedy=remedy, file=file, line=line, field=field, value=value)


def _told(file: str, line: int, what: str, wanted: str) -> Finding:
    return Finding(
        code="LEDES22",
        severity=Severity.INFORMATION,
        what=f"{what}; read all the same",
        remedy=f"Some receivers refuse it: {wanted} is safe",
        file=file,
        line=line,
    )
