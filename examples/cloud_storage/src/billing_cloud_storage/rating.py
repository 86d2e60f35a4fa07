"""Turns bucket days into what price plans can price: ``stored.standard``, ``stored.archive`` and ``requests``.

A gigabyte-month is a gigabyte that is kept for the whole billing period; what is kept for a part of it counts for its days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction

from billing_framework import (
    AgreementUsage,
    BillingGroup,
    Finding,
    KeyedUsage,
    Measure,
    Quantity,
    Rater,
    Rating,
    Step,
    Tile,
    exact_text,
    timezone,
)

from billing_cloud_storage.kinds import BUCKET_DAY, StorageClass
from billing_cloud_storage.settings import Settings


def rate(group: BillingGroup) -> Rating:
    """Return gigabyte-months by storage class and the number of requests, tile by tile."""
    settings = group.settings or Settings()
    zone = group.account.zone
    tiles = [(own, tile, own.starting_in(tile, BUCKET_DAY.name, zone)) for own in group.agreements for tile in own.tiles]
    own_days = [day for _, _, days in tiles for day in days]
    return Rating(
        measures=tuple(measure for own, tile, days in tiles for measure in _measures(own, tile, days)),
        findings=tuple(_gaps(own_days, zone)) if settings.gaps_hold else (),
    )


def _measures(own: AgreementUsage, tile: Tile, days: Sequence[KeyedUsage]) -> Iterator[Measure]:
    for storage_class in StorageClass:
        kept = [day for day in days if day.usage.body.storage_class is storage_class]
        if kept:
            yield _stored(own, tile, storage_class, kept)
    if days:
        count = sum(day.usage.body.requests for day in days)
        keys = tuple(day.key for day in days)
        yield Measure(
            agreement=own.agreement.code, name="requests", quantity=Quantity(count, "request"), dates=tile.dates, records=keys
        )


def _stored(own: AgreementUsage, tile: Tile, storage_class: StorageClass, days: Sequence[KeyedUsage]) -> Measure:
    whole = own.full_period.days
    gigabyte_days = sum((day.usage.body.gigabytes for day in days), Fraction(0))
    stored = gigabyte_days / whole
    step = Step(
        label="gigabyte-months",
        formula=f"{exact_text(gigabyte_days)} gigabyte-days / {whole} days",
        result=f"{exact_text(stored)} gigabyte-months",
    )
    return Measure(
        agreement=own.agreement.code,
        name=f"stored.{storage_class.value}",
        quantity=Quantity(stored, "gigabyte_month"),
        dates=tile.dates,
        records=tuple(day.key for day in days),
        steps=(step,),
        details={"buckets": str(len({day.usage.subject for day in days}))},
    )


def _gaps(days: Sequence[KeyedUsage], zone: str) -> Iterator[Finding]:
    """Yield a finding for every bucket that is silent between two of its days: a missing day is no smaller bill."""
    reported: dict[str, set[date]] = {}
    for day in days:
        reported.setdefault(day.usage.subject, set()).add(day.usage.start.astimezone(timezone(zone)).date())
    for bucket, dates in sorted(reported.items()):
        first, last = min(dates), max(dates)
        missing = (last - first).days + 1 - len(dates)
        if missing:
            silent = next(
                first + timedelta(days=number) for number in range(1, 400) if first + timedelta(days=number) not in dates
            )
            yield Finding(
                code="CLOUDSTORA01",
                what=f"bucket {bucket} reported nothing on {missing} days between {first} and {last}, first on {silent}",
                remedy="Take in the missing days, or set gaps_hold = false in billing.toml",
                subject=bucket,
            )


RATER = Rater(name="bucket_days", kinds=(BUCKET_DAY.name,), rate=rate, measures=("stored.standard", "stored.archive", "requests"))
