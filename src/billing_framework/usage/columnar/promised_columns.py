"""What a reader promises of columns: the types of its kind, and instants and dates that there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import attrs
import polars as pl

from billing_framework.usage.columnar.record_columns import COLUMN_TYPES, ENVELOPE_TYPES, SLOT_TYPES, RecordColumns
from billing_framework.usage.kind_fields import Sort
from billing_framework.usage.requirements import LONGEST_NAME, KindRules, value_fits
from billing_framework.values.code_name import is_storable
from billing_framework.values.instant import microseconds_of

_INSTANTS = (microseconds_of(datetime.min.replace(tzinfo=UTC)), microseconds_of(datetime.max.replace(tzinfo=UTC)))
_DATES = (date.min, date.max)


def broken_columns(columns: RecordColumns, rules: KindRules) -> str:
    """Return what a reader may not yield as columns, said after "it yielded"; empty where it may.

    Texts and numbers that a kind refuses are looked at record by record; here is that without which there are no records.

    Args:
        columns: what it yielded.
        rules: their kind.
    """
    return next(_faults(columns, rules), "")


def _faults(columns: RecordColumns, rules: KindRules) -> Iterator[str]:
    source: object = columns.source  # what a plugin says is of any type
    frame: object = columns.frame
    if not (isinstance(source, str) and source.strip() and len(source) <= LONGEST_NAME and is_storable(source)):
        yield f"records of {columns.kind!r} without a source"
    if not isinstance(frame, pl.DataFrame):
        yield f"records of {columns.kind!r} that are a {type(frame).__name__}, not a frame of columns"
    else:
        yield from _other_columns(columns, rules)
        yield from _other_constants(columns, rules)
        yield from _no_times(frame, rules)


def _other_columns(columns: RecordColumns, rules: KindRules) -> Iterator[str]:
    wanted = dict(ENVELOPE_TYPES) | dict(SLOT_TYPES) | {field.name: COLUMN_TYPES.get(field.sort) for field in rules.fields}
    for name, kind in columns.frame.schema.items():
        if wanted.get(name) != kind:
            needed = wanted.get(name, "none")
            yield f"records of {columns.kind!r} with a column {name!r} of type {kind}, needed is {needed}"
    required = [field.name for field in rules.fields if field.default is attrs.NOTHING]
    for name in (*ENVELOPE_TYPES, *(SLOT_TYPES if columns.has_slots or "version" in columns.frame.columns else ()), *required):
        if name not in columns.frame.columns and name not in columns.constants:
            yield f"records of {columns.kind!r} with no column {name!r}"


def _other_constants(columns: RecordColumns, rules: KindRules) -> Iterator[str]:
    fields = {field.name: field for field in rules.fields}
    for name, value in columns.constants.items():
        if name not in fields or not value_fits(value, fields[name]):
            yield f"records of {columns.kind!r} that share a value of {name!r} which the kind does not have"


def _no_times(frame: pl.DataFrame, rules: KindRules) -> Iterator[str]:
    """Yield where there is no instant or date, or an end before its start: no record can be made of such a row."""
    if frame["line"].null_count():
        yield "a record without the number of its line"
    sorts = {"start": Sort.INSTANT, "end": Sort.INSTANT} | {field.name: field.sort for field in rules.fields}
    for name, sort in sorts.items():
        if name in frame.columns and sort in {Sort.INSTANT, Sort.DAY}:
            first, last = _INSTANTS if sort is Sort.INSTANT else _DATES
            is_time = pl.col(name).is_between(pl.lit(first), pl.lit(last)).fill_null(value=name not in {"start", "end"})
            yield from _lines(frame, ~is_time, f"whose {name} is none")
    yield from _lines(frame, pl.col("end") < pl.col("start"), "that ends before it starts")


def _lines(frame: pl.DataFrame, is_wrong: pl.Expr, what: str) -> Iterator[str]:
    if frame.select(is_wrong.any()).item():
        yield f"a record {what} (line {frame.filter(is_wrong)['line'][0]})"
