"""``billing usage show``: what became of one usage record."""

from __future__ import annotations

from collections.abc import Iterator

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, fields
from billing_framework.run.deployment import Deployment
from billing_framework.run.usage.history import BilledAs, RecordHistory, record_history


@click.command()
@click.argument("record")
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, *, record: str) -> None:
    """Show a record as it was delivered, what reviewers made of it, and the documents that have billed it.

    RECORD is its key, or its source and its id there. Personal fields are withheld.

    Example:
      billing usage show floor/T-4711
      billing usage show 4611686018427387904 --json
    """
    found = record_history(deployment, record)
    emit(context, found, lambda: _text(found))


def _text(found: RecordHistory) -> Iterator[str]:
    yield fields(
        [
            ("key", found.key),
            *((name, value) for name, value in found.record.items()),
            ("file", found.file),
            ("taken in", found.taken_at.isoformat(timespec="seconds")),
            ("replaced by", found.replaced_by or ""),
        ]
    )
    yield ""
    if not found.bills:
        yield "not noted as billed by any document"
    for one in found.bills:
        yield from _billed(one)


def _billed(one: BilledAs) -> Iterator[str]:
    bill = one.bill
    free = f", free again by {bill.credited_by}" if bill.credited_by else ""
    yield f"billed by {bill.document} of {bill.account}{free}"
    for edit in one.edits:
        who = f"by {edit.actor} at {edit.at.isoformat(timespec='seconds')}"
        yield f"  {edit.name}: {edit.before} -> {edit.after}, {who}: {edit.reason}"
