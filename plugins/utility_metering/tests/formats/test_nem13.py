import json
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from billing_utility_metering.formats.nem13 import NEM13
from billing_utility_metering.kinds import Flow

from billing_framework import BadRecord, Finding, InputRefused, Usage

Read = Callable[..., list[Any]]
LINE = "250,P1,11,1,11,11,SN,E,100,20260401,A,,,150,20260701,A,,,50,kWh,,20260702100000,"
MARKET = timedelta(hours=10)


def nem(*lines: str) -> bytes:
    return "\r\n".join(("100,NEM13,202607040900,A,B", *lines, "900")).encode()


def test_the_sample_record_reads_as_published(data: Path, read: Read, sample: Callable[[str], Path]) -> None:
    vectors = json.loads((data / "vectors" / "utility.json").read_text())["vectors"]
    vector = next(vector for vector in vectors if vector["id"] == "nem13-250")
    expected = vector["expected"]
    for content in (nem(vector["input"]["line"]), sample("nem/Example_NEM13_consumption_data.csv")):
        (usage,) = read(NEM13, content)
        assert usage.body.quantity == Fraction(expected["quantity"])
        assert usage.span.start + MARKET == datetime.fromisoformat(expected["start"] + "+00:00")
        assert usage.span.end + MARKET == datetime.fromisoformat(expected["end"] + "+00:00")
        assert usage.body.current_quality == expected["quality"]


def test_own_file_tells_where_quantity_and_reads_disagree(read: Read, data: Path) -> None:
    items = read(NEM13, data / "nem13_reads.csv")
    plain, rolled, received = (item for item in items if isinstance(item, Usage))
    assert (plain.body.quantity, plain.body.previous_value) == (110, Fraction("1200.5"))
    assert (rolled.body.quantity, rolled.body.current_quality) == (50, "E64")
    assert (received.body.quantity, received.body.flow) == (2400, Flow.RECEIVED)
    findings = [item for item in items if isinstance(item, Finding)]
    assert [(finding.code, finding.line, finding.stops) for finding in findings] == [("UTIL11", 4, False), ("UTIL11", 5, False)]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (LINE.replace(",E,100,", ",X,100,"), "UTIL04"),
        (LINE.replace(",50,kWh", ",,kWh"), "UTIL04"),
        (LINE.replace(",50,kWh", ",-50,kWh"), "UTIL07"),
        (LINE.replace(",50,kWh", ",50,mile"), "UTIL06"),
        (LINE.replace("20260701", "20260301"), "UTIL04"),
        (LINE.replace(",A,,,150", ",B,,,150"), "UTIL04"),
        (LINE.replace("20260702100000", "soon"), "UTIL04"),
        (LINE.replace("P1", ""), "UTIL04"),
        ("300,20260701,1", "UTIL04"),
    ],
)
def test_a_bad_record_is_kept_with_place_and_remedy(line: str, code: str, read: Read) -> None:
    (bad,) = read(NEM13, nem(line))
    assert isinstance(bad, BadRecord)
    (finding,) = bad.findings
    assert (finding.code, finding.line, bool(finding.remedy)) == (code, 2, True)


def test_a_cut_file_is_refused(read: Read) -> None:
    with pytest.raises(InputRefused, match="UTIL02"):
        read(NEM13, nem(LINE)[:-5])
