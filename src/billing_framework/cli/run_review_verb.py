"""``billing run review``: what an officer looks at before approving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, fields, show_findings, table
from billing_framework.cli.run_argument import run_argument
from billing_framework.run.deployment import Deployment
from billing_framework.run.review.review import RunReview, review_run
from billing_framework.run.review.totals import RunTotals
from billing_framework.run.usage.late import LateUsage
from billing_framework.storage.billing.run_rows import RunAccount


@click.command()
@run_argument
@pass_deployment
@click.pass_context
def review(context: click.Context, deployment: Deployment, *, run_code: str) -> None:
    """Show totals, held accounts with their evidence, control totals, stale drafts and late usage; changes nothing.

    Exit code 1 where drafts are stale, accounts are held or pending, or records do not reconcile. Accounts that a run which is
    posted or cancelled has left to the next one are told, and are no reason for it.

    Example:
      billing run review
      billing run review US.2026-07-01.monthly-1.1 --json
    """
    found = review_run(deployment, run_code)
    show_findings(context, found.findings)
    emit(context, found, lambda: _text(found))
    waits = found.held or found.counts.get("pending")
    if found.stale or (waits and not found.run.is_over) or not found.reconciled:
        context.exit(1)


def _text(found: RunReview) -> Iterator[str]:
    yield fields(
        [
            ("run", f"{found.run.code} ({found.run.kind}, {found.run.state})"),
            ("period", found.run.period),
            ("accounts", ", ".join(f"{count} {state}" for state, count in found.counts.items())),
            ("digest", found.digest),
        ]
    )
    yield ""
    yield _totals(found.totals, found.last)
    yield ""
    fates = " + ".join(f"{count} {name}" for name, count in found.control.items() if name != "records") or "none"
    unsound = "" if found.reconciled else ": NOT RECONCILED"
    yield f"Control totals: records in = {fates} = {found.control.get('records', 0)}{unsound}"
    held = f", {found.held_records} of accounts that are held" if found.held_records else ""
    yield f"  {found.billed_records} of these records are on drafts{held}; {found.suspended} others wait in suspense"
    for subject, count in found.unassigned.items():
        yield f"  {subject}: {count} records of the period belong to no agreement"
    for row in found.held:
        yield from _held(row, word="left to the next run" if found.run.is_over else "held")
    for account, parts in found.stale.items():
        yield f"stale: {account}: {', '.join(parts)} changed since; start the run again"
    for late in found.late:
        yield f"late: {late.document} of {late.account} ({late.period}): {_moved(late)}; billing invoice rebill {late.document}"


def _moved(late: LateUsage) -> str:
    told = []
    if late.added or late.superseded:
        told.append(f"{len(late.added)} records are new, {len(late.superseded)} no longer hold")
    if late.states:
        told.append(f"the carried state {', '.join(late.states)} changed")
    if late.agreements:
        told.append(f"changed since: {', '.join(late.agreements)}")
    return ", ".join(told)


def _totals(totals: Mapping[str, RunTotals], last: Mapping[str, RunTotals]) -> str:
    rows = []
    for currency in sorted({*totals, *last}):
        for name, found in (("this run", totals.get(currency)), ("last period", last.get(currency))):
            if found is not None:
                rows.append((name, found.documents, found.net, found.tax, found.gross))
    return table(("", "documents", "net", "tax", "total"), rows, right=("documents", "net", "tax", "total"))


def _held(row: RunAccount, *, word: str) -> Iterator[str]:
    yield f"{word}: {row.account}: {row.reason}"
    for item in row.evidence:
        yield f"  {item.check}: {item.finding}"
    facts = next((item.facts for item in row.evidence if item.facts), {})
    for label, value in facts.items():
        if value:
            yield f"    {label}: {value}"


VERBS = (review,)
