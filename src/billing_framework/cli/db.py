"""``billing db``: the database of the deployment."""

from __future__ import annotations

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, exit_for, show_findings
from billing_framework.run.deployment import Deployment
from billing_framework.run.schema import check_schema, upgrade_schema


@click.group()
def db() -> None:
    """Upgrade, check, back up and restore the database.

    Example:
      billing db upgrade
    """


@db.command()
@pass_deployment
@click.pass_context
def upgrade(context: click.Context, deployment: Deployment) -> None:
    """Create the schema, or bring it to this version and its plugins; doing it again changes nothing.

    Example:
      billing db upgrade
    """
    done = upgrade_schema(deployment)
    emit(context, {"done": done}, done or "the schema is current; nothing was changed")


@db.command()
@pass_deployment
@click.pass_context
def check(context: click.Context, deployment: Deployment) -> None:
    """Check the schema: revisions, guards, and the usage tables against the classes of the plugins.

    Example:
      billing db check --json
    """
    findings = check_schema(deployment)
    show_findings(context, findings)
    emit(context, {"findings": findings}, [] if findings else "the schema is current")
    exit_for(context, findings)
