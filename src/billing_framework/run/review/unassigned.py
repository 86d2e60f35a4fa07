"""Counts the records of a period that belong to no agreement: nobody has their identifier, or nobody has it on their days."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.many import rows_of
from billing_framework.storage.master.account_tables import assignment, subject_id
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.master.range_rows import members_among
from billing_framework.storage.usage.kind_table import KindTable, kind_tables
from billing_framework.storage.usage.rows import among, subject_names
from billing_framework.usage.record import UsageKind
from billing_framework.values.clock import timezone
from billing_framework.values.period import DateSpan, Span


def unassigned_records(deployment: Deployment, connection: Connection, run: Run) -> dict[str, int]:
    """Return the identifiers with records in the period of which no agreement of any account is billed, to their number.

    Where somebody has an identifier for a part of the period, the records of the rest count, but not those that an agreement
    beside them reaches, such as the reading that closes it.
    """
    zone = timezone(load_book(connection, run.book).profile.zone)
    assigned, gaps = _assigned(connection, run.period)
    found: Counter[int] = Counter()
    for kind in kind_tables(deployment.host.kinds).values():
        delivered = connection.execute(_counts(kind, run.period.instants(zone)))
        found.update({row.subject_id: row.records for row in delivered if row.subject_id not in assigned})
        for gap, subjects in gaps.items():
            if (dates := unreached(kind.kind, gap, run.period)) is not None:
                query = among(_counts(kind, dates.instants(zone)), kind.table.c.subject_id)
                found.update({row.subject_id: row.records for row in rows_of(connection, subjects, query)})
    names = subject_names(connection, found)
    return dict(sorted((names.get(key, str(key)), count) for key, count in found.items()))


def _assigned(connection: Connection, period: DateSpan) -> tuple[set[int], dict[DateSpan, list[int]]]:
    """Return the identifiers that somebody has in a period, and by stretch of it the few among them that nobody has then."""
    columns = assignment.c
    query = sa.select(columns.subject_id, columns.subject, columns.starts_on, columns.ends_on).where(
        columns.starts_on < period.end, sa.or_(columns.ends_on.is_(None), columns.ends_on > period.start)
    )
    whole: set[int] = set()
    parts: dict[int, list[DateSpan]] = {}
    ranges: dict[str, list[DateSpan]] = {}
    for row in connection.execute(query):
        dates = DateSpan(max(row.starts_on, period.start), min(row.ends_on or date.max, period.end))
        if row.subject_id < 0:
            ranges.setdefault(row.subject, []).append(dates)
        elif dates == period:
            whole.add(row.subject_id)
        else:
            parts.setdefault(row.subject_id, []).append(dates)
    for text, names in members_among(connection, ranges.keys()).items():
        for name in names:
            parts.setdefault(subject_id(name), []).extend(ranges[text])
    gaps: dict[DateSpan, list[int]] = {}
    for subject in parts.keys() - whole:
        for gap in period.without(sorted(parts[subject])):
            gaps.setdefault(gap, []).append(subject)
    return whole | parts.keys(), gaps


def unreached(kind: UsageKind, gap: DateSpan, period: DateSpan) -> DateSpan | None:
    """Return the dates of a stretch within a period to which the agreements beside it do not reach, None where they reach all.

    Args:
        kind: the kind of usage, which tells how far an agreement reaches.
        gap: dates on which nobody has an identifier.
        period: the period in which somebody has it otherwise.
    """
    start = gap.start if gap.start == period.start else gap.start + timedelta(days=kind.reach_after_days)
    end = gap.end if gap.end == period.end else gap.end - timedelta(days=kind.reach_days)
    return DateSpan(start, end) if start < end else None


def _counts(kind: KindTable, within: Span) -> sa.Select[Any]:
    columns = kind.table.c
    return (
        sa.select(columns.subject_id, sa.func.count().label("records"))
        .where(columns.start_at >= within.start.astimezone(UTC), columns.start_at < within.end)
        .group_by(columns.subject_id)
    )
