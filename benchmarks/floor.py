"""The floor of a cycle: the fastest parse of the same file, and a raw bulk write of exactly the rows that the product wrote.

The rows are taken from the product's own database, everything in it that its template had not: usage, suspense, batches,
documents, lines, listed prices, states, run, audit, outbox, ledger. They stand ready in driver form before the clock starts, in
the order of their primary keys, and go into the same tables with the same indexes and CHECKs, without triggers and foreign keys.
"""

from __future__ import annotations

import gc
import itertools
import pickle
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import psycopg

from benchmarks.measuring import Meter, Round
from benchmarks.workloads.offices import Workload

_PARAMETERS = 32_766
_BLOCK_BYTES = 1 << 20
_TRIGGERS = (
    "SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0"
)
_FOREIGN_KEYS = (
    "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint"
    " WHERE contype = 'f' AND conparentid = 0"
)


@attrs.frozen(kw_only=True)
class TableRows:
    """The rows of one table in driver form: flat lists of values for SQLite, binary COPY data for PostgreSQL.

    Attributes:
        table: name of the table.
        columns: its columns.
        count: number of rows.
        values: SQLite: one flat list per statement.
        copied: PostgreSQL: the data of one COPY, in blocks.
    """

    table: str
    columns: tuple[str, ...]
    count: int
    values: tuple[list[object], ...] = ()
    copied: tuple[bytes, ...] = ()


def parse(workload: Workload, file: Path) -> int:
    """Parse the file of a workload into typed columns by the fastest road, and return how many values are there."""
    import polars as pl  # noqa: PLC0415 - not needed for workloads without a file

    if workload.name == "telecom":
        types = {"duration": pl.Int32, "billed": pl.Int32}
        frame = pl.read_csv(file, schema_overrides=types).with_columns(
            pl.col("start").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
        )
        return frame.height * frame.width
    columns = {f"column_{place}": pl.Float32 if 2 < place < 99 else pl.String for place in range(1, 104)}
    days = pl.read_csv(
        file, has_header=False, schema=columns, truncate_ragged_lines=True, ignore_errors=True, missing_columns="insert"
    )
    return days.filter(pl.col("column_1") == "300").height * 96


