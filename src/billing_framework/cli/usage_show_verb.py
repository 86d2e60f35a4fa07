"""``billing usage show`` and ``waiting``: what became of one usage record, and what no document has billed yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type
from billing_framework.cli.output import emit, fields, table
from billing_framework.run.deployment import Deployment
from billing_framework.run.usage.history import BilledAs, RecordHistory, record_history
from billing_framework.run.usage.waiting import waiting_usage


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
    if bill.document:
        yield f"billed by {bill.document} of {bill.account}{free}"
    else:  # a migration has drafted it, and never gives a number
        yield f"billed to {bill.account} by another system, as a migration has taken over"
    for edit in one.edits:
        who = f"by {edit.actor} at {edit.at.isoformat(timespec='seconds')}"
        yield f"  {edit.name}: {edit.before} -> {edit.after}, {who}: {edit.reason}"


@click.command()
@click.option("--before", type=date_type, metavar="DATE", help="Only what started before this date; by default all.")
@pass_deployment
@click.pass_context
def waiting(context: click.Context, deployment: Deployment, *, before: datetime | None) -> None:
    """List what was delivered and no document has billed yet, of kinds whose records are each billed once.

    The next bill takes it in, where its identifier belongs to an agreement at that time; what belongs to none is shown too.

    Example:
      billing usage waiting
      billing usage waiting --before 2026-07-01 --json
    """
    found = waiting_usage(deployment, before=before.date() if before else None)
    headers = ("kind", "subject", "agreements", "records", "oldest", "newest")
    rows = [
        (one.kind, one.subject, ", ".join(one.agreements) or "none", one.records, one.oldest.isoformat(), one.newest.isoformat())
        for one in found
    ]
    emit(context, found, lambda: table(headers, rows, right=("records",)))
