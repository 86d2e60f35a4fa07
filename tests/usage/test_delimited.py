"""The delimited reader: made from a kind and column names; strict about everything."""

import io
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.usage.delimited import Layout, delimited_reader
from billing_framework.usage.file_stream import open_stream
from billing_framework.usage.reader import BadRecord, ReadItem, ReadRequest
from billing_framework.usage.record import Usage, UsageKind
from billing_framework.values.errors import ConfigurationError, InputRefused
from billing_framework.values.period import Span
from tests.usage.stays import STAY, Size, Stay

COLUMNS: dict[str, str | tuple[str, ...]] = {
    "external_id": ("gate", "ticket"),
    "subject": "card",
    "start": "entered",
    "minutes": "minutes",
    "fee": "fee",
    "size": "size",
    "day": "day",
}
HEADER = "gate,ticket,card,entered,minutes,fee,size,day"


def read(text: str | bytes, zone: str = "Europe/Berlin", **layout: Any) -> list[ReadItem]:
    reader = delimited_reader("stays", "Stays", Layout(kind=STAY, **{"columns": COLUMNS, **layout}))
    content = text.encode() if isinstance(text, str) else text
    request = ReadRequest(file="f.csv", source="gate", zone=zone)
    return list(reader.read(open_stream(io.BytesIO(content), "f.csv"), request))


def one(row: str, **layout: Any) -> ReadItem:
    (item,) = read(f"{HEADER}\n{row}\n", **layout)
    return item


def test_a_line_becomes_a_record() -> None:
    item = one("N,17,CARD-1,2026-07-01T08:30:00,45,1.50,large,2026-07-01")
    assert item == Usage(
        kind="stay",
        source="gate",
        external_id="N/17",
        subject="CARD-1",
        span=Span.at(datetime(2026, 7, 1, 6, 30, tzinfo=UTC)),
        body=Stay(minutes=45, fee=Fraction(3, 2), size=Size.LARGE, day=date(2026, 7, 1)),
    )
    assert isinstance(item, Usage)
    assert item.line == 2


def test_order_of_columns_blank_lines_quotes_and_byte_order_mark_do_not_matter() -> None:
    text = (
        '\ufeffticket,gate,card,entered,minutes,fee,size,day,note\n\n17,N,"CARD-1",2026-07-01T08:30+02:00, 45 ,,small,,"a\nb"\n'
    )
    (item,) = read(text, ignored=("note",))
    assert isinstance(item, Usage)
    assert (item.external_id, item.body.minutes, item.body.fee, item.line) == ("N/17", 45, None, 3)


def test_the_formats_of_a_country() -> None:
    text = HEADER.replace(",", ";") + "\nN;17;C;01.07.2026 08:30;45;1234,5;small;01.07.2026\n"
    (item,) = read(text, delimiter=";", decimal_comma=True, date_format="%d.%m.%Y", time_format="%d.%m.%Y %H:%M")
    assert isinstance(item, Usage)
    assert (item.body.fee, item.body.day, item.start.hour) == (Fraction(2469, 2), date(2026, 7, 1), 6)


BAD_CELLS = [
    ("N,17,,2026-07-01,45,,small,", "card", "Fill"),
    ("N,17,C,yesterday,45,,small,", "entered", "2026-07-31T"),
    ("N,17,C,2026-07-01,,,small,", "minutes", "Fill"),
    ("N,17,C,2026-07-01,4.5,,small,", "minutes", "digits"),
    ("N,17,C,2026-07-01,٤,,small,", "minutes", "digits"),
    ('N,17,C,2026-07-01,45,"1,5",small,', "fee", "point"),
    ("N,17,C,2026-07-01,45,1e3,small,", "fee", "point"),
    ("N,17,C,2026-07-01,45,1/3,small,", "fee", "point"),
    ("N,17,C,2026-07-01,45,,smal,", "size", "Did you mean 'small'?"),
    ("N,17,C,2026-07-01,45,,small,2026-02-30", "day", "2026-07-31"),
    ("N,17,C,2026-10-25T02:30:00,45,,small,", "entered", "offset"),
    ("N,17,C,2026-03-29T02:30:00,45,,small,", "entered", "offset"),
]


