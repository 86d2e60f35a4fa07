"""Which price an hour has, and why: precedence as data, dates, ties, percents, limits, frozen rates."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from billing_legal_timekeeping.params import Time
from billing_legal_timekeeping.tables import TIMEKEEPERS
from hypothesis import given
from hypothesis import strategies as st

from billing_framework import RateTableName, ValueRefused

Make = Callable[..., Any]
HEAD = "timekeeper,classification,client,matter,task,sort,value,starts_on,ends_on\n"


def codes(world: Any, plan: str, records: list[Any], **given: Any) -> list[str]:
    return [finding.code for finding in world.rate(world.group(plan, records, **given)).findings]


def test_no_row_on_the_day_is_a_finding_never_zero(world: Any, entry: Make, fees: Make) -> None:
    rows = HEAD + "RH,,,,,absolute,600,2026-06-11,\n"
    assert codes(world, fees(), [entry("1", on="2026-06-10")], tables=world.tables(rows)) == ["LEGAL11"]
    assert world.amounts(world.bill(fees(), [entry("1", on="2026-06-11")], tables=world.tables(rows))) == [600]


def test_an_unknown_person_or_table_is_a_finding(world: Any, entry: Make, fees: Make) -> None:
    assert codes(world, fees(), [entry("1", timekeeper="XX")]) == ["LEGAL10"]
    assert codes(world, fees(), [entry("1")], tables=()) == ["LEGAL14"]
    gone = "code,surname,first_name,classification,groups,starts_on,ends_on\nRH,Hale,Ruth,PARTNR,,2020-01-01,2026-06-01\n"
    assert codes(world, fees(), [entry("1")], tables=world.tables(people=gone)) == ["LEGAL10"]


def test_a_table_in_another_currency_is_refused(world: Any, entry: Make, fees: Make) -> None:
    people = world.table("people", "timekeeper", "code,surname,classification,starts_on\nRH,Hale,PARTNR,2020-01-01\n")
    rates = world.table("rates", "rate", "timekeeper,value,starts_on\nRH,600,2020-01-01\n", currency="EUR")
    assert codes(world, fees(), [entry("1")], tables=(people, rates)) == ["LEGAL19"]


def test_a_percent_and_an_amount_refer_to_the_standard_rate(world: Any, entry: Make, fees: Make) -> None:
    rows = HEAD + "RH,,,,,absolute,600,2020-01-01,\n,,1,,,percent,90,2020-01-01,2026-06-15\n,,1,,,amount_off,25,2026-06-15,\n"
    bill = world.bill(fees(), [entry("1", on="2026-06-10"), entry("1", on="2026-06-20")], tables=world.tables(rows))
    assert world.amounts(bill) == [540, 575]
    alone = HEAD + ",,1,,,percent,90,2020-01-01,\n"
    assert codes(world, fees(), [entry("1")], tables=world.tables(alone)) == ["LEGAL13"]


def test_a_floor_and_the_lowest_ceiling(world: Any, entry: Make, fees: Make) -> None:
    rows = HEAD + "RH,,,,,absolute,600,2020-01-01,\nTO,,,,,absolute,100,2020-01-01,\n"
    rows += ",,1,,,ceiling,550,2020-01-01,\n,PARTNR,,,,ceiling,520,2020-01-01,\n,,1,,,floor,150,2020-01-01,\n"
    bill = world.bill(fees(), [entry("1", name="a"), entry("1", timekeeper="TO", name="b")], tables=world.tables(rows))
    assert world.amounts(bill) == [520, 150]


def test_a_price_on_the_entry_comes_first_where_the_plan_says_so(world: Any, entry: Make, fees: Make) -> None:
    record = entry("1", rate="99.50")
    assert world.amounts(world.bill(fees(), [record])) == [Fraction("99.50")]
    assert world.amounts(world.bill(fees('precedence = ["timekeeper", "entry"]'), [record])) == [600]


def test_codes_with_a_star_stand_for_all_that_begin_so(world: Any, entry: Make, fees: Make) -> None:
    rows = HEAD + "RH,,,,,absolute,600,2020-01-01,\nRH,,,,L1*,absolute,500,2020-01-01,\n"
    bill = world.bill(fees(), [entry("1", task="L110", name="a"), entry("1", task="L210", name="b")], tables=world.tables(rows))
    assert world.amounts(bill) == [500, 600]


def test_rows_at_levels_that_the_plan_does_not_name_are_told(world: Any, entry: Make, fees: Make) -> None:
    rows = HEAD + "RH,,,,,absolute,600,2020-01-01,\n"
    plan = fees('precedence = ["matter"]')
    (finding,) = world.rate(world.group(plan, [entry("1")], tables=world.tables(rows))).findings
    assert "1 rows fill dimensions that the precedence does not name" in finding.what


def test_frozen_rates_hold_until_their_day(world: Any, entry: Make, fees: Make) -> None:
    rows = HEAD + "RH,,,,,absolute,500,2025-01-01,2026-01-01\nRH,,,,,absolute,600,2026-01-01,\n"
    terms = {"rates_of": "2025-03-01", "rates_frozen_until": "2026-06-15"}
    records = [entry("1", on="2026-06-14"), entry("1", on="2026-06-15")]
    assert world.amounts(world.bill(fees(), records, tables=world.tables(rows), terms=terms)) == [500, 600]
    assert codes(world, fees(), records[:1], terms={"rates_of": "March"}) == ["LEGAL20"]


def test_the_person_has_the_class_of_the_day(world: Any, entry: Make, fees: Make) -> None:
    people = "code,surname,classification,starts_on,ends_on\nTO,Ortiz,ASSOC,2020-01-01,2026-06-15\nTO,Ortiz,PARTNR,2026-06-15,\n"
    rows = HEAD + ",ASSOC,,,,absolute,350,2020-01-01,\n,PARTNR,,,,absolute,600,2020-01-01,\n"
    records = [entry("1", timekeeper="TO", on="2026-06-14"), entry("1", timekeeper="TO", on="2026-06-15")]
    bill = world.bill(fees(), records, tables=world.tables(rows, people))
    assert world.amounts(bill) == [350, 600]
    assert bill.charges[0].details["Timekeeper"] == "TO · Ortiz · ASSOC"


@pytest.mark.parametrize(
    "rows",
    [
        HEAD + "RH,,,,,absolute,600,2020-01-01,\nRH,,,,,absolute,650,2026-01-01,\n",
        HEAD + "RH,,,,,absolute,600,2020-01-01,2019-01-01\n",
        HEAD + "RH,,,,,absolute,-1,2020-01-01,\n",
        HEAD + ",,,,,percent,90,2020-01-01,\n",
    ],
)
def test_rows_that_contradict_each_other_are_not_loaded(rows: str, world: Any) -> None:
    read = world.read_table("rates", "rate", rows)
    assert read.table is None
    assert {finding.code for finding in read.findings} == {"LEGAL08"}
    assert read.findings[0].line > 1


def test_rows_that_follow_each_other_are_loaded(world: Any) -> None:
    world.table("rates", "rate", HEAD + "RH,,,,,absolute,650,2026-01-01,\nRH,,,,,absolute,600,2020-01-01,2026-01-01\n")


@pytest.mark.parametrize("levels", [("person",), ("matter+matter",), ("matter", "matter"), ()])
def test_a_precedence_of_unknown_levels_is_refused(levels: tuple[str, ...]) -> None:
    with pytest.raises(ValueRefused, match="LEGAL06"):
        Time(timekeepers=RateTableName("a"), rates=RateTableName("b"), precedence=levels)


@given(order=st.permutations(range(6)))
def test_the_bill_does_not_depend_on_the_order_of_delivery(order: list[int], world: Any, entry: Make, fees: Make) -> None:
    records = [
        entry(minutes=minutes, on=f"2026-06-{10 + number // 3}", name=f"T{number}")
        for number, minutes in enumerate((3, 15, 220, 7, 7, 7))
    ]
    plan = fees('increment = { scope = "day" }')
    assert world.amounts(world.bill(plan, records)) == world.amounts(world.bill(plan, [records[place] for place in order]))


def test_the_kinds_of_tables_are_named_by_the_plugin(world: Any) -> None:
    assert TIMEKEEPERS.name in world.host.rate_tables
