"""Edits of usage records in a draft: what a reviewer lets a record say before it is rated; the stored record never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from billing_framework.invoicing.edit import Edit, EditField, edit_name, taking_back
from billing_framework.rating.group import KeyedUsage
from billing_framework.usage.content import field_text, field_value
from billing_framework.usage.kind_fields import BodyField, Sort, body_fields
from billing_framework.usage.record import AnyUsage, UsageKind
from billing_framework.usage.requirements import KindRules, class_refusal, record_findings
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding
from billing_framework.values.period import utc
from billing_framework.values.spelling import did_you_mean

RECORD_FIELDS = (EditField.RECORD, EditField.DEFER)
"""What an edit of a record may be; all other edits are of charges."""

DEFERRED = "by a reviewer"
"""Reason under which control totals count the records that reviewers have deferred."""

_TARGET = "usage:"
_FLAGS = {"true": True, "false": False, "yes": True, "no": False}


@attrs.frozen(kw_only=True)
class EditedRecords:
    """The records of an account after the edits of reviewers.

    Attributes:
        records: what is rated; changed ones keep their `original`.
        deferred: key of each record that is left for a later bill to the reason.
        findings: edits that could not be applied.
    """

    records: tuple[KeyedUsage, ...]
    deferred: Mapping[int, str] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()


def record_target(key: int) -> str:
    """Return the target by which edits name a record."""
    return f"{_TARGET}{key}"


def record_key(edit: Edit) -> int | None:
    """Return the key of the record that an edit is about, None for an edit of a charge."""
    if edit.field not in RECORD_FIELDS:
        return None
    text = edit.target.removeprefix(_TARGET)
    return int(text) if text.lstrip("-").isdigit() else None


def change_record(record: KeyedUsage, kind: UsageKind, name: str, text: str, *, reason: str, actor: str, at: datetime) -> Edit:
    """Return the edit that lets a field of a record say something else.

    Args:
        record: the record as it stands on the draft.
        kind: its kind.
        name: the field.
        text: the new value as people write it; empty for none where the field is optional.
        reason: why.
        actor: who.
        at: when.

    Raises:
        ValueRefused: ``INVOICE23`` where the field is not edited, ``INVOICE24`` where it cannot hold the value.
    """
    field = editable_field(kind, name)
    value, present = parsed(text, field), getattr(record.usage.body, name)
    if value == present:
        raise ValueRefused("INVOICE24", f"{name} says {shown(value, field)!r} already", remedy="Give another value, or none")
    return Edit(
        target=record_target(record.key),
        field=EditField.RECORD,
        name=name,
        about=record.usage.external_id,
        before=shown(present, field),
        after=shown(value, field),
        reason=reason,
        actor=actor,
        at=at,
    )


def defer_record(record: KeyedUsage, kind: UsageKind, *, reason: str, actor: str, at: datetime) -> Edit:
    """Return the edit that leaves a record for a later bill.

    Raises:
        ValueRefused: ``INVOICE25`` where records of the kind are billed in the period in which they fall, or never.
    """
    if not kind.carried:
        raise ValueRefused(
            "INVOICE25",
            f"a record of the kind {kind.name} belongs to its period",
            remedy="Change its charge, or hold the account",
        )
    target = record_target(record.key)
    name = record.usage.external_id
    return Edit(target=target, field=EditField.DEFER, about=name, before=name, reason=reason, actor=actor, at=at)


def editable_field(kind: UsageKind, name: str) -> BodyField:
    """Return a field of a kind that reviewers may change.

    Raises:
        ValueRefused: ``INVOICE23`` for any other.
    """
    if name not in kind.editable:
        known = ", ".join(kind.editable) or "none"
        remedy = f"{did_you_mean(name, kind.editable)}. Fields of {kind.name} that may be edited: {known}"
        raise ValueRefused("INVOICE23", f"the field {name!r} of {kind.name} is not edited in a draft", remedy=remedy)
    return next(field for field in body_fields(kind) if field.name == name)


def shown(value: Any, field: BodyField) -> str:
    """Return a value as edits and commands write it: empty for none, dates and instants by ISO 8601, flags as true and false."""
    if value is None:
        return ""
    if field.sort is Sort.FLAG:
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else field_text(value, field)


def parsed(text: str, field: BodyField) -> Any:
    """Return the value that people have written for a field.

    Raises:
        ValueRefused: ``INVOICE24`` where the field cannot hold it.
    """
    if not text and field.optional:
        return None
    try:
        if field.sort is Sort.FLAG:
            return _FLAGS[text.strip().lower()]
        if field.sort is Sort.INSTANT:
            return utc(datetime.fromisoformat(text))
        return field_value(text, field)
    except (ValueError, KeyError, ValueRefused) as error:
        allowed = "" if field.choices is None else f": {', '.join(str(choice.value) for choice in field.choices)}"
        raise ValueRefused(
            "INVOICE24", f"{field.name} cannot be {text!r}; needed here: {field.sort.value}", remedy=f"Correct the value{allowed}"
        ) from error


def edit_records(records: Sequence[KeyedUsage], edits: Sequence[Edit], kinds: Mapping[str, UsageKind]) -> EditedRecords:
    """Return the records of an account after `edits`, applied in order; one whose base has changed since becomes a finding.

    Args:
        records: the records of the account as they were delivered.
        edits: all edits of its draft, oldest first; those of charges are passed over.
        kinds: the usage kinds of the records.
    """
    current = {record.key: record for record in records}
    deferred: dict[int, str] = {}
    findings: list[Finding] = []
    for edit in edits:
        if edit.field not in RECORD_FIELDS:
            continue
        record = current.get(record_key(edit) or 0)
        if record is None:
            what = f"{edit_name(edit)} is of a record that is no longer on the draft"
            findings.append(_refused(edit, "INVOICE07", what, taking_back(edit)))
            continue
        try:
            if edit.field is EditField.DEFER:
                deferred[record.key] = DEFERRED
                del current[record.key]
            else:
                current[record.key] = _changed(record, edit, kinds[record.usage.kind])
        except ValueRefused as error:
            findings.append(_refused(edit, error.code, error.what, error.remedy))
    kept = tuple(current[record.key] for record in records if record.key in current)
    return EditedRecords(records=kept, deferred=deferred, findings=tuple(findings))


def _changed(record: KeyedUsage, edit: Edit, kind: UsageKind) -> KeyedUsage:
    field = editable_field(kind, edit.name)
    seen = shown(getattr(record.usage.body, edit.name), field)
    if seen != edit.before:
        what = f"{edit_name(edit)} was made on {edit.before!r}, but the record now says {seen!r}"
        raise ValueRefused("INVOICE08", what, remedy=taking_back(edit))
    value = parsed(edit.after, field)
    try:
        body = attrs.evolve(record.usage.body, **{edit.name: value})
    except (ValueError, TypeError, ArithmeticError) as error:
        what = f"{edit.name} cannot be {edit.after!r}: {class_refusal(error)}"
        raise ValueRefused("INVOICE24", what, remedy="Correct the value") from error
    usage: AnyUsage = attrs.evolve(record.usage, body=body)
    wrong = record_findings(usage, {kind.name: KindRules(kind, body_fields(kind))}, "")
    if wrong:
        raise ValueRefused("INVOICE24", f"{wrong[0].field}: {wrong[0].what}", remedy=wrong[0].remedy)
    original = record.original or record.usage
    return attrs.evolve(record, usage=usage, original=None if usage == original else original)


def _refused(edit: Edit, code: str, what: str, remedy: str) -> Finding:
    return Finding(
        code=code,
        what=what,
        remedy=remedy,
        field=edit.name or edit.field.value,
        value=edit.after,
        subject=edit.about or edit.target,
    )