@pytest.mark.parametrize(("row", "field", "remedy"), BAD_CELLS)
def test_a_bad_cell_is_told_with_line_column_value_and_remedy(row: str, field: str, remedy: str) -> None:
    item = one(row)
    assert isinstance(item, BadRecord)
    (finding,) = item.findings
    assert (finding.code, finding.file, finding.line, finding.field) == ("USAGE25", "f.csv", 2, field)
    assert remedy in finding.remedy
    assert item.raw == row


def test_all_bad_cells_of_a_line_are_told() -> None:
    item = one("N,17,C,x,y,z,small,")
    assert isinstance(item, BadRecord)
    assert [finding.field for finding in item.findings] == ["entered", "minutes", "fee"]


def test_a_line_of_another_width_waits_and_the_others_go_on() -> None:
    items = read(f"{HEADER}\nN,1,C,2026-07-01\nN,2,C,2026-07-01,45,,small,\n")
    assert isinstance(items[0], BadRecord)
    assert items[0].findings[0].code == "USAGE24"
    assert isinstance(items[1], Usage)


REFUSED: list[tuple[str, str | bytes, str, str]] = [
    ("empty", "", "USAGE21", "header"),
    ("no header", "N,17,C,2026-07-01,45,,small,\n", "USAGE21", "header"),
    ("missing column", f"{HEADER.replace('minutes', 'minuts')}\n", "USAGE21", "Did you mean 'minuts'?"),
    ("unknown column", f"{HEADER},extra\n", "USAGE21", ""),
    ("doubled column", f"{HEADER},fee\n", "USAGE21", "once"),
    ("other delimiter", HEADER.replace(",", ";"), "USAGE21", "','"),
    ("open quote", f'{HEADER}\nN,17,"C,2026\n', "USAGE23", "quote"),
    ("latin-1", f"{HEADER}\nN,17,C\xe4".encode("latin-1"), "USAGE22", "utf-8"),
    ("utf-16", HEADER.encode("utf-16"), "USAGE22", "utf-8"),
    ("binary", bytes(range(256)), "USAGE2", ""),
    ("long line", HEADER.encode() + b"\n" + b"x" * 2_000_000, "USAGE11", "line ends"),
]


