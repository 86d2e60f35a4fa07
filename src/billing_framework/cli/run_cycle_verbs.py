"""The verbs of ``billing run`` that start runs by themselves: due, catch-up, off-cycle, final-bill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type
from billing_framework.cli.output import emit
from billing_framework.cli.run_progress import run_progress
from billing_framework.cli.run_start_verb import started
from billing_framework.cli.run_work_options import work_from, work_options
from billing_framework.run.cycle.due import DEFAULT_MOST, DueReport, DueRequest, catch_up, start_due
from billing_framework.run.cycle.off_cycle import FinalBill, OffCycleRequest, bill_finally, bill_off_cycle
from billing_framework.run.cycle.period import run_book
from billing_framework.run.deployment import Deployment

_book = click.option("--book", default="", metavar="CODE", help="Book that bills; not needed where there is only one.")
_cycles = click.option("--cycle", "cycles", multiple=True, metavar="CYCLE", help="Only this billing cycle; may be repeated.")
_as_of = click.option("--as-of", type=date_type, metavar="DATE", help="Date of the documents; today by default.")
_accounts = click.option("--account", "accounts", multiple=True, metavar="CODE", help="Only this account; may be repeated.")
_groups = click.option("--group", "groups", multiple=True, metavar="NAME", help="Only accounts of this run group; repeat.")
_rehearsal = click.option("--rehearsal", is_flag=True, help="Rehearse: the same steps, but nothing can be approved.")


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


@click.command()
@_book
@_cycles
@_groups
@_as_of
@_rehearsal
@work_options
@pass_deployment
@click.pass_context
def due(context: click.Context, /, deployment: Deployment, *, rehearsal: bool, **given: Any) -> None:
    """Draft the bills of all cycles whose last period has ended, each in a run of its own, or go on with these runs.

    Cycles whose periods only readings tell are named and left out: billing run start --cycle read-date --period FROM/TO. So are
    cycles of which earlier periods are missed, with exit code 1: billing run catch-up bills them in their order.

    Example:
      billing run due
      billing run due --as-of 2026-08-03 --cycle monthly:1 --cycle monthly:15
    """
    request = DueRequest(
        book=run_book(deployment, given["book"]),
        cycles=given["cycles"],
        groups=given["groups"],
        as_of=_day(given["as_of"]),
        kind="rehearsal" if rehearsal else "final",
    )
    with run_progress("drafting", "accounts") as progress:
        report = start_due(deployment, request, work=work_from(deployment, given), progress=progress)
    emit(context, report, lambda: _due(report))
    if report.behind:
        context.exit(1)


@click.command("catch-up")
@_book
@_cycles
@_groups
@_as_of
@_accounts
@click.option(
    "--most",
    default=DEFAULT_MOST,
    show_default=True,
    type=click.IntRange(1, 1_000),
    help="Leave accounts that miss more periods.",
)
@work_options
@pass_deployment
@click.pass_context
def catch_up_verb(context: click.Context, /, deployment: Deployment, **given: Any) -> None:
    """Draft the oldest missed period of every account; approve and post, then call it again, until nothing is missed.

    Each period is a run of its own, in order: no bill is made before the one on which it rests is posted. Exit code 1 where an
    account misses more periods than --most and was left out.

    Example:
      billing run catch-up --as-of 2026-08-03
      billing run catch-up --account A-1001 --most 24
    """
    request = DueRequest(
        book=run_book(deployment, given["book"]),
        cycles=given["cycles"],
        groups=given["groups"],
        as_of=_day(given["as_of"]),
        accounts=given["accounts"],
        most=given["most"],
    )
    with run_progress("drafting", "accounts") as progress:
        report = catch_up(deployment, request, work=work_from(deployment, given), progress=progress)
    emit(context, report, lambda: _due(report))
    if report.too_far:
        context.exit(1)


def _due(report: DueReport) -> Iterator[str]:
    for one in report.runs:
        yield from started(one)
    if not report.runs and not report.waiting and not report.too_far and not report.behind:
        yield "nothing to do: no period is missed" if not report.unread else "nothing to do"
    yield from (f"cycle {cycle}: readings tell its periods; start its run with two dates" for cycle in report.unread)
    yield from (f"{what}; bill them first: billing run catch-up --cycle {cycle}" for cycle, what in report.behind.items())
    yield from (f"{count} accounts wait until run {code} is posted" for code, count in report.waiting.items())
    yield from (f"{account} misses {count} periods and was left out" for account, count in report.too_far.items())
    if report.left:
        yield f"{report.left} missed periods are left when these runs are posted"


@click.command("off-cycle")
@click.argument("account")
@click.option(
    "--from",
    "first",
    type=date_type,
    metavar="DATE",
    help="First date; the day after the last bill by default, once that is posted.",
)
@click.option("--to", "last", type=date_type, metavar="DATE", help="Last date; yesterday by default.")
@_as_of
@_rehearsal
@work_options
@pass_deployment
@click.pass_context
def off_cycle(context: click.Context, /, deployment: Deployment, *, account: str, rehearsal: bool, **given: Any) -> None:
    """Draft a bill of one account over other dates than those of its cycle, with all that are billed together with it.

    The dates follow the last bill and lie within one period of the cycle. What is left of the period is billed by itself:
    billing run catch-up, or another off-cycle bill.

    Example:
      billing run off-cycle A-1001
      billing run off-cycle A-1001 --to 2026-07-15 --as-of 2026-07-16
    """
    last = _day(given["last"])
    request = OffCycleRequest(
        account=account,
        first=_day(given["first"]),
        end=last + timedelta(days=1) if last else None,
        as_of=_day(given["as_of"]),
        kind="rehearsal" if rehearsal else "final",
    )
    with run_progress("drafting", "accounts") as progress:
        report = bill_off_cycle(deployment, request, work=work_from(deployment, given), progress=progress)
    emit(context, report, lambda: started(report))


@click.command("final-bill")
@click.argument("account")
@_as_of
@_rehearsal
@work_options
@pass_deployment
@click.pass_context
def final_bill(context: click.Context, /, deployment: Deployment, *, account: str, rehearsal: bool, **given: Any) -> None:
    """Draft the last bill of an account whose agreements have all ended, up to the day on which the last one did.

    Where that is posted and usage has come since that waits for a bill, it drafts a bill of that. It names
    deposits that are held for the account, to be applied to what it owes or refunded.

    Example:
      billing run final-bill A-1001
    """
    request = OffCycleRequest(account=account, as_of=_day(given["as_of"]), kind="rehearsal" if rehearsal else "final")
    with run_progress("drafting", "accounts") as progress:
        report = bill_finally(deployment, request, work=work_from(deployment, given), progress=progress)
    emit(context, report, lambda: _final(account, report))


def _final(account: str, report: FinalBill) -> Iterator[str]:
    last = report.ended_on - timedelta(days=1)
    if report.started.run is not None:
        if report.waiting:
            yield f"{report.waiting} records of its usage came after its last bill"
        yield from started(report.started)
    elif report.too_far:
        yield f"account {account} is billed beyond {last}, the last day of its last agreement; bill it again:"
        yield from (f"  billing invoice rebill {number}" for number in report.too_far)
    else:
        yield f"nothing to do: account {account} is billed up to {last}, the last day of its last agreement"
    yield from (f"held for it: {one.money} ({one.purpose}); apply or refund it: billing deposit" for one in report.held)
    if report.started.run is None:
        yield f"close the account when it owes nothing: billing account change {account} status=closed"


VERBS = (due, catch_up_verb, off_cycle, final_bill)
