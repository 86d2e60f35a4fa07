"""The verbs of ``billing run`` for usage that came after its period was billed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.document_view import comparison_text
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.output import emit, exit_for, show_findings, table
from billing_framework.cli.run_argument import run_argument
from billing_framework.run.correct.late_items import late_of_run
from billing_framework.run.correct.late_run import LateComparison, LateRebill, compare_late, rebill_late
from billing_framework.run.deployment import Deployment


@click.command()
@run_argument
@click.option("--compare", is_flag=True, help="Show instead what a rebill would change of each document that waits for it.")
@pass_deployment
@click.pass_context
def late(context: click.Context, deployment: Deployment, *, run_code: str, compare: bool) -> None:
    """Show the late usage that the drafts of a run were made with: billed by its difference, waiting for a rebill, or too old.

    Example:
      billing run late
      billing run late US.2026-07-01.monthly-1.1 --json
      billing run late --compare
    """
    if compare:
        found = compare_late(deployment, run_code)
        emit(context, found, lambda: _compared(found))
        return
    items = late_of_run(deployment, run_code)
    rows = [(one.account, one.document, one.code, one.outcome) for one in items]
    listed = table(("account", "document", "code", "outcome"), rows, whole=("outcome",))
    emit(context, items, [listed] if items else [listed, "late usage of billed periods, on a draft or not: billing usage late"])


def _compared(found: Sequence[LateComparison]) -> Iterator[str]:
    for one in found:
        fate = "stays as it is" if one.unchanged else "falls away" if one.comparison is None else ""
        yield f"{one.document}: {fate}" if fate else one.document
        if one.comparison is not None:
            yield comparison_text(one.comparison)
    if not found:
        yield "no document waits for a rebill"


@click.command(name="rebill-late")
@run_argument
@click.option("--as-of", type=date_type, metavar="DATE", help="Date of the new documents; today by default.")
@click.option("--held", is_flag=True, help="Rebill those, too, of which the plan leaves the decision to you.")
@reason_option
@pass_deployment
@click.pass_context
def rebill_late_verb(
    context: click.Context, deployment: Deployment, *, run_code: str, as_of: datetime | None, held: bool, reason: str
) -> None:
    """Credit and bill anew all documents that wait for it in a run, then start the run again to draft their accounts.

    Exit code 1 where a document could not be rebilled; the others are.

    Example:
      billing run rebill-late --reason "usage came late"
      billing run rebill-late US.2026-07-01.monthly-1.1 --held --reason "usage came late"
    """
    report = rebill_late(deployment, run_code, reason=reason, as_of=as_of.date() if as_of else None, held=held)
    show_findings(context, report.findings)
    emit(context, report, lambda: _text(report))
    exit_for(context, report.findings)


def _text(report: LateRebill) -> Iterator[str]:
    if not report.rebilled and not report.findings:
        yield f"nothing to do: no account of the run {report.run} waits for a document to be billed anew"
        return
    for one in report.rebilled:
        done = "stays as it is" if one.unchanged else f"{one.note or 'no credit note'}, {one.new or 'no new document'}"
        yield f"{one.document}: {done}"
        for later in one.later:
            yield f"  {later.number} rests on it: {later.outcome}"
    failed = f", {len(report.findings)} were not" if report.findings else ""
    yield f"{len(report.rebilled)} documents were rebilled for the run {report.run}{failed}"
    if report.rebilled:
        yield f"draft what rests on them again: billing run resume {report.run}"


VERBS = (late, rebill_late_verb)
