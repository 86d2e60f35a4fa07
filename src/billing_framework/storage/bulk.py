"""Rows in and out in bulk, by the fastest road of each database that keeps every digit.

SQLite takes one INSERT with thousands of VALUES rows through the standard library's driver; PostgreSQL takes COPY. Both run on
the driver connection of the caller's SQLAlchemy transaction, so that bulk and single rows commit or roll back together.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from types import NoneType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import CanonicalText, Day, ExactText, JsonText, Whole
from billing_framework.storage.engine_errors import driver_errors_translated
from billing_framework.values.number import exact_text

_SQLITE_BLOCKS = (512, 64, 8, 1)
"""Rows per statement: few sizes, so that SQLite compiles few statements, and again and again the same ones."""
_SQLITE_PARAMETERS = 32_766
_COPY_BLOCK_ROWS = 20_000
_CONVERTED_AT_ONCE = 20_000

Row = Sequence[Any]


def bulk_insert(
    connection: Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Row], *, driver_form: bool = False
) -> int:
    """Insert `rows` into `table` within the transaction of `connection` and return how many there were.

    Args:
        connection: a connection with an open write transaction.
        table: where the rows go.
        columns: names of the columns, in the order of the values in each row; columns left out take their server default.
        rows: one sequence of values per row, as Python values of the columns' types.
        driver_form: True where the values already are what the driver stores (integers, text, bytes), which saves the
            conversion; on PostgreSQL dates may stay dates.
    """
    ready = rows if driver_form else _converted_some(connection, table, columns, rows)
    with driver_errors_translated():
        if connection.dialect.name == "sqlite":
            return _insert_values(connection, table, columns, ready)
        return _copy(connection, table, columns, ready)


def _converted_some(connection: Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Row]) -> Iterator[Row]:
    """Yield `rows` in driver form, of which there are only some at a time."""
    source = iter(rows)
    while block := list(itertools.islice(source, _CONVERTED_AT_ONCE)):
        yield from converted(connection, table, columns, block)


def converted(connection: Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Row]) -> Iterable[Row]:
    """Return `rows` in driver form, converted column by column by the types of the table."""
    processors = [_processor(table.c[name].type, connection.dialect) for name in columns]
    if not any(processors):
        return rows
    block = list(rows)
    if not block:
        return []
    by_column: list[Iterable[Any]] = [
        values if processor is None else _converted(table.c[name].type, processor, values)
        for name, values, processor in zip(columns, zip(*block, strict=True), processors, strict=True)
    ]
    return list(zip(*by_column, strict=True))


def _converted(kind: sa.types.TypeEngine[Any], processor: Callable[[Any], Any], values: Sequence[Any]) -> Iterable[Any]:
    """Return the values of a column as the driver takes them: at once where all are of one sort, the same dates once."""
    sorts = set(map(type, values))
    if isinstance(kind, Whole) and sorts == {int} and min(values) >= -(2**63) and max(values) < 2**63:
        return values
    if isinstance(kind, JsonText) and sorts == {CanonicalText}:
        return map(str, values)
    if isinstance(kind, ExactText) and sorts <= {Fraction, NoneType}:
        return [None if value is None else exact_text(value) for value in values]
    if isinstance(kind, Day):
        return map({value: processor(value) for value in set(values)}.__getitem__, values)
    return map(processor, values)


def _processor(kind: sa.types.TypeEngine[Any], dialect: sa.engine.Dialect) -> Callable[[Any], Any] | None:
    processor: Callable[[Any], Any] | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return processor


def _insert_values(connection: Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Row]) -> int:
    cursor = connection.connection.cursor()
    head = f"INSERT INTO {_quoted(table.name)} ({', '.join(map(_quoted, columns))}) VALUES "
    one = f"({', '.join('?' * len(columns))})"
    sizes = [size for size in _SQLITE_BLOCKS if size * len(columns) <= _SQLITE_PARAMETERS]
    count = 0
    source = iter(rows)
    while block := list(itertools.islice(source, sizes[0])):
        values = list(itertools.chain.from_iterable(block))
        done = 0
        for size in sizes:
            while len(block) - done >= size:
                part = values[done * len(columns) : (done + size) * len(columns)]
                cursor.execute(head + ", ".join([one] * size), part)
                done += size
        count += len(block)
    cursor.close()
    return count


def _copy(connection: Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Row]) -> int:
    cursor: Any = connection.connection.cursor()
    count = 0
    source = iter(rows)
    with cursor:
        # An empty COPY would still fire the statement triggers and cost a round trip.
        for first in source:
            with cursor.copy(f"COPY {_quoted(table.name)} ({', '.join(map(_quoted, columns))}) FROM STDIN") as copy:
                write = copy.write_row
                write(first)
                count += 1
                for row in source:
                    write(row)
                    count += 1
    return count


def bulk_read_ints(connection: Connection, query: sa.Select[Any]) -> Iterable[tuple[int, ...]]:
    """Yield the rows of a query of whole-number columns in blocks' speed, without building SQLAlchemy row objects.

    Args:
        connection: a connection with an open transaction.
        query: selects only columns that the driver returns as integers (or NULL).
    """
    compiled = query.compile(connection, compile_kwargs={"literal_binds": True})
    with driver_errors_translated():
        cursor: Any = connection.connection.cursor()
        try:
            cursor.execute(str(compiled))
            while block := cursor.fetchmany(_COPY_BLOCK_ROWS):
                yield from block
        finally:
            cursor.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
