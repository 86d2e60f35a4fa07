"""Opens what runs workers: processes of this machine, or an existing Dask cluster; both speak ``concurrent.futures``."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from billing_framework.run.work.work import DASK, PROCESSES, Work
from billing_framework.values.errors import ConfigurationError

_PATIENCE = "20s"
_WORKER_SECONDS = 30
_EXTRA = "pip install 'billing-framework[cluster]'"


@contextmanager
def opened_executor(work: Work) -> Iterator[Executor]:
    """Open the executor that is asked for, and close it at the end of the block; one that was given open stays open.

    Raises:
        ConfigurationError: ``RUN44`` for a name that is unknown, without the address of a scheduler, where none answers, or where
            the package ``distributed`` is not installed.
    """
    if isinstance(work.executor, Executor):
        yield work.executor
    elif work.executor == PROCESSES:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(work.workers, mp_context=context, initializer=_end_with_parent) as pool:
            yield pool
    elif work.executor == DASK:
        with _dask(work.scheduler) as cluster:
            yield cluster
    else:
        raise ConfigurationError("RUN44", f"there is no executor {work.executor!r}", remedy="Use in-process, processes or dask")


def _end_with_parent() -> None:
    """Let this worker end when the process that made it is killed, and leave an interruption to that process."""
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
