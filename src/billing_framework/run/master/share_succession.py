"""Lets the shares of an agreement go over to the one that continues it."""

from __future__ import annotations

from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.master.customers import audit_event
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.master.account_rows import remove_value, replace_value, rows_of
from billing_framework.storage.master.share_rows import SHARES


def move_shares(connection: Connection, ended: str, begun: str, on: date, *, reason: str) -> list[AuditEvent]:
    """Let the shares of an agreement go over to its successor on a date, and return what stands in the audit for it."""
    events: list[AuditEvent] = []
    for was in list(rows_of(connection, SHARES, "agreement", [ended])):
        share = was.value
        if share.ends_on is not None and share.ends_on <= on:
            continue
        if share.starts_on >= on:
            remove_value(connection, SHARES, was)
            events.append(audit_event(SHARES, "share remove", share, None, reason))
        else:
            shorter = attrs.evolve(share, ends_on=on)
            replace_value(connection, SHARES, was, shorter)
            events.append(audit_event(SHARES, "share end", share, shorter, reason))
        over = attrs.evolve(share, agreement=begun, starts_on=max(on, share.starts_on))
        connection.execute(SHARES.table.insert().values(**SHARES.to_row(over), revision=1))
        events.append(audit_event(SHARES, "share create", None, over, reason))
    return events
