"""Turns what a database driver raises into the error tree of the framework.

The guards inside the database raise messages that begin with a stable code (``LEDGER04 ...``). Callers see these as
`LedgerRefused` with that code, whichever database they run on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy.exc

from billing_framework.values.errors import BillingError, Conflict, LedgerRefused, Refused, StorageError

_GUARD = re.compile(r"\b(?P<code>[A-Z]{2,12}\d\d) (?P<what>[^\n]+)")
_UNKNOWN_COLUMN = re.compile(r"no such column|has no column named")
_UNIQUE = ("23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID")
_KEY_USED = "LEDGER02"
_IN_THE_WAY = ("40001", "40P01", "55P03", "SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED")
_FULL = ("53100", "SQLITE_FULL")
_NO_ROOM = re.compile("could not write init file|No space left on device")
"""What PostgreSQL says, in any language, where the disk is full while it opens a connection; it then gives no code."""
_SERVER_ENDS = ("25P03", "57P01", "57P02", "57P03")


def translated(error: BaseException) -> BillingError | None:
    """Return what `error` of a driver or of SQLAlchemy means in our tree, or None where it is a fault of the program."""
    original = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None else error
    if not type(original).__module__.startswith(("sqlite3", "psycopg")):
        return None
    state = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None) or ""
    text = str(original).strip()
    guard = _GUARD.search(text)
    if guard and (state in ("P0001", "") or state.startswith(("SQLITE_CONSTRAINT", "40001", "23"))):
        return _guard_refusal(guard["code"], guard["what"].strip(' "'), state)
    return _by_state(state, text.splitlines()[0] if text else type(original).__name__, type(original).__name__)


def _guard_refusal(code: str, what: str, state: str) -> BillingError:
    kind: type[Refused] = LedgerRefused if code.startswith("LEDGER") else Refused
    if code == _KEY_USED or state in _IN_THE_WAY:
        kind = Conflict
    return kind(code, what, remedy=f"The database refused it; see the page of {code} in the reference")


def _by_state(state: str, text: str, kind: str) -> BillingError | None:
    if state in _UNIQUE:
        return Conflict("STORAGE05", f"a row with this key exists already: {text}", remedy="Use the existing row, or another key")
    if state in _IN_THE_WAY:
        return Conflict(
            "STORAGE06", f"another transaction was in the way: {text}", remedy="Nothing was written; run the action again"
        )
    if state.startswith(("23", "SQLITE_CONSTRAINT")):
        return Refused(
            "STORAGE09", f"a rule of the schema refused the row: {text}", remedy="Nothing was written; correct the row"
        )
    if state in ("42501", "25006", "SQLITE_READONLY"):
        return StorageError(
            "STORAGE08", f"the database role may not do this: {text}", remedy="Use the role that the schema was granted to"
        )
    if state in ("42P01", "3F000") or "no such table" in text:
        return StorageError("STORAGE07", f"the schema is not there: {text}", remedy="Run billing db upgrade")
    if state == "42703" or _UNKNOWN_COLUMN.search(text):
        what = f"the schema is not that of this version or of these plugins: {text}"
        return StorageError("STORAGE07", what, remedy="Run billing db upgrade")
    return None if state == "SQLITE_ERROR" else _failed(state, text, kind)


def _failed(state: str, text: str, kind: str) -> StorageError | None:
    """Return how the database itself failed; None where it did not."""
    if state in _FULL or _NO_ROOM.search(text):
        return StorageError(
            "STORAGE23",
            f"there is no room left for the database: {text}",
            remedy="Nothing of this transaction was written; make room, then run the same command again: it goes on",
        )
    if state in _SERVER_ENDS or state.startswith("08") or (not state and kind == "OperationalError"):
        return StorageError(
            "STORAGE22",
            f"the connection to the database is lost: {text}",
            remedy="The step in hand is stored whole or not at all; run the same command again: it goes on",
        )
    if (
        kind in ("OperationalError", "InterfaceError")
        or state in ("SQLITE_NOTADB", "SQLITE_CORRUPT")
        or state.startswith(("08", "53", "57", "58", "XX"))
    ):
        return StorageError("STORAGE10", f"the database failed: {text}", remedy="Nothing of this transaction was written")
    return None


@contextmanager
def driver_errors_translated() -> Iterator[None]:
    """Translate what the driver raises inside the block; for code that speaks to the driver itself."""
    try:
        yield
    except Exception as error:
        meaning = translated(error)
        if meaning is None:
            raise
        raise meaning from error
