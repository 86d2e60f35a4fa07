"""Leases: a worker has a shard for a time, renews it with all that it saves, and may save nothing once another has taken it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.run.work.worker_name import is_gone
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.shard_rows import (
    Shard,
    claim_shard,
    finish_shard,
    give_back_shard,
    keep_shard,
    shards_of,
)
from billing_framework.storage.engine import Database
from billing_framework.values.clock import Clock
from billing_framework.values.errors import BillingError


@attrs.frozen(kw_only=True)
class Lease:
    """A shard in the hands of one worker.

    Attributes:
        shard: the shard as it was claimed; its token is the fence.
        seconds: how long it lasts without being renewed.
        clock: the clock of the deployment.
    """

    shard: Shard
    seconds: int
    clock: Clock

    def keep(self, connection: Connection, saved: int) -> None:
        """Renew the lease in the transaction that saves.

        Args:
            connection: the transaction.
            saved: number of accounts or documents that it saves.

        Raises:
            Conflict: ``RUN40`` where another worker has taken the shard; the transaction must not be committed.
        """
        keep_shard(connection, self.shard, saved=saved, until=self.clock.now() + timedelta(seconds=self.seconds))

    def finish(self, connection: Connection) -> None:
        """Mark the shard as done in the transaction that saves the last of it.

        Raises:
            Conflict: ``RUN40`` where another worker has taken the shard.
        """
        finish_shard(connection, self.shard, now=self.clock.now())


def claim(deployment: Deployment, run: Run, step: str, *, owner: str, seconds: int, number: int | None = None) -> Lease | None:
    """Take a shard that is free, in a short transaction of its own; None where there is none.

    Free is what nobody has, what a process of this machine had that lives no more, and what has not been renewed in time.

    Args:
        deployment: the deployment.
        run: the run.
        step: ``draft`` or ``post``.
        owner: name of the worker.
        seconds: how long the lease lasts.
        number: the shard that is wanted; the first free one where None.
    """
    gone = gone_workers(deployment.database, run, step)
    with deployment.database.begin() as connection:
        now = deployment.clock.now()
        until = now + timedelta(seconds=seconds)
        shard = claim_shard(connection, run, step, owner=owner, now=now, until=until, gone=gone, number=number)
    return None if shard is None else Lease(shard=shard, seconds=seconds, clock=deployment.clock)


def gone_workers(database: Database, run: Run, step: str) -> frozenset[str]:
    """Return the workers that have a shard and surely live no more."""
    with database.read() as connection:
        owners = {one.owner for one in shards_of(connection, run, step, unfinished=True) if one.state == "claimed"}
    return frozenset(owner for owner in owners if is_gone(owner))


@contextmanager
def given_back_on_error(deployment: Deployment, lease: Lease) -> Iterator[None]:
    """Give the shard back where the block fails, so that nobody has to wait for the end of the lease."""
    try:
        yield
    except BaseException as error:
        _give_back(deployment, lease, error)
        raise


def _give_back(deployment: Deployment, lease: Lease, error: BaseException) -> None:
    told = str(error) if isinstance(error, BillingError) else type(error).__name__
    if isinstance(error, KeyboardInterrupt):
        told = "somebody interrupted the work on it"
    try:
        with deployment.database.begin() as connection:
            give_back_shard(connection, lease.shard, told)
    except BillingError:  # the database is gone, too: the lease ends with this process, or with time
        return
