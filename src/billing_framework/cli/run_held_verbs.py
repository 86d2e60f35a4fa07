"""``billing run release`` and ``billing run retry``: what is done about held accounts, one of them or many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import reason_option
from billing_framework.cli.output import emit, progress
from billing_framework.cli.run_argument import named_run_argument, run_argument
from billing_framework.cli.run_draft_verbs import APPROVAL_WITHDRAWN, account_state, is_approved
from billing_framework.run.deployment import Deployment
from billing_framework.run.review.edits import release_account
from billing_framework.run.review.held import BulkRelease, HeldFilter, Retried, release_held, retry_held

Command = TypeVar("Command", bound=Callable[..., Any])


def _filter_options(command: Command) -> Command:
    options = (
        click.option("--account", "accounts", multiple=True, metavar="CODE", help="Only this account; may be repeated."),
        click.option("--check", "checks", multiple=True, metavar="NAME", help="Only what this check holds; may be repeated."),
        click.option("--code", "codes", multiple=True, metavar="CODE", help="Only what findings of this code hold; repeat."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@named_run_argument
@click.argument("account", default="")
@_filter_options
@click.option("--all", "everything", is_flag=True, help="All held accounts that may pass.")
@reason_option
@pass_deployment
@click.pass_context
def release(
    context: click.Context, /, deployment: Deployment, *, run_code: str, account: str, reason: str, everything: bool, **given: Any
) -> None:
    """Let held drafts pass as they are, which voids an approval; where the content of one changes later, it is checked again.

    Name the ACCOUNT, or choose many of them by what holds them. Where something else holds an account, too, or its data do, it
    stays held, and the exit code is 1.

    Example:
      billing run release US.2026-07-01.monthly-1.1 A-1001 --reason "reading confirmed"
      billing run release US.2026-07-01.monthly-1.1 --check zero_usage --reason "holiday homes"
      billing run release US.2026-07-01.monthly-1.1 --code REVIEW01 --account A-1001 --account A-1002 --reason "known"
    """
    wanted = HeldFilter(accounts=given["accounts"], checks=given["checks"], codes=given["codes"])
    if account:
        if everything or wanted != HeldFilter():
            raise click.UsageError("name the account, or choose accounts by options, not both")
        approved = is_approved(deployment, run_code)
        row = release_account(deployment, run_code, account, reason=reason)
        emit(context, row, account_state(row, was_approved=approved))
        return
    if everything == (wanted != HeldFilter()):
        raise click.UsageError("name an account, or choose accounts by --account, --check and --code, or say --all")
    report = release_held(deployment, run_code, wanted, reason=reason)
    emit(context, report, lambda: _released(report))
    if report.left:
        context.exit(1)


def _released(report: BulkRelease) -> Iterator[str]:
    if not report.released and not report.left:
        yield f"nothing to do: no account of run {report.run.code} is held for this"
        return
    yield f"run {report.run.code}: {len(report.released)} accounts released, {len(report.left)} stay held"
    yield from (f"  held: {account}: {why}" for account, why in report.left.items())
    if report.withdrew_approval:
        yield APPROVAL_WITHDRAWN


@click.command()
@run_argument
@_filter_options
@click.option("--batch-size", default=200, show_default=True, type=click.IntRange(1, 10_000), help="Accounts per transaction.")
@pass_deployment
@click.pass_context
def retry(context: click.Context, /, deployment: Deployment, *, run_code: str, batch_size: int, **given: Any) -> None:
    """Draft held accounts again, after their data or a plugin were mended; exit code 1 where some are held still.

    `billing run start` drafts only those again whose input has changed. This drafts all of them.

    Example:
      billing run retry
      billing run retry US.2026-07-01.monthly-1.1 --check rating --code PLAN13
    """
    wanted = HeldFilter(accounts=given["accounts"], checks=given["checks"], codes=given["codes"])
    with progress(1, "drafting") as bar:
        report = retry_held(
            deployment, run_code, wanted, batch_size=batch_size, progress=lambda done, of: _advance(bar, done, of)
        )
    emit(context, report, lambda: _retried(report))
    if report.held:
        context.exit(1)


def _advance(bar: Any, done: int, of: int) -> None:
    bar.length = of
    bar.update(done - bar.pos)


def _retried(report: Retried) -> Iterator[str]:
    if not report.retried:
        yield f"nothing to do: no account of run {report.run.code} is held for this"
    else:
        yield f"run {report.run.code}: {report.retried} accounts drafted again, {len(report.drafted)} are held no longer"
    yield from (f"  held: {account}: {why}" for account, why in report.held.items())
    if report.left:
        yield f"  {report.left} wait for an officer, or for dates that another run bills"


VERBS = (release, retry)
