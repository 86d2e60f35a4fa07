"""Entries in JSON: an array or an object a line, read object by object, exact and strict."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from billing_legal_timekeeping.formats.entry_json import ENTRY_JSON
from billing_legal_timekeeping.formats.json_objects import JsonBroken, JsonNumber, json_objects

from billing_framework import BadRecord, InputRefused, Usage

Make = Callable[..., Any]
TIME = {"type": "time", "id": "T-1", "matter": "0001", "date": "2026-06-02", "timekeeper": "RH", "hours": "1.4"}
COST = {"type": "expense", "id": "E-1", "matter": "0001", "date": "2026-06-02", "code": "E112", "amount": 402}


@pytest.mark.parametrize("form", [json.dumps, lambda rows: "\n".join(json.dumps(row) for row in rows)])
def test_an_array_and_an_object_a_line_say_the_same(form: Make, read: Make) -> None:
    time, cost = read(ENTRY_JSON, form([TIME, COST]).encode())
    assert (time.kind, time.body.hours) == ("time_entry", Fraction(7, 5))
    assert (cost.kind, cost.body.amount) == ("expense", Fraction(402))


def test_a_number_with_decimals_is_exact(read: Make) -> None:
    (time,) = read(ENTRY_JSON, b'{"type":"time","id":"T","matter":"1","date":"2026-06-02","timekeeper":"RH","hours":0.1}')
    assert time.body.hours == Fraction(1, 10)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "lunch"}, "type"),
        ({"type": {"a": 1}}, "type"),
        ({"type": ["time"]}, "type"),
        ({"id": ""}, "id"),
        ({"matter": 1}, "matter"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "20260602"}, "date"),
        ({"hours": True}, "hours"),
        ({"hours": "1e999999999"}, ""),
        ({"worked_seconds": "60"}, "worked_seconds"),
        ({"narrative": 5}, "narrative"),
        ({"status": "free"}, "status"),
        ({"fee": 5}, "fee"),
        ({"timekeeper": None}, "timekeeper"),
        ({"version": -1}, "version"),
    ],
)
def test_a_bad_entry_is_kept_with_its_key(change: dict[str, Any], field: str, read: Make) -> None:
    bad, good = read(ENTRY_JSON, json.dumps([TIME | change, COST]).encode())
    assert isinstance(bad, BadRecord)
    assert (bad.findings[0].code, bad.findings[0].field) == ("LEGAL03", field)
    assert isinstance(good, Usage)


def test_a_number_of_a_billion_digits_does_not_stop_the_reader(read: Make) -> None:
    row = '{"type":"time","id":"T","matter":"1","date":"2026-06-02","timekeeper":"RH","hours":1e999999999}'
    (bad,) = read(ENTRY_JSON, row.encode())
    assert bad.findings[0].code == "LEGAL03"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", 0),
        (b"[", 1),
        (b"[{}", 1),
        (b"[{}\n{}]", 2),
        (b"[{}] {}", 1),
        (b"{}\n\nnonsense", 3),
        (b'{"a": 1, "a": 2}', 1),
        (b'{"a": NaN}', 1),
        (b'\n{"a": "\xff"}', 1),
        (b"[" * 5000, 1),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_line(text: bytes, line: int, read: Make) -> None:
    with pytest.raises(InputRefused, match="LEGAL02") as refused:
        read(ENTRY_JSON, text)
    assert line == 0 or f"file:{line}" in refused.value.place


def test_a_large_file_is_read_in_pieces() -> None:
    class Stream(io.BytesIO):
        """Gives at most a few bytes at once, so that every value is cut somewhere."""

        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(7, size or 7))

    rows = [{"n": number, "text": "ä" * (number % 5), "x": 1.5} for number in range(200)]
    found = list(json_objects(Stream(json.dumps(rows, ensure_ascii=False, indent=1).encode())))
    assert [value["n"] for _, _, value in found] == list(range(200))
    assert found[0][2]["x"] == JsonNumber("1.5")
    assert found[1][0] == 7


def test_a_value_without_end_is_refused() -> None:
    with pytest.raises(JsonBroken, match="no JSON"):
        list(json_objects(io.BytesIO(b'["' + b"x" * 2_000_000)))
