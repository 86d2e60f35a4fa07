"""``billing usage``: take usage records in, look at them, and decide about those that wait."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type
from billing_framework.cli.number_option import NUMBER
from billing_framework.cli.output import emit, exit_for, fields, progress, show_findings, table
from billing_framework.cli.reveal import reveal_options
from billing_framework.cli.suspense_verbs import add_suspense_verbs
from billing_framework.cli.usage_show_verb import show, waiting
from billing_framework.cli.usage_verify_verb import verify
from billing_framework.run.cycle.period import run_book
from billing_framework.run.deployment import Deployment
from billing_framework.run.personal.reading import open_usage, opening
from billing_framework.run.usage.identifiers import refuse_unknown_identifier
from billing_framework.run.usage.intake import IntakeReport, take_in
from billing_framework.run.usage.late import late_usage
from billing_framework.storage.usage.batches import Batch, batches, coverage_rows, find_batch
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.load import UsageRow, load_current, newest_batch
from billing_framework.storage.usage.suspense import suspense_counts
from billing_framework.usage.plain import plain_usage
from billing_framework.usage.reader import Coverage
from billing_framework.usage.requirements import kind_rules
from billing_framework.values.clock import timezone
from billing_framework.values.errors import InputRefused
from billing_framework.values.period import Span, midnight

_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)


@click.group()
def usage() -> None:
    """Take in usage records, look at them, and decide about those that wait.

    Example:
      billing usage intake stays.csv --format tickets
      billing usage suspense
    """


add_suspense_verbs(usage)
usage.add_command(show)
usage.add_command(waiting)
usage.add_command(verify)


@usage.command()
@click.argument("file")
@click.option("--format", "file_format", default="", help="Format of the file, always needed; billing plugin show lists them.")
@click.option("--source", default="", help="Who delivered it; by default the format. With the record's id it names a record.")
@click.option("--zone", default="", help="Time zone of local times without offset; by default the deployment's.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the format; may be repeated.")
@pass_deployment
@click.pass_context
def intake(
    context: click.Context,
    deployment: Deployment,
    *,
    file: str,
    file_format: str,
    source: str,
    zone: str,
    options: tuple[str, ...],
) -> None:
    """Take in one file, whole or not at all; taking it in again changes nothing. FILE may be - for standard input.

    Records that cannot be billed yet wait in suspense; then the exit code is 1.

    Example:
      billing usage intake july.csv.gz --format tickets --source west_gate
    """
    if not file_format:
        formats = ", ".join(sorted(deployment.host.readers)) or "none; enable a plugin in deployment.plugins"
        raise click.UsageError(f"say with --format what the file is; known formats: {formats}")
    given = dict(_pair(option) for option in options)
    if file == "-":
        report = take_in(deployment, sys.stdin.buffer, file_format, source=source, zone=zone, options=given)
    else:
        path = Path(file)
        size = path.stat().st_size if path.is_file() else 0
        with progress(size, path.name) as bar:
            report = take_in(
                deployment,
                path,
                file_format,
                source=source,
                zone=zone,
                options=given,
                on_read=lambda position: bar.update(max(position - bar.pos, 0)),
            )
    tell_report(context, report)


def _pair(option: str) -> tuple[str, str]:
    name, sign, value = option.partition("=")
    if not sign:
        raise InputRefused("USAGE28", f"the option {option!r} has no value", remedy="Write --option NAME=VALUE")
    return name, value


def tell_report(context: click.Context, report: IntakeReport) -> None:
    """Print the report of an intake or a recycling, and end with exit code 1 where something waits."""
    show_findings(context, report.findings)
    emit(context, report, lambda: _report(report))
    exit_for(context, report.findings)


def _report(report: IntakeReport) -> str:
    totals = report.totals
    return fields(
        [
            ("batch", f"{report.batch}{' (taken in before; nothing was changed)' if report.repeated else ''}"),
            ("file", report.file),
            ("records", totals.records),
            ("accepted", f"{totals.accepted}{_kinds(totals.by_kind.items())}"),
            ("duplicate", totals.duplicate),
            ("suspended", totals.suspended),
            ("rejected", totals.rejected),
            ("replacing", f"{totals.superseding} (newer versions among the accepted)"),
            ("from", totals.start),
            ("to", totals.end),
            ("values", f"{report.received_values} of {report.expected_values}" if report.expected_values else ""),
        ]
    )


def _kinds(counts: Iterable[tuple[str, int]]) -> str:
    shown = ", ".join(f"{count} {kind}" for kind, count in counts)
    return f" ({shown})" if shown else ""


@usage.command("list")
@click.argument("subject")
@click.option("--from", "first", type=date_type, help="First date, in the deployment's zone.")
@click.option("--to", "last", type=date_type, help="The date after the last.")
@click.option("--kind", default="", help="Only this usage kind.")
@reveal_options
@pass_deployment
@click.pass_context
def list_records(
    context: click.Context,
    deployment: Deployment,
    *,
    subject: str,
    first: datetime | None,
    last: datetime | None,
    kind: str,
    reveal: bool,
    reason: str,
) -> None:
    """List the current records of one identifier; versions that were replaced are left out.

    Personal fields are withheld; with --reveal the JSON shows them.

    Example:
      billing usage list NMI1234567 --from 2026-07-01 --to 2026-08-01
    """
    zone = timezone(deployment.settings.deployment.zone)

    def edge(day: datetime | None, otherwise: datetime) -> datetime:
        return otherwise if day is None else midnight(date(day.year, day.month, day.day), zone)

    if kind:
        deployment.host.kind(kind)
    tables = kind_tables(deployment.host.kinds)
    wanted = {subject: [Span(edge(first, _FIRST), edge(last, _LAST))]}
    with opening(deployment, reveal=reveal, reason=reason) as connection:
        newest = newest_batch(connection)
        found = load_current(connection, tables, wanted, up_to_batch=newest, kinds=[kind] if kind else [])
        rows = found.get(subject, [])
        if not rows:
            refuse_unknown_identifier(connection, subject)
        if reveal:
            opened = open_usage(connection, deployment, rows, purpose="usage list", reason=reason)
            rows = [attrs.evolve(row, usage=opened[row.key]) for row in rows]
    rules = kind_rules(deployment.host.kinds)
    data = [{"key": row.key, "batch": row.batch, **plain_usage(row.usage, rules)} for row in rows]
    headers = ("kind", "source", "external id", "start", "end", "version", "batch", "key")
    emit(context, data, lambda: table(headers, map(_record_cells, rows), right=("version", "batch")))


def _record_cells(row: UsageRow) -> tuple[object, ...]:
    usage = row.usage
    start, end = usage.span.start.isoformat(), usage.span.end.isoformat()
    return (usage.kind, usage.source, usage.external_id, start, end, usage.version, row.batch, row.key)


@usage.command("batches")
@pass_deployment
@click.pass_context
def list_batches(context: click.Context, deployment: Deployment) -> None:
    """List the intake batches, newest first, with their control totals and what still waits of each.

    Example:
      billing usage batches --json
    """
    with deployment.database.read() as connection:
        rows = list(batches(connection))
        states = suspense_counts(connection)
    data = [{**_batch_facts(batch), "suspense_now": states.get(batch.id, {})} for batch in rows]
    headers = ("batch", "taken at", "format", "file", "records", "accepted", "duplicate", "suspended", "rejected", "waiting")
    emit(
        context,
        data,
        lambda: table(headers, _batch_cells(rows, states), right=headers[4:]),
    )


def _batch_facts(batch: Batch) -> dict[str, object]:
    return {
        "batch": batch.id,
        "taken_at": batch.taken_at,
        "actor": batch.actor,
        "file": batch.file,
        "sha256": batch.sha256.hex(),
        "format": batch.format,
        "source": batch.source,
        "totals": batch.totals,
        "expected_values": batch.expected_values,
        "received_values": batch.received_values,
        "findings": batch.findings,
    }


def _batch_cells(rows: Iterable[Batch], states: dict[int, dict[str, int]]) -> Iterator[tuple[object, ...]]:
    for batch in rows:
        totals = batch.totals
        counts = (totals.records, totals.accepted, totals.duplicate, totals.suspended, totals.rejected)
        taken = batch.taken_at.strftime("%Y-%m-%d %H:%M")
        yield (batch.id, taken, batch.format, batch.file, *counts, states.get(batch.id, {}).get("suspended", 0))


@usage.command()
@click.option("--subject", default="", help="Only this identifier of the field.")
@click.option("--batch", default=0, type=NUMBER, help="Only this batch.")
@click.option("--gaps", is_flag=True, help="Only what has values missing.")
@pass_deployment
@click.pass_context
def coverage(context: click.Context, deployment: Deployment, *, subject: str, batch: int, gaps: bool) -> None:
    """List how much of what each file claims to cover was received, newest batch first.

    Example:
      billing usage coverage --gaps
    """
    with deployment.database.read() as connection:
        if batch:
            find_batch(connection, batch)
        rows = list(coverage_rows(connection, batch=batch, subject=subject, gaps_only=gaps))
        if subject and not rows:
            refuse_unknown_identifier(connection, subject)
    data = [{"batch": number, "coverage": item} for number, item in rows]
    headers = ("batch", "subject", "from", "to", "expected", "received", "first gap")
    emit(context, data, lambda: table(headers, map(_coverage_cells, rows), right=("batch", "expected", "received")))


def _coverage_cells(row: tuple[int, Coverage]) -> tuple[object, ...]:
    number, item = row
    gap = item.missing[0] if item.missing else ""
    return (number, item.subject, item.span.start.isoformat(), item.span.end.isoformat(), item.expected, item.received, gap)


@usage.command()
@click.option("--book", default="", metavar="CODE", help="Book of the documents; not needed where there is only one.")
@click.option("--since", type=date_type, help="Only periods that end after this date.")
@pass_deployment
@click.pass_context
def late(context: click.Context, deployment: Deployment, *, book: str, since: datetime | None) -> None:
    """List the issued documents that would be billed otherwise now; billing invoice rebill bills them again.

    Their usage came late or was corrected, or an agreement was changed, for dates that they bill.

    Example:
      billing usage late --since 2026-01-01
    """
    found = late_usage(deployment, run_book(deployment, book), since=None if since is None else since.date())
    headers = ("document", "account", "period", "added", "replaced", "carried state", "agreements")
    cells = (
        (
            item.document,
            item.account,
            item.period,
            len(item.added),
            len(item.superseded),
            ", ".join(item.states),
            ", ".join(item.agreements),
        )
        for item in found
    )
    emit(context, found, lambda: table(headers, cells, right=headers[3:5]))
