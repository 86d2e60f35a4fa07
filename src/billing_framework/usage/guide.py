"""Guiding: which agreement an identifier belonged to at an instant, by dated assignments in the zone of the account."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
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
        zone: zone of the account.
    """

    assignment: Assignment
    start: datetime
    end: datetime | None
    zone: ZoneInfo

    def holds(self, instant: datetime) -> bool:
        """True where the assignment holds at `instant`."""
        return self.start <= instant and (self.end is None or instant < self.end)

    def closed_by(self, instant: datetime, days: int) -> bool:
        """True where `instant` lies within so many days after the last date of the assignment."""
        ends_on = self.assignment.ends_on
        if self.end is None or ends_on is None or instant < self.end:
            return False
        return instant < midnight(ends_on + timedelta(days=days), self.zone)


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

    def takes(self, subject: str, instant: datetime, days_after: int) -> bool:
        """Return whether a record of `subject` at `instant` is somebody's, or closes what somebody had until just before.

        Args:
            subject: the identifier.
            instant: first instant of the record.
            days_after: how many days after the last date of an assignment a record of its kind still closes it, such as the
                reading of a meter on the day on which the customer has left.
        """
        if self.at(subject, instant) is not None:
            return True
        return days_after > 0 and any(span.closed_by(instant, days_after) for span in self.by_subject.get(subject, ()))

    def last_before(self, subject: str, instant: datetime) -> Assignment | None:
        """Return the assignment of `subject` that had ended last before an instant, None for none."""
        ended = [span.assignment for span in self.by_subject.get(subject, ()) if span.end is not None and span.end <= instant]
        return ended[-1] if ended else None

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
        guided = GuidedSpan(assignment=assignment, start=midnight(assignment.starts_on, zone), end=end, zone=zone)
        spans.setdefault(assignment.subject, []).append(guided)
    return Guide({subject: tuple(sorted(found, key=lambda span: span.start)) for subject, found in spans.items()})
