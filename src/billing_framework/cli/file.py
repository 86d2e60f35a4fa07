"""``billing file``: files of a format that a plugin writes, checked whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, exit_for, show_findings
from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import read_input
from billing_framework.run.prove.export import check_file
from billing_framework.values.errors import InputRefused


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a format as `options`; `format_pairs` reads them."""
    shown = "An option of the format; may be repeated."
    return click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help=shown)(command)


def format_pairs(options: Sequence[str]) -> dict[str, str]:
    """Return options as given on the command line, by name.

    Raises:
        InputRefused: ``EXPORT02`` for one without a value.
    """
    pairs = {}
    for option in options:
        name, sign, value = option.partition("=")
        if not sign:
            raise InputRefused("EXPORT02", f"the option {option!r} has no value", remedy="Write --option NAME=VALUE")
        pairs[name] = value
    return pairs


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: what was there before stays until the new one is complete.

    Raises:
        InputRefused: ``EXPORT05`` where it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputRefused("EXPORT05", f"the file cannot be written: {reason}", place=str(path)[:200]) from error


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
