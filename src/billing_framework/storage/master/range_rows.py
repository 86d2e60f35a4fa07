"""Assignments of ranges of identifiers: found for identifiers, and resolved into the identifiers that delivered."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.identifier_range import IdentifierRange, range_of, span_of_subject, spread, with_members
from billing_framework.storage.master.account_rows import assignments_of_subjects, rows_of
from billing_framework.storage.master.account_tables import assignment
from billing_framework.storage.master.master_kind import ASSIGNMENTS
from billing_framework.storage.usage.tables import usage_subject


def stored_ranges(connection: Connection) -> tuple[IdentifierRange, ...]:
    """Return the ranges that assignments name, in order; few deployments have many, so they are read at once."""
    columns = assignment.c
    query = sa.select(columns.subject).where(columns.subject_id < 0)  # the ids of ranges are negative
    return tuple(sorted(found for subject in set(connection.scalars(query)) if (found := range_of(subject)) is not None))


def members_among(connection: Connection, subjects: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the delivered identifiers that are in each range among some subjects of assignments, by the range's text."""
    spans = {span for subject in subjects if (span := range_of(subject)) is not None}
    return {span.text: names for span, names in delivered_within(connection, spans).items()}


def ranges_holding(ranges: Iterable[IdentifierRange], identifiers: Collection[str]) -> Iterator[tuple[IdentifierRange, str]]:
    """Yield each range with every identifier that is in it."""
    ordered = sorted(set(identifiers))
    for one in ranges:
        for identifier in ordered[bisect_left(ordered, one.first) : bisect_right(ordered, one.last)]:
            if one.holds(identifier):
                yield one, identifier


def guiding_assignments(connection: Connection, identifiers: Collection[str]) -> dict[str, tuple[Assignment, ...]]:
    """Return the assignments that guide identifiers of the field, by identifier and in order of date.

    An assignment of a range that an identifier is in is given as one of that identifier, `within` the range.
    """
    found: dict[str, list[Assignment]] = defaultdict(list)
    for subject, listed in assignments_of_subjects(connection, identifiers).items():
        found[subject].extend(listed)
    members: dict[str, list[str]] = defaultdict(list)
    for span, identifier in ranges_holding(stored_ranges(connection), identifiers):
        members[span.text].append(identifier)
    for subject, listed in assignments_of_subjects(connection, members).items():
        for ranged in listed:
            for one in spread(ranged, members[subject]):
                found[one.subject].append(one)
    return {subject: tuple(sorted(found[subject], key=lambda one: one.starts_on)) for subject in sorted(found)}


def meeting_assignments(connection: Connection, subjects: Collection[str]) -> list[Assignment]:
    """Return the stored assignments, of single identifiers and ranges, that share an identifier with any of `subjects`."""
    wanted = sorted({span_of_subject(subject) for subject in subjects})
    names = set(subjects)
    ranges = stored_ranges(connection)
    names.update(span.text for span in ranges if any(span.meets(one) for one in _near(wanted, span)))
    found = [stored.value for stored in rows_of(connection, ASSIGNMENTS, "subject", names)]
    for span in wanted:
        if span.first != span.last:
            found.extend(one for one in _single(connection, span) if one.subject not in names)
    return list({(one.subject, one.starts_on): one for one in found}.values())


def _near(wanted: Sequence[IdentifierRange], span: IdentifierRange) -> Sequence[IdentifierRange]:
    """Return those of the ordered ranges that begin before the end of one; an end further back is looked at, too."""
    return wanted[: bisect_right(wanted, span.last, key=lambda one: one.first)]


def _single(connection: Connection, span: IdentifierRange) -> Iterator[Assignment]:
    table = ASSIGNMENTS.table
    query = sa.select(table).where(table.c.subject >= span.first, table.c.subject <= span.last)
    for row in connection.execute(query).mappings():
        if span.holds(row["subject"]):
            yield ASSIGNMENTS.from_row(dict(row))


def delivered_within(connection: Connection, ranges: Collection[IdentifierRange]) -> Mapping[IdentifierRange, tuple[str, ...]]:
    """Return the identifiers of each range that have ever delivered, in order."""
    columns = usage_subject.c
    found = {}
    for span in ranges:
        query = sa.select(columns.identifier).where(columns.identifier >= span.first, columns.identifier <= span.last)
        found[span] = tuple(sorted(name for name in connection.scalars(query) if span.holds(name)))
    return found


def resolved(connection: Connection, assignments: Mapping[str, tuple[Assignment, ...]]) -> dict[str, tuple[Assignment, ...]]:
    """Return assignments by agreement, each range followed by an assignment of every identifier in it that has delivered."""
    members = members_among(connection, {one.subject for listed in assignments.values() for one in listed})
    if not members:
        return dict(assignments)
    names = sorted({name for some in members.values() for name in some})
    return {agreement: with_members(listed, names) for agreement, listed in assignments.items()}
