"""Holds the accounts at which a worker hung twice, the second time alone, so that all others are billed."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from billing_framework.plugin.host import Host
from billing_framework.run.deployment import Deployment
from billing_framework.run.work.lease import Lease
from billing_framework.storage.billing.run_rows import HoldEvidence, Run, RunAccount, locked, run_accounts_of, save_accounts
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding

STUCK = "worker"
"""Name of the check that holds accounts at which a worker hung."""
HELD_AFTER_OVERRUNS = 2
"""The first time a shard is cut into single groups, the second time the group at which it stopped is held."""


def hold_stuck(deployment: Deployment, run: Run, accounts: Sequence[str], lease: Lease) -> None:
    """Hold a group of accounts that cannot be drafted, because the worker that tried to was ended.

    Args:
        deployment: the deployment.
        run: a run that is not approved.
        accounts: the accounts that are billed together.
        lease: the shard that they are part of.

    Raises:
        Conflict: ``RUN40`` where another worker has taken the shard.
        Refused: ``RUN03`` where somebody has moved the run on.
    """
    with deployment.database.begin() as connection:
        run = locked(connection, run, shared=True)
        if not run.is_open:
            raise Refused("RUN03", f"the run {run.code} is {run.state}", remedy="Somebody else moved it on meanwhile")
        lease.keep(connection, len(accounts))
        rows = run_accounts_of(connection, run, accounts)
        save_accounts(connection, run, [_held(row, deployment.host) for row in rows.values()])


def _held(row: RunAccount, host: Host) -> RunAccount:
    plugins = ", ".join(plugin.name for plugin in host.plugins)
    finding = Finding(
        code="RUN45",
        what=f"the worker that drafted it hung twice and was ended; a call of one of the plugins {plugins} does not return",
        remedy="Have the plugin mended, then draft it again: billing run retry",
        subject=row.account,
        value=plugins,
    )
    kept = tuple(item for item in row.evidence if item.check != STUCK)
    evidence = (*kept, HoldEvidence(check=STUCK, finding=finding))
    return attrs.evolve(row, state="held", reason=finding.what, evidence=evidence, version=row.version + 1)
