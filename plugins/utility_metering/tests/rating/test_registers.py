from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from billing_utility_metering.kinds import REGISTER_READ, Flow, RegisterSpan
from billing_utility_metering.rating.day_shares import day_shares
from billing_utility_metering.rating.multiplier import capacity, multiplier
from billing_utility_metering.settings import Sharing
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_framework import AnyUsage, Assignment, DateSpan, Span, Usage, ValueRefused
from billing_framework.run.draft.guiding import is_seen
from tests.properties import examples

Make = Callable[..., Any]
PLAN = """
[[component]]
code = "energy"
title = { en = "Energy", de = "Energie" }
model = "per_unit"
charge_code = "energy"
tax_category = "standard"
measure = "consumption"
price = "0.10"
unit = "kWh"
"""


def point(**details: str) -> Assignment:
    return Assignment(subject="P", agreement="A", starts_on=date(2020, 1, 1), details=details)


def stops(rated: Any) -> list[str]:
    return [finding.code for finding in rated.findings if finding.stops]


def test_both_reads_dates_and_multiplier_stand_on_the_bill(world: Any, read_at: Make) -> None:
    reads = [read_at("2026-06-01", "1000.5"), read_at("2026-07-01", "1100.75", quality="estimated")]
    (charge,) = world.bill(world.plan(PLAN), records=reads, assignments=[point(ct="200:5", pt="2", dials="5")]).charges
    assert charge.estimated
    assert charge.quantity.value == Fraction("100.25") * 80
    assert charge.details == {
        "Meter": "M1, register 1",
        "Previous read": "1,000.5 on Jun 1, 2026 (actual)",
        "Current read": "1,100.75 on Jul 1, 2026 (ESTIMATED)",
        "Difference": "100.25",
        "Multiplier": "80",
        "Consumption": "8,020\u00a0kWh",
    }
    german = world.bill(world.plan(PLAN), records=reads, assignments=[point()], locale="de_DE").charges[0]
    assert german.details["Neuer Stand"] == "1.100,75 am 01.07.2026 (GESCHÄTZT)"


def test_the_next_bill_begins_with_the_read_that_the_last_one_closed_with(world: Any, read_at: Make) -> None:
    plan = world.plan(PLAN)
    june = [read_at("2026-06-01", "100"), read_at("2026-06-28", "190")]
    first = world.bill(plan, records=june)
    assert first.charges[0].quantity.value == 90
    late = [*june, read_at("2026-06-30", "200"), read_at("2026-07-31", "300")]
    second = world.bill(plan, records=late, period="2026-07-01/2026-08-01", state=first.state)
    assert second.charges[0].quantity.value == 110
    assert second.charges[0].state_read == ("read:P/M1/1",)
    assert second.charges[0].details["Previous read"].startswith("190 on Jun 28")


@given(st.lists(st.integers(0, 500), min_size=3, max_size=6), st.integers(0, 5))
@settings(max_examples=examples(30), deadline=None)
def test_bills_that_follow_each_other_add_up_to_the_register(world: Any, read_at: Make, uses: list[int], early: int) -> None:
    plan, state, billed, shown = world.plan(PLAN), (), Fraction(0), 0
    reads = [read_at("2026-01-01", "0")]
    for month, use in enumerate(uses, start=1):
        shown += use
        reads.append(read_at(str(date(2026, month, 28 - early)), str(shown)))
        rated = world.bill(plan, records=reads, period=f"2026-{month:02}-01/2026-{month + 1:02}-01", state=state)
        if early <= 1:  # the settings allow five days between the closing read and the end
            assert not stops(rated)
        billed += sum((charge.quantity.value for charge in rated.charges), Fraction(0))
        state = rated.state
    assert billed == shown


@pytest.mark.parametrize(
    ("reads", "code"),
    [
        ([("2026-06-01", "100")], "UTIL24"),
        ([("2026-06-01", "100"), ("2026-06-20", "150")], "UTIL24"),
        ([("2026-06-15", "100"), ("2026-07-01", "150")], "UTIL23"),
        ([("2026-06-01", "100"), ("2026-07-01", "50")], "UTIL25"),
    ],
)
def test_missing_or_impossible_reads_hold_the_account(reads: list[tuple[str, str]], code: str, world: Any, read_at: Make) -> None:
    rated = world.bill(world.plan(PLAN), records=[read_at(on, value) for on, value in reads])
    assert stops(rated) == [code]
    assert all(finding.remedy for finding in rated.findings)


