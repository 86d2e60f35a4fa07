"""Delivers issued documents on the ways that the settings list: at least once, the same bytes, each way with its own state.

An event is in the outbox only once its act was committed. A file is written first and noted as done afterwards; a process that
dies in between writes the same file again. What fails is tried again by the clock, and in the end waits for an officer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta

import attrs
from sqlalchemy.engine import Connection

from billing_framework.plugin.delivery_settings import DeliverySettings
from billing_framework.run.deliver.files import make, put, remove_stale_parts
from billing_framework.run.deliver.taken_letters import TakenLetters
from billing_framework.run.deployment import Deployment
from billing_framework.storage import audit
from billing_framework.storage.delivery_rows import (
    Delivery,
    IssuedEvent,
    deliveries,
    delivery_counts,
    issued_events,
    plan,
    publish,
    save,
    unplanned,
    unpublished,
)
from billing_framework.values.errors import BillingError, InputRefused, NotFound
from billing_framework.values.spelling import did_you_mean

_EVENTS_AT_A_TIME = 500
_FILES_AT_A_TIME = 50
_STALE = timedelta(hours=1)
"""A file takes seconds to be written; one that is half written for so long was left by a process that is gone."""


@attrs.frozen(kw_only=True)
class DeliveryReport:
    """What delivering did.

    Attributes:
        planned: number of deliveries that were added to the list.
        done: number of files that were delivered now.
        failed: deliveries that failed now.
        counts: name of each way to the number of documents in each state, afterwards.
    """

    planned: int = 0
    done: int = 0
    failed: tuple[Delivery, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = attrs.field(factory=dict)


def deliver(deployment: Deployment, *, limit: int = 0, progress: Callable[[int], None] | None = None) -> DeliveryReport:
    """Deliver everything that is due, and note what has failed.

    Args:
        deployment: the open deployment.
        limit: at most so many files; 0 for all that are due.
        progress: told after each transaction how many files were tried in it.

    Raises:
        InputRefused: ``DELIVERY05`` where the settings list no delivery.
    """
    steps = {step.name: step for step in deployment.settings.deliveries}
    if not steps:
        raise InputRefused("DELIVERY05", "the settings list no delivery", remedy="Add [[deliveries]] to billing.toml")
    _tidy(deployment, steps.values())
    planned = _plan(deployment, list(steps.values()))
    done, taken = 0, TakenLetters()
    failed: list[Delivery] = []
    while True:
        most = min(_FILES_AT_A_TIME, limit - done - len(failed)) if limit else _FILES_AT_A_TIME
        with deployment.database.read() as connection:
            due = deliveries(connection, states=("waiting", "failed"), steps=list(steps), due=deployment.clock.now(), limit=most)
        if not due or most <= 0:
            break
        tried = [_try(deployment, steps[one.step], one, taken) for one in due]
        _note(deployment, tried, list(steps.values()))
        done += sum(one.state == "done" for one in tried)
        failed += [one for one in tried if one.state == "failed"]
        if progress:
            progress(len(tried))
    with deployment.database.read() as connection:
        counts = delivery_counts(connection, steps)
    return DeliveryReport(planned=planned, done=done, failed=tuple(failed), counts=counts)


def _tidy(deployment: Deployment, steps: Iterable[DeliverySettings]) -> None:
    """Remove what killed deliveries on these ways have left half written."""
    before = deployment.clock.now() - _STALE
    for step in steps:
        remove_stale_parts(deployment.folder / step.folder, before, as_mail=step.way == "mail")


def _plan(deployment: Deployment, steps: Sequence[DeliverySettings]) -> int:
    """Add a row for each way of each issued document that has none yet; note those as told that go no way at all."""
    planned, after = 0, -(1 << 63)
    while True:
        with deployment.database.begin() as connection:
            events = unpublished(connection, after=after, limit=_EVENTS_AT_A_TIME)
            now = deployment.clock.now()
            planned += plan(connection, [(event, step.name) for event in events for step in _ways(steps, event)], now)
            publish(connection, {event.id: len(_ways(steps, event)) for event in events}, now)
        if len(events) < _EVENTS_AT_A_TIME:
            return planned
        after = events[-1].id


def _ways(steps: Sequence[DeliverySettings], event: IssuedEvent) -> list[DeliverySettings]:
    return [step for step in steps if step.takes(event.kind, event.book)]


def _try(deployment: Deployment, step: DeliverySettings, one: Delivery, taken: TakenLetters) -> Delivery:
    """Return a delivery as it stands after one more try; whatever fails is told in its row and stops no other."""
    tries = one.tries + 1
    try:
        made = make(deployment, step, one.document, one.issued_at)
        file = put(deployment.folder / step.folder, made, as_mail=step.way == "mail", taken=taken)
    except (BillingError, OSError, ValueError) as error:
        again = tries < step.most_tries
        wait = timedelta(minutes=step.wait_minutes(tries))
        return attrs.evolve(
            one,
            state="failed",
            tries=tries,
            next_try_at=deployment.clock.now() + wait if again else None,
            error=str(error) or type(error).__name__,
        )
    return attrs.evolve(
        one,
        state="done",
        tries=tries,
        next_try_at=None,
        error="",
        file=file,
        sha256=hashlib.sha256(made.data).hexdigest(),
        done_at=deployment.clock.now(),
    )


def _note(deployment: Deployment, tried: Sequence[Delivery], steps: Sequence[DeliverySettings]) -> None:
    with deployment.database.begin() as connection:
        save(connection, tried)
        events = issued_events(connection, {one.event for one in tried})
        publish(connection, {event.id: len(_ways(steps, event)) for event in events}, deployment.clock.now())


def retry(
    deployment: Deployment, *, reason: str, documents: Sequence[str] = (), step: str = "", all_failed: bool = False
) -> tuple[Delivery, ...]:
    """Let failed deliveries be tried again at once, with all their tries; return them.

    Args:
        deployment: the open deployment.
        reason: why, for the audit.
        documents: numbers of documents.
        step: only on this way, where given.
        all_failed: True for all that have failed, instead of documents.

    Raises:
        InputRefused: ``DELIVERY05`` where neither or both of documents and all are named.
        NotFound: ``DELIVERY07`` for a way that the settings do not list, or a document of which no delivery has failed.
    """
    names = [one.name for one in deployment.settings.deliveries]
    if bool(documents) == all_failed:
        raise InputRefused("DELIVERY05", "a retry is of documents, or of all that failed", remedy="Give NUMBER..., or --all")
    if step and step not in names:
        raise NotFound("DELIVERY07", f"there is no delivery {step!r}", remedy=did_you_mean(step, names))
    with deployment.database.begin() as connection:
        now = deployment.clock.now()
        wanted = [step] if step else []
        found = deliveries(connection, states=["failed"], steps=wanted, documents=documents, limit=1_000_000)
        for number in documents:
            if number not in {one.document for one in found}:
                remedy = "See what there is: billing outbox list"
                raise NotFound("DELIVERY07", f"no delivery of {number} has failed", remedy=remedy)
        again = [attrs.evolve(one, state="waiting", tries=0, next_try_at=now) for one in found]
        save(connection, again)
        for number in sorted({one.document for one in again}):
            after = {"ways": [one.step for one in again if one.document == number]}
            audit.record(
                connection,
                now,
                deployment.actor,
                "outbox retry",
                object_kind="document",
                object_key=number,
                after=after,
                reason=reason,
            )
        return tuple(again)


def refuse_unknown_ways(deployment: Deployment, connection: Connection, names: Collection[str]) -> None:
    """Refuse ways that neither the settings list nor any delivery was on.

    Raises:
        NotFound: ``DELIVERY07``, with the nearest name.
    """
    listed = [one.name for one in deployment.settings.deliveries]
    if set(names).issubset(listed):
        return
    known = delivery_counts(connection, listed)
    if unknown := sorted(set(names).difference(known)):
        raise NotFound("DELIVERY07", f"there is no delivery {unknown[0]!r}", remedy=did_you_mean(unknown[0], known))


def outbox_counts(deployment: Deployment) -> dict[str, dict[str, int]]:
    """Return by way how many documents are in which state; issued documents that nothing has planned yet count as waiting."""
    steps = deployment.settings.deliveries
    with deployment.database.read() as connection:
        counts = delivery_counts(connection, [step.name for step in steps])
        after = -(1 << 63)
        while events := unpublished(connection, after=after, limit=_EVENTS_AT_A_TIME):
            after = events[-1].id
            for _, step in unplanned(connection, [(event, step.name) for event in events for step in _ways(steps, event)]):
                counts[step]["waiting"] = counts[step].get("waiting", 0) + 1
    return counts
