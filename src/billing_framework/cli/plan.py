"""``billing plan``: price plans, loaded as versions that never change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, exit_for, fields, show_findings, table
from billing_framework.rating.plan_diff import diff as plan_diff
from billing_framework.rating.plan_file import parse_plan
from billing_framework.rating.price_plan import Component, PlanVersion
from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import read_input
from billing_framework.run.master.mapping_check import mapping_findings
from billing_framework.run.master.plans import check_loaded, load_plan_files, model_params
from billing_framework.storage.master.plan_rows import PlanRow, plan_rows, plan_source, stored_plan
from billing_framework.values.errors import NotFound

_FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def plan() -> None:
    """Keep price plans. A loaded version never changes; a correction is a version that supersedes it, with the reason.

    Example:
      billing plan check plans/residential.toml
      billing plan load plans/*.toml
    """


@plan.command()
@click.argument("files", nargs=-1, required=True, type=_FILES)
@pass_deployment
@click.pass_context
def load(context: click.Context, deployment: Deployment, files: tuple[Path, ...]) -> None:
    """Load plan files, all of them or none; what was loaded before with the same content is left as it is.

    Example:
      billing plan load plans/residential-2026.toml plans/time-of-use-2026.toml
    """
    done = load_plan_files(deployment, [(file.name, read_input(file)) for file in files])
    show_findings(context, done.findings)
    stopped = any(finding.stops for finding in done.findings)
    lines = [f"{name} {'could be loaded, but nothing was' if stopped else 'loaded'}" for name in done.loaded]
    emit(context, done, [*lines, *(f"{name} is loaded already, unchanged" for name in done.unchanged)])
    exit_for(context, done.findings)


@plan.command("list")
@click.argument("codes", nargs=-1)
@pass_deployment
@click.pass_context
def list_plans(context: click.Context, deployment: Deployment, codes: tuple[str, ...]) -> None:
    """List the loaded versions of all plans, or of the plans named.

    Example:
      billing plan list residential
    """
    with deployment.database.read() as connection:
        rows = plan_rows(connection, codes)
        for code in sorted({*codes} - {row.code for row in rows}):
            plan_source(connection, code)  # refuses it
    headers = ("code", "version", "valid_from", "valid_to", "currency", "supersedes", "loaded_at", "loaded_by")
    emit(context, rows, lambda: table(headers, ([getattr(row, name) for name in headers] for row in rows)))


@plan.command()
@click.argument("name", metavar="CODE[@VERSION]")
@click.option("--source", is_flag=True, help="Print the file as it was loaded.")
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, *, name: str, source: bool) -> None:
    """Show a version of a plan: the named one, else the one that was loaded last.

    Example:
      billing plan show residential
      billing plan show residential@2026-07 --source
    """
    code, _, version = name.partition("@")
    with deployment.database.read() as connection:
        row, text = plan_source(connection, code, version)
    shown = stored_plan(row.name, text, model_params(deployment.host))
    data = {"version": row, "components": [_component(one) for one in shown.components], "source": text}
    emit(context, data, lambda: text.removesuffix("\n") if source else _description(row, shown))


def _description(row: PlanRow, shown: PlanVersion) -> Iterator[str]:
    yield fields(
        [
            *((key, getattr(row, key)) for key in ("code", "version", "valid_from", "valid_to", "currency")),
            ("rounding", f"{shown.rounding.mode.value} per {shown.rounding_place.value}"),
            ("proration", shown.proration.value),
            ("supersedes", row.supersedes),
            ("reason", row.reason),
            ("sha256", row.sha256),
            ("loaded", f"{row.loaded_at} by {row.loaded_by} from {row.file}"),
        ]
    )
    yield ""
    components = ((one.code, one.title("en"), one.model, one.measure, one.charge_code) for one in shown.components)
    yield table(("component", "title", "model", "measure", "charge code"), components)


def _component(found: Component) -> dict[str, object]:
    return {
        "code": found.code,
        "titles": dict(found.titles),
        "model": found.model,
        "measure": found.measure,
        "charge_code": found.charge_code,
        "tax_category": found.tax_category,
    }


@plan.command()
@click.argument("files", nargs=-1, type=_FILES)
@pass_deployment
@click.pass_context
def check(context: click.Context, deployment: Deployment, files: tuple[Path, ...]) -> None:
    """Check files before they are loaded, or without files all loaded versions and the mapping of their charge codes.

    Example:
      billing plan check plans/residential-2026.toml
      billing plan check
    """
    if files:
        findings = list(load_plan_files(deployment, [(file.name, read_input(file)) for file in files], check_only=True).findings)
    else:
        with deployment.database.read() as connection:
            findings = [*check_loaded(deployment, connection), *mapping_findings(deployment, connection)]
    show_findings(context, findings)
    emit(context, {"findings": findings}, [] if findings else "nothing to correct")
    exit_for(context, findings)


@plan.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@pass_deployment
@click.pass_context
def diff(context: click.Context, deployment: Deployment, *, before: str, after: str) -> None:
    """Show what two versions say differently; each is a CODE@VERSION or a file.

    Example:
      billing plan diff residential@2026-01 residential@2026-07
      billing plan diff residential@2026-07 plans/residential.toml
    """
    found = plan_diff(_named(deployment, before), _named(deployment, after))
    lines = [(one.place, one.before, one.after) for one in found]
    emit(context, found, lambda: table(("place", before, after), lines) if lines else "the two say the same")


def _named(deployment: Deployment, name: str) -> PlanVersion:
    file = Path(name)
    params = model_params(deployment.host)
    if file.is_file():
        return parse_plan(read_input(file), file=name, params=params)
    code, _, version = name.partition("@")
    if not code:
        raise NotFound("PLAN32", f"{name!r} names no plan", remedy="Write CODE@VERSION or the path of a file")
    with deployment.database.read() as connection:
        row, text = plan_source(connection, code, version)
    return stored_plan(row.name, text, params)
