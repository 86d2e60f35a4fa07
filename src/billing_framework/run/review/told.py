"""Keeps what was told while a run was drafted, such as a plugin that takes too long, for those who read its report later."""

from __future__ import annotations

from collections.abc import Sequence

from billing_framework.run.deployment import Deployment
from billing_framework.storage import audit
from billing_framework.storage.billing.run_rows import Run
from billing_framework.values.finding import Finding

TOLD = "run told"
"""Name of the act in the audit trail of a run; the reason is the finding."""


def keep_told(deployment: Deployment, run: Run, findings: Sequence[Finding]) -> None:
    """Write findings that change no result to the audit trail of the run; none writes nothing.

    Args:
        deployment: the deployment.
        run: the run that was drafted.
        findings: what was told.
    """
    if not findings:
        return
    with deployment.database.begin() as connection:
        audit.record_many(
            connection,
            deployment.clock.now(),
            deployment.actor,
            [
                audit.AuditEvent(
                    action=TOLD,
                    object_kind="run",
                    object_key=run.code,
                    after={"code": one.code, "subject": one.subject},
                    reason=f"{one.code} {one.what}",
                )
                for one in findings
            ],
        )
