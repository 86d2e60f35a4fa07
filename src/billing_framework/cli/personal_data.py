"""``billing personal-data``: the keys of the people about whom data are kept."""

from __future__ import annotations

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, table
from billing_framework.run.deployment import Deployment
from billing_framework.run.personal.keys import erase as erase_owner
from billing_framework.run.personal.keys import list_owners, new_key
from billing_framework.run.personal.keys import rotate as rotate_keys


@click.group("personal-data")
def personal_data() -> None:
    """Keep the keys of the people about whom data are kept: make, rotate, erase.

    Who reads personal data stands in the audit trail: billing audit list --kind personal_data.

    Example:
      billing personal-data list
      billing personal-data erase subject:CARD-17 --reason "asked for on 3 July, nothing is owed"
    """


@personal_data.command("new-key")
@click.pass_context
def make_key(context: click.Context) -> None:
    """Print a new key for a deployment; keep it where secrets are kept, never beside the database.

    Example:
      billing personal-data new-key > /run/secrets/billing_personal_key
    """
    key = new_key()
    emit(context, {"key": key}, key)


@personal_data.command("list")
@click.option("--erased", is_flag=True, help="Only those whose data were erased.")
@pass_deployment
@click.pass_context
def list_people(context: click.Context, deployment: Deployment, *, erased: bool) -> None:
    """List about whom personal data are kept, under which key of the deployment, and what was erased.

    Example:
      billing personal-data list --erased --json
    """
    with deployment.database.read() as connection:
        found = list(list_owners(connection, erased=erased))
    headers = ("owner", "generation", "key", "erased at")
    rows = ((one.owner, one.generation, one.key_id, one.erased_at) for one in found)
    emit(context, found, lambda: table(headers, rows, right=("generation",)))


@personal_data.command()
@pass_deployment
@click.pass_context
def rotate(context: click.Context, deployment: Deployment) -> None:
    """Wrap the keys of all people by the key that the settings name now, and seal parties that still stand in the clear.

    Name the new key as key and the old one among former_keys first; afterwards the old one is no longer needed.

    Example:
      billing personal-data rotate
    """
    done = rotate_keys(deployment)
    counts = f"{done.rewrapped} keys wrapped anew, {done.sealed} parties sealed"
    emit(context, done, [counts, f"the current key is {done.key_id}"])


@personal_data.command()
@click.argument("owner")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the audit trail.")
@pass_deployment
@click.pass_context
def erase(context: click.Context, deployment: Deployment, *, owner: str, reason: str) -> None:
    """Destroy the key of a person: nobody can read their data any more; records, documents and money stay as they are.

    OWNER is subject:IDENTIFIER, party:CODE, or batch:NUMBER for what a batch brought that could not be read.

    Example:
      billing personal-data erase party:P-1001 --reason "legal retention has ended"
    """
    done = erase_owner(deployment, owner, reason=reason)
    emit(context, done, f"the personal data of {done.owner} are erased for ever")
