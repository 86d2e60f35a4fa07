"""Usage that stands in columns is what is loaded as objects, on both databases."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import attrs
import pytest
from sqlalchemy.engine import Connection

from billing_framework.rating.gather_columns import field_column
from billing_framework.rating.usage_columns import FieldColumn
from billing_framework.run.usage.intake import take_in
from billing_framework.storage.engine import Database
from billing_framework.storage.master.account_tables import subject_id
from billing_framework.storage.usage.columns import StoredColumns, joined, read_columns, read_keys
from billing_framework.storage.usage.kind_table import KindTable, kind_table, kind_tables
from billing_framework.storage.usage.load import current_records, load_by_key, usage_rows
from billing_framework.usage.withheld import withheld_value
from billing_framework.values.instant import microseconds_of
from billing_framework.values.period import Span
from billing_framework.values.personal import personal
from tests.run.gate import gate_of, row, tickets
from tests.usage.stays import STAY, Size, Stay, stay

FIRST = datetime(2026, 7, 1, tzinfo=UTC)
CARDS = {subject_id(name): name for name in ("CARD-1", "CARD-2")}


def hours(first: int, last: int) -> Span:
    return Span(FIRST + timedelta(hours=first), FIRST + timedelta(hours=last))


GIVEN = [
    stay("T1", plate="Zürich", paid=True, fee=Fraction("10.25"), size=Size.LARGE, weights=(1, -5, 2**40), left=FIRST),
    stay("T2", day=FIRST.date(), span=hours(5, 6)),
    stay("T3", span=hours(0, 2), slot="s", version=1),
    stay("T4", span=hours(0, 2), slot="s", version=2, fee=Fraction("0.5")),
    *(stay(f"P{number}", span=Span.at(FIRST + timedelta(hours=number // 5)), minutes=number) for number in range(20)),
]


def read(connection: Connection, derived: KindTable, up_to_batch: int = 1) -> StoredColumns:
    return read_columns(connection, derived, current_records(derived, up_to_batch), CARDS)


def test_columns_say_what_objects_say(database: Database) -> None:
    deployment = gate_of(database, *GIVEN)
    take_in(deployment, io.BytesIO(b""), "told")
    derived = kind_tables(deployment.host.kinds)["stay"]
    with database.read() as connection:
        found = read(connection, derived)
        judge = load_by_key(connection, {"stay": derived}, {"stay": found.keys})
    rows = list(usage_rows(found))
    usages = [one.usage for one in rows]
    assert rows == [judge[key] for key in found.keys]
    assert rows == sorted(rows, key=lambda one: (subject_id(one.usage.subject), one.usage.start, one.key))
    assert [one.external_id for one in usages if one.slot] == ["T4"]
    assert found.starts == tuple(microseconds_of(one.span.start) for one in usages)
    assert found.ends == tuple(microseconds_of(one.span.end) for one in usages)
    assert found.has_slots
    for place, one in enumerate(rows):
        assert found.places[one.key] == place
        assert (found.subject(place), found.start(place)) == (one.usage.subject, one.usage.start)
        assert found.claim(place) == one.key  # only carried records have claims; see tests/scenarios/test_carried_records.py
        assert list(found.usages(place, place + 2)) == usages[place : place + 2]
    for field in derived.fields:
        column = field_column(field, [getattr(one.body, field.name) for one in usages])
        assert plain(found.field(field.name)) == plain(column), field.name


def plain(column: FieldColumn) -> list[object]:
    """Return what each record holds: the parts of a column may differ in what they know beside it."""
    texts = None if column.texts is None else [bytes(text) for text in column.texts]
    numbers = column.numbers.tolist()
    if column.starts is not None:
        edges = column.starts.tolist()
        numbers = [tuple(numbers[low:high]) for low, high in pairwise(edges)]
    missing = [False] * len(numbers) if column.missing is None else column.missing.tolist()
    told = [texts[number] if texts is not None else number for number in numbers]
    return [None if gone else (one, column.scale) for one, gone in zip(told, missing, strict=True)]


def test_columns_at_some_places_are_those_of_these_records(sqlite_database: Database) -> None:
    deployment = gate_of(sqlite_database, *GIVEN)
    take_in(deployment, io.BytesIO(b""), "told")
    derived = kind_tables(deployment.host.kinds)["stay"]
    with sqlite_database.read() as connection:
        found = read(connection, derived)
    places = [(7 * number) % len(found) for number in range(30)]
    for field in derived.fields:
        column = found.field(field.name)
        assert plain(column.at(places)) == [plain(column)[place] for place in places], field.name  # type: ignore[arg-type]


def test_columns_cannot_be_changed_by_whom_they_are_given_to(sqlite_database: Database) -> None:
    deployment = gate_of(sqlite_database, *GIVEN)
    take_in(deployment, io.BytesIO(b""), "told")
    derived = kind_tables(deployment.host.kinds)["stay"]
    with sqlite_database.read() as connection:
        found = read(connection, derived)
    mappings: list[Any] = [found.stored, found.subjects, found.readings, found.places, found.spans]
    for mapping in mappings:
        with pytest.raises(TypeError, match="does not support item assignment"):
            mapping["minutes"] = ()
    for column in (found.keys, found.starts, found.ends, found.digests, *found.stored.values()):
        assert isinstance(column, tuple)
    found.field("minutes").numbers[:] = 7
    assert found.field("minutes").numbers.tolist() == [one.body.minutes for one in found.usages()]


def test_what_came_later_is_not_seen(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", rest=",bay-4,1"))
    tickets(deployment, row("T2", minutes="45", rest=",bay-4,2"))
    derived = kind_tables(deployment.host.kinds)["stay"]
    with database.read() as connection:
        assert [one.body.minutes for known in (1, 2) for one in read(connection, derived, known).usages()] == [30, 45]


def test_two_readings_are_joined_in_order_with_what_both_have_once(database: Database) -> None:
    deployment = gate_of(database, *GIVEN)
    take_in(deployment, io.BytesIO(b""), "told")
    derived = kind_tables(deployment.host.kinds)["stay"]
    with database.read() as connection:
        whole = read(connection, derived)
        again = read_keys(connection, derived, [whole.keys[3], whole.keys[0], whole.keys[9], 7])
        assert list(usage_rows(again)) == [list(usage_rows(whole))[place] for place in (0, 3, 9)]
        assert list(usage_rows(joined(again, whole))) == list(usage_rows(whole))
        assert not len(joined(read_keys(connection, derived, [7]), read_keys(connection, derived, [])))


def test_personal_fields_are_withheld_from_columns_as_from_objects() -> None:
    @attrs.frozen(kw_only=True)
    class Visit(Stay):
        driver: str = personal()
        nickname: str | None = personal(default=None)
        born: int | None = personal(default=None)

    derived = kind_table(attrs.evolve(STAY, name="visit", body=Visit))
    columns = StoredColumns(derived=derived, subjects={}, stored={"key": (1, 2)}, readings={})
    fields = {field.name: field for field in derived.fields if field.personal}
    for name, field in fields.items():
        told = withheld_value(field)
        assert plain(columns.field(name)) == plain(field_column(field, [told, told])), name
