"""Assignments in time: one identifier belongs to one agreement at a time, and never outside that agreement's life."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import pairwise

from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.identifier_range import IdentifierRange, span_of_subject
from billing_framework.values.finding import Finding, Severity


def overlap_findings(assignments: Iterable[Assignment]) -> list[tuple[Assignment, Finding]]:
    """Return each assignment that begins before an earlier one of an identifier of it has ended, with the finding.

    An identifier is also in the ranges that hold it, and two ranges may share identifiers.
    """
    found = []
    ordered = sorted(assignments, key=lambda assignment: (assignment.subject, assignment.starts_on, assignment.agreement))
    for earlier, later in pairwise(ordered):
        if earlier.subject == later.subject and _both_last(earlier, later):
            found.append((later, _overlap(earlier, later)))
    for one, other in _meeting(ordered):
        earlier, later = sorted((one, other), key=lambda assignment: (assignment.starts_on, assignment.agreement))
        if _both_last(earlier, later):
            found.append((later, _overlap(earlier, later)))
    return found


def _both_last(earlier: Assignment, later: Assignment) -> bool:
    return earlier.ends_on is None or earlier.ends_on > later.starts_on


def _meeting(assignments: Iterable[Assignment]) -> Iterator[tuple[Assignment, Assignment]]:
    """Yield the pairs of assignments of different subjects, one of them a range, that share an identifier."""
    spans = sorted(
        ((span_of_subject(one.subject), one) for one in assignments),
        key=lambda pair: (len(pair[0].first), pair[0], pair[1].starts_on),
    )
    open_spans: list[tuple[IdentifierRange, Assignment]] = []
    for span, one in spans:
        open_spans = [pair for pair in open_spans if len(pair[0].first) == len(span.first) and pair[0].last >= span.first]
        yield from ((other, one) for held, other in open_spans if other.subject != one.subject and held.meets(span))
        open_spans.append((span, one))


def _overlap(earlier: Assignment, later: Assignment) -> Finding:
    until = f"until {earlier.ends_on.isoformat()}" if earlier.ends_on else "without end"
    whose = "the subject" if earlier.subject == later.subject else earlier.subject
    return Finding(
        code="ACCOUNT07",
        severity=Severity.BLOCKING,
        what=f"{whose} belongs to agreement {earlier.agreement} from {earlier.starts_on.isoformat()} {until}",
        remedy=f"End that assignment on {later.starts_on.isoformat()} or earlier, or begin this one later",
        field="starts_on",
        value=later.starts_on.isoformat(),
        subject=later.subject,
    )


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
