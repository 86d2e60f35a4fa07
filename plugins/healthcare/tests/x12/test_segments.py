import io
from collections.abc import Callable
from typing import Any

import pytest
from billing_healthcare.x12.envelope import Transaction, transactions
from billing_healthcare.x12.number import is_npi, read_amount, read_day
from billing_healthcare.x12.segment import Segment, read_segments

from billing_framework import InputRefused, exact_text

Make = Callable[..., Any]
ISA = "ISA*00*          *00*          *ZZ*SUBMITTER01    *ZZ*RECEIVER01     *261121*1200*^*00501*000000001*0*T*:~"
SMALL = f"{ISA}GS*HP*A*B*20261121*1200*1*X*V~ST*835*0001~BPR*I*1~SE*3*0001~GE*1*1~IEA*1*000000001~"


class Slow(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def read(self, _size: int | None = -1) -> bytes:
        return super().read(7)


def read(text: str) -> list[Segment]:
    return list(read_segments(io.BytesIO(text.encode()), file="file"))


def test_segments_do_not_depend_on_how_the_stream_is_cut() -> None:
    text = (SMALL + "\r\n" + SMALL).encode()
    assert list(read_segments(Slow(text), file="file")) == read(text.decode())


def test_elements_are_named_by_their_number() -> None:
    segment = Segment("SVC", ("HC:G0438:25", "", " 10 "), 1)
    assert (segment.at(1), segment.at(2), segment.at(3), segment.at(9)) == ("HC:G0438:25", "", "10", "")
    assert (segment.part(1, 2), segment.part(1, 3), segment.part(1, 4)) == ("G0438", "25", "")
    assert "G0438" not in repr(segment)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("ISA*00*", "ISB*00*", "HEALTH01"),
        ("*ZZ*SUBMITTER01    *", "*ZZ*SUBMITTER01*", "HEALTH01"),
        ("*T*:~", "*T**~", "HEALTH01"),
        ("*T*:~", "*T*A~", "HEALTH01"),
        ("IEA*1*000000001~", "IEA*1*000000001", "HEALTH01"),
        ("GE*1*1~", "", "HEALTH02"),
        ("SE*3*0001~", "", "HEALTH02"),
        ("ST*835*0001~", "", "HEALTH02"),
        ("GS*HP*A*B*20261121*1200*1*X*V~", "", "HEALTH02"),
        ("IEA*1*000000001~", "", "HEALTH02"),
        ("IEA*1*000000001~", f"{ISA}", "HEALTH02"),
    ],
)
def test_broken_interchanges_are_refused(old: str, new: str, code: str) -> None:
    assert old in SMALL
    with pytest.raises(InputRefused, match=code):
        list(transactions(read(SMALL.replace(old, new, 1)), file="file"))


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("SE*3*", "SE*4*", "SE01"),
        ("SE*3*0001", "SE*3*0002", "SE02"),
        ("GE*1*1", "GE*x*1", "GE01"),
        ("GE*1*1", "GE*1*9", "GE02"),
        ("IEA*1*", "IEA**", "IEA01"),
        ("IEA*1*000000001", "IEA*1*1", "IEA02"),
    ],
)
def test_wrong_counts_and_numbers_are_told(old: str, new: str, field: str) -> None:
    found = list(transactions(read(SMALL.replace(old, new, 1)), file="file"))
    assert [one.field for one in found if not isinstance(one, Transaction)] == [field]


def test_many_sets_of_many_groups_are_normal() -> None:
    group = "GS*HP*A*B*20261121*1200*1*X*V~" + "ST*835*0001~SE*2*0001~" * 100 + "GE*100*1~"
    found = list(transactions(read(ISA + group * 2 + "IEA*2*000000001~"), file="file"))
    assert len(found) == 200
    assert all(isinstance(one, Transaction) for one in found)


def test_a_segment_without_end_is_refused() -> None:
    with pytest.raises(InputRefused, match="HEALTH01"):
        read(ISA + "A" * 300_000)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("131.4", "131.4"),
        ("-0.50", "-0.5"),
        (".5", "0.5"),
        ("10.", "10"),
        ("0", "0"),
        ("", None),
        ("9" * 18, None),
        ("1e3", None),
        ("1,0", None),
        ("٣", None),
    ],
)
def test_amounts_are_read_exactly(text: str, wanted: str | None) -> None:
    found = read_amount(text)
    assert (None if found is None else exact_text(found)) == wanted


def test_days_and_provider_numbers() -> None:
    assert str(read_day("20261102")) == "2026-11-02"
    assert [read_day(text) for text in ("20261302", "2026110", "٢0261102", "")] == [None] * 4
    assert [is_npi(text) for text in ("9900000016", "9900000017", "990000001", "", "99000000a6")] == [
        True,
        False,
        False,
        False,
        False,
    ]
