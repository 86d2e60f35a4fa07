"""``billing agreement``: what an account has bought, on which price plan, from when to when."""

from __future__ import annotations

from datetime import datetime

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import add_shared_verbs, date_type, reason_option, settings_of, tell_change
from billing_framework.cli.output import emit
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import change, continue_agreement, end_agreement, still_ended
from billing_framework.storage.master.master_kind import AGREEMENTS


@click.group()
def agreement() -> None:
    """Keep agreements: one service sold to one account under one price plan.

    Example:
      billing agreement create G-1001 --account A-1001 --plan residential --starts-on 2026-01-01
      billing agreement change G-1001 --on 2026-08-01 plan=time-of-use --reason "customer's wish"
    """


add_shared_verbs(
    agreement,
    AGREEMENTS,
    columns=("code", "account", "plan", "starts_on", "ends_on", "succeeds"),
    examples={
        "create": "billing agreement create G-1001 term.size=5 --account A-1001 --plan residential --starts-on 2026-01-01",
        "show": "billing agreement show G-1001",
        "list": "billing agreement list --plan residential",
        "import": "billing agreement import agreements.csv",
    },
)


@agreement.command("change")
@click.argument("code")
@click.argument("changes", nargs=-1, required=True, metavar="FIELD=VALUE...")
@click.option("--on", type=date_type, metavar="DATE", help="First date of the new plan or terms.")
@reason_option
@pass_deployment
@click.pass_context
def change_agreement(
    context: click.Context, deployment: Deployment, *, code: str, changes: tuple[str, ...], on: datetime | None, reason: str
) -> None:
    """Change plan or terms from a date on, or correct what was entered wrongly.

    With --on the agreement ends and its successor begins on that date; the identifiers assigned to it go over. Without
    --on the fields are corrected as if they had always been so; what was billed already then shows up for correction.

    Example:
      billing agreement change G-1001 --on 2026-08-01 plan=time-of-use term.size=8 --reason "customer's wish"
      billing agreement change G-1001 term.size=6 --reason "typing error of 2 January"
    """
    if on is None:
        before, after = change(deployment, AGREEMENTS, code, settings_of(changes), reason=reason)
        still = still_ended(deployment, before, after)
        left = [
            f"{one.subject} is still assigned only until {before.ends_on}; let it go on:"
            f' billing assignment change {one.subject} ends_on= --on {one.starts_on} --reason "..."'
            for one in still.ended
        ]
        left += [
            f"the assignment of {subject} from {first} on was removed by the end; enter it again:"
            f" billing assignment create {subject} --agreement {code} --starts-on {first}"
            for subject, first in still.removed
        ]
        tell_change(context, AGREEMENTS, before, after, left=left)
        return
    done = continue_agreement(deployment, code, on.date(), settings_of(changes), reason=reason)
    moved = f"; {', '.join(done.moved)} went over" if done.moved else ""
    emit(context, done, f"agreement {code} ends and {done.begun.code} begins on {on.date()}{moved}")


@agreement.command()
@click.argument("code")
@click.option("--on", type=date_type, required=True, metavar="DATE", help="First date without service.")
@reason_option
@pass_deployment
@click.pass_context
def end(context: click.Context, deployment: Deployment, code: str, on: datetime, reason: str) -> None:
    """End an agreement and the assignments that belong to it.

    Example:
      billing agreement end G-1001 --on 2026-08-01 --reason "moved out, final read on 31 July"
    """
    ended = end_agreement(deployment, code, on.date(), reason=reason)
    emit(context, ended, f"agreement {code} ends; {ended.ends_on} is its first date without service")
