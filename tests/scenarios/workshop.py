"""A plugin of a trade that nobody has: machines run for hours. Small enough to check every cent by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import BinaryIO

import attrs

from billing_framework import AnyUsage, Layout, Rater, Reader, ReadRequest, Span, Usage, UsageKind, delimited_reader, hookimpl
from billing_framework.rating.measure_rater import measure_rater


@attrs.frozen(kw_only=True)
class Job:
    """A job of a machine.

    Attributes:
        hours: how long it ran.
    """

    hours: Fraction


def read_jobs(stream: BinaryIO, request: ReadRequest) -> Iterator[AnyUsage]:
    """Read lines of id, machine, instant, hours, and optionally slot and version; no hours delete what the slot says."""
    for number, row in enumerate(csv.reader(io.TextIOWrapper(stream, "utf-8")), start=1):
        name, machine, instant, hours, *rest = row
        yield Usage(
            kind="job",
            source=request.source,
            external_id=name,
            subject=machine,
            span=Span.at(datetime.fromisoformat(instant).astimezone(UTC)),
            slot=rest[0] if rest else "",
            version=int(rest[1]) if rest else 0,
            body=Job(hours=Fraction(hours)) if hours else None,
            deleted=not hours,
            line=number,
        )


JOB = UsageKind(name="job", title="A job of a machine", body=Job)
JOB_SHEET = delimited_reader(
    "job_sheet",
    "Jobs by named columns, which can be taken back",
    Layout(
        kind=JOB,
        columns={
            "external_id": ("job", "sent"),
            "subject": "machine",
            "start": "at",
            "hours": "hours",
            "slot": "job",
            "version": "sent",
            "deleted": "action",
        },
        deletion="withdrawn",
    ),
)


@hookimpl
def billing_usage_kinds() -> list[UsageKind]:
    return [JOB]


@hookimpl
def billing_readers() -> list[Reader]:
    return [Reader(format="jobs", title="Jobs as CSV", kinds=("job",), read=read_jobs), JOB_SHEET]


@hookimpl
def billing_raters() -> list[Rater]:
    return [measure_rater("job", "hours", "hour", "hours")]
