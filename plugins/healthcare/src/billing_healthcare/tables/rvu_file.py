"""The published file of relative values becomes a rate table: columns are found by their names, licensed codes are left out.

Run it as ``python -m billing_healthcare.tables.rvu_file PPRRVU26.csv values.csv``, then load the result by
``billing rate-table load``. The file's header names its columns over several rows and moves them between years, so they are
found by the joined text of the rows above the first code, never by position. Descriptions are never taken over.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import attrs

from billing_framework import BillingError, InputRefused
from billing_healthcare.tables.kinds import is_licensed_code
from billing_healthcare.tables.rows import ValueRow

_MOST_HEADER_ROWS = 30
_CODE = re.compile(r"[A-Z0-9]\d{3}[A-Z0-9]", re.ASCII)
_NO_LETTERS = re.compile(r"[^A-Z0-9]+")
_NUMBER = re.compile(r"-?\d*\.?\d*", re.ASCII)

_HEADERS: dict[str, str] = {
    "HCPCS": "hcpcs",
    "MOD": "mod",
    "STATUS CODE": "status_code",
    "NOT USED FOR MEDICARE PAYMENT": "not_used_for_medicare",
    "WORK RVU": "work_rvu",
    "NON-FAC PE RVU": "nonfac_pe_rvu",
    "NON-FAC NA INDICATOR": "nonfac_na_ind",
    "FACILITY PE RVU": "fac_pe_rvu",
    "FACILITY NA INDICATOR": "fac_na_ind",
    "MP RVU": "mp_rvu",
    "NON-FACILITY TOTAL": "nonfac_total",
    "FACILITY TOTAL": "fac_total",
    "PCTC IND": "pctc_ind",
    "GLOB DAYS": "glob_days",
    "PRE OP": "pre_op",
    "INTRA OP": "intra_op",
    "POST OP": "post_op",
    "MULT PROC": "mult_proc",
    "BILAT SURG": "bilat_surg",
    "ASST SURG": "asst_surg",
    "CO- SURG": "co_surg",
    "TEAM SURG": "team_surg",
    "ENDO BASE": "endo_base",
    "CONV FACTOR": "conv_factor",
}
"""Joined text of a column's header rows to the field of the table; other columns are not read."""

_NEEDED = ("hcpcs", "work_rvu", "nonfac_pe_rvu", "fac_pe_rvu", "mp_rvu")
_NUMBERS = frozenset(field.name for field in attrs.fields(ValueRow) if "Fraction" in str(field.type))


@attrs.frozen
class Converted:
    """What became of a file.

    Attributes:
        rows: the rows of the table as texts, by field.
        left_out: rows with codes of licensed sets that were left out.
    """

    rows: tuple[dict[str, str], ...]
    left_out: int


def convert(lines: Iterable[str], *, file: str, is_licensed: bool = False) -> Converted:
    """Return the rows of a published file of relative values.

    Args:
        lines: lines of the file.
        file: its name, for messages.
        is_licensed: True where the user holds a licence for codes that begin with a digit or D, which are taken over then.

    Raises:
        InputRefused: ``HEALTH31`` where no header names the columns, or a number is none.
    """
    rows = csv.reader(lines)
    places: dict[str, int] = {}
    header: list[list[str]] = []
    found: list[dict[str, str]] = []
    left_out = 0
    for number, cells in enumerate(rows, start=1):
        if not places:
            if not (cells and _CODE.fullmatch(cells[0].strip())):
                header.append(cells)
                if len(header) > _MOST_HEADER_ROWS:
                    break
                continue
            places = _places(header, file)
        if not cells or not _CODE.fullmatch(cells[0].strip()):
            continue  # the file ends with a Ctrl-Z or notes
        row = {name: _cell(cells, place) for name, place in places.items()}
        _check(row, file, number)
        is_owned = is_licensed_code(row["hcpcs"])
        if is_owned and not is_licensed:
            left_out += 1
            continue
        found.append({**row, "licensed": "true" if is_owned else "false"})
    if not places:
        raise _refused("no row of the file begins with a code", file, 1)
    return Converted(tuple(found), left_out)


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _places(header: Sequence[Sequence[str]], file: str) -> dict[str, int]:
    width = max((len(cells) for cells in header), default=0)
    known = {_plain(text): name for text, name in _HEADERS.items()}
    places: dict[str, int] = {}
    for place in range(width):
        cells = [_cell(row, place) for row in header]
        # Titles stand above the names; the longest text that is a name counts, so that NON-FACILITY is not FACILITY.
        texts = (_plain(" ".join(cells[start:])) for start in range(len(cells)))
        name = next((known[text] for text in texts if text in known), None)
        if name is not None:
            places.setdefault(name, place)
    missing = [name for name in _NEEDED if name not in places]
    if missing:
        raise _refused(f"no column is named for {missing[0]}", file, 1)
    return places


def _plain(text: str) -> str:
    return _NO_LETTERS.sub("", text.upper())


def _check(row: dict[str, str], file: str, number: int) -> None:
    for name in sorted(_NUMBERS & row.keys()):
        if not _NUMBER.fullmatch(row[name]) or (name in _NEEDED and not row[name]):
            raise _refused(f"{name} of {row['hcpcs']} is {row[name]!r}, no number", file, number)


def _refused(what: str, file: str, number: int) -> InputRefused:
    remedy = "Give the file of relative values as it is published, as CSV"
    return InputRefused("HEALTH31", what, place=f"{file}:{number}", remedy=remedy)


def write_table(converted: Converted) -> Iterator[str]:
    """Yield the lines of the rate table."""
    names = [name for name in ("hcpcs", *_HEADERS.values(), "licensed") if any(name in row for row in converted.rows[:1])]
    columns = list(dict.fromkeys(names))
    yield ",".join(columns) + "\n"
    for row in converted.rows:
        yield ",".join(row[name] for name in columns) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert a file by the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m billing_healthcare.tables.rvu_file", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("source", type=Path, help="published file, CSV")
    parser.add_argument("target", type=Path, help="rate table to write")
    parser.add_argument("--licensed", action="store_true", help="the licence for CPT and dental codes is mine: take them over")
    given = parser.parse_args(arguments)
    try:
        with given.source.open(encoding="latin-1", newline="") as lines:
            converted = convert(lines, file=given.source.name, is_licensed=given.licensed)
        with given.target.open("w", encoding="utf-8", newline="") as target:
            target.writelines(write_table(converted))
    except (BillingError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{len(converted.rows)} rows; {converted.left_out} rows of licensed codes left out\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
