"""The options that say who works on a run and in what portions; by default as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import click

from billing_framework.run.deployment import Deployment
from billing_framework.run.work.work import EXECUTORS, Work, work_of

_OPTIONS = (
    click.option("--executor", type=click.Choice(EXECUTORS), help="Who works: this process, worker processes, a Dask cluster."),
    click.option("--workers", type=click.IntRange(1, 1_000), metavar="N", help="Number of worker processes."),
    click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler: tcp://10.0.0.5:8786, or its file."),
    click.option(
        "--shard-size",
        type=click.IntRange(1, 1_000_000),
        metavar="N",
        help="Accounts in a shard; of many documents to post, up to five times as many.",
    ),
    click.option(
        "--lease-seconds",
        type=click.IntRange(1, 86_400),
        metavar="N",
        help="How long a worker may be silent before another takes over.",
    ),
)
_NAMES = ("executor", "workers", "scheduler", "shard_size", "lease_seconds")


def work_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options from which `work_from` reads who works."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def work_from(deployment: Deployment, given: dict[str, Any], *, transaction_size: int | None = None) -> Work:
    """Return how a run is worked on: as the options say, else as the settings do.

    Args:
        deployment: the deployment.
        given: the options of the command.
        transaction_size: accounts or documents per transaction; a whole shard where None.
    """
    chosen = {name: given[name] for name in _NAMES if given.get(name) is not None}
    if "scheduler" in chosen and "executor" not in chosen:
        chosen["executor"] = "dask"
    return attrs.evolve(work_of(deployment, transaction_size), **chosen)
