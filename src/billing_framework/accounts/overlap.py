"""Assignments in time: one identifier belongs to one agreement at a time, and never outside that agreement's life."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise

from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.values.finding import Finding, Severity


def overlap_findings(assignments: Iterable[Assignment]) -> list[tuple[Assignment, Finding]]:
    """Return each assignment that begins before an earlier one of the same subject has ended, with the finding."""
    found = []
    ordered = sorted(assignments, key=lambda assignment: (assignment.subject, assignment.starts_on, assignment.agreement))
    for earlier, later in pairwise(ordered):
        if earlier.subject == later.subject and (earlier.ends_on is None or earlier.ends_on > later.starts_on):
            until = f"until {earlier.ends_on.isoformat()}" if earlier.ends_on else "without end"
            finding = Finding(
                code="ACCOUNT07",
                severity=Severity.BLOCKING,
                what=f"the subject belongs to agreement {earlier.agreement} from {earlier.starts_on.isoformat()} {until}",
                remedy=f"End that assignment on {later.starts_on.isoformat()} or earlier, or begin this one later",
                field="starts_on",
                value=later.starts_on.isoformat(),
                subject=later.subject,
            )
            found.append((later, finding))
    return found


def life_finding(assignment: Assignment, agreement: Agreement) -> Finding | None:
    """Return a finding where the assignment reaches outside the agreement's dates."""
    if _within(assignment.starts_on, assignment.ends_on, agreement):
        return None
    until = f"until {agreement.ends_on.isoformat()}" if agreement.ends_on else "without end"
    return Finding(
        code="ACCOUNT06",
        severity=Severity.BLOCKING,
        what=f"the assignment reaches outside agreement {agreement.code}: from {agreement.starts_on.isoformat()} {until}",
        remedy="Give dates within the agreement",
        field="starts_on",
        value=assignment.starts_on.isoformat(),
        subject=assignment.subject,
    )


def _within(starts_on: date, ends_on: date | None, agreement: Agreement) -> bool:
    if starts_on < agreement.starts_on:
        return False
    return agreement.ends_on is None or (ends_on is not None and ends_on <= agreement.ends_on)


def life_findings(assignments: Iterable[Assignment], agreements: Mapping[str, Agreement]) -> list[tuple[Assignment, Finding]]:
    """Return each assignment that reaches outside its agreement, with the finding; unknown agreements are not looked at."""
    pairs = ((one, life_finding(one, agreements[one.agreement])) for one in assignments if one.agreement in agreements)
    return [(one, finding) for one, finding in pairs if finding is not None]
