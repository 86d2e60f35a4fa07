"""``billing run start``: drafts the bills of a period, and what it tells about that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import date_type
from billing_framework.cli.output import emit, show_findings
from billing_framework.cli.run_progress import run_progress
from billing_framework.cli.run_work_options import work_from, work_options
from billing_framework.run.cycle.behind import start_in_order
from billing_framework.run.cycle.period import run_book, run_period
from billing_framework.run.cycle.start import RunReport, RunRequest
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.rehearse import read_candidates
from billing_framework.run.input_file import read_input


@click.command()
@click.option("--book", default="", metavar="CODE", help="Book that bills; not needed where there is only one.")
@click.option("--cycle", default="monthly:1", show_default=True, metavar="CYCLE", help="Billing cycle.")
@click.option(
    "--period",
    required=True,
    metavar="MONTH|DATE|FROM/TO",
    help="The period that begins in the month, holds the date, or has these first and last dates.",
)
@click.option("--as-of", type=date_type, metavar="DATE", help="Date of the documents; today by default.")
@click.option("--account", "accounts", multiple=True, metavar="CODE", help="Only this account; may be repeated.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Only accounts of this run group, such as a read route.")
@click.option("--rehearsal", is_flag=True, help="Rehearse: the same steps, but nothing can be approved.")
@click.option("--migration", is_flag=True, help="Take the period over as billed by another system; nothing is ever issued.")
@click.option(
    "--plan",
    "plans",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --rehearsal: try out this plan in the place of all versions of it that are loaded; may be repeated.",
)
@click.option(
    "--batch-size", type=click.IntRange(1, 10_000), metavar="N", help="Accounts per transaction; a whole shard by default."
)
@click.option(
    "--leave-missed", default="", metavar="REASON", help="Start it although earlier periods of the cycle are missed; say why."
)
@work_options
@pass_deployment
@click.pass_context
def start(context: click.Context, /, deployment: Deployment, *, rehearsal: bool, **given: Any) -> None:
    """Draft the bills of a period, or go on where an earlier start was cut off; what changed since is drafted anew.

    A period is refused while an earlier one of the cycle is missed, which no run was started for: billing run catch-up.

    Example:
      billing run start --book US --cycle monthly:1 --period 2026-07
      billing run start --period 2026-07 --account A-1001 --rehearsal
      billing run start --period 2026-07 --rehearsal --plan residential-2027.toml
      billing run start --period 2026-06 --migration
      billing run start --cycle read-date --period 2026-07-03/2026-08-02 --group route-12
      billing run start --period 2026-07 --executor processes --workers 4
    """
    if rehearsal and given["migration"]:
        raise click.UsageError("--rehearsal and --migration exclude each other")
    as_of: datetime | None = given["as_of"]
    request = RunRequest(
        book=run_book(deployment, given["book"]),
        cycle=given["cycle"],
        period=run_period(given["cycle"], given["period"], deployment.settings.custom_cycles),
        as_of=as_of.date() if as_of else None,
        accounts=tuple(given["accounts"]),
        groups=given["groups"],
        kind="rehearsal" if rehearsal else "migration" if given["migration"] else "final",
        candidates=read_candidates(deployment, [(str(path), read_input(path)) for path in given["plans"]]),
    )
    with run_progress("drafting", "accounts") as progress:
        report = start_in_order(
            deployment,
            request,
            leave_missed=given["leave_missed"],
            work=work_from(deployment, given, transaction_size=given["batch_size"]),
            progress=progress,
        )
    show_findings(context, report.findings)
    emit(context, report, lambda: started(report))


def started(report: RunReport) -> Iterator[str]:
    """Yield what starting a run did, line by line."""
    if report.run is None:
        yield "nothing to do: no account of this cycle has anything to bill"
        return
    if report.nothing_to_do:
        yield f"nothing to do: run {report.run.code} is {report.run.state} and nothing has changed"
    elif not report.drafted:
        yield f"run {report.run.code} was started; none of its {sum(report.counts.values())} accounts could be drafted"
    else:
        again = f", {report.stale} of them anew because their input had changed" if report.stale else ""
        accounts = sum(report.counts.values())
        of_all = f" of {accounts}" if report.is_new and accounts != report.drafted else ""
        yield f"run {report.run.code}: {report.drafted}{of_all} accounts drafted{again}"
    if report.goes_beyond:
        whole = f"these {len(report.run.accounts)}" if report.run.accounts else "all accounts of its cycle"
        yield f"  it had been started for {whole}, not only for those that are named now"
    yield from (f"  {count} {state}" for state, count in report.counts.items())
    if report.counts.get("held"):
        yield f"  why: billing run review {report.run.code}"
        if report.nothing_to_do and report.run.is_open:
            yield f"  once a plugin that held some is mended: billing run retry {report.run.code}"
    if report.billed_elsewhere:
        yield f"  {report.billed_elsewhere} accounts are billed by another run"


VERBS = (start,)
