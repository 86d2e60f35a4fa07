"""``billing share``: which accounts pay for an agreement, what part of which charges, and when."""

from __future__ import annotations

from datetime import datetime

import click

from billing_framework.accounts.share import Share
from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import add_shared_verbs, date_type, reason_option
from billing_framework.cli.output import emit
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.shares import end_share, remove_share
from billing_framework.storage.master.share_rows import SHARES

_COLUMNS = ("agreement", "payer", "percent", "codes", "starts_on", "ends_on")

_codes_option = click.option("--codes", default="", metavar="CODES", help="Only the share in these charge codes.")


@click.group()
def share() -> None:
    """Keep dated shares: several accounts pay for one agreement. Who has no percentage bears what the others leave.

    Example:
      billing share add G-1001 --payer A-1001 --starts-on 2026-01-01
      billing share add G-1001 --payer A-2002 --percent 40 --starts-on 2026-01-01
      billing share list --agreement G-1001
    """


add_shared_verbs(
    share,
    SHARES,
    columns=_COLUMNS,
    examples={
        "add": "billing share add G-1001 --payer A-2002 --percent 40 --codes fees --starts-on 2026-01-01",
        "list": "billing share list --agreement G-1001",
        "import": "billing share import shares.csv --update",
    },
)


@share.command()
@click.argument("agreement")
@click.option("--payer", required=True, metavar="ACCOUNT", help="Code of the account that pays.")
@click.option("--on", type=date_type, required=True, metavar="DATE", help="First service date of which it bears nothing.")
@_codes_option
@reason_option
@pass_deployment
@click.pass_context
def end(
    context: click.Context, deployment: Deployment, *, agreement: str, payer: str, on: datetime, codes: str, reason: str
) -> None:
    """End the shares of one payer; the payer of the remainder bears what it bore.

    Example:
      billing share end G-1001 --payer A-2002 --on 2026-08-01 --reason "the insurer has left"
    """
    ended = end_share(deployment, agreement, payer, on.date(), codes=codes.split(), reason=reason)
    emit(context, [SHARES.form.write(one) for one in ended], f"{_named(ended)} until {on.date()}, exclusive")


@share.command()
@click.argument("agreement")
@click.option("--payer", required=True, metavar="ACCOUNT", help="Code of the account that pays.")
@click.option("--on", type=date_type, required=True, metavar="DATE", help="A date on which the share holds.")
@_codes_option
@reason_option
@pass_deployment
@click.pass_context
def remove(
    context: click.Context, deployment: Deployment, *, agreement: str, payer: str, on: datetime, codes: str, reason: str
) -> None:
    """Remove shares of one payer that were mistakes, as if they had never been; the audit trail keeps them.

    Example:
      billing share remove G-1001 --payer A-2002 --on 2026-07-15 --reason "entered for the wrong agreement"
    """
    gone = remove_share(deployment, agreement, payer, on.date(), codes=codes.split(), reason=reason)
    emit(context, [SHARES.form.write(one) for one in gone], f"removed: {_named(gone)}")


def _named(shares: tuple[Share, ...]) -> str:
    return ", ".join(SHARES.key(one) for one in shares)
