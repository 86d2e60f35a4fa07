"""Shards as rows: planned, claimed under a lease, kept while their work is saved, finished or given back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.shard_tables import run_shard
from billing_framework.storage.bulk import bulk_insert
from billing_framework.values.errors import Conflict

DRAFT = "draft"
POST = "post"
_TEXT = 500


@attrs.frozen(kw_only=True)
class Shard:
    """A part of a run's work.

    Attributes:
        run_id: id of the run.
        step: ``draft`` or ``post``.
        number: its number in this step of the run.
        state: ``pending``, ``claimed`` or ``done``.
        size: number of its accounts or documents.
        saved: number of those that are saved.
        owner: the worker that has it, or had it last; empty before the first.
        token: counts the workers that took it; only the last one may save.
        lease_until: instant up to which its worker has it, None where nobody does.
        claimed_at: when it was taken the last time, or None.
        ended_at: when it was done, or None.
        error: why the last worker gave it back, or how it ended, or empty.
        first_position: first position of the posting manifest, 0 in the draft step.
        last_position: last position of the posting manifest.
        overruns: how often its worker hung or ended; 1 from the first time on, and 2 where the group under way is to be held.
        accounts: codes of its accounts; loaded only for the worker that claims it.
    """

    run_id: int
    step: str
    number: int
    state: str = "pending"
    size: int
    saved: int = 0
    owner: str = ""
    token: int = 0
    lease_until: datetime | None = None
    claimed_at: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""
    first_position: int = 0
    last_position: int = 0
    overruns: int = 0
    accounts: tuple[str, ...] = ()


def add_shards(connection: Connection, shards: Sequence[Shard]) -> None:
    """Write new shards."""
    columns = ("run_id", "step", "shard", "accounts", "first_position", "last_position", "size")
    rows = [
        (one.run_id, one.step, one.number, list(one.accounts), one.first_position, one.last_position, one.size) for one in shards
    ]
    bulk_insert(connection, run_shard, columns, rows)


def shards_of(connection: Connection, run: Run, step: str = "", *, unfinished: bool = False) -> list[Shard]:
    """Return the shards of a run in order of step and number, without the accounts in them.

    Args:
        connection: a connection with an open transaction.
        run: the run.
        step: only those of this step.
        unfinished: only those that are not done.
    """
    columns = [column for column in run_shard.c if column.name != "accounts"]
    query = sa.select(*columns).where(run_shard.c.run_id == run.id).order_by(run_shard.c.step, run_shard.c.shard)
    if step:
        query = query.where(run_shard.c.step == step)
    if unfinished:
        query = query.where(run_shard.c.state != "done")
    return [_shard(row, ()) for row in connection.execute(query)]


def last_number(connection: Connection, run: Run, step: str) -> int:
    """Return the highest number of a shard of a step, 0 where there is none."""
    query = sa.select(sa.func.max(run_shard.c.shard)).where(run_shard.c.run_id == run.id, run_shard.c.step == step)
    return connection.execute(query).scalar() or 0


def accounts_in_shards(connection: Connection, run: Run) -> dict[int, tuple[str, tuple[str, ...]]]:
    """Return of each unfinished shard of the draft step its state and its accounts, by its number."""
    query = sa.select(run_shard.c.shard, run_shard.c.state, run_shard.c.accounts).where(
        run_shard.c.run_id == run.id, run_shard.c.step == DRAFT, run_shard.c.state != "done"
    )
    return {row.shard: (row.state, tuple(row.accounts)) for row in connection.execute(query)}


def drop_shards(connection: Connection, run: Run, *, step: str = "", numbers: Collection[int] | None = None) -> None:
    """Remove shards of a run that are not done; for a rehearsal that is purged, use `purge_shards`."""
    table = run_shard
    statement = table.delete().where(table.c.run_id == run.id, table.c.state != "done")
    if step:
        statement = statement.where(table.c.step == step)
    if numbers is not None:
        statement = statement.where(table.c.shard.in_(sorted(numbers)))
    connection.execute(statement)


def purge_shards(connection: Connection, run: Run) -> None:
    """Remove all shards of a rehearsal."""
    connection.execute(run_shard.delete().where(run_shard.c.run_id == run.id))


def claim_shard(
    connection: Connection,
    run: Run,
    step: str,
    *,
    owner: str,
    now: datetime,
    until: datetime,
    gone: Collection[str] = (),
    number: int | None = None,
) -> Shard | None:
    """Take a shard that nobody has, or whose worker's lease has ended; None where there is none.

    What is returned still tells of the error of the worker before.

    Args:
        connection: a connection with a short write transaction of its own.
        run: the run.
        step: the step.
        owner: who takes it.
        now: the present instant.
        until: end of the lease.
        gone: workers that are known to live no more, whose leases end at once.
        number: the shard that is wanted; the first that is free where None.
    """
    table = run_shard
    ended = sa.or_(table.c.lease_until <= now, table.c.owner.in_(sorted(gone)))
    query = (
        sa.select(table)
        .where(table.c.run_id == run.id, table.c.step == step)
        .where(sa.or_(table.c.state == "pending", sa.and_(table.c.state == "claimed", ended)))
        .order_by(table.c.shard)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = connection.execute(query if number is None else query.where(table.c.shard == number)).one_or_none()
    if found is None:
        return None
    values = {"state": "claimed", "owner": owner, "token": found.token + 1, "lease_until": until, "claimed_at": now, "error": ""}
    statement = table.update().where(_this(found.run_id, step, found.shard), table.c.token == found.token).values(**values)
    if connection.execute(statement).rowcount != 1:
        return None
    return attrs.evolve(
        _shard(found, tuple(found.accounts)),
        state="claimed",
        owner=owner,
        token=found.token + 1,
        lease_until=until,
        claimed_at=now,
    )


def _this(run_id: int, step: str, number: int) -> sa.ColumnElement[bool]:
    return sa.and_(run_shard.c.run_id == run_id, run_shard.c.step == step, run_shard.c.shard == number)


def keep_shard(connection: Connection, shard: Shard, *, saved: int, until: datetime) -> None:
    """Prove within the transaction that saves that the worker still has the shard, and renew its lease.

    Args:
        connection: the transaction that saves.
        shard: the shard as it was claimed.
        saved: number of accounts or documents that this transaction saves.
        until: new end of the lease.

    Raises:
        Conflict: ``RUN40`` where another worker has taken it since; nothing may be saved then.
    """
    table = run_shard
    now_saved = sa.case((table.c.saved + saved > table.c.size, table.c.size), else_=table.c.saved + saved)
    _held(connection, shard, {"saved": now_saved, "lease_until": until})


def finish_shard(connection: Connection, shard: Shard, *, now: datetime) -> None:
    """Mark a shard as done.

    Raises:
        Conflict: ``RUN40`` where another worker has taken it since.
    """
    _held(connection, shard, {"state": "done", "saved": run_shard.c.size, "lease_until": None, "ended_at": now})


def _held(connection: Connection, shard: Shard, values: dict[str, Any]) -> None:
    table = run_shard
    mine = sa.and_(_this(shard.run_id, shard.step, shard.number), table.c.token == shard.token, table.c.state == "claimed")
    if connection.execute(table.update().where(mine).values(**values)).rowcount != 1:
        raise Conflict(
            "RUN40",
            f"the lease of shard {shard.number} ({shard.step}) was lost to another worker; nothing of this batch was saved",
            remedy="The other worker goes on with it. Give workers longer leases: run.lease_seconds in billing.toml",
        )


def give_back_shard(connection: Connection, shard: Shard, error: str) -> bool:
    """Give an unfinished shard back, so that any worker may take it at once; False where it was lost before."""
    table = run_shard
    mine = sa.and_(_this(shard.run_id, shard.step, shard.number), table.c.token == shard.token, table.c.state == "claimed")
    values = {"state": "pending", "lease_until": None, "error": error[:_TEXT]}
    return connection.execute(table.update().where(mine).values(**values)).rowcount == 1


def count_overrun(connection: Connection, shard: Shard, error: str) -> bool:
    """Note that the worker of a shard hangs or has ended; False where it has saved since, or another has taken the shard.

    Args:
        connection: a connection with a write transaction.
        shard: the shard as it was read.
        error: what became of the worker.
    """
    table = run_shard
    as_read = sa.and_(table.c.token == shard.token, table.c.lease_until == shard.lease_until)
    statement = table.update().where(_this(shard.run_id, shard.step, shard.number), as_read)
    return connection.execute(statement.values(overruns=table.c.overruns + 1, error=error)).rowcount == 1


def end_overrun(connection: Connection, shard: Shard) -> None:
    """Note that the group at which the workers of a shard hung or ended is held, so that the next one is tried."""
    table = run_shard
    connection.execute(table.update().where(_this(shard.run_id, shard.step, shard.number)).values(overruns=1))


def _shard(row: sa.Row[Any], accounts: tuple[str, ...]) -> Shard:
    return Shard(
        run_id=row.run_id,
        step=row.step,
        number=row.shard,
        state=row.state,
        size=row.size,
        saved=row.saved,
        owner=row.owner,
        token=row.token,
        lease_until=row.lease_until,
        claimed_at=row.claimed_at,
        ended_at=row.ended_at,
        error=row.error,
        first_position=row.first_position,
        last_position=row.last_position,
        overruns=row.overruns,
        accounts=accounts,
    )
