"""Deliveries in and out of their table: planned from the outbox, tried when they are due, noted as done or failed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.tables import document, number_issued, outbox
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.delivery_tables import outbox_delivery
from billing_framework.storage.likely import likely
from billing_framework.storage.many import rows_of
from billing_framework.storage.usage.rows import among

ISSUED = "document.issued"
STATES = ("waiting", "failed", "done")


@attrs.frozen(kw_only=True)
class IssuedEvent:
    """An issued document that nobody has delivered on all of its ways yet.

    Attributes:
        id: id of the event.
        at: instant of the act that issued it.
        number: number of the document.
        kind: what it is: ``invoice``, ``credit_note`` or ``debit_note``.
        book: code of its book.
    """

    id: int
    at: datetime
    number: str
    kind: str
    book: str


@attrs.frozen(kw_only=True)
class Delivery:
    """What has become of a document on one way.

    Attributes:
        event: id of the event that told of the document.
        step: name of the delivery.
        document: number of the document.
        state: ``waiting``, ``failed`` or ``done``.
        tries: how often it was tried.
        next_try_at: when it is tried next, None where it is not by itself.
        error: why the last try failed, empty where none has.
        file: name of the file that was written.
        sha256: hex digest of its bytes, empty before.
        done_at: when it was done, None before.
        issued_at: instant of the act that issued the document; files bear it, so that a second try writes the same bytes.
    """

    event: int
    step: str
    document: str
    state: str = "waiting"
    tries: int = 0
    next_try_at: datetime | None = None
    error: str = ""
    file: str = ""
    sha256: str = ""
    done_at: datetime | None = None
    issued_at: datetime


def unpublished(connection: Connection, *, after: int, limit: int) -> list[IssuedEvent]:
    """Return issued documents that are not delivered on all of their ways, by id of the event.

    Args:
        connection: a connection.
        after: only events with a higher id.
        limit: at most so many.
    """
    waiting = _ISSUED.where(outbox.c.published_at.is_(None), outbox.c.id > after).order_by(outbox.c.id).limit(limit)
    return [_event(row) for row in connection.execute(waiting)]


def issued_events(connection: Connection, ids: Iterable[int]) -> list[IssuedEvent]:
    """Return events of issued documents by their ids, told or not."""
    return [_event(row) for row in rows_of(connection, ids, among(_ISSUED, outbox.c.id))]


_ISSUED: sa.Select[Any] = (
    sa.select(outbox.c.id, outbox.c.at, outbox.c.key, document.c.kind, document.c.book)
    .select_from(outbox)
    .join(number_issued, sa.and_(number_issued.c.book == outbox.c.book, number_issued.c.number == outbox.c.key))
    .join(document, document.c.id == number_issued.c.document_id)
    .where(outbox.c.topic == ISSUED)
)


def _event(row: sa.Row[Any]) -> IssuedEvent:
    return IssuedEvent(id=row.id, at=row.at, number=row.key, kind=row.kind, book=row.book)


def unplanned(connection: Connection, wanted: Iterable[tuple[IssuedEvent, str]]) -> list[tuple[IssuedEvent, str]]:
    """Return those of some events and ways that have no row yet."""
    listed = list(wanted)
    row = outbox_delivery.c
    query = sa.select(row.event_id, row.step)
    events = {event.id for event, _ in listed}
    there = {(one.event_id, one.step) for one in rows_of(connection, events, among(query, row.event_id))}
    return [(event, step) for event, step in listed if (event.id, step) not in there]


def plan(connection: Connection, wanted: Iterable[tuple[IssuedEvent, str]], now: datetime) -> int:
    """Add a waiting row for each event and way that has none; return how many were added.

    Args:
        connection: a connection with an open write transaction.
        wanted: events with the names of the ways that they go.
        now: when they may be tried first.
    """
    new = sorted((event.id, step, event.number, "waiting", now) for event, step in unplanned(connection, wanted))
    bulk_insert(connection, outbox_delivery, ("event_id", "step", "document", "state", "next_try_at"), new)
    return len(new)


def deliveries(
    connection: Connection,
    *,
    states: Collection[str] = STATES,
    steps: Collection[str] = (),
    documents: Collection[str] = (),
    due: datetime | None = None,
    limit: int = 1_000,
) -> list[Delivery]:
    """Return deliveries by number of the document and name of the way; those that are due by when they became so.

    Args:
        connection: a connection.
        states: only in these states.
        steps: only on these ways, where given.
        documents: only of these documents, where given.
        due: only what may be tried at this instant, where given.
        limit: at most so many.
    """
    row = outbox_delivery.c
    query = sa.select(outbox_delivery, outbox.c.at).join(outbox, outbox.c.id == row.event_id)
    conditions = [row.state.in_(list(states)), *([row.step.in_(sorted(steps))] if steps else [])]
    # What is due, and what a document has, stands in an order of its own: else each few would be sorted out of all that waits.
    query = query.where(*(map(likely, conditions) if documents or due is not None else conditions))
    if documents:
        query = query.where(row.document.in_(sorted(documents)))
    if due is not None:
        query = query.where(row.next_try_at <= due)
    order = (row.document, row.step) if due is None else (row.next_try_at, row.event_id, row.step)
    return [
        Delivery(
            event=one.event_id,
            step=one.step,
            document=one.document,
            state=one.state,
            tries=one.tries,
            next_try_at=one.next_try_at,
            error=one.error,
            file=one.file,
            sha256=one.sha256.hex() if one.sha256 else "",
            done_at=one.done_at,
            issued_at=one.at,
        )
        for one in connection.execute(query.order_by(*order).limit(limit))
    ]


def save(connection: Connection, tried: Sequence[Delivery]) -> None:
    """Note what tries have come to; what another process has noted as done meanwhile stays."""
    row = outbox_delivery.c
    for one in tried:
        connection.execute(
            outbox_delivery.update()
            .where(row.event_id == one.event, row.step == one.step, row.state != "done")
            .values(
                state=one.state,
                tries=one.tries,
                next_try_at=one.next_try_at,
                error=one.error,
                file=one.file,
                sha256=bytes.fromhex(one.sha256) if one.sha256 else None,
                done_at=one.done_at,
            )
        )


def publish(connection: Connection, events: Mapping[int, int], now: datetime) -> None:
    """Note the events as told that are done on all of their ways.

    Args:
        connection: a connection with an open write transaction.
        events: id of an event to the number of its ways.
        now: the instant.
    """
    row = outbox_delivery.c
    query = sa.select(row.event_id, sa.func.count().label("done")).where(row.state == "done").group_by(row.event_id)
    done = {one.event_id: one.done for one in rows_of(connection, events, among(query, row.event_id))}
    for key in sorted(key for key, ways in events.items() if done.get(key, 0) >= ways):
        connection.execute(outbox.update().where(outbox.c.id == key, outbox.c.published_at.is_(None)).values(published_at=now))


def delivery_counts(connection: Connection, steps: Iterable[str] = ()) -> dict[str, dict[str, int]]:
    """Return by name of the way how many documents are in which state, ways without any among them."""
    row = outbox_delivery.c
    found: dict[str, dict[str, int]] = {step: {} for step in steps}
    for one in connection.execute(sa.select(row.step, row.state, sa.func.count().label("many")).group_by(row.step, row.state)):
        found.setdefault(one.step, {})[one.state] = one.many
    return dict(sorted(found.items()))
