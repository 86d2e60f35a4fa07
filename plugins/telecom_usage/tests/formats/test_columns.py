"""The same file by columns and line by line: the same calls, the same bad records, the same findings."""

from __future__ import annotations

import io
from typing import Any

import pytest
from billing_telecom_usage.formats.asterisk import ASTERISK
from billing_telecom_usage.formats.freeswitch import FREESWITCH
from billing_telecom_usage.formats.mapped import MAPPED
from billing_telecom_usage.kinds import CALL, Direction
from billing_telecom_usage.numbers import NumberPlan, Plain
from billing_telecom_usage.settings import ColumnMapping, Source, Start, TelecomSettings
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_framework import BadRecord, BillingError, Reader, ReadRequest, RecordColumns
from billing_framework.usage.file_stream import open_stream
from billing_framework.usage.requirements import kind_rules
from tests.properties import examples

RULES = kind_rules({CALL.name: CALL})["call"]
NAMES = (
    "id",
    "part",
    "caller",
    "called",
    "start",
    "answer",
    "end",
    "duration",
    "billed",
    "result",
    "note",
    "way",
    "leg",
    "extra",
)
COLUMNS = {
    "caller": "caller",
    "called": "called",
    "start": "start",
    "answer": "answer",
    "end": "end",
    "duration": "duration",
    "billed": "billed",
    "disposition": "result",
    "account_code": "note",
    "direction": "way",
    "continuation": "leg",
}
CELLS: dict[str, list[str]] = {
    "id": ["c1", "c2", "", " c3 ", "/", '"c4"', '"c,5"', "ü", "c\u00a0", "c\x1f"],
    "part": ["1", "", " ", '"a""b"'],
    "caller": ["493012345678", "+493012345678", "00493012345678", "030123456", "7777#4930123", "110", "", "+49 30 1", "0", "x"],
    "called": ["4989231250", "0114989231250", "+44201234567", "112", "", "*99", "1" * 41, "089231250", " 4412345678 ", "49/30"],
    "start": ["2026-06-10 12:00:00", "2026-06-10T12:00:00Z", "2026-06-10T12:00:00+02:00", "2026-03-29 02:30:00", "",
              "2026-10-25 02:30:00", "2026-06-31 10:00:00", "20260610T120000", "2026-06-10 12:00", "1899-12-31 00:00:00"],
    "answer": ["", "2026-06-10 12:00:05", "2026-06-10T12:00:05Z", "2026-06-10 11:59:58", "2026-06-10 11:59:57"],
    "end": ["", "2026-06-10 12:01:06", "2026-06-10 11:00:00", "2026-06-10T12:01:06Z", "x"],
    "duration": ["66", "", "0", "007", "1.5", "-1", "31622401", "31622400", "9999999999", "a"],
    "billed": ["61", "", "0", " 5 ", "61.2", "1e3"],
    "result": ["ANSWERED", "NO ANSWER", "", "OK", '"a\nb"'],
    "note": ["", "x", "a\tb", "\u2028"],
    "way": ["", "incoming", "OUTGOING", "sideways", "outgoing"],
    "leg": ["", "1", "TRUE", "yes", "0", "maybe"],
    "extra": ["", "x", "a,b"],
}  # fmt: skip
USUAL = {name: some[0] for name, some in CELLS.items()}


def items(read: Any, content: bytes, request: ReadRequest) -> list[Any]:
    """Return what a road makes of a file, the records by line, then the findings about the file; or how it refuses it."""
    try:
        found: list[Any] = []
        for item in read(open_stream(io.BytesIO(content), request.file), request):
            found += item.records(RULES) if isinstance(item, RecordColumns) else [item]
    except BillingError as error:
        return [str(error)]
    return sorted(found, key=lambda item: item.line or 10**9)


def alike(content: bytes, source: Source, zone: str = "Europe/Berlin", reader: Reader = MAPPED, **options: str) -> list[Any]:
    """Return what both roads make of a file."""
    told = TelecomSettings(source={"test": source})
    request = ReadRequest(file="calls.csv", source="test", zone=zone, settings=told, options=options)
    one_by_one = items(reader.read, content, request)
    by_columns = items(reader.read_columns, content, request)
    assert list(map(repr, by_columns)) == list(map(repr, one_by_one))
    return one_by_one


def mapping(**changes: Any) -> ColumnMapping:
    return ColumnMapping(**{"columns": COLUMNS, "record_id": ("id", "part"), **changes})


PLANS = [
    NumberPlan(),
    NumberPlan(
        country="49", area="30", international=("00", "011"), trunk="0", plain=Plain.NATIONAL, tech_prefixes=("7777#", "4")
    ),
    NumberPlan(country="49", international=("00",), plain=Plain.NATIONAL, short_digits=9, tech_prefixes=("", "7-7", "00")),
]


