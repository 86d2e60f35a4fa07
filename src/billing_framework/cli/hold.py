"""``billing hold``: what waits for a decision: disputes, promises, deferrals; placed, listed, released."""

from __future__ import annotations

from datetime import datetime

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.money_option import money
from billing_framework.cli.number_option import COUNT, NUMBER
from billing_framework.cli.output import emit, table
from billing_framework.receivables.hold import Block
from billing_framework.run.collect.hold import HoldRequest, hold_facts, list_holds, place_hold, release_hold
from billing_framework.run.deployment import Deployment
from billing_framework.values.money import Money

_BLOCKS = [block.value for block in Block]


@click.group()
def hold() -> None:
    """Shield an account, a document or a line: from being billed, dunned, charged or settled.

    Example:
      billing hold place --document INV-2026-000042 --block dunning --code dispute --reason "reading is wrong"
      billing hold list
    """


@hold.command()
@click.option("--account", default="", metavar="CODE", help="Shield a whole account.")
@click.option("--document", default="", metavar="NUMBER", help="Shield a document.")
@click.option("--line", type=COUNT, default=None, metavar="NUMBER", help="Only this line of the document.")
@click.option("--block", "blocks", multiple=True, required=True, type=click.Choice(_BLOCKS), help="What it forbids; repeatable.")
@click.option("--code", required=True, metavar="WORD", help="dispute, promise, deferral, plan, hardship, agency or your own.")
@click.option("--amount", type=money, metavar="MONEY", help="Only a part; else all that is open.")
@click.option("--since", type=date_type, metavar="DATE", help="First day; else today.")
@click.option("--until", type=date_type, metavar="DATE", help="The day after the last; else until it is released.")
@reason_option
@pass_deployment
@click.pass_context
def place(
    context: click.Context,
    deployment: Deployment,
    *,
    account: str,
    document: str,
    line: int | None,
    blocks: tuple[str, ...],
    code: str,
    amount: Money | None,
    since: datetime | None,
    until: datetime | None,
    reason: str,
) -> None:
    """Place a hold; the same again changes nothing.

    Example:
      billing hold place --document INV-2026-000042 --block dunning --block late_charge --code dispute --reason "double billed"
      billing hold place --account A-1001 --block billing --code review --until 2026-09-01 --reason "waits for a new plan"
    """
    request = HoldRequest(
        account=account,
        document=document,
        line=line or 0,
        blocks=tuple(block for block in Block if block.value in blocks),
        code=code,
        amount=amount,
        since=since.date() if since else None,
        until=until.date() if until else None,
        reason=reason,
    )
    placed = place_hold(deployment, request)
    emit(context, hold_facts(placed), f"hold {placed.id} on {placed.scope} {placed.scope_key} from {placed.starts_on}")


@hold.command()
@click.argument("key", type=NUMBER, metavar="ID")
@click.option("--outcome", required=True, metavar="WORD", help="upheld, rejected, kept, broken, recalled or your own.")
@click.option("--on", type=date_type, metavar="DATE", help="First day on which it does not shield; else today.")
@reason_option
@pass_deployment
@click.pass_context
def release(context: click.Context, deployment: Deployment, *, key: int, outcome: str, on: datetime | None, reason: str) -> None:
    """End a hold and say how it ended.

    Example:
      billing hold release 5318008 --outcome rejected --reason "the reading was right"
    """
    ended = release_hold(deployment, key, outcome=outcome, on=on.date() if on else None, reason=reason)
    emit(context, hold_facts(ended), f"hold {ended.id} on {ended.scope} {ended.scope_key} ended: {ended.outcome}")


@hold.command("list")
@click.argument("scope", required=False, default="", metavar="[ACCOUNT|NUMBER]")
@click.option("--ended", is_flag=True, help="Also those that have ended.")
@pass_deployment
@click.pass_context
def list_(context: click.Context, deployment: Deployment, *, scope: str, ended: bool) -> None:
    """List holds, of one account with its documents, or of one document with its lines, where given.

    Example:
      billing hold list A-1001 --ended
    """
    found = [hold_facts(one) for one in list_holds(deployment, scope_key=scope, ended=ended)]
    headers = ("id", "scope", "on", "blocks", "code", "amount", "since", "until", "outcome", "reason")
    rows = [[", ".join(one[name]) if name == "blocks" else one[name] for name in headers] for one in found]
    emit(context, found, lambda: table(headers, rows, right=("amount",)))
