"""What one channel or register adds to a part of the period: the common ground of intervals, reads and spans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import attrs

from billing_framework import AgreementUsage, DateSpan, Finding, KeyedUsage, Step
from billing_utility_metering.kinds import Flow
from billing_utility_metering.rating.series import KnownSums, Runs
from billing_utility_metering.settings import UtilitySettings


@attrs.frozen(kw_only=True)
class Window:
    """Dates on which a usage point is billed to an agreement.

    Attributes:
        dates: the dates.
        data: what is billed: ``intervals``, ``spans`` or ``reads``, where the assignment says so; empty to take the best that is
            there. An exchange of a register meter for an interval meter inside a period needs two assignments that say it.
    """

    dates: DateSpan
    data: str


@attrs.frozen(kw_only=True)
class Context:
    """What the measuring of one agreement is given.

    Attributes:
        usage: the agreement with its records.
        zone: zone in which dates count.
        locale: language of facts.
        settings: the deployment's settings.
    """

    usage: AgreementUsage
    zone: ZoneInfo
    locale: str
    settings: UtilitySettings

    def windows(self, subject: str) -> tuple[Window, ...]:
        """Return the dates of the period on which a usage point belonged to the agreement; touching ones of one sort are one."""
        period, found = self.usage.period, list[Window]()
        for assignment in sorted(self.usage.assignments, key=lambda one: one.starts_on):
            start, end = max(assignment.starts_on, period.start), min(assignment.ends_on or period.end, period.end)
            if assignment.subject != subject or start >= end:
                continue
            data = assignment.details.get("data", "")
            if found and found[-1].dates.end == start and found[-1].data == data:
                found[-1] = Window(dates=DateSpan(found[-1].dates.start, end), data=data)
            else:
                found.append(Window(dates=DateSpan(start, end), data=data))
        return tuple(found)

    def records(self, kind: str, subject: str) -> tuple[KeyedUsage, ...]:
        """Return the records of one kind and usage point, by start and key."""
        return tuple(
            sorted(
                (record for record in self.usage.of_kind(kind) if record.usage.subject == subject),
                key=lambda record: (record.usage.start, record.key),
            )
        )

    def details_on(self, subject: str, day: date, meter: str = "") -> dict[str, str]:
        """Return the facts that the assignment in force on a date states about the point (or about that meter of it)."""
        own = [one for one in self.usage.assignments if one.subject == subject]
        named = [one for one in own if meter and one.details.get("meter") == meter]
        for assignment in named or own:
            if assignment.starts_on <= day and (assignment.ends_on is None or day < assignment.ends_on):
                return dict(assignment.details)
        listed = sorted(named or own, key=lambda one: one.starts_on)
        earlier = [one for one in listed if one.starts_on <= day]
        return dict((earlier[-1] if earlier else listed[0]).details) if listed else {}


@attrs.frozen(kw_only=True)
class Contribution:
    """What one channel or register adds to one tile.

    Attributes:
        tile: 0-based number of the tile.
        subject: the usage point.
        name: channel or register.
        flow: which way it flows.
        unit: unit of the quantity.
        quantity: the exact quantity.
        records: keys of the records that it rests on.
        estimated: True where a value was not read.
        runs: interval values; their `Run.value` is in `unit`. Empty for registers.
        known: sums of these values that are known beforehand, in counts that are all of one `Run.value`.
        count_value: that value.
        facts: label and text for the bill, in order.
        steps: how the quantity was obtained.
        state_read: names of carried state that it depends on.
    """

    tile: int
    subject: str
    name: str
    flow: Flow
    unit: str
    quantity: Fraction
    records: tuple[int, ...]
    estimated: bool
    runs: Runs = ()
    known: KnownSums | None = None
    count_value: Fraction = Fraction(1)
    facts: tuple[tuple[str, str], ...] = ()
    steps: tuple[Step, ...] = ()
    state_read: tuple[str, ...] = ()


def tile_of(day: date, tiles: Sequence[DateSpan]) -> int:
    """Return the number of the tile that a date belongs to; dates before the first belong to it, later ones to the last."""
    return next((number for number, dates in enumerate(tiles) if day < dates.end), len(tiles) - 1)


def point_problem(code: str, subject: str, what: str, remedy: str, *, value: str = "") -> Finding:
    """Return a finding about a usage point, which holds the account."""
    return Finding(code=code, what=what, remedy=remedy, subject=subject, value=value)
