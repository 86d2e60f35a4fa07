"""Reference documentation and columns of a usage kind, from its class."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from billing_framework.usage.kind_fields import BodyField, Sort, body_fields
from billing_framework.usage.record import UsageKind
from billing_framework.values.attribute_docs import summary


def describe_kind(kind: UsageKind) -> str:
    """Return the reference text of a kind: what it is, and each field with its type, default and meaning."""
    lines = [f"usage kind {kind.name}: {kind.title}"]
    if summary(kind.body):
        lines.append(f"  {summary(kind.body)}")
    lines.append(_periods(kind))
    if kind.editable:
        lines.append(f"  reviewers may edit {', '.join(kind.editable)} in a draft")
    return "\n".join([*lines, *described_fields(body_fields(kind))])


def described_fields(fields: Iterable[BodyField]) -> list[str]:
    """Return a line for each field with its type, default and meaning."""
    return [f"  {field.name}: {_type(field)}{_default(field)}{f'; {field.meaning}' if field.meaning else ''}" for field in fields]


def _periods(kind: UsageKind) -> str:
    if kind.carried:
        return "  each record is billed once, by the first bill after it has come"
    return "  may be cut at the edge of a period" if kind.divisible else "  belongs to the period in which it starts"


def _type(field: BodyField) -> str:
    shown = field.sort.value
    if field.choices is not None:
        shown = "one of " + ", ".join(str(member.value) for member in field.choices)
    shown = f"{shown} or nothing" if field.optional else shown
    return f"{shown}, personal" if field.personal else shown


def _default(field: BodyField) -> str:
    if field.default is attrs.NOTHING or field.default is None:
        return ""
    return f", by default {getattr(field.default, 'value', field.default)!r}"


@attrs.frozen
class ColumnSchema:
    """One column of a kind in bulk work.

    Attributes:
        name: name of the field.
        dtype: ``int64`` for whole numbers, instants (microseconds since 1970 UTC) and dates (days since 1970-01-01); ``bool``;
            ``scaled`` for exact numbers (int64 and one scale per column); ``text``; ``packed`` for tuples of whole numbers.
        nullable: True where a value may be missing.
    """

    name: str
    dtype: str
    nullable: bool = False


_DTYPES = {
    Sort.TEXT: "text",
    Sort.WHOLE: "int64",
    Sort.FLAG: "bool",
    Sort.EXACT: "scaled",
    Sort.DAY: "int64",
    Sort.INSTANT: "int64",
    Sort.CHOICE: "text",
    Sort.WHOLES: "packed",
}


def column_schema(kind: UsageKind) -> tuple[ColumnSchema, ...]:
    """Return the columns in which records of a kind are handed to bulk work: the key columns, then the fields.

    Personal fields are left out; bulk work never opens them.
    """
    envelope = (
        ColumnSchema("key", "int64"),
        ColumnSchema("subject_id", "int64"),
        ColumnSchema("start_at", "int64"),
        ColumnSchema("end_at", "int64"),
    )
    return (
        *envelope,
        *(ColumnSchema(field.name, _DTYPES[field.sort], field.optional) for field in body_fields(kind) if not field.personal),
    )
