"""``billing quote``: what a file of records would cost under a price plan, with no database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from billing_framework.cli.context import Session, pass_session
from billing_framework.cli.master_verbs import date_type, settings_of
from billing_framework.cli.output import emit, exit_for, show_findings, table
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import Settings
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate_table import RateTable
from billing_framework.run.cycle.period import run_period
from billing_framework.run.deployment import settings_path
from billing_framework.run.master.periods import inclusive
from billing_framework.run.master.plans import model_params
from billing_framework.run.prove.quote import Quote, QuoteRequest
from billing_framework.run.prove.quote_file import host_of, loaded_tables, quote_file, read_plans, read_tables
from billing_framework.storage.master.plan_rows import load_plans
from billing_framework.values.errors import InputRefused
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan


@click.command()
@click.argument("plan")
@click.argument("records", type=click.Path(path_type=Path))
@click.option("--format", "file_format", required=True, metavar="NAME", help="Format of the records; see billing plugin list.")
@click.option(
    "--also", "others", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="Another version of the plan."
)
@click.option(
    "--rate-table", "rate_tables", multiple=True, metavar="CODE=FILE", help="Take this rate table of the plan from a file."
)
@click.option("--plugin", "plugins", multiple=True, metavar="NAME", help="Enable this plugin; by default those of billing.toml.")
@click.option("--period", metavar="MONTH|DATE", help="Price this period only; by default all that the records touch.")
@click.option("--from", "first", type=date_type, metavar="DATE", help="Price from this date.")
@click.option("--to", "last", type=date_type, metavar="DATE", help="Price up to and including this date.")
@click.option("--cycle", default="monthly:1", show_default=True, metavar="CYCLE", help="Billing cycle.")
@click.option("--zone", metavar="ZONE", help="Time zone in which dates count; else the deployment's, else UTC.")
@click.option("--locale", metavar="LOCALE", help="Language of the descriptions; else the deployment's, else en_US.")
@click.option("--term", "terms", multiple=True, metavar="NAME=VALUE", help="A term of the agreement that the plan reads.")
@click.option("--detail", "details", multiple=True, metavar="NAME=VALUE", help="A fact about every identifier: multiplier=40.")
@click.option("--source", default="", metavar="NAME", help="Source of the records; by default the format.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the format.")
@click.option("--steps", is_flag=True, help="Show how each amount came to be.")
@pass_session
@click.pass_context
def quote(context: click.Context, session: Session, /, *, plan: str, records: Path, steps: bool, **given: Any) -> None:
    """Price the records in a file under a plan, billing period by billing period.

    PLAN is a file, or the code of a plan that is loaded in the deployment's database. No database is needed for a file.

    Example:
      billing quote parking.toml stays.csv --format tickets --zone Europe/Dublin
      billing quote parking stays.csv --format tickets --period 2026-07 --steps
      billing quote plans/zones.toml trips.csv --format trips --rate-table city=prices.csv
    """
    host, settings = _host(session, given["plugins"])
    plans, tables, findings = _prices(session, host, plan, given)
    if not plans or any(finding.stops for finding in findings):
        emit(context, {"findings": findings}, "no quote: the plan has findings")
        show_findings(context, findings)
        context.exit(1)
    request = QuoteRequest(
        plans=plans,
        zone=given["zone"] or (settings.deployment.zone if settings else "UTC"),
        cycle=given["cycle"],
        period=_period(given),
        terms=settings_of(given["terms"]),
        details=settings_of(given["details"]),
        locale=given["locale"] or (settings.deployment.locale if settings else "en_US"),
        holidays=settings.holiday_dates if settings else {},
        tables=tables,
    )
    found = quote_file(
        host, records, given["file_format"], request, source=given["source"], options=settings_of(given["options"])
    )
    emit(context, found, lambda: _text(found, steps=steps))
    everything = [*findings, *found.findings]
    show_findings(context, everything)
    exit_for(context, everything)


def _host(session: Session, plugins: tuple[str, ...]) -> tuple[Host, Settings | None]:
    if plugins or (session.config is None and not settings_path(None, os.environ).is_file()):
        return host_of(plugins), None
    file = session.settings_file()
    return Host.from_file(file), file.settings


def _prices(
    session: Session, host: Host, plan: str, given: Mapping[str, Any]
) -> tuple[tuple[PlanVersion, ...], tuple[RateTable, ...], list[Finding]]:
    """Return the plan, the rate tables that it names, as far as they are given or loaded, and what is wrong with both."""
    files = {code: Path(file) for code, file in settings_of(given["rate_tables"]).items()}
    if Path(plan).is_file() or plan.endswith(".toml"):
        plans, findings = read_plans(host, [Path(plan), *given["others"]])
        loaded: tuple[RateTable, ...] = ()
    else:
        plans, loaded = _loaded(session, plan)
        findings = []
    tables, wrong = read_tables(host, plans, files) if not any(one.stops for one in findings) else ((), [])
    return plans, (*tables, *(one for one in loaded if one.code not in files)), [*findings, *wrong]


def _loaded(session: Session, plan: str) -> tuple[tuple[PlanVersion, ...], tuple[RateTable, ...]]:
    deployment = session.deployment()
    with deployment.database.read() as connection:
        loaded = load_plans(connection, [plan], params=model_params(deployment.host))
        if not loaded:
            raise InputRefused("QUOTE02", f"{plan!r} is neither a file nor a loaded plan", remedy="See billing plan list")
        plans = tuple(one.plan for one in loaded)
        return plans, loaded_tables(connection, deployment.host, plans)


def _period(given: Mapping[str, Any]) -> DateSpan | None:
    first: datetime | None = given["first"]
    last: datetime | None = given["last"]
    if (first is None) != (last is None) or (given["period"] and first):
        raise click.UsageError("give --period, or both --from and --to")
    if first and last:
        return inclusive(first.date(), last.date())
    return run_period(given["cycle"], given["period"]) if given["period"] else None


def _text(found: Quote, *, steps: bool) -> Iterator[str]:
    for one in found.periods:
        yield f"{one.period}: {one.records} records"
        yield table(
            ("description", "service", "quantity", "price", "net"),
            [
                (line.charge.description, str(line.charge.service), line.charge.quantity, line.charge.unit_price, line.net)
                for line in one.lines
            ],
            right=("quantity", "price", "net"),
        )
        if steps:
            for line in one.lines:
                yield from (
                    f"  {line.charge.description}: {step.label}: {step.formula} = {step.result}" for step in line.charge.steps
                )
        yield from (f"  {count} records not priced: {reason}" for reason, count in one.unpriced.items())
        yield f"  net {one.net}"
    yield f"{', '.join(found.plan)}: {found.net} without tax"
