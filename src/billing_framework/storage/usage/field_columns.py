"""The fields of stored records as columns of numbers, from what the driver gives, without an object per value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from billing_framework.rating.gather_columns import text_column
from billing_framework.rating.usage_columns import FieldColumn
from billing_framework.storage.packed import pack
from billing_framework.storage.packed_columns import unpack_columns
from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.values.columns import Column, integers_of
from billing_framework.values.number import stored_number

_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()


def stored_field(field: BodyField, values: Sequence[Any]) -> FieldColumn:
    """Return the column of a field that is no personal data.

    Args:
        field: the field.
        values: its values in the form of the driver.

    Raises:
        ValueError: a text is none of the choices of the field.
    """
    missing = np.array([value is None for value in values], dtype=bool) if field.optional else None
    if field.choices is not None:
        for value in set(values) - {None}:
            field.choices(value)  # raises for a text that is none of them
    if field.sort in (Sort.TEXT, Sort.CHOICE):
        texts = text_column(["" if value is None else value for value in values] if field.optional else values)
        return attrs.evolve(texts, missing=missing)
    if field.sort is Sort.EXACT:
        numbers = Column.of([0 if value is None else stored_number(value) for value in values])
        return FieldColumn(numbers=numbers.numbers, scale=numbers.scale, missing=missing)
    if field.sort is Sort.WHOLES:
        packed, starts = unpack_columns([pack(()) if value is None else bytes(value) for value in values])
        return FieldColumn(numbers=packed, starts=starts, missing=missing)
    if field.sort is Sort.DAY:
        return FieldColumn(numbers=integers_of([_day(value) for value in values]), missing=missing)
    if field.optional:
        values = [0 if value is None else value for value in values]
    return FieldColumn(numbers=integers_of(values), missing=missing)


def withheld_field(field: BodyField, told: str | None, count: int) -> FieldColumn:
    """Return the column of a personal field, of which every record holds the same: what is told instead, or nothing."""
    missing = np.full(count, told is None, dtype=bool) if field.optional else None
    zeros = np.zeros(count, dtype=np.int64)
    if field.sort is Sort.TEXT:
        return FieldColumn(numbers=zeros, texts=np.array([(told or "").encode()]), missing=missing)
    starts = np.zeros(count + 1, dtype=np.int64) if field.sort is Sort.WHOLES else None
    texts = np.array([b""]) if field.sort is Sort.CHOICE else None
    return FieldColumn(numbers=zeros if starts is None else zeros[:0], starts=starts, texts=texts, missing=missing)


def _day(value: str | dt.date | None) -> int:
    if value is None:
        return 0
    day = dt.date.fromisoformat(value) if isinstance(value, str) else value
    return day.toordinal() - _EPOCH_DAY
