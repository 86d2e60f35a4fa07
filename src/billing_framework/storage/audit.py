"""The audit trail: who did what to which object, when and why, before and after; written in the transaction of the action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.column_types import Instant, JsonText, Key, Whole
from billing_framework.storage.guard import Guard, append_only, create_guards, never_emptied

metadata = sa.MetaData()

_APPEND_ONLY = "AUDIT01 the audit trail is only ever added to"

audit_event = sa.Table(
    "audit_event",
    metadata,
    sa.Column("id", Whole, sa.Identity(), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", Key, nullable=False),
    sa.Column("action", Key, nullable=False),
    sa.Column("object_kind", Key, nullable=False),
    sa.Column("object_key", Key, nullable=False),
    sa.Column("before", JsonText),
    sa.Column("after", JsonText),
    sa.Column("reason", sa.Text, nullable=False),
    sa.CheckConstraint("actor <> ''", name="audit_event_actor"),
    sqlite_strict=True,
)
sa.Index("audit_event_by_object", audit_event.c.object_kind, audit_event.c.object_key)
sa.Index("audit_event_by_time", audit_event.c.at)

Facts = Mapping[str, Any] | None
"""Plain data of an object: text, whole numbers, lists and mappings of them; None where it was not there."""


@attrs.frozen(kw_only=True)
class AuditEvent:
    """One row of the trail.

    Attributes:
        action: what was done, as the command is called: ``account change``.
        object_kind: kind of the object: ``account``.
        object_key: its code or number.
        before: the object as it was, None where it is new.
        after: the object as it is now, None where it is gone.
        reason: why, in the officer's words.
        at: when; filled in from the trail.
        actor: who; filled in from the trail.
        number: its place in the trail; filled in from there.
    """

    action: str
    object_kind: str
    object_key: str
    before: Facts = None
    after: Facts = None
    reason: str = ""
    at: datetime | None = None
    actor: str = ""
    number: int = attrs.field(default=0, eq=False)


def record(
    connection: Connection,
    now: datetime,
    actor: str,
    action: str,
    *,
    object_kind: str,
    object_key: str,
    before: Facts = None,
    after: Facts = None,
    reason: str = "",
) -> None:
    """Write one row of the trail in the transaction of the action.

    Args:
        connection: a connection with the action's write transaction.
        now: when, aware UTC.
        actor: who.
        action: what was done, as the command is called: ``account change``.
        object_kind: kind of the object.
        object_key: code or number of the object.
        before: the object as it was, None where it is new.
        after: the object as it is now, None where it is gone.
        reason: why.
    """
    event = AuditEvent(action=action, object_kind=object_kind, object_key=object_key, before=before, after=after, reason=reason)
    record_many(connection, now, actor, [event])


def record_many(connection: Connection, now: datetime, actor: str, events: Iterable[AuditEvent]) -> int:
    """Write the rows of one action in bulk, all with the same instant and actor, and return how many they were."""
    columns = ("at", "actor", "action", "object_kind", "object_key", "before", "after", "reason")
    rows = (
        (now, actor, event.action, event.object_kind, event.object_key, event.before, event.after, event.reason)
        for event in events
    )
    return bulk_insert(connection, audit_event, columns, rows)


def events(
    connection: Connection,
    *,
    object_kind: str = "",
    object_key: str = "",
    within: str = "",
    known_by: sa.ColumnElement[bool] | None = None,
    actor: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = 1000,
) -> Iterator[AuditEvent]:
    """Yield rows of the trail, newest first.

    Args:
        connection: a connection.
        object_kind: only objects of this kind, where given.
        object_key: only this object, where given.
        within: only objects whose key is this one's, a slash and a name of their own, where given.
        known_by: only rows of which this holds, where given; see `storage.audit_objects.about`.
        actor: only this actor, where given.
        since: only at or after this instant.
        until: only before this instant.
        limit: at most so many; None for all.
    """
    table = audit_event.c
    query = sa.select(audit_event).order_by(table.id.desc()).limit(limit)
    for column, wanted in ((table.object_kind, object_kind), (table.object_key, object_key), (table.actor, actor)):
        if wanted:
            query = query.where(column == wanted)
    if within:
        query = query.where(table.object_key > f"{within}/", table.object_key < f"{within}{chr(ord('/') + 1)}")
    if known_by is not None:
        query = query.where(known_by)
    if since is not None:
        query = query.where(table.at >= since)
    if until is not None:
        query = query.where(table.at < until)
    for row in connection.execute(query):
        yield AuditEvent(
            action=row.action,
            object_kind=row.object_kind,
            object_key=row.object_key,
            before=row.before,
            after=row.after,
            reason=row.reason,
            at=row.at,
            actor=row.actor,
            number=row.id,
        )


def guards() -> tuple[Guard, ...]:
    """Return every guard of the trail."""
    return (*append_only(audit_event, _APPEND_ONLY), *never_emptied([audit_event.name], _APPEND_ONLY))


def create_audit_table(connection: Connection) -> None:
    """Create the trail with its guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
