from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import attrs
import pytest
from billing_utility_metering.rating.rate import rate
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_framework import AnyUsage, Assignment, Quantity
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
POINT = Assignment(subject="P", agreement="A", starts_on=date(2000, 1, 1))


def one(_: datetime) -> int:
    return 1


def codes(rated: Any) -> list[str]:
    return [finding.code for finding in rated.findings if finding.stops]


def test_a_complete_month_is_billed_with_its_facts(world: Any, interval_days: Make) -> None:
    records = interval_days("2026-06-01/2026-07-01", one, minutes=30, unit="Wh", scale=1)
    rated = world.bill(world.plan(PLAN), records=records)
    (charge,) = rated.charges
    assert str(charge.quantity) == "0.144 kWh"
    assert charge.details == {"Channel E1": "1440 values of 30 minutes"}
    assert [step.result for step in charge.steps][:2] == ["144 Wh", "0.144 kWh"]
    assert (rated.control.records, rated.control.priced, rated.control.lost) == (30, 30, 0)
    assert not rated.held


def test_facts_are_in_the_account_s_language_and_estimates_are_marked(world: Any, interval_days: Make) -> None:
    records = interval_days("2026-06-01/2026-07-01", one, quality="S14")
    (charge,) = world.bill(world.plan(PLAN), records=records, locale="de_CH").charges
    assert charge.estimated
    assert charge.details == {"Kanal E1": "720 Werte zu 60 Minuten, davon 720 geschätzt"}


@pytest.mark.parametrize("lost", [0, 10, 29])
def test_a_missing_day_holds_the_account(lost: int, world: Any, interval_days: Make) -> None:
    records = interval_days("2026-06-01/2026-07-01", one)
    del records[lost]
    rated = world.bill(world.plan(PLAN), records=records)
    assert codes(rated) == ["UTIL21"]
    assert rated.held


def test_a_missing_interval_holds_the_account_and_names_the_time(world: Any, interval_days: Make) -> None:
    records = interval_days("2026-06-01/2026-07-01", one)
    body = attrs.evolve(records[4].body, values=(0, *records[4].body.values[1:]), missing=(0,))
    records[4] = attrs.evolve(records[4], body=body)
    rated = world.bill(world.plan(PLAN), records=records)
    (finding,) = [finding for finding in rated.findings if finding.stops]
    assert "2026-06-05T00:00:00+00:00/2026-06-05T01:00:00+00:00" in finding.what
    assert finding.remedy


def test_two_records_of_one_time_hold_the_account(world: Any, interval_days: Make) -> None:
    records = interval_days("2026-06-01/2026-07-01", one)
    again = attrs.evolve(records[3], external_id="again")
    assert codes(world.bill(world.plan(PLAN), records=[*records, again])) == ["UTIL22"]


def test_no_data_and_no_point_hold_the_account(world: Any) -> None:
    assert codes(world.bill(world.plan(PLAN))) == ["UTIL20"]
    assert codes(world.bill(world.plan(PLAN), assignments=[])) == ["UTIL20"]


def test_the_period_cuts_days_of_another_clock(world: Any, interval_days: Make) -> None:
    market_days = interval_days("2026-10-01/2026-11-03", one, zone="Australia/Brisbane", minutes=30)
    rated = world.bill(world.plan(PLAN), records=market_days, period="2026-10-02/2026-11-02", zone="Australia/Sydney")
    (charge,) = rated.charges
    assert not rated.held
    assert charge.quantity.value == 31 * 48 - 2  # clocks go forward on 4 October


def test_neighbouring_periods_share_no_interval_and_lose_none(world: Any, interval_days: Make) -> None:
    records = interval_days("2026-05-25/2026-08-05", lambda at: at.day, zone="Australia/Brisbane", minutes=30)
    zone = "Australia/Adelaide"
    parts = ["2026-06-01/2026-06-15", "2026-06-15/2026-07-01", "2026-07-01/2026-08-01"]
    bills = [
        world.bill(world.plan(PLAN), records=records, period=period, zone=zone) for period in [*parts, "2026-06-01/2026-08-01"]
    ]
    sums = [bill.charges[0].quantity.value for bill in bills]
    assert sum(sums[:-1]) == sums[-1]


