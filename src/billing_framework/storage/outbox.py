"""The outbox: what others are to be told, written in the transaction of the act and delivered after it was committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.tables import outbox
from billing_framework.storage.bulk import bulk_insert
from billing_framework.values.identity import natural_id


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        topic: what kind of thing, for example ``document.issued``.
        key: what it happened to; topic and key together happen once.
        payload: plain facts; no personal data.
    """

    topic: str
    key: str
    payload: Mapping[str, Any]


def put_events(connection: Connection, now: datetime, events: Sequence[Event]) -> None:
    """Add events to the outbox."""
    rows = [(natural_id("outbox", event.topic, event.key), now, event.topic, event.key, dict(event.payload)) for event in events]
    bulk_insert(connection, outbox, ("id", "at", "topic", "key", "payload"), rows)
