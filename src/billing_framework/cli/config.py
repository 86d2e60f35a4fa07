"""``billing config``: the settings of the deployment, checked and described."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

import click

from billing_framework.cli.context import Session, pass_session
from billing_framework.cli.output import emit, exit_for, fields, show_findings
from billing_framework.plugin import core_offers
from billing_framework.plugin.check import check_file, unrated_kinds
from billing_framework.plugin.discovery import installed_plugins, load_plugins
from billing_framework.plugin.host import Host, settings_class_of
from billing_framework.plugin.json_schema import settings_schema
from billing_framework.plugin.offers import register
from billing_framework.run.deployment import settings_path
from billing_framework.values.plain_form import to_plain


@click.group()
def config() -> None:
    """Show and check the settings in billing.toml.

    Example:
      billing config check
    """


@config.command()
@pass_session
@click.pass_context
def show(context: click.Context, session: Session) -> None:
    """Show the settings in force, with what was left to its default.

    Secrets are shown as references, never revealed.

    Example:
      billing config show --json
    """
    file = session.settings_file()
    settings = file.settings
    plugins = {plugin.name: plugin.settings for plugin in Host.from_file(file).plugins if plugin.settings is not None}
    typed = {
        "deployment": settings.deployment,
        "holidays": settings.holidays,
        "calendars": settings.calendars,
        "review": settings.review,
        "personal_data": settings.personal_data,
        "plugin": plugins,
    }
    data = {"file": str(file.path), "sha256": file.sha256, **to_plain(typed)}
    emit(context, data, lambda: fields(_flat(data, "")))


@config.command()
@pass_session
@click.pass_context
def check(context: click.Context, session: Session) -> None:
    """Check the settings and the plugins; list everything that is wrong. The database is not opened.

    Example:
      billing config check --config /etc/billing/billing.toml
    """
    path = settings_path(session.config, os.environ)
    _, host, findings = check_file(path)
    findings += unrated_kinds(host) if host else []
    show_findings(context, findings)
    emit(context, {"file": str(path), "findings": findings}, [] if findings else f"{path}: nothing to correct")
    exit_for(context, findings)


@config.command()
def schema() -> None:
    """Print the JSON schema of billing.toml, with the settings of all installed plugins, for an editor.

    Example:
      billing config schema > billing.schema.json
    """
    panel = register(load_plugins(tuple(installed_plugins())), core_offers)
    classes = {plugin.name: settings_class_of(panel, plugin.name) for plugin in panel.plugins[1:]}
    click.echo(json.dumps(settings_schema(classes), indent=2, ensure_ascii=False))


def _flat(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        yield path, ", ".join(map(str, value))
    else:
        yield path, value
