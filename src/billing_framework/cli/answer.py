"""``billing answer``: files by which third parties answer documents, and what waits of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.format_option import format_options, format_pairs
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.output import emit, exit_for, fields, show_findings, table
from billing_framework.receivables.answer import AnswerItem
from billing_framework.run.collect.answer import AnswerImport, import_answers
from billing_framework.run.collect.answer_queue import (
    AnswerDecision,
    Retry,
    close_denial,
    discard_item,
    retry_all,
    retry_item,
)
from billing_framework.run.collect.answer_view import AnswerView, answers_taken_in, items_waiting, show_answer
from billing_framework.run.cycle.period import run_book
from billing_framework.run.deployment import Deployment
from billing_framework.run.input_file import read_input
from billing_framework.storage.receivable.answers import StoredItem
from billing_framework.values.errors import InputRefused

on_option = click.option(
    "--on", type=date_type, metavar="DATE", help="Date on which it counts; today in the book's zone by default."
)
payer_option = click.option("--payer", default="", metavar="NAME", help="The third party, where several use the trace number.")
book_option = click.option("--book", default="", metavar="CODE", help="The book, where there are several.")


@click.group()
def answer() -> None:
    """Take in the files by which third parties answer documents, and decide about what waits.

    Example:
      billing answer import remittance.csv --format slips
      billing answer list --waiting
      billing answer retry TRACE-7/2
    """


@answer.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "file_format", required=True, metavar="NAME", help="Format; billing plugin show lists them.")
@book_option
@click.option("--on", type=date_type, metavar="DATE", help="Date on which it counts; the date of each payment by default.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@format_options
@pass_deployment
@click.pass_context
def import_file(
    context: click.Context,
    deployment: Deployment,
    *,
    file: Path,
    file_format: str,
    book: str,
    on: datetime | None,
    dry_run: bool,
    options: tuple[str, ...],
) -> None:
    """Take in a file of answers, whole or not at all; the same answers again change nothing.

    An item that does not add up or does not fit waits with its money in suspense; then the exit code is 1. A file that does not
    make its payment is refused.

    Example:
      billing answer import remittance.csv --format slips --dry-run
      billing answer import remittance.csv --format slips
    """
    report = import_answers(
        deployment,
        read_input(file),
        file_format,
        file=file.name,
        book=run_book(deployment, book),
        on=on.date() if on else None,
        options=format_pairs(options),
        check_only=dry_run,
    )
    show_findings(context, report.findings)
    emit(context, report, lambda: _imported(report, dry_run=dry_run))
    exit_for(context, report.findings)


def _imported(report: AnswerImport, *, dry_run: bool) -> Iterator[str]:
    for one in report.answers:
        parts = [
            (one.posted, "booked"),
            (one.reversed, "of them taking back"),
            (one.denied, "with a denial"),
            (one.suspended, "waiting"),
            (one.duplicate, "known already"),
            (one.conflicts, "contradicting"),
        ]
        told = ", ".join(f"{number} {word}" for number, word in parts if number) or "nothing"
        yield f"{one.trace} of {one.payer} over {one.money}: {told}"
        if one.waiting:
            yield f"  {one.waiting} stay in suspense"
    if report.written:
        yield f"{report.file} is taken in"
    elif dry_run and report.answers:
        yield "rehearsed only; nothing is written"
    else:
        yield "nothing to do" if report.answers and not report.findings else "nothing is taken in"


@answer.command("list")
@click.option("--waiting", is_flag=True, help="The items that wait for a decision.")
@click.option("--denied", is_flag=True, help="The items of which something was denied and is to be worked on.")
@book_option
@pass_deployment
@click.pass_context
def list_them(context: click.Context, deployment: Deployment, *, waiting: bool, denied: bool, book: str) -> None:
    """List answers, newest first, or the items that wait.

    Example:
      billing answer list
      billing answer list --denied
    """
    if waiting and denied:
        raise InputRefused("ANSWER16", "two lists are asked for", remedy="Give --waiting or --denied")
    if not waiting and not denied:
        views = answers_taken_in(deployment, book=book)
        rows = [
            (one.answer.trace, one.answer.payer, one.answer.paid_on, one.answer.money, _states(one), one.waiting) for one in views
        ]
        headers = ("trace", "payer", "paid on", "money", "items", "in suspense")
        emit(context, views, lambda: table(headers, rows, right=("money", "in suspense")))
        return
    found = items_waiting(deployment, denied=denied)
    lines = [
        (one.name, one.payer, _named(one.item), one.item.denied if denied else one.item.money, one.item.state, _why(one.item))
        for one in found
    ]
    headers = ("item", "payer", "about", "denied" if denied else "money", "state", "why")
    emit(context, found, lambda: table(headers, lines, right=("money", "denied")))


def _states(view: AnswerView) -> str:
    return ", ".join(f"{number} {state}" for state, number in view.states.items())


def _named(item: StoredItem) -> str:
    return item.content.document if isinstance(item.content, AnswerItem) else item.content.reason


def _why(item: StoredItem) -> str:
    if item.findings:
        return f"{item.findings[0].code} {item.findings[0].what}"
    if isinstance(item.content, AnswerItem):
        return " ".join(dict.fromkeys(one.reason for one in item.content.every_adjustment()))
    return ""


@answer.command()
@click.argument("trace")
@payer_option
@book_option
@pass_deployment
@click.pass_context
def show(context: click.Context, deployment: Deployment, *, trace: str, payer: str, book: str) -> None:
    """Show an answer with what became of its items.

    Example:
      billing answer show TRACE-7
    """
    view = show_answer(deployment, trace, payer=payer, book=book)
    emit(context, view, lambda: _shown(view))


def _shown(view: AnswerView) -> Iterator[str]:
    one = view.answer
    yield fields(
        [
            ("trace", one.trace),
            ("payer", one.payer),
            ("money", f"{one.money} of {one.paid_on}, {one.method}"),
            ("file", f"{one.file} ({one.format}), taken in by {one.actor} on {one.at:%Y-%m-%d %H:%M}" if one.at else one.file),
            ("in suspense", view.waiting or ""),
        ]
    )
    yield ""
    rows = [
        (item.position, _named(item), _status(item), item.money, _state(item), item.reason or _why(item)) for item in view.items
    ]
    yield table(("item", "about", "answer", "money", "state", "why"), rows, right=("item", "money"))


def _status(item: StoredItem) -> str:
    return item.content.status.value if isinstance(item.content, AnswerItem) else "adjustment"


def _state(item: StoredItem) -> str:
    return f"{item.state}, denial {item.denial}" if item.denial else item.state


@answer.command()
@click.argument("name", required=False, default="", metavar="[TRACE/ITEM]")
@click.option("--all", "every", is_flag=True, help="Every item that waits.")
@click.option("--document", default="", metavar="NUMBER", help="The document that is meant, where the file names another.")
@click.option("--next-account", default="", metavar="CODE", help="The account that owes what moves.")
@payer_option
@book_option
@on_option
@click.option("--reason", default="", help="Why, for the audit; needed where something is added.")
@pass_deployment
@click.pass_context
def retry(
    context: click.Context,
    deployment: Deployment,
    *,
    name: str,
    every: bool,
    document: str,
    next_account: str,
    payer: str,
    book: str,
    on: datetime | None,
    reason: str,
) -> None:
    """Try a waiting item once more, on what is known now; where it still does not fit, nothing changes and the exit code is 1.

    Example:
      billing answer retry TRACE-7/2
      billing answer retry TRACE-7/2 --document INV-2026-000007 --reason "number mistyped by the payer"
      billing answer retry --all
    """
    if every == bool(name) or (every and (document or next_account)):
        raise InputRefused("ANSWER16", "one item or all are to be tried", remedy="Give TRACE/ITEM, or --all without more")
    when = on.date() if on else None
    if every:
        done = retry_all(deployment, on=when)
    else:
        request = Retry(document=document, next_account=next_account, on=when, reason=reason)
        done = [retry_item(deployment, name, request, payer=payer, book=book)]
    findings = [finding for one in done for finding in one.findings]
    show_findings(context, findings)
    emit(context, done, lambda: _decided(done))
    exit_for(context, findings)


@answer.command()
@click.argument("name", metavar="TRACE/ITEM")
@click.option("--account", default="", metavar="CODE", help="The account that gets its money as a credit.")
@click.option("--code", default="", metavar="CODE", help="The adjustment code whose account of the book gets its money.")
@payer_option
@book_option
@on_option
@reason_option
@pass_deployment
@click.pass_context
def discard(
    context: click.Context,
    deployment: Deployment,
    *,
    name: str,
    account: str,
    code: str,
    payer: str,
    book: str,
    on: datetime | None,
    reason: str,
) -> None:
    """Decide that a waiting item is never booked; its money in suspense goes to an account, or to the account of a code.

    Example:
      billing answer discard TRACE-7/2 --account A-1001 --reason "paid twice, credited"
    """
    when = on.date() if on else None
    done = discard_item(deployment, name, payer=payer, book=book, account=account, code=code, on=when, reason=reason)
    emit(context, done, lambda: _decided([done]))


@answer.command()
@click.argument("name", metavar="TRACE/ITEM")
@payer_option
@book_option
@reason_option
@pass_deployment
@click.pass_context
def close(context: click.Context, deployment: Deployment, *, name: str, payer: str, book: str, reason: str) -> None:
    """Say that what was denied of an item needs no more work; what is open of the document stays open.

    Example:
      billing answer close TRACE-7/3 --reason "sent again, corrected"
    """
    done = close_denial(deployment, name, payer=payer, book=book, reason=reason)
    emit(context, done, lambda: f"the denial of {done.name} is closed")


def _decided(done: Sequence[AnswerDecision]) -> list[str]:
    words = {"posted": "booked", "suspended": "still waits", "discarded": "discarded"}
    return [f"{one.name}: {words.get(one.state, one.state)}" for one in done] or ["nothing waits"]
