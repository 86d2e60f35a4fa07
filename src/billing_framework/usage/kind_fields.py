"""The fields of a usage kind, read once from its attrs class; tables, checks, columns and documentation all follow from them."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Collection, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.usage.record import UsageKind
from billing_framework.values.attribute_docs import attribute_docs
from billing_framework.values.errors import ContractBroken
from billing_framework.values.personal import is_personal

ENVELOPE = ("key", "source", "external_id", "subject_id", "start_at", "end_at", "slot", "version", "digest", "batch_id")
"""Columns that the table of every kind has."""

MARK = "personal_mark"
"""Column of the kinds with personal data: a keyed digest of it, by which two records are told apart without opening it."""

RESERVED = frozenset((*ENVELOPE, MARK, "slot_key", "kind", "subject", "start", "end", "line"))
"""Names that the envelope has as a column or as plain data."""


class Sort(enum.Enum):
    """What a field holds.

    ``TEXT``, ``WHOLE`` 64-bit number, ``FLAG``, ``EXACT`` number, ``DAY``, ``INSTANT`` (aware), ``CHOICE`` of an enumeration of
    texts, ``WHOLES`` a packed tuple of 64-bit numbers.
    """

    TEXT = "text"
    WHOLE = "whole number"
    FLAG = "true or false"
    EXACT = "exact number"
    DAY = "date"
    INSTANT = "instant"
    CHOICE = "choice"
    WHOLES = "whole numbers"


_SORTS: dict[Any, Sort] = {
    str: Sort.TEXT,
    int: Sort.WHOLE,
    bool: Sort.FLAG,
    Fraction: Sort.EXACT,
    date: Sort.DAY,
    datetime: Sort.INSTANT,
    tuple[int, ...]: Sort.WHOLES,
}


@attrs.frozen(kw_only=True)
class BodyField:
    """One field of a usage kind.

    Attributes:
        name: name of the attribute and of the column.
        sort: what it holds.
        optional: True where it may be None.
        choices: the enumeration of a ``CHOICE``, else None.
        default: its default, `attrs.NOTHING` where it is required.
        meaning: what the class's docstring says about it.
        personal: True where it is personal data, which only commands with a reason open.
    """

    name: str
    sort: Sort
    optional: bool
    choices: type[enum.Enum] | None = None
    default: Any = attrs.NOTHING
    meaning: str = ""
    personal: bool = False


def body_fields(kind: UsageKind) -> tuple[BodyField, ...]:
    """Return the fields of a kind, in the order of its class.

    Raises:
        ContractBroken: ``PLUGIN11`` where the class is no frozen attrs class, or a field's name or type cannot be stored.
    """
    if not kind.name.isidentifier() or not kind.name.islower() or len(kind.name) > 40:
        raise _broken(
            f"usage kind {kind.name!r}", "its name is no short snake_case name", "Use small letters, digits and underscores"
        )
    fields = class_fields(kind.body, f"usage kind {kind.name!r}", reserved=RESERVED)
    for field in fields:
        if field.personal:
            _refuse_personal(kind, field)
    _refuse_contradictions(kind, fields)
    return fields


def _refuse_contradictions(kind: UsageKind, fields: Sequence[BodyField]) -> None:
    """Refuse kinds whose records are billed once and whole, but cut or seen by other bills too, and edits of what is no field."""
    who = f"usage kind {kind.name!r}"
    if kind.carried and (kind.divisible or kind.reach_days or kind.reach_after_days):
        raise _broken(who, "it is carried, and divisible or with a reach", "Let each record be billed once and whole, or not")
    sorts = {field.name: field.sort for field in fields}
    for name in kind.editable:
        if sorts.get(name, Sort.WHOLES) is Sort.WHOLES:
            raise _broken(who, f"{name!r} is editable, but no field that an officer can write", "Name single values only")


def _refuse_personal(kind: UsageKind, field: BodyField) -> None:
    """Refuse a personal field that cannot be withheld from who must not see it, or that is edited in a draft."""
    who = f"usage kind {kind.name!r}"
    if field.sort is not Sort.TEXT and not field.optional:
        what = f"the personal field {field.name!r} has nothing to stand in its place where it is withheld"
        raise _broken(who, what, "Let it be text, or optional: | None")
    if field.name in kind.editable:
        raise _broken(who, f"the personal field {field.name!r} is editable", "Correct it at its source, by a new version")


def class_fields(cls: object, who: str, *, reserved: Collection[str] = ()) -> tuple[BodyField, ...]:
    """Return the fields of a frozen attrs class whose values are stored or read from cells, in order.

    Args:
        cls: the class; a plugin without type checks gives anything.
        who: whose class it is, for messages.
        reserved: names that a field must not have.

    Raises:
        ContractBroken: ``PLUGIN11`` where it is no frozen attrs class, or a field's name or type cannot be stored.
    """
    if not (isinstance(cls, type) and attrs.has(cls)):
        raise _broken(who, f"{cls!r} is no attrs class", "Decorate it with @attrs.frozen(kw_only=True)")
    if cls.__setattr__ is object.__setattr__:
        raise _broken(who, f"{cls.__name__} can be changed", "Decorate it with @attrs.frozen, so that a record never changes")
    hints, meanings = typing.get_type_hints(cls), attribute_docs(cls)
    found = []
    for field in attrs.fields(cls):
        if field.name in reserved:
            raise _broken(who, f"the field name {field.name!r} is taken or private", "Rename the field")
        found.append(_field(who, field, hints[field.name], meanings.get(field.name, "")))
    return tuple(found)


def _field(who: str, field: attrs.Attribute[Any], hint: Any, meaning: str) -> BodyField:
    if field.name.startswith("_") or not field.init:
        raise _broken(who, f"the field name {field.name!r} is taken or private", "Rename the field")
    optional = False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        optional = len(inner) < len(typing.get_args(hint))
        hint = inner[0] if len(inner) == 1 else hint
    choices: type[enum.Enum] | None = None
    if isinstance(hint, type) and issubclass(hint, enum.Enum) and all(isinstance(member.value, str) for member in hint):
        choices = hint
    sort = Sort.CHOICE if choices else _SORTS.get(hint)
    if sort is None:
        allowed = "str, int, bool, Fraction, date, datetime, an Enum of texts, tuple[int, ...], each also | None"
        raise _broken(who, f"the field {field.name!r} has the type {hint}", f"Allowed are {allowed}")
    default = field.default
    if type(default) is type(attrs.Factory(list)):
        raise _broken(who, f"the default of {field.name!r} is made anew each time", "Give a plain default value")
    return BodyField(
        name=field.name,
        sort=sort,
        optional=optional,
        choices=choices,
        default=default,
        meaning=meaning,
        personal=is_personal(field),
    )


def _broken(who: str, what: str, remedy: str) -> ContractBroken:
    return ContractBroken("PLUGIN11", f"the {who} cannot be stored: {what}", remedy=remedy)
