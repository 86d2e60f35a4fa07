"""``billing tax``: dated tax rates by place and category."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.output import emit, exit_for, fields, show_findings, table
from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import read_input
from billing_framework.run.master.mapping_check import mapping_findings
from billing_framework.run.master.taxes import check_loaded_taxes, load_tax_file
from billing_framework.storage.master.tax_rows import loaded_taxes
from billing_framework.taxing.tax_rate import TaxRate
from billing_framework.values.errors import NotFound
from billing_framework.values.number import exact_text
from billing_framework.values.spelling import did_you_mean

_FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def tax() -> None:
    """Keep tax rates: a file is a set of dated rates, and its newest version holds.

    Example:
      billing tax load taxes.toml
      billing tax list --place US-TX --on 2026-07-31
    """


@tax.command()
@click.argument("files", nargs=-1, required=True, type=_FILES)
@reason_option
@pass_deployment
@click.pass_context
def load(context: click.Context, deployment: Deployment, *, files: tuple[Path, ...], reason: str) -> None:
    """Load files of tax rates; other content under a known name needs a reason, documents that were issued keep their rates.

    Example:
      billing tax load taxes.toml --reason "rate of 2027 published"
    """
    done = [load_tax_file(deployment, file.name, read_input(file), reason=reason) for file in files]
    findings = [finding for one in done for finding in one.findings]
    show_findings(context, findings)
    emit(context, done, [f"{one.name} {one.outcome}" + (f", {one.rates} rates" if one.rates else "") for one in done])
    exit_for(context, findings)


@tax.command("list")
@click.option("--place", default="", metavar="CODE", help="Only rates that hold in this place, such as US-TX.")
@click.option("--on", type=date_type, metavar="DATE", help="Only rates that hold on this date.")
@pass_deployment
@click.pass_context
def list_rates(context: click.Context, deployment: Deployment, *, place: str, on: datetime | None) -> None:
    """List the rates in force, by set and in the order of their files.

    Example:
      billing tax list --place US-TX --on 2026-07-31
    """
    with deployment.database.read() as connection:
        rates = [rate for one in loaded_taxes(connection).values() for rate in one.rates]
    shown = [rate for rate in rates if (not place or rate.holds_in(place)) and (on is None or rate.holds_on(on.date()))]
    headers = ("code", "title", "place", "category", "percent", "kind", "from", "to")
    emit(context, shown, lambda: table(headers, map(_row, shown), right=("percent",)))


def _row(rate: TaxRate) -> tuple[object, ...]:
    percent = exact_text(rate.rate * 100)
    return (
        rate.code,
        rate.title("en"),
        rate.jurisdiction,
        rate.category,
        percent,
        rate.kind.value,
        rate.valid_from,
        rate.valid_to,
    )


@tax.command()
@click.argument("name")
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, name: str) -> None:
    """Show a set of rates as it was loaded.

    Example:
      billing tax show taxes
    """
    with deployment.database.read() as connection:
        found = loaded_taxes(connection)
    if name not in found:
        raise NotFound("TAX34", f"there is no set of tax rates {name!r}", remedy=did_you_mean(name, found))
    one = found[name]
    head = fields([(key, getattr(one, key)) for key in ("name", "version", "sha256", "loaded_at", "loaded_by", "reason")])
    emit(context, one, lambda: [head, "", one.source])


@tax.command()
@click.argument("files", nargs=-1, type=_FILES)
@pass_deployment
@click.pass_context
def check(context: click.Context, deployment: Deployment, files: tuple[Path, ...]) -> None:
    """Check files before they are loaded, or without files all known rates and the mapping of their codes.

    Example:
      billing tax check taxes.toml
      billing tax check
    """
    if files:
        done = [load_tax_file(deployment, one.name, read_input(one), check_only=True, reason="check") for one in files]
        findings = [finding for one in done for finding in one.findings]
    else:
        with deployment.database.read() as connection:
            findings = [*check_loaded_taxes(connection), *mapping_findings(deployment, connection)]
    show_findings(context, findings)
    emit(context, {"findings": findings}, [] if findings else "nothing to correct")
    exit_for(context, findings)
