"""Carried records of an agreement: whatever it has delivered before the period's end and no standing document has billed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.run.draft.guiding import lasting
from billing_framework.storage.usage.carried import load_repeated, load_unbilled
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.load import UsageRow, newest_batch
from billing_framework.values.clock import timezone
from billing_framework.values.period import ONE_DAY, DateSpan


@attrs.frozen(kw_only=True)
class CarriedRecords:
    """The carried records of one agreement.

    Attributes:
        rows: the records in order of kind, subject, start and key.
        assignments: the assignments that brought them, in order of subject and date.
        dates: local dates on which they start, in order.
    """

    rows: tuple[UsageRow, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    dates: tuple[date, ...] = ()


def waiting_records(
    connection: Connection,
    kinds: Mapping[str, KindTable],
    accounts: Sequence[Account],
    assignments: Mapping[str, Sequence[Assignment]],
    *,
    period: DateSpan,
    repeats: Collection[int],
    takes_waiting: bool = True,
) -> Mapping[str, Sequence[UsageRow]]:
    """Return by subject the carried records that wait for a bill, in one pass for a batch of accounts.

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
    for subject, rows in again.items():
        there = {row.key for row in rows}
        found[subject] = [*rows, *(row for row in found.get(subject, ()) if row.key not in there)]
    return found


def carried_records(
    assignments: Iterable[Assignment], waiting: Mapping[str, Sequence[UsageRow]], period: DateSpan, zone: ZoneInfo
) -> CarriedRecords:
    """Return the carried records that an agreement is billed for: those that start while their identifier is its own.

    Args:
        assignments: all assignments of the agreement.
        waiting: carried records by subject.
        period: dates to bill; what starts after them waits.
        zone: zone of the account.
    """
    end = period.instants(zone).end
    found: dict[int, UsageRow] = {}
    brought: list[Assignment] = []
    days: set[date] = set()
    for assignment in assignments:
        dates = _held(assignment, period.end)
        if dates is None:
            continue
        held = dates.instants(zone)
        own = [row for row in waiting.get(assignment.subject, ()) if held.start <= row.usage.start < min(held.end, end)]
        if own:
            brought.append(assignment)
            found |= {row.key: row for row in own}
            days |= {row.usage.start.astimezone(zone).date() for row in own}
    rows = sorted(found.values(), key=lambda row: (row.usage.kind, row.usage.subject, row.usage.start, row.key))
    brought.sort(key=lambda one: (one.subject, one.starts_on))
    return CarriedRecords(rows=tuple(rows), assignments=tuple(brought), dates=tuple(sorted(days)))


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
    over = agreement.starts_on < end <= period.start and carried.rows
    return (DateSpan(end - ONE_DAY, end), True) if over else None


def earlier_dates(agreement: Agreement, carried: CarriedRecords, before: date) -> DateSpan | None:
    """Return the dates of an agreement's life from its oldest carried record up to a date, None where no record is that old."""
    old = [day for day in carried.dates if day < before]
    if not old:
        return None
    end = before if agreement.ends_on is None else min(before, agreement.ends_on)
    start = max(min(old), agreement.starts_on)
    return DateSpan(start, end) if start < end else None
