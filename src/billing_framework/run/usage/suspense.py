"""What officers do with usage in suspense: take it in again, correct it, write it off; each in one audited transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.run.reason import needs_reason
from billing_framework.run.usage.intake import IntakeReport, report_of
from billing_framework.run.usage.intake_desk import IntakeDesk, clean, key_desk_for, marks_of
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.many import chunks
from billing_framework.storage.personal.key_desk import KeyDesk
from billing_framework.storage.usage.batches import RECYCLE, Batch, find_batch, insert_batch, instant_of_intake, serialise_intake
from billing_framework.storage.usage.rows import insert_records, waiting_records
from billing_framework.storage.usage.sealed_suspense import is_erased, opened_rows, sealed_row, sealed_text
from billing_framework.storage.usage.suspense import Suspended, suspense_rows, update_suspended
from billing_framework.usage.intake import Delivered, Sorted, identify
from billing_framework.usage.kind_fields import Sort
from billing_framework.usage.plain import ENVELOPE_FIELDS, plain_usage, usage_from_plain
from billing_framework.usage.record import AnyUsage
from billing_framework.usage.requirements import KindRules, kind_rules
from billing_framework.usage.withheld import is_personal_kind, safe_finding
from billing_framework.values.errors import Conflict, InputRefused, NotFound, Refused
from billing_framework.values.finding import Finding
from billing_framework.values.identity import natural_id
from billing_framework.values.number import whole_or_none
from billing_framework.values.plain_form import to_plain
from billing_framework.values.spelling import did_you_mean


def recycle(deployment: Deployment, *, batch: int = 0, ids: Iterable[int] = ()) -> IntakeReport:
    """Take suspended records in again, after their cause was removed; what still cannot be taken in goes on waiting.

    Args:
        deployment: the open deployment.
        batch: only records that this batch brought; all where 0.
        ids: only these records; all where empty.

    Raises:
        NotFound: ``USAGE33``: there is no such batch; ``USAGE14`` for an unknown number.

    Returns:
        The report of a batch of its own, with batch number 0 and no change where nothing could be taken in.
    """
    with deployment.database.begin() as connection:
        serialise_intake(connection)
        name = f"suspense of batch {find_batch(connection, batch).id}" if batch else "suspense"
        desk = IntakeDesk.opened(deployment, connection, file=name, source="")
        wanted = _known_rows(connection, list(ids))
        waiting = list(suspense_rows(connection, states=["suspended"], batch=batch, ids=wanted))
        desk.recycled = frozenset(row.id for row in waiting)
        opened = opened_rows(desk.keys, waiting)
        readable = [(row, usage) for row in opened if (usage := _usage_of(row, desk.rules, desk.keys)) is not None]
        done = desk.sort([attrs.evolve(usage, line=row.id) for row, usage in readable])
        totals = attrs.evolve(done.totals, records=len(waiting), suspended=done.totals.suspended + len(waiting) - len(readable))
        by_id = {row.id: row for row in waiting}
        for delivered in (*done.suspended, *done.rejected):
            desk.tell(delivered.findings)
        moved = len(done.accepted) + done.totals.duplicate + len(done.rejected)
        number = desk.batch_id if moved else 0
        insert_records(connection, desk.tables, done.accepted, number, desk.keys)
        new = _moved(by_id, [row.id for row, _ in readable], done, number)
        _store(deployment, connection, by_id, new, _Act("usage recycle"))
        recycled = Batch(
            id=number,
            natural_key=natural_id("batch", RECYCLE, number),
            file=name,
            sha256=bytes(32),
            format=RECYCLE,
            source="",
            zone="UTC",
            options={},
            taken_at=instant_of_intake(connection, deployment.clock.now()),
            actor=deployment.actor,
            totals=totals.proven(),
            findings=tuple(desk.findings),
        )
        if moved:
            insert_batch(connection, recycled)
    return report_of(recycled)


def _usage_of(row: Suspended, rules: Mapping[str, KindRules], keys: KeyDesk | None) -> AnyUsage | None:
    if keys is not None and is_erased(keys, row):
        return None
    return usage_from_plain(row.record, rules, row.line)[0] if row.record is not None else None


def _moved(by_id: Mapping[int, Suspended], sorted_ids: Sequence[int], done: Sorted, number: int) -> list[Suspended]:
    # The desk numbered the records by their suspense ids, so that each outcome finds its row again.
    outcome: dict[int, tuple[str, Delivered]] = {}
    for state, records in (("accepted", done.accepted), ("rejected", done.rejected), ("suspended", done.suspended)):
        for delivered in records:
            outcome[delivered.line] = (state, delivered)
    changed: list[Suspended] = []
    for key in sorted_ids:
        row = by_id[key]
        if key not in outcome:
            changed.append(attrs.evolve(row, state="duplicate", findings=(), resolved_batch=number))
            continue
        state, delivered = outcome[key]
        if state == "suspended" and {found.code for found in delivered.findings} == {found.code for found in row.findings}:
            continue  # it waits for the same reason as before
        resolved = number if state == "accepted" else None
        changed.append(attrs.evolve(row, state=state, findings=_at(delivered.findings, row.line), resolved_batch=resolved))
    return changed


def _at(findings: Iterable[Finding], line: int) -> tuple[Finding, ...]:
    return tuple(attrs.evolve(finding, line=line) for finding in findings)


def correct(deployment: Deployment, suspense_id: int, changes: Mapping[str, str], reason: str) -> Suspended:
    """Change fields of a record that waits or was rejected; `recycle` then takes it in.

    Args:
        deployment: the open deployment.
        suspense_id: number of the record in suspense.
        changes: field to its new text; fields are kind, source, external_id, subject, start, end, slot, version and those of the
            kind. An empty text empties an optional field.
        reason: why, for the audit trail.

    Raises:
        NotFound: ``USAGE14`` for an unknown number.
        Refused: ``USAGE15`` where the record was decided about already.
        InputRefused: ``USAGE01`` where the corrected record is not what its kind requires, ``USAGE29`` without a reason,
            ``USAGE31`` for a line that could not be read, unless the changes name its kind and so enter it whole.
        Conflict: ``USAGE27`` where the same record waits already under another number.
    """
    needs_reason(reason, "this", code="USAGE29")
    with deployment.database.begin() as connection:
        serialise_intake(connection)
        rules = kind_rules(deployment.host.kinds)
        keys = key_desk_for(connection, rules)
        old = _open_rows(connection, [suspense_id])[suspense_id]
        usage = _corrected(opened_rows(keys, [old])[0], changes, rules)
        delivered = identify([usage], rules, old.source, f"suspense {suspense_id}", marks_of(keys))[0]
        _refuse(delivered.findings)
        if (delivered.key, delivered.digest) in waiting_records(connection, {delivered.key}, ignored={suspense_id}):
            raise Conflict("USAGE27", "the same record waits under another number", remedy="Write this one off")
        new = attrs.evolve(
            old,
            state="suspended",
            record_key=delivered.key,
            digest=delivered.digest,
            kind=usage.kind,
            source=clean(usage.source),
            external_id=usage.external_id,
            subject=usage.subject,
            findings=(),
            record=plain_usage(usage, rules),
            sealed=sealed_text(old),
            reason=reason,
        )
        if keys is not None and is_personal_kind(rules[usage.kind].fields):
            new = sealed_row(keys, new)
            keys.save()
        return _store(deployment, connection, {suspense_id: old}, [new], _Act("usage correct", reason))[0]


def _corrected(old: Suspended, changes: Mapping[str, str], rules: Mapping[str, KindRules]) -> AnyUsage:
    data: dict[str, Any] = dict(old.record or {"source": old.source})
    kind = changes.get("kind", data.get("kind", ""))
    if old.record is None and "kind" not in changes:
        raise _nothing_to_correct(old)
    sorts = {field.name: field.sort for field in rules[kind].fields} if kind in rules else {}
    for name, text in changes.items():
        if kind in rules and name not in ENVELOPE_FIELDS and name not in sorts:
            remedy = did_you_mean(name, [*ENVELOPE_FIELDS, *sorts])
            raise InputRefused("USAGE01", f"a record of kind {kind!r} has no field {name!r}", remedy=remedy)
        data[name] = _typed(text, Sort.WHOLE if name == "version" else sorts.get(name, Sort.TEXT))
    usage, findings = usage_from_plain(data, rules, old.line)
    _refuse(list(map(safe_finding, findings)) if kind in rules and is_personal_kind(rules[kind].fields) else findings)
    if usage is None:
        raise AssertionError(data)  # no record without a finding
    return usage


def _nothing_to_correct(old: Suspended) -> InputRefused:
    return InputRefused(
        "USAGE31",
        f"the record {old.id} is line {old.line} of its file as it stood there, unread: it has no fields yet",
        remedy=f"Take the corrected line in from its source, then: billing usage write-off {old.id} --reason TEXT;"
        " or enter it whole by hand, beginning with kind=KIND",
    )


def _typed(text: str, sort: Sort) -> Any:
    if sort is Sort.TEXT:
        return text
    if not text:
        return None
    if sort is Sort.WHOLE:
        return _whole(text)
    if sort is Sort.FLAG and text in ("true", "false"):
        return text == "true"
    if sort is Sort.WHOLES:
        return [_whole(part.strip()) for part in text.split(",")]
    return text


def _whole(text: str) -> int | str:
    """Return a whole number, or the text that is none and is refused as such."""
    number = whole_or_none(text)
    return text if number is None else number


def _refuse(findings: Sequence[Finding]) -> None:
    if findings:
        first = findings[0]
        raise InputRefused(first.code, f"{first.what} ({first.value!r})", place=first.field, remedy=first.remedy)


def write_off(deployment: Deployment, ids: Sequence[int], reason: str) -> list[Suspended]:
    """Decide that records in suspense will never be billed; they stay visible with the reason.

    Args:
        deployment: the open deployment.
        ids: their numbers.
        reason: why, for the audit trail.

    Raises:
        NotFound: ``USAGE14`` for an unknown number.
        Refused: ``USAGE15`` where one was decided about already.
        InputRefused: ``USAGE29`` without a reason.
    """
    needs_reason(reason, "this", code="USAGE29")
    with deployment.database.begin() as connection:
        old = _open_rows(connection, ids)
        new = [attrs.evolve(row, state="written_off", reason=reason) for row in old.values()]
        return _store(deployment, connection, old, new, _Act("usage write-off", reason))


def _open_rows(connection: Connection, ids: Sequence[int]) -> dict[int, Suspended]:
    found = _known_rows(connection, ids)
    for key, row in found.items():
        if row.state not in ("suspended", "rejected"):
            raise Refused("USAGE15", f"the record {key} is {row.state} already", remedy="Nothing is left to decide")
    return found


def _known_rows(connection: Connection, ids: Sequence[int]) -> dict[int, Suspended]:
    """Return the rows of these numbers in their order, or refuse a number that there is not."""
    found = {row.id: row for some in chunks(ids) for row in suspense_rows(connection, ids=some)}
    for key in ids:
        if key not in found:
            remedy = "billing usage suspense lists what is there"
            raise NotFound("USAGE14", f"nothing in suspense has the number {key}", remedy=remedy)
    return {key: found[key] for key in ids}


@attrs.frozen
class _Act:
    name: str
    reason: str = ""


def _store(
    deployment: Deployment, connection: Connection, old: Mapping[int, Suspended], new: Sequence[Suspended], act: _Act
) -> list[Suspended]:
    stored = update_suspended(connection, old, new)
    record_many(
        connection,
        deployment.clock.now(),
        deployment.actor,
        (
            AuditEvent(
                action=act.name,
                object_kind="usage_suspense",
                object_key=str(row.id),
                before=_facts(old[row.id]),
                after=_facts(row),
                reason=act.reason,
            )
            for row in stored
        ),
    )
    return stored


def _facts(row: Suspended) -> dict[str, Any]:
    return {"state": row.state, "record": row.record, "findings": to_plain(list(row.findings)), "batch": row.resolved_batch}
