"""Many usage records of one kind as columns, as a reader yields them where it can; every one of them must be plainly good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import polars as pl

from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.usage.record import AnyUsage, Usage
from billing_framework.usage.requirements import KindRules
from billing_framework.values.number import exact
from billing_framework.values.period import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

COLUMN_TYPES: Mapping[Sort, pl.DataType] = {
    Sort.TEXT: pl.String(),
    Sort.WHOLE: pl.Int64(),
    Sort.FLAG: pl.Boolean(),
    Sort.EXACT: pl.String(),
    Sort.DAY: pl.Date(),
    Sort.INSTANT: pl.Int64(),
    Sort.CHOICE: pl.String(),
}
"""Type of the column of a field: exact numbers as their canonical text, instants as microseconds since 1970, choices as their
text. Packed numbers have no column."""

ENVELOPE_TYPES: Mapping[str, pl.DataType] = {
    "line": pl.Int64(),
    "external_id": pl.String(),
    "subject": pl.String(),
    "start": pl.Int64(),
    "end": pl.Int64(),
}
"""Columns that every record has, with their types."""


@attrs.frozen(kw_only=True, eq=False)
class RecordColumns:
    """Records of one kind and source without slots, in the order of their lines.

    Attributes:
        kind: name of the kind.
        source: who delivered them.
        frame: the columns of `ENVELOPE_TYPES` and those of the body that differ from record to record.
        constants: values of the fields that all records share; fields that stand nowhere have their default.
    """

    kind: str
    source: str
    frame: pl.DataFrame
    constants: Mapping[str, Any] = attrs.field(factory=dict)

    def records(self, rules: KindRules, rows: pl.DataFrame | None = None) -> list[AnyUsage]:
        """Return the records as objects, as the reader would have yielded them one by one.

        Args:
            rules: the kind.
            rows: some rows of `frame`, all of them where None; it may have further columns.
        """
        some = self.frame if rows is None else rows
        fields = [field for field in rules.fields if field.name in self.frame.columns]
        values = [list(map(_reading(field), some[field.name].to_list())) for field in fields]
        names = [field.name for field in fields]
        found: list[AnyUsage] = []
        head = [some[name].to_list() for name in ENVELOPE_TYPES]
        for place, (line, external_id, subject, start, end) in enumerate(zip(*head, strict=True)):
            varying = {name: column[place] for name, column in zip(names, values, strict=True)}
            usage: AnyUsage = Usage(
                kind=self.kind,
                source=self.source,
                external_id=external_id,
                subject=subject,
                span=Span(instant_of(start), instant_of(end)),
                body=rules.kind.body(**self.constants, **varying),
                line=line,
            )
            found.append(usage)
        return found


def instant_of(microseconds: int) -> datetime:
    """Return the instant of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def microseconds_of(instant: datetime) -> int:
    """Return the whole microseconds since 1970 of an instant."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _reading(field: BodyField) -> Callable[[Any], Any]:
    """Return what makes the value of a field of what its column holds."""
    read: Callable[[Any], Any] | None = None
    if field.choices is not None:
        read = field.choices
    elif field.sort is Sort.EXACT:
        read = exact
    elif field.sort is Sort.INSTANT:
        read = instant_of
    if read is None:
        return lambda value: value
    return lambda value: None if value is None else read(value)
