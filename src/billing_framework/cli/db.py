"""``billing db``: the database of the deployment."""

from __future__ import annotations

from pathlib import Path

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, exit_for, show_findings
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.periods import months
from billing_framework.run.schema import add_partitions, check_schema, grant_role, restore_backup, upgrade_schema
from billing_framework.storage.backup import backup as write_backup


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


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Overwrite the file where it exists.")
@pass_deployment
@click.pass_context
def backup(context: click.Context, deployment: Deployment, *, file: Path, replace: bool) -> None:
    """Write a backup of one consistent moment, while others go on working.

    On SQLite it is a database file, on PostgreSQL an archive of pg_dump.

    Example:
      billing db backup /var/backups/billing-2026-07-31
    """
    written = write_backup(deployment.database, file, replace=replace)
    emit(context, {"file": str(written)}, f"{written} is written")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Throw away what the database holds now.")
@pass_deployment
@click.pass_context
def restore(context: click.Context, deployment: Deployment, *, file: Path, replace: bool) -> None:
    """Make the database what a backup holds; refused where it holds something, unless --replace is given.

    Example:
      billing db restore /var/backups/billing-2026-07-31 --replace
    """
    restore_backup(deployment, file, replace=replace)
    emit(context, {"file": str(file)}, f"the database is what {file} holds")


@db.command()
@click.argument("role")
@pass_deployment
@click.pass_context
def grant(context: click.Context, deployment: Deployment, role: str) -> None:
    """Give a PostgreSQL role what the application needs, and nothing that could switch the guards off.

    Run it as the owner of the schema, again after each upgrade; let the application connect as the role.

    Example:
      billing db grant billing_app
    """
    grant_role(deployment, role)
    emit(context, {"role": role}, f"{role} has the rights of the application")


@db.command()
@click.option("--through", metavar="MONTH", required=True, help="The last month that shall have partitions.")
@click.option("--from", "first", metavar="MONTH", help="The first one; this month where it is not given.")
@pass_deployment
@click.pass_context
def partition(context: click.Context, deployment: Deployment, *, through: str, first: str | None) -> None:
    """Make monthly partitions of usage and of what was rated ahead of time, on PostgreSQL; doing it again changes nothing.

    Run it as the owner of the schema before the months come. A month without partitions is no fault: what belongs to
    it stands in the partition of all others, and stays there. The ledger's partitions are made where its periods are opened.

    Example:
      billing db partition --through 2027-12
    """
    months_asked = months(first or f"{deployment.clock.now():%Y-%m}", through)
    report = add_partitions(deployment, months_asked)
    if report is None:
        emit(context, {"added": [], "there": 0, "left": []}, "SQLite keeps each table in one piece; there is nothing to make")
        return
    told = [f"{name} is made" for name in report.added]
    told += [f"{name} is not made: its records stand among all others, and stay there" for name in report.left]
    emit(
        context,
        {"added": report.added, "there": report.there, "left": report.left},
        told or "all partitions are there; nothing was changed",
    )
