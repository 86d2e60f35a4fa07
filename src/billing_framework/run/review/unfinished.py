"""Tells that a run bills a period whose last date comes after that of its documents, which may be meant, and may be a slip."""

from __future__ import annotations

from billing_framework.storage.billing.run_rows import Run
from billing_framework.values.finding import Finding, Severity


def unfinished(run: Run) -> tuple[Finding, ...]:
    """Return the finding ``RUN66`` where the documents of a run are dated before its period ends; it stops nothing.

    A rehearsal or a migration issues no documents, so that nothing is told of them.

    Args:
        run: the run.
    """
    if run.kind != "final" or run.as_of >= run.period.last:
        return ()
    finding = Finding(
        code="RUN66",
        severity=Severity.INFORMATION,
        what=f"the documents are of {run.as_of}, but the period {run.period} ends after that; what is used later is not on them",
        remedy="Where that is not meant, cancel the run, and start it when the period has ended",
        subject=run.code,
    )
    return (finding,)
