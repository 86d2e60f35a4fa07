"""Intake batches and their coverage, in and out of their tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.tables import document, run
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.likely import likely
from billing_framework.storage.turn import take_turn
from billing_framework.storage.usage.tables import usage_batch, usage_coverage
from billing_framework.usage.reader import Coverage
from billing_framework.usage.reconcile import ControlTotals
from billing_framework.values.errors import NotFound
from billing_framework.values.finding import Finding
from billing_framework.values.period import Span
from billing_framework.values.plain_form import from_plain, to_plain

MOST_FINDINGS = 1_000
"""So many findings are stored with a batch; the rest is counted by the last of them."""

RECYCLE = "recycle"
"""The format of a batch that takes suspense in again."""

_DECISION = "usage known"


@attrs.frozen(kw_only=True)
class Batch:
    """One file, or one recycling of suspense, as it was taken in; it never changes.

    Attributes:
        id: its number; later batches have higher ones.
        natural_key: what makes it this batch and no other.
        file: name of the file, or what was recycled.
        sha256: digest of the file's bytes.
        format: format by which it was read; `RECYCLE` where suspense was taken in again.
        source: source name of its records.
        zone: IANA zone of its local times.
        options: options of the reader.
        taken_at: when.
        actor: who.
        totals: the control totals as they were then; `Suspended.state` says what became of the suspended ones.
        expected_values: values that its coverage claims.
        received_values: values that came.
        findings: findings about the file.
    """

    id: int
    natural_key: int
    file: str
    sha256: bytes
    format: str
    source: str
    zone: str
    options: Mapping[str, str]
    taken_at: datetime
    actor: str
    totals: ControlTotals
    expected_values: int = 0
    received_values: int = 0
    findings: tuple[Finding, ...] = ()


def serialise_intake(connection: Connection) -> None:
    """Make other intakes wait until this transaction ends, so that what is known before sorting stays true.

    SQLite has one writer and needs nothing.
    """
    take_turn(connection, "usage intake", "")


def instant_of_intake(connection: Connection, now: datetime) -> datetime:
    """Return the instant of a batch, or of a change of agreements, that is about to be committed: after all decided without it.

    Whether usage is late is decided by comparing this instant with that of an approval, or of a correction that billed anew.
    Clocks of several machines differ, and an intake may begin before a decision and end after it; so they take turns, and each
    takes an instant after the other's.

    Args:
        connection: a connection with the write transaction of the act, near its end; decisions wait from here on.
        now: what the clock says.
    """
    take_turn(connection, _DECISION, "")
    corrected = sa.select(sa.func.max(document.c.posted_at)).where(likely(document.c.run_id.is_(None)))
    decided: list[datetime | None] = [
        connection.scalar(query) for query in (sa.select(sa.func.max(run.c.approved_at)), corrected)
    ]
    return max([now, *(at + timedelta(microseconds=1) for at in decided if at is not None)])


def instant_of_decision(connection: Connection, now: datetime) -> datetime:
    """Return the instant of an approval or correction: not before any batch that it knows; intakes that end later wait for it."""
    take_turn(connection, _DECISION, "")
    taken = connection.scalar(sa.select(sa.func.max(usage_batch.c.taken_at)))
    return now if taken is None else max(now, taken)


def next_id(connection: Connection, table: sa.Table) -> int:
    """Return the next number of batches or of suspense; the same on both databases because intakes come one after the other."""
    return 1 + (connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0)


def batch_of(connection: Connection, natural_key: int) -> Batch | None:
    """Return the batch with a natural key, None where the file was never taken in that way."""
    return next(batches(connection, usage_batch.c.natural_key == natural_key), None)


def find_batch(connection: Connection, number: int) -> Batch:
    """Return the batch of a number.

    Raises:
        NotFound: ``USAGE33``.
    """
    found = next(batches(connection, usage_batch.c.id == number), None)
    if found is None:
        raise NotFound("USAGE33", f"there is no batch {number}", remedy="billing usage batches lists them with their numbers")
    return found


def batches(connection: Connection, *conditions: sa.ColumnElement[bool]) -> Iterator[Batch]:
    """Yield batches, newest first."""
    for row in connection.execute(sa.select(usage_batch).where(*conditions).order_by(usage_batch.c.id.desc())):
        totals = ControlTotals(
            records=row.records,
            accepted=row.accepted,
            duplicate=row.duplicate,
            suspended=row.suspended,
            rejected=row.rejected,
            superseding=row.superseding,
            by_kind=row.by_kind,
            start=row.start_at,
            end=row.end_at,
        )
        yield Batch(
            id=row.id,
            natural_key=row.natural_key,
            file=row.file,
            sha256=row.sha256,
            format=row.format,
            source=row.source,
            zone=row.zone,
            options=row.options,
            taken_at=row.taken_at,
            actor=row.actor,
            totals=totals,
            expected_values=row.expected_values,
            received_values=row.received_values,
            findings=tuple(from_plain(row.findings, list[Finding])),
        )


def kinds_within(connection: Connection, span: Span) -> set[str]:
    """Return the usage kinds of which batches have brought records that may lie within instants."""
    columns = usage_batch.c
    query = sa.select(columns.by_kind).where(columns.end_at > span.start, columns.start_at < span.end)
    return {kind for by_kind in connection.scalars(query) for kind, count in by_kind.items() if count}


def insert_batch(connection: Connection, batch: Batch) -> None:
    """Store a batch; its row is the last of its intake."""
    totals = batch.totals
    connection.execute(
        usage_batch.insert().values(
            id=batch.id,
            natural_key=batch.natural_key,
            file=batch.file,
            sha256=batch.sha256,
            format=batch.format,
            source=batch.source,
            zone=batch.zone,
            options=dict(batch.options),
            taken_at=batch.taken_at,
            actor=batch.actor,
            records=totals.records,
            accepted=totals.accepted,
            duplicate=totals.duplicate,
            suspended=totals.suspended,
            rejected=totals.rejected,
            superseding=totals.superseding,
            by_kind=dict(totals.by_kind),
            start_at=totals.start,
            end_at=totals.end,
            expected_values=batch.expected_values,
            received_values=batch.received_values,
            findings=to_plain(list(batch.findings[:MOST_FINDINGS])),
        )
    )


def insert_coverage(connection: Connection, batch_id: int, first_position: int, coverage: Sequence[Coverage]) -> None:
    """Store how much of each subject a batch covers."""
    columns = ("batch_id", "position", "subject", "start_at", "end_at", "expected", "received", "missing")
    rows = (
        (
            batch_id,
            position,
            item.subject,
            item.span.start,
            item.span.end,
            item.expected,
            item.received,
            list(map(str, item.missing)),
        )
        for position, item in enumerate(coverage, start=first_position)
    )
    bulk_insert(connection, usage_coverage, columns, rows)


def coverage_rows(
    connection: Connection, *, batch: int = 0, subject: str = "", gaps_only: bool = False
) -> Iterator[tuple[int, Coverage]]:
    """Yield batch number and coverage, newest batch first; of one batch, one subject, or only what has gaps, where asked."""
    columns = usage_coverage.c
    query = sa.select(usage_coverage).order_by(columns.batch_id.desc(), columns.position)
    query = query.where(columns.batch_id == batch) if batch else query
    query = query.where(columns.subject == subject) if subject else query
    query = query.where(columns.received < columns.expected) if gaps_only else query
    for row in connection.execute(query):
        missing = tuple(_span(text) for text in row.missing)
        span = Span(row.start_at, row.end_at)
        yield (
            row.batch_id,
            Coverage(subject=row.subject, span=span, expected=row.expected, received=row.received, missing=missing),
        )


def _span(text: str) -> Span:
    start, end = text.split("/")
    return from_plain({"start": start, "end": end}, Span)
