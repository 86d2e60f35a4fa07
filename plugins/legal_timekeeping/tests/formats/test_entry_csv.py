"""Time entries and expenses in CSV: strict, in any order of columns, exact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from billing_legal_timekeeping.formats.entry_csv import EXPENSE_CSV, TIME_CSV
from billing_legal_timekeeping.kinds import Cost, Status

from billing_framework import BadRecord, InputRefused, Usage

Make = Callable[..., Any]
HEADER = "matter,id,date,timekeeper,hours,status,narrative\n"


def test_an_entry_has_its_three_values_and_stands_at_noon(read: Make) -> None:
    text = "id,matter,date,timekeeper,worked_seconds,hours,narrative\nT-1,0001,2026-06-02,RH,4980,1.4,Read file\n"
    (item,) = read(TIME_CSV, text.encode(), zone="America/New_York")
    assert (item.external_id, item.subject) == ("T-1", "0001")
    assert item.start == datetime(2026, 6, 2, 16, tzinfo=UTC)
    assert (item.body.worked_seconds, item.body.hours, item.body.status) == (4980, Fraction(7, 5), Status.BILLABLE)


def test_a_later_version_replaces_an_entry(read: Make) -> None:
    text = "id,version,matter,date,timekeeper,hours\nT-1,1,0001,2026-06-02,RH,1\nT-1,2,0001,2026-06-02,RH,2\n"
    first, second = read(TIME_CSV, text.encode())
    assert (first.slot, second.slot) == ("T-1", "T-1")
    assert (first.external_id, second.external_id, second.version) == ("T-1/1", "T-1/2", 2)


def test_other_layouts_by_options(read: Make) -> None:
    text = "id;matter;date;timekeeper;hours\nT-1;0001;02.06.2026;RH;1,5\n"
    (item,) = read(TIME_CSV, text.encode(), delimiter=";", date_format="%d.%m.%Y", decimal="comma")
    assert item.body.hours == Fraction(3, 2)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("0001,T-1,2026-06-31,RH,1,billable,x", "date"),
        ("0001,T-1,2026-06-02,RH,1e3,billable,x", "hours"),
        ("0001,T-1,2026-06-02,RH,25,billable,x", ""),
        ("0001,T-1,2026-06-02,RH,-1,billable,x", ""),
        ("0001,T-1,2026-06-02,RH,1,free,x", "status"),
        (",T-1,2026-06-02,RH,1,billable,x", "matter"),
        ("0001,T-1,2026-06-02,RH,,billable,x", ""),
    ],
)
def test_a_bad_entry_is_kept_with_its_place(row: str, field: str, read: Make) -> None:
    good = "0001,T-2,2026-06-02,RH,1,billable,y"
    bad, kept = read(TIME_CSV, f"{HEADER}{row}\n{good}\n".encode())
    assert isinstance(bad, BadRecord)
    assert (bad.line, bad.raw, bad.findings[0].field) == (2, row, field)
    assert isinstance(kept, Usage)


@pytest.mark.parametrize("text", ["", "id,matter,date,timekeeper,hours,fee\n", "id,matter,timekeeper,hours\n", "\xff\xfe"])
def test_what_is_no_such_file_is_refused(text: str, read: Make) -> None:
    with pytest.raises(InputRefused, match="USAGE2"):
        read(TIME_CSV, text.encode("latin-1"))


def test_a_delimiter_is_one_character(read: Make) -> None:
    with pytest.raises(InputRefused, match="LEGAL01"):
        read(TIME_CSV, HEADER.encode(), delimiter="tab")


def test_expenses_of_both_costs(read: Make) -> None:
    text = (
        "id,matter,date,code,cost,quantity,amount\nE-1,0001,2026-06-02,E112,hard,1,402.00\nE-2,0001,2026-06-02,E101,soft,412,\n"
    )
    court, copies = read(EXPENSE_CSV, text.encode())
    assert (court.body.cost, court.body.amount) == (Cost.HARD, Fraction(402))
    assert (copies.body.cost, copies.body.quantity, copies.body.amount) == (Cost.SOFT, Fraction(412), None)


def test_a_third_partys_cost_needs_its_amount(read: Make) -> None:
    (bad,) = read(EXPENSE_CSV, b"id,matter,date,code,quantity\nE-1,0001,2026-06-02,E112,1\n")
    assert "third party" in bad.findings[0].what
