"""The databases of a benchmark: one is made with care, and every round works on a fresh copy of it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import attrs

from tests.postgres_server import Server, start_server

Dialect = Literal["sqlite", "postgresql"]
DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql")


@attrs.frozen(kw_only=True)
class Stores:
    """Databases by their names, in one folder or on one server.

    Attributes:
        dialect: which database it is.
        folder: folder of everything, removed at the end.
        server: the server of PostgreSQL, None for SQLite.
    """

    dialect: Dialect
    folder: Path
    server: Server | None = None

    @property
    def server_process(self) -> int:
        """Process id of the server, 0 where there is none."""
        return self.server.process.pid if self.server is not None else 0

    def file(self, name: str) -> Path:
        """Return the file of an SQLite database."""
        return self.folder / f"{name}.db"

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"sqlite:///{self.file(name)}" if self.server is None else self.server.url(name)

    def fresh(self, name: str, template: str = "") -> str:
        """Make a database anew, empty or as a copy, and return its URL."""
        self.remove(name)
        if self.server is not None:
            with self.server.connect() as admin:
                admin.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""))
                admin.execute("CHECKPOINT")  # what the copy left to be written is none of the round's business
        elif template:
            shutil.copyfile(self.file(template), self.file(name))
        return self.url(name)

    def remove(self, name: str) -> None:
        """Remove a database where it is there."""
        if self.server is not None:
            with self.server.connect() as admin:
                admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            return
        for suffix in ("", "-wal", "-shm"):
            self.file(name).with_name(f"{name}.db{suffix}").unlink(missing_ok=True)

    def size_mb(self, name: str) -> float:
        """Return how large a database is, in megabytes."""
        if self.server is None:
            return self.file(name).stat().st_size / 1e6
        with self.server.connect() as admin:
            row = admin.execute("SELECT pg_database_size(%s)", [name]).fetchone()
        return float(str(row[0])) / 1e6 if row else 0.0


@contextlib.contextmanager
def open_stores(dialect: Dialect) -> Iterator[Stores]:
    """Open a folder for databases, and a server that keeps its promises (fsync on) for PostgreSQL; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="billing-bench-") as folder:
        server = start_server(durable=True) if dialect == "postgresql" else None
        try:
            yield Stores(dialect=dialect, folder=Path(folder), server=server)
        finally:
            if server is not None:
                server.stop()
