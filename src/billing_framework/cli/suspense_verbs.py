"""The verbs of ``billing usage`` that decide about records in suspense."""

from __future__ import annotations

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.number_option import NUMBER
from billing_framework.cli.output import emit, table
from billing_framework.cli.reveal import reveal_options
from billing_framework.run.deployment import Deployment
from billing_framework.run.personal.reading import open_suspense, opening
from billing_framework.run.usage.identifiers import refuse_unknown_identifier
from billing_framework.run.usage.suspense import correct, recycle, write_off
from billing_framework.storage.usage.batches import find_batch
from billing_framework.storage.usage.suspense import Suspended, suspense_rows
from billing_framework.values.errors import InputRefused

_STATES = ("suspended", "rejected", "accepted", "duplicate", "written_off")
_HEADERS = ("number", "batch", "line", "state", "kind", "external id", "subject", "code", "what is wrong")


def add_suspense_verbs(usage: click.Group) -> None:
    """Add the verbs to the noun."""
    for verb in (list_suspense, correct_record, recycle_records, write_off_records):
        usage.add_command(verb)


@click.command("suspense")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only this state; may be repeated.")
@click.option("--batch", default=0, type=NUMBER, help="Only records of this batch.")
@click.option("--subject", default="", help="Only records of this identifier.")
@reveal_options
@pass_deployment
@click.pass_context
def list_suspense(
    context: click.Context,
    deployment: Deployment,
    *,
    states: tuple[str, ...],
    batch: int,
    subject: str,
    reveal: bool,
    reason: str,
) -> None:
    """List the records that wait or were rejected, with what is wrong; with --state also those decided about.

    Of kinds with personal data only the envelope is shown; with --reveal the JSON shows the whole record.

    Example:
      billing usage suspense --batch 3
    """
    with opening(deployment, reveal=reveal, reason=reason) as connection:
        wanted = states or ("suspended", "rejected")
        if batch:
            find_batch(connection, batch)
        rows = list(suspense_rows(connection, states=wanted, batch=batch, subject=subject))
        if subject and not rows:
            refuse_unknown_identifier(connection, subject)
        if reveal:
            rows = open_suspense(connection, deployment, rows, purpose="usage suspense", reason=reason)
    emit(context, [_facts(row) for row in rows], lambda: table(_HEADERS, map(_cells, rows), right=("number", "batch", "line")))


def _facts(row: Suspended) -> dict[str, object]:
    return {
        "number": row.id,
        "batch": row.batch,
        "line": row.line,
        "state": row.state,
        "source": row.source,
        "findings": row.findings,
        "record": row.record,
        "raw": row.raw,
        "resolved_batch": row.resolved_batch,
        "reason": row.reason,
    }


def _cells(row: Suspended) -> tuple[object, ...]:
    first = row.findings[0] if row.findings else None
    told = (first.code, first.what) if first is not None else ("", row.reason and f"corrected: {row.reason}")
    return (row.id, row.batch, row.line, row.state, row.kind, row.external_id, row.subject, *told)


@click.command("correct")
@click.argument("number", type=NUMBER)
@click.argument("changes", nargs=-1, required=True, metavar="FIELD=VALUE...")
@click.option("--reason", required=True, help="Why, for the audit trail.")
@pass_deployment
@click.pass_context
def correct_record(context: click.Context, deployment: Deployment, number: int, changes: tuple[str, ...], reason: str) -> None:
    """Change fields of a record that waits or was rejected; recycle then takes it in.

    Example:
      billing usage correct 17 subject=METER-9 --reason "typing error, told by the source on 3 July"
    """
    pairs = [change.partition("=") for change in changes]
    for name, sign, _ in pairs:
        if not sign:
            raise InputRefused("USAGE01", f"{name!r} says no value", remedy="Write FIELD=VALUE")
    row = correct(deployment, number, {name: value for name, _, value in pairs}, reason)
    emit(context, _facts(row), f"record {number} is corrected; billing usage recycle takes it in")


@click.command("recycle")
@click.argument("numbers", nargs=-1, type=NUMBER)
@click.option("--batch", default=0, type=NUMBER, help="Only records of this batch.")
@pass_deployment
@click.pass_context
def recycle_records(context: click.Context, deployment: Deployment, numbers: tuple[int, ...], batch: int) -> None:
    """Take records in again after their cause was removed; all that wait, or only those named.

    Example:
      billing usage recycle --batch 3
    """
    report = recycle(deployment, batch=batch, ids=numbers)
    totals = report.totals
    done = (
        f"{totals.accepted} accepted, {totals.duplicate} duplicate, {totals.rejected} rejected, {totals.suspended} still waiting"
    )
    told = f"batch {report.batch}: {done}" if report.batch else f"nothing was changed: {totals.suspended} records wait as before"
    emit(context, report, told)
    if totals.rejected:  # what goes on waiting was told when it came
        context.exit(1)


@click.command("write-off")
@click.argument("numbers", nargs=-1, type=NUMBER, required=True)
@click.option("--reason", required=True, help="Why, for the audit trail.")
@pass_deployment
@click.pass_context
def write_off_records(context: click.Context, deployment: Deployment, numbers: tuple[int, ...], reason: str) -> None:
    """Decide that records will never be billed; they stay visible with the reason.

    Example:
      billing usage write-off 17 18 --reason "test readings of the installer"
    """
    rows = write_off(deployment, numbers, reason)
    emit(context, [_facts(row) for row in rows], f"{len(rows)} records are written off")
