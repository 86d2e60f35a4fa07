"""Delimited text by columns and line by line: the same records, the same bad records, the same refusals."""

from __future__ import annotations

import enum
import io
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_framework.usage.columnar import line_blocks
from billing_framework.usage.columnar.record_columns import RecordColumns
from billing_framework.usage.delimited import Layout, delimited_reader
from billing_framework.usage.file_stream import open_stream
from billing_framework.usage.reader import ReadRequest
from billing_framework.usage.record import UsageKind
from billing_framework.usage.requirements import kind_rules
from billing_framework.values.errors import BillingError
from tests.properties import examples


class Colour(enum.Enum):
    """What a visit was marked with."""

    RED = "red"
    BLUE = "blue"


@attrs.frozen(kw_only=True)
class Visit:
    """A visit, with a field of every sort."""

    minutes: int
    fee: Fraction | None = None
    note: str = ""
    paid: bool | None = None
    day: date | None = None
    left: datetime | None = None
    colour: Colour = Colour.RED


VISIT = UsageKind(name="visit", title="A visit", body=Visit)
RULES = kind_rules({"visit": VISIT})["visit"]
COLUMNS = {
    "external_id": ("gate", "ticket"),
    "subject": "card",
    "start": "from",
    "end": "to",
    "minutes": "minutes",
    "fee": "fee",
    "note": "note",
    "paid": "paid",
    "day": "day",
    "left": "left",
    "colour": "colour",
}
CELLS: dict[str, list[str]] = {
    "gate": ["north", "", " a "],
    "ticket": ["T1", "", " T2 ", "ü", '"T3"', '"T\n4"', "\x1f"],
    "card": ["C1", "", " ", "C\u00a0"],
    "from": ["2026-07-01T10:00:00", "2026-07-01 10:00:00", "2026-07-01", "2026-10-25T02:30:00", "", "x", "2026-07-01T10:00:00Z"],
    "to": ["2026-07-01T11:00:00", "2026-07-01T09:00:00", "", "2026-07-01T11:00:00+02:00"],
    "minutes": ["30", "-5", "+5", "", "1.5", "99999999999999999999", "007"],
    "fee": ["1.50", "0", "0.05", "-3.20", "100", "1.", ".5", "-0.5", "00.5", "1e3", "1,5", "0.00", "x", "12345678901234567890"],
    "note": ["", "seen", " x ", '"a ""b"""'],
    "paid": ["", "true", "no", "YES", "maybe", "1"],
    "day": ["", "2026-07-01", "2026-02-30", "20260701", "1850-01-01"],
    "left": ["", "2026-07-01T10:30:00Z", "2026-07-01T10:30:00", "soon"],
    "colour": ["red", "blue", "green", ""],
}
FILE = "visits.csv"


def items(read: Any, content: bytes) -> list[Any]:
    """Return what a road makes of a file, the records by line, or how it refuses it."""
    found: list[Any] = []
    try:
        for item in read(open_stream(io.BytesIO(content), FILE), ReadRequest(file=FILE, source="s", zone="Europe/Berlin")):
            found += item.records(RULES) if isinstance(item, RecordColumns) else [item]
    except BillingError as error:
        return [str(error)]
    return sorted(found, key=lambda item: item.line)


def alike(content: bytes, **layout: Any) -> None:
    """Prove that both roads make the same of a file."""
    reader = delimited_reader("visits", "Visits", Layout(kind=VISIT, **{"columns": COLUMNS, **layout}))
    assert list(map(repr, items(reader.read_columns, content))) == list(map(repr, items(reader.read, content)))


@given(
    st.lists(st.fixed_dictionaries({name: st.sampled_from([some[0]] * 9 + some) for name, some in CELLS.items()}), max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\n\n", " \n", "short,line", "\x00", '"open', "a\rb"]),
)
@settings(max_examples=examples(150), deadline=None)
def test_any_file_is_read_alike(rows: list[dict[str, str]], end: str, tail: str) -> None:
    alike(end.join([",".join(CELLS), *(",".join(row.values()) for row in rows), tail]).encode())


def test_every_cell_is_read_alike_in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_blocks, "BLOCK_BYTES", 200)
    usual = {name: some[0] for name, some in CELLS.items()}
    for quoted in (False, True):
        rows = [{**usual, name: cell} for name, some in CELLS.items() for cell in some if quoted or '"' not in cell]
        alike("\n".join([",".join(CELLS), *(",".join(row.values()) for row in rows)]).encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"a,b\n", b'"gate",ticket\n', b"\xef\xbb\xbfgate\n", b"\xff", b"x" * 1_500_000, ",".join(CELLS).encode()],
)
def test_files_without_records_are_told_alike(content: bytes) -> None:
    alike(content)


@attrs.frozen(kw_only=True)
class Checked:
    """A class that checks its values itself."""

    minutes: int = attrs.field(validator=attrs.validators.ge(0))


@pytest.mark.parametrize(
    "layout",
    [
        {"decimal_comma": True},
        {"date_format": "%d.%m.%Y"},
        {"encoding": "latin-1"},
        {"columns": {**COLUMNS, "slot": "note"}},
        {"kind": UsageKind(name="visit", title="", body=Checked), "columns": {k: COLUMNS[k] for k in list(COLUMNS)[:5]}},
    ],
)
def test_what_columns_do_not_know_is_left_to_the_other_road(layout: dict[str, Any]) -> None:
    reader = delimited_reader("visits", "Visits", Layout(**{"kind": VISIT, "columns": COLUMNS, **layout}))
    assert reader.read_columns is not None
    assert reader.read_columns(io.BytesIO(b""), ReadRequest(file=FILE, source="s")) is None
