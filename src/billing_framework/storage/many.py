"""Queries over many keys at once: a few statements for a batch, never one per row."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar, TypeVarTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from billing_framework.storage.column_types import Whole

Key = TypeVar("Key", int, str)
Columns = TypeVarTuple("Columns")

_KEYS_PER_STATEMENT = 5_000
_ROWS_AT_A_TIME = 5_000


def chunks(keys: Iterable[Key], size: int = _KEYS_PER_STATEMENT) -> Iterator[list[Key]]:
    """Yield the distinct keys in order, `size` of them at a time."""
    ordered = sorted(set(keys))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def rows_of(connection: Connection, keys: Iterable[Key], query: Callable[[Any], sa.Select[Any]]) -> Iterator[sa.Row[Any]]:
    """Yield the rows that `query` selects for `keys`, chunk by chunk.

    Args:
        connection: a connection with an open transaction.
        keys: the keys; none gives no rows and no statement.
        query: builds the statement for some of the keys, which its condition is `one_of`.
    """
    for some in chunks(keys):
        yield from connection.execute(query(some)).all()  # fetched at once, which is faster than row by row


def streamed(connection: Connection, query: sa.Select[*Columns]) -> Iterator[Sequence[sa.Row[*Columns]]]:
    """Yield the rows of a query some at a time, of which the program never holds more."""
    yield from connection.execute(query, execution_options={"yield_per": _ROWS_AT_A_TIME}).partitions()


class _Keys(sa.types.UserDefinedType[Collection[Any]]):
    """Keys as one parameter: a JSON array for SQLite, the text of an array for PostgreSQL, whose driver writes lists slowly.

    PostgreSQL must be told nothing of the parameter but that it is an array, so that it plans with it as a constant; the cast of
    a text would be done anew for each row.
    """

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Collection[Any] | None], str]:
        """Return what makes a text of keys."""
        return _json_array if dialect.name == "sqlite" else _array


def _json_array(keys: Collection[Any] | None) -> str:
    return json.dumps(list(keys or ()), ensure_ascii=False)


def _array(keys: Collection[Any] | None) -> str:
    return f"{{{','.join(map(_element, keys or ()))}}}"


def _element(key: str | int) -> str:
    """Return a key as it stands in the text of an array."""
    if isinstance(key, int):
        return str(key)
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class _OneOf(FunctionElement[bool]):
    """That a column is one of some keys."""

    inherit_cache = True
    type = sa.Boolean()

    def self_group(self, against: object = None) -> Self:  # noqa: ARG002  its name is SQLAlchemy's
        """Return the condition as it is: SQLite finds no index for one that is compared with 1."""
        return self


def one_of(column: sa.ColumnElement[Any], keys: Iterable[int] | Iterable[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a column is one of some keys, which travel as one parameter however many they are.

    Args:
        column: the column, of whole numbers or text.
        keys: the keys, as many as the statement is to be about.
    """
    return _OneOf(column, sa.bindparam(None, sorted(set(keys)), _Keys, unique=True))


@compiles(_OneOf, "sqlite")
def _in_json(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"


@compiles(_OneOf, "postgresql")
def _any_of_array(element: _OneOf, compiler: SQLCompiler, **options: Any) -> str:
    kind = "bigint" if isinstance(next(iter(element.clauses)).type, sa.BigInteger | Whole) else "text"
    column, keys = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY (CAST({keys} AS {kind}[]))"


def delete_of(connection: Connection, keys: Iterable[Key], statement: Callable[[Any], sa.Delete]) -> None:
    """Delete the rows that `statement` names for `keys`, chunk by chunk."""
    for some in chunks(keys):
        connection.execute(statement(some))
