"""The one JSON text of a value in a single pass: what `plain_form` writes by way of plain data, several times as fast.

Documents, manifests and evidence are written by the million; `plain_form.to_text` takes this road.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from fractions import Fraction
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any

import attrs

from billing_framework.values.money import Money
from billing_framework.values.number import exact_text

Write = Callable[[Any], str]


class NotWritten(TypeError):
    """The value is of a type that has no text here."""


def text_of(value: Any) -> str:
    """Return the JSON text of a value: keys sorted, no blanks, fields at their default left out.

    Raises:
        NotWritten: for a value of an unknown type, such as a float.
    """
    return (_WRITERS.get(type(value)) or _writer(type(value)))(value)


def text_of_fields(value: Any, without: Collection[str]) -> str:
    """Return the JSON text of an attrs value without some of its fields; see `text_of`."""
    cls = type(value)
    key = (cls, frozenset(without))
    if key not in _PARTIAL:
        _PARTIAL[key] = _fields_writer(cls, without)
    return _PARTIAL[key](value)


def _list_text(values: Iterable[Any]) -> str:
    return "[" + ",".join([(_WRITERS.get(type(item)) or _writer(type(item)))(item) for item in values]) + "]"


def _mapping_text(values: Mapping[str, Any]) -> str:
    if not values:
        return "{}"
    if set(map(type, values)) != {str}:
        raise NotWritten("a key is no text")
    return "{" + ",".join([f"{encode_basestring(key)}:{text_of(values[key])}" for key in sorted(values)]) + "}"


def _set_text(values: Iterable[Any]) -> str:
    return _list_text(sorted(values))


def _fields_writer(cls: type, without: Collection[str] = ()) -> Write:
    """Return the writer of an attrs class: its fields in order of their names, those at their default left out."""
    fields = sorted((field for field in attrs.fields(cls) if field.name not in without), key=lambda field: field.name)
    names = [field.name for field in fields]
    if not names:
        return lambda _: "{}"
    keys = [f"{encode_basestring(name)}:" for name in names]
    defaults = [
        field.default.factory() if isinstance(field.default, attrs.Factory) and not field.default.takes_self else field.default  # type: ignore[arg-type]
        for field in fields
    ]
    every = attrgetter(*names) if len(names) > 1 else lambda value, get=attrgetter(names[0]): (get(value),)

    def write(value: Any) -> str:
        parts = []
        for key, default, item in zip(keys, defaults, every(value), strict=True):
            if item is default or (default is not None and item == default):
                continue
            parts.append(key + (_WRITERS.get(type(item)) or _writer(type(item)))(item))
        return "{" + ",".join(parts) + "}"

    return write


def _writer(cls: type) -> Write:
    """Return the writer of a type that is met for the first time."""
    found: Write
    if attrs.has(cls):
        found = _fields_writer(cls)
    elif issubclass(cls, enum.Enum):
        found = lambda value: text_of(value.value)  # noqa: E731
    elif issubclass(cls, str):
        found = encode_basestring
    elif issubclass(cls, Mapping):
        found = _mapping_text
    elif issubclass(cls, list | tuple):
        found = _list_text
    else:
        raise NotWritten(f"a {cls.__name__} has no text")
    _WRITERS[cls] = found
    return found


_WRITERS: dict[type, Write] = {
    str: encode_basestring,
    int: str,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    Fraction: lambda value: f'"{exact_text(value)}"',
    Money: lambda value: f'"{value}"',
    date: lambda value: f'"{value.isoformat()}"',
    datetime: lambda value: f'"{value.isoformat()}"',
    tuple: _list_text,
    list: _list_text,
    dict: _mapping_text,
    frozenset: _set_text,
    set: _set_text,
}
"""Type to its writer; attrs classes are added as they are met."""
_PARTIAL: dict[tuple[type, frozenset[str]], Write] = {}
