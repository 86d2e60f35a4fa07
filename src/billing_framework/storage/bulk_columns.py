"""Columns into tables: the fast road of `bulk` for rows that never were objects.

SQLite takes one INSERT with thousands of VALUES rows, in which what is the same for all rows stands as a literal and costs no
parameter. PostgreSQL takes COPY of text that the columns were written to as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.engine_errors import driver_errors_translated
from billing_framework.storage.guard import Guard

_SQLITE_PARAMETERS = 32_766
_LARGEST_BLOCK_ROWS = 4_096
_COPY_ROWS = 50_000
_NULL = "\x1f"
_BULK_CACHE_KIBIBYTES = 160 * 1024

Literal = str | int | bytes | None


@attrs.frozen(kw_only=True, eq=False)
class PreparedRows:
    """Rows of one table, ready for the driver, so that another thread may have made them.

    Attributes:
        statements: SQLite: statements with their values, one after the other.
        copy: PostgreSQL: the statement of one COPY.
        data: the text of it, in blocks.
    """

    statements: Iterable[tuple[str, list[Any]]] = ()
    copy: str = ""
    data: Iterable[bytes] = ()

    def made(self) -> PreparedRows:
        """Return the same rows, made now and held in memory, not when they are inserted."""
        return attrs.evolve(self, statements=list(self.statements), data=list(self.data))


def insert_columns(connection: Connection, table: str, frame: pl.DataFrame, constants: Mapping[str, Literal]) -> None:
    """Insert rows within the transaction of `connection`; arguments as those of `prepared_rows`."""
    insert_prepared(connection, prepared_rows(connection.dialect.name, table, frame, constants))


def insert_prepared(connection: Connection, rows: PreparedRows) -> None:
    """Insert rows within the transaction of `connection`."""
    with driver_errors_translated():
        cursor: Any = connection.connection.cursor()
        for statement, values in rows.statements:
            cursor.execute(statement, values)
        if rows.copy:
            with cursor.copy(rows.copy) as copy:
                for block in rows.data:
                    copy.write(block)
        cursor.close()


def prepared_rows(dialect: str, table: str, frame: pl.DataFrame, constants: Mapping[str, Literal]) -> PreparedRows:
    """Return rows ready to be inserted, each part made when it is.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        table: name of the table.
        frame: columns in the form of the driver: 64-bit integers, text without control characters, bytes, flags, dates.
        constants: columns that are the same in all rows.
    """
    if not frame.height:
        return PreparedRows()
    if dialect != "sqlite":
        return _copied(table, frame, constants)
    ready = _sqlite_form(frame)
    shared: dict[str, Literal] = {name: ready[name][0] for name in ready.columns[1:] if _is_same(ready[name])}
    return PreparedRows(statements=_statements(table, ready.drop(shared), {**constants, **shared}))


def _is_same(values: pl.Series) -> bool:
    """Return whether a column holds one value throughout."""
    first = values[0]
    return first is not None and first == values[-1] and values.dtype != pl.Binary and bool((values == first).all())


def _sqlite_form(frame: pl.DataFrame) -> pl.DataFrame:
    flags = [pl.col(name).cast(pl.Int64) for name, kind in frame.schema.items() if kind == pl.Boolean]
    days = [pl.col(name).dt.to_string("%Y-%m-%d") for name, kind in frame.schema.items() if kind == pl.Date]
    return frame.with_columns(*flags, *days) if flags or days else frame


def _statements(table: str, frame: pl.DataFrame, constants: Mapping[str, Literal]) -> Iterator[tuple[str, list[Any]]]:
    width = frame.width
    size = min(_LARGEST_BLOCK_ROWS, _SQLITE_PARAMETERS // width)
    names = ", ".join(_quoted(name) for name in (*frame.columns, *constants))
    one = f"({', '.join([*('?' * width), *map(_literal, constants.values())])})"
    head = f"INSERT INTO {_quoted(table)} ({names}) VALUES "
    full = head + ",".join([one] * size)
    for start in range(0, frame.height, size):
        part = frame[start : start + size]
        values: list[Any] = [None] * (part.height * width)
        for place, column in enumerate(part.get_columns()):
            values[place::width] = column.to_list()
        yield full if part.height == size else head + ",".join([one] * part.height), values


def _literal(value: Literal) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    return str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _copied(table: str, frame: pl.DataFrame, constants: Mapping[str, Literal]) -> PreparedRows:
    names = ", ".join(_quoted(name) for name in (*frame.columns, *constants))
    added = [pl.lit(value).alias(name) for name, value in constants.items()]
    hexed = [
        pl.concat_str(pl.lit("\\x"), pl.col(name).bin.encode("hex")).alias(name)
        for name, kind in frame.schema.items()
        if kind == pl.Binary
    ]
    blocks = (
        frame[start : start + _COPY_ROWS].with_columns(*hexed, *added).write_csv(include_header=False, null_value=_NULL).encode()
        for start in range(0, frame.height, _COPY_ROWS)
    )
    return PreparedRows(copy=f"COPY {_quoted(table)} ({names}) FROM STDIN (FORMAT csv, NULL '{_NULL}')", data=blocks)


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
