"""``billing run report`` and ``billing run diff``: a run in figures, and what two runs bill differently."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.number_option import NUMBER
from billing_framework.cli.output import emit, fields, table
from billing_framework.cli.run_argument import run_argument
from billing_framework.run.deployment import Deployment
from billing_framework.run.review.diff import AccountDifference, BilledLine, RunDifference, diff_runs
from billing_framework.run.review.report import CycleReport, Deed, report_run
from billing_framework.storage.billing.run_rows import Run
from billing_framework.values.money import Money

_MOST_NAMED = 3
"""Accounts that are named where something was done with many at once."""


@click.command()
@run_argument
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print comma-separated values: section, name, currency, count, net, tax, total."
)
@pass_deployment
@click.pass_context
def report(context: click.Context, deployment: Deployment, *, run_code: str, as_csv: bool) -> None:
    """Show a run in figures: accounts, amounts by code, control totals, holds, versions, and who did what when.

    Exit code 1 where the control totals do not add up.

    Example:
      billing run report
      billing run report US.2026-07-01.monthly-1.1 --csv
    """
    found = report_run(deployment, run_code)
    emit(context, found, lambda: _csv(_report_rows(found)) if as_csv else _report(found))
    if not found.reconciled:
        context.exit(1)


def _digest(run: Run) -> str:
    """Return the digest of what is approved of a run, or why there is none."""
    if run.digest:
        return run.digest
    if run.approved_at is not None:  # a part of it is posted, which stays so
        return "none since an approval was withdrawn"
    return "not approved yet" if run.is_open else "not approved"


def _report(found: CycleReport) -> Iterator[str]:
    run = found.run
    yield fields(
        [
            ("run", f"{run.code} ({run.kind}, {run.state})"),
            ("period", run.period),
            ("documents of", run.as_of),
            ("accounts", ", ".join(f"{count} {state}" for state, count in found.accounts.items())),
            ("documents", ", ".join(f"{count} {status}" for status, count in found.documents.items()) or "none"),
            ("digest", _digest(run)),
        ]
    )
    money = ("net", "tax", "total")
    yield "\nTotals"
    totals = [(name, one.documents, one.net, one.tax, one.gross) for name, one in found.totals.items()]
    yield table(("currency", "documents", *money), totals, right=("documents", *money))
    yield "\nBy charge code"
    rows = [(one.code, one.lines, one.net, one.tax) for one in found.charges]
    yield table(("code", "lines", "net", "tax"), rows, right=("lines", *money))
    if found.taxes:
        yield "\nBy tax code"
        taxes = [(one.code, one.lines, one.net, one.tax) for one in found.taxes]
        yield table(("code", "documents", "taxed", "tax"), taxes, right=("documents", "taxed", "tax"))
    yield from _controls(found)
    if found.holds:
        yield "\nHeld"
        yield from (
            f"  {one.accounts} by {one.check or 'posting'} ({one.code or '-'}): {', '.join(one.some)}"
            f"{' …' if one.accounts > len(one.some) else ''}: {one.example}"
            for one in found.holds
        )
    if found.told:
        yield "\nTold while it was drafted"
        yield from (f"  {one}" for one in found.told)
    yield "\nWho did what"
    deeds = [(one.at.isoformat(timespec="seconds"), one.actor, _deed(one), one.reason) for one in found.deeds]
    yield table(("at", "who", "what", "reason"), deeds)
    if found.times:
        yield "\nTime"
        headers = ("step", "shards", "accounts or documents", "at work", "first to last")
        times = [(one.step, one.shards, one.size, _shown(one.worked), _shown(one.ended - one.began)) for one in found.times]
        yield table(headers, times, right=headers[1:])
    yield "\nComputed by"
    yield fields((f"  {name}", version) for name, version in sorted(run.versions.items()))


def _shown(time: timedelta) -> str:
    """Return a time as it is read best: a short one in tenths of a second."""
    tenths = time // timedelta(milliseconds=100)
    return f"{tenths // 10}.{tenths % 10} s" if time < timedelta(minutes=1) else str(timedelta(seconds=tenths // 10))


def _deed(deed: Deed) -> str:
    """Return what was done, with the accounts of which it was done."""
    named = " ".join(deed.accounts[:_MOST_NAMED])
    return f"{deed.action} {named}".strip() + (f" and {more} more" if (more := len(deed.accounts) - _MOST_NAMED) > 0 else "")


def _controls(found: CycleReport) -> Iterator[str]:
    yield "\nControl totals"
    fates = [(count, name) for name, count in found.control.items() if name != "records"]
    told = " + ".join(f"{count} {name}" for count, name in fates) or "none"
    yield f"  records in = {told} = {found.control.get('records', 0)}" + ("" if found.reconciled else ": NOT RECONCILED")
    if found.kinds:
        headers = ("records of kind", "delivered", "on drafts", "held", "open", "in other runs", "in suspense")
        rows = [
            (one.kind or "could not be read", one.delivered, one.billed, one.held, one.open, one.others, one.suspended)
            for one in found.kinds
        ]
        yield table(headers, rows, right=headers[1:])
        yield "  delivered: those that start in the period; on drafts: earlier ones, too, and those left for a later bill"
        yield "  in other runs: of accounts that other runs over the same dates bill"


def _report_rows(found: CycleReport) -> Iterator[Sequence[object]]:
    yield ("section", "name", "currency", "count", "net", "tax", "total")
    yield ("run", found.run.code, "", "", "", "", "")
    for section, counts in (("accounts", found.accounts), ("documents", found.documents)):
        yield from ((section, name, "", count, "", "", "") for name, count in counts.items())
    for currency, one in found.totals.items():
        yield ("total", "", currency, one.documents, *map(_plain, (one.net, one.tax, one.gross)))
    for section, totals in (("charge", found.charges), ("tax", found.taxes)):
        for item in totals:
            yield (section, item.code, item.net.currency, item.lines, _plain(item.net), _plain(item.tax), "")
    for section, counts in (("control", found.control), ("delivered", found.delivered)):
        yield from ((section, name, "", count, "", "", "") for name, count in counts.items())
    for one_kind in found.kinds:
        yield from (
            (f"records {fate}", one_kind.kind, "", count, "", "", "")
            for fate, count in (
                ("billed", one_kind.billed),
                ("held", one_kind.held),
                ("open", one_kind.open),
                ("others", one_kind.others),
                ("suspense", one_kind.suspended),
            )
        )
    yield from (("held", f"{one.check} {one.code}".strip(), "", one.accounts, "", "", "") for one in found.holds)


def _plain(money: Money) -> str:
    return str(money).removesuffix(f" {money.currency}")


def _csv(rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().rstrip("\n")


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@click.option("--most", default=50, show_default=True, type=NUMBER, help="Show so many accounts; the others are counted.")
@click.option("--csv", "as_csv", is_flag=True, help="Print all lines that differ as comma-separated values.")
@pass_deployment
@click.pass_context
def diff(context: click.Context, deployment: Deployment, *, first: str, second: str, most: int, as_csv: bool) -> None:
    """Compare two runs over the same dates: which accounts and lines the second bills differently, and by how much in all.

    Exit code 0 where they bill the same, 1 where they do not.

    Example:
      billing run diff US.2026-07-01.monthly-1.1 US.2026-07-01.monthly-1.r1
      billing run diff 2026-07-01.monthly-1.1 2026-07-01.monthly-1.r2 --csv
    """
    found = diff_runs(deployment, first, second)
    emit(context, found, lambda: _csv(_diff_rows(found)) if as_csv else _diff(found, most))
    if not found.is_equal:
        context.exit(1)


def _diff(found: RunDifference, most: int) -> Iterator[str]:
    yield fields(
        (label, f"{run.code} ({run.kind}, {run.state}), {_digest(run)}")
        for label, run in (("first", found.first), ("second", found.second))
    )
    yield from (f"{name}: {before or 'none'} -> {after or 'none'}" for name, (before, after) in found.versions.items())
    yield ""
    headers = ("currency", "accounts", "before", "accounts after", "after", "difference")
    totals = [
        (currency, one.accounts_before, one.before, one.accounts_after, one.after, one.change)
        for currency, one in found.totals.items()
    ]
    yield table(headers, totals, right=headers[1:])
    yield from _parts(found)
    texts = f", {len(found.other_texts)} only in dates or texts" if found.other_texts else ""
    by_one = [one for one in found.accounts if one.is_of_one]
    by_none = [one for one in found.accounts if one.is_of_none]
    by_both = [one for one in found.accounts if not (one.is_of_one or one.is_of_none)]
    apart = f"; {len(by_one)} are billed by one run only" if by_one else ""
    unbilled = f"; {found.neither} have no bill of their own in either" if found.neither else ""
    yield f"\n{found.same} accounts are billed alike, {len(by_both)} differently{texts}{apart}{unbilled}"
    for account in (*by_both, *by_one, *by_none)[:most]:
        yield from _account(account)
    if len(found.accounts) > most:
        yield f"... and {len(found.accounts) - most} more; --csv and --json print all"


_WHO = {"both": "both runs bill", "first": "only the first bills", "second": "only the second bills"}


def _parts(found: RunDifference) -> Iterator[str]:
    """Yield what the difference is of the accounts that both runs bill, where one of them bills others."""
    rows = [
        (currency, _WHO[one.who], one.accounts, one.before, one.after, one.change)
        for currency, parts in found.parts.items()
        if any(one.who != "both" for one in parts)
        for one in parts
    ]
    if rows:
        headers = ("currency", "of these", "accounts", "before", "after", "difference")
        yield f"\n{table(headers, rows, right=headers[2:])}"


def _account(one: AccountDifference) -> Iterator[str]:
    states = "" if one.state_before == one.state_after else f", {one.state_before or 'absent'} -> {one.state_after or 'absent'}"
    yield f"{one.account}: {one.before or 'nothing'} -> {one.after or 'nothing'}{states}"
    for line in one.lines:
        if not line.is_of_tax:
            yield f"  {line.shown.description}: {_billed(line.before)} -> {_billed(line.after)}"
    if taxed := sum(line.is_of_tax for line in one.lines):
        yield f"  {taxed} lines differ in their share of the tax only"


def _billed(line: BilledLine | None) -> str:
    if line is None:
        return "not billed"
    priced = f"{line.quantity} at {line.unit_price} = " if line.quantity is not None and line.unit_price else ""
    return f"{priced}{line.net}"


def _diff_rows(found: RunDifference) -> Iterator[Sequence[object]]:
    sides = ("quantity", "unit_price", "net", "tax")
    yield (
        "account",
        "charge",
        "code",
        "description",
        "currency",
        *(f"{name}_{when}" for when in ("before", "after") for name in sides),
    )
    for account in found.accounts:
        for line in account.lines:
            shown = line.shown
            yield (
                account.account, shown.charge, shown.code, shown.description, shown.net.currency,
                *_side(line.before), *_side(line.after),
            )  # fmt: skip


def _side(line: BilledLine | None) -> Sequence[object]:
    if line is None:
        return ("", "", "", "")
    return ("" if line.quantity is None else line.quantity, line.unit_price, _plain(line.net), _plain(line.tax))


VERBS = (report, diff)
