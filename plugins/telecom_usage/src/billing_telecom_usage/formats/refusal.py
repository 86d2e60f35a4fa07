"""How a format says no: to one record, or to the whole file."""

from __future__ import annotations

from billing_framework import BadRecord, Finding, InputRefused, ReadRequest

LONGEST_RAW = 10_000


class RecordRefused(Exception):
    """One record cannot be read; caught where the record ends, and turned into a `BadRecord`."""

    def __init__(self, code: str, what: str, *, remedy: str, field: str = "", value: str = "") -> None:
        self.code = code
        self.what = what
        self.remedy = remedy
        self.field = field
        self.value = value
        super().__init__(what)


def bad_record(request: ReadRequest, line: int, raw: str, refused: RecordRefused) -> BadRecord:
    """Return the record as it goes to suspense, with what is wrong."""
    finding = Finding(
        code=refused.code,
        what=refused.what,
        remedy=refused.remedy,
        file=request.file,
        line=line,
        field=refused.field,
        value=refused.value,
    )
    return BadRecord(line=line, raw=raw[:LONGEST_RAW], findings=(finding,))


def refuse_file(request: ReadRequest, code: str, what: str, *, remedy: str, line: int = 0) -> InputRefused:
    """Return the error that refuses the whole file."""
    return InputRefused(code, what, place=f"{request.file}:{line}" if line else request.file, remedy=remedy)
