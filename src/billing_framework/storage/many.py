"""Queries over many keys at once: a few statements for a batch, never one per row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import Key as KeyText

Key = TypeVar("Key", int, str)

_KEYS_PER_STATEMENT = 5_000  # SQLite takes 32,766 parameters; smaller statements are planned sooner


def chunks(keys: Iterable[Key]) -> Iterator[list[Key]]:
    """Yield the distinct keys in order, as many at a time as one statement takes."""
    ordered = sorted(set(keys))
    for start in range(0, len(ordered), _KEYS_PER_STATEMENT):
        yield ordered[start : start + _KEYS_PER_STATEMENT]


def rows_of(connection: Connection, keys: Iterable[Key], query: Callable[[Any], sa.Select[Any]]) -> Iterator[sa.Row[Any]]:
    """Yield the rows that `query` selects for `keys`, chunk by chunk.

    Args:
        connection: a connection with an open transaction.
        keys: the keys; none gives no rows and no statement.
        query: builds the statement for some of the keys, which are given as what a column may be ``in_``.
    """
    for some in chunks(keys):
        yield from connection.execute(query(_listed(some))).all()  # fetched at once, which is faster than row by row


def one_of(connection: Connection, column: sa.Column[Any], keys: Iterable[int]) -> sa.ColumnElement[bool]:
    """Return the condition that a column is one of some keys, which travel as one parameter however many they are.

    Args:
        connection: a connection with an open transaction.
        column: the column.
        keys: the keys, as many as the statement is to be about.
    """
    listed = sorted(set(keys))
    if connection.dialect.name == "sqlite":
        return column.in_(sa.select(sa.func.json_each(json.dumps(listed)).table_valued("value").c.value))
    return column == sa.any_(sa.literal(listed, sa.ARRAY(sa.BigInteger)))


def delete_of(connection: Connection, keys: Iterable[Key], statement: Callable[[Any], sa.Delete]) -> None:
    """Delete the rows that `statement` names for `keys`, chunk by chunk."""
    for some in chunks(keys):
        connection.execute(statement(_listed(some)))


def _listed(keys: list[Any]) -> sa.BindParameter[Any]:
    """Return keys as one parameter; a list would be looked through for expressions, key by key."""
    kind = sa.BigInteger() if isinstance(keys[0], int) else KeyText()
    return sa.bindparam(None, keys, kind, expanding=True, unique=True)
