"""The verbs of ``billing deposit`` that put bank statements against the books."""

from __future__ import annotations

from datetime import datetime

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.money_option import money
from billing_framework.cli.output import emit, exit_for, show_findings, table
from billing_framework.receivables.held_statement import HeldReconciliation
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.held_statement import StatementRequest, list_reconciliations, reconcile_bank_statement
from billing_framework.values.money import Money


@click.command()
@click.argument("book")
@click.option("--on", type=date_type, required=True, metavar="DATE", help="Date of the bank's statement.")
@click.option("--bank", type=money, required=True, metavar="MONEY", help="What the statement says that the trust bank holds.")
@click.option("--in-transit", type=money, multiple=True, metavar="MONEY", help="A deposit not on it yet; may be repeated.")
@click.option("--outstanding", type=money, multiple=True, metavar="MONEY", help="A payment not made yet; may be repeated.")
@reason_option
@pass_deployment
@click.pass_context
def reconcile(
    context: click.Context,
    deployment: Deployment,
    *,
    book: str,
    on: datetime,
    bank: Money,
    in_transit: tuple[Money, ...],
    outstanding: tuple[Money, ...],
    reason: str,
) -> None:
    """Put a trust bank's statement against the ledger and all customers' balances of its date, and keep the result.

    The three must be equal and no customer below zero; else the exit code is 1. The result is kept either way and never changed.

    Example:
      billing deposit reconcile US --on 2026-07-31 --bank 18450.00USD --in-transit 1200.00USD --outstanding 2150.00USD
    """
    request = StatementRequest(
        book=book, on=on.date(), balance=bank, in_transit=in_transit, outstanding=outstanding, reason=reason
    )
    made = reconcile_bank_statement(deployment, request)
    show_findings(context, made.findings)
    emit(context, made, lambda: _told(made))
    exit_for(context, made.findings)


def _told(made: HeldReconciliation) -> str:
    statement = made.statement
    rows = [
        ("bank statement", statement.balance),
        ("+ in transit", statement.in_transit),
        ("- outstanding", statement.outstanding),
        ("= bank", statement.adjusted),
        ("journal", made.journal),
        *((f"  {one.account} {one.subject}".rstrip(), one.balance) for one in made.balances),
        ("customers' ledgers", made.ledgers),
    ]
    verdict = "the three agree, and nobody is below zero" if made.agrees else "the three do not agree"
    return f"{table((f'{made.book} on {statement.on}', 'money'), rows, right=('money',))}\n{verdict}"


@click.command()
@click.argument("book", required=False, default="")
@pass_deployment
@click.pass_context
def reconciliations(context: click.Context, deployment: Deployment, *, book: str) -> None:
    """List what was reconciled, with what stood against it.

    Example:
      billing deposit reconciliations US
    """
    found = list_reconciliations(deployment, book)
    rows = [
        (one.book, one.on, one.number, one.bank + one.in_transit - one.outstanding, one.journal, one.ledgers, one.actor,
         "; ".join(one.findings) or "agrees")
        for one in found
    ]  # fmt: skip
    headers = ("book", "on", "no", "bank", "journal", "ledgers", "by", "result")
    emit(context, found, lambda: table(headers, rows, right=("no", "bank", "journal", "ledgers")))
