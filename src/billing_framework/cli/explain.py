"""``billing explain``: how a printed line came to be, computed again from what was stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, fields, show_findings, table
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.explain import Explanation, SourceState, explain_line
from billing_framework.values.finding import Finding
from billing_framework.values.number import exact_text
from billing_framework.values.period import EARLIEST, LATEST


@click.command()
@click.argument("line", metavar="NUMBER/LINE")
@pass_deployment
@click.pass_context
def explain(context: click.Context, deployment: Deployment, *, line: str) -> None:
    """Show the chain from a printed line back to its source records, and compute it again from what was stored.

    Exit code 1 where the computation does not land on the stored amount, or something that it rests on was altered since.

    Example:
      billing explain INV-2026-000001/2
      billing explain INV-2026-000001/2 --json
    """
    found = explain_line(deployment, line)
    emit(context, {"proven": found.proven, "explanation": found}, lambda: _text(found))
    show_findings(context, _findings(found))
    if not found.proven:
        context.exit(1)


def _findings(found: Explanation) -> list[Finding]:
    return [*found.findings, *(_findings(found.original) if found.original else [])]


def _text(found: Explanation) -> Iterator[str]:
    line = found.line
    yield fields(
        [
            ("line", f"{found.document}/{line.number} of account {found.account}"),
            ("says", f"{line.description}, {line.service}"),
            ("amount", f"{line.net} (exactly {line.amount})"),
            ("tax", ", ".join(f"{part.code} {exact_text(part.rate * 100)} %: {part.tax}" for part in line.taxes)),
            ("origin", f"{line.origin.value}, charge {line.charge_key}"),
            ("price plan", line.plan),
        ]
    )
    for step in found.evidence.steps:
        yield f"  {step.label}: {step.formula} = {step.result}"
    for label, value in line.details:
        yield f"  {label}: {value}"
    for one in found.state:
        state = one.state
        values = ", ".join(f"{name} {_shown(name, value)}" for name, value in state.values.items())
        yield f"  rests on {state.name} of {state.scope} after {state.period}: {values} ({_origin(one)})"
    for edit in found.edits:
        what = f"{edit.name}: {edit.before} -> {edit.after}" if edit.name else edit.field.value
        yield f"  edited by {edit.actor} at {edit.at.isoformat(timespec='seconds')}: {what}, {edit.reason}"
    if found.records:
        yield table(
            ("record", "subject", "from", "file", "taken in"),
            [
                (one.external_id, one.subject, one.span.start.isoformat(), one.file, one.taken_at.isoformat(timespec="seconds"))
                for one in found.records
            ],
        )
    yield f"computed again: {found.computed if found.computed is not None else 'not possible'}; " + (
        "proven" if found.proven else "NOT PROVEN"
    )
    if found.original is not None:
        yield ""
        yield "It takes back:"
        yield from _text(found.original)


def _shown(name: str, value: Fraction) -> str:
    """Return a number of carried state as text; the ordinal of a date as the date."""
    is_date = (name == "on" or name.endswith("_on")) and EARLIEST.toordinal() <= value <= LATEST.toordinal()
    return date.fromordinal(int(value)).isoformat() if is_date and value.denominator == 1 else exact_text(value)


def _origin(one: SourceState) -> str:
    """Return what wrote carried state, in words."""
    if one.run:
        return f"taken over by the migration {one.run}"
    return f"written by {one.document or 'a document that is not there'}"
