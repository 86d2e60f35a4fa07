"""``billing outbox``: how issued documents leave, what is delivered, and what failed."""

from __future__ import annotations

from collections.abc import Mapping

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import reason_option
from billing_framework.cli.number_option import COUNT, NUMBER
from billing_framework.cli.output import emit, progress, table
from billing_framework.run.deliver.outbox import DeliveryReport, deliver, outbox_counts, refuse_unknown_ways, retry
from billing_framework.run.deployment import Deployment
from billing_framework.storage.billing.documents import find_document
from billing_framework.storage.delivery_rows import STATES, deliveries


@click.group()
def outbox() -> None:
    """Deliver issued documents on the ways that billing.toml lists, and see what has become of them.

    Example:
      billing outbox deliver
      billing outbox status
      billing outbox list --state failed
    """


@outbox.command("deliver")
@click.option("--limit", default=0, type=NUMBER, help="At most so many files; all that are due by default.")
@pass_deployment
@click.pass_context
def deliver_verb(context: click.Context, deployment: Deployment, *, limit: int) -> None:
    """Deliver every document that is due on each of its ways; what fails is tried again later, by this command.

    Exit code 1 where something failed now.

    Example:
      billing outbox deliver
      billing outbox deliver --limit 500
    """
    with progress(limit, "delivered") as bar:
        report = deliver(deployment, limit=limit, progress=bar.update)
    emit(
        context,
        report,
        lambda: [*_failed(report), f"{report.done} delivered, {len(report.failed)} failed", _counted(report.counts)],
    )
    if report.failed:
        context.exit(1)


def _failed(report: DeliveryReport) -> list[str]:
    return [f"{one.document} on {one.step}, try {one.tries}: {one.error}" for one in report.failed]


def _counted(counts: Mapping[str, Mapping[str, int]]) -> str:
    rows = [(step, *(by_state.get(state, 0) for state in STATES)) for step, by_state in counts.items()]
    return table(("way", *STATES), rows, right=STATES)


@outbox.command()
@pass_deployment
@click.pass_context
def status(context: click.Context, deployment: Deployment) -> None:
    """Count the documents of each way by what has become of them; exit code 1 where some failed.

    Example:
      billing outbox status
      billing outbox status --json
    """
    counts = outbox_counts(deployment)
    emit(context, counts, lambda: _counted(counts))
    if any(by_state.get("failed") for by_state in counts.values()):
        context.exit(1)


@outbox.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only in this state; may be repeated.")
@click.option("--way", "steps", multiple=True, metavar="NAME", help="Only on this way; may be repeated.")
@click.option("--document", "documents", multiple=True, metavar="NUMBER", help="Only of this document; may be repeated.")
@click.option("--limit", default=1_000, show_default=True, type=COUNT, help="At most so many.")
@pass_deployment
@click.pass_context
def list_deliveries(
    context: click.Context,
    deployment: Deployment,
    *,
    states: tuple[str, ...],
    steps: tuple[str, ...],
    documents: tuple[str, ...],
    limit: int,
) -> None:
    """List deliveries by document and way: state, tries, when the next try is due, file or error.

    Example:
      billing outbox list --state failed
      billing outbox list --document INV-2026-000001
    """
    with deployment.database.read() as connection:
        refuse_unknown_ways(deployment, connection, steps)
        found = deliveries(connection, states=states or STATES, steps=steps, documents=documents, limit=limit)
        for number in sorted({*documents} - {one.document for one in found}):
            find_document(connection, number)  # refuses one that there is not
    rows = [(one.document, one.step, one.state, one.tries, one.next_try_at, one.error or one.file) for one in found]
    headers = ("document", "way", "state", "tries", "next try", "file or error")
    emit(context, found, lambda: table(headers, rows, right=("tries",), whole=("file or error",)))


@outbox.command("retry")
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@click.option("--all", "all_failed", is_flag=True, help="All that have failed.")
@click.option("--way", "step", default="", metavar="NAME", help="Only on this way.")
@reason_option
@pass_deployment
@click.pass_context
def retry_verb(
    context: click.Context, deployment: Deployment, *, numbers: tuple[str, ...], all_failed: bool, step: str, reason: str
) -> None:
    """Let what has failed be tried at once again, with all its tries; then run billing outbox deliver.

    Example:
      billing outbox retry INV-2026-000001 --reason "the address was corrected"
      billing outbox retry --all --way archive --reason "the disk is back"
    """
    again = retry(deployment, reason=reason, documents=numbers, step=step, all_failed=all_failed)
    emit(context, again, f"{len(again)} deliveries are due again: billing outbox deliver")
