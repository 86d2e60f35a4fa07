"""Opens what runs workers: processes of this machine, or an existing Dask cluster; both speak ``concurrent.futures``."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from billing_framework.run.work.work import DASK, IN_PROCESS, PROCESSES, Work
from billing_framework.values.errors import ConfigurationError

_PATIENCE = "20s"
_WORKER_SECONDS = 30
_EXTRA = "pip install 'billing-framework[cluster]'"


@contextmanager
def opened_executor(work: Work, loads: Sequence[str] = ()) -> Iterator[Executor]:
    """Open the executor that is asked for, and close it at the end of the block; one that was given open stays open.

    Args:
        work: by whom is worked.
        loads: modules that every worker needs; they may start no thread when they are loaded.

    Raises:
        ConfigurationError: ``RUN44`` for a name that is unknown, without the address of a scheduler, where none answers, or where
            the package ``distributed`` is not installed.
    """
    if isinstance(work.executor, Executor):
        yield work.executor
    elif work.executor == PROCESSES:
        with ProcessPoolExecutor(
            work.workers, mp_context=_context(loads), initializer=_begin, initargs=(dict(os.environ),)
        ) as pool:
            yield pool
    elif work.executor == DASK:
        with _dask(work.scheduler) as cluster:
            yield cluster
    else:
        raise ConfigurationError("RUN44", f"there is no executor {work.executor!r}", remedy="Use in-process, processes or dask")


def expect(work: Work, loads: Sequence[str]) -> None:
    """Prove that an executor can be used before anything is stored for its work; let processes load the program meanwhile.

    Raises:
        ConfigurationError: ``RUN44`` as `opened_executor` would tell it.
    """
    if work.executor == PROCESSES:
        _context(loads)
    elif work.executor != IN_PROCESS:
        with opened_executor(work):
            pass


def _context(loads: Sequence[str]) -> BaseContext:
    """Return how workers are started: never as a copy of this process, whose threads and connections they could not use.

    On Linux they are copies of a small process that has loaded the program, and has one thread and no connection. On macOS, where
    the system's libraries forbid such copies, each worker loads the program itself.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(loads))
    resource_tracker.ensure_running()  # it would be started with the other one, and let interruptions through again
    with _handed_on():
        forkserver.ensure_running()
    return context


@contextmanager
def _handed_on() -> Iterator[None]:
    """Let a process that is started inside the block find modules where this one does, and leave interruptions to this one.

    Python 3.11 forgets to tell it the path; a blocked signal stays blocked in it and in its copies.
    """
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


def _begin(environment: Mapping[str, str]) -> None:
    """Let a worker have the environment of the process that uses it, end when that is killed, and leave interruptions to it."""
    os.environ.clear()  # that of the process it is a copy of may be older
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _dask(scheduler: str) -> Iterator[Executor]:
    if not scheduler:
        raise ConfigurationError(
            "RUN44", "no Dask scheduler is named", remedy="Give its address: --scheduler tcp://host:8786, or set run.scheduler"
        )
    try:
        distributed = importlib.import_module("distributed")  # an extra, needed by nothing else
    except ImportError as error:
        raise ConfigurationError("RUN44", "the package distributed is not installed", remedy=_EXTRA) from error
    is_file = "://" not in scheduler
    if is_file and not Path(scheduler).is_file():  # the library would wait for the file, and say nothing
        raise ConfigurationError(
            "RUN44",
            f"there is no file {scheduler} of a Dask scheduler",
            remedy="Start it with dask scheduler --scheduler-file FILE, or give its address: --scheduler tcp://host:8786",
        )
    try:
        where = {"scheduler_file" if is_file else "address": scheduler}
        client = distributed.Client(**where, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:  # no answer in time is an OSError, too
        raise ConfigurationError(
            "RUN44", f"no Dask scheduler answers at {scheduler}", remedy="Start one: dask scheduler; then dask worker ADDRESS"
        ) from error
    with client:
        _wait_for_a_worker(client, scheduler)
        yield client.get_executor(pure=False)


def _wait_for_a_worker(client: Any, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_WORKER_SECONDS)
    except TimeoutError as error:
        raise ConfigurationError(
            "RUN44", f"no worker has joined the Dask scheduler at {scheduler}", remedy="Start some: dask worker ADDRESS"
        ) from error
