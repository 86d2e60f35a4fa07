"""Opens the personal fields of stored records; whoever calls it records who reads what, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.many import rows_of
from billing_framework.storage.personal.key_desk import KeyDesk, owner_of_subject, told
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.load import UsageRow
from billing_framework.storage.usage.rows import Tables, with_keys
from billing_framework.usage.content import field_value, personal_text
from billing_framework.usage.kind_fields import BodyField
from billing_framework.usage.record import AnyUsage
from billing_framework.usage.withheld import withheld_value
from billing_framework.values.errors import StorageError


def open_records(connection: Connection, tables: Tables, rows: Iterable[UsageRow]) -> dict[int, AnyUsage]:
    """Return records by key with their personal fields opened; what was erased says so. Kinds without stay as they are.

    Args:
        connection: a connection.
        tables: the usage kinds with their tables.
        rows: the records as they were loaded.

    Raises:
        StorageError: ``PERSONAL05`` where a sealed value was altered.
        ConfigurationError: ``PERSONAL04`` where the settings do not name the key.
    """
    listed = list(rows)
    opened = {row.key: row.usage for row in listed}
    opened |= {row.key: _opened(row, stored, derived, desk) for row, stored, derived, desk in _sealed(connection, tables, listed)}
    return opened


def _opened(row: UsageRow, stored: sa.Row[Any], derived: KindTable, desk: KeyDesk) -> AnyUsage:
    owner = owner_of_subject(row.usage.subject)
    values = {
        field.name: _value(getattr(stored, field.name), field, desk, owner, derived.place(row.key, field))
        for field in derived.fields
        if field.personal
    }
    return attrs.evolve(row.usage, body=attrs.evolve(row.usage.body, **values))


def _value(sealed: bytes | None, field: BodyField, desk: KeyDesk, owner: str, place: str) -> Any:
    if sealed is None:
        return None
    text = desk.unseal(owner, place, sealed)
    return withheld_value(field, told(None)) if text is None else field_value(text, field)


def altered_seals(connection: Connection, tables: Tables, rows: Iterable[UsageRow]) -> dict[int, str]:
    """Return the keys of records whose personal fields are not what was taken in, each with what is wrong.

    Of values whose key was erased nothing can be told any more; nor can anybody put others in their place, for want of that key.
    """
    wrong: dict[int, str] = {}
    for row, stored, derived, desk in _sealed(connection, tables, rows):
        owner = owner_of_subject(row.usage.subject)
        try:
            usage = _opened(row, stored, derived, desk)
        except StorageError as error:
            wrong[row.key] = error.what
            continue
        if not desk.is_lost(owner, row.mark) and desk.mark(owner, personal_text(usage.body, derived.fields)) != row.mark:
            wrong[row.key] = "its personal fields say something else than its mark"
    return wrong


def _sealed(
    connection: Connection, tables: Tables, rows: Iterable[UsageRow]
) -> Iterator[tuple[UsageRow, sa.Row[Any], KindTable, KeyDesk]]:
    by_kind: dict[str, dict[int, UsageRow]] = defaultdict(dict)
    for row in rows:
        if tables[row.usage.kind].personal:
            by_kind[row.usage.kind][row.key] = row
    if not by_kind:
        return
    desk = KeyDesk.of(connection)
    desk.load(owner_of_subject(row.usage.subject) for some in by_kind.values() for row in some.values())
    for kind, some in by_kind.items():
        derived = tables[kind]
        columns = derived.table.c
        query = sa.select(columns.key, *(columns[field.name] for field in derived.fields if field.personal))
        for stored in rows_of(connection, some, with_keys(query, derived.table)):
            yield some[stored.key], stored, derived, desk
