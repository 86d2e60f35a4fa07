"""NEM12 by columns and record by record: the same days, the same bad records, the same findings, coverage and refusals."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from billing_utility_metering.formats.nem12_reader import NEM12
from billing_utility_metering.kinds import INTERVAL_DAY
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from billing_framework import BillingError, Coverage, ReadRequest, RecordColumns, Usage
from billing_framework.usage.columnar import line_blocks
from billing_framework.usage.requirements import kind_rules
from tests.properties import examples

RULES = kind_rules({INTERVAL_DAY.name: INTERVAL_DAY})[INTERVAL_DAY.name]
HEADER = "100,NEM12,202607040900,MDP1,RETAIL1"
COUNTS = {"30": 48, "60": 24, "15": 96}

VALUES = ["0", "1", "0.5", "0.150", "12.25", "00.10", "7.", "123456789012345", "0.123456789"]
HOSTILE = ["", "-1", "+1", ".5", ".", "1.2.3", "1..", " 2", "1 2", "1e3", "x", "A", '"1"', "1234567890123456", "0.1234567890",
           "999999999999999.123456789", "\u0663", "1/2", "1:2"]  # fmt: skip
TAILS = ["A,,,20260702010000,", "S14,53,Missing data,20260702010000,20260703", "E52,,,,", "A,,, 20260702,", "F,,,202607020100,"]
ODD_TAILS = ["N,,,20260702010000,", "V,,,20260702010000,", "X,,,,", ",,,,", "A", "A,,,2026,", "A,,,,,,", "A,1.5,a.b,,",
             "A,,,20269902010000,", "1,,,,", "A,,,"]  # fmt: skip
DATES = ["20260701", "20260702", "20260703", "20260704"]
ODD_DATES = ["2026070100", "20260732", "202607011200", " 20260701", "18990101", "", "2026.701", "2026,701"]
OTHERS = ["400,1,20,A,,", "400,21,48,S14,53,Missing", "500,O,,20260701,1", "", " ", "200,,E1,1,E1,N1,S,kWh,30,", "900", "999,x",
          "abc", "300,", "300", "200,41,E1,1,E1,N1,S,kWh,7,", "200,41,E1,1,E1,N1,S,bushel,30,", HEADER, "900\n" + HEADER,
          "300,20260701,1,A,,,,", f"500,{DATES[2]},{'1,' * 24}A,,,,", "\u00e9", " 400,1,20,A,,", "\n400,1,20,A,,"]  # fmt: skip
VALUE, TAIL, ODD_TAIL, DATE = map(st.sampled_from, (VALUES, TAILS, ODD_TAILS, DATES))
ODD_DATE, OTHER = st.sampled_from(ODD_DATES), st.sampled_from(OTHERS)


@st.composite
def day(draw: st.DrawFn, count: int, dates: st.SearchStrategy[str]) -> str:
    """Return a 300 record; most are plain."""
    is_odd = draw(st.integers(0, 3)) == 0
    values = draw(st.lists(VALUE, min_size=3, max_size=3)) * (count // 3)
    if is_odd and draw(st.booleans()):
        values[draw(st.integers(0, count - 1))] = draw(st.sampled_from(HOSTILE))
    if is_odd and draw(st.integers(0, 5)) == 0:
        values = values[: draw(st.integers(0, count))] + draw(st.lists(VALUE, max_size=3))
    date = draw(ODD_DATE) if is_odd and draw(st.integers(0, 2)) == 0 else draw(dates)
    tail = draw(ODD_TAIL) if is_odd and draw(st.booleans()) else draw(TAIL)
    return f"300,{date},{','.join(values)},{tail}"


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Return a file of some channels, now and then with lines that have no place there."""
    lines = [HEADER]
    for _ in range(draw(st.integers(0, 4))):
        point, suffix, minutes = (
            draw(st.sampled_from("AB")),
            draw(st.sampled_from(["E1", "B1"])),
            draw(st.sampled_from(list(COUNTS))),
        )
        lines.append(f"200,{point},{suffix},1,{suffix},N1,S,kWh,{minutes},20260801")
        in_order = draw(st.booleans())
        for place in range(draw(st.integers(0, 4))):
            lines.append(draw(day(COUNTS[minutes], st.just(DATES[place]) if in_order else DATE)))
            if draw(st.integers(0, 6)) == 0:
                lines.append(draw(OTHER))
    lines += ["900"] * (draw(st.integers(0, 9)) > 0)
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return (end.join(lines) + end * draw(st.booleans())).encode()


