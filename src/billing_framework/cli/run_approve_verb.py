"""``billing run approve``: the whole run, or the part of it that fits a filter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import reason_option
from billing_framework.cli.money_option import money_or_number
from billing_framework.cli.output import emit, exit_for, show_findings
from billing_framework.cli.run_argument import run_argument
from billing_framework.run.cycle.approve import ApprovalReport, approve_run
from billing_framework.run.cycle.approve_part import ApprovalFilter
from billing_framework.run.deployment import Deployment


@click.command()
@run_argument
@click.option("--account", "accounts", multiple=True, metavar="CODE", help="Only this account, with all billed together; repeat.")
@click.option("--up-to", type=money_or_number, metavar="AMOUNT", help="Only documents up to this total, such as 500.00USD.")
@click.option("--plan", "plans", multiple=True, metavar="CODE", help="Only accounts whose agreements are on this plan; repeat.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Only accounts of this run group; may be repeated.")
@reason_option
@pass_deployment
@click.pass_context
def approve(context: click.Context, /, deployment: Deployment, *, run_code: str, reason: str, **given: Any) -> None:
    """Approve a run: its documents and numbers are fixed, held accounts are left out.

    With a filter only a part is approved. The rest stays drafted: approve it later, before or after the first part is posted, or
    cancel the run, so that the next one bills it.

    Example:
      billing run approve
      billing run approve US.2026-07-01.monthly-1.1 --actor ben --reason "totals compared with June"
      billing run approve --up-to 500.00USD --plan residential
    """
    wanted = ApprovalFilter(accounts=given["accounts"], up_to=given["up_to"], plans=given["plans"], groups=given["groups"])
    report = approve_run(deployment, run_code, wanted=wanted, reason=reason)
    show_findings(context, report.findings)
    emit(context, report, lambda: _told(report))
    exit_for(context, report.findings)


def _told(report: ApprovalReport) -> Iterator[str]:
    if report.findings:
        yield f"run {report.run.code} is not approved: {len(report.findings)} findings"
    elif report.was_approved and report.remaining:
        yield f"nothing to do: what is named of run {report.run.code} is approved already"
    elif report.was_approved:
        yield f"nothing to do: run {report.run.code} is {report.run.state}"
    else:
        yield f"run {report.run.code}: {report.documents} documents approved, {report.left_out} held accounts left out"
        if report.remaining:
            yield f"  {report.remaining} accounts stay drafted and can be approved later"


VERBS = (approve,)
