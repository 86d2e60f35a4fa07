"""``billing party``: people and organisations, with the only names and addresses."""

from __future__ import annotations

import click

from billing_framework.cli.master_verbs import add_shared_verbs
from billing_framework.storage.master.master_kind import PARTIES


@click.group()
def party() -> None:
    """Keep parties: the people and organisations that accounts belong to.

    Example:
      billing party import parties.csv
      billing party show P-1001
    """


add_shared_verbs(
    party,
    PARTIES,
    columns=("code", "name", "city", "country", "tax_id"),
    examples={
        "create": 'billing party create P-1001 --name "Ada Ohm" --street "1 Volt Street" --city Dallas --country US',
        "change": 'billing party change P-1001 street="2 Volt Street" --reason "moved on 1 July"',
        "show": "billing party show P-1001",
        "list": "billing party list --country US",
        "import": "billing party import parties.csv --check",
    },
)
