"""Partitions by month of the tables of usage and of what was rated, on PostgreSQL; opening a period makes the ledger's own.

A partition of usage holds what starts within a month of UTC. What belongs to a month without a partition stands in the partition
of all others, so that nothing is ever refused for want of a partition. SQLite keeps each table in one piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import microseconds
from billing_framework.storage.guard import Guard
from billing_framework.values.period import DateSpan, month_key

OTHERS = "others"


@attrs.frozen(kw_only=True)
class Partitioned:
    """A table with partitions by month.

    Attributes:
        table: its name.
        column: ``start_at``, an instant, or ``month``, a number such as 202607.
        guards: its guards; each partition has those against TRUNCATE for itself.
    """

    table: str
    column: str
    guards: tuple[Guard, ...]

    def bounds(self, month: DateSpan) -> tuple[int, int]:
        """Return the first value of the column in a month, and the first one after it."""
        if self.column == "month":
            return month_key(month.start), month_key(month.start) + 1
        first, after = (microseconds(datetime.combine(day, time(), UTC)) for day in (month.start, month.end))
        return first, after


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


def add_months(connection: Connection, tables: Sequence[Partitioned], months: Sequence[DateSpan]) -> PartitionReport:
    """Make the partitions of some months that are not there yet; whoever writes to the tables waits meanwhile.

    Args:
        connection: a connection of the owner of the tables, with an open write transaction, on PostgreSQL.
        tables: the tables.
        months: whole months.
    """
    added, left, there = [], [], 0
    for one in tables:
        partitions = partitions_of(connection, one.table)
        for span in months:
            name = partition_name(one.table, span.start)
            first, after = one.bounds(span)
            if name in partitions:
                there += 1
            elif _others_hold(connection, one, first, after):
                left.append(name)
            else:
                _create(connection, one.table, name, f"FOR VALUES FROM ({first}) TO ({after})", one.guards)
                added.append(name)
    return PartitionReport(added=tuple(added), there=there, left=tuple(left))


def partitions_of(connection: Connection, table: str) -> list[str]:
    """Return the names of the partitions of a table, on PostgreSQL."""
    query = sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:table) ORDER BY 1")
    return list(connection.scalars(query, {"table": f"public.{table}"}))


def _others_hold(connection: Connection, one: Partitioned, first: int, after: int) -> bool:
    rows = f"SELECT 1 FROM {partition_name(one.table, None)} WHERE {one.column} >= :first AND {one.column} < :after"
    return bool(connection.scalar(sa.text(f"SELECT EXISTS ({rows})"), {"first": first, "after": after}))


def _create(connection: Connection, table: str, name: str, bounds: str, guards: Iterable[Guard]) -> None:
    connection.exec_driver_sql(f"CREATE TABLE {name} PARTITION OF {table} {bounds}")
    connection.exec_driver_sql(f"REVOKE ALL ON {name} FROM PUBLIC")
    for guard in guards:
        if guard.event == "TRUNCATE":
            connection.exec_driver_sql(truncate_trigger(guard, name))


def truncate_trigger(guard: Guard, partition: str) -> str:
    """Return the statement that guards a partition against TRUNCATE: triggers by statement watch over their own table only."""
    return f"CREATE TRIGGER {guard.name} BEFORE TRUNCATE ON {partition} FOR EACH STATEMENT EXECUTE FUNCTION {guard.name}()"
