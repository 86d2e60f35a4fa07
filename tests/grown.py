"""An office that many tests begin with is grown once in a test process on each database; the others begin with a copy of it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

import attrs
import psycopg
import sqlalchemy as sa

from billing_framework.storage.audit import audit_event
from billing_framework.storage.engine import Database, sqlite_path
from tests.postgres_server import cloned

_numbers = itertools.count(1)


Grow = TypeVar("Grow", bound=Callable[..., Any])


def grown_once(grow: Grow) -> Grow:
    """Let a function that fills an empty database do so once for each kind of database and arguments; then copy what it left.

    Only what stands in the database and in the office is copied: a function that leaves more is no such function. Its office has
    a deployment, and says what it is on another database (``moved``).
    """
    known: dict[Hashable, tuple[Any, Callable[[Database], None]]] = {}

    @functools.wraps(grow)
    def copied(database: Database, *args: Any, **options: Any) -> Any:
        key = (database.dialect, args, tuple(options.items()))
        if not _is_hashable(key) or database.vault is not None or not _is_empty(database):
            return grow(database, *args, **options)
        if key in known:
            office, restore = known[key]
            restore(database)
            return office.moved(attrs.evolve(database, vault=office.deployment.database.vault))
        office = grow(database, *args, **options)
        known[key] = office.moved(office.deployment.database), _kept(database)
        return office

    return cast("Grow", copied)


def _is_hashable(key: object) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _is_empty(database: Database) -> bool:
    with database.read() as connection:
        return connection.execute(sa.select(audit_event.c.id).limit(1)).first() is None


def _kept(database: Database) -> Callable[[Database], None]:
    """Keep what a database holds; return what puts it into another one."""
    database.close()
    if database.dialect == "sqlite":
        content = sqlite_path(database).read_bytes()
        return lambda other: _write(other, content)
    name = f"grown_{next(_numbers)}"
    with _administrator(database) as admin:
        admin.execute(f'CREATE DATABASE "{name}"{cloned(admin, database.engine.url.database or "")}')
    return lambda other: _replace(other, name)


def _write(database: Database, content: bytes) -> None:
    database.close()
    sqlite_path(database).write_bytes(content)


def _replace(database: Database, template: str) -> None:
    database.close()
    name = database.engine.url.database
    with _administrator(database) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        admin.execute(f'CREATE DATABASE "{name}"{cloned(admin, template)}')


def _administrator(database: Database) -> psycopg.Connection[tuple[object, ...]]:
    url = database.engine.url.set(drivername="postgresql", database="postgres")
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
