"""Types that a plugin declares and need not keep: what is asked of the fields of whatever it returns.

Checks look at all values at once, because they run for every charge of a bulk run; they ask for the exact types, as a type that
is derived from one may compare and print as it likes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from billing_framework.rating.charge import Step
from billing_framework.values.code_name import is_storable
from billing_framework.values.finding import is_sound_finding
from billing_framework.values.number import is_storable_number
from billing_framework.values.period import DateSpan
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity


def is_exactly(value: object, cls: type) -> bool:
    """Return whether a value has a type, and none that is derived from it."""
    return type(value) is cls


def all_are(values: Collection[object], cls: type) -> bool:
    """Return whether values are a tuple of one type, so that it can be looked at twice and does not change."""
    return type(values) is tuple and set(map(type, values)) <= {cls}


def are_texts(values: Collection[Any]) -> bool:
    """Return whether all values are texts that every database stores."""
    return set(map(type, values)) <= {str} and is_storable("".join(values))


def is_name(value: object) -> bool:
    """Return whether a value is a text that every database stores, and not empty."""
    return type(value) is str and bool(value) and is_storable(value)


def is_mapping(value: object) -> bool:
    """Return whether a value maps anything to anything."""
    return isinstance(value, Mapping)


def are_facts(value: object) -> bool:
    """Return whether a value maps texts to texts that every database stores."""
    return isinstance(value, Mapping) and are_texts([*value, *value.values()])


def are_steps(values: Collection[Any]) -> bool:
    """Return whether values are a tuple of steps of an explanation that every database stores."""
    return all_are(values, Step) and are_texts([text for one in values for text in (one.label, one.formula, one.result)])


def are_reasons(value: object) -> bool:
    """Return whether a value maps keys of records to reasons."""
    return isinstance(value, Mapping) and set(map(type, value)) <= {int} and all(map(is_name, value.values()))


def is_number(value: object) -> bool:
    """Return whether a value is an exact number whose text can be stored and read back."""
    return type(value) is Fraction and is_storable_number(value)


def is_quantity(value: object) -> bool:
    """Return whether a value is an exact quantity of a unit that every database stores."""
    return type(value) is Quantity and is_number(value.value) and type(value.unit) is str and is_storable(value.unit)


def is_price(value: object, currency: str) -> bool:
    """Return whether a value is an exact price of a currency, for a unit that every database stores."""
    return (
        type(value) is UnitPrice
        and is_number(value.value)
        and value.currency == currency
        and type(value.unit) is str
        and is_storable(value.unit)
    )


def is_span_of_dates(value: object) -> bool:
    """Return whether a value is a period of at least one date."""
    return type(value) is DateSpan and type(value.start) is date and type(value.end) is date and value.start < value.end


def finding_fault(findings: object) -> str:
    """Return in what way findings break the contract, or an empty text."""
    if type(findings) is not tuple:
        return "returned findings that are no tuple"
    return "" if all(map(is_sound_finding, findings)) else "returned a finding of another type, or with fields of wrong types"
