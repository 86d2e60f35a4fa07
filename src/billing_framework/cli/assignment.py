"""``billing assignment``: which identifier of the field belongs to which agreement, and when."""

from __future__ import annotations

from datetime import date, datetime

import attrs
import click

from billing_framework.accounts.assignment import Assignment
from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import add_shared_verbs, date_type, reason_option, settings_of, show_stored, tell_change
from billing_framework.cli.output import emit, table
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import change_assignment, end_assignment, find_assignment, remove_assignment
from billing_framework.storage.master.master_kind import ASSIGNMENTS
from billing_framework.storage.master.range_rows import guiding_assignments

_COLUMNS = ("subject", "agreement", "starts_on", "ends_on")


@click.group()
def assignment() -> None:
    """Keep dated assignments: which identifier of the field belongs to which agreement.

    Example:
      billing assignment create S-1001 --agreement G-1001 --starts-on 2026-01-01
      billing assignment show S-1001
    """


add_shared_verbs(
    assignment,
    ASSIGNMENTS,
    columns=_COLUMNS,
    examples={
        "create": "billing assignment create S-1001 detail.factor=40 --agreement G-1001 --starts-on 2026-01-01",
        "list": "billing assignment list --agreement G-1001",
        "import": "billing assignment import assignments.csv",
    },
)


@assignment.command()
@click.argument("subject")
@click.option("--on", type=date_type, metavar="DATE", help="Only the assignment on this date.")
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, subject: str, on: datetime | None) -> None:
    """Show to which agreements an identifier belonged, by itself or in a range, and when.

    Example:
      billing assignment show S-1001 --on 2026-07-15
    """
    with deployment.database.read() as connection:
        every = guiding_assignments(connection, [subject]).get(subject, ())
        held = [one for one in every if on is None or _lasts(one, on.date())]
        # An identifier may be assigned by a range that it is in.
        stored = find_assignment(connection, (held[-1].within if held else "") or subject, on.date() if on else None)
    if on is not None:
        emit(context, ASSIGNMENTS.form.write(stored.value), lambda: show_stored(stored, ASSIGNMENTS))
        return
    rows = [ASSIGNMENTS.form.write(attrs.evolve(one, subject=one.within or one.subject)) for one in every]
    details = ([*(row.get(name, "") for name in _COLUMNS), _details(row)] for row in rows)
    emit(context, rows, lambda: table((*_COLUMNS, "details"), details))


def _lasts(assignment: Assignment, day: date) -> bool:
    return assignment.starts_on <= day and (assignment.ends_on is None or day < assignment.ends_on)


def _details(row: dict[str, str]) -> str:
    return ", ".join(f"{name.removeprefix('detail.')}={text}" for name, text in row.items() if name.startswith("detail."))


@assignment.command()
@click.argument("subject")
@click.argument("changes", nargs=-1, required=True, metavar="FIELD=VALUE...")
@click.option("--on", type=date_type, metavar="DATE", help="A date of the assignment that is meant; by default the last one.")
@reason_option
@pass_deployment
@click.pass_context
def change(
    context: click.Context, deployment: Deployment, *, subject: str, changes: tuple[str, ...], on: datetime | None, reason: str
) -> None:
    """Change dates, agreement or details of an assignment, as if they had always been so.

    Example:
      billing assignment change S-1001 detail.factor=80 --on 2026-07-01 --reason "the factor was entered wrongly"
    """
    day = on.date() if on else None
    before, after = change_assignment(deployment, subject, day, settings_of(changes), reason=reason)
    tell_change(context, ASSIGNMENTS, before, after)


@assignment.command()
@click.argument("subject")
@click.option("--on", type=date_type, required=True, metavar="DATE", help="First date on which it no longer holds.")
@reason_option
@pass_deployment
@click.pass_context
def end(context: click.Context, deployment: Deployment, subject: str, on: datetime, reason: str) -> None:
    """End the assignment of an identifier.

    Example:
      billing assignment end S-1001 --on 2026-08-01 --reason "taken out of service"
    """
    ended = end_assignment(deployment, subject, on.date(), reason=reason)
    emit(context, ASSIGNMENTS.form.write(ended), f"{subject} belongs to {ended.agreement} until {on.date()}, exclusive")


@assignment.command()
@click.argument("subject")
@click.option("--on", type=date_type, required=True, metavar="DATE", help="A date of the assignment that is meant.")
@reason_option
@pass_deployment
@click.pass_context
def remove(context: click.Context, deployment: Deployment, subject: str, on: datetime, reason: str) -> None:
    """Remove an assignment that was a mistake from its first day; the audit trail keeps it.

    Example:
      billing assignment remove S-1001 --on 2026-07-15 --reason "another one was meant"
    """
    gone = remove_assignment(deployment, subject, on.date(), reason=reason)
    emit(context, ASSIGNMENTS.form.write(gone), f"{subject} no longer belongs to {gone.agreement} from {gone.starts_on} on")
