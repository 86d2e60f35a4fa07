"""The content of a usage record as one digest: two deliveries under one id are duplicates where it is equal, else a conflict."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.usage.record import AnyUsage
from billing_framework.values.identity import natural_id
from billing_framework.values.number import exact_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def usage_key(source: str, external_id: str, salt: int = 0) -> int:
    """Return the key under which a record is stored.

    Args:
        source: who delivered it.
        external_id: its identifier there.
        salt: counts up where two different texts have one hash, so that both are kept.
    """
    return natural_id("usage", source, external_id, salt) if salt else natural_id("usage", source, external_id)


def slot_key(usage: AnyUsage) -> int:
    """Return the id of what the record speaks about, 0 where records of its kind never replace each other."""
    return natural_id("slot", usage.kind, usage.subject, usage.slot) if usage.slot else 0


def content_digest(usage: AnyUsage, fields: Sequence[BodyField]) -> bytes:
    """Return the digest of what a record says (16 bytes): subject, span, slot, version, kind and body, not its id or line.

    A field that holds its default is left out, so that a kind may gain fields later without changing the digests of stored
    records. Every part is written with its length, so that no two contents have one encoding.
    """
    parts = [usage.kind, usage.subject, _instant(usage.span.start), _instant(usage.span.end), usage.slot, str(usage.version)]
    body = usage.body
    for field in fields:
        value = getattr(body, field.name)
        if value != field.default:
            parts += (field.name, "" if value is None else "=" + _TEXT_OF[field.sort](value))
    encoded = "".join(f"{len(part)}:{part}" for part in parts).encode()
    return hashlib.blake2b(encoded, digest_size=16).digest()


def raw_digest(raw: str) -> bytes:
    """Return the digest of a record that could not be read (16 bytes)."""
    return hashlib.blake2b(raw.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _instant(value: datetime) -> str:
    return str((value - _EPOCH) // _MICROSECOND)


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
