"""How results are shown: tables for people, JSON for machines; findings compactly, with their code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import click

from billing_framework.cli.context import Session
from billing_framework.cli.printable import printable
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.plain_form import to_plain

Human = str | Iterable[str] | Callable[[], str | Iterable[str]]

_COLOURS = {Severity.INFORMATION: "blue", Severity.ISSUE: "yellow", Severity.BLOCKING: "red"}
_WIDEST_CELL = 60


def emit(context: click.Context, data: object, human: Human) -> None:
    """Print a result: `data` as JSON where ``--json`` is given, else what `human` says.

    Args:
        context: the command's context.
        data: plain data, attrs values, or lists and mappings of them.
        human: text, lines, or a function that makes them, called only where they are shown.
    """
    if context.ensure_object(Session).json:
        click.echo(as_json(data))
        return
    shown = human() if callable(human) else human
    for line in [shown] if isinstance(shown, str) else shown:
        click.echo(printable(line))


def as_json(data: object) -> str:
    """Return data as JSON text for machines: exact numbers, money and dates as text, never a float."""
    plain = json.dumps(to_plain(data), ensure_ascii=False, indent=2)
    return plain if _writes_utf8() else json.dumps(to_plain(data), indent=2)


def _writes_utf8() -> bool:
    return (sys.stdout.encoding or "utf-8").lower().replace("-", "").startswith("utf")


def table(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = (), whole: Sequence[str] = ()
) -> str:
    """Return an aligned table.

    Args:
        headers: titles of the columns.
        rows: one cell per column; None is shown as nothing.
        right: titles of the columns that are aligned to the right: numbers and money.
        whole: titles of the columns whose text is never cut: sentences, which stand last.
    """
    lines = [[_cell(value, cut=header not in whole) for header, value in zip(headers, row, strict=True)] for row in rows]
    widths = [max(len(header), *(len(line[place]) for line in lines), 0) for place, header in enumerate(headers)]
    aligned = [
        "  ".join(
            cell.rjust(width) if header in right else cell.ljust(width)
            for header, cell, width in zip(headers, line, widths, strict=True)
        ).rstrip()
        for line in [list(headers), ["-" * width for width in widths], *lines]
    ]
    return "\n".join(aligned if lines else [*aligned, "(none)"])


def _cell(value: object, *, cut: bool) -> str:
    text = "" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= _WIDEST_CELL or not cut else text[: _WIDEST_CELL - 1] + "…"


def fields(pairs: Iterable[tuple[str, object]]) -> str:
    """Return labels and values, one per line, with the values aligned; a value may have several lines."""
    shown = [(label, "" if value is None else str(value)) for label, value in pairs]
    width = max((len(label) for label, _ in shown), default=0)
    indent = "\n" + " " * (width + 2)
    return "\n".join(f"{label.ljust(width)}  {indent.join(value.splitlines())}".rstrip() for label, value in shown)


def show_findings(context: click.Context, findings: Iterable[Finding], *, most: int = 50) -> None:
    """Print findings for people on the error stream, one line each; machines read them in the command's data.

    Args:
        context: the command's context.
        findings: what was found.
        most: so many are printed; the others are counted.
    """
    if context.ensure_object(Session).json:
        return
    listed = list(findings)
    for finding in listed[:most]:
        mark = click.style(f"{finding.severity.value:<11}", fg=_COLOURS[finding.severity])
        click.echo(f"{mark} {printable(str(finding))}", err=True)
    if len(listed) > most:
        click.echo(f"... and {len(listed) - most} more; --json prints all", err=True)


def exit_for(context: click.Context, findings: Iterable[Finding]) -> None:
    """End the command with exit code 1 where a finding stops something, as every command does that reports findings."""
    if any(finding.stops for finding in findings):
        context.exit(1)


def progress(length: int, label: str) -> AbstractContextManager[Any]:
    """Return a progress bar with ``update(steps)`` on the error stream; it is silent where that is no terminal.

    Args:
        length: number of steps in all.
        label: what is being done.
    """
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
