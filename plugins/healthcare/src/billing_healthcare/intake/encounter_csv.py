"""Encounters as CSV: one row per service line; rows of one encounter follow each other and agree about it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import attrs

from billing_framework import BadRecord, InputRefused, Reader, ReadItem, ReadRequest
from billing_healthcare.coverage import MOST_PAYERS
from billing_healthcare.intake.build import EncounterBuilder
from billing_healthcare.kinds import ENCOUNTER, SERVICE_LINE

_LONGEST_RAW = 10_000
_HEAD = (
    *("encounter", "account", "place", "last", "first", "middle", "birth", "sex", "street", "city", "region", "postcode"),
    *("rendering_npi", "rendering_last", "rendering_first", "rendering_taxonomy"),
    *("referring_npi", "referring_last", "referring_first", "authorisation", "frequency", "payer_control", "patient_paid"),
)
_PAYER = (
    "payer",
    "member",
    "group",
    "filing",
    "relation",
    "subscriber_last",
    "subscriber_first",
    "subscriber_birth",
    "subscriber_sex",
)
_PAYERS = tuple(f"{name}_{number}" for number in range(1, MOST_PAYERS + 1) for name in _PAYER)
_LINE = {
    "line": "line",
    "code": "code",
    "modifiers": "modifiers",
    "units": "units",
    "measure": "measure",
    "charge": "charge",
    "pointers": "pointers",
    "date": "date",
    "through": "through",
    "line_place": "place",
    "drug": "drug",
    "drug_quantity": "drug_quantity",
    "drug_unit": "drug_unit",
}
_SHARED = (*_HEAD, "diagnoses", *_PAYERS)
_NEEDED = ("encounter", "account", "place", "last", "code", "date")


@attrs.define
class _Visit:
    """Rows of one encounter, as far as they were read."""

    line: int
    rows: list[dict[str, str]]
    raw: str


def read_rows(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield the records of each encounter, or its rows as one bad record with all that is wrong.

    Args:
        stream: the file; UTF-8, comma between cells, a header with the names of the columns.
        request: name, source and zone of the dates.

    Raises:
        InputRefused: ``HEALTH10`` where the file is no such table: a column is missing or unknown, the quoting is broken.
    """
    lines = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    rows = csv.reader(lines, strict=True)
    visit: _Visit | None = None
    seen: set[str] = set()
    try:
        header = _header(next(rows, []), request)
        for cells in rows:
            if not cells:
                continue
            row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
            row[""] = "" if len(cells) == len(header) else f"the row has {len(cells)} cells, the header {len(header)}"
            if visit is None or row.get("encounter") != visit.rows[0].get("encounter"):
                if visit is not None:
                    yield from _items(visit, request, seen)
                visit = _Visit(rows.line_num, [], "")
            visit.rows.append(row)
            visit.raw += ",".join(cells) + "\n"
        if visit is not None:
            yield from _items(visit, request, seen)
    except UnicodeDecodeError as error:
        raise _refused(request, rows.line_num + 1, "the file is not UTF-8 text", "Save it as UTF-8") from error
    except csv.Error as error:
        raise _refused(request, rows.line_num, f"the quoting is broken: {error}", "Double the quotes inside") from error
    finally:
        lines.detach()


def _refused(request: ReadRequest, number: int, what: str, remedy: str) -> InputRefused:
    return InputRefused("HEALTH10", what, place=f"{request.file}:{number}", remedy=f"{remedy}; nothing of it was taken in")


def _header(cells: Sequence[str], request: ReadRequest) -> list[str]:
    header = [cell.strip() for cell in cells]
    known = (*_SHARED, *_LINE)
    for name in header:
        if name not in known or header.count(name) > 1:
            raise _refused(request, 1, f"the column {name!r} is unknown or there twice", f"Known are: {', '.join(known)}")
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise _refused(request, 1, f"the column {missing[0]!r} is missing", "Add it")
    return header


def _items(visit: _Visit, request: ReadRequest, seen: set[str]) -> Iterator[ReadItem]:
    builder = EncounterBuilder(request=request, line=visit.line)
    first = visit.rows[0]
    for row in visit.rows:
        if row[""]:
            builder.wrong("", row[""], "Quote cells that hold a comma")
        differing = [name for name in _SHARED if row.get(name) and row.get(name) != first.get(name, "")]
        if differing:
            what = f"the rows of the encounter differ in {differing[0]}"
            builder.wrong(differing[0], what, "Give the same in every row, or leave it empty after the first")
    if first.get("encounter", "") in seen:
        builder.wrong("encounter", "the rows of the encounter do not follow each other", "Sort the file by encounter")
    seen.add(first.get("encounter", ""))
    payers = [table for number in range(1, MOST_PAYERS + 1) if (table := _payer(first, number))]
    diagnoses = [code for code in first.get("diagnoses", "").split(":") if code]
    lines = [{name: row.get(column, "") for column, name in _LINE.items()} for row in visit.rows]
    records = builder.records({name: first.get(name, "") for name in _HEAD}, payers, diagnoses, lines)
    if builder.findings:
        yield BadRecord(line=visit.line, raw=visit.raw[:_LONGEST_RAW], findings=tuple(builder.findings))
    else:
        yield from builder.notes
        yield from records


def _payer(row: dict[str, str], number: int) -> dict[str, str]:
    found = {name.removeprefix("subscriber_"): row.get(f"{name}_{number}", "") for name in _PAYER}
    return {name: text for name, text in found.items() if text}


ENCOUNTER_CSV = Reader(
    format="encounter_csv",
    title="Encounters as CSV, one row per service line",
    kinds=(ENCOUNTER.name, SERVICE_LINE.name),
    read=read_rows,
)
