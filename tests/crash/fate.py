"""What happens to a process of the billing desk, and when: it is killed, interrupted, or loses its database.

Moments are counted: in SQL statements, in calls of the framework's storage and run floors, in steps of SQLite's machine, or in
seconds. The counters sit below everything that the product does with its drivers, so that no statement is missed.
"""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import attrs
import psycopg
from sqlalchemy import event

from billing_framework.storage.engine import Database, sqlite_path

FLOORS = (f"{os.sep}billing_framework{os.sep}storage{os.sep}", f"{os.sep}billing_framework{os.sep}run{os.sep}")
STEPS = 500
"""Instructions of SQLite's machine that are one step."""

WORKED = 0
KILLED = -signal.SIGKILL
DATABASE_FAILED = 4
INTERRUPTED = 130

ENDS = {
    "killed before a statement": (KILLED,),
    "killed after a statement": (KILLED,),
    "killed after sending COMMIT": (KILLED,),
    "killed at a call": (KILLED,),
    "killed inside a statement": (KILLED,),
    "killed by the clock": (KILLED,),
    "interrupted": (INTERRUPTED,),
    "disk full": (DATABASE_FAILED,),
    "connection cut": (DATABASE_FAILED,),
    "server down at a statement": (DATABASE_FAILED,),
    "server down by the clock": (DATABASE_FAILED,),
    "coordinator killed by the clock": (KILLED,),
    "worker killed by the clock": (WORKED,),
}
"""What may happen, and how a process may end then; it may also have ended before its time came, and have done its work."""

ON_SQLITE = (
    *["killed before a statement"] * 4,
    *["killed by the clock"] * 3,
    *["killed at a call"] * 2,
    *["killed inside a statement"] * 2,
    "interrupted",
    "disk full",
)
ON_POSTGRESQL = (
    *["killed before a statement"] * 3,
    *["killed after a statement"] * 2,
    *["killed after sending COMMIT"] * 2,
    *["killed by the clock"] * 3,
    *["killed at a call"] * 2,
    *["server down at a statement"] * 2,
    "server down by the clock",
    "connection cut",
    "interrupted",
)
"""What happens how often."""

MEASURED = "measured"
TIMED = "timed"
OF_PROCESSES = ("coordinator killed by the clock", "worker killed by the clock")
"""What happens where worker processes draft and post; on PostgreSQL the server goes down besides."""

BY_CLOCK = ("killed by the clock", "server down by the clock", *OF_PROCESSES)
MEASURE = {
    "killed at a call": "calls",
    "killed inside a statement": "steps",
    "killed after sending COMMIT": "commits",
    "killed by the clock": "seconds",
    "server down by the clock": "seconds",
    "coordinator killed by the clock": "seconds",
    "worker killed by the clock": "seconds",
}
"""In what the moment is counted; in statements where nothing is said."""


@attrs.define
class Counter:
    """Counts until the moment has come, and does what is to be done then.

    Attributes:
        until: the count at which it happens; 0 for never.
        happen: what happens.
        made: the count so far.
    """

    until: int
    happen: Callable[[], None]
    made: int = 0

    def count(self, *_: object) -> None:
        """Count one."""
        self.made += 1
        if self.made == self.until:
            self.happen()


@attrs.define
class Counters:
    """All counters of a process."""

    statements: Counter
    answers: Counter
    commits: Counter
    calls: Counter
    steps: Counter


def die() -> None:
    """End this process as the kernel would: nothing of it runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


def watch(database: Database, what: str, when: int, server: int) -> Counters:
    """Let `what` happen to this process at the count `when`, counted from now on; only count where `what` is `MEASURED`.

    Args:
        database: the open database of this process.
        what: a key of `ENDS`, `MEASURED` or `TIMED`.
        when: the count.
        server: process id of the PostgreSQL server.
    """
    backends: list[int] = []
    happenings: dict[str, Callable[[], None]] = {
        "interrupted": _interrupt_soon,
        "disk full": lambda: _fill(database),
        "connection cut": lambda: os.kill(backends[-1], signal.SIGTERM),
        "server down at a statement": lambda: os.kill(server, signal.SIGQUIT),
    }
    happen = happenings.get(what, die)
    measure = MEASURE.get(what, "answers" if what == "killed after a statement" else "statements")
    counters = Counters(**{name: Counter(when if name == measure else 0, happen) for name in attrs.fields_dict(Counters)})
    if database.dialect == "sqlite":
        event.listen(database.engine, "checkout", lambda raw, *_: _watch_sqlite(raw, counters))
    else:
        event.listen(database.engine, "checkout", lambda raw, *_: backends.append(raw.info.backend_pid))
        _watch_psycopg(counters)
    if measure == "calls" or what == MEASURED:
        _watch_calls(counters.calls)
    return counters


def _watch_sqlite(raw: sqlite3.Connection, counters: Counters) -> None:
    raw.set_trace_callback(counters.statements.count)
    raw.set_progress_handler(counters.steps.count, STEPS)


def _interrupt_soon() -> None:
    # Not at once: the counter may run inside a callback of the driver, which swallows what is raised in it.
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0002)


def _fill(database: Database) -> None:
    """Let no file of this process grow any more."""
    journal = sqlite_path(database).with_name(f"{sqlite_path(database).name}-wal")
    length = journal.stat().st_size if journal.exists() else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, length))


def _watch_psycopg(counters: Counters) -> None:
    execute, commit, rollback = psycopg.Cursor.execute, psycopg.Connection.commit, psycopg.Connection.rollback
    executemany, write_row = psycopg.Cursor.executemany, psycopg.Copy.write_row

    def counted(original: Callable[..., Any], before: Callable[..., None]) -> Callable[..., Any]:
        def call(self: Any, *given: Any, **named: Any) -> Any:
            before(self)
            done = original(self, *given, **named)
            counters.answers.count()
            return done

        return call

    def send_commit(connection: Any) -> None:
        counters.statements.count()
        counters.commits.made += 1
        if counters.commits.made == counters.commits.until:
            connection.pgconn.send_query(b"COMMIT")
            connection.pgconn.flush()
            die()

    setattr(psycopg.Cursor, "execute", counted(execute, counters.statements.count))  # noqa: B010  mypy knows it as a method
    setattr(psycopg.Cursor, "executemany", counted(executemany, counters.statements.count))  # noqa: B010
    setattr(psycopg.Copy, "write_row", counted(write_row, counters.statements.count))  # noqa: B010
    setattr(psycopg.Connection, "commit", counted(commit, send_commit))  # noqa: B010
    setattr(psycopg.Connection, "rollback", counted(rollback, counters.statements.count))  # noqa: B010


def _watch_calls(calls: Counter) -> None:
    def count(frame: FrameType, kind: str, _: object) -> None:
        if kind == "call" and any(floor in frame.f_code.co_filename for floor in FLOORS):
            calls.count()

    sys.setprofile(count)
