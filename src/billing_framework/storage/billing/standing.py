"""A mark of all that bills depend on: where it is the same as when a draft was made, nothing was entered, taken in or posted.

Every act that changes what a bill depends on leaves a row in the audit trail, or a batch of usage. Acts on runs that only look at
drafts, let them pass or keep them back change no bill and do not count, nor do acts of the desks behind billing: drafts are made
without a look at what was paid, delivered or read.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.audit import audit_event
from billing_framework.storage.usage.tables import usage_batch

_CHANGE_NO_BILL = (
    *("run start", "run hold", "run release", "run retry", "run approve", "run withdraw approval", "run purge", "run told"),
    *("payment record", "payment import", "payment assign", "payment allocate", "payment unallocate"),
    *("payment refund", "payment reverse", "payment transfer", "payment write-off"),
    *("deposit take", "deposit apply", "deposit return", "deposit refund", "deposit reconcile"),
    *("period open", "period close", "outbox retry", "personal-data read"),
)
"""Acts that no draft depends on. One that is not listed counts, so that drafts are looked at too often rather than too seldom."""


_WRONG_CLOCKS = timedelta(days=35)
"""Acts count that were noted so long before a run was started: more than any clock of a desk is wrong, or an act lasts."""


def standing(connection: Connection, since: datetime, known_at: datetime | None = None) -> str:
    """Return the mark as it is in the snapshot of `connection`; of what was known at an instant, where one is given.

    Rows are counted, because on PostgreSQL a transaction may commit after another one that has taken a higher number.

    Args:
        connection: a connection.
        since: when the run was started: what was done before its drafts were made is part of them all.
        known_at: only what was known at this instant, where given.
    """
    columns = audit_event.c
    acts = sa.select(sa.func.count(), sa.func.max(columns.id)).where(columns.action.not_in(_CHANGE_NO_BILL))
    acts = acts.where(columns.at >= since - _WRONG_CLOCKS)
    taken = sa.select(sa.func.count(), sa.func.max(usage_batch.c.id))
    if known_at is not None:
        acts, taken = acts.where(columns.at <= known_at), taken.where(usage_batch.c.taken_at <= known_at)
    count, newest = connection.execute(acts).one()
    batches, last = connection.execute(taken).one()
    return f"{count}.{newest or 0}.{batches}.{last or 0}"
