"""Guiding: which agreement an identifier belonged to at an instant, by dated assignments in the zone of the account."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import attrs

from billing_framework.accounts.assignment import Assignment
from billing_framework.values.period import Span, midnight


@attrs.frozen(kw_only=True)
class GuidedSpan:
    """An assignment with the instants for which it holds.

    Attributes:
        assignment: the dated assignment.
        start: local midnight of its first date, in UTC.
        end: local midnight of the date after its last, in UTC; None while it lasts.
    """

    assignment: Assignment
    start: datetime
    end: datetime | None

    def holds(self, instant: datetime) -> bool:
        """True where the assignment holds at `instant`."""
        return self.start <= instant and (self.end is None or instant < self.end)


@attrs.frozen
class Guide:
    """The assignments of some identifiers, ready to be asked many times.

    Attributes:
        by_subject: identifier to its assignments in order of time; they never overlap.
    """

    by_subject: Mapping[str, tuple[GuidedSpan, ...]]

    def at(self, subject: str, instant: datetime) -> Assignment | None:
        """Return the assignment of `subject` at `instant`, None where it belonged to nobody."""
        spans = self.by_subject.get(subject, ())
        place = bisect_right(spans, instant, key=lambda span: span.start) - 1
        return spans[place].assignment if place >= 0 and spans[place].holds(instant) else None

    def over(self, subject: str, span: Span) -> tuple[Assignment, ...]:
        """Return the assignments of `subject` that hold at any instant of `span`, in order of time."""
        if span.start == span.end:
            found = self.at(subject, span.start)
            return () if found is None else (found,)
        return tuple(
            guided.assignment
            for guided in self.by_subject.get(subject, ())
            if guided.start < span.end and (guided.end is None or span.start < guided.end)
        )


def make_guide(assignments: Iterable[tuple[Assignment, ZoneInfo]]) -> Guide:
    """Return the guide of assignments, each with the zone of the account that its agreement belongs to."""
    spans: dict[str, list[GuidedSpan]] = {}
    for assignment, zone in assignments:
        end = None if assignment.ends_on is None else midnight(assignment.ends_on, zone)
        guided = GuidedSpan(assignment=assignment, start=midnight(assignment.starts_on, zone), end=end)
        spans.setdefault(assignment.subject, []).append(guided)
    return Guide({subject: tuple(sorted(found, key=lambda span: span.start)) for subject, found in spans.items()})
