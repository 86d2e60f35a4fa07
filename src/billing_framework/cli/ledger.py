"""``billing ledger``: trial balances, and the proof that nothing was changed behind the program's back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.format_option import write_file
from billing_framework.cli.master_verbs import date_type
from billing_framework.cli.output import emit, exit_for, show_findings, table
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.periods import inclusive, month
from billing_framework.run.prove.journal import beancount_file
from billing_framework.run.prove.trial_balance import (
    CustomerBalance,
    TrialBalance,
    all_books,
    book_trial_balance,
    chosen_book,
    customer_balances,
    prove,
)
from billing_framework.values.period import DateSpan

_HEAD = re.compile(r"(\d{1,18}):([0-9a-fA-F]{64})")


@click.group()
def ledger() -> None:
    """Read and prove the ledger.

    Example:
      billing ledger balance US --month 2026-07
      billing ledger verify
    """


@ledger.command()
@click.argument("book", default="")
@click.option("--month", "in_month", metavar="MONTH", help="Only entries of this month, such as 2026-07.")
@click.option("--from", "first", type=date_type, metavar="DATE", help="Only entries from this date on.")
@click.option("--to", "last", type=date_type, metavar="DATE", help="Only entries up to this date, inclusive.")
@click.option("--account", "gl_code", metavar="CODE", help="Show this account of the ledger customer by customer.")
@pass_deployment
@click.pass_context
def balance(
    context: click.Context,
    deployment: Deployment,
    *,
    book: str,
    in_month: str | None,
    first: datetime | None,
    last: datetime | None,
    gl_code: str | None,
) -> None:
    """Show the trial balance of a book, of all time or of some dates; the book may be left out where there is only one.

    Example:
      billing ledger balance
      billing ledger balance US --month 2026-07
      billing ledger balance US --account 1200
    """
    dates = _dates(in_month, first, last)
    code = chosen_book(deployment, book)
    if gl_code is not None:
        balances = customer_balances(deployment, code, gl_code, dates)
        emit(context, balances, lambda: _customers(balances))
        return
    shown = book_trial_balance(deployment, code, dates)
    emit(context, shown, lambda: _trial_balance(shown))


def _dates(in_month: str | None, first: datetime | None, last: datetime | None) -> DateSpan | None:
    if in_month is not None and first is None and last is None:
        return month(in_month)
    if in_month is None and first is not None and last is not None:
        return inclusive(first.date(), last.date())
    if in_month is None and first is None and last is None:
        return None
    raise click.UsageError("give --month, or both --from and --to")


def _trial_balance(shown: TrialBalance) -> str:
    rows: list[tuple[object, ...]] = [(line.code, line.name, line.debit, line.credit, line.balance) for line in shown.lines]
    rows += [("", f"total {currency}", debit, credit, debit - credit) for currency, (debit, credit) in shown.totals.items()]
    return table(("account", "name", "debit", "credit", "balance"), rows, right=("debit", "credit", "balance"))


def _customers(balances: list[CustomerBalance]) -> str:
    rows = ((one.account, one.purpose, one.balance) for one in balances)
    return table(("customer", "purpose", "balance"), rows, right=("balance",))


@ledger.command()
@click.argument("book", default="")
@click.option("--head", "heads", multiple=True, metavar="SEQ:HASH", help="A head that was written down; may be repeated.")
@pass_deployment
@click.pass_context
def verify(context: click.Context, deployment: Deployment, *, book: str, heads: tuple[str, ...]) -> None:
    """Prove the ledger again from its rows; a row that is not as it was sealed is named, and the exit code is 1.

    Open items and held money are proven too: by customer they make the ledger's control accounts. So is every issued document:
    its content, its number without a gap, its entry and its open item.

    The head that is printed belongs into a report outside the database: given back by --head, it shows whether newer batches
    were cut off.

    Example:
      billing ledger verify
      billing ledger verify US --head 41:9f2c0000000000000000000000000000000000000000000000000000000000aa
    """
    known = dict(_head(text) for text in heads)
    books = [chosen_book(deployment, book)] if book or known else all_books(deployment)
    proofs = [prove(deployment, code, known_heads=known) for code in books]
    findings = [finding for proof in proofs for finding in proof.findings]
    show_findings(context, findings)
    emit(
        context,
        proofs,
        lambda: _proofs_shown((p.book, p.batches, p.head, len(p.findings)) for p in proofs),
    )
    exit_for(context, findings)


def _proofs_shown(proofs: Iterator[tuple[str, int, str, int]]) -> Iterator[str]:
    for book, batches, head, wrong in proofs:
        state = f"{wrong} findings" if wrong else "all as it was sealed"
        yield f"book {book}: {batches} batches, {state}; head {batches}:{head}"


@ledger.command()
@click.argument("book", default="")
@click.option("--format", "_", required=True, type=click.Choice(["beancount"]), help="Format of the file.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it here.")
@pass_deployment
@click.pass_context
def export(context: click.Context, deployment: Deployment, *, book: str, out: Path, _: str) -> None:
    """Write all entries of a book as a file for others: accounts, lines with customer and document, and the final balances.

    A Beancount file is checked by Beancount's own bean-check, which knows nothing of this program: it must find every entry
    balanced and every account at the balance that the file ends with.

    Example:
      billing ledger export US --format beancount --out us.beancount
    """
    code = chosen_book(deployment, book)
    size = write_file(out, beancount_file(deployment, code))
    emit(context, {"book": code, "file": str(out), "bytes": size}, f"book {code}: {size} bytes: {out}")


def _head(text: str) -> tuple[int, bytes]:
    match = _HEAD.fullmatch(text)
    if match is None:
        raise click.UsageError(f"{text!r} is no head; write the number of the batch, a colon and its hash")
    return int(match[1]), bytes.fromhex(match[2])