@given(
    st.lists(st.fixed_dictionaries({name: st.sampled_from([some[0]] * 12 + some) for name, some in CELLS.items()}), max_size=12),
    st.sampled_from(PLANS),
    st.sampled_from([Start.SETUP, Start.ANSWER]),
    st.sampled_from([Direction.OUTGOING, Direction.INCOMING]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\n\n", "short,line\n", "\x00", '"open']),
)
@settings(max_examples=examples(150), deadline=None)
def test_any_file_is_read_alike(
    rows: list[dict[str, str]], plan: NumberPlan, start: Start, way: Direction, end: str, tail: str
) -> None:
    text = end.join([",".join(NAMES), *(",".join(row[name] for name in NAMES) for row in rows), tail])
    source = Source(numbers=plan, start=start, direction=way, mapping=mapping())
    alike(text.encode("utf-8", "surrogatepass"), source)


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": {"caller": "caller", "called": "called", "start": "start", "billed": "billed"}},
        {"columns": {"caller": "caller", "called": "called", "start": "start", "duration": "duration"}, "answered": ("OK",)},
        {"columns": {**COLUMNS, "answer": "start"}, "record_id": ("id",)},
        {"time_format": "%Y-%m-%d %H:%M:%S"},
        {"time_format": "epoch"},
        {"per_second": 1000},
        {"delimiter": ";"},
        {"delimiter": "ä"},
        {"columns": {"caller": "3", "called": "4", "start": "5", "billed": "9"}, "record_id": ("1",), "header": False},
        {"columns": {**COLUMNS, "caller": "nowhere"}},
    ],
)
def test_any_mapping_is_read_alike(changes: dict[str, Any]) -> None:
    mapped = mapping(**changes)
    rows = [
        [*USUAL.values()],
        *([value if name == other else USUAL[name] for name in NAMES] for other in NAMES for value in CELLS[other]),
    ]
    text = "\n".join([*([",".join(NAMES)] if mapped.header else []), *(",".join(row) for row in rows)])
    for encoding in ("utf-8", "latin-1", "utf-16", "nonsense"):
        source = Source(mapping=mapped, encoding=encoding)
        alike(text.replace(",", mapped.delimiter).encode(), source, "UTC")


ASTERISK_LINE = (
    '"","493023125100","4989231250","ctx","""Ring"" <1>","a","b","Dial","x,60","2026-06-10 12:00:00","2026-06-10 12:00:05",'
    '"2026-06-10 12:01:06",66,61,"ANSWERED","DOC","id-1",""'
)
FREESWITCH_LINE = (
    "Ada,493023125100,4989231250,ctx,2026-06-10 12:00:00,,2026-06-10 12:01:06,66,61,NORMAL_CLEARING,u1,,acc,PCMA,PCMA"
)


LINES = [ASTERISK_LINE, ASTERISK_LINE.replace('""Ring"" ', ""), ASTERISK_LINE.replace('"', ""), FREESWITCH_LINE]


@pytest.mark.parametrize("reader", [ASTERISK, FREESWITCH])
@pytest.mark.parametrize("line", LINES)
def test_files_of_switches_are_read_alike(reader: Reader, line: str) -> None:
    changed = [line.replace(*pair) for pair in (("66", "67"), ("493023125100", "x"), ("12:00", "25:00"))]
    others = [*changed, line[:40], "", f"{line},more"]
    for lines in ([line, *others, line], [line[:40], line], [line.replace("id-1", f"id-{number}") for number in range(9)]):
        for options in ({}, {"template": "asterisk"}, {"seventeenth": "userfield"}, {"template": "other"}):
            alike("\n".join(lines).encode(), Source(), reader=reader, **options)


def test_plain_lines_become_columns_and_only_the_others_objects() -> None:
    row = ",".join(USUAL[name] for name in NAMES)
    text = "\n".join([",".join(NAMES), *([row] * 5), row.replace("2026-06-10 12:00:00", "never"), ""])
    request = ReadRequest(file="f", source="test", settings=TelecomSettings(source={"test": Source(mapping=mapping())}))
    assert MAPPED.read_columns is not None
    columns, bad = MAPPED.read_columns(io.BytesIO(text.encode()), request) or []
    assert isinstance(columns, RecordColumns)
    assert isinstance(bad, BadRecord)
    assert columns.frame.height == 5
    assert bad.line == 7


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"a,b\n", b"x" * 2_000_000])
def test_files_that_are_none_are_refused_alike(content: bytes) -> None:
    alike(content, Source(mapping=mapping()))
