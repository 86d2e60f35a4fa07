"""Usage records in suspense, in and out of their table: what waits for an officer, was rejected, or was decided about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.bulk_update import bulk_update
from billing_framework.storage.likely import likely
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.usage.tables import usage_batch, usage_suspense
from billing_framework.values.errors import Conflict
from billing_framework.values.finding import Finding
from billing_framework.values.plain_form import from_plain, to_plain


@attrs.frozen(kw_only=True)
class Suspended:
    """A record that waits, was rejected, or was decided about.

    Attributes:
        id: its number, by which officers name it.
        batch: number of the batch that brought it.
        record_key: its key, or what stands for it where it has none.
        digest: digest of its content.
        state: ``suspended`` (waits), ``rejected`` (never billed), ``accepted`` or ``duplicate`` (recycled), ``written_off``.
        kind: usage kind, empty where it could not be read.
        source: its source.
        external_id: its id at the source.
        subject: its subject.
        line: line in the file.
        findings: what is wrong.
        record: the record as plain data, None where it could not be read; of a kind with personal data only its envelope, until
            it is opened.
        raw: its text in the file, where it could not be read; empty where that may hold personal data, until it is opened.
        sealed: what was taken out of `record` or `raw`, encrypted: name of the part to its owner and base64; see
            `sealed_suspense`.
        resolved_batch: number of the batch that took it in, None where none did.
        reason: why it was corrected or written off.
        revision: counts its changes.
    """

    id: int
    batch: int
    record_key: int
    digest: bytes = attrs.field(repr=False)
    state: str
    kind: str = ""
    source: str = ""
    external_id: str = ""
    subject: str = ""
    line: int = 0
    findings: tuple[Finding, ...] = ()
    record: Mapping[str, Any] | None = None
    raw: str = ""
    sealed: Mapping[str, Mapping[str, str]] | None = None
    resolved_batch: int | None = None
    reason: str = ""
    revision: int = 1


def _identity(row: Suspended) -> tuple[Any, ...]:
    return (row.id, row.batch, row.record_key, row.digest, row.state, row.kind, row.source, row.external_id, row.subject)


def insert_suspended(connection: Connection, rows: Sequence[Suspended]) -> None:
    """Store records in suspense."""
    columns = (
        "id",
        "batch_id",
        "record_key",
        "digest",
        "state",
        "kind",
        "source",
        "external_id",
        "subject",
        "line",
        "findings",
        "record",
        "raw",
        "sealed",
    )
    values = ((*_identity(row), row.line, to_plain(list(row.findings)), row.record, row.raw, _plain(row.sealed)) for row in rows)
    bulk_insert(connection, usage_suspense, columns, values)


def _plain(sealed: Mapping[str, Mapping[str, str]] | None) -> dict[str, dict[str, str]] | None:
    return None if sealed is None else {name: dict(part) for name, part in sealed.items()}


def delivered_in(connection: Connection, keys: Iterable[int]) -> dict[int, str]:
    """Return file and line that have delivered the records among some keys that waited in suspense before they were taken in."""
    columns = usage_suspense.c
    query = sa.select(columns.record_key, columns.line, usage_batch.c.file).where(likely(columns.state == "accepted"))
    query = query.join(usage_batch, usage_batch.c.id == columns.batch_id)
    rows = rows_of(connection, keys, lambda some: query.where(one_of(columns.record_key, some)))
    return {row.record_key: f"{row.file}:{row.line}, by way of suspense" for row in rows}


def suspense_rows(
    connection: Connection, *, states: Iterable[str] = (), batch: int = 0, ids: Iterable[int] = (), subject: str = ""
) -> Iterator[Suspended]:
    """Yield records in suspense, oldest first; of some states, one batch, some numbers or one subject, where asked."""
    columns = usage_suspense.c
    query = sa.select(usage_suspense).order_by(columns.id)
    wanted_states, wanted_ids = list(states), list(ids)
    query = query.where(columns.state.in_(wanted_states)) if wanted_states else query
    query = query.where(columns.batch_id == batch) if batch else query
    query = query.where(columns.id.in_(wanted_ids)) if wanted_ids else query
    query = query.where(columns.subject == subject) if subject else query
    for row in connection.execute(query):
        yield Suspended(
            id=row.id,
            batch=row.batch_id,
            record_key=row.record_key,
            digest=row.digest,
            state=row.state,
            kind=row.kind,
            source=row.source,
            external_id=row.external_id,
            subject=row.subject,
            line=row.line,
            findings=tuple(from_plain(row.findings, list[Finding])),
            record=row.record,
            raw=row.raw,
            sealed=row.sealed,
            resolved_batch=row.resolved_batch_id,
            reason=row.reason,
            revision=row.revision,
        )


_CHANGING = (
    "record_key", "digest", "state", "kind", "source", "external_id", "subject", "findings", "record", "sealed",
    "resolved_batch_id", "reason",
)  # fmt: skip


def update_suspended(connection: Connection, old: Mapping[int, Suspended], new: Sequence[Suspended]) -> list[Suspended]:
    """Store what became of records in suspense, and return them with their new revisions.

    Args:
        connection: a connection with an open write transaction.
        old: the records as they were read, by number.
        new: what they are now.

    Raises:
        Conflict: ``USAGE27`` where somebody else changed one of them meanwhile.
    """
    stored = [attrs.evolve(row, revision=old[row.id].revision + 1) for row in new]
    rows = [
        (
            row.record_key,
            row.digest,
            row.state,
            row.kind,
            row.source,
            row.external_id,
            row.subject,
            to_plain(list(row.findings)),
            row.record,
            _plain(row.sealed),
            row.resolved_batch,
            row.reason,
            row.id,
            old[row.id].revision,
        )
        for row in stored
    ]
    found = bulk_update(connection, usage_suspense, _CHANGING, ("id", "revision"), rows, counter="revision")
    if found != len(stored):
        what = f"the record {stored[0].id} was" if len(stored) == 1 else f"one of {len(stored)} records was"
        raise Conflict("USAGE27", f"{what} changed meanwhile", remedy="Look at it again and repeat the action")
    return stored


def suspense_counts(connection: Connection) -> dict[int, dict[str, int]]:
    """Return for each batch how many of its records are in which state of suspense now."""
    columns = usage_suspense.c
    query = sa.select(columns.batch_id, columns.state, sa.func.count()).group_by(columns.batch_id, columns.state)
    found: dict[int, dict[str, int]] = {}
    for batch, state, count in connection.execute(query):
        found.setdefault(batch, {})[state] = count
    return found
