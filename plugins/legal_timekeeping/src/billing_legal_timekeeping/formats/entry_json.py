"""Time and expense entries in JSON: an array of objects, or one object a line."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any, BinaryIO

import attrs

from billing_framework import (
    BadRecord,
    BillingError,
    Finding,
    InputRefused,
    Reader,
    ReadItem,
    ReadRequest,
    Usage,
    UsageKind,
    exact,
    timezone,
)
from billing_legal_timekeeping.formats.columns import ENVELOPE, EXPENSE, TIME
from billing_legal_timekeeping.formats.json_objects import JsonBroken, JsonNumber, json_objects
from billing_legal_timekeeping.formats.noon import at_noon
from billing_legal_timekeeping.kinds import EXPENSE as EXPENSE_KIND
from billing_legal_timekeeping.kinds import TIME_ENTRY

_LONGEST_RAW = 10_000
_KINDS: Mapping[str, tuple[UsageKind, Mapping[str, str]]] = types.MappingProxyType(
    {"time": (TIME_ENTRY, TIME), "expense": (EXPENSE_KIND, EXPENSE)}
)


class _Wrong(ValueError):
    """A value of an object is not what its key needs."""

    def __init__(self, key: str, what: str, value: object = "") -> None:
        self.key = key
        self.value = str(value)[:60]
        super().__init__(what)


def read_entries(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield the entries of a file; an object that is no entry is a bad record, a file that is no JSON is refused.

    Raises:
        InputRefused: ``LEGAL02``, with the line.
    """
    number = 0
    try:
        for line, raw, value in json_objects(stream):
            number += 1
            yield _entry(line, raw[:_LONGEST_RAW], value, request)
    except JsonBroken as error:
        remedy = "Give an array of objects, or one object a line, complete; nothing of the file was taken in"
        raise InputRefused("LEGAL02", str(error), place=f"{request.file}:{error.line}", remedy=remedy) from error
    if not number:
        raise InputRefused("LEGAL02", "the file is empty", place=request.file, remedy="Give a file with entries")


def _entry(line: int, raw: str, value: object, request: ReadRequest) -> ReadItem:
    try:
        return _usage(line, value, request)
    except _Wrong as error:
        told = _bad(str(error), "Correct it at its source", line, request)
        told = attrs.evolve(told, field=error.key, value=error.value)
    except BillingError as error:
        told = _bad(error.what, error.remedy, line, request)
    return BadRecord(line=line, raw=raw, findings=(told,))


def _bad(what: str, remedy: str, line: int, request: ReadRequest) -> Finding:
    return Finding(code="LEGAL03", what=what, remedy=remedy, file=request.file, line=line)


def _usage(line: int, value: object, request: ReadRequest) -> AnyEntry:
    if not isinstance(value, dict):
        raise _Wrong("", "an entry is a JSON object", value)
    given = dict(value)
    sort = given.pop("type", None)
    if not isinstance(sort, str) or sort not in _KINDS:
        raise _Wrong("type", "the type of an entry is time or expense", sort)
    kind, keys = _KINDS[sort]
    envelope = {name: given.pop(key, None) for name, key in ENVELOPE.items()}
    version = given.pop("version", None)
    for name in ("external_id", "subject"):
        if not isinstance(envelope[name], str) or not str(envelope[name]).strip():
            raise _Wrong(ENVELOPE[name], "text is missing", envelope[name])
    if version is not None and (type(version) is not int or version < 0):
        raise _Wrong("version", "a whole number is needed here", version)
    unknown = sorted(set(given) - set(keys.values()))
    if unknown:
        raise _Wrong(unknown[0], f"the key is unknown; known are {', '.join(keys.values())}")
    hints = typing.get_type_hints(kind.body)
    body: dict[str, Any] = {}
    for field in attrs.fields(kind.body):
        if given.get(field.name) is not None:
            body[field.name] = _typed(field.name, given[field.name], hints[field.name])
        elif field.default is attrs.NOTHING:
            raise _Wrong(field.name, "a value is missing")
    external_id = envelope["external_id"].strip()
    return Usage(
        kind=kind.name,
        source=request.source,
        external_id=external_id if version is None else f"{external_id}/{version}",
        subject=envelope["subject"].strip(),
        span=at_noon(_day(ENVELOPE["start"], envelope["start"]), timezone(request.zone)),
        slot="" if version is None else external_id,
        version=version or 0,
        body=kind.body(**body),
        line=line,
    )


AnyEntry = Usage[Any]


def _typed(key: str, value: object, hint: Any) -> Any:
    types_of = [part for part in typing.get_args(hint) if part is not type(None)] or [hint]
    wanted = types_of[0]
    if wanted is str:
        if not isinstance(value, str) or isinstance(value, JsonNumber):
            raise _Wrong(key, "text is needed here", value)
        return value.strip()
    if wanted is int:
        if type(value) is not int:
            raise _Wrong(key, "a whole number is needed here", value)
        return value
    if wanted is Fraction:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise _Wrong(key, "an exact number is needed here", value)
        return exact(value, name=key)
    if wanted is date:
        return _day(key, value)
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        known = {member.value: member for member in wanted}
        if not isinstance(value, str) or value not in known:
            raise _Wrong(key, f"the value is none of {', '.join(known)}", value)
        return known[value]
    raise AssertionError(hint)  # the kinds of this plugin have no other types


def _day(key: str, value: object) -> date:
    try:
        if isinstance(value, str) and len(value) == 10:
            return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007  only its date is taken
    except ValueError:
        pass
    raise _Wrong(key, "a date is needed here, as 2026-07-31", value)


ENTRY_JSON = Reader(
    format="legal_json",
    title="Time and expense entries in JSON: an array, or an object a line",
    kinds=(TIME_ENTRY.name, EXPENSE_KIND.name),
    read=read_entries,
)
