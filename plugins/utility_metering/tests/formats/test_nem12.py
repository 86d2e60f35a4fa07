import io
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import pytest
from billing_utility_metering.formats.lines import LONGEST_LINE
from billing_utility_metering.formats.nem12_reader import NEM12
from billing_utility_metering.kinds import Flow, runs

from billing_framework import BadRecord, Coverage, Finding, InputRefused, Severity, Usage

Read = Callable[..., list[Any]]
Kind = TypeVar("Kind")
HEADER = "100,NEM12,202607040900,MDP1,RETAIL1"
CHANNEL = "200,4100000001,E1,1,E1,N1,SN1001,kWh,30,"


def day(date: str = "20260701", values: int = 48, value: str = "1", quality: str = "A", update: str = "20260702010000") -> str:
    return f"300,{date}," + f"{value}," * values + f"{quality},,,{update},"


def nem(*lines: str) -> bytes:
    return "\r\n".join((HEADER, *lines, "900")).encode()


def of(items: list[Any], kind: type[Kind]) -> list[Kind]:
    return [item for item in items if isinstance(item, kind)]


def sums(items: list[Any]) -> dict[str, tuple[Fraction, str, int]]:
    result: dict[str, tuple[Fraction, str, int]] = {}
    for usage in of(items, Usage):
        body, name = usage.body, f"{usage.subject}/{usage.body.channel}"
        total, _, count = result.get(name, (Fraction(0), "", 0))
        result[name] = (
            total + Fraction(sum(body.values), 10**body.scale),
            body.unit,
            count + len(body.values) - len(body.missing),
        )
    return result


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("actual_interval", {"VABD000163/E1": ("53.328", "kWh", 48), "VABD000163/Q1": ("106.656", "kvarh", 48)}),
        ("upper_case_units", {"VABD000163/E1": ("53.328", "kWh", 48), "VABD000163/Q1": ("106.656", "kvarh", 48)}),
        ("multiple_quality", {"CCCC123456/E1": ("896.990", "kWh", 48)}),
        (
            "multiple_meters",
            {
                "NCDE001111/E1": ("1920", "Wh", 192),
                "NCDE001111/B1": ("1920", "Wh", 192),
                "NCDE001111/E2": ("19200", "Wh", 192),
                "NCDE001111/Q1": ("9600", "varh", 192),
                "NDDD001888/B1": ("3840", "Wh", 192),
                "NDDD001888/K2": ("9600", "varh", 192),
            },
        ),
        ("incomplete_interval", {"VABD000163/E1": ("53.328", "kWh", 48), "VABD000163/Q1": ("213.312", "kvarh", 96)}),
    ],
)
def test_the_samples_of_others_give_the_published_sums(
    name: str, expected: dict[str, tuple[str, str, int]], read: Read, sample: Callable[[str], Path]
) -> None:
    items = read(NEM12, sample(f"nem/Example_NEM12_{name}.csv"))
    assert sums(items) == {channel: (Fraction(total), unit, count) for channel, (total, unit, count) in expected.items()}


def test_a_day_without_values_is_bad_and_leaves_a_gap(read: Read, sample: Callable[[str], Path]) -> None:
    items = read(NEM12, sample("nem/Example_NEM12_incomplete_interval.csv"))
    (bad,) = of(items, BadRecord)
    assert (bad.line, bad.findings[0].code) == (3, "UTIL05")
    first, second = of(items, Coverage)
    assert (first.subject, first.expected, first.received) == ("VABD000163/E1", 96, 48)
    assert [gap.start.isoformat() for gap in first.missing] == ["2004-01-31T14:00:00+00:00"]
    assert (second.expected, second.received, second.missing) == (96, 96, ())
    assert [(finding.code, finding.stops) for finding in of(items, Finding)] == [("UTIL09", True)]


def test_a_missing_header_refuses_the_file_unless_told_to_go_on(read: Read, sample: Callable[[str], Path]) -> None:
    path = sample("nem/Example_NEM12_missing_header.csv")
    with pytest.raises(InputRefused, match="UTIL03"):
        read(NEM12, path)
    items = read(NEM12, path, header="lenient")
    assert [usage.body.channel for usage in of(items, Usage)] == ["E1", "Q1"]
    assert [(finding.code, finding.severity) for finding in of(items, Finding)] == [("UTIL03", Severity.INFORMATION)]


