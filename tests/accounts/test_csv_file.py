from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.accounts.csv_file import read_master_file
from billing_framework.accounts.forms import ACCOUNT, AGREEMENT, ASSIGNMENT, PARTY
from billing_framework.values.errors import InputRefused

GOOD = "code,party,book,currency\nA-1,P-1,US,USD\nA-2,P-1,US,USD\n"


def test_good_lines_come_with_their_line_numbers() -> None:
    file = read_master_file(GOOD.encode(), ACCOUNT, file="accounts.csv")

    assert [(row.line, row.value.code) for row in file.rows] == [(2, "A-1"), (3, "A-2")]
    assert file.lines == 2
    assert file.findings == ()


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\n\n"),
        GOOD.rstrip("\n"),
        "currency,code,book,party\nUSD,A-1,US,P-1\nUSD,A-2,US,P-1\n",
        GOOD.replace("A-1,P-1", ' "A-1" , P-1').replace(' "A-1" ', '"A-1"'),
    ],
)
def test_the_same_data_in_other_clothes_is_the_same(text: str) -> None:
    file = read_master_file(text.encode(), ACCOUNT, file="accounts.csv")

    assert [row.value.code for row in file.rows] == ["A-1", "A-2"]
    assert file.findings == ()


def test_a_line_break_inside_quotes_belongs_to_its_line() -> None:
    text = 'code,name\nP-1,"Ada\nOhm"\nP-2,Ben\n'
    file = read_master_file(text.encode(), PARTY, file="parties.csv")

    assert [(row.line, row.value.code) for row in file.rows] == [(4, "P-2")]
    assert [(finding.line, finding.field) for finding in file.findings] == [(2, "name")]


def test_every_bad_line_is_a_finding_with_line_field_value_and_remedy() -> None:
    text = "code,party,book,currency\nA-1,P-1,US,USD,x\nA-2,P-1,US,XXX\nA-3,P-1,US,\nA-3,P-1,US,USD\nA-3,P-1,US,USD\n"
    file = read_master_file(text.encode(), ACCOUNT, file="accounts.csv")

    assert [(finding.line, finding.code, finding.field, finding.value) for finding in file.findings] == [
        (2, "ACCOUNT11", "", ""),
        (3, "VALUE05", "currency", "XXX"),
        (4, "ACCOUNT01", "currency", ""),
        (6, "ACCOUNT08", "code", "A-3"),
    ]
    assert all(finding.remedy and finding.file == "accounts.csv" for finding in file.findings)
    assert file.lines == 5


def test_one_subject_may_stand_in_several_lines_with_other_dates() -> None:
    text = "subject,agreement,starts_on,ends_on\nM1,G1,2026-01-01,2026-02-01\nM1,G2,2026-02-01,\nM1,G3,2026-02-01,\n"
    file = read_master_file(text.encode(), ASSIGNMENT, file="a.csv")

    assert [row.line for row in file.rows] == [2, 3]
    assert [finding.code for finding in file.findings] == ["ACCOUNT08"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"code,party\n", "lacks the column book"),
        (b"code,party,book,curency\n", "the column 'curency' is unknown"),
        (b"code,code,party,book,currency\n", "stands twice"),
        (b"code,party,book,currency\nA-\xe4,P,US,USD\n", "not UTF-8"),
        (b"code,party,book,currency\nA-1\x00,P,US,USD\n", "NUL"),
        (b'code,party,book,currency\n"A-1,P,US,USD\n', "not CSV"),
        (b'code,party,book,currency\n"A"1,P,US,USD\n', "not CSV"),
        (b"code,party,book,currency\n" + b"x" * 200_000, "not CSV"),
        ("\ufeff\ufeffcode".encode(), "unknown"),
        (b"\xff\xfec\x00o\x00d\x00e\x00", "not UTF-8"),
    ],
)
def test_what_is_no_such_file_is_refused_as_a_whole_with_its_place(content: bytes, what: str) -> None:
    with pytest.raises(InputRefused, match=what) as caught:
        read_master_file(content, ACCOUNT, file="accounts.csv")

    assert caught.value.code == "ACCOUNT11"
    assert caught.value.place.startswith("accounts.csv:")
    assert caught.value.remedy


def test_free_columns_need_a_name() -> None:
    head = "code,account,plan,starts_on,"
    good = read_master_file(f"{head}term.kw\nG,A,p,2026-01-01,5\n".encode(), AGREEMENT, file="a.csv")
    with pytest.raises(InputRefused, match="unknown"):
        read_master_file(f"{head}term.\n".encode(), AGREEMENT, file="a.csv")

    assert good.rows[0].value.terms == {"kw": "5"}


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        file = read_master_file(b"code,party,book,currency\n" + content, ACCOUNT, file="x.csv")
    except InputRefused:
        return
    assert len(file.rows) <= file.lines
