"""The one table of holds: what is stopped for what reason until when, whether a bill, a reminder or an allocation."""

from __future__ import annotations

import sqlalchemy as sa

from billing_framework.storage.column_types import CurrencyCode, Day, Instant, JsonText, Key, MinorUnits, Whole

metadata = sa.MetaData()

SCOPES = ("account", "document", "line")
"""What a hold is on; whoever looks for a key names them, because the index begins with the scope."""

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("scope", Key, nullable=False),  # account, document or line
    sa.Column("scope_key", Key, nullable=False),  # account code, document number, document number/line
    sa.Column("blocks", JsonText, nullable=False),  # list: billing, dunning, allocation, late_charge, refund
    sa.Column("reason", Key, nullable=False),  # code: dispute, promise, plan, deferral, agency, hardship, review
    sa.Column("text", sa.Text, nullable=False, server_default=""),
    sa.Column("evidence", JsonText, nullable=False),
    sa.Column("amount", MinorUnits),  # the held part; the whole where NULL
    sa.Column("currency", CurrencyCode),
    sa.Column("starts_on", Day, nullable=False),
    sa.Column("until", Day),  # the date after the last; open where NULL
    sa.Column("placed_by", Key, nullable=False),
    sa.Column("placed_at", Instant, nullable=False),
    sa.Column("outcome", Key),  # why it ended; NULL while it stands
    sa.Column("ended_by", Key),
    sa.Column("ended_at", Instant),
    sa.CheckConstraint(f"scope IN {SCOPES}"),
    sa.CheckConstraint("(amount IS NULL) = (currency IS NULL)"),
    sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)"),
    sqlite_strict=True,
)
sa.Index("hold_by_scope", hold.c.scope, hold.c.scope_key)
