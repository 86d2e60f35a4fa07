"""``billing invoice list`` and ``billing invoice show``: documents as they were issued."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.document_view import document_text
from billing_framework.cli.master_verbs import date_type
from billing_framework.cli.number_option import COUNT
from billing_framework.cli.output import emit, table
from billing_framework.invoicing.draft import DocumentKind
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.invoices import list_documents, show_document

_KINDS = tuple(kind.value for kind in DocumentKind)


@click.command("list")
@click.option("--account", default="", metavar="CODE", help="Only documents of this account.")
@click.option("--kind", type=click.Choice(_KINDS), help="Only this kind.")
@click.option("--run", "run_code", default="", metavar="RUN", help="Only documents that this run posted.")
@click.option("--since", type=date_type, metavar="DATE", help="Only documents of this date or later.")
@click.option("--until", type=date_type, metavar="DATE", help="Only documents of this date or earlier.")
@click.option("--limit", default=1_000, show_default=True, type=COUNT, help="At most so many, the newest.")
@pass_deployment
@click.pass_context
def list_invoices(
    context: click.Context,
    deployment: Deployment,
    *,
    account: str,
    kind: str | None,
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
            kind=kind or "",
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


@click.command()
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
        from billing_framework.exchange.invoice_html import invoice_html  # noqa: PLC0415  a template engine, only for pages

        html.write_text(invoice_html(shown.document), encoding="utf-8")
    emit(context, shown, lambda: document_text(shown, with_items=items))


VERBS = (list_invoices, show)
