"""Tells how far a run has come: its shards and who works on them, its accounts, its holds, its pace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from billing_framework.run.deployment import Deployment
from billing_framework.run.work.worker_name import is_gone, shown_worker
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_counts import count_left, counts_by_reason, counts_by_state, drafted_again
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.shard_rows import DRAFT, POST, Shard, shards_of

_SECOND = timedelta(seconds=1)
_RECENT = timedelta(minutes=10)
_GOES_ON = {DRAFT: "drafting", POST: "posting"}
"""The state of a run in which a step is worked on; in any other it has no pace."""


@attrs.frozen(kw_only=True)
class Held:
    """A shard that a worker has.

    Attributes:
        shard: its number.
        worker: machine and process.
        lease_until: when the lease ends.
        saved: accounts or documents of it that are saved.
        size: accounts or documents in it.
        free: True where the worker is gone or the lease has ended, so that anybody may take it.
    """

    shard: int
    worker: str
    lease_until: datetime
    saved: int
    size: int
    free: bool


@attrs.frozen(kw_only=True)
class StepStatus:
    """How far one step of a run has come.

    Attributes:
        step: ``draft`` or ``post``.
        shards: number of shards in each state.
        saved: accounts or documents that are saved; one that is drafted anew counts again when that is done.
        size: accounts or documents in all shards, each once.
        held: the shards that workers have.
        errors: number of each waiting shard to why its last worker gave it back.
        per_minute: accounts or documents saved per minute of late; None where nobody has worked in the last minutes, or the
            run is not in this step any more.
        remaining_seconds: how long the rest takes at that pace; None where nothing tells, or nothing is left.
    """

    step: str
    shards: Mapping[str, int]
    saved: int
    size: int
    held: tuple[Held, ...] = ()
    errors: Mapping[int, str] = attrs.field(factory=dict)
    per_minute: int | None = None
    remaining_seconds: int | None = None


@attrs.frozen(kw_only=True)
class RunStatus:
    """How far a run has come.

    Attributes:
        run: the run.
        accounts: number of its accounts in each state.
        holds: number of held accounts by the check that holds them.
        steps: its steps, as far as they were planned.
        left: number of accounts that are left to the next run, where it was cancelled after a part of it was posted.
    """

    run: Run
    accounts: Mapping[str, int]
    holds: Mapping[str, int]
    steps: tuple[StepStatus, ...]
    left: int = 0


def run_status(deployment: Deployment, code: str = "") -> RunStatus:
    """Return how far a run has come.

    Args:
        deployment: the deployment.
        code: code of the run; the one that is meant where empty.

    Raises:
        NotFound: there is no such run.
    """
    with deployment.database.read() as connection:
        run = meant_run(connection, code)
        accounts, holds = counts_by_state(connection, run), counts_by_reason(connection, run)
        left = count_left(connection, run)
        shards, again = shards_of(connection, run), {DRAFT: drafted_again(connection, run)}
    now = deployment.clock.now()
    by_step = {step: [one for one in shards if one.step == step] for step in (DRAFT, POST)}
    steps = tuple(
        _step(step, some, now, again.get(step, 0), goes_on=run.state == _GOES_ON[step]) for step, some in by_step.items() if some
    )
    return RunStatus(run=run, accounts=accounts, holds=holds, steps=steps, left=left)


def _step(step: str, shards: Sequence[Shard], now: datetime, again: int, *, goes_on: bool) -> StepStatus:
    states = [one.state for one in shards]
    per_minute, remaining = _pace(shards, now) if goes_on else (None, None)
    return StepStatus(
        step=step,
        shards={state: states.count(state) for state in ("pending", "claimed", "done") if state in states},
        saved=max(sum(one.saved for one in shards) - again, 0),
        size=sum(one.size for one in shards) - again,
        held=tuple(_held(one, one.lease_until, now) for one in shards if one.lease_until is not None),
        errors={one.number: one.error for one in shards if one.error and one.state == "pending"},
        per_minute=per_minute,
        remaining_seconds=remaining,
    )


def _held(shard: Shard, until: datetime, now: datetime) -> Held:
    return Held(
        shard=shard.number,
        worker=shown_worker(shard.owner),
        lease_until=until,
        saved=shard.saved,
        size=shard.size,
        free=until <= now or is_gone(shard.owner),
    )


def _pace(shards: Sequence[Shard], now: datetime) -> tuple[int | None, int | None]:
    """Return how much was saved per minute of late, and the seconds that the rest takes at that pace."""
    recent = [
        one
        for one in shards
        if one.claimed_at is not None and (one.state == "claimed" or (one.ended_at is not None and now - one.ended_at <= _RECENT))
    ]
    saved = sum(one.saved for one in recent)
    if not saved:
        return None, None
    seconds = max((now - min(one.claimed_at for one in recent if one.claimed_at is not None)) // _SECOND, 1)
    left = sum(one.size - one.saved for one in shards)
    return saved * 60 // seconds, left * seconds // saved if left else None
