"""Columns reach both databases digit for digit, whatever their lengths, and with every check that a single row would meet."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
import tracemalloc
from typing import Any

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa

from billing_framework.storage.bulk_columns import Literal, insert_columns, prepared_rows
from billing_framework.storage.column_types import Day, Digest, Flag, Key, Whole
from billing_framework.storage.copy_binary import copied_rows
from billing_framework.storage.engine import Database
from billing_framework.storage.sqlite_image import SCHEMA, TABLE, image_of
from billing_framework.values.errors import BillingError

_METADATA = sa.MetaData()
SAMPLE = sa.Table(
    "sample_of_columns",
    _METADATA,
    sa.Column("id", Whole, primary_key=True),
    sa.Column("count", Whole),
    sa.Column("name", Key, nullable=False),
    sa.Column("note", Key),
    sa.Column("sha", Digest, nullable=False),
    sa.Column("content", Digest),
    sa.Column("is_paid", Flag),
    sa.Column("day", Day),
    sa.Column("batch", Whole, nullable=False),
    sa.Column("source", Key, nullable=False),
    sa.Column("is_last", Flag, nullable=False),
    sa.Column("since", Day),
    sa.Column("seal", Digest, nullable=False),
    sqlite_strict=True,
)
CONSTANTS: dict[str, Literal] = {
    "batch": -(2**63), "source": "it's ü", "is_last": True, "since": dt.date(1901, 2, 3), "seal": b"\0'\xff",
}  # fmt: skip


def columns(count: int, *, longest: int = 40, seed: int = 7) -> pl.DataFrame:
    """Return some rows with everything that a column may hold."""
    chance = random.Random(seed)  # noqa: S311 - any numbers will do
    rare = [chance.random() < 0.3 for _ in range(count)]
    whole = [chance.choice([0, 1, -1, 2**63 - 1, -(2**63), chance.randrange(-(10**9), 10**9)]) for _ in range(count)]
    texts = ["".join(chance.choices("aé 漢\"',\\\n", k=chance.randrange(longest))) for _ in range(count)]
    first = dt.date(1899, 1, 1)
    return pl.DataFrame(
        {
            "id": pl.Series(range(count), dtype=pl.Int64),
            "count": pl.Series([None if one else two for one, two in zip(rare, whole, strict=True)], dtype=pl.Int64),
            "name": pl.Series(texts, dtype=pl.String),
            "note": pl.Series([text if one else None for one, text in zip(rare, texts, strict=True)], dtype=pl.String),
            "sha": np.random.default_rng(seed).integers(0, 256, size=(count, 16), dtype=np.uint8),
            "content": pl.Series([text.encode()[::-1] if text else None for text in texts], dtype=pl.Binary),
            "is_paid": pl.Series([None if one else number % 2 == 0 for number, one in enumerate(rare)], dtype=pl.Boolean),
            "day": pl.Series([None if one else first + dt.timedelta(days=n) for n, one in enumerate(rare)], dtype=pl.Date),
        }
    )


def said(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Return the rows that a frame with the constants says."""
    digests = [bytes(row) for row in frame["sha"].to_numpy()]
    return [(*row, *CONSTANTS.values()) for row in frame.with_columns(pl.Series("sha", digests, dtype=pl.Binary)).rows()]


@pytest.fixture
def sample(database: Database) -> Database:
    """A database with the table."""
    with database.begin() as connection:
        _METADATA.create_all(connection)
    return database


def stored(database: Database) -> list[tuple[Any, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(SAMPLE).order_by(SAMPLE.c.id))]


@pytest.mark.parametrize(("count", "longest"), [(1, 5), (2, 1), (777, 40), (5_000, 300), (20, 60_000)])
def test_what_the_columns_say_is_stored(sample: Database, count: int, longest: int) -> None:
    frame = columns(count, longest=longest)
    with sample.begin() as connection:
        insert_columns(connection, SAMPLE.name, frame, CONSTANTS)
    assert stored(sample) == said(frame)


def test_a_library_without_images_takes_row_by_row(sample: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing_framework.storage.sqlite_image._TAKES_IMAGES", False)
    frame = columns(300)
    with sample.begin() as connection:
        insert_columns(connection, SAMPLE.name, frame, CONSTANTS)
    assert stored(sample) == said(frame)


def test_columns_of_one_value_are_written_once(sample: Database) -> None:
    frame = columns(50).with_columns(name=pl.lit("one"), count=pl.lit(5, dtype=pl.Int64), is_paid=pl.lit(value=False))
    with sample.begin() as connection:
        insert_columns(connection, SAMPLE.name, frame, CONSTANTS)
    assert stored(sample) == said(frame)
    assert "'one'" in prepared_rows("sqlite", SAMPLE.name, frame, CONSTANTS).statement


def test_several_blocks_and_no_rows(sample: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing_framework.storage.bulk_columns._ROWS_AT_ONCE", 100)
    frame = columns(250)
    with sample.begin() as connection:
        insert_columns(connection, SAMPLE.name, frame, CONSTANTS)
        insert_columns(connection, SAMPLE.name, frame.clear(), CONSTANTS)
    assert stored(sample) == said(frame)


def test_the_table_still_refuses_and_the_transaction_rolls_back(sample: Database) -> None:
    frame = columns(30)
    twice = pl.concat([frame, frame[:1]])
    nothing = frame.with_columns(name=pl.when(pl.col("id") == 7).then(None).otherwise(pl.col("name")))
    for wrong in (twice, nothing):
        with pytest.raises(BillingError), sample.begin() as connection:
            insert_columns(connection, SAMPLE.name, wrong, CONSTANTS)
        assert stored(sample) == []
    with sample.begin() as connection:  # the same connection may well serve again
        insert_columns(connection, SAMPLE.name, frame, CONSTANTS)
    assert stored(sample) == said(frame)


def test_sqlite_checks_the_type_of_each_value(sqlite_database: Database) -> None:
    with sqlite_database.begin() as connection:
        _METADATA.create_all(connection)
    frame = columns(30).with_columns(count=pl.lit("many") + pl.col("id").cast(pl.String))
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"), sqlite_database.begin() as connection:
        insert_columns(connection, SAMPLE.name, frame, CONSTANTS)


@pytest.mark.parametrize("count", [1, 3, 1_500, 60_000])
def test_an_image_is_a_sound_database(sqlite_database: Database, count: int) -> None:
    numbers = pl.Series(range(count), dtype=pl.Int64)
    image = image_of([numbers, numbers.cast(pl.String), pl.Series(["x" * 70] * count)])
    with sqlite_database.read() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute(f"ATTACH ':memory:' AS {SCHEMA}")
        driver.deserialize(image, name=SCHEMA)
        assert driver.execute(f"PRAGMA {SCHEMA}.integrity_check").fetchall() == [("ok",)]
        assert driver.execute(f"SELECT count(*), sum(c0), sum(c1) FROM {SCHEMA}.{TABLE}").fetchone() == (
            (count, sum(range(count)), sum(range(count)))
        )


def test_one_long_value_does_not_widen_thousands_of_rows() -> None:
    frame = pl.DataFrame({"id": range(2_000), "packed": [b"l" * 500_000, *[b"s"] * 1_999]})
    tracemalloc.start()
    written = copied_rows(frame.get_columns(), [])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert b"l" * 500_000 in written
    assert most < 150_000_000
