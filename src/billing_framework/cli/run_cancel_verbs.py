"""``billing run cancel`` and ``billing run purge``: a run that is not wanted."""

from __future__ import annotations

from collections.abc import Mapping

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import reason_option
from billing_framework.cli.output import emit
from billing_framework.run.cycle.cancel import cancel_run, purge_run
from billing_framework.run.deployment import Deployment
from billing_framework.values.spelling import first_of

_MOST_NAMED = 20
"""Accounts that are named whose edits are gone."""


@click.command()
@click.argument("run_code", metavar="RUN")
@click.option("--void-numbers", is_flag=True, help="Issue the numbers as void that cannot go back to their series.")
@reason_option
@pass_deployment
@click.pass_context
def cancel(context: click.Context, deployment: Deployment, *, run_code: str, void_numbers: bool, reason: str) -> None:
    """Cancel a run, or what is left of one that is posted in part; drafts go, and their accounts can be billed by another run.

    Numbers that are not issued yet go back to their series. Where some cannot, because their posting has begun or later ones are
    given out, it is refused, unless you say with --void-numbers that they are to be issued as void.

    Example:
      billing run cancel US.2026-07-01.monthly-1.1 --reason "wrong price plan"
      billing run cancel US.2026-07-01.monthly-1.1 --void-numbers --reason "the rest is wrong"
    """
    report = cancel_run(deployment, run_code, reason=reason, void_numbers=void_numbers)
    done = f"run {report.run.code} is cancelled, {report.drafts} drafts removed"
    if report.run.state == "posted":
        done = f"run {report.run.code} is ended: what it has posted stays, {report.left} accounts are left to the next run"
    if report.was_cancelled:
        done = f"nothing to do: run {report.run.code} was cancelled before"
    lost = [_lost(report.edits)] if report.edits else []
    void = [f"  issued as void, {len(report.void)} numbers: {', '.join(report.void_ranges)}"] if report.void else []
    emit(context, report, [done, *lost, *void])


def _lost(edits: Mapping[str, int]) -> str:
    """Return whose edits of drafts the next run does not know."""
    some = first_of(list(edits), _MOST_NAMED)
    return f"  officers' edits that go with the drafts: {sum(edits.values())}, of {some}; make them again where they shall hold"


@click.command()
@click.argument("run_code", metavar="RUN")
@pass_deployment
@click.pass_context
def purge(context: click.Context, deployment: Deployment, *, run_code: str) -> None:
    """Remove a rehearsal with its drafts.

    Example:
      billing run purge US.2026-07-01.monthly-1.r1
    """
    drafts = purge_run(deployment, run_code)
    emit(context, {"run": run_code, "drafts": drafts}, f"rehearsal {run_code} is removed with {drafts} drafts")


VERBS = (cancel, purge)
