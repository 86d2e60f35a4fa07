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
        book: code of the book whose numbers `key` is one of; empty where keys are unique without it.
        key: what it happened to; topic, book and key together happen once.
        payload: plain facts; no personal data.
    """

    topic: str
    book: str = ""
    key: str
    payload: Mapping[str, Any]


def put_events(connection: Connection, now: datetime, events: Sequence[Event]) -> None:
    """Add events to the outbox."""
    rows = [
        (natural_id("outbox", one.topic, one.book, one.key), now, one.topic, one.book, one.key, dict(one.payload))
        for one in events
    ]
    bulk_insert(connection, outbox, ("id", "at", "topic", "book", "key", "payload"), rows)
