"""Intake: one file of usage, read in chunks, sorted by the pure part, stored in one transaction: whole, or not at all."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import opened_records
from billing_framework.run.usage.intake_desk import IntakeDesk
from billing_framework.run.usage.reading import read_items, read_request
from billing_framework.storage.audit import record
from billing_framework.storage.usage.batches import (
    MOST_FINDINGS,
    Batch,
    batch_of,
    insert_batch,
    instant_of_intake,
    serialise_intake,
)
from billing_framework.usage.file_stream import open_stream
from billing_framework.usage.reader import BadRecord, Coverage, Reader, ReadItem, ReadRequest
from billing_framework.usage.reconcile import ControlTotals
from billing_framework.usage.record import AnyUsage, Usage
from billing_framework.values.extras import has_bulk
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.identity import natural_id
from billing_framework.values.plain_form import to_plain, to_text

LEAST_BYTES_BY_COLUMNS = 200_000
"""Smaller files are taken in sooner than the library for columns is loaded."""

_CHUNK_RECORDS = 2_000
_BLOCK_BYTES = 1 << 20
_SPOOLED_BYTES = 16 << 20


@attrs.frozen(kw_only=True)
class IntakeReport:
    """What became of a file.

    Attributes:
        batch: number of its batch.
        file: name of the file.
        sha256: hex digest of its bytes.
        format: format by which it was read.
        source: source name of its records.
        repeated: True where the very file had been taken in before; then nothing was changed, and all records are duplicates.
        totals: the control totals, which balance.
        expected_values: values that the file's coverage claims.
        received_values: values that came.
        findings: findings about the file and its records, at most a thousand.
    """

    batch: int
    file: str
    sha256: str
    format: str
    source: str
    repeated: bool = False
    totals: ControlTotals
    expected_values: int = 0
    received_values: int = 0
    findings: tuple[Finding, ...] = ()


def take_in(
    deployment: Deployment,
    file: Path | BinaryIO,
    file_format: str,
    *,
    source: str = "",
    zone: str = "",
    options: Mapping[str, str] | None = None,
    name: str = "",
    on_read: Callable[[int], None] = lambda _: None,
) -> IntakeReport:
    """Take in one file of usage in one transaction, and return what became of its records.

    Running it again with the same file changes nothing. Records of an identifier without an assignment, and records that cannot
    be read, wait in suspense; they never stop the others.

    Args:
        deployment: the open deployment.
        file: path or binary stream; gzip, and zip with one file, are unpacked.
        file_format: name of a reader.
        source: who delivered it, by default the format; with the record's id it names a record for ever.
        zone: IANA zone of local times without offset, by default the deployment's.
        options: options of the reader.
        name: name of the file for messages, by default that of the path.
        on_read: is told how many bytes have been read, for a progress bar.

    Raises:
        InputRefused: the file is refused as a whole, with place and remedy; nothing of it was stored.
        NotFound: ``PLUGIN07`` for an unknown format.
        ContractBroken: the reader failed or yielded something that it may not.
    """
    reader = deployment.host.reader(file_format)
    request = read_request(
        reader,
        file=name or _name_of(file),
        source=source,
        zone=zone or deployment.settings.deployment.zone,
        options=options or {},
    )
    with opened_records(file, request.file) as raw:
        sha256 = _sha256(raw)
        with deployment.database.begin() as connection:
            serialise_intake(connection)
            natural_key = _natural_key(deployment, reader, request, sha256)
            earlier = batch_of(connection, natural_key)
            if earlier is not None:
                return _repeated(earlier, request)
            desk = IntakeDesk.opened(deployment, connection, file=request.file, source=request.source, kinds=reader.kinds)
            stream = open_stream(raw, request.file, on_read)
            if not (_is_large(raw) and _by_columns(desk, deployment, reader, request, stream)):
                _fill(desk, read_items(deployment.host, reader, request, stream))
            batch = _batch(deployment, desk, request, reader.format, natural_key=natural_key, sha256=sha256)
            batch = attrs.evolve(batch, taken_at=instant_of_intake(connection, batch.taken_at))
            insert_batch(connection, batch)
            _audit(connection, deployment, batch)
    return report_of(batch)


def _natural_key(deployment: Deployment, reader: Reader, request: ReadRequest, sha256: bytes) -> int:
    # A newer version of the plugin, or other settings, may read what was not read before, so both belong to the key.
    owner = deployment.host.owners["billing_readers"][reader.format]
    version = next(plugin.version for plugin in deployment.host.plugins if plugin.name == owner)
    options = [part for pair in sorted(request.options.items()) for part in pair]
    settings = deployment.host.settings_of_reader(reader.format)
    told = [] if settings is None else [to_text(settings)]
    return natural_id("batch", sha256.hex(), reader.format, version, request.source, request.zone, *options, *told)


def _batch(
    deployment: Deployment, desk: IntakeDesk, request: ReadRequest, file_format: str, *, natural_key: int, sha256: bytes
) -> Batch:
    return Batch(
        id=desk.batch_id,
        natural_key=natural_key,
        file=request.file,
        sha256=sha256,
        format=file_format,
        source=request.source,
        zone=request.zone,
        options=request.options,
        taken_at=deployment.clock.now(),
        actor=deployment.actor,
        totals=desk.totals.proven(),
        expected_values=desk.expected,
        received_values=desk.received,
        findings=tuple(desk.findings),
    )


def report_of(batch: Batch, *, repeated: bool = False) -> IntakeReport:
    """Return the report of a batch."""
    return IntakeReport(
        batch=batch.id,
        file=batch.file,
        sha256=batch.sha256.hex(),
        format=batch.format,
        source=batch.source,
        repeated=repeated,
        totals=batch.totals,
        expected_values=batch.expected_values,
        received_values=batch.received_values,
        findings=batch.findings,
    )


def _repeated(earlier: Batch, request: ReadRequest) -> IntakeReport:
    told = Finding(
        code="USAGE06",
        severity=Severity.INFORMATION,
        what=f"this file was taken in before as batch {earlier.id}; nothing was changed",
        file=request.file,
    )
    totals = ControlTotals(records=earlier.totals.records, duplicate=earlier.totals.records)
    return attrs.evolve(report_of(earlier, repeated=True), file=request.file, totals=totals, findings=(told,))


def _name_of(file: Path | BinaryIO) -> str:
    return file.name if isinstance(file, Path) else "standard input"


def _sha256(raw: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while block := raw.read(_BLOCK_BYTES):
        digest.update(block)
    raw.seek(0)
    return digest.digest()


def _audit(connection: Connection, deployment: Deployment, batch: Batch) -> None:
    record(
        connection,
        deployment.clock.now(),
        deployment.actor,
        "usage intake",
        object_kind="usage_batch",
        object_key=str(batch.id),
        after={"file": batch.file, "sha256": batch.sha256.hex(), "format": batch.format, "totals": to_plain(batch.totals)},
    )


def _is_large(raw: BinaryIO) -> bool:
    size = raw.seek(0, io.SEEK_END)
    raw.seek(0)
    return size >= LEAST_BYTES_BY_COLUMNS


def _by_columns(desk: IntakeDesk, deployment: Deployment, reader: Reader, request: ReadRequest, stream: BinaryIO) -> bool:
    """Take a file in by columns where its reader offers them and the library for them is there; return whether it was."""
    if reader.read_columns is None or not has_bulk():
        return False
    from billing_framework.run.usage.column_road import fill_by_columns  # noqa: PLC0415 - needs polars

    return fill_by_columns(desk, deployment.host, reader, request, stream)


def _fill(desk: IntakeDesk, items: Iterable[ReadItem]) -> None:
    records: list[AnyUsage | BadRecord] = []
    coverage: list[Coverage] = []
    notes: list[Finding] = []
    for item in items:
        if isinstance(item, Usage | BadRecord):
            records.append(item)
        elif isinstance(item, Coverage):
            coverage.append(item)
        elif len(notes) < MOST_FINDINGS:
            notes.append(item)
        if len(records) >= _CHUNK_RECORDS:
            desk.take(records)
            records = []
    desk.take(records)
    desk.tell(notes)
    desk.cover(coverage)
