"""Many usage records of one kind as columns, as a reader yields them where it can; every one of them must be plainly good."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import polars as pl

from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.usage.record import AnyUsage, Usage
from billing_framework.usage.requirements import KindRules
from billing_framework.values.errors import ValueRefused
from billing_framework.values.instant import instant_at
from billing_framework.values.number import exact
from billing_framework.values.period import Span

COLUMN_TYPES: Mapping[Sort, pl.DataType] = {
    Sort.TEXT: pl.String(),
    Sort.WHOLE: pl.Int64(),
    Sort.FLAG: pl.Boolean(),
    Sort.EXACT: pl.String(),
    Sort.DAY: pl.Date(),
    Sort.INSTANT: pl.Int64(),
    Sort.CHOICE: pl.String(),
    Sort.WHOLES: pl.List(pl.Int64()),
}
"""Type of the column of a field: exact numbers as their canonical text, instants as microseconds since 1970, choices as their
text, packed numbers as lists."""

ENVELOPE_TYPES: Mapping[str, pl.DataType] = {
    "line": pl.Int64(),
    "external_id": pl.String(),
    "subject": pl.String(),
    "start": pl.Int64(),
    "end": pl.Int64(),
}
"""Columns that every record has, with their types."""

SLOT_TYPES: Mapping[str, pl.DataType] = {"slot": pl.String(), "version": pl.Int64()}
"""Columns of records that replace each other, both or none of them."""


@attrs.frozen(kw_only=True, eq=False)
class RecordColumns:
    """Records of one kind and source, in the order of their lines; none of them is a deletion.

    Attributes:
        kind: name of the kind.
        source: who delivered them.
        frame: the columns of `ENVELOPE_TYPES`, those of `SLOT_TYPES` where the records have slots, and those of the body that
            differ from record to record.
        constants: values of the fields that all records share; fields that stand nowhere have their default.
    """

    kind: str
    source: str
    frame: pl.DataFrame
    constants: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def has_slots(self) -> bool:
        """True where the records have slots and versions."""
        return "slot" in self.frame.columns

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
        head += [some[name].to_list() for name in SLOT_TYPES] if self.has_slots else [[""] * some.height, [0] * some.height]
        for place, (line, external_id, subject, start, end, slot, version) in enumerate(zip(*head, strict=True)):
            varying = {name: column[place] for name, column in zip(names, values, strict=True)}
            usage: AnyUsage = Usage(
                kind=self.kind,
                source=self.source,
                external_id=external_id,
                subject=subject,
                span=Span(instant_at(start), instant_at(end)),
                slot=slot,
                version=version,
                body=rules.kind.body(**self.constants, **varying),
                line=line,
            )
            found.append(usage)
        return found


def _reading(field: BodyField) -> Callable[[Any], Any]:
    """Return what makes the value of a field of what its column holds; what is no value stays as it is and is refused as such."""
    read: Callable[[Any], Any] | None = None
    if field.choices is not None:
        read = functools.partial(_known_or_text, {member.value: member for member in field.choices})
    elif field.sort is Sort.EXACT:
        read = _exact_or_text
    elif field.sort is Sort.INSTANT:
        read = instant_at
    elif field.sort is Sort.WHOLES:
        read = tuple
    if read is None:
        return lambda value: value
    return lambda value: None if value is None else read(value)


def _known_or_text(choices: Mapping[str, Any], text: str) -> Any:
    return choices.get(text, text)


def _exact_or_text(text: str) -> Any:
    try:
        return exact(text)
    except ValueRefused:
        return text
