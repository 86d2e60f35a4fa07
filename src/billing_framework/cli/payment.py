"""``billing payment``: money that comes in, what it settles, and how it goes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from billing_framework.accounts.csv_file import DELIMITERS
from billing_framework.cli import payment_acts, payment_undo
from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.money_option import money
from billing_framework.cli.number_option import NUMBER
from billing_framework.cli.output import emit, exit_for, fields, show_findings, table
from billing_framework.cli.payment_acts import recorded_lines, terms_of
from billing_framework.run.collect.payment import PaymentRequest, record_payment
from billing_framework.run.collect.payment_file import Count, Expected, import_payments
from billing_framework.run.collect.view import PaymentView, item_names, open_items, payment_views, payments
from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import read_input
from billing_framework.values.money import Money


@click.group()
def payment() -> None:
    """Take payments in, settle documents with them, and send money back.

    Example:
      billing payment record A-1001 120.00 USD --on 2026-08-03 --ref BANK-0803-17
      billing payment open A-1001
    """


for act in (*payment_acts.COMMANDS, *payment_undo.COMMANDS):
    payment.add_command(act)


@payment.command()
@click.argument("account")
@click.argument("amount")
@click.argument("currency")
@click.option("--on", type=date_type, required=True, metavar="DATE", help="Booking date.")
@click.option("--ref", "reference", required=True, metavar="TEXT", help="Reference at the bank; it names the payment for ever.")
@click.option("--method", default="bank_transfer", show_default=True, metavar="WORD", help="How it came.")
@click.option("--for", "wishes", multiple=True, metavar="NUMBER[=MONEY]", help="Document that the payer named; repeatable.")
@click.option("--strategy", default="", metavar="NAME", help="How the rest settles; else as the account says.")
@click.option("--priority", "priorities", multiple=True, metavar="CODE", help="Charge code for line_priority, in order.")
@click.option("--tolerance", type=money, metavar="MONEY", help="Write off a rest of a settled document up to this.")
@click.option("--remittance", default="", metavar="TEXT", help="What the payer wrote; document numbers in it count.")
@click.option("--book", default="", metavar="CODE", help="Book whose suspense takes it where ACCOUNT is - for unknown.")
@reason_option
@pass_deployment
@click.pass_context
def record(
    context: click.Context,
    deployment: Deployment,
    *,
    account: str,
    amount: str,
    currency: str,
    on: datetime,
    reference: str,
    method: str,
    wishes: tuple[str, ...],
    strategy: str,
    priorities: tuple[str, ...],
    tolerance: Money | None,
    remittance: str,
    book: str,
    reason: str,
) -> None:
    """Record one payment and settle documents with it; the same again changes nothing.

    ACCOUNT may be - where it is not known: the money then stands in the suspense of --book.

    Example:
      billing payment record A-1001 120.00 USD --on 2026-08-03 --ref BANK-0803-17 --for INV-2026-000042=100.00USD
      billing payment record - 75.00 USD --on 2026-08-03 --ref BANK-0803-18 --book US
    """
    known = "" if account == "-" else account
    if not known and not book:
        raise click.UsageError("give --book where the account is not known")
    request = PaymentRequest(
        account=known,
        money=Money.of(amount, currency),
        received_on=on.date(),
        external_ref=reference,
        method=method,
        remittance=remittance,
        terms=terms_of(wishes, strategy=strategy, priorities=priorities, tolerance=tolerance),
    )
    recorded = record_payment(deployment, request, book=book, reason=reason)
    show_findings(context, recorded.findings)
    emit(context, recorded, lambda: recorded_lines(deployment, recorded))


@payment.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--book", required=True, metavar="CODE", help="Book whose bank the file is of.")
@click.option("--delimiter", type=click.Choice([*DELIMITERS[:2], "tab"]), default=",", help="What separates the cells.")
@click.option("--expect-payments", type=NUMBER, metavar="COUNT", help="Number of payments, as the bank says.")
@click.option("--expect-total", type=money, metavar="MONEY", help="Sum of the payments, as the bank says.")
@click.option("--check", "check_only", is_flag=True, help="Only say what would happen.")
@pass_deployment
@click.pass_context
def import_(
    context: click.Context,
    deployment: Deployment,
    *,
    file: Path,
    book: str,
    delimiter: str,
    expect_payments: int | None,
    expect_total: Money | None,
    check_only: bool,
) -> None:
    """Take in a CSV file of payments: the whole file or nothing; unknown accounts go to suspense, nothing is dropped.

    Columns: reference, amount, currency, received_on, account, document, method, remittance. Where the account is empty, the
    number or RF reference of a document in document or remittance finds it.

    Example:
      billing payment import bank-2026-08-03.csv --book US --expect-total 1820.50USD
    """
    report = import_payments(
        deployment,
        read_input(file),
        file=file.name,
        book=book,
        delimiter="\t" if delimiter == "tab" else delimiter,
        expected=Expected(payments=expect_payments, money=expect_total),
        check_only=check_only,
    )
    show_findings(context, report.findings)
    parts = (("recorded", report.recorded), ("duplicate", report.duplicate), ("suspense", report.suspense))
    state = "" if report.written else " (checked only, nothing written)" if check_only else " (nothing written)"
    counts = ", ".join(f"{_counted(count)} {name}" for name, count in parts)
    emit(context, report, f"{file.name}: {_counted(report.total)} in = {counts}{state}")
    exit_for(context, report.findings)


def _counted(count: Count) -> str:
    sums = " + ".join(map(str, count.money))
    return f"{count.payments} ({sums})" if sums else str(count.payments)


@payment.command("list")
@click.option("--book", default="", metavar="CODE", help="Only of this book.")
@click.option("--account", default="", metavar="CODE", help="Only of this account.")
@click.option("--suspense", is_flag=True, help="Only those whose account is not known.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many, newest first.")
@pass_deployment
@click.pass_context
def list_(context: click.Context, deployment: Deployment, *, book: str, account: str, suspense: bool, limit: int) -> None:
    """List payments, newest first.

    Example:
      billing payment list --suspense
      billing payment list --account A-1001
    """
    found = payments(deployment, book=book, account=account, suspense=suspense, limit=limit)
    headers = ("received", "reference", "account", "direction", "method", "amount", "status", "unapplied")
    emit(context, found, lambda: table(headers, map(_row, found), right=("amount", "unapplied")))


def _row(view: PaymentView) -> tuple[object, ...]:
    one = view.stored.payment
    return (
        one.received_on, one.external_ref, one.account, one.direction.value, one.method, one.money, view.status, view.unapplied,
    )  # fmt: skip


@payment.command()
@click.argument("reference")
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, *, reference: str) -> None:
    """Show a payment and what it settled: documents by their numbers, refunds, and the account that money was transferred to.

    Example:
      billing payment show BANK-0803-17
    """
    views = payment_views(deployment, reference)
    names = item_names(deployment, [link.debit for view in views for link in view.allocations])
    emit(context, views, lambda: [line for view in views for line in _shown(view, names)])


def _shown(view: PaymentView, names: Mapping[str, str]) -> list[str]:
    stored, one = view.stored, view.stored.payment
    facts = [
        ("reference", one.external_ref), ("book", one.book), ("account", one.account), ("direction", one.direction.value),
        ("method", one.method), ("amount", one.money), ("received", one.received_on), ("status", view.status),
        ("unapplied", view.unapplied), ("recorded", f"{stored.at} by {stored.actor}"),
    ]  # fmt: skip
    rows = [(link.on, names[link.debit], link.line or None, link.amount, link.strategy, link.undoes) for link in view.allocations]
    return [fields(facts), "", table(("on", "settles", "line", "amount", "strategy", "undoes"), rows, right=("amount",))]


@payment.command("open")
@click.argument("account")
@click.option("--on", type=date_type, metavar="DATE", help="Day on which holds and due dates are looked at; else today.")
@click.option("--all", "settled", is_flag=True, help="Also what is settled.")
@pass_deployment
@click.pass_context
def open_(context: click.Context, deployment: Deployment, *, account: str, on: datetime | None, settled: bool) -> None:
    """Show what an account owes and is owed: open items with due dates, and the part that a hold shields.

    Example:
      billing payment open A-1001
    """
    view = open_items(deployment, account, on=on.date() if on else None, settled=settled)
    headers = ("reference", "kind", "dated", "due", "original", "open", "held", "dunnable", "key")
    rows = [
        (
            one.reference,
            one.kind,
            one.dated_on,
            one.due_on,
            one.original,
            one.open,
            one.held or None,
            one.dunnable or None,
            one.key,
        )
        for one in view.items
    ]
    money_columns = ("original", "open", "held", "dunnable")
    balance = " and ".join(map(str, view.balance)) or "nothing"
    lines = f"balance of {account} on {view.on}: {balance}"
    emit(context, view, lambda: [table(headers, rows, right=money_columns), "", lines])
