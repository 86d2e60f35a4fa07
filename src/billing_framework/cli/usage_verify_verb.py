"""``billing usage verify``: the proof that stored usage is what was taken in."""

from __future__ import annotations

import click

from billing_framework.cli.context import pass_deployment
from billing_framework.cli.output import emit, exit_for, show_findings
from billing_framework.run.deployment import Deployment
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.verify import verify_usage


@click.command()
@pass_deployment
@click.pass_context
def verify(context: click.Context, deployment: Deployment) -> None:
    """Prove that usage is what was taken in; a record that was changed, added or removed is named, and the exit code is 1.

    Each record is held against the digest and the key that were made of it, each batch against its control totals. Whether an
    issued document was billed on it is proven by billing explain.

    Example:
      billing usage verify
    """
    with deployment.database.read() as connection:
        proof = verify_usage(connection, kind_tables(deployment.host.kinds))
    show_findings(context, proof.findings)
    state = f"{len(proof.findings)} findings" if proof.findings else "all as it was taken in"
    emit(context, proof, f"{proof.batches} batches, {proof.records} records, {state}")
    exit_for(context, proof.findings)
