"""Counts over the accounts of a run, without loading them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.run_rows import CANCELLED, Run
from billing_framework.storage.billing.shard_rows import DRAFT
from billing_framework.storage.billing.shard_tables import run_shard
from billing_framework.storage.billing.tables import run_account


def counts_by_state(connection: Connection, run: Run) -> dict[str, int]:
    """Return the number of a run's accounts in each state, in order of its name."""
    columns = run_account.c
    query = sa.select(columns.state, sa.func.count().label("of")).where(columns.run_id == run.id).group_by(columns.state)
    return {row.state: row.of for row in sorted(connection.execute(query), key=lambda row: row.state)}


def counts_by_reason(connection: Connection, run: Run) -> dict[str, int]:
    """Return the number of a run's held accounts by the name of the check that holds them first, the most frequent first."""
    columns = run_account.c
    query = sa.select(columns.evidence).where(columns.run_id == run.id, columns.state == "held")
    counts: dict[str, int] = {}
    for row in connection.execute(query):
        name = row.evidence[0]["check"] if row.evidence else "other"
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def count_left(connection: Connection, run: Run) -> int:
    """Return how many accounts a run that was ended early has left to the next run; none where it was not ended early."""
    if not run.is_ended_early:
        return 0
    columns = run_account.c
    left = sa.or_(columns.state == "held", sa.and_(columns.state == "skipped", columns.reason == CANCELLED))
    return connection.scalar(sa.select(sa.func.count()).where(columns.run_id == run.id, left)) or 0


def drafted_again(connection: Connection, run: Run) -> int:
    """Return how many places in shards are those of accounts that are in an earlier shard too, as they are drafted once more."""
    columns, shard = run_account.c, run_shard.c
    planned = connection.scalar(sa.select(sa.func.sum(shard.size)).where(shard.run_id == run.id, shard.step == DRAFT))
    in_shards = sa.or_(columns.version > 0, columns.state == "pending")
    accounts = connection.scalar(sa.select(sa.func.count()).where(columns.run_id == run.id, in_shards))
    return max(int(planned or 0) - (accounts or 0), 0)


def account_states(connection: Connection, run: Run) -> dict[str, str]:
    """Return the state of each account of a run, in order of code."""
    columns = run_account.c
    query = sa.select(columns.account, columns.state).where(columns.run_id == run.id).order_by(columns.account)
    return {row.account: row.state for row in connection.execute(query)}
