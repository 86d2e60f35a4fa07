"""``billing run status``: how far a run has come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, fields, table
from billing_framework.cli.run_argument import run_argument
from billing_framework.run.deployment import Deployment
from billing_framework.run.review.status import RunStatus, StepStatus, run_status
from billing_framework.storage.billing.run_rows import Run

_UNITS = {"draft": "accounts", "post": "documents"}


@click.command()
@run_argument
@pass_deployment
@click.pass_context
def status(context: click.Context, deployment: Deployment, *, run_code: str) -> None:
    """Tell how far a run has come: shards, who works on which until when, accounts, holds, pace.

    Example:
      billing run status
      billing run status US.2026-07-01.monthly-1.1 --json
    """
    found = run_status(deployment, run_code)
    emit(context, found, lambda: _status(found))


def _status(found: RunStatus) -> Iterator[str]:
    yield fields(
        [
            ("run", f"{found.run.code} ({found.run.kind}, {found.run.state})"),
            ("accounts", ", ".join(f"{count} {state}" for state, count in found.accounts.items())),
            *([("held by", ", ".join(f"{name} {count}" for name, count in found.holds.items()))] if found.holds else []),
            *([("ended early", ended_early(found.run, found.left))] if found.run.is_ended_early else []),
        ]
    )
    for step in found.steps:
        yield ""
        yield from _step(step)


def ended_early(run: Run, left: int) -> str:
    """Return by whom and why a run was cancelled after a part of it was posted, and what that has left."""
    return f"by {run.ended_by}: {run.reason}; {left} accounts are left to the next run"


def _step(step: StepStatus) -> Iterator[str]:
    shards = ", ".join(f"{count} {state}" for state, count in step.shards.items())
    yield f"{step.step}: {step.saved} of {step.size} {_UNITS[step.step]}; shards: {shards}"
    if step.per_minute is not None:
        left = "" if step.remaining_seconds is None else f", {timedelta(seconds=step.remaining_seconds)} left"
        yield f"  {step.per_minute} {_UNITS[step.step]} per minute{left}"
    if step.held:
        rows = [
            (
                one.shard,
                f"{one.saved}/{one.size}",
                one.worker,
                one.lease_until.isoformat(timespec="seconds"),
                _word(free=one.free),
            )
            for one in step.held
        ]
        yield table(("shard", "saved", "worker", "lease until", ""), rows, right=("shard", "saved"))
    yield from (f"  shard {number} was given back: {error}" for number, error in step.errors.items())


def _word(*, free: bool) -> str:
    return "gone; anybody may take it" if free else "at work"


VERBS = (status,)
