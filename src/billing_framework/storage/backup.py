"""Backup and restore of a whole database, consistent while it is in use."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from billing_framework.storage.engine import Database, sqlite_path
from billing_framework.storage.engine_errors import driver_errors_translated
from billing_framework.values.errors import NotFound, Refused, StorageError

_PATIENCE_SECONDS = 3_600


def backup(database: Database, target: Path, *, replace: bool = False) -> Path:
    """Write a backup of `database` into the file `target` and return it.

    On SQLite the file is a database of its own, copied page by page through SQLite itself; on PostgreSQL it is an archive of
    ``pg_dump``. Both hold one consistent moment, whatever is written meanwhile.

    Args:
        database: an open database.
        target: file to write; its folder must exist.
        replace: True overwrites a file that exists.

    Raises:
        Refused: ``STORAGE11``: the file exists.
        StorageError: ``STORAGE11``: ``pg_dump`` is missing or fails.
    """
    if target.exists() and not replace:
        raise Refused("STORAGE11", f"{target} exists", remedy="Name another file, or replace it knowingly")
    unfinished = target.with_name(target.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        if database.dialect == "sqlite":
            _copy_sqlite(sqlite_path(database), unfinished, alone=True)
        else:
            _run("pg_dump", database, "--format=custom", f"--file={unfinished}")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def restore(database: Database, source: Path, *, replace: bool = False) -> None:
    """Make `database` what the backup `source` holds.

    Args:
        database: the database to fill, opened by the owner of the schema.
        source: a file made by `backup` on the same kind of database.
        replace: True throws away what the database holds now.

    Raises:
        Refused: ``STORAGE12``: the database holds something and `replace` was not given.
        NotFound: ``STORAGE11``: there is no such file.
        StorageError: ``STORAGE11``: the file is damaged, or ``pg_restore`` is missing or fails.
    """
    if not source.is_file():
        raise NotFound("STORAGE11", f"there is no backup {source}", remedy="Name the file that billing db backup wrote")
    if database.dialect == "sqlite":
        _refuse_damaged(source)
    with database.begin() as connection:
        if not replace and sa.inspect(connection).get_table_names():
            raise Refused(
                "STORAGE12", "the database is not empty", place=database.url, remedy="Restore into an empty one, or replace it"
            )
    if database.dialect == "sqlite":
        database.close()
        _copy_sqlite(source, sqlite_path(database))
        return
    _run("pg_restore", database, "--list", str(source), connect=False)
    with database.begin() as connection:
        # The archive brings the schema; what is there would be in its way.
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    _run("pg_restore", database, "--no-owner", "--exit-on-error", "--single-transaction", str(source))


def _copy_sqlite(source: Path, target: Path, *, alone: bool = False) -> None:
    """Copy a database; `alone` leaves no log beside the copy, which nobody else has open."""
    with (
        driver_errors_translated(),
        closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True)) as from_,
        closing(sqlite3.connect(target)) as to,
    ):
        from_.backup(to)
        if alone:
            to.execute("PRAGMA journal_mode=DELETE").fetchall()
    _refuse_damaged(target)


def _refuse_damaged(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise StorageError("STORAGE11", f"{path} is damaged or no SQLite database: {verdict}", remedy="Use another backup")


def _run(program: str, database: Database, *arguments: str, connect: bool = True) -> None:
    url = database.engine.url.set(drivername="postgresql")
    command = [_binary(program), *arguments]
    if connect:
        # The password goes by the environment: arguments are seen by everybody on the machine.
        command.append(f"--dbname={url.set(password=None).render_as_string()}")
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run(  # noqa: S603 - programs of PostgreSQL, given as a list without a shell
        command, capture_output=True, text=True, check=False, env=environment, timeout=_PATIENCE_SECONDS
    )
    if done.returncode:
        raise StorageError(
            "STORAGE11",
            f"{program} failed: {done.stderr.strip()[-800:]}",
            remedy="Call it as the role that owns the tables, with programs as new as the server",
        )


def _binary(program: str) -> str:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(3), reverse=True)
    found = shutil.which(program) or next((str(folder / program) for folder in folders if (folder / program).is_file()), None)
    if found is None:
        raise StorageError(
            "STORAGE11", f"the program {program} is not installed", remedy="Install the PostgreSQL client programs"
        )
    return found
