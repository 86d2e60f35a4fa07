"""``billing run``: the cycle run from start to posting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.document_view import document_text
from billing_framework.cli.master_verbs import reason_option
from billing_framework.cli.output import emit, fields, table
from billing_framework.cli.run_approve_verb import APPROVE_VERBS
from billing_framework.cli.run_argument import run_argument
from billing_framework.cli.run_cycle_verbs import CYCLE_VERBS
from billing_framework.cli.run_draft_verbs import DRAFT_VERBS
from billing_framework.cli.run_figures_verbs import FIGURES_VERBS
from billing_framework.cli.run_held_verbs import HELD_VERBS
from billing_framework.cli.run_late_verbs import LATE_VERBS
from billing_framework.cli.run_progress import run_progress
from billing_framework.cli.run_review_verb import review
from billing_framework.cli.run_start_verb import START_VERBS
from billing_framework.cli.run_status_verb import STATUS_VERBS
from billing_framework.cli.run_work_options import work_from, work_options
from billing_framework.run.cycle.cancel import cancel_run, purge_run
from billing_framework.run.cycle.post import post_run
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.invoices import show_draft
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_rows import Run, RunAccount, run_accounts, runs


@click.group()
def run() -> None:
    """Bill a cycle: start, review, approve, post.

    RUN is the code of a run or its end. The help of each command says which run it means where none is named.

    Example:
      billing run start --book US --cycle monthly:1 --period 2026-07
      billing run review
      billing run approve
      billing run post
    """


run.add_command(review)
for verb in (*START_VERBS, *CYCLE_VERBS, *APPROVE_VERBS, *DRAFT_VERBS, *HELD_VERBS, *LATE_VERBS, *FIGURES_VERBS, *STATUS_VERBS):
    run.add_command(verb)


@run.command("list")
@click.option("--book", default="", metavar="CODE", help="Only runs of this book.")
@pass_deployment
@click.pass_context
def list_runs(context: click.Context, deployment: Deployment, book: str) -> None:
    """List the runs, newest first.

    Example:
      billing run list
    """
    with deployment.database.read() as connection:
        found = runs(connection, **({"book": book} if book else {}))
    rows = [(one.code, one.period, one.kind, one.state, one.as_of, one.started_by, one.approved_by) for one in found]
    headers = ("run", "period", "kind", "state", "documents of", "started by", "approved by")
    emit(context, found, lambda: table(headers, rows))


@run.command()
@run_argument
@click.argument("account", default="")
@click.option("--state", "states", multiple=True, metavar="STATE", help="Only accounts in this state; may be repeated.")
@click.option("--items", is_flag=True, help="List what the lines of a draft consist of, where the trade lists it.")
@pass_deployment
@click.pass_context
def show(
    context: click.Context, deployment: Deployment, *, run_code: str, account: str, states: tuple[str, ...], items: bool
) -> None:
    """Show a run with its accounts, or the draft of one account.

    Example:
      billing run show
      billing run show US.2026-07-01.monthly-1.1 A-1001
    """
    if account:
        one, shown = show_draft(deployment, run_code, account)
        emit(
            context,
            {"run": one.code, "document": shown.document, "edits": shown.edits},
            lambda: document_text(shown, with_items=items),
        )
        return
    with deployment.database.read() as connection:
        found = meant_run(connection, run_code)
        accounts = run_accounts(connection, found, states=states)
    emit(context, {"run": found, "accounts": accounts}, lambda: _shown(found, accounts))


def _shown(found: Run, accounts: list[RunAccount]) -> Iterator[str]:
    yield fields(
        [
            ("run", f"{found.code} ({found.kind}, {found.state})"),
            ("period", found.period),
            ("documents of", found.as_of),
            ("started", f"{found.started_at.isoformat(timespec='seconds')} by {found.started_by}"),
            (
                "approved",
                f"{found.approved_at.isoformat(timespec='seconds')} by {found.approved_by}" if found.approved_at else "",
            ),
            ("ended", f"{found.ended_at.isoformat(timespec='seconds')} by {found.ended_by}" if found.ended_at else ""),
            ("digest", found.digest),
        ]
    )
    yield ""
    rows = [(row.account, row.state, row.version, row.reason) for row in accounts]
    yield table(("account", "state", "draft", "reason"), rows, right=("draft",), whole=("reason",))


@run.command()
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
    elif not report.posted:
        lines[0] = f"nothing to do: run {report.run.code} is {report.run.state}"
    emit(context, report, lines)
    if report.void:
        context.exit(1)


@run.command()
@click.argument("run_code", metavar="RUN")
@reason_option
@pass_deployment
@click.pass_context
def cancel(context: click.Context, deployment: Deployment, *, run_code: str, reason: str) -> None:
    """Cancel a run, or what is left of one that is posted in part; drafts go, and their accounts can be billed by another run.

    Example:
      billing run cancel US.2026-07-01.monthly-1.1 --reason "wrong price plan"
    """
    report = cancel_run(deployment, run_code, reason=reason)
    done = f"run {report.run.code} is cancelled, {report.drafts} drafts removed"
    if report.run.state == "posted":
        done = f"run {report.run.code} is ended: what it has posted stays, {report.left} accounts are left to the next run"
    if report.was_cancelled:
        done = f"nothing to do: run {report.run.code} was cancelled before"
    emit(context, report, [done, *(f"  {number} is issued as void" for number in report.void)])


@run.command()
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
