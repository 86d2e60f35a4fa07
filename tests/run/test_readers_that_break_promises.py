"""Whatever a reader yields, its file is taken in, suspended record by record, or refused with the reader's name and the line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO

import attrs
import polars as pl
import pytest

from billing_framework.plugin.hookspecs import hookimpl
from billing_framework.plugin.host import Host
from billing_framework.run.deployment import Deployment
from billing_framework.run.usage.intake import LEAST_BYTES_BY_COLUMNS, take_in
from billing_framework.storage.engine import Database
from billing_framework.usage.columnar.record_columns import RecordColumns
from billing_framework.usage.reader import BadRecord, Coverage, Reader, ReadRequest
from billing_framework.values.errors import ContractBroken
from billing_framework.values.finding import Finding
from billing_framework.values.instant import microseconds_of
from tests.run.gate import Gate, contents, counts, gate_of, unchanged
from tests.usage.stays import NOON, stay

UNSPEAKABLE = "half \ud800 and nothing \0"
AT = microseconds_of(NOON)
LARGE = b" " * LEAST_BYTES_BY_COLUMNS


def changed(item: Any, **values: Any) -> Any:
    """Return an item with values that its class does not allow."""
    return attrs.evolve(item, **values)


@pytest.mark.parametrize(
    ("item", "what"),
    [
        (changed(stay(line=7), span=None), r"a Usage whose span is a NoneType, not a Span \(line 7\)"),
        (changed(stay(line=7), source=1.5), r"a Usage whose source is a float, not a str \(line 7\)"),
        (changed(stay(line=7), external_id=b"T1"), "external_id is a bytes"),
        (changed(stay(line=7), subject=[UNSPEAKABLE]), "subject is a list"),
        (changed(stay(line=7), slot=None), "slot is a NoneType"),
        (changed(stay(line=7), version="1"), "version is a str"),
        (changed(stay(line=7), line="7"), "line is a str, not a int"),
        (changed(stay(line=7), kind=["stay"]), "the usage kind a list, which it does not name"),
        (BadRecord(line=3, raw=None, findings=("odd",)), "raw is a NoneType"),  # type: ignore[arg-type]  # that is the fault
        (BadRecord(line=3, raw="", findings=("odd",)), "without a finding"),  # type: ignore[arg-type]  # that is the fault
        (Finding(code="USAGE05", what="odd", line="7"), "a Finding with fields of wrong types"),  # type: ignore[arg-type]  # as well
        (Coverage(subject="x", span=None, expected=1, received=1), "span is a NoneType"),  # type: ignore[arg-type]  # as well
    ],
)
def test_an_item_of_wrong_types_refuses_its_file(sqlite_database: Database, item: Any, what: str) -> None:
    deployment = gate_of(sqlite_database, stay("T0"), item)
    with unchanged(sqlite_database), pytest.raises(ContractBroken, match=f"PLUGIN04 the reader 'told' of plugin gate.*{what}"):
        take_in(deployment, io.BytesIO(b""), "told", name="f.csv")


def test_packed_text_that_no_database_stores_waits(database: Database) -> None:
    deployment = gate_of(database, stay("T1", weights=(UNSPEAKABLE,)))
    assert counts(take_in(deployment, io.BytesIO(b""), "told")) == (0, 0, 1, 0)


class Columns(Gate):
    """The plugin with a reader of columns that yields what a test tells it."""

    @hookimpl
    def billing_readers(self) -> list[Reader]:
        """Return the readers, the last of which reads by columns."""

        def by_columns(_: BinaryIO, __: ReadRequest) -> Iterator[Any]:
            yield from self.items

        *others, told = super().billing_readers()
        return [*others, attrs.evolve(told, read_columns=by_columns)]


def columns_of(database: Database, *items: Any) -> Deployment:
    """Return the deployment whose reader yields these items."""
    return attrs.evolve(gate_of(database), host=Host.build([("gate", Columns(*items))]))


def two_stays(**columns: list[Any]) -> RecordColumns:
    """Return two stays of lines 4 and 5, with further columns or others."""
    values: dict[str, list[Any]] = {
        "line": [4, 5],
        "external_id": ["T1", "T2"],
        "subject": ["CARD-1", "CARD-1"],
        "start": [AT, AT],
        "end": [AT, AT],
    }
    whole = dict.fromkeys(("line", "start", "end", "left"), pl.Int64)
    frame = pl.DataFrame(values | columns, schema_overrides=whole)
    return RecordColumns(kind="stay", source="gate", frame=frame, constants={"minutes": 30})


BROKEN = {
    "no start": (two_stays(start=[AT, None]), r"a record whose start is none \(line 5\)"),
    "an end after all time": (two_stays(end=[AT, 2**62]), r"a record whose end is none \(line 5\)"),
    "an end before the start": (two_stays(end=[AT, AT - 1]), r"that ends before it starts \(line 5\)"),
    "an instant before all time": (two_stays(left=[-(2**63), None]), r"a record whose left is none \(line 4\)"),
    "no line": (two_stays(line=[4, None]), "without the number of its line"),
    "no frame": (changed(two_stays(), frame=None), "a NoneType, not a frame"),
    "a lazy frame": (changed(two_stays(), frame=two_stays().frame.lazy()), "a LazyFrame, not a frame"),
    "no source": (changed(two_stays(), source=""), "without a source"),
    "a number as source": (changed(two_stays(), source=7), "without a source"),
    "half a letter as source": (changed(two_stays(), source=UNSPEAKABLE), "without a source"),
    "another kind": (changed(two_stays(), kind="leave"), "the usage kind 'leave'"),
    "a column too many": (two_stays(colour=["red", "red"]), "a column 'colour' of type String, needed is none"),
    "a column too few": (changed(two_stays(), constants={}), "no column 'minutes'"),
    "a constant of another type": (changed(two_stays(), constants={"minutes": "30"}), "share a value of 'minutes'"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_columns_that_are_not_what_is_promised_refuse_their_file(sqlite_database: Database, fault: str) -> None:
    item, what = BROKEN[fault]
    deployment = columns_of(sqlite_database, item)
    with unchanged(sqlite_database), pytest.raises(ContractBroken, match=f"PLUGIN04 the reader 'told' of plugin gate.*{what}"):
        take_in(deployment, io.BytesIO(LARGE), "told", name="f.csv")


@pytest.mark.parametrize("text", ["", "x", "NaN", "1/0", "1e400", "１", "1_0", "a\0b", "9" * 50])  # noqa: RUF001  a digit
def test_texts_that_are_no_exact_numbers_wait_and_the_others_are_stored(database: Database, text: str) -> None:
    deployment = columns_of(database, two_stays(fee=["1.5", text]))
    report = take_in(deployment, io.BytesIO(LARGE), "told")
    assert counts(report) == (1, 0, 1, 0)
    assert [(one.code, one.field, one.line) for one in report.findings] == [("USAGE01", "fee", 5)]


@pytest.mark.parametrize(("text", "stored"), [(" 1", "1"), ("+1", "1"), ("-0", "0"), ("1.50", "1.5"), ("2/4", "0.5")])
def test_exact_numbers_are_stored_in_one_form_however_a_reader_writes_them(
    sqlite_database: Database, text: str, stored: str
) -> None:
    deployment = columns_of(sqlite_database, two_stays(fee=["-1.5", text]))
    assert counts(take_in(deployment, io.BytesIO(LARGE), "told")) == (2, 0, 0, 0)
    assert [repr(stored) in row for row in contents(sqlite_database)["usage_stay"]].count(True) == 1


def test_a_choice_that_there_is_not_waits(sqlite_database: Database) -> None:
    deployment = columns_of(sqlite_database, two_stays(size=["large", "huge"], day=[date(2026, 7, 1), None]))
    report = take_in(deployment, io.BytesIO(LARGE), "told")
    assert counts(report) == (1, 0, 1, 0)
    assert [one.field for one in report.findings] == ["size"]