@pytest.mark.parametrize(("text", "code", "remedy"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_file_that_cannot_be_the_format_is_refused_whole(text: str | bytes, code: str, remedy: str) -> None:
    with pytest.raises(InputRefused, match=r"f\.csv") as caught:
        read(text)
    assert caught.value.code.startswith(code)
    assert remedy in caught.value.remedy
    assert "nothing of the file was taken in" in caught.value.remedy


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(content: bytes) -> None:
    try:
        items = read(HEADER.encode() + b"\n" + content)
    except InputRefused:
        return
    assert all(isinstance(item, Usage | BadRecord) for item in items)


@pytest.mark.parametrize(
    "columns",
    [
        {"external_id": "a", "subject": "b", "start": "c", "minutes": "d", "colour": "e"},
        {"external_id": "a", "subject": "b", "start": "c"},
        {"external_id": "a", "subject": "b", "minutes": "d"},
        {"external_id": "a", "subject": "b", "start": "c", "minutes": "d", "weights": "e"},
    ],
)
def test_a_layout_that_cannot_work_is_refused_when_it_is_made(columns: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        delimited_reader("stays", "Stays", Layout(kind=STAY, columns=columns))
    assert caught.value.code == "USAGE20"


def test_a_date_alone_is_its_local_midnight() -> None:
    item = one("N,17,C,2026-07-01,45,,small,")
    assert isinstance(item, Usage)
    assert item.start == datetime(2026, 6, 30, 22, tzinfo=UTC)


def test_an_end_makes_a_span() -> None:
    columns = {
        "external_id": "id",
        "subject": "card",
        "start": "from",
        "end": "to",
        "minutes": "min",
        "slot": "s",
        "version": "v",
    }
    items = read("id,card,from,to,min,s,v\n1,C,2026-07-01,2026-07-02,5,x,3\n2,C,2026-07-02,2026-07-01,5,,0\n", columns=columns)
    assert isinstance(items[0], Usage)
    assert items[0].span.end - items[0].span.start == timedelta(days=1)
    assert (items[0].slot, items[0].version) == ("x", 3)
    assert isinstance(items[1], BadRecord)


@pytest.mark.parametrize("minutes", ["--5", "+-5", "-", "5_0", "\u0665", "9" * 20, "1e3"])
def test_a_whole_number_has_one_sign_and_plain_digits(minutes: str) -> None:
    item = one(f"N,17,CARD-1,2026-07-01T08:30:00,{minutes},1.50,large,2026-07-01")
    assert isinstance(item, BadRecord)
    assert item.findings[0].field == "minutes"


@pytest.mark.parametrize("entered", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00", "9999-12-31T24:00"])
def test_an_instant_at_the_edge_of_the_calendar_is_refused(entered: str) -> None:
    item = one(f"N,17,CARD-1,{entered},45,1.50,large,2026-07-01")
    assert isinstance(item, BadRecord)
    assert item.findings[0].field == "entered"


def test_a_value_that_the_class_of_the_kind_refuses_is_a_bad_record_with_its_column() -> None:
    @attrs.frozen(kw_only=True)
    class Bounded:
        minutes: int = attrs.field(validator=attrs.validators.ge(0))

    kind = UsageKind(name="bounded", title="Bounded", body=Bounded)
    columns: dict[str, str | tuple[str, ...]] = {"external_id": "id", "subject": "who", "start": "at", "minutes": "min"}
    reader = delimited_reader("bounded", "Bounded", Layout(kind=kind, columns=columns))
    content = b"id,who,at,min\n1,a,2026-07-01T08:00:00+00:00,-600\n2,a,2026-07-01T08:00:00+00:00,60\n"
    bad, good = reader.read(io.BytesIO(content), ReadRequest(file="f.csv", source="gate"))
    assert isinstance(bad, BadRecord)
    assert (bad.findings[0].line, bad.findings[0].field, bad.findings[0].value) == (2, "min", "-600")
    assert isinstance(good, Usage)


VERSIONS = {**COLUMNS, "slot": "ticket", "version": "sent", "deleted": "gone"}
SENT = f"{HEADER},sent,gone"


def test_a_column_says_which_records_the_source_takes_back() -> None:
    rows = ("N,17,CARD-1,2026-07-01T08:30:00,45,1.50,large,2026-07-01,1,", "N,18,CARD-1,2026-07-01T08:30:00,,,,,2,yes")
    kept, gone = read("\n".join([SENT, *rows]), columns=VERSIONS)
    assert isinstance(kept, Usage)
    assert isinstance(gone, Usage)
    assert (kept.deleted, kept.slot, kept.version) == (False, "17", 1)
    assert (gone.deleted, gone.slot, gone.version, gone.body) == (True, "18", 2, None)


def test_the_word_for_a_deletion_may_be_the_source_s_own_and_nothing_is_guessed() -> None:
    row = "N,17,CARD-1,2026-07-01T08:30:00,45,1.50,large,2026-07-01,2,"
    (gone,) = read(f"{SENT}\n{row}D\n", columns=VERSIONS, deletion="D")
    (kept,) = read(f"{SENT}\n{row}C\n", columns=VERSIONS, deletion="D")
    assert isinstance(gone, Usage)
    assert isinstance(kept, Usage)
    assert (gone.deleted, kept.deleted) == (True, False)
    (bad,) = read(f"{SENT}\n{row}D\n", columns=VERSIONS)
    assert isinstance(bad, BadRecord)
    assert (bad.findings[0].field, bad.findings[0].value) == ("gone", "D")


def test_a_deletion_needs_to_say_what_it_is_about() -> None:
    with pytest.raises(ConfigurationError, match="USAGE20.*'slot' and 'version'"):
        read(HEADER, columns={**COLUMNS, "deleted": "gone", "slot": "ticket"})
