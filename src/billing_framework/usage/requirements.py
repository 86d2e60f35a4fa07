"""What every usage record must fulfil before it is stored: the types, sizes and texts that its kind and both databases need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.usage.kind_fields import BodyField, Sort, body_fields
from billing_framework.usage.record import AnyUsage, UsageKind
from billing_framework.values.code_name import is_storable
from billing_framework.values.finding import Finding
from billing_framework.values.period import EARLIEST, LATEST

LONGEST_NAME = 500
LONGEST_TEXT = 10_000
MOST_PACKED = 100_000

_INT64 = range(-(2**63), 2**63)


@attrs.frozen
class KindRules:
    """A kind with its fields, looked up once for many records.

    Attributes:
        kind: the kind.
        fields: fields of its body.
    """

    kind: UsageKind
    fields: tuple[BodyField, ...]


def kind_rules(kinds: Mapping[str, UsageKind]) -> Mapping[str, KindRules]:
    """Return the rules of all kinds of a deployment, by name."""
    return {name: KindRules(kind, body_fields(kind)) for name, kind in kinds.items()}


def record_findings(usage: AnyUsage, rules: Mapping[str, KindRules], file: str) -> list[Finding]:
    """Return what is wrong with a record, each with line, field, value and remedy; a record with findings is suspended."""
    found = [
        *_envelope(usage, rules),
        *(_body(usage.body, rules[usage.kind].fields, rules[usage.kind].kind.body) if _says_something(usage, rules) else ()),
    ]
    return [
        Finding(
            code="USAGE01",
            what=what,
            remedy=remedy,
            file=file,
            line=usage.line,
            field=field,
            value=_shown(value),
            subject=_shown(usage.external_id),
        )
        for field, what, remedy, value in found
    ]


def _says_something(usage: AnyUsage, rules: Mapping[str, KindRules]) -> bool:
    """Return whether the body counts: a deletion has none."""
    return usage.kind in rules and usage.deleted is not True


Wrong = tuple[str, str, str, object]


def _shown(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode().replace("\x00", "\\0")[:200]


def _envelope(usage: AnyUsage, rules: Mapping[str, KindRules]) -> Iterator[Wrong]:
    if usage.kind not in rules:
        yield "kind", "the usage kind is not enabled", f"Known are: {', '.join(sorted(rules)) or 'none'}", usage.kind
    for field in ("source", "external_id", "subject"):
        value: object = getattr(usage, field)
        if not isinstance(value, str) or not value.strip():
            yield field, "text is missing", "Every record names its source, its id there and its subject", value
        elif (problem := _bad_text(value, LONGEST_NAME)) is not None:
            yield field, *problem, value
    if (problem := _bad_text(usage.slot, LONGEST_NAME)) is not None:
        yield "slot", *problem, usage.slot
    for field, instant in (("start", usage.span.start), ("end", usage.span.end)):
        if not EARLIEST <= instant.date() <= LATEST:
            remedy = f"Correct the date; years from {EARLIEST.year} to {LATEST.year} are known"
            yield field, "the instant lies outside of the years that business is about", remedy, instant.isoformat()
    deleted: object = usage.deleted
    if type(deleted) is not bool:
        yield "deleted", "it is not said by yes or no whether the record is deleted", "Correct the reader", deleted
    elif deleted and not usage.slot:
        yield "slot", "a deletion must say what it speaks about", "Give the slot of the record that is deleted", ""
    if not _is_whole(usage.version):
        yield "version", "the version is no 64-bit whole number", "Correct the reader", usage.version


def _body(body: object, fields: Sequence[BodyField], cls: type) -> Iterator[Wrong]:
    if type(body) is not cls:
        yield "body", f"the body is a {type(body).__name__}, not a {cls.__name__}", "Report it to the authors of the reader", ""
        return
    for field in fields:
        value = getattr(body, field.name)
        if value is None:
            if not field.optional:
                yield field.name, "a value is missing", "The kind requires one", ""
        elif not _CHECKS[field.sort](value, field):
            needed = _NEEDED.get(field.sort, field.sort.value)
            yield field.name, f"{needed} is needed here", _REMEDIES.get(field.sort, "Correct the value"), value


def value_fits(value: object, field: BodyField) -> bool:
    """Return whether a field of a kind may have a value.

    Args:
        value: the value.
        field: the field.
    """
    return field.optional if value is None else _CHECKS[field.sort](value, field)


def class_refusal(error: Exception) -> str:
    """Return in words why the class of a kind refused a value: by a validator of its own, such as ``attrs.validators.ge(0)``."""
    return str(error.args[0]) if error.args else "a value is not allowed"


def _bad_text(value: object, longest: int) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return "text is needed here", "Report it to the authors of the reader"
    if len(value) > longest:
        return f"the text is longer than {longest} characters", "Shorten it"
    if not is_storable(value):
        return "the text holds characters that no database stores", "Correct the encoding of the file"
    return None


def _is_whole(value: object) -> bool:
    return type(value) is int and value in _INT64


def _is_text(value: object, _: BodyField) -> bool:
    return _bad_text(value, LONGEST_TEXT) is None


def _is_choice(value: object, field: BodyField) -> bool:
    return field.choices is not None and isinstance(value, field.choices)


def _is_packed(value: object, _: BodyField) -> bool:
    return isinstance(value, tuple) and len(value) <= MOST_PACKED and all(map(_is_whole, value))


def _is_exact(value: object, _: BodyField) -> bool:
    # The limit keeps one hostile ratio from making every later sum slow.
    return isinstance(value, Fraction) and value.denominator < 10**40 and abs(value) < 10**40


_CHECKS: Mapping[Sort, Callable[[Any, BodyField], bool]] = {
    Sort.TEXT: _is_text,
    Sort.WHOLE: lambda value, _: _is_whole(value),
    Sort.FLAG: lambda value, _: type(value) is bool,
    Sort.EXACT: _is_exact,
    Sort.DAY: lambda value, _: type(value) is date,
    Sort.INSTANT: lambda value, _: isinstance(value, datetime) and value.utcoffset() is not None,
    Sort.CHOICE: _is_choice,
    Sort.WHOLES: _is_packed,
}

_NEEDED: Mapping[Sort, str] = {Sort.WHOLES: "a list of whole numbers"}
_REMEDIES: Mapping[Sort, str] = {
    Sort.TEXT: f"Give text of at most {LONGEST_TEXT} characters that UTF-8 can write",
    Sort.WHOLE: "Give a whole number of 64 bits",
    Sort.EXACT: "Give an exact number below 10^40 with at most 40 decimals",
    Sort.INSTANT: "Give an instant with its offset",
    Sort.CHOICE: "Give one of the kind's values",
    Sort.WHOLES: f"Give at most {MOST_PACKED} whole numbers of 64 bits",
}
