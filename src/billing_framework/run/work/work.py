"""How a run is worked on: by whom, and in shards of what size; none of it decides what is billed."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import datetime
from typing import Generic, TypeVar

import attrs

from billing_framework.run.deployment import Deployment
from billing_framework.run.work.lease import Lease
from billing_framework.storage.billing.run_rows import Run
from billing_framework.values.finding import Finding

IN_PROCESS = "in-process"
PROCESSES = "processes"
DASK = "dask"
EXECUTORS = (IN_PROCESS, PROCESSES, DASK)

Prepared = TypeVar("Prepared")
Saved = Callable[[int], None]
"""Told how many accounts or documents were saved just now."""


_SHARDS_OF_MANY = 32
_SHARDS_OF_WORKER = 8
"""So many shards a large posting has at least, in all and for each worker."""

_MOST_LARGER = 5
_MOST_DOCUMENTS = 10_000
"""By what factor a shard of documents may be larger than is said, and how large: their figures are in memory together."""


def _tell_nobody(_finding: Finding) -> None:
    """Drop what is told."""


@attrs.frozen(kw_only=True)
class Work:
    """How a run is worked on.

    Attributes:
        executor: ``in-process``, ``processes`` or ``dask``; or any executor that is open, which is not closed.
        workers: number of worker processes.
        scheduler: address of a Dask scheduler such as ``tcp://10.0.0.5:8786``, or the file that it writes its address into.
        shard_size: accounts in a shard, or documents where there are few; see `for_documents`.
        batch_size: accounts or documents per transaction; a whole shard where None.
        lease_seconds: how long a worker may be silent before another one takes its shard.
        tell: told what changes no result but should be known, such as a plugin that takes too long.
    """

    executor: str | Executor = IN_PROCESS
    workers: int = 2
    scheduler: str = ""
    shard_size: int = 2_000
    batch_size: int | None = None
    lease_seconds: int = 300
    tell: Callable[[Finding], None] = attrs.field(default=_tell_nobody, eq=False, repr=False)

    @property
    def transaction_size(self) -> int:
        """Accounts or documents per transaction."""
        return self.batch_size or self.shard_size

    def for_documents(self, count: int) -> Work:
        """Return how so many documents are posted: in larger shards where that leaves enough of them for all workers.

        Keys are hashes, so the more rows of a large table are written at once, the more of them share a page of its indexes.
        """
        enough = max(_SHARDS_OF_MANY, self.workers * _SHARDS_OF_WORKER)
        largest = min(count // enough, self.shard_size * _MOST_LARGER, _MOST_DOCUMENTS)
        return attrs.evolve(self, shard_size=max(self.shard_size, largest))


def work_of(deployment: Deployment, batch_size: int | None = None) -> Work:
    """Return how the settings of a deployment say that runs are worked on."""
    settings = deployment.settings.run
    return Work(
        executor=settings.executor,
        workers=settings.workers,
        scheduler=settings.scheduler,
        shard_size=settings.shard_size,
        lease_seconds=settings.lease_seconds,
        batch_size=batch_size,
    )


@attrs.frozen(kw_only=True)
class Worked:
    """What came of some work.

    Attributes:
        count: number of accounts drafted or documents issued.
        void: account to the reason why its document was issued as void.
        told: what changes no result but should be known.
        by_reference: rater to the number of accounts that its reference rated, because its columnar twin failed at them.
    """

    count: int = 0
    void: Mapping[str, str] = attrs.field(factory=dict)
    told: tuple[Finding, ...] = ()
    by_reference: Mapping[str, int] = attrs.field(factory=dict)

    def __add__(self, other: Worked) -> Worked:
        told = dict.fromkeys((*self.told, *other.told))  # each once, however many shards say it
        return Worked(
            count=self.count + other.count,
            void={**self.void, **other.void},
            told=tuple(told),
            by_reference=dict(Counter(self.by_reference) + Counter(other.by_reference)),
        )


@attrs.frozen(kw_only=True)
class Step(Generic[Prepared]):
    """One of the two steps that are cut into shards, as functions that a worker elsewhere finds by their names.

    Attributes:
        name: ``draft`` or ``post``.
        prepare: reads what all shards of the step share, once in each worker; given the deployment, the run, and the instant as
            of which data are read.
        work: does one shard; given what was prepared, the run, the lease, the number of accounts or documents per transaction,
            and whom to tell what is saved.
    """

    name: str
    prepare: Callable[[Deployment, Run, datetime], Prepared]
    work: Callable[[Prepared, Run, Lease, int, Saved], Worked]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python's collector of cycles from running: values of a shard refer to each other in one direction only.

    It would look at every value again and again while they are made, and find nothing; measured, that is a sixth of the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