def test_a_late_first_read_within_the_window_is_told(world: Any, read_at: Make) -> None:
    rated = world.bill(world.plan(PLAN), records=[read_at("2026-06-03", "100"), read_at("2026-06-30", "150")])
    assert [(finding.code, finding.stops) for finding in rated.findings] == [("UTIL23", False)]
    assert rated.charges[0].quantity.value == 50


@pytest.mark.parametrize(
    ("previous", "current", "details", "problem"),
    [
        ("99950", "120", {"dials": "5"}, ""),
        ("60000", "9000", {"dials": "5"}, ""),
        ("40000", "39000", {"dials": "5"}, "UTIL25"),
        ("100", "60000", {"dials": "5"}, "UTIL25"),
        ("100000", "5", {"dials": "5"}, "UTIL25"),
        ("100", "200", {"multiplier": "zero"}, "UTIL26"),
        ("100", "200", {"ct": "5:0"}, "UTIL26"),
        ("100", "200", {"dials": "many"}, "UTIL26"),
        ("100", "200", {"data": "guesses"}, "UTIL26"),
        ("9990", "10", {"dials": "6", "rollover_digits": "4"}, ""),
    ],
)
def test_rollover_is_believed_within_reason(
    previous: str, current: str, details: dict[str, str], problem: str, world: Any, read_at: Make
) -> None:
    reads = [read_at("2026-06-01", previous), read_at("2026-07-01", current)]
    rated = world.bill(world.plan(PLAN), records=reads, assignments=[point(**details)])
    assert stops(rated) == ([problem] if problem else [])


def test_an_estimate_above_the_actual_read_says_what_to_do(world: Any, read_at: Make) -> None:
    reads = [read_at("2026-06-01", "500", quality="estimated"), read_at("2026-07-01", "480")]
    (finding,) = world.bill(world.plan(PLAN), records=reads, assignments=[point(dials="5")]).findings
    assert finding.code == "UTIL25"
    assert "rebill that period" in finding.remedy


def test_estimates_between_actual_reads_are_passed_over(world: Any, read_at: Make) -> None:
    reads = [
        read_at("2026-06-01", "100"),
        read_at("2026-06-10", "180", quality="estimated"),
        read_at("2026-06-20", "150"),
        read_at("2026-07-01", "200"),
    ]
    (charge,) = world.bill(world.plan(PLAN), records=reads).charges
    assert (charge.quantity.value, charge.estimated) == (100, False)


def exchange(read_at: Make) -> tuple[list[AnyUsage], list[Assignment]]:
    reads = [
        read_at("2026-06-01", "900", meter="OLD"),
        read_at("2026-06-11", "950", meter="OLD"),
        read_at("2026-06-11", "5", meter="NEW"),
        read_at("2026-07-01", "7", meter="NEW"),
    ]
    return reads, [
        Assignment(subject="P", agreement="A", starts_on=date(2020, 1, 1), ends_on=date(2026, 6, 11)),
        Assignment(subject="P", agreement="A", starts_on=date(2026, 6, 11), details={"multiplier": "40"}),
    ]


def test_an_exchanged_meter_counts_with_its_own_multiplier(world: Any, read_at: Make) -> None:
    reads, points = exchange(read_at)
    (charge,) = world.bill(world.plan(PLAN), records=reads, assignments=points).charges
    assert charge.quantity.value == 50 + 2 * 40
    assert charge.details["OLD 1 Current read"].startswith("950 on Jun 11")
    assert charge.details["NEW 1 Multiplier"] == "40"
    july = [*reads, read_at("2026-08-01", "8", meter="NEW")]
    first = world.bill(world.plan(PLAN), records=reads, assignments=points)
    second = world.bill(world.plan(PLAN), records=july, assignments=points[1:], period="2026-07-01/2026-08-01", state=first.state)
    assert second.charges[0].quantity.value == 40