def test_own_file_with_revision_varying_quality_and_both_directions(read: Read, data: Path) -> None:
    items = read(NEM12, data / "nem12_three_days.csv")
    usages = of(items, Usage)
    assert [(usage.body.channel, usage.body.flow) for usage in usages[::3]][:2] == [("E1", Flow.DELIVERED), ("B1", Flow.RECEIVED)]
    assert usages[1].body.qualities == "A*20,S14*20,F14*8"
    assert usages[0].span.start.isoformat() == "2026-06-30T14:00:00+00:00"
    revised = [usage for usage in usages if usage.slot == "4100000001/B1/20260702"]
    assert [usage.version for usage in revised] == [20260704010000, 20260705010000]
    assert len({usage.external_id for usage in usages}) == len(usages)
    assert [finding.code for finding in of(items, Finding)] == ["UTIL10"]
    assert [(each.expected, each.received) for each in of(items, Coverage)] == [(144, 144), (144, 144)]


def test_a_zipped_file_reads_like_the_file(read: Read, data: Path) -> None:
    plain = (data / "nem12_three_days.csv").read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.csv", plain)
    assert read(NEM12, packed.getvalue()) == read(NEM12, plain)
    with pytest.raises(InputRefused, match="UTIL01"):
        read(NEM12, packed.getvalue()[:-40])
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("more.csv", plain)
    with pytest.raises(InputRefused, match="2 files instead of one"):
        read(NEM12, packed.getvalue())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "UTIL01"),
        (b"\n\r\n", "UTIL02"),
        (nem(CHANNEL, day())[:-5], "UTIL02"),
        (nem(CHANNEL, day()) + b"\r\n300,20260702", "UTIL02"),
        (b"100,NEM13,202607040900,A,B\r\n900", "UTIL03"),
        (nem(CHANNEL, day()).decode().encode("utf-16"), "UTIL01"),
        (nem(CHANNEL, day()).replace(b"SN1001", b"SN\xff01"), "UTIL01"),
        (nem(CHANNEL, day()).replace(b"SN1001", b"SN\x0001"), "UTIL01"),
        (b"100,NEM12," + b"9" * (LONGEST_LINE + 1) + b"\r\n900", "UTIL01"),
        (b"9" * (2 * LONGEST_LINE), "UTIL01"),
        (b"\x1f\x8b\x08\x00 gzip", "UTIL01"),
        (b"PK\x03\x04 no archive", "UTIL01"),
    ],
    ids=["empty", "blank", "cut", "after-end", "nem13", "utf16", "latin1", "zero", "long-line", "no-line-end", "gzip", "zip"],
)
def test_what_is_no_complete_file_is_refused_as_a_whole(content: bytes, code: str, read: Read) -> None:
    with pytest.raises(InputRefused, match=code) as caught:
        read(NEM12, content)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((day(),), "UTIL04"),
        (("200,4100000001,E1,1,E1,N1,SN1001,furlong,30,", day()), "UTIL06"),
        (("200,4100000001,E1,1,E1,N1,SN1001,,30,", day()), "UTIL06"),
        (("200,,E1,1,E1,N1,SN1001,kWh,30,", day()), "UTIL04"),
        (("200,4100000001,E1,1,E1,N1,SN1001,kWh,7,", day()), "UTIL04"),
        ((CHANNEL, day(values=47)), "UTIL05"),
        ((CHANNEL, day(values=49)), "UTIL05"),
        ((CHANNEL, day(quality="Z9")), "UTIL05"),
        ((CHANNEL, day(value="-0.5")), "UTIL07"),
        ((CHANNEL, day(value="1e3")), "UTIL04"),
        ((CHANNEL, day(value="x")), "UTIL04"),
        ((CHANNEL, day(value="1 000")), "UTIL04"),
        ((CHANNEL, day(date="20260231")), "UTIL04"),
        ((CHANNEL, day(update="yesterday")), "UTIL04"),
        ((CHANNEL, day(quality="A"), "400,1,48,F14,,"), "UTIL08"),
        ((CHANNEL, day(quality="V"), "400,1,49,F14,,"), "UTIL08"),
        ((CHANNEL, day(quality="V"), "400,1,20,F14,,", "400,20,48,A,,"), "UTIL08"),
        ((CHANNEL, day(quality="V"), "400,20,1,F14,,"), "UTIL08"),
        ((CHANNEL, "777,what"), "UTIL04"),
        ((CHANNEL, "hello"), "UTIL04"),
        (("400,1,48,A,,",), "UTIL04"),
    ],
)
def test_a_bad_record_is_kept_with_place_and_remedy(lines: tuple[str, ...], code: str, read: Read) -> None:
    items = read(NEM12, nem(*lines))
    bad = of(items, BadRecord)
    assert code in {finding.code for record in bad for finding in record.findings}
    assert all(record.line and record.raw and record.findings[0].remedy and record.findings[0].file == "file" for record in bad)
    assert not of(items, Usage)


