"""``billing file``: files of a format that a plugin writes, checked whoever wrote them."""

from __future__ import annotations

from pathlib import Path

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.format_option import format_options, format_pairs
from billing_framework.cli.output import emit, exit_for, show_findings
from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import read_input
from billing_framework.run.prove.export import check_file


@click.group()
def file() -> None:
    """Check files that leave for others.

    Example:
      billing file check lines.csv --format document_lines
    """


@file.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "file_format", required=True, metavar="NAME", help="Format; billing plugin show lists them.")
@format_options
@pass_deployment
@click.pass_context
def check(context: click.Context, deployment: Deployment, *, file: Path, file_format: str, options: tuple[str, ...]) -> None:
    """Check a file of a format that a plugin writes, whoever wrote it; with findings the exit code is 1.

    Example:
      billing file check lines.csv --format document_lines
    """
    findings = check_file(deployment, read_input(file), file_format, name=file.name, options=format_pairs(options))
    show_findings(context, findings)
    emit(context, {"file": str(file), "findings": findings}, f"{file}: {len(findings) or 'no'} findings")
    exit_for(context, findings)
