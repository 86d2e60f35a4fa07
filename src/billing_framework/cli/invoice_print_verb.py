"""``billing invoice print``: documents as pages or text."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.document_view import document_text
from billing_framework.cli.format_option import write_file
from billing_framework.cli.output import emit
from billing_framework.exchange.invoice_html import invoice_html
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.invoices import issued_numbers, show_document
from billing_framework.values.errors import InputRefused


@click.command("print")
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@click.option("--run", "run_code", default="", metavar="RUN", help="All documents that this run posted.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write them there.")
@click.option("--text", "as_text", is_flag=True, help="Write plain text instead of pages to print.")
@pass_deployment
@click.pass_context
def print_invoices(
    context: click.Context, deployment: Deployment, *, numbers: tuple[str, ...], run_code: str, out: Path, as_text: bool
) -> None:
    """Write issued documents as pages to print, each as NUMBER.html: one, several, or all of a run.

    The folder is made where it is not there; the same documents again are the same files.

    Example:
      billing invoice print INV-2026-000001 --out letters
      billing invoice print --run US.2026-07-01.monthly-1.1 --out letters
    """
    if bool(numbers) == bool(run_code):
        raise InputRefused("EXPORT01", "documents are printed by number, or of a run", remedy="Give NUMBER..., or --run RUN")
    wanted = list(dict.fromkeys(numbers)) or issued_numbers(deployment, run_code)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputRefused("EXPORT05", f"the folder cannot be made: {error.strerror}", place=str(out)[:200]) from error
    files = []
    for number in wanted:
        shown = show_document(deployment, number, purpose="invoice print")
        page = "".join(f"{line}\n" for line in document_text(shown, with_items=True)) if as_text else invoice_html(shown.document)
        files.append(out / f"{quote(number, safe=' ')}.{'txt' if as_text else 'html'}")
        write_file(files[-1], page.encode())
    emit(context, {"documents": wanted, "files": [str(file) for file in files]}, f"{len(files)} documents in {out}")


VERBS = (print_invoices,)
