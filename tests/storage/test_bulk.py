"""Bulk rows keep every digit, and commit or roll back with the transaction they are part of."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest
import sqlalchemy as sa

from billing_framework.storage.bulk import bulk_insert, bulk_read_ints
from billing_framework.storage.column_types import (
    CurrencyCode,
    Day,
    Digest,
    ExactText,
    Flag,
    Instant,
    JsonText,
    Key,
    MinorUnits,
    Whole,
)
from billing_framework.storage.engine import Database
from billing_framework.values.errors import Conflict, ValueRefused

_METADATA = sa.MetaData()
SAMPLE = sa.Table(
    "sample",
    _METADATA,
    sa.Column("id", Whole, primary_key=True),
    sa.Column("minor", MinorUnits, nullable=False),
    sa.Column("price", ExactText),
    sa.Column("at", Instant),
    sa.Column("name", Key),
    sa.Column("currency", CurrencyCode),
    sa.Column("sha", Digest),
    sa.Column("data", JsonText),
    sa.Column("yes", Flag),
    sa.Column("day", Day),
    sqlite_strict=True,
)
_COLUMNS = [column.name for column in SAMPLE.columns]
_AT = dt.datetime(2026, 3, 29, 1, 30, 0, 123_457, tzinfo=dt.UTC)


def _row(number: int) -> tuple[object, ...]:
    return (
        number, 2**63 - 1 - number, Fraction(1, 3), _AT, f"tab\t back\\slash \n{number} é", "JPY", bytes(range(32)),
        {"b": [1, None], "a": "ü"}, number % 2 == 0, dt.date(2024, 2, 29),
    )  # fmt: skip


@pytest.fixture
def sample(database: Database) -> Database:
    """A database with the sample table."""
    with database.begin() as connection:
        _METADATA.create_all(connection)
    return database


@pytest.mark.parametrize("count", [0, 1, 4_096, 10_001])
def test_rows_come_back_as_they_went_in(sample: Database, count: int) -> None:
    rows = [_row(number) for number in range(count)]
    with sample.begin() as connection:
        assert bulk_insert(connection, SAMPLE, _COLUMNS, iter(rows)) == count
    with sample.read() as connection:
        assert [tuple(row) for row in connection.execute(sa.select(SAMPLE).order_by(SAMPLE.c.id))] == rows
        assert list(bulk_read_ints(connection, sa.select(SAMPLE.c.id, SAMPLE.c.minor).order_by(SAMPLE.c.id))) == [
            row[:2] for row in rows
        ]


def _insert_and_fail(database: Database) -> None:
    with database.begin() as connection:
        bulk_insert(connection, SAMPLE, ["id", "minor"], [(1, 1), (2, 2)])
        assert connection.scalar(sa.select(sa.func.count()).select_from(SAMPLE)) == 2
        raise InterruptedError


def test_bulk_rolls_back_with_its_transaction(sample: Database) -> None:
    with pytest.raises(InterruptedError):
        _insert_and_fail(sample)
    with sample.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(SAMPLE)) == 0


def test_a_driver_error_in_bulk_speaks_our_language(sample: Database) -> None:
    with pytest.raises(Conflict, match="STORAGE05"), sample.begin() as connection:
        bulk_insert(connection, SAMPLE, ["id", "minor"], [(1, 1), (1, 2)])


@pytest.mark.parametrize("value", [1.5, True, 2**63, "12"])
def test_money_that_is_no_64_bit_integer_is_refused(sample: Database, value: object) -> None:
    with pytest.raises(ValueRefused, match="STORAGE13"), sample.begin() as connection:
        bulk_insert(connection, SAMPLE, ["id", "minor"], [(1, value)])


def test_text_is_ordered_byte_by_byte_on_both(sample: Database) -> None:
    names = ["a", "B", "ä", "Z", "_", "10", "9", "b"]
    with sample.begin() as connection:
        bulk_insert(connection, SAMPLE, ["id", "minor", "name"], [(number, 1, name) for number, name in enumerate(names)])
    with sample.read() as connection:
        found = connection.scalars(sa.select(SAMPLE.c.name).order_by(SAMPLE.c.name)).all()
    assert found == sorted(names, key=str.encode)


def test_a_table_of_many_columns_is_filled_within_what_a_statement_takes(database: Database) -> None:
    names = [f"c{place}" for place in range(90)]
    wide = sa.Table("wide", sa.MetaData(), *(sa.Column(name, Whole) for name in names), sqlite_strict=True)
    rows = [tuple(range(number, number + 90)) for number in range(600)]
    with database.begin() as connection:
        wide.create(connection)
        assert bulk_insert(connection, wide, names, rows) == 600
        assert [tuple(row) for row in connection.execute(wide.select().order_by(wide.c.c0))] == rows
