"""Turns jobs into the quantities that price plans can price: ``hours.standard`` and ``hours.express``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    RoundingMode,
    Step,
    Tile,
    exact_text,
    to_step,
)

from billing_new_trade.kinds import JOB, Grade
from billing_new_trade.settings import Settings


def rate(group: BillingGroup) -> Rating:
    """Return the hours of each grade, tile by tile; a job that was called off has no price, and an endless one is reported."""
    settings = group.settings or Settings()
    records = [record for own in group.agreements for record in own.records]
    called_off = {record.key: "called off" for record in records if not record.usage.body.hours}
    return Rating(
        measures=tuple(
            measure
            for own in group.agreements
            for tile in own.tiles
            for measure in _measures(own, tile, group.account.zone, settings)
        ),
        unpriced=called_off,
        findings=tuple(_endless(records, settings)),
    )


def _measures(own: AgreementUsage, tile: Tile, zone: str, settings: Settings) -> Iterator[Measure]:
    jobs = [record for record in own.starting_in(tile, JOB.name, zone) if record.usage.body.hours]
    for grade in Grade:
        graded = [job for job in jobs if job.usage.body.grade is grade]
        if graded:
            yield _measure(own, tile, grade, graded, settings)


def _measure(own: AgreementUsage, tile: Tile, grade: Grade, jobs: Sequence[KeyedUsage], settings: Settings) -> Measure:
    hours = sum((to_step(job.usage.body.hours, settings.step, RoundingMode.UP) for job in jobs), Fraction(0))
    worked = sum((job.usage.body.hours for job in jobs), Fraction(0))
    step = f"{exact_text(worked)} hours worked, each job up to the next {exact_text(settings.step)} hours"
    return Measure(
        agreement=own.agreement.code,
        name=f"hours.{grade.value}",
        quantity=Quantity(hours, "hour"),
        dates=tile.dates,
        records=tuple(job.key for job in jobs),
        steps=(Step(label="billed hours", formula=step, result=f"{exact_text(hours)} hours"),),
        details={"jobs": str(len(jobs))},
    )


def _endless(records: Sequence[KeyedUsage], settings: Settings) -> Iterator[Finding]:
    for record in records:
        if record.usage.body.hours > settings.longest:
            yield Finding(
                code="NEWTRADE01",
                what=f"job {record.usage.external_id} took {exact_text(record.usage.body.hours)} hours",
                remedy="Correct the job and take it in again, or raise longest in billing.toml",
                subject=record.usage.subject,
            )


RATER = Rater(name="new_trade_jobs", kinds=(JOB.name,), rate=rate, measures=("hours.standard", "hours.express"))
