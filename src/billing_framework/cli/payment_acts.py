"""The verbs of ``billing payment`` by which officers settle: assign, allocate, refund, transfer, write off, take over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from billing_framework.accounts.csv_file import DELIMITERS
from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.money_option import money
from billing_framework.cli.output import emit, exit_for, show_findings
from billing_framework.receivables.allocation import Instruction
from billing_framework.receivables.open_item import Allocation
from billing_framework.run.collect.allocate import allocate_credits
from billing_framework.run.collect.assign import assign_payment
from billing_framework.run.collect.opening import open_balances
from billing_framework.run.collect.payment import Recorded
from billing_framework.run.collect.refund import RefundRequest, refund_credit
from billing_framework.run.collect.settle import Terms
from billing_framework.run.collect.transfer import TransferRequest, transfer_item
from billing_framework.run.collect.view import item_names
from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import read_input
from billing_framework.values.money import Money

on_option = click.option("--on", type=date_type, metavar="DATE", help="Date of the act; else today.")


def terms_of(
    wishes: Sequence[str],
    *,
    strategy: str,
    priorities: tuple[str, ...] = (),
    tolerance: Money | None = None,
) -> Terms:
    """Return how a credit is to be settled, of the options ``--for NUMBER[=MONEY]`` and their companions."""
    instructions = []
    for wish in wishes:
        item, sign, amount = wish.partition("=")
        instructions.append(Instruction(item=item, amount=money(amount) if sign else None))
    return Terms(strategy=strategy, instructions=tuple(instructions), priorities=priorities, tolerance=tolerance)


def settled_lines(deployment: Deployment, allocations: Sequence[Allocation]) -> list[str]:
    """Return one line for each allocation, with the number of what it settles."""
    names = item_names(deployment, [one.debit for one in allocations])
    return [f"  {one.amount} of {names[one.debit]}" + (f", line {one.line}" if one.line else "") for one in allocations]


def recorded_lines(deployment: Deployment, recorded: Recorded) -> list[str]:
    """Return what became of a payment, for people."""
    one = recorded.payment
    if recorded.outcome == "duplicate":
        return [f"payment {one.external_ref} is recorded already, unchanged"]
    if recorded.outcome == "suspense":
        return [f"payment {one.external_ref} of {one.money} stands in the suspense of book {one.book}"]
    settled = settled_lines(deployment, recorded.allocations)
    lines = [f"payment {one.external_ref} of {one.money} on account {one.account}", *settled]
    lines += [f"  written off: {-item.original} of {item.reference}" for item in recorded.written_off]
    return [*lines, f"  {recorded.unapplied} stays on account"] if recorded.unapplied else lines


@click.command()
@click.argument("reference")
@click.argument("account")
@click.option("--book", default="", metavar="CODE", help="Book of the payment, where several have this reference.")
@on_option
@click.option("--strategy", default="", metavar="NAME", help="How it settles; else as the account says.")
@reason_option
@pass_deployment
@click.pass_context
def assign(
    context: click.Context,
    deployment: Deployment,
    *,
    reference: str,
    account: str,
    book: str,
    on: datetime | None,
    strategy: str,
    reason: str,
) -> None:
    """Give a payment in suspense to its account, where it settles what it settles.

    Example:
      billing payment assign BANK-0803-18 A-1001 --reason "payer called"
    """
    day = on.date() if on else None
    recorded = assign_payment(deployment, reference, account, book=book, on=day, terms=Terms(strategy=strategy), reason=reason)
    show_findings(context, recorded.findings)
    emit(context, recorded, lambda: recorded_lines(deployment, recorded))


@click.command()
@click.argument("account")
@click.option("--credit", default="", metavar="NUMBER", help="Only this payment or credit; else all, oldest first.")
@click.option("--for", "wishes", multiple=True, metavar="NUMBER[=MONEY]", help="Document to settle first; repeatable.")
@click.option("--strategy", default="", metavar="NAME", help="oldest_first, pro_rata, line_priority, by_document.")
@click.option("--priority", "priorities", multiple=True, metavar="CODE", help="Charge code for line_priority, in order.")
@click.option("--tolerance", type=money, metavar="MONEY", help="Write off a rest of a settled document up to this.")
@on_option
@reason_option
@pass_deployment
@click.pass_context
def allocate(
    context: click.Context,
    deployment: Deployment,
    *,
    account: str,
    credit: str,
    wishes: tuple[str, ...],
    strategy: str,
    priorities: tuple[str, ...],
    tolerance: Money | None,
    on: datetime | None,
    reason: str,
) -> None:
    """Settle documents with what is unapplied on an account; where nothing is left, nothing is done.

    Example:
      billing payment allocate A-1001
      billing payment allocate A-1001 --credit BANK-0803-17 --for INV-2026-000042=40.00USD --strategy by_document
    """
    terms = terms_of(wishes, strategy=strategy, priorities=priorities, tolerance=tolerance)
    day = on.date() if on else None
    done = allocate_credits(deployment, account, credit=credit, terms=terms, on=day, reason=reason)
    show_findings(context, done.findings)
    rest = " and ".join(str(one) for one in done.unapplied if one) or "nothing"
    head = f"account {account}: {len(done.allocations)} allocations, {rest} stays on account"
    emit(context, done, lambda: [head, *settled_lines(deployment, done.allocations)])


@click.command()
@click.argument("account")
@click.option("--credit", default="", metavar="NUMBER", help="Payment or credit to pay back; else the only open one.")
@click.option("--amount", type=money, metavar="MONEY", help="A part of it; else all that is open.")
@click.option("--ref", "reference", required=True, metavar="TEXT", help="Reference of the payment out at the bank.")
@click.option("--method", default="bank_transfer", show_default=True, metavar="WORD", help="How it is paid.")
@on_option
@reason_option
@pass_deployment
@click.pass_context
def refund(
    context: click.Context,
    deployment: Deployment,
    *,
    account: str,
    credit: str,
    amount: Money | None,
    reference: str,
    method: str,
    on: datetime | None,
    reason: str,
) -> None:
    """Pay an unapplied credit back to the customer; the same reference again changes nothing.

    Example:
      billing payment refund A-1001 --amount 20.00USD --ref OUT-0810-2 --reason "overpaid, asked for it"
    """
    request = RefundRequest(
        account=account,
        credit=credit,
        amount=amount,
        reference=reference,
        method=method,
        on=on.date() if on else None,
        reason=reason,
    )
    done = refund_credit(deployment, request)
    again = "was paid back already, unchanged" if done.outcome == "duplicate" else f"paid back of {done.credit}"
    emit(context, done, f"account {account}: {done.payment.money} {again}")


@click.command()
@click.argument("item")
@click.option("--to", "to_account", required=True, metavar="ACCOUNT", help="Account that takes it over.")
@click.option("--account", default="", metavar="CODE", help="Account that it stands on, where several have one of this number.")
@click.option("--amount", type=money, metavar="MONEY", help="A part of it; else all that is open.")
@click.option("--ref", "reference", default="", metavar="TEXT", help="Name of the act: the same again changes nothing.")
@on_option
@reason_option
@pass_deployment
@click.pass_context
def transfer(
    context: click.Context,
    deployment: Deployment,
    *,
    item: str,
    to_account: str,
    account: str,
    amount: Money | None,
    reference: str,
    on: datetime | None,
    reason: str,
) -> None:
    """Move what is open of a document or credit to another account; it keeps its number and due date.

    Example:
      billing payment transfer INV-2026-000042 --to A-2002 --reason "the landlord pays"
    """
    request = TransferRequest(
        item=item,
        account=account,
        to_account=to_account,
        amount=amount,
        on=on.date() if on else None,
        reference=reference,
        reason=reason,
    )
    done = transfer_item(deployment, request)
    state = "was moved already, unchanged" if done.outcome == "duplicate" else f"moved to {to_account}"
    emit(context, done, f"{done.moved.original} of {done.moved.reference} {state}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--on", type=date_type, required=True, metavar="DATE", help="Date of the take-over, in an open period.")
@click.option("--delimiter", type=click.Choice([*DELIMITERS[:2], "tab"]), default=",", help="What separates the cells.")
@click.option("--check", "check_only", is_flag=True, help="Only say what would happen.")
@reason_option
@pass_deployment
@click.pass_context
def opening(
    context: click.Context,
    deployment: Deployment,
    *,
    file: Path,
    on: datetime,
    delimiter: str,
    check_only: bool,
    reason: str,
) -> None:
    """Take over what is open in another system: the whole CSV file or nothing; the same file again changes nothing.

    Columns: account, reference, amount (negative where the customer is owed), currency, dated_on, due_on.

    Example:
      billing payment opening open-items.csv --on 2026-07-01
    """
    separator = "\t" if delimiter == "tab" else delimiter
    report = open_balances(
        deployment,
        read_input(file),
        file=file.name,
        on=on.date(),
        delimiter=separator,
        check_only=check_only,
        reason=reason,
    )
    show_findings(context, report.findings)
    state = "" if report.written else " (checked only, nothing written)" if check_only else " (nothing written)"
    total = " and ".join(map(str, report.money)) or "nothing"
    counts = f"{report.opened} opened ({total}), {report.existing} taken over before"
    emit(context, report, f"{file.name}: {report.lines} lines: {counts}{state}")
    exit_for(context, report.findings)


COMMANDS = (assign, allocate, refund, transfer, opening)