def test_a_hole_between_two_meters_holds_the_account(world: Any, read_at: Make) -> None:
    reads, points = exchange(read_at)
    reads[2] = read_at("2026-06-14", "5", meter="NEW")
    assert stops(world.bill(world.plan(PLAN), records=reads, assignments=points)) == ["UTIL23"]


def test_a_multiplier_that_changes_between_reads_holds_the_account(world: Any, read_at: Make) -> None:
    reads = [read_at("2026-06-01", "900"), read_at("2026-07-01", "950")]
    _, points = exchange(read_at)
    assert stops(world.bill(world.plan(PLAN), records=reads, assignments=points)) == ["UTIL26"]


def test_a_reading_on_the_last_day_closes_one_customer_and_opens_the_next(world: Any, read_at: Make) -> None:
    reads = [read_at("2026-06-01", "100"), read_at("2026-06-11", "130"), read_at("2026-07-01", "200")]
    leaves = Assignment(subject="P", agreement="A", starts_on=date(2020, 1, 1), ends_on=date(2026, 6, 11))
    enters = Assignment(subject="P", agreement="B", starts_on=date(2026, 6, 11))
    plan = world.plan(PLAN)
    old = world.bill(
        plan, records=reads, assignments=[leaves, enters], period="2026-06-01/2026-06-11", full="2026-06-01/2026-07-01"
    )
    came, gone = (attrs.evolve(one, agreement=code) for one, code in ((enters, "A"), (leaves, "B")))
    new = world.bill(plan, records=reads, assignments=[came, gone], period="2026-06-11/2026-07-01", full="2026-06-01/2026-07-01")
    assert [bill.charges[0].quantity.value for bill in (old, new)] == [30, 70]
    assert not stops(old)
    assert not stops(new)


def test_registers_of_one_meter_are_read_together(world: Any, read_at: Make) -> None:
    reads = [
        read_at("2026-06-01", "0", register="peak"),
        read_at("2026-07-01", "10", register="peak"),
        read_at("2026-06-01", "0", register="night"),
        read_at("2026-06-29", "20", register="night"),
    ]
    assert stops(world.bill(world.plan(PLAN), records=reads)) == ["UTIL24"]


def test_intervals_win_over_registers_of_the_same_point(world: Any, read_at: Make, interval_days: Make) -> None:
    reads = [read_at("2026-06-01", "0"), read_at("2026-06-15", "350"), read_at("2026-07-01", "721")]
    hours = interval_days("2026-06-01/2026-07-01", lambda _: 1)
    rated = world.bill(world.plan(PLAN), records=[*reads, *hours])
    assert rated.charges[0].quantity.value == 720
    assert rated.control.unpriced == {"finer data of the point, or reads around it, are billed": 2}
    assert not rated.state


def test_a_smart_meter_may_follow_a_register_meter_inside_a_period(world: Any, read_at: Make, interval_days: Make) -> None:
    reads = [read_at("2026-06-01", "0"), read_at("2026-06-11", "100")]
    hours = interval_days("2026-06-11/2026-07-01", lambda _: 1)
    points = [
        Assignment(subject="P", agreement="A", starts_on=date(2020, 1, 1), ends_on=date(2026, 6, 11), details={"data": "reads"}),
        Assignment(subject="P", agreement="A", starts_on=date(2026, 6, 11), details={"data": "intervals"}),
    ]
    rated = world.bill(world.plan(PLAN), records=[*reads, *hours], assignments=points)
    assert (rated.charges[0].quantity.value, stops(rated)) == (100 + 480, [])
    assert stops(world.bill(world.plan(PLAN), records=[*reads, *hours])) == ["UTIL21"]


def test_a_price_change_shares_the_consumption_by_days_and_says_so(world: Any, read_at: Make) -> None:
    old, new = world.plan(PLAN), world.plan(PLAN, version="2", valid_from="2026-06-11")
    reads = [read_at("2026-06-01", "0"), read_at("2026-07-01", "100")]
    first, second = world.bill(old, new, records=reads).charges
    assert (first.quantity.value, second.quantity.value) == (Fraction(100, 3), Fraction(200, 3))
    assert first.details["Share of this part"] == "10 of 30 days: 33.333\u00a0kWh"


