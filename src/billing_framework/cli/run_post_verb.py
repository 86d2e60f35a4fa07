"""``billing run post``: the documents of a run are issued."""

from __future__ import annotations

from typing import Any

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit
from billing_framework.cli.run_argument import run_argument
from billing_framework.cli.run_progress import run_progress
from billing_framework.cli.run_status_verb import ended_early
from billing_framework.cli.run_work_options import work_from, work_options
from billing_framework.run.cycle.post import post_run
from billing_framework.run.deployment import Deployment
from billing_framework.storage.billing.run_rows import Run


@click.command()
@run_argument
@click.option(
    "--chunk-size", type=click.IntRange(1, 10_000), metavar="N", help="Documents per transaction; a whole shard by default."
)
@work_options
@pass_deployment
@click.pass_context
def post(context: click.Context, /, deployment: Deployment, *, run_code: str, chunk_size: int | None, **given: Any) -> None:
    """Post an approved run, or go on where an earlier call was cut off.

    Example:
      billing run post
      billing run post US.2026-07-01.monthly-1.1 --executor dask --scheduler tcp://10.0.0.5:8786
    """
    with run_progress("posting", "documents") as progress:
        work = work_from(deployment, given, transaction_size=chunk_size)
        report = post_run(deployment, run_code, work=work, progress=progress)
    lines = [f"run {report.run.code}: {report.posted} documents posted, {report.existing} were posted before"]
    lines += [f"  void: account {account}: {reason}" for account, reason in report.void.items()]
    if report.taken_over:
        lines[0] = f"run {report.run.code}: {report.taken_over} accounts taken over as billed, nothing is issued"
    elif report.was_ended:
        lines[0] = ended_meanwhile(report.run, report.posted, report.left)
    elif not report.posted and report.run.is_open:
        lines[0] = f"nothing to do: all that is approved of run {report.run.code} is posted"
    elif not report.posted:
        early = f", ended early {ended_early(report.run, report.left)}" if report.run.is_ended_early else ""
        lines[0] = f"nothing to do: run {report.run.code} is {report.run.state}{early}"
    if report.remaining:
        lines.append(f"  {report.remaining} accounts are drafted and not approved: billing run approve {report.run.code}")
    emit(context, report, lines)
    if report.void or report.was_ended:
        context.exit(1)


def ended_meanwhile(run: Run, posted: int, left: int) -> str:
    """Return what became of a run that somebody cancelled while it was posted."""
    rest = f"{left} accounts are left to the next run"
    return f"run {run.code}: {posted} documents posted, then {run.ended_by} ended it: {run.reason}; {rest}"


VERBS = (post,)
