"""``billing invoice export``: documents in a format that a plugin offers."""

from __future__ import annotations

from pathlib import Path

import attrs
import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.format_option import format_options, format_pairs, write_file
from billing_framework.cli.output import emit, exit_for, show_findings
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.export import export


@click.command("export")
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@click.option("--run", "run_code", default="", metavar="RUN", help="All documents that this run posted.")
@click.option("--format", "file_format", required=True, metavar="NAME", help="Format; billing plugin show lists them.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it here.")
@format_options
@pass_deployment
@click.pass_context
def export_invoices(
    context: click.Context,
    deployment: Deployment,
    *,
    numbers: tuple[str, ...],
    run_code: str,
    file_format: str,
    out: Path,
    options: tuple[str, ...],
) -> None:
    """Write issued documents as a file of a format that a plugin offers: one, several, or all of a run.

    Nothing is written where a document cannot be written as the format demands; then the exit code is 1. The audit keeps who
    exported which documents.

    Example:
      billing invoice export INV-2026-000001 --format document_lines --out lines.csv
      billing invoice export --run 2026-07-HARBOUR-1 --format document_lines --out july.csv
    """
    report = export(deployment, file_format, numbers=numbers, run=run_code, options=format_pairs(options))
    # An exporter does not know what its file is called; a line without a file would lead nowhere.
    findings = tuple(attrs.evolve(one, file=str(out)) if one.line and not one.file else one for one in report.findings)
    show_findings(context, findings)
    if report.sha256:
        write_file(out, report.data)
    text = f"{len(report.documents)} documents, {len(report.data)} bytes: {out}" if report.sha256 else "nothing is written"
    shown = {
        "format": report.format,
        "documents": report.documents,
        "file": str(out) if report.sha256 else "",
        "sha256": report.sha256,
        "findings": findings,
    }
    emit(context, shown, text)
    exit_for(context, findings)


VERBS = (export_invoices,)