def write_sqlite(database: Path, tables: Sequence[TableRows]) -> None:
    """Write rows with the largest statements that SQLite takes, a transaction per table, and close the database."""
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-262144", "foreign_keys=OFF"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    for table in tables:
        connection.execute("BEGIN IMMEDIATE")
        for block in table.values:
            connection.execute(_insert(table.table, table.columns, len(block) // len(table.columns)), block)
        connection.execute("COMMIT")
    connection.close()


def _insert(table: str, columns: Sequence[str], count: int) -> str:
    one = f"({', '.join('?' * len(columns))})"
    return f'INSERT INTO "{table}" ({_listed(columns)}) VALUES ' + ", ".join([one] * count)


def write_postgresql(url: str, tables: Sequence[TableRows]) -> None:
    """Write rows by binary COPY in one transaction."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in tables:
            with cursor.copy(f'COPY "{table.table}" ({_listed(table.columns)}) FROM STDIN (FORMAT BINARY)') as copy:
                for block in table.copied:
                    copy.write(block)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def blocks_of(rows: Iterator[tuple[object, ...]], width: int) -> Iterator[list[object]]:
    """Yield rows as flat lists, each as long as one statement of SQLite may have parameters."""
    size = _PARAMETERS // width
    while block := list(itertools.chain.from_iterable(itertools.islice(rows, size))):
        yield block


def new_rows_sqlite(final: Path, template: Path) -> list[TableRows]:
    """Return the rows of a database that its template has not, or has with other content."""
    connection = sqlite3.connect(final)
    connection.execute("ATTACH ? AS template", [str(template)])
    found = []
    for table, columns, keys in _tables_sqlite(connection):
        rows = connection.execute(f"{_new_sqlite(connection, table, columns)} ORDER BY {_listed(keys) or 'rowid'}")
        values = tuple(blocks_of(rows, len(columns)))
        count = sum(map(len, values)) // len(columns)
        if count:
            found.append(TableRows(table=table, columns=columns, count=count, values=values))
    connection.close()
    return found


def _tables_sqlite(connection: sqlite3.Connection) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Yield the tables with their written columns and the columns of their primary keys."""
    names = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    for (name,) in names:
        info = connection.execute(f'PRAGMA main.table_xinfo("{name}")').fetchall()
        written = tuple(row[1] for row in info if not row[6])
        keys = sorted((row[5], row[1]) for row in info if row[5])
        yield name, written, tuple(column for _, column in keys)


def _new_sqlite(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> str:
    query = f'SELECT {_listed(columns)} FROM main."{table}"'
    known = connection.execute("SELECT 1 FROM template.sqlite_master WHERE type = 'table' AND name = ?", [table]).fetchone()
    if known and connection.execute(f'SELECT 1 FROM template."{table}" LIMIT 1').fetchone():
        return f'SELECT * FROM ({query} EXCEPT SELECT {_listed(columns)} FROM template."{table}")'
    return query


def bare_sqlite(bare: Path, final: Path, template: Path) -> None:
    """Make of a copy of the template what the floor writes into: without triggers, without rows that the product replaced."""
    connection = sqlite3.connect(bare, isolation_level=None)
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{trigger}"')
    connection.close()
    connection = sqlite3.connect(final)
    connection.execute("ATTACH ? AS template", [str(template)])
    connection.execute("ATTACH ? AS bare", [str(bare)])
    for table, columns, keys in _tables_sqlite(connection):
        if keys and (query := _new_sqlite(connection, table, columns)).endswith(")"):
            rows = f"SELECT {_listed(keys)} FROM ({query})"
            connection.execute(f'DELETE FROM bare."{table}" WHERE ({_listed(keys)}) IN ({rows})')
    connection.commit()
    connection.close()


def bare_postgresql(url: str) -> None:
    """Drop the triggers and foreign keys of a copy of the template."""
    with psycopg.connect(url, autocommit=True) as connection:
        for query in (_TRIGGERS, _FOREIGN_KEYS):
            for (statement,) in connection.execute(query).fetchall():
                connection.execute(statement.encode())


def new_rows_postgresql(final: str, bare: str, since: int) -> list[TableRows]:
    """Return the rows that transactions from `since` on have left, and remove from `bare` those that they replaced."""
    found = []
    with psycopg.connect(final) as source, psycopg.connect(bare) as target:
        for table, columns, keys in _tables_postgresql(source):
            # The width of a transaction id is no matter here: a benchmark's server is minutes old.
            new = f'SELECT {_listed(columns)} FROM "{table}" WHERE xmin::text::bigint >= {since}'
            order = f" ORDER BY {_listed(keys)}" if keys else ""
            with source.cursor() as cursor, cursor.copy(f"COPY ({new}{order}) TO STDOUT (FORMAT BINARY)".encode()) as copy:
                content = b"".join(bytes(block) for block in copy)
            row = source.execute(f"SELECT count(*) FROM ({new}) AS new".encode()).fetchone()
            count = int(row[0]) if row else 0
            if not count:
                continue
            rows = TableRows(table=table, columns=columns, count=count, copied=tuple(_cut(content)))
            found.append(rows)
            if keys and target.execute(f'SELECT 1 FROM "{table}" LIMIT 1'.encode()).fetchone():
                _drop_replaced(target, rows, keys)
    return found


def _cut(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _BLOCK_BYTES):
        yield content[start : start + _BLOCK_BYTES]


def _tables_postgresql(connection: psycopg.Connection[tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    names = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = 'public'::regnamespace ORDER BY relname"
    ).fetchall()
    for (name,) in names:
        written = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = '' ORDER BY attnum",
            [f'"{name}"'],
        ).fetchall()
        keys = connection.execute(
            "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)"
            " WHERE indrelid = %s::regclass AND indisprimary ORDER BY array_position(indkey::int[], attnum::int)",
            [f'"{name}"'],
        ).fetchall()
        yield name, tuple(row[0] for row in written), tuple(row[0] for row in keys)


def _drop_replaced(target: psycopg.Connection[tuple[str, ...]], rows: TableRows, keys: Sequence[str]) -> None:
    target.execute(f'CREATE TEMPORARY TABLE replaced (LIKE "{rows.table}") ON COMMIT DROP'.encode())
    with target.cursor() as cursor, cursor.copy(f"COPY replaced ({_listed(rows.columns)}) FROM STDIN (FORMAT BINARY)") as copy:
        for block in rows.copied:
            copy.write(block)
    target.execute(f'DELETE FROM "{rows.table}" WHERE ({_listed(keys)}) IN (SELECT {_listed(keys)} FROM replaced)'.encode())
    target.commit()


def capture(final: str, template: str, bare: str, *, since: int, rows: Path) -> None:
    """Keep the rows of a round in `rows`, and make the database `bare` that the floor writes copies of into.

    Args:
        final: URL of the database that the product has written.
        template: URL of the database that it started from.
        bare: URL of a fresh copy of the template.
        since: PostgreSQL: first transaction of the product.
        rows: file for the rows.
    """
    if final.startswith("sqlite"):
        bare_sqlite(_path(bare), _path(final), _path(template))
        tables = new_rows_sqlite(_path(final), _path(template))
    else:
        bare_postgresql(bare)
        tables = new_rows_postgresql(final, bare, since)
    with rows.open("wb") as file:
        pickle.dump(tables, file, protocol=pickle.HIGHEST_PROTOCOL)


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def floor_round(workload: Workload, files: Sequence[Path], url: str, rows: Path, server: int) -> Round:
    """Run the floor once: parse the files, write the rows; they are in memory before the clock starts.

    Args:
        workload: the workload.
        files: its usage files.
        url: a fresh copy of the bare database.
        rows: what `capture` kept.
        server: process id of the database server, 0 for SQLite.
    """
    tables = pickle.loads(rows.read_bytes())  # noqa: S301 - written by this benchmark
    gc.freeze()
    meter = Meter(server=server)
    if files:
        import polars as pl  # noqa: F401, PLC0415 - the import is no part of the parse

    for file in files:
        with meter.step("parse"):
            parse(workload, file)
    with meter.step("write"):
        write(url, tables)
    return meter.done(rows={table.table: table.count for table in tables})


def write(url: str, tables: Sequence[TableRows]) -> None:
    """Write rows by the fastest road of the database."""
    if url.startswith("sqlite"):
        write_sqlite(_path(url), tables)
    else:
        write_postgresql(url, tables)