def items(read: Any, content: bytes, **options: str) -> list[str]:
    """Return what a road makes of a file, the records by line, then all else as it comes; or how it refuses it."""
    found: list[Any] = []
    request = ReadRequest(file="meters.csv", source="test", options=options)
    try:
        for item in read(io.BytesIO(content), request):
            found += item.records(RULES) if isinstance(item, RecordColumns) else [item]
    except BillingError as error:
        return [str(error)]
    return list(map(repr, sorted(found, key=lambda item: item.line if isinstance(item, Usage) else 10**9)))


def alike(content: bytes, **options: str) -> None:
    """Prove that both roads make the same of a file."""
    assert items(NEM12.read_columns, content, **options) == items(NEM12.read, content, **options)


@pytest.mark.parametrize("size", [60, 700, 3 << 20])
@given(content=files())
@settings(max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(content=b"")
@example(content=HEADER.encode())
def test_files_good_and_bad(content: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_blocks, "BLOCK_BYTES", size)
    alike(content)
    alike(content, header="lenient", market_time="-05:00")


BYTES = st.sampled_from([b"", b"\0", b"\xff", b"-", b",", b"9" * 30, b"\n", b"\r", b"V", b".", b" ", b"100", b"900", b'"'])


@given(damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), BYTES), min_size=1, max_size=3))
@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files(damage: list[tuple[float, int, bytes]], data: Path) -> None:
    content = (data / "nem12_three_days.csv").read_bytes()
    for place, length, replacement in damage:
        start = int(place * len(content))
        content = content[:start] + replacement + content[start + length :]
    alike(content)


def with_one_odd(values: list[str] | None = None, *, date: str = DATES[1], tail: str = TAILS[0], then: str = "") -> bytes:
    """Return a file of three days, the second of them odd."""
    plain = ["1", "0.25"] * 12
    first, last = (f"300,{one},{','.join(plain)},{TAILS[0]}" for one in (DATES[0], DATES[2]))
    days = [first, f"300,{date},{','.join(values or plain)},{tail}", *[then] * bool(then), last]
    return "\n".join([HEADER, "200,A,E1,1,E1,N1,S,kWh,60,", *days, "900", ""]).encode()


@pytest.mark.parametrize("place", [0, 7, 23])
@pytest.mark.parametrize("value", VALUES + HOSTILE)
def test_each_odd_value(value: str, place: int) -> None:
    for rest in ("1", "0.25"):
        alike(with_one_odd([value if number == place else rest for number in range(24)]))


@pytest.mark.parametrize("date", [*DATES, *ODD_DATES])
def test_each_odd_date(date: str) -> None:
    alike(with_one_odd(date=date))


@pytest.mark.parametrize("tail", TAILS + ODD_TAILS)
def test_each_odd_tail(tail: str) -> None:
    alike(with_one_odd(tail=tail))


@pytest.mark.parametrize("then", OTHERS)
def test_each_line_after_a_plain_day(then: str) -> None:
    alike(with_one_odd(then=then))


@pytest.mark.parametrize(
    "name", ["actual_interval", "upper_case_units", "multiple_quality", "multiple_meters", "incomplete_interval"]
)
def test_the_samples_of_others(name: str, sample: Callable[[str], Path]) -> None:
    alike(sample(f"nem/Example_NEM12_{name}.csv").read_bytes())


def test_plain_days_become_columns() -> None:
    values = "0.150,12.25,7,0.5," * 24
    days = [f"300,202607{number:02},{values}A,,,20260801010000," for number in range(1, 31)]
    content = "\n".join([HEADER, "200,A,E1,1,E1,N1,S,kWh,15,", *days, "900"]).encode()
    assert NEM12.read_columns is not None
    columns, coverage = NEM12.read_columns(io.BytesIO(content), ReadRequest(file="f", source="s")) or [None, None]
    assert isinstance(columns, RecordColumns)
    assert columns.frame.height == 30
    assert isinstance(coverage, Coverage)


def test_a_zip_or_a_mark_of_another_encoding_is_read_as_ever() -> None:
    alike("\ufeff".encode() + HEADER.encode() + b"\n900")
    alike(b"%PDF-1.4\n")
    alike((HEADER + "\n900\n").encode("utf-16"))
