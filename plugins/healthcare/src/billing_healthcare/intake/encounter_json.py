"""Encounters as JSON lines: one object per encounter and line, with its patient, payers, providers and services."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from billing_framework import BadRecord, Finding, InputRefused, Reader, ReadItem, ReadRequest
from billing_healthcare.intake.build import EncounterBuilder
from billing_healthcare.kinds import ENCOUNTER, SERVICE_LINE

_LONGEST_LINE_BYTES = 1_000_000
_LONGEST_RAW = 10_000
_PLAIN = ("account", "place", "authorisation", "frequency", "payer_control", "patient_paid")
_PATIENT = ("last", "first", "middle", "birth", "sex", "street", "city", "region", "postcode")
_PROVIDER = {"rendering": ("npi", "last", "first", "taxonomy"), "referring": ("npi", "last", "first")}
_LINE = (
    *("line", "code", "modifiers", "units", "measure", "charge", "pointers", "date", "through", "place"),
    *("drug", "drug_quantity", "drug_unit"),
)
_TOP = ("encounter", "patient", "coverage", "diagnoses", "lines", *_PROVIDER, *_PLAIN)


class _Misshapen(Exception):
    """An object has another shape than an encounter; caught where the line ends."""

    def __init__(self, field: str, what: str, remedy: str) -> None:
        self.field, self.what, self.remedy = field, what, remedy
        super().__init__(what)


def read_encounters(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield the records of each encounter, or the line as a bad record with all that is wrong.

    Args:
        stream: the file; UTF-8, one JSON object per line.
        request: name, source and zone of the dates.

    Raises:
        InputRefused: ``HEALTH10`` where the file is no UTF-8 text of JSON lines at all, or has a line above a million bytes.
    """
    number = 0
    while raw := stream.readline(_LONGEST_LINE_BYTES + 1):
        number += 1
        text = _text(raw, number, request).strip()
        if number == 1 and text.startswith("["):
            raise _refused(request, 1, "the file is one JSON list", "Write one encounter per line, for example by jq -c '.[]'")
        if text:
            yield from _items(text, number, request)


def _text(raw: bytes, number: int, request: ReadRequest) -> str:
    if len(raw) > _LONGEST_LINE_BYTES:
        raise _refused(request, number, "a line is longer than a million bytes", "Write one encounter per line")
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise _refused(request, number, "the file is not UTF-8 text", "Save it as UTF-8") from error


def _refused(request: ReadRequest, number: int, what: str, remedy: str) -> InputRefused:
    return InputRefused("HEALTH10", what, place=f"{request.file}:{number}", remedy=f"{remedy}; nothing of it was taken in")


def _items(text: str, number: int, request: ReadRequest) -> Iterator[ReadItem]:
    builder = EncounterBuilder(request=request, line=number)
    try:
        # Numbers stay text: what the file says is exact, a float would not be.
        given = json.loads(text, parse_float=str, parse_int=str)
        head, coverages, diagnoses, lines = _parts(given)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" (at character {error.pos + 1})" if isinstance(error, json.JSONDecodeError) else ""
        found = _finding(request, number, "", f"the line is no JSON{where}", "Write one complete object per line")
        yield BadRecord(line=number, raw=text[:_LONGEST_RAW], findings=(found,))
        return
    except _Misshapen as error:
        found = _finding(request, number, error.field, error.what, error.remedy)
        yield BadRecord(line=number, raw=text[:_LONGEST_RAW], findings=(found,))
        return
    records = builder.records(head, coverages, diagnoses, lines)
    if builder.findings:
        yield BadRecord(line=number, raw=text[:_LONGEST_RAW], findings=tuple(builder.findings))
    yield from builder.notes
    yield from records


def _finding(request: ReadRequest, number: int, field: str, what: str, remedy: str) -> Finding:
    return Finding(code="HEALTH10", what=what, remedy=remedy, file=request.file, line=number, field=field)


def _parts(given: object) -> tuple[dict[str, str], Sequence[object], list[str], list[dict[str, str]]]:
    top = _table(given, "encounter", _TOP)
    head = {name: _string(top.get(name, ""), name) for name in _PLAIN} | {
        "encounter": _string(top.get("encounter", ""), "encounter")
    }
    head |= _texts(top.get("patient", {}), "patient", _PATIENT)
    for role, names in _PROVIDER.items():
        head |= {f"{role}_{name}": text for name, text in _texts(top.get(role, {}), role, names).items()}
    diagnoses = [_string(one, "diagnoses") for one in _list(top.get("diagnoses", []), "diagnoses")]
    lines = [_line(one) for one in _list(top.get("lines", []), "lines")]
    return head, _list(top.get("coverage", []), "coverage"), diagnoses, lines


def _line(given: object) -> dict[str, str]:
    table = dict(_table(given, "lines", _LINE))
    for name in ("modifiers", "pointers"):
        if isinstance(table.get(name), list):
            table[name] = ":".join(_string(one, name) for one in table[name])
    return {name: _string(value, name) for name, value in table.items()}


def _texts(given: object, field: str, names: Sequence[str]) -> dict[str, str]:
    return {name: _string(value, f"{field}.{name}") for name, value in _table(given, field, names).items()}


def _table(given: object, field: str, names: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise _Misshapen(field, f"{field} is no table", f"Give the keys {', '.join(names)}")
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise _Misshapen(field, f"{field} has the unknown key {unknown[0][:40]!r}", f"Known are: {', '.join(names)}")
    return given


def _list(given: object, field: str) -> list[Any]:
    if not isinstance(given, list):
        raise _Misshapen(field, f"{field} is no list", "Write it in brackets")
    return given


def _string(given: object, field: str) -> str:
    if given is None:
        return ""
    if not isinstance(given, str):
        raise _Misshapen(field, f"{field} is no text or number", "Write a text, a number, or leave it out")
    return given.strip()


ENCOUNTER_JSON = Reader(
    format="encounter_json",
    title="Encounters as JSON lines, one object per encounter",
    kinds=(ENCOUNTER.name, SERVICE_LINE.name),
    read=read_encounters,
)
