"""Whether the floor writes as fast as the database can: one plain table, written by every bulk road that drivers offer.

The floor must come within a tenth of the fastest of them; otherwise ratios to it would flatter the product.
"""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable

import attrs
import numpy as np
import psycopg

from benchmarks.floor import TableRows, blocks_of, write
from benchmarks.measuring import keep, median
from benchmarks.stores import Stores

COLUMNS = ("id", "account", "ts", "service", "quantity", "source", "ext_id")
_SQLITE_TYPES = ("INTEGER", *["INT"] * 4, "TEXT", "TEXT")
_POSTGRESQL_TYPES = (*["bigint"] * 5, "text", "text")
_LISTED = ", ".join(COLUMNS)
Row = tuple[int, int, int, int, int, str, str]


@attrs.frozen(kw_only=True)
class Road:
    """One way to write the rows, and the seconds of its rounds."""

    name: str
    write: Callable[[], None]
    seconds: list[float] = attrs.field(factory=list)


def calibrate(stores: Stores, *, size: int = 300_000, rounds: int = 3) -> float:
    """Print rows per second of each road in alternating rounds, and return the floor's rate as a part of the fastest."""
    data = _rows(size)
    roads = _sqlite_roads(stores, data) if stores.dialect == "sqlite" else _postgresql_roads(stores, data)
    for _ in range(rounds):
        for road in roads:
            _empty(stores)
            begun = time.perf_counter()
            road.write()
            road.seconds.append(time.perf_counter() - begun)
    rates = {road.name: size / median(road.seconds) for road in roads}
    part = rates["floor"] / max(rates.values())
    print(f"calibration on {stores.dialect}, rows/s: " + ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items()))
    print(f"  the floor reaches {part:.0%} of the fastest road, at least 90 % are needed", flush=True)
    stores.remove("calibration")
    keep(f"calibration_{stores.dialect}", {"database": stores.dialect, "rows_per_second": rates, "floor": part})
    return part


def _rows(size: int) -> list[Row]:
    random = np.random.default_rng(1)
    accounts, seconds, quantities = (random.integers(0, top, size=size).tolist() for top in (50_000, 2_592_000, 10_000))
    return [
        (number, accounts[number], 1_788_220_800 + seconds[number], number % 3, quantities[number], "switch-1", f"C{number:014d}")
        for number in range(size)
    ]


def _empty(stores: Stores) -> None:
    url = stores.fresh("calibration")
    if stores.server is None:
        connection = sqlite3.connect(stores.file("calibration"))
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.execute(_create(_SQLITE_TYPES))
        connection.close()
    else:
        with psycopg.connect(url, autocommit=True) as connection_:
            connection_.execute(_create(_POSTGRESQL_TYPES).encode())
            connection_.execute("CHECKPOINT")


def _create(types: tuple[str, ...]) -> str:
    return f"CREATE TABLE plain (id {types[0]} PRIMARY KEY, {', '.join(map(' '.join, zip(COLUMNS[1:], types[1:], strict=True)))})"


def _sqlite_roads(stores: Stores, data: list[Row]) -> list[Road]:
    url, path, width = stores.url("calibration"), stores.file("calibration"), len(COLUMNS)
    ready = [TableRows(table="plain", columns=COLUMNS, count=len(data), values=tuple(blocks_of(iter(data), width)))]

    def executemany() -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA synchronous=NORMAL").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"INSERT INTO plain VALUES ({', '.join('?' * width)})", data)
        connection.execute("COMMIT")
        connection.close()

    def values(rows: int) -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA synchronous=NORMAL").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        statement = "INSERT INTO plain VALUES " + ", ".join([f"({', '.join('?' * width)})"] * rows)
        for start in range(0, len(data) // rows * rows, rows):
            connection.execute(statement, list(itertools.chain.from_iterable(data[start : start + rows])))
        connection.execute("COMMIT")
        connection.close()

    return [
        Road(name="floor", write=lambda: write(url, ready)),
        Road(name="executemany", write=executemany),
        Road(name="1,000 rows a statement", write=lambda: values(1_000)),
    ]


def _postgresql_roads(stores: Stores, data: list[Row]) -> list[Road]:
    url = stores.url("calibration")
    binary, text = _copied(stores, data)
    ready = [TableRows(table="plain", columns=COLUMNS, count=len(data), copied=binary)]

    def copy_text() -> None:
        with psycopg.connect(url) as connection, connection.cursor() as cursor, cursor.copy("COPY plain FROM STDIN") as copy:
            for block in text:
                copy.write(block)

    def copy_rows() -> None:
        with psycopg.connect(url) as connection, connection.cursor() as cursor, cursor.copy("COPY plain FROM STDIN") as copy:
            for row in data:
                copy.write_row(row)

    return [
        Road(name="floor", write=lambda: write(url, ready)),
        Road(name="COPY text, ready", write=copy_text),
        Road(name="COPY row by row", write=copy_rows),
    ]


def _copied(stores: Stores, data: list[Row]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the rows as the data of a binary and of a text COPY."""
    _empty(stores)
    with psycopg.connect(stores.url("calibration")) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY plain ({_LISTED}) FROM STDIN") as copy:
            for row in data:
                copy.write_row(row)
        with cursor.copy("COPY plain TO STDOUT (FORMAT BINARY)") as out:
            binary = b"".join(bytes(block) for block in out)
        with cursor.copy("COPY plain TO STDOUT") as out:
            text = b"".join(bytes(block) for block in out)
    size = 1 << 20
    first, second = (tuple(content[start : start + size] for start in range(0, len(content), size)) for content in (binary, text))
    return first, second
