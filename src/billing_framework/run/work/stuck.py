"""Holds the accounts at which workers hung or ended again when they drafted nothing else, so that all others are billed."""

from __future__ import annotations

import signal
from collections.abc import Sequence

import attrs

from billing_framework.plugin.host import Host
from billing_framework.run.deployment import Deployment
from billing_framework.run.work.lease import Lease
from billing_framework.storage.billing.run_rows import HoldEvidence, Run, RunAccount, locked, run_accounts_of, save_accounts
from billing_framework.storage.billing.shard_rows import end_overrun
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding

STUCK = "worker"
"""Name of the check that holds accounts at which a worker hung or ended."""
HELD_AFTER_OVERRUNS = 2
"""The first time a shard is cut into single groups, the second time the group at which it stopped is held."""
HUNG = "the worker hung and was ended"
"""What a shard tells of a worker that hung."""


def ended_with(exit_code: int) -> str:
    """Return what a shard tells of a worker process that ended by itself.

    Args:
        exit_code: its exit code; that of a signal is negative.
    """
    if exit_code >= 0:
        return f"{_ENDED} with exit code {exit_code}"
    try:
        return f"{_ENDED} by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"{_ENDED} by signal {-exit_code}"


_ENDED = "the worker process ended"


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
        save_accounts(connection, run, [_held(row, deployment.host, lease.shard.error) for row in rows.values()])
        end_overrun(connection, lease.shard)


def _held(row: RunAccount, host: Host, error: str) -> RunAccount:
    plugins = ", ".join(plugin.name for plugin in host.plugins)
    what = f"the worker that drafted it hung twice and was ended; a call of one of the plugins {plugins} does not return"
    if error.startswith(_ENDED):
        what = f"{error} when it drafted nothing else, as one before it did; a call of one of the plugins {plugins} ends it"
    finding = Finding(
        code="RUN45",
        what=what,
        remedy="Have the plugin mended, then draft it again: billing run retry",
        subject=row.account,
        value=plugins,
    )
    kept = tuple(item for item in row.evidence if item.check != STUCK)
    evidence = (*kept, HoldEvidence(check=STUCK, finding=finding))
    return attrs.evolve(row, state="held", reason=finding.what, evidence=evidence, version=row.version + 1)
