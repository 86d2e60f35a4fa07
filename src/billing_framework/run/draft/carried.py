"""Carried records of an agreement: whatever it has delivered before the period's end and no standing document has billed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.rating.stored_records import places_in
from billing_framework.run.draft.guiding import lasting, united
from billing_framework.storage.usage.carried import Waiting, load_repeated, load_unbilled
from billing_framework.storage.usage.columns import StoredColumns, joined
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.load import newest_batch
from billing_framework.values.clock import timezone
from billing_framework.values.instant import microseconds_of
from billing_framework.values.period import ONE_DAY, DateSpan, Span

Places = tuple[StoredColumns, int, int]
"""Records of one subject that stand one after the other: their columns, the first place and the one after the last."""


@attrs.frozen(kw_only=True)
class CarriedRecords:
    """The carried records of one agreement.

    Attributes:
        spans: the records in order of kind, subject, start and key.
        assignments: the assignments that brought them, in order of subject and date.
        zone: zone of the account.
    """

    spans: tuple[Places, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    zone: ZoneInfo

    def dates_before(self, day: date) -> list[date]:
        """Return the local dates before a date on which they start, in order."""
        if not self.spans:
            return []
        # A clock that is set back over midnight shows a date again, so a date is looked at where the next one has begun.
        begun = microseconds_of(DateSpan(day, day + ONE_DAY).instants(self.zone).end)
        found: set[date] = set()
        for columns, low, high in self.spans:
            old = range(low, bisect_left(columns.starts, begun, low, high))
            found |= {columns.start(place).astimezone(self.zone).date() for place in old}
        return sorted(one for one in found if one < day)


def waiting_records(
    connection: Connection,
    kinds: Mapping[str, KindTable],
    accounts: Sequence[Account],
    assignments: Mapping[str, Sequence[Assignment]],
    *,
    period: DateSpan,
    repeats: Collection[int],
    takes_waiting: bool = True,
) -> Waiting:
    """Return by kind the carried records that wait for a bill, in one pass for a batch of accounts.

    Args:
        connection: a connection with one snapshot.
        kinds: the usage kinds with their tables.
        accounts: the accounts, for their zones.
        assignments: assignments by agreement, whenever they last.
        period: dates to bill.
        repeats: keys of the documents that are billed anew, whose records are given; none in a run.
        takes_waiting: whether records are given that no standing document has billed.
    """
    if not accounts or not any(derived.kind.carried for derived in kinds.values()):
        return {}
    known = newest_batch(connection)
    again = load_repeated(connection, kinds, repeats, up_to_batch=known) if repeats else {}
    if not takes_waiting:
        return again
    subjects = {one.subject for listed in assignments.values() for one in listed if one.starts_on < period.end}
    ends = (period.instants(timezone(name)).end for name in sorted({account.zone for account in accounts}))
    found = load_unbilled(connection, kinds, subjects, before=max(ends), up_to_batch=known)
    for kind, columns in again.items():
        found[kind] = joined(columns, found[kind]) if kind in found else columns
    return found


def carried_records(assignments: Iterable[Assignment], waiting: Waiting, period: DateSpan, zone: ZoneInfo) -> CarriedRecords:
    """Return the carried records that an agreement is billed for: those that start while their identifier is its own.

    Args:
        assignments: all assignments of the agreement.
        waiting: carried records by kind.
        period: dates to bill; what starts after them waits.
        zone: zone of the account.
    """
    if not waiting:
        return CarriedRecords(zone=zone)
    end = period.instants(zone).end
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    brought: list[Assignment] = []
    for assignment in assignments:
        dates = _held(assignment, period.end)
        if dates is None:
            continue
        held = dates.instants(zone)
        if held.start >= end:
            continue
        span, is_brought = Span(held.start, min(held.end, end)), False
        for kind, columns in waiting.items():
            if places := places_in(columns, *columns.spans.get(assignment.subject, (0, 0)), span):
                found.setdefault((kind, assignment.subject), []).extend(places)
                is_brought = True
        if is_brought:
            brought.append(assignment)
    brought.sort(key=lambda one: (one.subject, one.starts_on))
    spans = [(waiting[kind], low, high) for (kind, _), some in sorted(found.items()) for low, high in united(some)]
    return CarriedRecords(spans=tuple(spans), assignments=tuple(brought), zone=zone)


def _held(assignment: Assignment, before: date) -> DateSpan | None:
    return lasting(assignment, DateSpan(assignment.starts_on, before)) if assignment.starts_on < before else None


def billed_dates(agreement: Agreement, period: DateSpan, carried: CarriedRecords) -> tuple[DateSpan, bool] | None:
    """Return the dates of an agreement that are billed, and whether it is over and bills only what it has carried on.

    An agreement that ended before the period is billed once more for the last day of its life where late records of it wait;
    its plan prices nothing else then. None where there is nothing to bill of it.
    """
    if agreement.starts_on >= period.end:
        return None
    end = period.end if agreement.ends_on is None else agreement.ends_on
    alive = DateSpan(agreement.starts_on, end).intersection(period) if agreement.starts_on < end else None
    if alive is not None:
        return alive, False
    over = agreement.starts_on < end <= period.start and carried.spans
    return (DateSpan(end - ONE_DAY, end), True) if over else None


def earlier_dates(agreement: Agreement, carried: CarriedRecords, before: date) -> DateSpan | None:
    """Return the dates of an agreement's life from its oldest carried record up to a date, None where no record is that old."""
    old = carried.dates_before(before)
    if not old:
        return None
    end = before if agreement.ends_on is None else min(before, agreement.ends_on)
    start = max(min(old), agreement.starts_on)
    return DateSpan(start, end) if start < end else None
