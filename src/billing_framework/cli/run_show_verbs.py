"""``billing run list`` and ``billing run show``: the runs, one run, one draft."""

from __future__ import annotations

from collections.abc import Iterator

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.document_view import document_text
from billing_framework.cli.output import emit, fields, table
from billing_framework.cli.run_argument import run_argument
from billing_framework.cli.run_status_verb import ended_early
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.invoices import show_draft
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_counts import count_left
from billing_framework.storage.billing.run_rows import Run, RunAccount, run_accounts, runs
from billing_framework.storage.master.book_rows import load_book

_STATES = ("pending", "drafted", "held", "approved", "posted", "skipped")


@click.command("list")
@click.option("--book", default="", metavar="CODE", help="Only runs of this book.")
@pass_deployment
@click.pass_context
def list_runs(context: click.Context, deployment: Deployment, book: str) -> None:
    """List the runs, newest first.

    Example:
      billing run list
    """
    with deployment.database.read() as connection:
        if book:
            load_book(connection, book)
        found = runs(connection, **({"book": book} if book else {}))
        left = {one.code: count_left(connection, one) for one in found}
    rows = [
        (one.code, one.period, one.kind, _state(one, left[one.code]), one.as_of, one.started_by, one.approved_by) for one in found
    ]
    headers = ("run", "period", "kind", "state", "documents of", "started by", "approved by")
    emit(context, found, lambda: table(headers, rows))


@click.command()
@run_argument
@click.argument("account", default="")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only accounts in this state; repeat.")
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
        left = count_left(connection, found)
    emit(context, {"run": found, "accounts": accounts, "left": left}, lambda: _shown(found, accounts, left))


def _state(run: Run, left: int) -> str:
    return f"{run.state}, {left} left" if run.is_ended_early else run.state


def _shown(found: Run, accounts: list[RunAccount], left: int) -> Iterator[str]:
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
            *([("ended early", ended_early(found, left))] if found.is_ended_early else []),
            ("digest", found.digest),
        ]
    )
    yield ""
    rows = [(row.account, row.state, row.version, row.reason) for row in accounts]
    yield table(("account", "state", "draft", "reason"), rows, right=("draft",), whole=("reason",))


VERBS = (list_runs, show)
