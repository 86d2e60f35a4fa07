"""What became of one usage record: how it was delivered, what reviewers made of it, and which documents have billed it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.edit import Edit
from billing_framework.invoicing.record_edit import record_target
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.stored_input import read_inputs
from billing_framework.storage.billing.billed_records import RecordBill, bills_of
from billing_framework.storage.usage.deletion_tables import deletions
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.load import UsageRow, load_by_key
from billing_framework.storage.usage.suspense import delivered_in
from billing_framework.storage.usage.tables import usage_batch, usage_key
from billing_framework.usage.content import usage_key as key_of
from billing_framework.usage.plain import plain_usage
from billing_framework.usage.requirements import kind_rules
from billing_framework.values.errors import NotFound

_LONGEST_KEY = 19
"""Digits of the largest key."""


@attrs.frozen(kw_only=True)
class BilledAs:
    """One billing of a record.

    Attributes:
        bill: the document, and the credit note by which the record was free again.
        edits: what reviewers changed of the record before it was billed there, oldest first.
    """

    bill: RecordBill
    edits: tuple[Edit, ...] = ()


@attrs.frozen(kw_only=True)
class RecordHistory:
    """What became of one record.

    Attributes:
        key: key under which it is stored.
        record: its fields as they were delivered, personal ones withheld.
        file: file that brought it; with the line where it waited in suspense.
        taken_at: when it was taken in.
        replaced_by: key of the newest version of what it speaks about, 0 where it is the newest.
        bills: documents that have billed it, oldest first; only kinds whose records are each billed once are noted.
    """

    key: int
    record: Mapping[str, Any]
    file: str
    taken_at: datetime
    replaced_by: int
    bills: tuple[BilledAs, ...]


def record_history(deployment: Deployment, name: str) -> RecordHistory:
    """Return what became of a record.

    Args:
        deployment: the deployment.
        name: key of the record, or its source and its id there: ``floor/4711``.

    Raises:
        NotFound: ``USAGE30`` where there is no such record.
    """
    source, slash, external_id = name.partition("/")
    with deployment.database.read() as connection:
        key = key_of(source, external_id) if slash else _number(name)
        row = _row(connection, deployment, key)
        deleted = None if row is not None else deletions(connection, [key]).get(key)
        if deleted is not None:
            return _deletion(connection, deleted)
        if row is None:
            remedy = "Give its key, or its source and id: billing usage list tells both"
            raise NotFound("USAGE30", f"there is no usage record {name!r}", remedy=remedy)
        batch = connection.execute(sa.select(usage_batch).where(usage_batch.c.id == row.batch)).one()
        return RecordHistory(
            key=key,
            record=plain_usage(row.usage, kind_rules(deployment.host.kinds)),
            file=delivered_in(connection, [key]).get(key, batch.file),
            taken_at=batch.taken_at,
            replaced_by=_newest(connection, key),
            bills=tuple(_billed_as(connection, bill, key) for bill in bills_of(connection, key)),
        )


def _number(name: str) -> int:
    """Return the key that people wrote, 0 for what is none."""
    number = int(name) if name.isascii() and name.isdecimal() and len(name) <= _LONGEST_KEY else 0
    return number if number < 2**63 else 0


def _deletion(connection: Connection, row: sa.Row[Any]) -> RecordHistory:
    batch = connection.execute(sa.select(usage_batch).where(usage_batch.c.id == row.batch_id)).one()
    fields = ("kind", "source", "external_id", "subject", "slot", "version")
    return RecordHistory(
        key=row.key,
        record={
            **{name: getattr(row, name) for name in fields},
            "start": row.start_at.isoformat(),
            "end": row.end_at.isoformat(),
            "deleted": True,
        },
        file=batch.file,
        taken_at=batch.taken_at,
        replaced_by=_newest(connection, row.key),
        bills=(),
    )


def _row(connection: Connection, deployment: Deployment, key: int) -> UsageRow | None:
    if not -(2**63) <= key < 2**63:
        return None
    kind = connection.execute(sa.select(usage_key.c.kind).where(usage_key.c.key == key)).scalar() or ""
    tables = kind_tables(deployment.host.kinds)
    return load_by_key(connection, tables, {kind: [key]}).get(key) if kind in tables else None


def _newest(connection: Connection, key: int) -> int:
    columns = usage_key.c
    mine = connection.execute(sa.select(columns.slot_key, columns.version).where(columns.key == key)).one()
    query = sa.select(columns.key).where(columns.slot_key == mine.slot_key, columns.slot_key != 0, columns.version > mine.version)
    newest = connection.execute(query.order_by(columns.version.desc()).limit(1)).scalar() if mine.slot_key else None
    return newest or 0


def _billed_as(connection: Connection, bill: RecordBill, key: int) -> BilledAs:
    inputs = read_inputs(connection, bill.key).inputs
    target = record_target(key)
    return BilledAs(bill=bill, edits=tuple(one for given in inputs.values() for one in given.edits if one.target == target))
