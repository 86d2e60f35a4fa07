"""``billing charge``: charges and credits that an officer puts on the next bill."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.output import emit, table
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.charges import ChargeRequest, charge_states, enter_charge, withdraw
from billing_framework.run.master.periods import inclusive


@click.group()
def charge() -> None:
    """Enter charges and credits that no plan prices; they wait for the account's next bill.

    Example:
      billing charge add A-1001 --amount -25 --code service.goodwill --text "Goodwill" --date 2026-07-14 --reason "late read"
      billing charge list A-1001
    """


@charge.command()
@click.argument("account")
@click.option("--amount", required=True, metavar="NUMBER", help="Before tax, in the account's currency; negative for a credit.")
@click.option("--code", required=True, help="Charge code; the book maps it to an account of the ledger.")
@click.option("--text", required=True, help="What is printed, in the customer's language.")
@click.option("--date", "first", type=date_type, required=True, metavar="DATE", help="Date that it is for, or the first one.")
@click.option("--to", "last", type=date_type, metavar="DATE", help="Last date that it is for.")
@click.option("--agreement", default="", metavar="CODE", help="Agreement that it is for; none for the account as a whole.")
@click.option("--tax-category", default="standard", show_default=True, help="Tax category.")
@click.option("--again", is_flag=True, help="Enter the same charge for the same reason once more.")
@reason_option
@pass_deployment
@click.pass_context
def add(context: click.Context, /, deployment: Deployment, *, first: datetime, last: datetime | None, **given: Any) -> None:
    """Put a charge or credit on the account's next bill.

    Example:
      billing charge add A-1001 --amount 40 --code service.reconnect --text "Reconnection" --date 2026-07-14 --reason "order 81"
    """
    service = inclusive(first.date(), (last or first).date())
    entered = enter_charge(deployment, ChargeRequest(service=service, **given))
    emit(context, entered, f"charge {entered.id}: {entered.amount} waits for the next bill of {entered.account}")


@charge.command("list")
@click.argument("account", default="")
@pass_deployment
@click.pass_context
def list_charges(context: click.Context, deployment: Deployment, account: str) -> None:
    """List manual charges with their state: waiting, drafted, billed on a document, withdrawn.

    Example:
      billing charge list A-1001
    """
    with deployment.database.read() as connection:
        found = charge_states(connection, account)
    rows = [(one.id, one.service, one.code, one.text, one.amount, state, one.reason) for one, state in found]
    headers = ("charge", "service", "code", "text", "amount", "state", "reason")
    data = [{"charge": one, "state": state} for one, state in found]
    emit(context, data, lambda: table(headers, rows, right=("amount",)))


@charge.command("withdraw")
@click.argument("charge_id", metavar="CHARGE")
@reason_option
@pass_deployment
@click.pass_context
def withdraw_charge(context: click.Context, deployment: Deployment, *, charge_id: str, reason: str) -> None:
    """Withdraw a charge before it is billed; one that is billed is credited on its document instead.

    Example:
      billing charge withdraw A-1001-M1 --reason "entered twice"
    """
    gone = withdraw(deployment, charge_id, reason=reason)
    emit(context, gone, f"charge {gone.id} is withdrawn")
