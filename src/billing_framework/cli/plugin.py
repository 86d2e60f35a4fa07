"""``billing plugin``: what is installed, what is enabled, what it offers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import click

from billing_framework.cli.context import Session, pass_session
from billing_framework.cli.output import emit, exit_for, fields, show_findings, table
from billing_framework.plugin.check import check_file, unrated_kinds
from billing_framework.plugin.discovery import installed_plugins
from billing_framework.plugin.host import EnabledPlugin, Host
from billing_framework.plugin.scaffold import new_plugin
from billing_framework.rating.rate_table import RateTableKind
from billing_framework.rating.rate_table_file import row_fields
from billing_framework.run.deployment import settings_path
from billing_framework.usage.describe import describe_kind, described_fields
from billing_framework.values.errors import NotFound
from billing_framework.values.spelling import did_you_mean


@click.group()
def plugin() -> None:
    """Show and check the plugins of this deployment.

    Example:
      billing plugin list
    """


@plugin.command("list")
@pass_session
@click.pass_context
def list_plugins(context: click.Context, session: Session) -> None:
    """List the installed plugins, enabled or not; without a billing.toml none is enabled.

    Example:
      billing plugin list --json
    """
    path = settings_path(session.config, os.environ)
    enabled = session.settings_file().settings.deployment.plugins if path.exists() or session.config else ()
    rows = [
        {**attrs.asdict(found), "enabled": name in enabled, "position": enabled.index(name) + 1 if name in enabled else None}
        for name, found in installed_plugins().items()
    ]
    headers = ("name", "version", "distribution", "enabled")
    emit(
        context,
        rows,
        lambda: table(headers, ((row["name"], row["version"], row["distribution"], _yes(row["enabled"])) for row in rows)),
    )


def _yes(value: object) -> str:
    return "yes" if value else "no"


@plugin.command()
@click.argument("name")
@pass_session
@click.pass_context
def show(context: click.Context, session: Session, name: str) -> None:
    """Show one enabled plugin: hooks, settings, formats, usage kinds with their fields, raters, charge models, codes.

    Example:
      billing plugin show parking
    """
    host = Host.from_file(session.settings_file())
    found = {enabled.name: enabled for enabled in host.plugins}
    if name not in found:
        remedy = f"{did_you_mean(name, found)}. Enable it in deployment.plugins of billing.toml"
        raise NotFound("PLUGIN01", f"plugin {name!r} is not enabled", remedy=remedy)
    emit(context, found[name], lambda: _description(host, found[name]))


def _description(host: Host, shown: EnabledPlugin) -> Iterator[str]:
    offers, models = shown.offers, host.charge_models
    yield fields(
        [
            ("name", shown.name),
            ("distribution", f"{shown.distribution} {shown.version}".strip()),
            ("loaded from", shown.file),
            ("hooks", "\n".join(shown.hooks)),
            ("settings", "\n".join(f"{key} = {value}" for key, value in _settings(shown))),
            ("formats", "\n".join(f"{key}: {host.readers[key].title}" for key in offers.get("billing_readers", ()))),
            ("raters", "\n".join(offers.get("billing_raters", ()))),
            ("rate tables", "\n".join(f"{key}: {host.rate_tables[key].title}" for key in offers.get("billing_rate_tables", ()))),
            (
                "charge models",
                "\n".join(f"{key}: {models[key].title}" for key in offers.get("billing_charge_models", ())),
            ),
            ("exporters", "\n".join(f"{key}: {host.exporters[key].title}" for key in offers.get("billing_exporters", ()))),
            (
                "answers",
                "\n".join(f"{key}: {host.answer_readers[key].title}" for key in offers.get("billing_answer_readers", ())),
            ),
            ("review checks", "\n".join(offers.get("billing_review_checks", ()))),
            ("units", " ".join(offers.get("billing_units", ()))),
            ("codes", "\n".join(f"{key} {host.codes[key].title}" for key in offers.get("billing_codes", ()))),
        ]
    )
    for kind in offers.get("billing_usage_kinds", ()):
        yield ""
        yield describe_kind(host.kinds[kind])
    for table_kind in offers.get("billing_rate_tables", ()):
        yield ""
        yield from _rate_table(host.rate_tables[table_kind])


def _rate_table(kind: RateTableKind) -> Iterator[str]:
    yield f"rate table {kind.name}: {kind.title}"
    yield f"  a row is named by {' and '.join(kind.key)}"
    yield from described_fields(row_fields(kind))


def _settings(shown: EnabledPlugin) -> Iterator[tuple[str, object]]:
    if shown.settings is not None:
        for field in attrs.fields(type(shown.settings)):
            yield field.name, getattr(shown.settings, field.name)


@plugin.command()
@pass_session
@click.pass_context
def check(context: click.Context, session: Session) -> None:
    """Check that the enabled plugins fit the hooks, each other and their settings.

    Example:
      billing plugin check
    """
    file, host, findings = check_file(settings_path(session.config, os.environ))
    findings += unrated_kinds(host) if host else []
    names = file.settings.deployment.plugins if file else ()
    show_findings(context, findings)
    emit(
        context,
        {"plugins": names, "findings": findings},
        "" if findings else f"nothing to correct in: {', '.join(names) or 'no plugin'}",
    )
    exit_for(context, findings)


@plugin.command()
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path), metavar="FOLDER", help="Folder of the distribution; by default NAME.")
@click.pass_context
def new(context: click.Context, *, name: str, into: Path | None) -> None:
    """Write the distribution of a new plugin: a kind of record, a reader, a rater, settings, and tests that pass.

    Example:
      billing plugin new cloud_storage
      billing plugin new cloud_storage --into ../billing-cloud-storage
    """
    folder = into or Path(name)
    files = new_plugin(name, folder)
    emit(context, {"folder": str(folder), "files": [str(file) for file in files]}, lambda: _written(folder, files))


def _written(folder: Path, files: Sequence[Path]) -> Iterator[str]:
    yield from (str(folder / file) for file in files)
    yield ""
    yield f"next: python -m pip install --editable '{folder}[test]' && python -m pytest {folder}"
