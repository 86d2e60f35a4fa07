"""The verbs of ``billing payment`` that take something back or give it up: unallocate, reverse, write off."""

from __future__ import annotations

from datetime import datetime

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import reason_option
from billing_framework.cli.money_option import money
from billing_framework.cli.output import emit
from billing_framework.cli.payment_acts import on_option, settled_lines
from billing_framework.run.collect.allocate import unallocate as take_back
from billing_framework.run.collect.returned import FEE_CODE, ReturnRequest, reverse_payment
from billing_framework.run.collect.view import item_names
from billing_framework.run.collect.write_off import write_off_item, write_off_small
from billing_framework.run.deployment import Deployment
from billing_framework.values.money import Money


@click.command()
@click.argument("credit")
@click.option("--account", default="", metavar="CODE", help="Its account, where several have a credit of this number.")
@click.option("--from", "debit", default="", metavar="NUMBER", help="Only from this document; else from all.")
@on_option
@reason_option
@pass_deployment
@click.pass_context
def unallocate(
    context: click.Context,
    deployment: Deployment,
    *,
    credit: str,
    account: str,
    debit: str,
    on: datetime | None,
    reason: str,
) -> None:
    """Take back what a payment or credit settled; the documents are open again with their own due dates.

    Example:
      billing payment unallocate BANK-0803-17 --from INV-2026-000042 --reason "meant for July"
    """
    day = on.date() if on else None
    done = take_back(deployment, credit, account=account, debit=debit, on=day, reason=reason)
    head = f"account {done.account}: {done.unapplied[0]} of {credit} stays on account"
    emit(context, done, lambda: [head, *settled_lines(deployment, done.allocations)])


@click.command()
@click.argument("reference")
@click.option("--code", required=True, metavar="CODE", help="Why, in the bank's code such as R01 or AC04, or your own word.")
@click.option("--book", default="", metavar="CODE", help="Book of the payment, where several have this reference.")
@click.option("--ref", "bank_reference", default="", metavar="TEXT", help="Reference of the return at the bank.")
@click.option("--fee", type=money, metavar="MONEY", help="What the customer owes for it at once.")
@click.option("--fee-code", default=FEE_CODE, show_default=True, metavar="CODE", help="Charge code of the fee.")
@on_option
@reason_option
@pass_deployment
@click.pass_context
def reverse(
    context: click.Context,
    deployment: Deployment,
    *,
    reference: str,
    code: str,
    book: str,
    bank_reference: str,
    fee: Money | None,
    fee_code: str,
    on: datetime | None,
    reason: str,
) -> None:
    """Take a payment back that the bank returned or that was recorded by mistake; the documents age as before.

    Example:
      billing payment reverse BANK-0803-17 --code R01 --fee 25.00USD --reason "insufficient funds"
    """
    request = ReturnRequest(
        reference=reference,
        code=code,
        on=on.date() if on else None,
        book=book,
        bank_reference=bank_reference,
        fee=fee,
        fee_code=fee_code,
        reason=reason,
    )
    done = reverse_payment(deployment, request)
    if done.outcome == "duplicate":
        emit(context, done, f"payment {reference} went back already, unchanged")
        return
    names = item_names(deployment, done.opened)
    lines = [f"payment {reference} of {done.payment.money} went back", *(f"  open again: {names[key]}" for key in done.opened)]
    if done.fee is not None:
        lines.append(f"  fee: {done.fee.original} due on {done.fee.due_on}")
    emit(context, done, lines)


@click.command("write-off")
@click.argument("item", required=False)
@click.option("--account", default="", metavar="CODE", help="Its account; with --below the account whose small rests go.")
@click.option("--amount", type=money, metavar="MONEY", help="A part of it; else all that is open.")
@click.option("--below", type=money, metavar="MONEY", help="Every open document of the account up to this amount.")
@on_option
@reason_option
@pass_deployment
@click.pass_context
def write_off(
    context: click.Context,
    deployment: Deployment,
    *,
    item: str | None,
    account: str,
    amount: Money | None,
    below: Money | None,
    on: datetime | None,
    reason: str,
) -> None:
    """Give up what is uncollectable or too small: one ITEM, or all small rests of an account.

    Example:
      billing payment write-off INV-2026-000042 --reason "company dissolved"
      billing payment write-off --account A-1001 --below 1.00USD --reason "small balances of July"
    """
    day = on.date() if on else None
    if item is not None and below is None:
        done = write_off_item(deployment, item, account=account, amount=amount, on=day, reason=reason)
    elif item is None and below is not None and account and amount is None:
        done = write_off_small(deployment, account, below, on=day, reason=reason)
    else:
        raise click.UsageError("give an ITEM, or --account and --below")
    lines = [f"  {-one.original} of {one.reference}" for one in done.items]
    emit(context, done, [f"account {done.account}: {len(lines)} items written off", *lines])


COMMANDS = (unallocate, reverse, write_off)