def test_empty_values_null_qualities_and_days_between_are_gaps(read: Read) -> None:
    first = day().replace("300,20260701,1,", "300,20260701,,")
    items = read(NEM12, nem(CHANNEL, first, day(date="20260703", quality="V"), "400,1,2,N,,", "400,3,48,A,,"))
    one, other = of(items, Usage)
    assert (one.body.missing, one.body.qualities) == ((0,), "-*1,A*47")
    assert (other.body.missing, other.body.values[:3]) == ((0, 1), (0, 0, 1))
    (coverage,) = of(items, Coverage)
    assert (coverage.expected, coverage.received) == (144, 93)
    assert [gap.seconds // 1800 for gap in coverage.missing] == [1, 50]
    assert sum(finding.stops for finding in of(items, Finding)) == 2


def test_blanks_trailing_commas_and_concatenated_files_are_understood(read: Read) -> None:
    one = nem("200, 4100000001 ,E1,1,E1,N1,SN1001, KWH ,30,,,", day(date=" 20260701 ", update=" 202607020100") + ",,")
    items = read(NEM12, one + b"\r\n" + nem(CHANNEL, day(date="20260702")))
    assert [usage.slot for usage in of(items, Usage)] == ["4100000001/E1/20260701", "4100000001/E1/20260702"]
    assert of(items, Usage)[0].version == 20260702010000
    assert not of(items, BadRecord)


def test_values_are_exact_and_equal_content_is_equal_however_it_is_written(read: Read) -> None:
    plain, padded = read(NEM12, nem(CHANNEL, day(value="0.1"))), read(NEM12, nem(CHANNEL, day(value="000.100")))
    assert of(plain, Usage) == of(padded, Usage)
    assert (of(plain, Usage)[0].body.scale, of(plain, Usage)[0].body.values[0]) == (1, 1)


def test_market_time_and_units_can_be_told(read: Read) -> None:
    items = read(NEM12, nem("200,4100000001,E1,1,E1,N1,SN1001,,30,", day()), market_time="+09:30", empty_unit="kWh")
    assert of(items, Usage)[0].span.start.isoformat() == "2026-06-30T14:30:00+00:00"
    with pytest.raises(InputRefused, match="UTIL17"):
        read(NEM12, nem(CHANNEL, day()), market_time="Sydney")
    with pytest.raises(InputRefused, match="UTIL17.*Known are: header"):
        read(NEM12, nem(CHANNEL, day()), haeder="lenient")


def test_uncovered_intervals_of_a_varying_day_are_told(read: Read) -> None:
    items = read(NEM12, nem(CHANNEL, day(quality="V"), "400,1,10,A,,"))
    assert list(runs(of(items, Usage)[0].body.qualities)) == [("A", 10), ("V", 38)]
    assert [finding.code for finding in of(items, Finding)] == ["UTIL08"]


def test_equal_days_below_two_refused_channels_are_two_records(read: Read) -> None:
    refused = [f"200,41000000{number},E1,1,E1,N1,SN1001,furlong,30," for number in ("01", "02")]
    items = read(NEM12, nem(refused[0], day(), refused[1], day()))
    days = [item for item in of(items, BadRecord) if item.raw.startswith("300")]
    assert len(days) == 2
    assert days[0].raw == days[1].raw
    assert days[0].findings[0].subject != days[1].findings[0].subject


def test_values_beyond_what_is_stored_are_told_as_such(read: Read) -> None:
    (bad,) = of(read(NEM12, nem(CHANNEL, day(value="999999999999999.999999999"))), BadRecord)
    assert (bad.findings[0].code, bad.findings[0].field) == ("UTIL04", "IntervalValue")
    assert "larger" in bad.findings[0].what


def test_a_lone_carriage_return_does_not_end_a_line(read: Read) -> None:
    with pytest.raises(InputRefused, match="carriage return"):
        read(NEM12, nem(CHANNEL, day()).replace(b"\r\n", b"\r"))
