"""Usage records as plain data and back: how suspense keeps them, how an officer corrects them, how ``--json`` shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.usage.kind_fields import Sort
from billing_framework.usage.record import AnyUsage, Usage
from billing_framework.usage.requirements import KindRules
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding
from billing_framework.values.number import exact_text
from billing_framework.values.period import Span
from billing_framework.values.spelling import did_you_mean
from billing_framework.values.structuring import problems_of, strict_converter

ENVELOPE_FIELDS = ("kind", "source", "external_id", "subject", "start", "end", "slot", "version", "deleted")
"""Fields of every record besides those of its kind, as plain data and commands call them."""


@attrs.frozen(kw_only=True)
class _Envelope:
    kind: str
    source: str
    external_id: str
    subject: str
    start: datetime
    end: datetime | None = None
    slot: str = ""
    version: int = 0
    deleted: bool = False


def plain_usage(usage: AnyUsage, rules: Mapping[str, KindRules]) -> dict[str, Any]:
    """Return a record as plain data: one flat mapping of the envelope's and the kind's fields, numbers and instants as text."""
    body = {
        field.name: _plain(getattr(usage.body, field.name, None), field.sort)
        for field in (rules[usage.kind].fields if usage.kind in rules else ())
    }
    return {
        "kind": usage.kind,
        "source": usage.source,
        "external_id": usage.external_id,
        "subject": usage.subject,
        "start": usage.span.start.isoformat(),
        "end": usage.span.end.isoformat(),
        "slot": usage.slot,
        "version": usage.version,
        **({"deleted": True} if usage.deleted else body),
    }


def _plain(value: object, sort: Sort) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Fraction):
        return exact_text(value)
    if sort is Sort.WHOLES and isinstance(value, tuple):
        return [part if isinstance(part, int) else str(part) for part in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(getattr(value, "value", value))


def usage_from_plain(
    data: Mapping[str, Any], rules: Mapping[str, KindRules], line: int = 0
) -> tuple[AnyUsage | None, list[Finding]]:
    """Return the record that plain data describes, or None and what is wrong with it.

    Args:
        data: a flat mapping as `plain_usage` returns it; missing fields take the defaults of the kind.
        rules: the kinds of the deployment.
        line: line of the record in its file.
    """
    envelope = {key: value for key, value in data.items() if key in ENVELOPE_FIELDS}
    body = {key: value for key, value in data.items() if key not in ENVELOPE_FIELDS}
    kind = str(data.get("kind", ""))
    told = Finding(code="USAGE01", what="", line=line, subject=str(data.get("external_id", "")))
    if kind not in rules:
        what = "the usage kind is not enabled"
        return None, [attrs.evolve(told, field="kind", what=what, remedy=did_you_mean(kind, rules), value=kind)]
    found: list[Finding] = []
    values: list[Any] = []
    is_deleted = data.get("deleted") is True
    for part, cls in ((envelope, _Envelope), *([] if is_deleted else [(body, rules[kind].kind.body)])):
        try:
            values.append(strict_converter().structure(part, cls))
        except Exception as error:  # noqa: BLE001  cattrs wraps whatever a class's own checks raise; each becomes a finding
            for problem in problems_of(error):
                field = str(problem.path[0]) if problem.path else ""
                found.append(attrs.evolve(told, field=field, what=problem.what, remedy=problem.remedy, value=problem.value))
    if found:
        return None, found
    head: _Envelope = values[0]
    try:
        start = head.start.astimezone(UTC)
        span = Span(start, start if head.end is None else head.end.astimezone(UTC))
    except ValueRefused as error:
        return None, [attrs.evolve(told, field="end", what=error.what, remedy="Correct start or end", value=str(head.end))]
    usage: AnyUsage = Usage(
        kind=head.kind,
        source=head.source,
        external_id=head.external_id,
        subject=head.subject,
        span=span,
        slot=head.slot,
        version=head.version,
        body=None if is_deleted else values[1],
        line=line,
        deleted=is_deleted,
    )
    return usage, []
