"""The column types of the whole project: exact on both databases, and accepted by SQLite's STRICT tables.

SQLAlchemy's own Numeric, DateTime, Boolean and Date are not used: on SQLite they are a float, local text or type names that
STRICT tables refuse.
"""

# ruff: noqa: ARG002, D102, FBT001 - names, types and positions of the methods are SQLAlchemy's

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteTypeCompiler
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine

from billing_framework.values.errors import UNREADABLE, ValueRefused, unreadable
from billing_framework.values.identity import natural_id
from billing_framework.values.instant import instant_at, microseconds_of
from billing_framework.values.number import exact, exact_text, stored_number
from billing_framework.values.plain_form import canonical_json

__all__ = [
    "CanonicalText",
    "CurrencyCode",
    "Day",
    "Digest",
    "ExactText",
    "Flag",
    "Instant",
    "JsonText",
    "Key",
    "MinorUnits",
    "Scattered",
    "Whole",
    "canonical_json",
    "day_of",
    "microseconds",
    "natural_id",
    "read_stored",
]

Parsed = TypeVar("Parsed")

_INT64 = range(-(2**63), 2**63)


class Whole(TypeDecorator[int]):
    """A 64-bit whole number: ids, sequences, scaled integers. Anything else than an int is refused, also a bool or float."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sqlite.INTEGER() if dialect.name == "sqlite" else sa.BigInteger())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        if value is None or (type(value) is int and value in _INT64):
            return value
        raise ValueRefused("STORAGE13", f"{value!r} is not a 64-bit whole number", remedy="Split the amount, or correct the row")


class Scattered(Whole):
    """A whole number that is a hash, as the key of a table to which rows are added by the thousand.

    Where such a key is an ``INTEGER PRIMARY KEY``, SQLite keeps the rows in the order of their hashes, and each lands on another
    page. An ``INT PRIMARY KEY`` is an index beside rows that stand in the order in which they came: what is drafted together is
    posted together. Such a row has a number beside its key, which is guarded as well: see `row_numbers`.
    """

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_Int() if dialect.name == "sqlite" else sa.BigInteger())


class _Int(sqlite.INTEGER):
    """``INTEGER`` under a name that SQLite does not take as the place of the row."""


@compiles(_Int, "sqlite")
def _int(_type: _Int, _compiler: SQLiteTypeCompiler, **_options: Any) -> str:
    return "INT"


class MinorUnits(Whole):
    """Money as whole minor units; the currency stands in a column beside it. A debit is positive."""

    cache_ok = True


class ExactText(TypeDecorator[Fraction]):
    """An exact number of open range as its canonical text (``12.5``, ``100/3``); never to be summed in SQL."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Fraction | None, dialect: Dialect) -> str | None:
        return None if value is None else exact_text(exact(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Fraction | None:
        return None if value is None else read_stored(stored_number, value, "exact number")


class Instant(TypeDecorator[dt.datetime]):
    """An aware UTC instant as whole microseconds since 1970-01-01T00:00Z, so that both databases sort and compare it alike."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sqlite.INTEGER() if dialect.name == "sqlite" else sa.BigInteger())

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> dt.datetime | None:
        try:
            return None if value is None else instant_at(value)
        except OverflowError as error:
            raise unreadable("instant") from error


def microseconds(instant: dt.datetime) -> int:
    """Return the whole microseconds since 1970 of an aware instant.

    Raises:
        ValueRefused: ``STORAGE14`` for an instant without a zone.
    """
    if instant.utcoffset() is None:
        raise ValueRefused("STORAGE14", f"the instant {instant.isoformat()} has no zone", remedy="Use aware instants in UTC")
    return microseconds_of(instant)


class Key(TypeDecorator[str]):
    """Text compared byte by byte, so that both databases order it alike and equal means equal."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.Text(collation="C"))


class CurrencyCode(TypeDecorator[str]):
    """An ISO 4217 code of three letters."""

    impl = sa.CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.CHAR(3, collation="C"))


class Digest(TypeDecorator[bytes]):
    """A SHA-256 digest: 32 bytes."""

    impl = sa.LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sqlite.BLOB() if dialect.name == "sqlite" else postgresql.BYTEA())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes(value)


class Sealed(TypeDecorator[bytes]):
    """What is encrypted: bytes of any length."""

    impl = sa.LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sqlite.BLOB() if dialect.name == "sqlite" else postgresql.BYTEA())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes(value)


class Flag(TypeDecorator[bool]):
    """True or false; 1 or 0 on SQLite."""

    impl = sa.Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sqlite.INTEGER() if dialect.name == "sqlite" else sa.Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name != "sqlite" else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class Day(TypeDecorator[dt.date]):
    """A calendar date; ISO text on SQLite, where its order is the order of the days."""

    impl = sa.Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.Date())

    def process_bind_param(self, value: dt.date | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name != "sqlite" else value.isoformat()

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.date | None:
        return day_of(value) if isinstance(value, str) else value


@functools.lru_cache(maxsize=4096)
def day_of(stored: str | dt.date) -> dt.date:
    """Return a stored date as the driver gives it: as ISO text on SQLite, as a date on PostgreSQL.

    Raises:
        StorageError: ``STORAGE21`` for a text that is no date.
    """
    return stored if isinstance(stored, dt.date) else read_stored(dt.date.fromisoformat, stored, "date")


class CanonicalText(str):
    """JSON text that `canonical_json` has written; stored as it is."""

    __slots__ = ()


class JsonText(TypeDecorator[Any]):
    """Plain data as canonical JSON text: keys sorted, no blanks, the same bytes on both databases."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if type(value) is CanonicalText:
            return str(value)
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else read_stored(json.loads, value, "JSON text")


def read_stored(parse: Callable[[str], Parsed], text: str, what: str) -> Parsed:
    """Return what a stored text says; one that is no longer what was stored there is told, and never quoted.

    Args:
        parse: reads the text; a `ValueError` or a `BillingError` where it cannot.
        text: the text.
        what: what was stored there.

    Raises:
        StorageError: ``STORAGE21`` where it cannot be read.
    """
    try:
        return parse(text)
    except UNREADABLE as error:
        raise unreadable(what) from error
