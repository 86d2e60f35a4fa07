"""Rate tables by columns: the same rows as row by row, or none where a row has to be looked at."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Literal

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_framework import Finding, RateTable, RateTableKind
from billing_framework.rating import coded_cells
from billing_framework.rating.rate_table_columns import RowColumns
from billing_framework.rating.rate_table_file import RateTableHeader, read_by_rows, read_rate_table, rows_by_columns
from tests.properties import examples
from tests.rating.test_rate_table import Side


@attrs.frozen(kw_only=True)
class Row:
    code: str
    price: Fraction | None
    side: Side = Side.LEFT
    count: int = 1
    since: date | None = None
    open: bool = False
    note: str = ""


@attrs.frozen(kw_only=True)
class CheckedRow:
    code: str
    count: int = attrs.field(default=1, validator=attrs.validators.ge(1))


KIND = RateTableKind(name="x.rows", title="Rows", row=Row, key=("code", "side"), prices=("price",))
HEADER = RateTableHeader(code="t", version="1", kind="x.rows", valid_from=date(2026, 1, 1))

CODES = ["a", "b", "é", "日本語", '"q', "with, comma", "two\nlines", "two\r\nlines", " a ", "a\u00a0b", "x" * 40, "49301234567"]
KEYS = [(code, side) for code in CODES for side in ("left", "right", "")]
SOUND = {
    "price": ["0.1", "0.10", "", "12345678901234567890.5", "-3", " 7 ", "+.5", "5."],
    "count": ["1", "9223372036854775807", "-5", ""],
    "since": ["2026-07-01", ""],
    "open": ["yes", "0", "TRUE", ""],
    "note": ["", "n", "tab\there", '""', "ends in return\r\n"],
}
WRONG = ["a\x00", "\x1b[31m", "1e5", "1,5", "1/3", "\u0664", "nan", "2026-02-30", "maybe", "\x85", "x" * 200, "lone\rreturn"]


def written(rows: Sequence[Sequence[str]], end: str, quoting: Literal[0, 1]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue().encode()


@st.composite
def tables(draw: st.DrawFn, *, wrong: Sequence[str] = ()) -> bytes:
    """Files whose rows all have keys of their own where nothing is wrong."""
    optional = draw(st.lists(st.sampled_from(["count", "since", "open", "note"]), unique=True))
    names = draw(st.permutations(["code", "price", "side", *optional]))
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=12))
    rows = [[*names]]
    for code, side in keys:
        cells = {name: draw(st.sampled_from([*SOUND[name], *wrong])) for name in names if name in SOUND}
        rows.append([({"code": code, "side": side} | cells)[name] for name in names])
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    content = written(rows, ends, draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])))
    content = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + content
    return draw(st.sampled_from([content, content.rstrip(b"\r\n"), content + b"\n\r\n"]))


def held_to_rows(content: bytes, kind: RateTableKind = KIND) -> RowColumns | None:
    """Return the rows by columns, which must be those that are read row by row where there are any."""
    found = rows_by_columns(content, kind)
    if found is not None:
        table = read_by_rows(content, file="f.csv", header=HEADER, kind=kind).table
        assert table is not None
        assert found.rows() == table.rows == tuple(found.at(place) for place in range(found.size))
    return found


@given(tables())
def test_sound_tables_are_read_by_columns_as_they_are_row_by_row(content: bytes) -> None:
    found = held_to_rows(content)
    assert (found is None) == (read_by_rows(content, file="f.csv", header=HEADER, kind=KIND).table is None)


@settings(max_examples=examples(300))
@given(st.data())
def test_whatever_is_read_by_columns_is_read_so_row_by_row(data: st.DataObject) -> None:
    content = data.draw(tables(wrong=WRONG))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(content)))
        taken = data.draw(st.integers(0, 3))
        put = data.draw(st.sampled_from([b"", b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\xff", b"\x00", b" ", b"a,1,left\n"]))
        content = content[:at] + put + content[at + taken :]
    held_to_rows(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"code,price\n",
        b"code,price,code\na,1,b\n",
        b"code,price,other\na,1,b\n",
        b"price\n1\n",
        b"code,price\na,1\n\nb,2\n",
        b"code,price\na,1,\nb,2,\n",
        b"code,price\na,1,b,2\n",
        b"code,price\na\n1\nb,2\n",
        b"code,price\na,1\na ,2\n",
        b'code,price\na,1\n"a",2\n',
        b'code,price\na"b,1\n',
        b'code,price\n"a"b,1\n',
        b'code,price\n"a,1\n',
        b'code,price\n"a" ,1\n',
        b"code,price\na\r,1\n",
        b"code,price\ra,1\r",
        b"code,price\na\x00,1\n",
        b"code,price\n\xff,1\n",
        b"code,price\n,1\n",
        b"code,price\n" + b"a" * 200 + b",1\n",
    ],
)
def test_what_is_not_plainly_sound_is_left_to_the_rows(content: bytes) -> None:
    assert rows_by_columns(content, KIND) is None


def test_cells_that_one_number_does_not_tell_apart_are_left_to_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"code,price\naaaaaaaab,1\nbaaaaaaaa,2\n"
    assert held_to_rows(content) is not None
    monkeypatch.setattr(coded_cells, "_FACTOR", np.uint64(1))
    assert rows_by_columns(content, KIND) is None


def test_a_class_that_checks_its_values_is_asked_row_by_row() -> None:
    kind = RateTableKind(name="x.checked", title="Rows", row=CheckedRow, key=("code",))
    assert rows_by_columns(b"code,count\na,1\n", kind) is None


def test_a_long_file_is_read_by_columns_and_its_mistakes_are_told_with_their_place() -> None:
    lines = [f"{number},0.{number % 977:03}" for number in range(20_000)]
    found = read_rate_table("\n".join(["code,price", *lines]).encode(), file="f.csv", header=HEADER, kind=KIND)
    assert found.table is not None
    assert isinstance(found.table.given, RowColumns)
    assert found.table.row(7) == found.table.rows[7] == Row(code="7", price=Fraction(7, 1000))

    checked = attrs.evolve(KIND, check=lambda table: (Finding(code="TABLE02", what="w", remedy="r", line=table.size),))
    told = read_rate_table("\n".join(["", "code,price", *lines]).encode(), file="f.csv", header=HEADER, kind=checked)
    assert [(finding.line, finding.file) for finding in told.findings] == [(20_002, "f.csv")]

    lines[10_000] = "10000,up"
    wrong = read_rate_table("\n".join(["code,price", *lines]).encode(), file="f.csv", header=HEADER, kind=KIND)
    assert [(finding.code, finding.line, finding.field) for finding in wrong.findings] == [("TABLE02", 10_002, "price")]


def test_rows_are_columns_too() -> None:
    rows = (Row(code="a", price=None), Row(code="b", price=Fraction(1, 3), count=2), Row(code="c", price=None))
    table = RateTable(code="t", version="1", kind="x.rows", valid_from=HEADER.valid_from, rows=rows)
    price = table.columns["price"]
    assert [price.values[code] for code in price.codes] == [row.price for row in rows]
    assert price.rows_of(None).tolist() == [0, 2]
    assert RowColumns.of(rows).rows() == rows
    assert attrs.evolve(table, rows=()).columns == {}
