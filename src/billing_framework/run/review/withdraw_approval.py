"""Takes the approval of a run back, because a draft of it is edited or the whole run cancelled."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.storage import audit
from billing_framework.storage.billing.numbers import give_back, issued_among, manifest_of
from billing_framework.storage.billing.run_rows import Run, move_accounts, move_run
from billing_framework.values.errors import Refused


def withdraw_approval(deployment: Deployment, connection: Connection, run: Run, *, reason: str) -> Run:
    """Take an approval back, because a draft is edited or the run cancelled; its numbers go back to their series.

    Args:
        deployment: the deployment.
        connection: a connection with a write transaction that holds the run's row.
        run: an approved run of which nothing is posted.
        reason: why, for the audit trail.

    Raises:
        Refused: ``RUN10`` where later numbers were given out meanwhile, so that giving these back would leave a gap.
    """
    manifest = manifest_of(connection, run)
    issued = issued_among(connection, manifest)
    if not give_back(connection, run, [one for one in manifest if one.document not in issued]):
        raise Refused(
            "RUN10",
            f"numbers after those of the run {run.code} were given out, so its own cannot be given back",
            remedy="Post the run, then correct single documents: billing invoice rebill",
        )
    move_accounts(connection, run, "approved", "drafted")
    now = deployment.clock.now()
    audit.record(
        connection,
        now,
        deployment.actor,
        "run withdraw approval",
        object_kind="run",
        object_key=run.code,
        before={"state": "approved"},
        reason=reason,
    )
    if issued:  # a part that was approved before is posted, and stays approved
        return move_run(connection, run, "drafted", digest=None)
    return move_run(connection, run, "drafted", approved_by=None, approved_at=None, digest=None)
