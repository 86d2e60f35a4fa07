"""Records in suspense with personal data: what may be personal is sealed, the envelope stays readable for officers.

A record that waits may be wrong, and a wrong record may hold any value in any place; so its whole body is sealed, and the whole
text of one that could not be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import attrs

from billing_framework.storage.column_types import canonical_json
from billing_framework.storage.personal.key_desk import KeyDesk, owner_of_batch, owner_of_subject, told
from billing_framework.storage.usage.suspense import Suspended
from billing_framework.usage.plain import ENVELOPE_FIELDS

_BODY = "body"
_RAW = "raw"


def sealed_row(desk: KeyDesk, row: Suspended) -> Suspended:
    """Return a row with its body and its text sealed; the desk has to be saved before it is stored."""
    sealed = {name: dict(part) for name, part in (row.sealed or {}).items()}
    record = row.record
    if record is not None:
        body = {name: value for name, value in record.items() if name not in ENVELOPE_FIELDS}
        record = {name: value for name, value in record.items() if name in ENVELOPE_FIELDS}
        owner = owner_of_subject(row.subject) if row.subject.strip() else owner_of_batch(row.batch)
        sealed[_BODY] = {"owner": owner, "text": desk.seal_text(owner, _place(row, _BODY), canonical_json(body))}
    if row.raw:
        owner = owner_of_batch(row.batch)
        sealed[_RAW] = {"owner": owner, "text": desk.seal_text(owner, _place(row, _RAW), row.raw)}
    return attrs.evolve(row, record=record, raw="", sealed=sealed)


def opened_row(desk: KeyDesk, row: Suspended) -> Suspended:
    """Return a row with its body and its text in the clear; without the body, or with a note, where its key was erased.

    Raises:
        StorageError: ``PERSONAL05`` where it was altered.
    """
    parts = {name: desk.unseal_text(part["owner"], _place(row, name), part["text"]) for name, part in (row.sealed or {}).items()}
    record, raw = row.record, row.raw
    if record is not None and parts.get(_BODY) is not None:
        record = {**record, **json.loads(str(parts[_BODY]))}
    if _RAW in parts:
        raw = told(parts[_RAW])
    return attrs.evolve(row, record=record, raw=raw)


def opened_rows(desk: KeyDesk | None, rows: Iterable[Suspended]) -> list[Suspended]:
    """Return rows as `opened_row` does, their keys read at once; as they are where the deployment seals nothing."""
    listed = list(rows)
    if desk is None:
        return listed
    desk.load(owners_of(listed))
    return [opened_row(desk, row) for row in listed]


def sealed_text(row: Suspended) -> dict[str, dict[str, str]] | None:
    """Return what is sealed of a row without its body, which is about to be another."""
    kept = {name: dict(part) for name, part in (row.sealed or {}).items() if name == _RAW}
    return kept or None


def is_erased(desk: KeyDesk, row: Suspended) -> bool:
    """Return True where the body of a row is gone for ever."""
    part = (row.sealed or {}).get(_BODY)
    return part is not None and desk.unseal_text(part["owner"], _place(row, _BODY), part["text"]) is None


def owners_of(rows: Iterable[Suspended]) -> set[str]:
    """Return whom the sealed parts of some rows are about."""
    return {part["owner"] for row in rows for part in (row.sealed or {}).values()}


def _place(row: Suspended, name: str) -> str:
    return f"usage_suspense|{row.id}|{name}"
