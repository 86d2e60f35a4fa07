"""``billing account``: who is billed, in which currency, on which cycle."""

from __future__ import annotations

import click

from billing_framework.accounts.hierarchy import ancestors, payer_of
from billing_framework.cli.context import pass_deployment
from billing_framework.cli.master_verbs import add_shared_verbs
from billing_framework.cli.output import emit
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import find
from billing_framework.storage.master.account_rows import load_branches
from billing_framework.storage.master.master_kind import ACCOUNTS


@click.group()
def account() -> None:
    """Keep accounts: who is billed, in which currency and language, on which cycle and terms.

    Example:
      billing account import accounts.csv
      billing account list --cycle monthly:1
    """


add_shared_verbs(
    account,
    ACCOUNTS,
    columns=("code", "party", "book", "currency", "cycle", "parent", "payer", "status"),
    examples={
        "create": "billing account create A-1001 --party P-1001 --book US --currency USD --zone America/Chicago",
        "change": 'billing account change A-1001 due_days=21 --reason "agreed by letter of 3 July"',
        "show": "billing account show A-1001",
        "list": "billing account list --book US --cycle monthly:1",
        "import": "billing account import accounts.csv --delimiter ';' --check",
    },
)


@account.command()
@click.argument("code")
@pass_deployment
@click.pass_context
def payer(context: click.Context, deployment: Deployment, code: str) -> None:
    """Show who pays for an account, through as many levels as there are.

    Example:
      billing account payer A-1001
    """
    with deployment.database.read() as connection:
        find(connection, ACCOUNTS, code)
        tree = load_branches(connection, [code])
    passed_on = {one: branch.parent for one, branch in tree.items() if branch.passes_on}
    above = [code, *ancestors(code, tree)]
    data = {"account": code, "payer": payer_of(code, passed_on), "above": above[1:]}
    emit(context, data, f"{data['payer']} pays for {code} ({' < '.join(above)})")
