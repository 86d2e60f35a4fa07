"""The JSON schema of ``billing.toml`` for editors, made from the settings classes of the core and of the plugins."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.plugin.settings import Settings
from billing_framework.values.attribute_docs import attribute_docs, summary
from billing_framework.values.money import Money

_PLAIN: Mapping[Any, Mapping[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    Fraction: {"type": ["string", "integer"], "pattern": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(/[1-9][0-9]*)?$"},
    Money: {"type": "string", "pattern": r"^[+-]?[0-9]+(\.[0-9]+)? [A-Z]{3}$"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    Any: {},
}


def settings_schema(plugins: Mapping[str, type | None]) -> dict[str, Any]:
    """Return the schema of the whole file.

    Args:
        plugins: plugin name to its settings class, None where it has none.
    """
    schema = class_schema(Settings)
    schema["properties"]["plugin"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: class_schema(cls) if cls else {"type": "object", "additionalProperties": False} for name, cls in plugins.items()
        },
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "billing.toml", **schema}


def class_schema(cls: type) -> dict[str, Any]:
    """Return the schema of a table that is structured into the attrs class `cls`."""
    documented = attribute_docs(cls)
    hints = typing.get_type_hints(cls)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for field in attrs.fields(cls):
        properties[field.name] = dict(type_schema(hints[field.name]))
        if field.name in documented:
            properties[field.name]["description"] = documented[field.name]
        if field.default is attrs.NOTHING:
            required.append(field.name)
        elif isinstance(field.default, str | bool | int) and field.default != "":
            properties[field.name]["default"] = field.default
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        schema["required"] = required
    if summary(cls):
        schema["description"] = summary(cls)
    return schema


def type_schema(hint: Any) -> Mapping[str, Any]:
    """Return the schema of one value."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        options = [type_schema(argument) for argument in arguments if argument is not type(None)]
        return options[0] if len(options) == 1 else {"anyOf": options}
    if origin is tuple:
        return {"type": "array", "items": type_schema(arguments[0])}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": type_schema(arguments[1])}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    return class_schema(hint)
