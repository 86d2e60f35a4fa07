"""``billing invoice``: documents as they were issued, and their corrections."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import attrs
import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.document_view import comparison_text, document_text
from billing_framework.cli.file import format_options, format_pairs, write_file
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.output import emit, exit_for, show_findings, table
from billing_framework.exchange.invoice_html import invoice_html
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.correct.rebill import RebillReport, rebill_document
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.export import export
from billing_framework.run.prove.invoices import issued_numbers, list_documents, show_document
from billing_framework.values.errors import InputRefused


@click.group()
def invoice() -> None:
    """Show documents as they are stored, and correct them.

    Example:
      billing invoice list --account A-1001
      billing invoice show INV-2026-000001
      billing invoice rebill INV-2026-000001 --reason "counted again"
    """


@invoice.command("list")
@click.option("--account", default="", metavar="CODE", help="Only documents of this account.")
@click.option("--kind", default="", metavar="KIND", help="Only this kind: invoice, credit_note, debit_note.")
@click.option("--run", "run_code", default="", metavar="RUN", help="Only documents of this run.")
@click.option("--since", type=date_type, metavar="DATE", help="Only documents of this date or later.")
@click.option("--until", type=date_type, metavar="DATE", help="Only documents of this date or earlier.")
@click.option("--limit", default=1_000, show_default=True, type=click.IntRange(1), help="At most so many, the newest.")
@pass_deployment
@click.pass_context
def list_invoices(
    context: click.Context,
    deployment: Deployment,
    *,
    account: str,
    kind: str,
    run_code: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> None:
    """List issued and void documents, oldest first.

    Example:
      billing invoice list --since 2026-07-01
    """
    with deployment.database.read() as connection:
        found = list_documents(
            connection,
            account=account,
            kind=kind,
            run=run_code,
            since=since.date() if since else None,
            until=until.date() if until else None,
            limit=limit,
        )
    rows = [
        (one.number, one.kind, one.account, one.issue_on, one.due_on, one.gross, one.open, one.replaced_by or _void(one.status))
        for one in found
    ]
    headers = ("document", "kind", "account", "date", "due", "total", "open", "remark")
    emit(context, found, lambda: table(headers, rows, right=("total", "open")))


def _void(status: str) -> str:
    return status if status != "issued" else ""


@invoice.command()
@click.argument("number")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it as a page to print.")
@click.option("--items", is_flag=True, help="List what its lines consist of, where the trade lists it.")
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, *, number: str, html: Path | None, items: bool) -> None:
    """Show a document from what is stored alone.

    Example:
      billing invoice show INV-2026-000001
      billing invoice show INV-2026-000001 --html invoice.html
    """
    shown = show_document(deployment, number)
    if html is not None:
        html.write_text(invoice_html(shown.document), encoding="utf-8")
    emit(context, shown, lambda: document_text(shown, with_items=items))


@invoice.command()
@click.argument("number")
@click.option(
    "--known",
    type=click.Choice(["now", "original"]),
    default="now",
    show_default=True,
    help="Choose price plans for the service dates by what is known now, or was known when it was drafted.",
)
@click.option("--as-of", type=date_type, metavar="DATE", help="Date of the new documents; today by default.")
@click.option("--with-waiting", is_flag=True, help="Take in what has come since and waits for the next bill.")
@reason_option
@pass_deployment
@click.pass_context
def rebill(
    context: click.Context,
    deployment: Deployment,
    *,
    number: str,
    known: str,
    as_of: datetime | None,
    with_waiting: bool,
    reason: str,
) -> None:
    """Bill a document anew: credit note, new document, entries and open items in one operation.

    Documents of other payers that bear parts of the same charges are rebilled with it where they say something else now.
    Later documents that rest on carried state of this one are treated as their price plan says: rebilled too, adjusted on the
    next bill, or held for an officer.

    Example:
      billing invoice rebill INV-2026-000001 --reason "counted again"
      billing invoice rebill INV-2026-000001 --known original --reason "usage came late"
      billing invoice rebill INV-2026-000001 --with-waiting --reason "asked for one bill with all of July"
    """
    on = as_of.date() if as_of else None
    report = rebill_document(deployment, number, reason=reason, known=known, as_of=on, takes_waiting=with_waiting)
    emit(context, report, lambda: _rebilled(report))


def _rebilled(report: RebillReport) -> Iterator[str]:
    if report.unchanged:
        yield f"nothing to do: {report.document} would be billed the same again ({report.known})"
        return
    yield f"{report.document}: {report.note or 'no credit note'}, {report.new or 'no new document'} ({report.known})"
    if report.comparison is not None:
        yield comparison_text(report.comparison)
    for edit in report.lost_edits:
        what = " of ".join(part for part in (edit.name, edit.about or edit.target) if part)
        yield f"left out: the edit of {what} by {edit.actor} ({edit.before} -> {edit.after}: {edit.reason})"
    for one in report.beside:
        done = f"{one.note or 'no credit note'}, {one.new or 'no new document'}"
        yield f"{one.document or one.account} bears parts of its charges: {done}"
        if one.comparison is not None:
            yield comparison_text(one.comparison)
    for later in report.later:
        yield f"{later.number} rests on it ({later.policy.value}): {later.outcome}"


@invoice.command()
@click.argument("number")
@click.option(
    "--line", "lines", multiple=True, metavar="N=AMOUNT", help="Credit this amount before tax of a line; may be repeated."
)
@click.option("--as-of", type=date_type, metavar="DATE", help="Date of the credit note; today by default.")
@click.option("--again", is_flag=True, help="Credit the same amounts of lines for the same reason once more.")
@reason_option
@pass_deployment
@click.pass_context
def credit(
    context: click.Context,
    deployment: Deployment,
    *,
    number: str,
    lines: tuple[str, ...],
    as_of: datetime | None,
    again: bool,
    reason: str,
) -> None:
    """Credit a document in full, or amounts of its lines, without billing anew.

    Example:
      billing invoice credit INV-2026-000001 --reason "billed to the wrong customer"
      billing invoice credit INV-2026-000001 --line 2=10.00 --reason "goodwill"
    """
    report = credit_document(
        deployment,
        number,
        reason=reason,
        nets=_nets(lines) if lines else None,
        as_of=as_of.date() if as_of else None,
        again=again,
    )
    text = [f"{report.document}: credit note {report.note} over {report.gross}"]
    text += [f"{one.number} rests on carried state that it had written; rebill it" for one in report.dependents]
    emit(context, report, text)


def _nets(lines: tuple[str, ...]) -> dict[int, str]:
    nets = {}
    for text in lines:
        number, sign, amount = text.partition("=")
        if not sign or not number.isdigit() or not amount:
            raise InputRefused(
                "RUN22", f"{text!r} names no line and amount", remedy="Write the line's number and the amount: 2=10.00"
            )
        nets[int(number)] = amount
    return nets


@invoice.command("print")
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@click.option("--run", "run_code", default="", metavar="RUN", help="All documents that this run issued.")
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


@invoice.command("export")
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@click.option("--run", "run_code", default="", metavar="RUN", help="All documents that this run issued.")
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
