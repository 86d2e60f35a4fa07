"""``billing run resume``: going on with a run that was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, show_findings
from billing_framework.cli.run_argument import run_argument
from billing_framework.cli.run_post_verb import ended_meanwhile
from billing_framework.cli.run_progress import run_progress
from billing_framework.cli.run_work_options import work_from, work_options
from billing_framework.run.cycle.resume import ResumeReport, resume_run
from billing_framework.run.deployment import Deployment


@click.command()
@run_argument
@work_options
@pass_deployment
@click.pass_context
def resume(context: click.Context, /, deployment: Deployment, *, run_code: str, **given: Any) -> None:
    """Go on with a run that was cut off, drafting or posting; what was saved stands, and nothing is done twice.

    Example:
      billing run resume
      billing run resume US.2026-07-01.monthly-1.1 --executor processes --workers 4
    """
    with run_progress("going on", "items") as progress:
        report = resume_run(deployment, run_code, work=work_from(deployment, given), progress=progress)
    show_findings(context, report.findings)
    emit(context, report, lambda: _resumed(report))
    if report.void or report.was_ended:
        context.exit(1)


def _resumed(report: ResumeReport) -> Iterator[str]:
    if report.step == "draft":
        yield f"run {report.run.code}: {report.drafted} accounts drafted; it is {report.run.state}"
    elif report.was_ended:
        yield ended_meanwhile(report.run, report.posted, report.left)
    elif report.step == "post":
        yield f"run {report.run.code}: {report.posted} documents posted; it is {report.run.state}"
        yield from (f"  void: account {account}: {reason}" for account, reason in report.void.items())
    else:
        yield f"nothing to do: run {report.run.code} is {report.run.state}"
    yield from (f"  {count} {state}" for state, count in report.counts.items())
    if report.counts.get("held"):
        yield f"  why: billing run review {report.run.code}"


VERBS = (resume,)
