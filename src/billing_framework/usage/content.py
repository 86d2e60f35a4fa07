"""The content of a usage record as one digest: two deliveries under one id are duplicates where it is equal, else a conflict."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.usage.record import AnyUsage
from billing_framework.values.identity import natural_id
from billing_framework.values.instant import instant_at, microseconds_of
from billing_framework.values.number import exact, exact_text


def usage_key(source: str, external_id: str, salt: int = 0) -> int:
    """Return the key under which a record is stored.

    Args:
        source: who delivered it.
        external_id: its identifier there.
        salt: counts up where two different texts have one hash, so that both are kept.
    """
    return natural_id("usage", source, external_id, salt) if salt else natural_id("usage", source, external_id)


def slot_key(usage: AnyUsage, *, carried: bool) -> int:
    """Return the id of what the record speaks about, 0 where it has no slot.

    Args:
        usage: the record.
        carried: True where its kind is carried: such a slot is of the source, whichever subject its versions name. Any other
            is of the subject, whichever source speaks about it.
    """
    if not usage.slot:
        return 0
    if carried:
        return natural_id(SLOT_OF_SOURCE, usage.kind, usage.source, usage.slot)
    return natural_id(SLOT_OF_SUBJECT, usage.kind, usage.subject, usage.slot)


def content_digest(usage: AnyUsage, fields: Sequence[BodyField], mark: bytes = b"") -> bytes:
    """Return the digest of what a record says (16 bytes): subject, span, slot, version, kind and body, not its id or line.

    A field that holds its default is left out, so that a kind may gain fields later without changing the digests of stored
    records. The parts are separated by a character that is written otherwise within them, so that no two contents have one
    text, and many records can be written at once.

    Args:
        usage: the record.
        fields: the fields of its kind.
        mark: keyed digest of its personal fields, which are left out: who knows the digest could else try out names.
    """
    parts = [usage.kind, usage.subject, _instant(usage.span.start), _instant(usage.span.end), usage.slot, str(usage.version)]
    if usage.deleted:
        return digest_of_text(SEPARATOR.join([*map(separable, parts), ""]))  # no field has an empty name
    for field in fields:
        value = getattr(usage.body, field.name)
        if not field.personal and value != field.default:
            parts.append(field.name if value is None else f"{field.name}={field_text(value, field)}")
    if mark:
        parts.append(mark.hex())
    return digest_of_text(SEPARATOR.join(map(separable, parts)))


SLOT_OF_SUBJECT = "slot"
"""Begins the natural key of a slot that belongs to a subject."""

SLOT_OF_SOURCE = "slot of source"
"""Begins the natural key of a slot that belongs to a source."""

SEPARATOR = "\x1f"
"""Stands between the parts of the text of which the digest of a record is taken."""

DIGEST_BYTES = 16
"""Length of the digest of a record."""

ESCAPE = "\x1e"
"""Stands before what tells a separator, or itself, within a part."""


def separable(part: str) -> str:
    """Return a part without separators, so that it can stand beside others."""
    return part.replace(ESCAPE, ESCAPE + "0").replace(SEPARATOR, ESCAPE + "1")


def digest_of_text(text: str) -> bytes:
    """Return the digest of the text of a record: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES]


def personal_text(body: object, fields: Sequence[BodyField]) -> str:
    """Return what the personal fields of a body say, as one text of which a keyed digest is taken; empty for kinds without."""
    return _encoded(_said(body, [field for field in fields if field.personal]))


def _said(body: object, fields: Sequence[BodyField]) -> list[str]:
    parts: list[str] = []
    for field in fields:
        value = getattr(body, field.name)
        if value != field.default:
            parts += (field.name, "" if value is None else "=" + field_text(value, field))
    return parts


def _encoded(parts: Sequence[str]) -> str:
    return "".join(f"{len(part)}:{part}" for part in parts)


def field_text(value: object, field: BodyField) -> str:
    """Return the one text of a value of a field."""
    return _TEXT_OF[field.sort](value)


def field_value(text: str, field: BodyField) -> Any:
    """Return the value whose text `field_text` had written."""
    if field.choices is not None:
        return field.choices(text)
    return _VALUE_OF[field.sort](text)


def raw_digest(raw: str) -> bytes:
    """Return the digest of a record that could not be read (16 bytes)."""
    return hashlib.blake2b(raw.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _instant(value: datetime) -> str:
    return str(microseconds_of(value))


def _iso(value: date) -> str:
    return value.isoformat()


def _text(value: Any) -> str:
    return str(value)


def _flag(value: Any) -> str:
    return "1" if value else "0"


def _choice(value: Any) -> str:
    return str(value.value)


def _wholes(values: tuple[int, ...]) -> str:
    return ",".join(map(str, values))


_TEXT_OF: Mapping[Sort, Callable[[Any], str]] = {
    Sort.TEXT: _text,
    Sort.WHOLE: _text,
    Sort.FLAG: _flag,
    Sort.EXACT: exact_text,
    Sort.DAY: _iso,
    Sort.INSTANT: _instant,
    Sort.CHOICE: _choice,
    Sort.WHOLES: _wholes,
}

_VALUE_OF: Mapping[Sort, Callable[[str], Any]] = {
    Sort.TEXT: str,
    Sort.WHOLE: int,
    Sort.FLAG: lambda text: text == "1",
    Sort.EXACT: exact,
    Sort.DAY: date.fromisoformat,
    Sort.INSTANT: lambda text: instant_at(int(text)),
    Sort.WHOLES: lambda text: tuple(map(int, text.split(","))) if text else (),
}
