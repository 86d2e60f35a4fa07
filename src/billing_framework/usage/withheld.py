"""What stands in the place of personal data wherever it is not opened: in raters, in lists, in findings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import attrs

from billing_framework.usage.content import field_value
from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.usage.plain import ENVELOPE_FIELDS
from billing_framework.usage.record import AnyUsage
from billing_framework.values.finding import Finding
from billing_framework.values.personal import REDACTED

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_SHORTEST_QUOTED = 3
_LONGEST_QUOTED = 60


def withheld_value(field: BodyField, told: str = REDACTED) -> Any:
    """Return what a body holds instead of a personal value: a text says so, other fields hold nothing.

    Args:
        field: the personal field.
        told: the text.
    """
    return field_value(told, field) if field.sort is Sort.TEXT else None


def withheld(usage: AnyUsage, fields: Sequence[BodyField]) -> AnyUsage:
    """Return a record without its personal values, as raters and lists are given it."""
    changes = {field.name: withheld_value(field) for field in fields if field.personal}
    return attrs.evolve(usage, body=attrs.evolve(usage.body, **changes)) if changes else usage


def is_personal_kind(fields: Sequence[BodyField]) -> bool:
    """Return True where a kind has personal fields."""
    return any(field.personal for field in fields)


def safe_finding(finding: Finding) -> Finding:
    """Return a finding about a record with personal data that quotes nothing of it but its envelope.

    A record that is wrong may hold any value in any place, so that no field of its body can be trusted to be harmless.
    """
    if finding.field in ENVELOPE_FIELDS:
        return finding
    what = _QUOTED.sub(f"'{REDACTED}'", finding.what)
    for quoted in (finding.value, finding.value[:_LONGEST_QUOTED]):
        if len(quoted) >= _SHORTEST_QUOTED:
            what = what.replace(quoted, REDACTED)
    return attrs.evolve(finding, what=what, value=REDACTED if finding.value else "")
