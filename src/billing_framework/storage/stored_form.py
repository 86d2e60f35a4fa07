"""Values of the domain as plain data in stored JSON, and back, without losing a digit.

Exact numbers, dates and instants are text, money is ``12.50 USD``, enumerations are their values. What is written is read back
equal; a stored manifest can therefore be replayed years later.
"""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, TypeVar

import cattrs

from billing_framework.storage.column_types import canonical_json
from billing_framework.values.money import Money
from billing_framework.values.number import exact, exact_text

Value = TypeVar("Value")


@functools.cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_unstructure_hook(Fraction, exact_text)
    converter.register_structure_hook(Fraction, lambda text, _: exact(text))
    converter.register_unstructure_hook(Money, str)
    converter.register_structure_hook(Money, _money)
    converter.register_unstructure_hook(datetime, lambda instant: instant.isoformat())
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text).astimezone(UTC))
    converter.register_unstructure_hook(date, lambda day: day.isoformat())
    converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
    converter.register_unstructure_hook_func(_is_days, lambda days: [day.isoformat() for day in sorted(days)])
    converter.register_structure_hook_func(_is_days, lambda texts, _: frozenset(map(date.fromisoformat, texts)))
    return converter


def _is_days(cls: object) -> bool:
    return cls == frozenset[date]


def _money(text: str, _: object) -> Money:
    number, currency = text.split(" ")
    return Money.of(number, currency)


def to_plain(value: object) -> Any:
    """Return an attrs value, or a list of them, as mappings, lists, text and whole numbers."""
    return _converter().unstructure(value)


def from_plain(data: Any, cls: type[Value]) -> Value:
    """Return the value of `cls` that `to_plain` had written."""
    return _converter().structure(data, cls)


def to_text(value: object) -> str:
    """Return the one JSON text of a value; digests are taken over it."""
    return canonical_json(to_plain(value))
