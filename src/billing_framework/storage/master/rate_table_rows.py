"""Keeps the versions of rate tables as they were loaded: bytes, digests and instant; rows are read from the bytes when needed."""

from __future__ import annotations

import functools
import hashlib
import zlib
from collections.abc import Collection, Mapping
from datetime import date, datetime

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.rating.rate_table import RateTable, RateTableKind
from billing_framework.rating.rate_table_file import RateTableHeader, pinned_digest, read_rate_table
from billing_framework.storage.master.rate_table_tables import rate_table_version
from billing_framework.values.errors import NotFound, StorageError
from billing_framework.values.spelling import did_you_mean

_ALTERED = "Find out who changed it behind the program's back, and restore it from a backup"


@attrs.frozen(kw_only=True)
class RateTableRow:
    """What is stored of a version of a rate table beside its bytes.

    Attributes:
        code: code of the table.
        version: label of the version.
        kind: name of the kind of its rows.
        valid_from: first service date that it prices.
        valid_to: the date after the last, None for open end.
        currency: currency of its prices, or empty.
        supersedes: version that it corrects, or empty.
        reason: why.
        row_count: how many rows it has.
        sha256: digest as hex of all that decides prices; bills pin it.
        file_sha256: digest of the file as hex.
        file: name of the file that it was loaded from.
        loaded_at: when; from then on it is known.
        loaded_by: who.
    """

    code: str
    version: str
    kind: str
    valid_from: date
    valid_to: date | None
    currency: str
    supersedes: str
    reason: str
    row_count: int
    sha256: str
    file_sha256: str
    file: str
    loaded_at: datetime
    loaded_by: str

    @property
    def name(self) -> str:
        """Return ``code@version``."""
        return f"{self.code}@{self.version}"

    @property
    def header(self) -> RateTableHeader:
        """Return what was said of the version when it was loaded."""
        return RateTableHeader(**{field.name: getattr(self, field.name) for field in attrs.fields(RateTableHeader)})


_COLUMNS = tuple(rate_table_version.c[field.name] for field in attrs.fields(RateTableRow))


def rate_table_rows(connection: Connection, codes: Collection[str] = ()) -> list[RateTableRow]:
    """Return the loaded versions of the tables `codes` (of all tables where it is empty), by code and first date; no bytes."""
    table = rate_table_version.c
    query = sa.select(*_COLUMNS).order_by(table.code, table.valid_from, table.loaded_at, table.version)
    if codes:
        query = query.where(table.code.in_(sorted(codes)))
    return [_row(row) for row in connection.execute(query)]


def _row(row: sa.Row[tuple[object, ...]]) -> RateTableRow:
    fields = {field.name: getattr(row, field.name) for field in attrs.fields(RateTableRow)}
    return RateTableRow(**(fields | {"sha256": row.sha256.hex(), "file_sha256": row.file_sha256.hex()}))


def find_rate_table(connection: Connection, code: str, version: str = "") -> RateTableRow:
    """Return one version: the named one, else the one that was loaded last.

    Raises:
        NotFound: ``TABLE32``, with the nearest name.
    """
    wanted = f"{code}@{version}" if version else code
    rows = rate_table_rows(connection)
    found = [row for row in rows if row.code == code and version in ("", row.version)]
    if not found:
        known = {row.name if version else row.code for row in rows}
        raise NotFound("TABLE32", f"there is no rate table {wanted!r}", remedy=did_you_mean(wanted, known))
    return max(found, key=lambda row: (row.loaded_at, row.valid_from))


def rate_table_content(connection: Connection, row: RateTableRow) -> bytes:
    """Return the bytes of a version as they were loaded.

    Raises:
        StorageError: ``TABLE34`` where they, or what was said about them, are not what was loaded.
    """
    return _proven(_stored(connection, row), row)


def _stored(connection: Connection, row: RateTableRow) -> bytes:
    table = rate_table_version.c
    query = sa.select(table.content).where(table.code == row.code, table.version == row.version)
    return bytes(connection.execute(query).scalar_one_or_none() or b"")


def _proven(stored: bytes, row: RateTableRow) -> bytes:
    packed = zlib.decompressobj()
    try:
        content = packed.decompress(stored)
    except zlib.error:
        content = b""
    if not packed.eof or packed.unused_data:  # cut, or with bytes after its end
        content = b""
    if hashlib.sha256(content).hexdigest() != row.file_sha256 or pinned_digest(row.header, row.file_sha256) != row.sha256:
        raise StorageError("TABLE34", f"the stored rate table {row.name} is not the one that was loaded", remedy=_ALTERED)
    return content


def load_rate_table(connection: Connection, row: RateTableRow, kinds: Mapping[str, RateTableKind]) -> RateTable:
    """Return a version with its rows; within a process the same stored version is the same object, proven and read once.

    Args:
        connection: a connection.
        row: the version.
        kinds: the kinds of the deployment.

    Raises:
        StorageError: ``TABLE33`` where it cannot be read, mostly because the plugin of its kind is not enabled; ``TABLE34`` where
            it was changed since it was loaded.
    """
    stored = _stored(connection, row)
    kind = kinds.get(row.kind)
    if kind is None:
        _proven(stored, row)
        raise StorageError(
            "TABLE33",
            f"no enabled plugin offers the kind {row.kind!r} of the rate table {row.name}",
            remedy="Enable the plugin that offers it",
        )
    return _read(row, stored, kind)


@functools.lru_cache(maxsize=64)
def _read(row: RateTableRow, stored: bytes, kind: RateTableKind) -> RateTable:
    header, content = row.header, _proven(stored, row)
    read = read_rate_table(
        content, file=f"rate table {header.name} as loaded", header=header, kind=attrs.evolve(kind, check=None)
    )
    if read.table is None:
        raise StorageError(
            "TABLE33",
            f"the stored rate table {header.name} cannot be read: {read.findings[0]}",
            remedy="Enable the plugin of its kind in the version that knew this table",
        )
    return read.table


def add_rate_table(
    connection: Connection, table: RateTable, content: bytes, *, reason: str, file: str, now: datetime, actor: str
) -> None:
    """Add a new version with the bytes of its file; from `now` on it is known."""
    connection.execute(
        rate_table_version.insert(),
        {
            "code": table.code,
            "version": table.version,
            "kind": table.kind,
            "valid_from": table.valid_from,
            "valid_to": table.valid_to,
            "currency": table.currency,
            "supersedes": table.supersedes,
            "reason": reason,
            "row_count": table.size,
            "sha256": bytes.fromhex(table.sha256),
            "file_sha256": hashlib.sha256(content).digest(),
            "content": zlib.compress(content),
            "file": file,
            "loaded_at": now,
            "loaded_by": actor,
        },
    )
