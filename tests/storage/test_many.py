"""Many keys and many rows in one statement, on both databases, whatever the keys and values are."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.bulk_update import bulk_update
from billing_framework.storage.column_types import Day, Digest, JsonText, Key, Whole
from billing_framework.storage.engine import Database
from billing_framework.storage.many import delete_of, one_of, rows_of
from tests.properties import examples

THING = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("id", Whole, primary_key=True),
    sa.Column("name", Key, nullable=False, unique=True),
    sa.Column("digest", Digest),
    sa.Column("day", Day),
    sa.Column("facts", JsonText),
    sa.Column("count", Whole),
    sqlite_strict=True,
)
HOSTILE = [
    "",
    " ",
    "a",
    "A",
    "ä",
    '"',
    "\\",
    '\\"',
    "{a,b}",
    "NULL",
    "null",
    "1",
    "x,y",
    "'",
    "\n",
    "\t\r",
    "%s",
    "%",
    ":p",
    "東京",
    "\U0001f600",
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@pytest.fixture
def things(database: Database) -> Database:
    with database.begin() as connection:
        THING.create(connection)
        bulk_insert(connection, THING, ("id", "name"), [(number, name) for number, name in enumerate(HOSTILE, start=-2)])
    return database


def test_exactly_the_rows_of_the_keys_are_found(things: Database) -> None:
    with things.read() as connection:
        for name in HOSTILE:
            assert connection.scalars(sa.select(THING.c.name).where(one_of(THING.c.name, [name]))).all() == [name]
        found = rows_of(connection, HOSTILE[5:], lambda some: sa.select(THING.c.id).where(one_of(THING.c.name, some)))
        assert sorted(row.id for row in found) == list(range(3, len(HOSTILE) - 2))
        numbers = (-(2**63), -1, 0, 2**63 - 1)
        assert connection.scalars(sa.select(THING.c.id).where(one_of(THING.c.id, numbers)).order_by(THING.c.id)).all() == [-1, 0]
        assert connection.scalars(sa.select(THING.c.id).where(one_of(THING.c.id, []))).all() == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=examples(40))
@given(TEXTS, TEXTS)
def test_any_text_finds_itself_alone(things: Database, one: str, other: str) -> None:
    with things.read() as connection:
        both = sa.select(sa.literal(one, Key).label("name")).union_all(sa.select(sa.literal(other, Key))).subquery()
        found = connection.scalars(sa.select(both.c.name).where(one_of(both.c.name, [one]))).all()
    assert found == ([one, one] if one == other else [one])


def test_many_keys_are_looked_up_in_the_index_of_their_column(things: Database) -> None:
    names = [f"n{number}" for number in range(100, 30_000)]
    query = sa.select(THING.c.id).where(one_of(THING.c.name, names[:30]))
    compiled = query.compile(things.engine)
    with things.begin() as connection:
        bulk_insert(connection, THING, ("id", "name"), list(enumerate(names, start=100)))
        if things.dialect == "sqlite":
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", ('["n100"]',)).all())
        else:
            plan = str(connection.exec_driver_sql(f"EXPLAIN {compiled}", dict.fromkeys(compiled.params, "{n100}")).all())
        assert "SEARCH thing USING COVERING INDEX" in plan or "Index Cond" in plan, plan
        assert len(connection.execute(query).all()) == 30


def test_rows_are_deleted_by_their_keys(things: Database) -> None:
    with things.begin() as connection:
        delete_of(connection, HOSTILE[1:], lambda some: THING.delete().where(one_of(THING.c.name, some)))
        assert connection.scalars(sa.select(THING.c.name)).all() == [HOSTILE[0]]


def test_rows_change_each_to_its_own_values_of_all_types(things: Database) -> None:
    rows = [
        (
            text,
            None if place % 3 else bytes([place, 0, 255, 92]),
            None if place % 2 else dt.date(2026, 2, 28),
            {"told": text},
            place - 2,
        )
        for place, text in enumerate(HOSTILE)
    ]
    renamed = [(f"new {text}", *rest) for text, *rest in rows]
    with things.begin() as connection:
        bulk_update(connection, THING, ("name", "digest", "day", "facts"), ("id",), renamed)
        assert bulk_update(connection, THING, ("name",), ("id",), []) == 0
        found = connection.execute(
            sa.select(THING.c.name, THING.c.digest, THING.c.day, THING.c.facts, THING.c.id).order_by(THING.c.id)
        )
        assert [tuple(row) for row in found] == renamed


def test_rows_that_count_their_changes_are_found_only_as_they_were_read(things: Database) -> None:
    rows = [(f"new {number}", number, number) for number in range(3)]
    with things.begin() as connection:
        connection.execute(THING.update().where(THING.c.id >= 0).values(count=THING.c.id))
        assert bulk_update(connection, THING, ("name",), ("id", "count"), rows, counter="count") == 3
        assert (
            bulk_update(connection, THING, ("name",), ("id", "count"), [("again", 0, 0), ("again", 1, 2)], counter="count") == 1
        )
        found = connection.execute(sa.select(THING.c.name, THING.c["count"]).where(THING.c.id.between(0, 2)).order_by(THING.c.id))
        assert [tuple(row) for row in found] == [("new 0", 1), ("again", 3), ("new 2", 3)]