def span(start: str, end: str, quantity: str, **body: Any) -> AnyUsage:
    first, last = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (start, end))
    facts = RegisterSpan(
        register="1", channel="11", meter="M1", unit="kWh", flow=Flow.DELIVERED, quantity=Fraction(quantity), **body
    )
    return Usage(kind="register_span", source="t", external_id=start + end, subject="P", span=Span(first, last), body=facts)


def test_spans_of_the_source_are_shared_to_periods_without_loss(world: Any) -> None:
    plan = world.plan(PLAN)
    quarter = [
        span("2026-04-01", "2026-07-01", "910", previous_value=Fraction(5), previous_quality="A", current_quality="E64"),
        span("2026-07-01", "2026-10-01", "920"),
    ]
    months = ["2026-04-01/2026-05-01", "2026-05-01/2026-06-01", "2026-06-01/2026-07-01"]
    bills = [world.bill(plan, records=quarter, period=month) for month in months]
    assert [bill.charges[0].quantity.value for bill in bills] == [300, 310, 300]
    assert bills[0].charges[0].estimated
    assert bills[0].charges[0].details["Current read"] == "not given on Jul 1, 2026 (ESTIMATED)"
    straddling = world.bill(plan, records=quarter, period="2026-06-15/2026-07-15")
    assert straddling.charges[0].quantity.value == 160 + 140


def test_holes_and_overlaps_of_spans_hold_the_account(world: Any) -> None:
    plan = world.plan(PLAN)
    hole = [span("2026-06-01", "2026-06-10", "9"), span("2026-06-12", "2026-07-01", "9")]
    assert stops(world.bill(plan, records=hole)) == ["UTIL24"]
    twice = [span("2026-06-01", "2026-06-12", "9"), span("2026-06-10", "2026-07-01", "9")]
    assert stops(world.bill(plan, records=twice)) == ["UTIL22"]


@given(
    st.fractions(0, 10**6, max_denominator=1000),
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
    st.integers(-20, 20),
    st.integers(1, 90),
    st.sampled_from(Sharing),
)
def test_shares_by_days_sum_to_the_whole(
    quantity: Fraction, lengths: list[int], offset: int, days: int, sharing: Sharing
) -> None:
    start, tiles = date(2026, 1, 1).toordinal(), []
    for length in lengths:
        tiles.append(DateSpan(date.fromordinal(start), date.fromordinal(start + length)))
        start += length
    first = date.fromordinal(tiles[0].start.toordinal() + offset)
    dates = DateSpan(first, date.fromordinal(first.toordinal() + days))
    parts = day_shares(quantity, first, dates, tiles, sharing)
    assert sum(part.quantity for part in parts) == quantity
    assert sum(part.days for part in parts) == days


def test_a_factor_without_end_is_billed_exactly_and_printed_about(world: Any, read_at: Make) -> None:
    reads = [read_at("2026-06-01", "0"), read_at("2026-07-01", "10")]
    (charge,) = world.bill(world.plan(PLAN), records=reads, assignments=[point(ct="100:3")]).charges
    assert charge.quantity.value == Fraction(1000, 3)
    assert charge.details["Multiplier"] == "100/3"
    assert charge.details["Consumption"] == "≈ 333.333333\u00a0kWh"


def test_facts_of_an_assignment_are_read_strictly() -> None:
    assert multiplier({}) == 1
    assert multiplier({"multiplier": "1.5", "ct": "200:5", "pt": "35/1"}) == 2100
    assert capacity({}) is None
    assert capacity({"dials": "5"}) == 100_000
    with pytest.raises(ValueRefused, match="UTIL26"):
        capacity({"dials": "0"})


@pytest.mark.parametrize(
    ("on", "seen"),
    [("2026-04-16", False), ("2026-04-17", True), ("2026-06-30", True), ("2026-07-01", True), ("2026-07-02", False)],
)
def test_reads_are_seen_from_before_the_period_to_the_date_that_closes_it(on: str, seen: bool, read_at: Make) -> None:  # noqa: FBT001  a table's column
    june, record = DateSpan(date(2026, 6, 1), date(2026, 7, 1)), read_at(on, "1")
    assert is_seen(REGISTER_READ, record.span, [june], june, ZoneInfo("Europe/Zurich")) is seen
