"""``billing invoice rebill`` and ``billing invoice credit``: the corrections of documents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.document_view import comparison_text
from billing_framework.cli.master_verbs import date_type, reason_option
from billing_framework.cli.output import emit
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.correct.rebill import RebillReport, rebill_document
from billing_framework.run.deployment import Deployment
from billing_framework.values.errors import InputRefused
from billing_framework.values.number import whole_or_none


@click.command()
@click.argument("number")
@click.option(
    "--known",
    type=click.Choice(["now", "original"]),
    default="now",
    show_default=True,
    help="Choose price plans for the service dates by what is known now, or was known when it was drafted.",
)
@click.option("--as-of", type=date_type, metavar="DATE", help="Date of the new documents; today by default.")
@click.option("--with-waiting", is_flag=True, help="Take in what has come since and waits for the next bill.")
@reason_option
@pass_deployment
@click.pass_context
def rebill(
    context: click.Context,
    deployment: Deployment,
    *,
    number: str,
    known: str,
    as_of: datetime | None,
    with_waiting: bool,
    reason: str,
) -> None:
    """Bill a document anew: credit note, new document, entries and open items in one operation.

    Documents of other payers that bear parts of the same charges are rebilled with it where they say something else now.
    Later documents that rest on carried state of this one are treated as their price plan says: rebilled too, adjusted on the
    next bill, or held for an officer.

    Example:
      billing invoice rebill INV-2026-000001 --reason "counted again"
      billing invoice rebill INV-2026-000001 --known original --reason "usage came late"
      billing invoice rebill INV-2026-000001 --with-waiting --reason "asked for one bill with all of July"
    """
    on = as_of.date() if as_of else None
    report = rebill_document(deployment, number, reason=reason, known=known, as_of=on, takes_waiting=with_waiting)
    emit(context, report, lambda: _rebilled(report))


def _rebilled(report: RebillReport) -> Iterator[str]:
    if report.unchanged:
        yield f"nothing to do: {report.document} would be billed the same again ({report.known})"
        return
    yield f"{report.document}: {report.note or 'no credit note'}, {report.new or 'no new document'} ({report.known})"
    if report.comparison is not None:
        yield comparison_text(report.comparison)
    for edit in report.lost_edits:
        what = " of ".join(part for part in (edit.name, edit.about or edit.target) if part)
        yield f"left out: the edit of {what} by {edit.actor} ({edit.before} -> {edit.after}: {edit.reason})"
    for one in report.beside:
        done = f"{one.note or 'no credit note'}, {one.new or 'no new document'}"
        yield f"{one.document or one.account} bears parts of its charges: {done}"
        if one.comparison is not None:
            yield comparison_text(one.comparison)
    for later in report.later:
        yield f"{later.number} rests on it ({later.policy.value}): {later.outcome}"


@click.command()
@click.argument("number")
@click.option(
    "--line", "lines", multiple=True, metavar="N=AMOUNT", help="Credit this amount before tax of a line; may be repeated."
)
@click.option("--as-of", type=date_type, metavar="DATE", help="Date of the credit note; today by default.")
@click.option("--again", is_flag=True, help="Credit the same amounts of lines for the same reason once more.")
@reason_option
@pass_deployment
@click.pass_context
def credit(
    context: click.Context,
    deployment: Deployment,
    *,
    number: str,
    lines: tuple[str, ...],
    as_of: datetime | None,
    again: bool,
    reason: str,
) -> None:
    """Credit a document in full, or amounts of its lines, without billing anew.

    Example:
      billing invoice credit INV-2026-000001 --reason "billed to the wrong customer"
      billing invoice credit INV-2026-000001 --line 2=10.00 --reason "goodwill"
    """
    report = credit_document(
        deployment,
        number,
        reason=reason,
        nets=_nets(lines) if lines else None,
        as_of=as_of.date() if as_of else None,
        again=again,
    )
    text = [f"{report.document}: credit note {report.note} over {report.gross}"]
    text += [f"{one.number} rests on carried state that it had written; rebill it" for one in report.dependents]
    emit(context, report, text)


def _nets(lines: tuple[str, ...]) -> dict[int, str]:
    nets = {}
    for text in lines:
        name, _, amount = text.partition("=")
        number = whole_or_none(name)
        if number is None or not amount:
            raise InputRefused(
                "RUN22", f"{text!r} names no line and amount", remedy="Write the line's number and the amount: 2=10.00"
            )
        nets[number] = amount
    return nets


VERBS = (rebill, credit)
