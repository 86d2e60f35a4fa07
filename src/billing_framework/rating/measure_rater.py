"""A ready-made rater: it sums one field of the records of a kind, so that a plugin needs no rater of its own."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage, Tile
from billing_framework.rating.rater import Rater
from billing_framework.rating.rating import Measure, Rating
from billing_framework.values.clock import timezone
from billing_framework.values.number import exact
from billing_framework.values.quantity import Quantity

_OVER = "no plan version is in force any more"


def measure_rater(kind: str, field: str, unit: str, measure: str, *, carried: bool = False) -> Rater:
    """Return a rater that gives one measure per subject and tile: the sum of a field over its records.

    Args:
        kind: name of the usage kind; its records must lie in one tile each, so a divisible kind needs a rater of its own.
        field: name of the body's field to sum, a Fraction or int; empty to count the records.
        unit: unit of the sum.
        measure: name of the measure that components of a plan refer to.
        carried: True for a carried kind: records that started before the period are measured with those of its first tile, and
            cost what the plan says there; those of an agreement that has ended wait, as it has no tile. Where they must cost what
            was in force on their own dates, write a rater that charges them itself.
    """

    def rate(group: BillingGroup) -> Rating:
        measures = [found for usage in group.agreements for found in _measures(usage, group.account.zone)]
        ended = [usage for usage in group.agreements if carried and not usage.tiles]
        deferred = {record.key: _OVER for usage in ended for record in usage.of_kind(kind)}
        return Rating(measures=tuple(measures), deferred=deferred)

    def _measures(usage: AgreementUsage, zone: str) -> Iterator[Measure]:
        for number, tile in enumerate(usage.tiles):
            inside = _until(usage, tile, kind, zone) if carried and not number else usage.starting_in(tile, kind, zone)
            for subject in sorted({record.usage.subject for record in inside}):
                records = [record for record in inside if record.usage.subject == subject]
                yield Measure(
                    agreement=usage.agreement.code,
                    name=measure,
                    quantity=Quantity(sum((_number(record) for record in records), Fraction(0)), unit),
                    dates=tile.dates,
                    source=subject,
                    records=tuple(record.key for record in records),
                )

    def _number(record: KeyedUsage) -> Fraction:
        value = getattr(record.usage.body, field) if field else 1
        if value is None:
            return Fraction(0)
        return exact(value, name=f"{kind}.{field}")

    return Rater(name=f"{kind}.{measure}", kinds=(kind,), rate=rate, measures=(measure,))


def _until(usage: AgreementUsage, tile: Tile, kind: str, zone: str) -> tuple[KeyedUsage, ...]:
    """Return the agreement's own records of a kind that start before the end of a tile, however old."""
    end = tile.dates.instants(timezone(zone)).end
    own = usage.agreement.code
    return tuple(one for one in usage.of_kind(kind) if one.assignment.agreement == own and one.usage.start < end)
