"""Guides usage to agreements while a bill is put together: by dated assignments, in the account's zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from billing_framework.accounts.assignment import Assignment
from billing_framework.rating.stored_records import RecordColumns, Stretch, places_in
from billing_framework.usage.record import UsageKind
from billing_framework.values.period import ONE_DAY, DateSpan, Span


def lasting(assignment: Assignment, dates: DateSpan) -> DateSpan | None:
    """Return the dates of `dates` on which an assignment lasts, None for none."""
    end = dates.end if assignment.ends_on is None else assignment.ends_on
    return DateSpan(assignment.starts_on, end).intersection(dates) if assignment.starts_on < end else None


def reach_of(kinds: Mapping[str, UsageKind]) -> int:
    """Return the most days beside a period that any kind must see."""
    return max((max(kind.reach_days, kind.reach_after_days) for kind in kinds.values()), default=0)


def widened(dates: DateSpan, days: int) -> DateSpan:
    """Return `dates` with so many days more at both ends."""
    return DateSpan(dates.start - timedelta(days=days), dates.end + timedelta(days=days))


def is_seen(kind: UsageKind, span: Span, own: Sequence[DateSpan], period: DateSpan, zone: ZoneInfo) -> bool:
    """Return whether the rating of an agreement must see a record of one of its identifiers.

    Args:
        kind: kind of the record.
        span: instants of the record.
        own: dates of the period on which the identifier belongs to the agreement.
        period: dates that are billed.
        zone: zone of the account.
    """
    if kind.reach_days or kind.reach_after_days:
        start, end = period.start - timedelta(days=kind.reach_days), period.end + timedelta(days=kind.reach_after_days)
        window = DateSpan(start, end).instants(zone)
        return window.start <= span.start < window.end or (kind.divisible and span.overlaps(window))
    for dates in own:
        held = dates.instants(zone)
        if held.start <= span.start < held.end or (kind.divisible and span.overlaps(held)):
            return True
    return False


def guide(subject: str, span: Span, candidates: Iterable[Assignment], agreement: str, zone: ZoneInfo) -> Assignment:
    """Return the assignment that a record was guided by.

    It is the one that lasts at the record's first instant. A record that merely reaches into the agreement's dates (an interval
    that began the evening before) belongs to the agreement for that part. A record that nobody owned is given as unassigned.

    Args:
        subject: identifier of the record.
        span: its instants.
        candidates: assignments of the identifier, of whatever agreement.
        agreement: code of the agreement that is rated.
        zone: zone of the account.
    """
    day = span.start.astimezone(zone).date()
    listed = [one for one in candidates if one.subject == subject]
    for one in listed:
        if one.starts_on <= day and (one.ends_on is None or day < one.ends_on):
            if one.agreement == agreement or not _reaches(span, listed, agreement, zone):
                return one
            break
    for one in listed:
        if one.agreement == agreement and _overlaps(span, one, zone):
            return one
    return Assignment(subject=subject, agreement="", starts_on=date.min)


def guided_stretches(
    columns: RecordColumns, low: int, high: int, *, candidates: Iterable[Assignment], agreement: str, zone: ZoneInfo
) -> list[Stretch]:
    """Return records of one subject that stand one after the other, with the assignments that `guide` returns of them.

    Args:
        columns: the columns that they stand in.
        low: place of the first.
        high: the place after the last.
        candidates: assignments, of whatever identifier and agreement.
        agreement: code of the agreement that is rated.
        zone: zone of the account.
    """
    subject = columns.subject(low)
    listed = [one for one in candidates if one.subject == subject]
    if listed and listed[0].agreement == agreement and _lasts_throughout(listed[0], columns, low, high, zone):
        return [Stretch(columns=columns, low=low, high=high, assignment=listed[0])]
    guided = [guide(subject, Span(columns.start(at), columns.end(at)), listed, agreement, zone) for at in range(low, high)]
    edges = [low, *(low + at for at, (one, other) in enumerate(pairwise(guided), start=1) if one != other), high]
    return [Stretch(columns=columns, low=at, high=to, assignment=guided[at - low]) for at, to in pairwise(edges)]


def seen_places(
    columns: RecordColumns, low: int, high: int, *, kind: UsageKind, own: Sequence[DateSpan], period: DateSpan, zone: ZoneInfo
) -> list[tuple[int, int]]:
    """Return the places of the records of one subject of which `is_seen` is true, in order.

    Args:
        columns: the columns that they stand in.
        low: place of the first record of the subject.
        high: the place after its last.
        kind: kind of the records.
        own: dates of the period on which the identifier belongs to the agreement.
        period: dates that are billed.
        zone: zone of the account.
    """
    if kind.reach_days or kind.reach_after_days:
        own = [DateSpan(period.start - timedelta(days=kind.reach_days), period.end + timedelta(days=kind.reach_after_days))]
    spans = [dates.instants(zone) for dates in own]
    return united([found for span in spans for found in places_in(columns, low, high, span, overlapping=kind.divisible)])


def united(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return places of records in order, those that meet as one."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(places):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def _lasts_throughout(assignment: Assignment, columns: RecordColumns, low: int, high: int, zone: ZoneInfo) -> bool:
    """Tell whether an assignment surely lasts on the local dates of records in order of start.

    A clock that is set back over midnight shows a date again, so a record between others may be a day off theirs.
    """
    first = columns.start(low).astimezone(zone).date() - ONE_DAY
    last = columns.start(high - 1).astimezone(zone).date() + ONE_DAY
    return assignment.starts_on <= first and (assignment.ends_on is None or last < assignment.ends_on)


def _reaches(span: Span, listed: Iterable[Assignment], agreement: str, zone: ZoneInfo) -> bool:
    return any(one.agreement == agreement and _overlaps(span, one, zone) for one in listed)


def _overlaps(span: Span, assignment: Assignment, zone: ZoneInfo) -> bool:
    first = span.start.astimezone(zone).date()
    after = max(span.start, span.end).astimezone(zone).date() + timedelta(days=1)
    held = lasting(assignment, DateSpan(first, after))
    return held is not None and span.overlaps(held.instants(zone))
