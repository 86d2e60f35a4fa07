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


def misplaced(indicator: str) -> RecordRefused:
    """Return the refusal of a record whose kind has no place where it stands."""
    return RecordRefused(
        "UTIL04",
        f"a {indicator} record has no place here",
        remedy="Ask the sender for the file again",
        field="RecordIndicator",
        value=indicator,
    )


def bad_record(request: ReadRequest, line: int, raw: str, refused: RecordRefused, subject: str = "") -> BadRecord:
    """Return the record as it goes to suspense, with what is wrong."""
    finding = Finding(
        code=refused.code,
        what=refused.what,
        remedy=refused.remedy,
        file=request.file,
        line=line,
        field=refused.field,
        value=refused.value,
        subject=subject,
    )
    return BadRecord(line=line, raw=raw[:LONGEST_RAW], findings=(finding,))


def refuse_file(request: ReadRequest, code: str, what: str, *, remedy: str, line: int = 0) -> InputRefused:
    """Return the error that refuses the whole file."""
    return InputRefused(code, what, place=f"{request.file}:{line}" if line else request.file, remedy=remedy)


def option(request: ReadRequest, name: str, default: str, *allowed: str) -> str:
    """Return a reader's option.

    Raises:
        InputRefused: ``UTIL17`` for a value that is not among `allowed` (where any are given).
    """
    value = request.options.get(name, default)
    if allowed and value not in allowed:
        raise refuse_file(request, "UTIL17", f"option {name} cannot be {value!r}", remedy=f"Use {' or '.join(allowed)}")
    return value


def check_options(request: ReadRequest, known: tuple[str, ...]) -> None:
    """Refuse options that the reader does not know.

    Raises:
        InputRefused: ``UTIL17`` for a misspelt option.
    """
    for name in request.options:
        if name not in known:
            raise refuse_file(
                request, "UTIL17", f"there is no option {name!r}", remedy=f"Known are: {', '.join(known) or 'none'}"
            )
