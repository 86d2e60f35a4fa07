from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from billing_utility_metering.formats.register_csv import REGISTER_CSV
from billing_utility_metering.kinds import ReadQuality

from billing_framework import BadRecord, InputRefused, Usage

Read = Callable[..., list[Any]]
HEADER = "point,meter,register,read_at,value,unit,quality\n"


def test_own_file_reads_exactly(read: Read, data: Path) -> None:
    usages = read(REGISTER_CSV, data / "registers.csv", zone="Europe/Zurich")
    assert [usage.body.value for usage in usages] == [37761, 37867, Fraction("120.5"), Fraction("140.75")]
    assert [usage.span.start.isoformat() for usage in usages] == [
        "2026-05-31T22:00:00+00:00",
        "2026-06-29T22:00:00+00:00",
        "2026-06-01T06:30:00+00:00",
        "2026-07-01T06:30:00+00:00",
    ]
    assert [usage.body.quality.value for usage in usages] == ["actual", "actual", "estimated", "customer"]
    assert [usage.body.unit for usage in usages] == ["kWh", "kWh", "m3", "m3"]


def test_columns_can_be_named_and_ignored(read: Read) -> None:
    content = b"Zaehler;Datum;Stand;Strasse\nZ1;2026-01-01;1.234,5;Weg\nZ1;2026-01-31;1234,5;Weg\n"
    items = read(
        REGISTER_CSV, content, delimiter="semicolon", decimal="comma", unit="m3", ignore="Strasse",
        column__point="Zaehler", column__read_at="Datum", column__value="Stand",
    )  # fmt: skip
    bad, usage = items
    assert isinstance(bad, BadRecord)
    assert (usage.subject, usage.body.register, usage.body.value, usage.body.unit) == ("Z1", "1", Fraction("1234.5"), "m3")
    assert usage.body.quality is ReadQuality.ACTUAL


def test_a_better_reading_of_one_instant_is_a_newer_version(read: Read) -> None:
    rows = "".join(
        f"P,M,1,2026-01-01,{value},kWh,{quality}\n" for value, quality in ((5, "estimated"), (6, "actual"), (7, "final"))
    )
    usages = read(REGISTER_CSV, (HEADER + rows).encode())
    assert len({usage.slot for usage in usages}) == 1
    assert len({usage.external_id for usage in usages}) == 3
    assert [usage.version for usage in usages] == sorted(usage.version for usage in usages)


def test_a_row_takes_a_reading_back(read: Read) -> None:
    header = b"point,meter,register,read_at,value,unit,version,deleted\n"
    given, gone, back = read(
        REGISTER_CSV, header + b"P,M,1,2026-01-01,5,kWh,3,\nP,M,1,2026-01-01,,,10,yes\nP,M,1,2026-01-01,6,kWh,11,no\n"
    )
    assert given.slot == gone.slot == back.slot
    assert [(one.version, one.deleted) for one in (given, gone, back)] == [(3, False), (10, True), (11, False)]
    assert (given.body.value, gone.body, back.body.value) == (5, None, 6)
    (bad,) = read(REGISTER_CSV, header + b"P,M,1,2026-01-01,,,10,perhaps\n")
    assert (bad.findings[0].code, bad.findings[0].field) == ("UTIL04", "deleted")


def test_what_is_taken_back_needs_a_version(read: Read) -> None:
    with pytest.raises(InputRefused, match="columns are missing: version"):
        read(REGISTER_CSV, b"point,read_at,value,unit,deleted\nP,2026-01-01,5,kWh,yes\n")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("P,M,1,2026-01-01,5,kWh", "UTIL04"),
        (",M,1,2026-01-01,5,kWh,A", "UTIL04"),
        ("P,M,1,01.02.2026,5,kWh,A", "UTIL04"),
        ("P,M,1,2026-02-30,5,kWh,A", "UTIL04"),
        ("P,M,1,2026-01-01T25:00,5,kWh,A", "UTIL04"),
        ("P,M,1,2026-01-01,-5,kWh,A", "UTIL07"),
        ("P,M,1,2026-01-01,5e3,kWh,A", "UTIL04"),
        ("P,M,1,2026-01-01,5,bushel,A", "UTIL06"),
        ("P,M,1,2026-01-01,5,kWh,guess", "UTIL04"),
        ('P,M,1,2026-01-01,"5,kWh,A', "UTIL04"),
    ],
)
def test_a_bad_row_is_kept_with_place_and_remedy(row: str, code: str, read: Read) -> None:
    (bad,) = read(REGISTER_CSV, (HEADER + row + "\n").encode())
    (finding,) = bad.findings
    assert (finding.code, finding.line, bool(finding.remedy)) == (code, 2, True)
    assert bad.raw == row


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (b"", {}, "UTIL01"),
        (b"\n\n", {}, "UTIL16"),
        (b"point,read_at,vlaue,unit\n", {}, "UTIL16"),
        (b"point,read_at,value,unit,colour\n", {}, "UTIL16"),
        (b"point,read_at,value,value\n", {"unit": "kWh"}, "UTIL16"),
        (b"point,read_at,value\n", {}, "UTIL16"),
        (b"point,read_at,value\n", {"unit": "bushel"}, "UTIL16"),
        (b'point,"read_at,value,unit\n', {}, "UTIL16"),
        (b"point,read_at,value,unit\n", {"column__quality": "Q"}, "UTIL16"),
        (b"point,read_at,value,unit\n", {"delimiter": ";"}, "UTIL17"),
        (b"point,read_at,value,unit\n", {"colunm": "Q"}, "UTIL17"),
    ],
)
def test_a_wrong_header_or_option_refuses_the_file(content: bytes, options: dict[str, str], code: str, read: Read) -> None:
    with pytest.raises(InputRefused, match=code) as caught:
        read(REGISTER_CSV, content, **options)
    assert caught.value.remedy


def test_the_rows_keep_their_line_numbers(read: Read, data: Path) -> None:
    assert [usage.line for usage in read(REGISTER_CSV, data / "registers.csv") if isinstance(usage, Usage)] == [2, 3, 4, 5]


def test_a_local_time_that_the_clocks_skip_is_refused(read: Read) -> None:
    rows = "P,M,1,2026-03-29T02:30,5,kWh,actual\nP,M,1,2026-03-29T02:30+01:00,5,kWh,actual\n"
    bad, usage = read(REGISTER_CSV, (HEADER + rows).encode(), zone="Europe/Zurich")
    assert isinstance(bad, BadRecord)
    assert "does not exist" in bad.findings[0].what
    assert usage.span.start.isoformat() == "2026-03-29T01:30:00+00:00"
