"""What a worker in another process or on another machine does: it is told a deployment file and a shard, and opens the rest."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from billing_framework.run.deployment import Deployment, open_deployment
from billing_framework.run.versions import computing_versions
from billing_framework.run.work.lease import claim, given_back_on_error
from billing_framework.run.work.work import Step, Worked, collector_paused
from billing_framework.run.work.worker_name import worker_name
from billing_framework.storage.billing.run_rows import Run, find_run
from billing_framework.values.errors import Conflict, Refused


@attrs.frozen(kw_only=True)
class ShardTask:
    """What a worker is told; it is small, because everything else stands in the database.

    Attributes:
        call: names the call that hands out the shards; they share what a worker has open and prepared.
        config: path of ``billing.toml`` as the worker sees it.
        settings_sha256: hex digest of that file where the run is coordinated.
        versions: name and version of all that computes, where the run is coordinated.
        actor: who acts.
        run: code of the run.
        step: what is done.
        number: number of the shard.
        transaction_size: accounts or documents per transaction.
        lease_seconds: how long the lease lasts without being renewed.
        known_at: instant as of which data are read; one for all shards of one call.
    """

    call: str
    config: str
    settings_sha256: str
    versions: Mapping[str, str]
    actor: str
    run: str
    step: Step[Any]
    number: int
    transaction_size: int
    lease_seconds: int
    known_at: datetime


@attrs.define
class _Bench:
    """What a worker's process keeps open between two shards of one call.

    Attributes:
        lock: lets one thread at a time open what is not open yet.
        call: what the rest was opened for.
        deployment: the deployment.
        run: the run.
        prepared: what the step has read.
    """

    lock: threading.Lock = attrs.field(factory=threading.Lock)
    call: str = ""
    deployment: Deployment | None = None
    run: Run | None = None
    prepared: Any = None

    def at(self, task: ShardTask) -> tuple[Deployment, Run, Any]:
        """Return what a task needs, opened at the first of its call."""
        with self.lock:
            if self.deployment is None or self.run is None or task.call != self.call:
                self._leave()
                deployment = open_deployment(task.config, actor=task.actor)
                try:
                    _refuse_other_program(task, deployment)
                    with deployment.database.read() as connection:
                        run = find_run(connection, task.run)
                    self.prepared = task.step.prepare(deployment, run, task.known_at)
                except BaseException:
                    deployment.close()
                    raise
                self.call, self.deployment, self.run = task.call, deployment, run
            return self.deployment, self.run, self.prepared

    def _leave(self) -> None:
        if self.deployment is not None:
            self.deployment.close()
        self.call, self.deployment, self.run, self.prepared = "", None, None, None


@functools.cache
def _bench() -> _Bench:
    return _Bench()


def work_on_shard(task: ShardTask) -> Worked | None:
    """Do a shard of a run; None where another worker has it, or has taken it meanwhile.

    Raises:
        Refused: ``RUN41`` where other settings, plugins or versions are installed here than where the run is coordinated.
        BillingError: what kept the shard from being done; it is free again then.
    """
    deployment, run, prepared = _bench().at(task)
    lease = claim(deployment, run, task.step.name, owner=worker_name(), seconds=task.lease_seconds, number=task.number)
    if lease is None:
        return None
    try:
        with given_back_on_error(deployment, lease), collector_paused():
            return task.step.work(prepared, run, lease, task.transaction_size, _unheard)
    except Conflict as lost:
        if lost.code != "RUN40":
            raise
        return None


def _unheard(_saved: int) -> None:
    """Tell nobody; who coordinates reads it in the database."""


def _refuse_other_program(task: ShardTask, deployment: Deployment) -> None:
    here = computing_versions(deployment) | {"billing.toml": deployment.settings_sha256}
    there = {**task.versions, "billing.toml": task.settings_sha256}
    different = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    if different:
        raise Refused(
            "RUN41",
            f"the worker {worker_name().split('/')[0]} has another {', '.join(different)} than where the run is coordinated",
            remedy="Install the same versions and the same billing.toml on all workers",
        )
