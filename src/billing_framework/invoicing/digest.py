"""The digest of a document's content: what "the rehearsal is identical to the final run" means, in one place."""

from __future__ import annotations

import enum
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, cast

import attrs

from billing_framework.invoicing.draft import DraftDocument
from billing_framework.values.errors import ValueRefused
from billing_framework.values.number import exact_text

_NO_CONTENT = frozenset({"key", "findings", "corrects", "document"})
"""Ids, and what officers are told; neither is printed."""


def document_digest(document: DraftDocument) -> str:
    """Return the sha256 of all that a document says, as hex.

    Numbers, keys, clock times and the names and addresses of people are left out: two runs over the same input agree, on any
    database, and erasing personal data later changes no digest.
    """
    said = plain(attrs.evolve(document, notes=()))
    content = {name: value for name, value in cast(dict[str, object], said).items() if name not in _NO_CONTENT}
    content["notes"] = [[note.kind, note.text] for note in document.notes]
    return hashlib.sha256(_text(content)).hexdigest()


def canonical_json(value: object) -> bytes:
    """Return the one JSON text of a value: sorted keys, no blanks, exact numbers as text."""
    return _text(plain(value))


def _text(data: object) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@functools.cache
def _fields(kind: type) -> tuple[tuple[str, object], ...] | None:
    """Return the fields of an attrs class with their defaults, None for any other class; a run asks this for every value."""
    if not attrs.has(kind):
        return None
    return tuple((field.name, _default(field.default)) for field in attrs.fields(kind))


def _default(default: Any) -> object:
    return default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]


def plain(value: object) -> object:
    """Return a value as plain data: attrs values as mappings without what is at its default, exact numbers and dates as text.

    Raises:
        ValueRefused: ``VALUE01`` for a float, or anything else that has no exact text.
    """
    kind: type = type(value)
    if value is None or kind is str or kind is int or kind is bool:
        return value
    fields = _fields(kind)
    if fields is not None:
        # A field at its default says nothing, so that a field which a later version adds changes no digest of today.
        return {name: plain(item) for name, default in fields if (item := getattr(value, name)) != default}
    if kind is tuple or kind is list or (isinstance(value, Sequence) and not isinstance(value, str)):
        return [plain(item) for item in value]  # type: ignore[attr-defined]
    if isinstance(value, Fraction):
        return exact_text(value)
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, date):  # datetimes too
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, str | int):
        return value
    raise ValueRefused("VALUE01", f"{kind.__name__} has no exact text", remedy="Use exact numbers, text and dates")
