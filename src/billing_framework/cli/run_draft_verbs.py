"""The verbs of ``billing run`` that act on one draft: edit, hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.number_option import NUMBER
from billing_framework.cli.output import emit, show_findings
from billing_framework.cli.run_argument import named_run_argument
from billing_framework.invoicing.edit import EditField
from billing_framework.run.deployment import Deployment
from billing_framework.run.review.edits import edit_draft, hold_account
from billing_framework.run.review.wanted_edits import (
    AddedLine,
    DroppedEdit,
    DroppedWriteDown,
    LineEdit,
    RecordChange,
    RecordDeferral,
    Wanted,
    WriteDown,
)
from billing_framework.storage.billing.run_rows import RunAccount, find_run


@click.command()
@named_run_argument
@click.argument("account")
@click.option("--line", type=NUMBER, metavar="N", help="Line of the draft that is changed.")
@click.option("--amount", metavar="AMOUNT", help="New amount before tax, such as 12.50; with --add that of the new line.")
@click.option("--description", metavar="TEXT", help="New description; with --add the description of the new line.")
@click.option("--drop", is_flag=True, help="Take the line off the document.")
@click.option("--waive", metavar="TEXT", help="Keep the line and add its opposite with this description.")
@click.option("--add", metavar="CODE", help="Add a line with this charge code.")
@click.option("--agreement", default="", metavar="CODE", help="Agreement of the added line.")
@click.option("--tax-category", default="standard", show_default=True, help="Tax category of the added line.")
@click.option("--date", "service", type=date_type, metavar="DATE", help="Date of the added line.")
@click.option("--again", is_flag=True, help="With --add: add the same line for the same reason once more.")
@click.option("--write-down", metavar="CUT", help="Let the lines come to less: by 10% or by 50.00, shared out exactly.")
@click.option("--code", "codes", multiple=True, metavar="CODE", help="With --write-down: only lines of this charge code; repeat.")
@click.option("--record", metavar="KEY", help="Usage record that is changed: its key, or its id at the source.")
@click.option("--set", "values", multiple=True, metavar="FIELD=VALUE", help="With --record: new value of a field; repeat.")
@click.option("--defer", metavar="KEY", help="Leave this usage record for a later bill.")
@click.option("--withdraw", type=NUMBER, metavar="N", help="Take edit number N back.")
@click.option("--withdraw-write-down", is_flag=True, default=None, help="Take back all edits that --write-down has made.")
@reason_option
@pass_deployment
@click.pass_context
def edit(context: click.Context, /, deployment: Deployment, *, run_code: str, account: str, reason: str, **given: Any) -> None:
    """Change a draft; the edit is kept beside it, makes a new version of it, and voids an approval.

    Exit code 1 where the account is held afterwards; the reasons are shown.

    Example:
      billing run edit US.2026-07-01.monthly-1.1 A-1001 --line 2 --amount 10.00 --reason "agreed by telephone"
      billing run edit US.2026-07-01.monthly-1.1 A-1001 --line 1 --waive "Goodwill" --reason "late installation"
      billing run edit US.2026-07-01.monthly-1.1 A-1001 --write-down 10% --reason "agreed with the client"
      billing run edit US.2026-07-01.monthly-1.1 A-1001 --record T-4711 --set "hours=1.5" --reason "written down by the partner"
      billing run edit US.2026-07-01.monthly-1.1 A-1001 --defer T-4712 --reason "not finished"
      billing run edit US.2026-07-01.monthly-1.1 A-1001 --withdraw 1 --reason "edited the wrong line"
      billing run edit US.2026-07-01.monthly-1.1 A-1001 --withdraw-write-down --reason "to be cut by another percentage"
    """
    wanted = _wanted(given)
    approved = is_approved(deployment, run_code)
    row = edit_draft(deployment, run_code, account, wanted, reason=reason)
    held = row.state == "held"
    show_findings(context, [item.finding for item in row.evidence] if held else [])
    emit(context, row, account_state(row, was_approved=approved))
    if held:
        context.exit(1)


_CHOICES = ("line", "add", "write_down", "record", "defer", "withdraw", "withdraw_write_down")


def _wanted(given: dict[str, Any]) -> Wanted:
    chosen = [name for name in _CHOICES if given[name] is not None]
    if len(chosen) != 1:
        raise click.UsageError(f"give one of {', '.join('--' + name.replace('_', '-') for name in _CHOICES)}")
    if given["values"] and chosen != ["record"]:
        raise click.UsageError("--set goes with --record")
    if given["again"] and chosen != ["add"]:
        raise click.UsageError("--again goes with --add")
    if given["codes"] and chosen != ["write_down"]:
        raise click.UsageError("--code goes with --write-down")
    if chosen == ["withdraw"]:
        return DroppedEdit(position=given["withdraw"])
    if chosen == ["withdraw_write_down"]:
        return DroppedWriteDown()
    if chosen == ["write_down"]:
        return WriteDown(cut=given["write_down"], codes=given["codes"])
    if chosen == ["defer"]:
        return RecordDeferral(record=given["defer"])
    if chosen == ["record"]:
        return RecordChange(record=given["record"], values=_values(given["values"]))
    return _wanted_line(given, is_new=chosen == ["add"])


def _values(options: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for option in options:
        name, sign, text = option.partition("=")
        if not sign or name.strip() in values:
            raise click.UsageError(f"--set {option!r} must be FIELD=VALUE, once for each field")
        values[name.strip()] = text
    if not values:
        raise click.UsageError("--record needs --set FIELD=VALUE")
    return values


def _wanted_line(given: dict[str, Any], *, is_new: bool) -> LineEdit | AddedLine:
    if is_new:
        service: datetime | None = given["service"]
        if not (given["amount"] and given["description"] and service):
            raise click.UsageError("--add needs --amount, --description and --date")
        return AddedLine(
            code=given["add"],
            description=given["description"],
            amount=given["amount"],
            tax_category=given["tax_category"],
            agreement=given["agreement"],
            on=service.date(),
            again=given["again"],
        )
    wishes = {
        EditField.AMOUNT: given["amount"],
        EditField.DESCRIPTION: given["description"],
        EditField.LINE: "" if given["drop"] else None,
        EditField.WAIVER: "" if given["waive"] is not None else None,
    }
    fields = [field for field, after in wishes.items() if after is not None]
    if len(fields) != 1:
        raise click.UsageError("say with --line one of --amount, --description, --drop and --waive")
    return LineEdit(line=given["line"], field=fields[0], after=wishes[fields[0]] or "", text=given["waive"] or "")


@click.command()
@named_run_argument
@click.argument("account")
@reason_option
@pass_deployment
@click.pass_context
def hold(context: click.Context, deployment: Deployment, *, run_code: str, account: str, reason: str) -> None:
    """Keep an account out of the approval until it is released; one that an officer holds already stays as it is.

    Example:
      billing run hold US.2026-07-01.monthly-1.1 A-1001 --reason "customer disputes the reading"
    """
    found = hold_account(deployment, run_code, account, reason=reason)
    if found.is_new:
        emit(context, found.row, account_state(found.row, was_approved=found.withdrew_approval))
    else:
        since = found.since.isoformat(timespec="minutes")
        emit(context, found.row, f"nothing to do: account {account} is held already, by {found.by} since {since}: {found.reason}")


def is_approved(deployment: Deployment, run_code: str) -> bool:
    """Return whether a run is approved, so that a change of a draft withdraws the approval."""
    with deployment.database.read() as connection:
        return find_run(connection, run_code).state == "approved"


APPROVAL_WITHDRAWN = "the approval of the whole run is withdrawn: approve it again"


def account_state(row: RunAccount, *, was_approved: bool) -> list[str]:
    """Return what is told of an account after an act on its draft, and of the approval that the act has withdrawn."""
    shown = [f"account {row.account} is {row.state}, draft {row.version}" + (f": {row.reason}" if row.reason else "")]
    return [*shown, APPROVAL_WITHDRAWN] if was_approved else shown


VERBS = (edit, hold)
