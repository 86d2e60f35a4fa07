"""Partitions by month of the tables of usage, on PostgreSQL; those of the ledger's lines are made where a period is opened.

A partition holds what starts within a month of UTC. What starts in a month without one stands in the partition of all others, so
that no record is ever refused for want of a partition. SQLite keeps each table in one piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import microseconds
from billing_framework.storage.guard import Guard
from billing_framework.values.period import DateSpan

OTHERS = "others"


@attrs.frozen(kw_only=True)
class PartitionReport:
    """What became of the partitions that were asked for, each named by its table.

    Attributes:
        added: names of those that were made.
        there: how many were there already.
        left: names of those that were not made, because the partition of all others holds records of their month.
    """

    added: tuple[str, ...]
    there: int
    left: tuple[str, ...]


def partition_name(table: str, first: date | None) -> str:
    """Return the name of a table's partition of the month that begins on `first`; of the one of all others for None."""
    return f"{table}__{OTHERS if first is None else f'{first:%Y%m}'}"


def create_others(connection: Connection, table: str, guards: Iterable[Guard]) -> None:
    """Give a partitioned table that was just made the partition of all others; SQLite needs none."""
    if connection.dialect.name == "postgresql":
        _create(connection, table, partition_name(table, None), "DEFAULT", guards)


def add_months(
    connection: Connection, guarded: Sequence[tuple[str, Sequence[Guard]]], months: Sequence[DateSpan]
) -> PartitionReport:
    """Make the partitions of some months that are not there yet; whoever writes to the tables waits meanwhile.

    Args:
        connection: a connection of the owner of the tables, with an open write transaction, on PostgreSQL.
        guarded: tables partitioned by ``start_at``, each with its guards.
        months: whole months.
    """
    added, left, there = [], [], 0
    for table, guards in guarded:
        partitions = partitions_of(connection, table)
        others = partition_name(table, None)
        for span in months:
            name = partition_name(table, span.start)
            first, after = (microseconds(datetime.combine(day, time(), UTC)) for day in (span.start, span.end))
            if name in partitions:
                there += 1
            elif others in partitions and _holds(connection, others, first, after):
                left.append(name)
            else:
                _create(connection, table, name, f"FOR VALUES FROM ({first}) TO ({after})", guards)
                added.append(name)
    return PartitionReport(added=tuple(added), there=there, left=tuple(left))


def partitions_of(connection: Connection, table: str) -> list[str]:
    """Return the names of the partitions of a table, on PostgreSQL."""
    query = sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:table) ORDER BY 1")
    return list(connection.scalars(query, {"table": f"public.{table}"}))


def _holds(connection: Connection, partition: str, first: int, after: int) -> bool:
    query = sa.text(f"SELECT EXISTS (SELECT 1 FROM {partition} WHERE start_at >= :first AND start_at < :after)")
    return bool(connection.scalar(query, {"first": first, "after": after}))


def _create(connection: Connection, table: str, name: str, bounds: str, guards: Iterable[Guard]) -> None:
    connection.exec_driver_sql(f"CREATE TABLE {name} PARTITION OF {table} {bounds}")
    connection.exec_driver_sql(f"REVOKE ALL ON {name} FROM PUBLIC")
    for guard in guards:
        if guard.event == "TRUNCATE":
            connection.exec_driver_sql(truncate_trigger(guard, name))


def truncate_trigger(guard: Guard, partition: str) -> str:
    """Return the statement that guards a partition against TRUNCATE: triggers by statement watch over their own table only."""
    return f"CREATE TRIGGER {guard.name} BEFORE TRUNCATE ON {partition} FOR EACH STATEMENT EXECUTE FUNCTION {guard.name}()"
