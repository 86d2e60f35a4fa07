"""Customer data with personal columns: sealed under the key of the party on the way in, opened on the way out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import canonical_json
from billing_framework.storage.master.master_kind import MasterKind
from billing_framework.storage.personal.key_desk import KeyDesk, owner_of_party
from billing_framework.storage.personal.vault import vault_of
from billing_framework.values.personal import ERASED

Value = TypeVar("Value")
Row = Mapping[str, Any]


def seals(connection: Connection, kind: MasterKind[Value]) -> bool:
    """Return True where the personal columns of a kind are sealed in this deployment."""
    return bool(kind.sealed) and vault_of(connection) is not None


def opened_rows(connection: Connection, kind: MasterKind[Value], rows: Sequence[Row]) -> list[Row]:
    """Return rows with their personal columns in the clear; what was erased says so.

    Raises:
        ConfigurationError: ``PERSONAL04`` where the settings do not name the key.
        StorageError: ``PERSONAL05`` where a sealed value was altered.
    """
    if not kind.sealed or all(row["sealed"] is None for row in rows):
        return list(rows)
    desk = KeyDesk.of(connection)
    desk.load(owner_of_party(row["code"]) for row in rows if row["sealed"] is not None)
    return [row if row["sealed"] is None else {**row, **_opened(desk, kind, row)} for row in rows]


def _opened(desk: KeyDesk, kind: MasterKind[Value], row: Row) -> dict[str, Any]:
    owner = owner_of_party(row["code"])
    texts = {name: desk.unseal_text(owner, _place(kind, row["code"], name), sealed) for name, sealed in row["sealed"].items()}
    if any(text is None for text in texts.values()):
        return {kind.sealed[0]: ERASED}
    return {name: json.loads(str(text)) for name, text in texts.items()}


def sealed_rows(connection: Connection, kind: MasterKind[Value], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as they are stored: their personal columns sealed where the deployment has a key, and empty."""
    if not kind.sealed:
        return list(rows)
    if vault_of(connection) is None:
        return [{**row, "sealed": None} for row in rows]
    desk = KeyDesk.of(connection)
    desk.load(owner_of_party(row["code"]) for row in rows)
    sealed = [_sealed(desk, kind, row) for row in rows]
    desk.save()
    return sealed


def _sealed(desk: KeyDesk, kind: MasterKind[Value], row: dict[str, Any]) -> dict[str, Any]:
    owner = owner_of_party(row["code"])
    filled = {name: row[name] for name in kind.sealed if row[name]}
    sealed = {
        name: desk.seal_text(owner, _place(kind, row["code"], name), canonical_json(value)) for name, value in filled.items()
    }
    return {**row, **{name: type(value)() for name, value in filled.items()}, "sealed": sealed}


def _place(kind: MasterKind[Value], code: str, column: str) -> str:
    return f"{kind.table.name}|{code}|{column}"
