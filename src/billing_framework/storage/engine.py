"""Opens a database: one door for SQLite and PostgreSQL, with the settings that the guards rely on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import attrs
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext

from billing_framework.storage.engine_errors import driver_errors_translated, translated
from billing_framework.storage.personal.vault import VAULT_OPTION, Vault
from billing_framework.values.errors import StorageError

Dialect = Literal["sqlite", "postgresql"]

_OLDEST_SQLITE: tuple[int, ...] = (3, 37, 0)
_OLDEST_POSTGRESQL: tuple[int, ...] = (14,)
_BUSY_MILLISECONDS = 60_000
_MOST_IDLE = "15min"
"""After so long without a word within a transaction, PostgreSQL ends it: a machine that froze keeps nobody waiting for ever."""
_CACHE_KIBIBYTES = 64 * 1024
_BEGIN = "billing_begin"
_ONLY_READS = "billing_only_reads"


@attrs.frozen
class Database:
    """An open database; threads may share it, processes may not.

    Attributes:
        url: where it is, without the password, for messages.
        engine: the SQLAlchemy engine with all settings and error translation in place.
        vault: the keys under which personal data are sealed; None where they stand in the clear.
    """

    url: str
    engine: Engine = attrs.field(repr=False)
    vault: Vault | None = attrs.field(default=None, repr=False)

    @property
    def dialect(self) -> Dialect:
        """Which of the two databases this is."""
        return "sqlite" if self.engine.dialect.name == "sqlite" else "postgresql"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a write transaction; it commits at the end of the block and rolls back where the block raises.

        On SQLite it is the one writer from its first instant (``BEGIN IMMEDIATE``); others wait up to a minute. On PostgreSQL
        it is READ COMMITTED, so that what is read after waiting for a lock is what the lock's last holder committed.
        """
        options: dict[str, Any] = {_BEGIN: "BEGIN IMMEDIATE", VAULT_OPTION: self.vault}
        with self.engine.connect() as connection, connection.execution_options(**options).begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read transaction: one snapshot for all its queries, and no writes."""
        options: dict[str, Any] = {_BEGIN: "BEGIN", VAULT_OPTION: self.vault}
        if self.dialect == "postgresql":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True, VAULT_OPTION: self.vault}
        with self.engine.connect() as connection, connection.execution_options(**options).begin():
            yield connection

    def close(self) -> None:
        """Close all connections of this process to the database."""
        self.engine.dispose()


def open_database(url: str, *, vault: Vault | None = None) -> Database:
    """Open the database at `url` and prove that it can be worked with.

    Args:
        url: ``sqlite:///relative/path``, ``sqlite:////absolute/path`` or ``postgresql://user:password@host:port/name``.
        vault: the keys under which personal data are sealed.

    Raises:
        StorageError: ``STORAGE01`` for a URL that names neither, ``STORAGE02`` where it cannot be reached, ``STORAGE03`` where
            the server or library is too old, ``STORAGE04`` where SQLite does not keep the settings that the guards need.
    """
    parsed = _parsed(url)
    shown = parsed.render_as_string(hide_password=True).replace("postgresql+psycopg", "postgresql")
    engine = sa.create_engine(parsed, hide_parameters=True)  # an error quotes the statement, never what it binds
    event.listen(engine, "handle_error", _raise_translated)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgresql)
    try:
        with engine.connect() as connection:
            _refuse_old_server(connection, shown)
    except StorageError as error:
        engine.dispose()
        if error.code not in ("STORAGE10", "STORAGE22"):
            raise
        raise _unreachable(shown, error) from error
    return Database(url=shown, engine=engine, vault=vault)


def _parsed(url: str) -> URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise _unknown_url(url.split(":", 1)[0] if "://" in url else "") from error
    if parsed.drivername == "sqlite" and parsed.database and parsed.database != ":memory:" and not parsed.query:
        return parsed
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    raise _unknown_url(parsed.drivername)


def _unknown_url(scheme: str) -> StorageError:
    return StorageError(
        "STORAGE01",
        f"a database URL that begins with {scheme[:40]!r} is not understood",
        remedy="Use sqlite:///path/to/file, without anything after it, or postgresql://user:password@host/name",
    )


def _unreachable(shown: str, error: StorageError) -> StorageError:
    return StorageError(
        "STORAGE02",
        f"the database cannot be reached: {error.what.partition(': ')[2]}",
        place=shown,
        remedy="Check that the folder exists and may be written, or that the server runs and the URL is right",
    )


def _refuse_old_server(connection: Connection, shown: str) -> None:
    name, found, oldest = "SQLite", tuple(sqlite3.sqlite_version_info), _OLDEST_SQLITE
    if connection.dialect.name == "postgresql":
        name, oldest = "PostgreSQL", _OLDEST_POSTGRESQL
        found = tuple(int(part) for part in connection.dialect.server_version_info or ())
    if found < oldest:
        raise StorageError(
            "STORAGE03",
            f"{name} {'.'.join(map(str, found))} is too old",
            place=shown,
            remedy=f"Use {name} {'.'.join(map(str, oldest))} or newer",
        )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions are opened by _begin_sqlite; the driver must not open any of its own.
    connection.isolation_level = None
    with driver_errors_translated():
        for pragma in (
            f"busy_timeout={_BUSY_MILLISECONDS}",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"cache_size=-{_CACHE_KIBIBYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        for setting in ("foreign_keys", "recursive_triggers"):
            if connection.execute(f"PRAGMA {setting}").fetchone() != (1,):
                raise StorageError(
                    "STORAGE04",
                    f"this SQLite does not keep {setting}=ON",
                    remedy="Use a SQLite library built with foreign keys and triggers",
                )


def _prepare_postgresql(connection: Any, _record: object) -> None:
    name = "idle_in_transaction_session_timeout"
    with driver_errors_translated(), connection.transaction():
        # What an administrator has set for the server, the database or the role stands.
        connection.execute("SELECT set_config(%s, %s, false) WHERE current_setting(%s) = '0'", (name, _MOST_IDLE, name))


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    begin = options.get(_BEGIN, "BEGIN IMMEDIATE")
    if options.get(VAULT_OPTION) is not None:
        connection.exec_driver_sql("PRAGMA secure_delete=ON")  # what is erased leaves no trace in the file
    only_reads = begin == "BEGIN"
    if connection.info.get(_ONLY_READS, False) != only_reads:  # setting it makes SQLite compile every statement anew
        connection.exec_driver_sql(f"PRAGMA query_only={int(only_reads)}")
        connection.info[_ONLY_READS] = only_reads
    connection.exec_driver_sql(begin)


def _raise_translated(context: ExceptionContext) -> None:
    meaning = translated(context.original_exception)
    if meaning is not None:
        raise meaning from context.original_exception


def sqlite_path(database: Database) -> Path:
    """Return the file of an SQLite database."""
    return Path(database.engine.url.database or "")
