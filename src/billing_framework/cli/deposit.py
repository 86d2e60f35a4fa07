"""``billing deposit``: deposits, prepayments and client trust money: taken, applied, paid back, proven."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.deposit_statement import reconcile, reconciliations
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.money_option import money
from billing_framework.cli.output import emit, exit_for, show_findings, table
from billing_framework.cli.payment_acts import on_option
from billing_framework.run.collect.deposit import CashRequest, refund_deposit, take_deposit
from billing_framework.run.collect.draw import DrawRequest, apply_deposit
from billing_framework.run.collect.held import PURPOSES, HeldMoney, Moved
from billing_framework.run.collect.held_return import HeldReturnRequest, return_deposit
from billing_framework.run.collect.view import held_money
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.reconcile import reconcile_held_money
from billing_framework.values.money import Money

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def deposit() -> None:
    """Hold money for customers: each one's balance is its own, and the database keeps it from being overdrawn.

    Example:
      billing deposit take A-1001 200.00 USD --on 2026-07-01 --ref BANK-0701-3
      billing deposit apply A-1001 INV-2026-000042
    """


def _held_options(command: Command) -> Command:
    """Add the options that say what the money is held for."""
    options = (
        click.option("--purpose", type=click.Choice(PURPOSES), default="deposit", show_default=True, help="What it is held as."),
        click.option("--subject", default="", metavar="TEXT", help="What inside the account it is for, such as a project."),
        click.option("--book", default="", metavar="CODE", help="Book that holds trust money, where it is not the account's."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@deposit.command()
@click.argument("account")
@click.argument("amount")
@click.argument("currency")
@click.option("--ref", "reference", required=True, metavar="TEXT", help="Reference at the bank, unique among all payments.")
@click.option("--method", default="bank_transfer", show_default=True, metavar="WORD", help="How it came.")
@click.option("--clears-on", type=date_type, metavar="DATE", help="First day on which it may be used; else at once.")
@_held_options
@on_option
@reason_option
@pass_deployment
@click.pass_context
def take(
    context: click.Context,
    deployment: Deployment,
    *,
    account: str,
    amount: str,
    currency: str,
    reference: str,
    method: str,
    clears_on: datetime | None,
    purpose: str,
    subject: str,
    book: str,
    on: datetime | None,
    reason: str,
) -> None:
    """Take money in to hold; the same reference again changes nothing.

    Example:
      billing deposit take A-1001 200.00 USD --on 2026-07-01 --ref BANK-0701-3 --clears-on 2026-07-08
    """
    request = CashRequest(
        held=HeldMoney(account=account, purpose=purpose, subject=subject, book=book),
        money=Money.of(amount, currency),
        reference=reference,
        method=method,
        on=on.date() if on else None,
        clears_on=clears_on.date() if clears_on else None,
        reason=reason,
    )
    _tell(context, take_deposit(deployment, request))


@deposit.command()
@click.argument("account")
@click.argument("document")
@click.option("--amount", type=money, metavar="MONEY", help="How much; else what is open and may be used.")
@click.option("--ref", "reference", default="", metavar="TEXT", help="Name of the act: the same again changes nothing.")
@_held_options
@on_option
@reason_option
@pass_deployment
@click.pass_context
def apply(
    context: click.Context,
    deployment: Deployment,
    *,
    account: str,
    document: str,
    amount: Money | None,
    reference: str,
    purpose: str,
    subject: str,
    book: str,
    on: datetime | None,
    reason: str,
) -> None:
    """Draw held money for an issued document of the same account.

    Example:
      billing deposit apply A-1001 INV-2026-000042 --amount 80.00USD
    """
    request = DrawRequest(
        held=HeldMoney(account=account, purpose=purpose, subject=subject, book=book),
        document=document,
        amount=amount,
        on=on.date() if on else None,
        reference=reference,
        reason=reason,
    )
    _tell(context, apply_deposit(deployment, request))


@deposit.command()
@click.argument("account")
@click.argument("amount")
@click.argument("currency")
@click.option("--ref", "reference", required=True, metavar="TEXT", help="Reference of the payment out at the bank.")
@click.option("--method", default="bank_transfer", show_default=True, metavar="WORD", help="How it is paid.")
@_held_options
@on_option
@reason_option
@pass_deployment
@click.pass_context
def refund(
    context: click.Context,
    deployment: Deployment,
    *,
    account: str,
    amount: str,
    currency: str,
    reference: str,
    method: str,
    purpose: str,
    subject: str,
    book: str,
    on: datetime | None,
    reason: str,
) -> None:
    """Pay held money back to the customer; the same reference again changes nothing.

    Example:
      billing deposit refund A-1001 120.00 USD --ref OUT-0901-1 --reason "moved out"
    """
    request = CashRequest(
        held=HeldMoney(account=account, purpose=purpose, subject=subject, book=book),
        money=Money.of(amount, currency),
        reference=reference,
        method=method,
        on=on.date() if on else None,
        reason=reason,
    )
    _tell(context, refund_deposit(deployment, request))


@deposit.command("return")
@click.argument("account")
@click.argument("reference")
@click.option("--code", required=True, metavar="CODE", help="Code of the bank, such as R01, or a word of your own.")
@_held_options
@on_option
@reason_option
@pass_deployment
@click.pass_context
def return_(
    context: click.Context,
    deployment: Deployment,
    *,
    account: str,
    reference: str,
    code: str,
    purpose: str,
    subject: str,
    book: str,
    on: datetime | None,
    reason: str,
) -> None:
    """Take a receipt of held money back that the bank returned, cleared or not; the same return again changes nothing.

    What was used of it since must first be put back.

    Example:
      billing deposit return A-1001 BANK-0701-3 --code R01 --reason "cheque not covered"
    """
    request = HeldReturnRequest(
        held=HeldMoney(account=account, purpose=purpose, subject=subject, book=book),
        reference=reference,
        code=code,
        on=on.date() if on else None,
        reason=reason,
    )
    _tell(context, return_deposit(deployment, request))


def _tell(context: click.Context, moved: Moved) -> None:
    balance = moved.balance
    where = " ".join(part for part in (balance.purpose, balance.subject) if part)
    state = "was done already, unchanged" if moved.outcome == "duplicate" else moved.outcome
    line = f"{balance.account} {where}: {moved.movement.money} {state}; {balance.balance} held, {balance.available} may be used"
    emit(context, moved, line)


@deposit.command("list")
@click.argument("account", required=False, default="")
@on_option
@pass_deployment
@click.pass_context
def list_(context: click.Context, deployment: Deployment, *, account: str, on: datetime | None) -> None:
    """List what is held, by book, account and purpose.

    Example:
      billing deposit list A-1001
    """
    found = held_money(deployment, account=account, on=on.date() if on else None)
    rows = [(one.book, one.account, one.purpose, one.money, one.uncleared or None) for one in found]
    headers = ("book", "account", "purpose", "held", "uncleared")
    emit(context, found, lambda: table(headers, rows, right=("held", "uncleared")))


@deposit.command()
@click.argument("book", required=False, default="")
@pass_deployment
@click.pass_context
def verify(context: click.Context, deployment: Deployment, *, book: str) -> None:
    """Prove that the balances of all customers, the liability account and the trust bank account agree.

    Example:
      billing deposit verify US
    """
    findings = reconcile_held_money(deployment, book)
    show_findings(context, findings)
    emit(context, {"findings": findings}, "held money differs" if findings else "held money is proven")
    exit_for(context, findings)


deposit.add_command(reconcile)
deposit.add_command(reconciliations)
