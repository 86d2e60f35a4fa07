"""Columns into tables: the fast road of `bulk` for rows that never were objects.

Rows are made as bytes by columns: for SQLite as the image of a database in memory, from which one statement copies them; for
PostgreSQL as binary COPY. What is the same for all rows stands once, in the statement or beside the columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import attrs
import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage import copy_binary, sqlite_image
from billing_framework.storage.engine_errors import driver_errors_translated
from billing_framework.storage.guard import Guard

_ROWS_AT_ONCE = 50_000
_BULK_CACHE_KIBIBYTES = 160 * 1024

Literal = str | int | bool | bytes | date | None


@attrs.frozen(kw_only=True, eq=False)
class PreparedRows:
    """Rows of one table, ready for the driver, so that another thread may have made them.

    Attributes:
        statement: the statement that inserts them, empty where there are none.
        blocks: the rows, in blocks: PostgreSQL: the data of one COPY; SQLite: images, from each of which the statement copies.
        one_by_one: SQLite: inserts a row of values, for blocks that are lists of them because no image could be made.
    """

    statement: str = ""
    blocks: Iterable[bytes | list[tuple[Any, ...]]] = ()
    one_by_one: str = ""

    def made(self) -> PreparedRows:
        """Return the same rows, made now and held in memory, not when they are inserted."""
        return attrs.evolve(self, blocks=list(self.blocks))


def insert_columns(connection: Connection, table: str, frame: pl.DataFrame, constants: Mapping[str, Literal]) -> None:
    """Insert rows within the transaction of `connection`; arguments as those of `prepared_rows`."""
    insert_prepared(connection, prepared_rows(connection.dialect.name, table, frame, constants))


def insert_prepared(connection: Connection, rows: PreparedRows) -> None:
    """Insert rows within the transaction of `connection`."""
    if not rows.statement:
        return
    with driver_errors_translated():
        cursor: Any = connection.connection.cursor()
        if connection.dialect.name == "sqlite":
            _insert_images(cursor, rows)
        else:
            with cursor.copy(rows.statement) as copy:
                for block in rows.blocks:
                    copy.write(block)
        cursor.close()


def _insert_images(cursor: Any, rows: PreparedRows) -> None:
    if not any(name == sqlite_image.SCHEMA for _, name, _ in cursor.execute("PRAGMA database_list").fetchall()):
        cursor.execute(f"ATTACH ':memory:' AS {sqlite_image.SCHEMA}")  # stays with the connection, as does the last image
    for block in rows.blocks:
        if isinstance(block, bytes):
            cursor.connection.deserialize(block, name=sqlite_image.SCHEMA)
            cursor.execute(rows.statement)
        else:
            cursor.executemany(rows.one_by_one, block)


def prepared_rows(dialect: str, table: str, frame: pl.DataFrame, constants: Mapping[str, Literal]) -> PreparedRows:
    """Return rows ready to be inserted, each block made when it is.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        table: name of the table.
        frame: 64-bit whole numbers, text without control characters, bytes, arrays of bytes of one length, flags, dates.
        constants: columns that are the same in all rows.
    """
    if not frame.height:
        return PreparedRows()
    _, *others = frame.columns  # one stays, so that there are rows
    shared: dict[str, Literal] = {name: frame[name][0] for name in others if _is_same(frame[name])}
    varying, same = frame.drop(shared), {**constants, **shared}
    names = ", ".join(_quoted(name) for name in (*varying.columns, *same))
    parts = (varying[start : start + _ROWS_AT_ONCE] for start in range(0, frame.height, _ROWS_AT_ONCE))
    if dialect != "sqlite":
        blocks = (copy_binary.copied_rows(part.get_columns(), list(same.values())) for part in parts)
        return PreparedRows(statement=f"COPY {_quoted(table)} ({names}) FROM STDIN (FORMAT binary)", blocks=_enclosed(blocks))
    literals, places = list(map(_literal, same.values())), range(varying.width)
    head = f"INSERT INTO {_quoted(table)} ({names})"
    source = f"{sqlite_image.SCHEMA}.{sqlite_image.TABLE}"
    return PreparedRows(
        statement=f"{head} SELECT {', '.join([*(f'c{place}' for place in places), *literals])} FROM {source}",
        blocks=(sqlite_image.image_of(form.get_columns()) or _values(form) for form in map(_sqlite_form, parts)),
        one_by_one=f"{head} VALUES ({', '.join([*('?' for _ in places), *literals])})",
    )


def _is_same(values: pl.Series) -> bool:
    """Return whether a column holds one value throughout."""
    first = values[0]
    if first is None or values.dtype == pl.Binary or isinstance(values.dtype, pl.Array):
        return False
    if isinstance(first, str) and "\0" in first:  # which the text of a statement cannot say
        return False
    return bool(first == values[-1]) and bool((values == first).all())


def _sqlite_form(frame: pl.DataFrame) -> pl.DataFrame:
    flags = [pl.col(name).cast(pl.Int64) for name, kind in frame.schema.items() if kind == pl.Boolean]
    days = [pl.col(name).dt.to_string("%Y-%m-%d") for name, kind in frame.schema.items() if kind == pl.Date]
    return frame.with_columns(*flags, *days) if flags or days else frame


def _values(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    arrays = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Array)]
    lists = {name: [bytes(row) for row in frame[name].to_numpy()] for name in arrays}
    return frame.with_columns(pl.Series(name, some, dtype=pl.Binary) for name, some in lists.items()).rows()


def _enclosed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    yield copy_binary.HEAD
    yield from blocks
    yield copy_binary.END


def _literal(value: Literal) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    return str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


@contextmanager
def bulk_writing(connection: Connection, guards: Sequence[Guard]) -> Iterator[None]:
    """Let a write transaction insert many rows at the speed of the database; nobody else notices.

    A trigger before each row makes SQLite keep all rows of a statement aside first, which doubles its time. The triggers that
    refuse to replace a row are only against other programs, and none of them can write before this transaction ends: it is the
    only writer, what it drops comes back with its commit or its rollback, and it inserts without REPLACE.

    Args:
        connection: a connection with an open write transaction.
        guards: guards of the tables; those against replacing are out of force within the block.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    names = [guard.name for guard in guards if guard.event == "INSERT"]
    query = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN :names")
    found = connection.execute(query.bindparams(sa.bindparam("names", names, expanding=True))).all()
    kept = connection.exec_driver_sql("PRAGMA cache_size").scalar()
    connection.exec_driver_sql(f"PRAGMA cache_size=-{_BULK_CACHE_KIBIBYTES}")
    for row in found:
        connection.exec_driver_sql(f"DROP TRIGGER {_quoted(row.name)}")
    try:
        yield
        for row in found:
            connection.exec_driver_sql(row.sql)
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size={kept}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
