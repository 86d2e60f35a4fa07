"""Has the shards of a run done, here or by workers elsewhere, until none is left; several coordinators share one run."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import attrs

from billing_framework.run.deployment import Deployment
from billing_framework.run.versions import computing_versions
from billing_framework.run.work.executors import expect, opened_executor
from billing_framework.run.work.lease import claim, given_back_on_error, gone_workers
from billing_framework.run.work.shard_worker import ShardTask, work_on_shard
from billing_framework.run.work.stuck import HUNG, ended_with
from billing_framework.run.work.work import IN_PROCESS, PROCESSES, Step, Work, Worked, collector_paused
from billing_framework.run.work.worker_name import is_gone, process_of, worker_name
from billing_framework.storage.billing.run_counts import drafted_again
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.shard_rows import DRAFT, Shard, count_overrun, shards_of
from billing_framework.values.errors import ConfigurationError, Conflict, Refused
from billing_framework.values.finding import Finding, Severity

Progress = Callable[[int, int], None]
"""Told how many accounts or documents of how many are done."""

PAUSE_SECONDS = 1
LATE_SECONDS = 10
_MOST_BREAKDOWNS = 3
_MOST_HELD = 10
"""At how many groups a command may see its workers end again and again; where they end at more, it is not for the groups."""
_ENDED_BY_OTHERS = (-signal.SIGTERM, -signal.SIGKILL, 255)
"""Exit codes of workers that were ended from outside - because another one ended, or for want of memory - or not known."""
_SHARDS_PER_WORKER = 2
_CLUSTER = ("dask", "distributed")


def expect_workers(deployment: Deployment, step: Step[Any], work: Work) -> None:
    """Prove that there will be workers for a step, before the caller stores what they are to do.

    Args:
        deployment: the deployment.
        step: what is to be done.
        work: by whom.

    Raises:
        ConfigurationError: ``RUN44`` where the executor cannot be used, or the deployment was opened without a file.
    """
    if work.executor != IN_PROCESS:
        _file_of(deployment)
    expect(work, _loads(step))


def _file_of(deployment: Deployment) -> Path:
    if deployment.file is None:
        what = "workers elsewhere need a deployment file, and this deployment was opened without one"
        raise ConfigurationError("RUN44", what)
    return deployment.file


def _loads(step: Step[Any]) -> tuple[str, ...]:
    return work_on_shard.__module__, step.work.__module__


def coordinate(deployment: Deployment, run: Run, step: Step[Any], work: Work, progress: Progress | None = None) -> Worked:
    """Have all shards of a step done and return what was done for this call, by its own workers.

    Shards that other coordinators' workers have are waited for; where their leases end, they are taken over.

    Args:
        deployment: the deployment.
        run: the run.
        step: what is done with each shard.
        work: by whom.
        progress: told how far the step has come.

    Raises:
        Refused: ``RUN43`` where worker processes end again and again.
        BillingError: what kept a shard from being done; the run can be resumed.
    """
    if not _unfinished(deployment, run, step):
        return Worked()
    progress = _of_each_once(deployment, run, step, progress)
    if work.executor == IN_PROCESS:
        worked = _done_here(deployment, run, step, work, progress)
    else:
        worked = _Foreman(deployment=deployment, run=run, step=step, work=work, progress=progress).all_done()
    for finding in (*worked.told, *_by_reference(worked)):
        work.tell(finding)
    return worked


def _by_reference(worked: Worked) -> Iterator[Finding]:
    """Yield how many accounts the reference of each rater had to rate, so that the report of the run says what a fault costs."""
    for rater, accounts in sorted(worked.by_reference.items()):
        yield Finding(
            code="RUN64",
            severity=Severity.INFORMATION,
            what=f"the reference of rater {rater!r} rated {accounts} accounts, because its columnar twin failed at them",
            remedy="Report it to the author of the plugin",
            subject=rater,
        )


def _outcome(future: Future[Worked | None]) -> Worked | None:
    """Return what came of a shard.

    Raises:
        BrokenExecutor: the executor failed, and not the work; a cluster has errors of its own for that.
    """
    try:
        return future.result()
    except Exception as error:
        if isinstance(error, CancelledError) or type(error).__module__.partition(".")[0] in _CLUSTER:
            raise BrokenExecutor(str(error)) from error
        raise


def _submitted(executor: Executor, task: ShardTask) -> Future[Worked | None]:
    """Hand a shard to an executor.

    Raises:
        BrokenExecutor: the process that starts workers was ended while it was asked for one.
    """
    try:
        return executor.submit(work_on_shard, task)
    except (EOFError, ConnectionError) as error:
        raise BrokenExecutor("the process that starts workers has ended") from error


def _children() -> dict[int, BaseProcess]:
    return {child.pid: child for child in multiprocessing.active_children() if child.pid is not None}


def _unfinished(deployment: Deployment, run: Run, step: Step[Any]) -> list[Shard]:
    with deployment.database.read() as connection:
        return shards_of(connection, run, step.name, unfinished=True)


def _of_each_once(deployment: Deployment, run: Run, step: Step[Any], progress: Progress | None) -> Progress | None:
    """Return what is told of the shards as progress of accounts: those that are drafted once more count once."""
    if progress is None or step.name != DRAFT:
        return progress
    with deployment.database.read() as connection:
        again = drafted_again(connection, run)
    return lambda done, of: progress(max(done - again, 0), of - again)


def _tell(deployment: Deployment, run: Run, step: Step[Any], progress: Progress | None) -> None:
    if progress is not None:
        with deployment.database.read() as connection:
            shards = shards_of(connection, run, step.name)
        progress(sum(one.saved for one in shards), sum(one.size for one in shards))


def _done_here(deployment: Deployment, run: Run, step: Step[Any], work: Work, progress: Progress | None) -> Worked:
    owner = worker_name()
    known_at = deployment.clock.now()
    worked, prepared = Worked(), None
    while True:
        lease = claim(deployment, run, step.name, owner=owner, seconds=work.lease_seconds)
        if lease is None:
            _tell(deployment, run, step, progress)
            if not _unfinished(deployment, run, step):
                return worked
            time.sleep(PAUSE_SECONDS)
            continue
        try:
            with given_back_on_error(deployment, lease), collector_paused():
                prepared = step.prepare(deployment, run, known_at) if prepared is None else prepared
                worked += step.work(prepared, run, lease, work.transaction_size, lambda _: _tell(deployment, run, step, progress))
        except Conflict as lost:
            if lost.code != "RUN40":
                raise


@attrs.define(kw_only=True)
class _Foreman:
    """Hands shards to an executor and takes back what came of them.

    Attributes:
        deployment: the deployment.
        run: the run.
        step: what is done.
        work: by whom.
        progress: told how far it has come.
        worked: what was done until now.
        breakdowns: how often in a row the executor broke down without anything saved in between.
        saved: what was saved when it broke down the last time.
        strangers: child processes of this one that are no workers of the run.
        workers: the worker processes, by their ids.
        hung: ids of those that were ended here because they hung.
        alone: number of a shard that is drafted group by group to what was saved of it when its worker ended the last time.
        held: at how many groups workers have ended again and again.
        under_way: shards that the executor has.
    """

    deployment: Deployment
    run: Run
    step: Step[Any]
    work: Work
    progress: Progress | None
    worked: Worked = attrs.field(factory=Worked)
    breakdowns: int = 0
    saved: int = -1
    strangers: frozenset[int] = frozenset()
    workers: dict[int, BaseProcess] = attrs.field(factory=dict)
    hung: set[int] = attrs.field(factory=set)
    alone: dict[int, int] = attrs.field(factory=dict)
    held: int = 0
    under_way: dict[Future[Worked | None], int] = attrs.field(factory=dict)

    def all_done(self) -> Worked:
        """Have all shards done, with a new executor where one breaks down."""
        told = self._told()
        self.strangers = frozenset(_children())
        while True:
            try:
                with opened_executor(self.work, loads=_loads(self.step)) as executor:
                    return self._until_none_is_left(executor, told)
            except BrokenExecutor as broken:
                self.under_way.clear()
                self._count_breakdown()
                if self._goes_on_otherwise():
                    self.breakdowns = 0
                if isinstance(self.work.executor, Executor) or self.breakdowns >= _MOST_BREAKDOWNS:
                    raise Refused(
                        "RUN43",
                        f"worker processes ended {self.breakdowns} times in a row before anything was saved",
                        remedy="See what ends them: memory, a plugin, somebody's kill; then go on: billing run resume",
                    ) from broken

    def _count_breakdown(self) -> None:
        with self.deployment.database.read() as connection:
            saved = sum(one.saved for one in shards_of(connection, self.run, self.step.name))
        self.breakdowns = self.breakdowns + 1 if saved == self.saved else 1
        self.saved = saved

    def _goes_on_otherwise(self) -> bool:
        """Take note of the shards whose workers ended by themselves, and return whether one of them is drafted otherwise now.

        Such a shard is drafted group by group. Where workers end twice while the same group is under way alone, it is held.
        """
        ended = {process: one.exitcode for process, one in self.workers.items() if process not in self.hung}
        self.workers.clear()
        if self.step.name != DRAFT:
            return False
        otherwise = False
        for one in _unfinished(self.deployment, self.run, self.step):
            exit_code = ended.get(process_of(one.owner))
            if one.lease_until is None or exit_code is None or exit_code in _ENDED_BY_OTHERS:
                continue
            if one.overruns:
                if self.alone.get(one.number) != one.saved or self.held >= _MOST_HELD:
                    self.alone[one.number] = one.saved
                    continue
                self.held += 1
            with self.deployment.database.begin() as connection:
                otherwise |= count_overrun(connection, one, ended_with(exit_code))
        return otherwise

    def _told(self) -> Callable[[int], ShardTask]:
        deployment = self.deployment
        task = ShardTask(
            call=worker_name(),
            config=str(_file_of(deployment)),
            settings_sha256=deployment.settings_sha256,
            versions=computing_versions(deployment),
            actor=deployment.actor,
            run=self.run.code,
            step=self.step,
            number=0,
            transaction_size=self.work.transaction_size,
            lease_seconds=self.work.lease_seconds,
            known_at=deployment.clock.now(),
        )
        return lambda number: attrs.evolve(task, number=number)

    def _until_none_is_left(self, executor: Executor, told: Callable[[int], ShardTask]) -> Worked:
        try:
            while unfinished := _unfinished(self.deployment, self.run, self.step):
                self._hand_out(executor, told, unfinished)
                self.workers |= self._at_work()
                self._end_stuck(unfinished)
                came_back = self._collect(PAUSE_SECONDS, FIRST_COMPLETED)
                _tell(self.deployment, self.run, self.step, self.progress)
                if not self.under_way and not came_back:
                    time.sleep(PAUSE_SECONDS)
            self._collect(LATE_SECONDS, ALL_COMPLETED)
            self._end_late()
        finally:
            for future in self.under_way:
                future.cancel()
        return self.worked

    def _collect(self, seconds: int, when: str) -> int:
        """Wait for shards that are under way, add up what came of those that are done, and return how many they were."""
        ended = wait(self.under_way, timeout=seconds, return_when=when).done
        for future in ended:
            del self.under_way[future]
            self.worked += _outcome(future) or Worked()
        return len(ended)

    def _end_stuck(self, unfinished: list[Shard]) -> None:
        """End worker processes that have saved nothing for the length of their lease: something hangs in them."""
        if self.work.executor != PROCESSES:
            return
        now = self.deployment.clock.now()
        children = self._at_work()
        for one in unfinished:
            process = process_of(one.owner)
            if one.lease_until is not None and one.lease_until <= now and process in children and not is_gone(one.owner):
                with self.deployment.database.begin() as connection:
                    is_stuck = count_overrun(connection, one, HUNG)
                if is_stuck:
                    self.hung.add(process)
                    os.kill(process, signal.SIGKILL)

    def _end_late(self) -> None:
        """End workers that are still at shards which others have done: what they save would be refused."""
        if self.under_way:
            for process in self._at_work():
                os.kill(process, signal.SIGKILL)

    def _at_work(self) -> dict[int, BaseProcess]:
        """Return the worker processes that this one has started and that live, by their ids."""
        children = _children() if self.work.executor == PROCESSES else {}
        return {process: one for process, one in children.items() if process not in self.strangers}

    def _hand_out(self, executor: Executor, told: Callable[[int], ShardTask], unfinished: list[Shard]) -> None:
        """Keep the workers busy with shards that nobody has."""
        room = self.work.workers * _SHARDS_PER_WORKER - len(self.under_way)
        if room <= 0:
            return
        now = self.deployment.clock.now()
        gone = gone_workers(self.deployment.database, self.run, self.step.name)
        given = set(self.under_way.values())
        free = [
            one.number
            for one in unfinished
            if one.number not in given
            and (one.state == "pending" or one.owner in gone or (one.lease_until is not None and one.lease_until <= now))
        ]
        for number in free[:room]:
            self.under_way[_submitted(executor, told(number))] = number
