"""A plugin that reads the workshop's files by columns, in small blocks, so that a file is several of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import BinaryIO

import polars as pl

from billing_framework import Reader, ReadItem, ReadRequest, RecordColumns, hookimpl
from billing_framework.usage.columnar.record_columns import ENVELOPE_TYPES
from billing_framework.values.instant import microseconds_of
from billing_framework.values.number import exact_text
from tests.scenarios import workshop

FORMAT = "job_columns"
_BLOCK_LINES = 6


def read_job_columns(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem | RecordColumns]:
    """Yield the jobs of a file, some lines at a time."""
    lines = list(enumerate(csv.reader(io.TextIOWrapper(stream, "utf-8")), start=1))
    for first in range(0, len(lines), _BLOCK_LINES):
        rows = []
        for line, (name, machine, instant, hours) in lines[first : first + _BLOCK_LINES]:
            at = microseconds_of(datetime.fromisoformat(instant).astimezone(UTC))
            rows.append((line, name, machine, at, at, exact_text(Fraction(hours))))
        frame = pl.DataFrame(rows, schema={**ENVELOPE_TYPES, "hours": pl.String()}, orient="row")
        yield RecordColumns(kind="job", source=request.source, frame=frame)


@hookimpl
def billing_readers() -> list[Reader]:
    kinds = ("job",)
    return [Reader(format=FORMAT, title="Jobs", kinds=kinds, read=workshop.read_jobs, read_columns=read_job_columns)]