def test_each_flow_is_a_measure_and_channels_can_be_priced_apart(world: Any, interval_days: Make) -> None:
    month = "2026-06-01/2026-07-01"
    records = [
        *interval_days(month, one),
        *interval_days(month, lambda _: 2, channel="E2"),
        *interval_days(month, lambda _: 3, channel="B1", flow="received"),
        *interval_days(month, lambda _: 4, channel="Q1", flow="reactive", unit="kvarh"),
        *interval_days(month, lambda _: 230, channel="V1", flow="other", unit="W"),
    ]
    plan = world.plan(
        PLAN.replace('"consumption"', '"consumption.E1"')
        + PLAN.replace('"energy"', '"controlled"').replace('"consumption"', '"consumption.E2"')
        + PLAN.replace('"energy"', '"feed_in"').replace('"consumption"', '"export"').replace('"0.10"', '"-0.05"')
    )
    rated = world.bill(plan, records=records)
    assert [(charge.component, charge.quantity.value) for charge in rated.charges] == [
        ("energy", 720),
        ("controlled", 1440),
        ("feed_in", 2160),
    ]
    assert not rated.held
    assert rated.control.unpriced == {"its channel counts no consumption": 30, "no component prices measure reactive": 30}
    measures = {measure.name: measure.quantity for measure in rate(world.group(plan, records=records)).measures}
    assert measures["consumption"] == Quantity(2160, "kWh")
    assert measures["reactive"] == Quantity(2880, "kvarh")


def test_named_channels_must_be_there_and_others_are_not_billed(world: Any, interval_days: Make) -> None:
    point = attrs.evolve(POINT, details={"channels": "E1, E3"})
    month = "2026-06-01/2026-07-01"
    records = [*interval_days(month, one), *interval_days(month, one, channel="E2")]
    rated = world.bill(world.plan(PLAN), records=records, assignments=[point])
    assert codes(rated) == ["UTIL21"]
    only_first = attrs.evolve(POINT, details={"channels": "E1"})
    assert world.bill(world.plan(PLAN), records=records, assignments=[only_first]).charges[0].quantity.value == 720


def test_a_point_that_moves_in_and_out_is_billed_for_its_dates(world: Any, interval_days: Make) -> None:
    point = attrs.evolve(POINT, starts_on=date(2026, 6, 10), ends_on=date(2026, 6, 20))
    records = interval_days("2026-06-01/2026-07-01", one)
    rated = world.bill(world.plan(PLAN), records=records, assignments=[point])
    assert rated.charges[0].quantity.value == 240
    assert not rated.held


def test_different_things_under_one_agreement_hold_the_account(world: Any, interval_days: Make) -> None:
    month = "2026-06-01/2026-07-01"
    records = [*interval_days(month, one), *interval_days(month, one, channel="G1", unit="m3")]
    assert "UTIL27" in codes(world.bill(world.plan(PLAN), records=records))


@given(st.randoms())
@settings(max_examples=examples(15), deadline=None)
def test_the_order_of_records_changes_nothing(world: Any, interval_days: Make, random: Any) -> None:
    records: list[AnyUsage] = interval_days("2026-06-01/2026-06-08", lambda at: at.hour, minutes=30)
    plan = world.plan(PLAN)
    shuffled = random.sample(records, len(records))
    bills = [world.bill(plan, records=given, period="2026-06-01/2026-06-08") for given in (records, shuffled)]
    first, second = ([attrs.evolve(charge, records=()) for charge in bill.charges] for bill in bills)
    assert first == second


@given(st.sets(st.integers(1, 29), max_size=4))
@settings(max_examples=examples(15), deadline=None)
def test_breaks_in_a_flat_tariff_change_nothing_before_rounding(world: Any, interval_days: Make, days: set[int]) -> None:
    records = interval_days("2026-06-01/2026-07-01", lambda at: at.hour * at.day)
    whole = world.bill(world.plan(PLAN), records=records)
    starts = ["2000-01-01", *(str(date(2026, 6, 1) + timedelta(days=day)) for day in sorted(days))]
    plans = [world.plan(PLAN, version=str(number), valid_from=start) for number, start in enumerate(starts)]
    cut = world.bill(*plans, records=records)
    assert len(cut.charges) == len(days) + 1
    assert sum(charge.amount.value for charge in cut.charges) == whole.charges[0].amount.value


def test_a_day_of_25_hours_counts_them_all(world: Any, interval_days: Make) -> None:
    zone = "America/New_York"
    period = "2026-10-15/2026-11-15"
    records = interval_days(period, one, zone=zone)
    rated = world.bill(world.plan(PLAN), records=records, period=period, zone=zone)
    assert rated.charges[0].quantity.value == 31 * 24 + 1
    assert Fraction(rated.charges[0].amount.value) == Fraction(745, 10)
    assert records[17].span.start == datetime(2026, 11, 1, 4, tzinfo=UTC)
