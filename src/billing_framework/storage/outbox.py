"""The outbox: what others are to be told, written in the transaction of the act and delivered after it was committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.tables import outbox
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.column_types import microseconds
from billing_framework.values.identity import natural_id, natural_ids_below

_COLUMNS = ("id", "at", "topic", "book", "key", "payload")


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
    bulk_insert(connection, outbox, _COLUMNS, rows)


def put_alike(connection: Connection, now: datetime, topic: str, book: str, payloads: Mapping[str, str]) -> None:
    """Add events of one topic and book to the outbox.

    Args:
        connection: a connection with the action's write transaction.
        now: when they happened.
        topic: what kind of thing.
        book: code of the book.
        payloads: what it happened to, to the plain facts as canonical JSON text.
    """
    at, ids = microseconds(now), natural_ids_below("outbox", topic, book, keys=payloads)
    rows = ((id_, at, topic, book, key, text) for id_, (key, text) in zip(ids, payloads.items(), strict=True))
    bulk_insert(connection, outbox, _COLUMNS, rows, driver_form=True)
