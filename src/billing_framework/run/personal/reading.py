"""Keeps who reads personal data: every act that opens some leaves a row of the audit for each person, in its own transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.run.reason import needs_reason
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.personal.key_desk import KeyDesk, owner_of_party, owner_of_subject
from billing_framework.storage.personal.sealed_facts import is_sealed, opened_facts, owners_of, shown_facts
from billing_framework.storage.personal.vault import vault_of
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.load import UsageRow
from billing_framework.storage.usage.opened import open_records
from billing_framework.storage.usage.sealed_suspense import opened_rows
from billing_framework.storage.usage.suspense import Suspended
from billing_framework.usage.kind_fields import body_fields
from billing_framework.usage.record import AnyUsage

OBJECT_KIND = "personal_data"
"""Kind of the object in the audit trail; its key names the person: ``subject:…``, ``party:…`` or ``batch:…``."""

BUYER_FIELDS = ("name", "address", "tax_id")
"""What a document tells about its buyer."""


@attrs.frozen(kw_only=True)
class Read:
    """That something about a person was opened.

    Attributes:
        owner: whom it is about.
        fields: names of what was opened.
        place: document, record or file in which it stood.
    """

    owner: str
    fields: tuple[str, ...]
    place: str = ""


def reading(deployment: Deployment) -> AbstractContextManager[Connection]:
    """Open a transaction for an act that reads personal data: it can write, so that the audit keeps it, where data are sealed."""
    database = deployment.database
    return database.read() if database.vault is None else database.begin()


def opening(deployment: Deployment, *, reveal: bool, reason: str) -> AbstractContextManager[Connection]:
    """Open a transaction for a command that may reveal: it can write, so that the audit keeps the reading, where it does.

    Raises:
        InputRefused: ``PERSONAL07`` where it shall reveal without a reason.
    """
    if reveal:
        needs_reason(reason, "opening personal data", code="PERSONAL07")
    return deployment.database.begin() if reveal else deployment.database.read()


def record_reads(
    connection: Connection, deployment: Deployment, purpose: str, reads: Iterable[Read], *, reason: str = ""
) -> None:
    """Write one row of the audit per person; nothing where the deployment seals nothing.

    Args:
        connection: a connection with the write transaction of the act.
        deployment: the deployment; its actor and clock are written.
        purpose: what they are read for, as the command is called: ``invoice export``.
        reads: what was opened.
        reason: why, in the officer's words.
    """
    if vault_of(connection) is None:
        return
    by_owner: dict[str, list[Read]] = {}
    for read in reads:
        by_owner.setdefault(read.owner, []).append(read)
    events = (
        AuditEvent(
            action="personal-data read",
            object_kind=OBJECT_KIND,
            object_key=owner,
            after={
                "purpose": purpose,
                "fields": sorted({name for read in some for name in read.fields}),
                "places": sorted({read.place for read in some if read.place}),
            },
            reason=reason,
        )
        for owner, some in sorted(by_owner.items())
    )
    record_many(connection, deployment.clock.now(), deployment.actor, events)


def open_usage(
    connection: Connection, deployment: Deployment, rows: Sequence[UsageRow], *, purpose: str, reason: str = ""
) -> dict[int, AnyUsage]:
    """Return records by key with their personal fields in the clear, and keep who read them.

    Args:
        connection: a connection with a write transaction.
        deployment: the deployment.
        rows: the records as they were loaded.
        purpose: what they are read for, as the command is called.
        reason: why, in the officer's words.
    """
    record_reads(connection, deployment, purpose, usage_reads(deployment, [row.usage for row in rows]), reason=reason)
    return open_records(connection, kind_tables(deployment.host.kinds), rows)


def open_suspense(
    connection: Connection, deployment: Deployment, rows: Sequence[Suspended], *, purpose: str, reason: str = ""
) -> list[Suspended]:
    """Return records in suspense with what was sealed of them in the clear, and keep who read them; arguments as `open_usage`."""
    if all(row.sealed is None for row in rows):
        return list(rows)
    reads = [
        Read(owner=part["owner"], fields=(name,), place=f"suspense {row.id}")
        for row in rows
        for name, part in (row.sealed or {}).items()
    ]
    record_reads(connection, deployment, purpose, reads, reason=reason)
    return opened_rows(KeyDesk.of(connection), rows)


def closed_event(event: AuditEvent) -> AuditEvent:
    """Return a row of the audit with marks in the place of personal facts."""
    return attrs.evolve(event, before=shown_facts(event.before), after=shown_facts(event.after))


def open_events(
    connection: Connection, deployment: Deployment, found: Sequence[AuditEvent], *, reason: str = ""
) -> list[AuditEvent]:
    """Return rows of the audit with personal facts in the clear, and keep who read them; arguments as `open_usage`."""
    facts = [some for event in found for some in (event.before, event.after)]
    if not owners_of(facts):
        return list(found)
    names = {name for some in facts for name, value in (some or {}).items() if is_sealed(value)}
    reads = [Read(owner=owner, fields=tuple(sorted(names)), place="audit trail") for owner in owners_of(facts)]
    record_reads(connection, deployment, "audit show", reads, reason=reason)
    desk = KeyDesk.of(connection)
    desk.load(owners_of(facts))
    return [
        attrs.evolve(event, before=opened_facts(desk, event.before), after=opened_facts(desk, event.after)) for event in found
    ]


def usage_reads(deployment: Deployment, records: Iterable[AnyUsage]) -> list[Read]:
    """Return what opening some records tells about whom; records of kinds without personal data tell nothing."""
    fields = _personal_fields(deployment)
    return [
        Read(owner=owner_of_subject(usage.subject), fields=fields[usage.kind], place=usage.external_id)
        for usage in records
        if fields.get(usage.kind)
    ]


def _personal_fields(deployment: Deployment) -> Mapping[str, tuple[str, ...]]:
    return {
        name: tuple(field.name for field in body_fields(kind) if field.personal) for name, kind in deployment.host.kinds.items()
    }


def party_reads(codes: Iterable[str], fields: Sequence[str]) -> list[Read]:
    """Return what opening parties tells about whom."""
    return [Read(owner=owner_of_party(code), fields=tuple(fields)) for code in codes]
