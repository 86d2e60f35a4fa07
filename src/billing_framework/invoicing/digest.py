"""The digest of a document's content: what "the rehearsal is identical to the final run" means, in one place."""

from __future__ import annotations

import enum
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

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
    content = {
        field.name: plain(getattr(document, field.name)) for field in attrs.fields(DraftDocument) if field.name not in _NO_CONTENT
    }
    content["notes"] = [[note.kind, note.text] for note in document.notes]
    return hashlib.sha256(_text(content)).hexdigest()


def canonical_json(value: object) -> bytes:
    """Return the one JSON text of a value: sorted keys, no blanks, exact numbers as text."""
    return _text(plain(value))


def _text(data: object) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@functools.cache
def _names(kind: type) -> tuple[str, ...] | None:
    """Return the fields of an attrs class, None for any other class; a run asks this for every value of every document."""
    return tuple(field.name for field in attrs.fields(kind)) if attrs.has(kind) else None


def plain(value: object) -> object:
    """Return a value as plain data: attrs values as mappings, exact numbers and dates as text, sequences as lists.

    Raises:
        ValueRefused: ``VALUE01`` for a float, or anything else that has no exact text.
    """
    kind: type = type(value)
    if value is None or kind is str or kind is int or kind is bool:
        return value
    names = _names(kind)
    if names is not None:
        return {name: plain(getattr(value, name)) for name in names}
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
