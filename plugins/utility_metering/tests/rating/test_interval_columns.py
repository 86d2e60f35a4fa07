"""The columnar twin of interval days: the same measures and charges as the reference, and which accounts are left to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import attrs
import pytest
from billing_utility_metering.kinds import Flow
from billing_utility_metering.rating.rate import RATER, TWIN, rate
from billing_utility_metering.rating.series import IntervalSeries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_framework import AnyUsage, Assignment, BillingGroup, rate_by_columns
from billing_framework.rating.gather_columns import columns_of
from billing_framework.rating.rated_columns import columns_faults

HOURS = '{ days = ["weekday"], start = "16:00", end = "21:00" }'
ENERGY = """
[[component]]
code = "energy"
title = { en = "Energy" }
model = "utility_metering.tiered_time_of_use"
measure = "consumption"
unit = "kWh"
policy = "POLICY"
charge_code = "energy"
tax_category = "standard"
periods = [
  { name = "peak", tiers = [{ to = "40", price = "0.31" }, { price = "0.47" }], hours = [HOURS] },
  { name = "rest", tiers = [{ to = "40", price = "0.11" }, { price = "0.13" }], rest = true },
]
""".replace("HOURS", HOURS)
DEMAND = """
[[component]]
code = "demand"
title = { en = "Demand" }
model = "utility_metering.demand"
measure = "consumption"
unit = "kW"
window_minutes = WINDOW
rolling = ROLLING
charge_code = "demand"
tax_category = "standard"
tiers = [{ price = "4" }]
hours = [{ days = ["weekday"], start = "16:00", end = "21:00" }]
"""
OCTOBER = "2026-10-01/2026-11-01"  # the clocks of Berlin go back on the 25th
DAYS = Callable[..., list[AnyUsage]]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    seeds=st.lists(st.integers(0, 10**6), min_size=1, max_size=3),
    policy=st.sampled_from(["pro_rata", "per_period", "time_order"]),
    window=st.sampled_from([15, 30, 60]),
    rolling=st.sampled_from(["true", "false"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    unit=st.sampled_from(["kWh", "Wh"]),
    minutes=st.sampled_from([30, 60]),
    lowest=st.sampled_from([0, -500]),
)
def test_charges_are_those_of_the_reference(
    seeds: list[int],
    policy: str,
    window: int,
    rolling: str,
    zone: str,
    unit: str,
    minutes: int,
    lowest: int,
    world: Any,
    interval_days: DAYS,
) -> None:
    text = ENERGY.replace("POLICY", policy)
    text += DEMAND.replace("WINDOW", str(window)).replace("ROLLING", rolling)
    plan = world.plan(text)
    groups = []
    for seed in seeds:

        def value(start: datetime, seed: int = seed) -> int:
            return (start.day * 7919 + start.hour * 104729 + start.minute * 31 + seed) % 1000 + lowest

        records = interval_days(OCTOBER, value, zone=zone, minutes=minutes, unit=unit, scale=3, quality="ESA"[seed % 3])
        groups.append(world.group(plan, records=records, period=OCTOBER, zone=zone))
    for group in groups:
        world.rate(group)  # asserts that twin and reference say the same
    assert list(rate_by_columns(groups, TWIN, rate)) == [rate(group) for group in groups]
    columns = columns_of(groups, TWIN.kind, TWIN.fields)
    rated = TWIN.rate(columns)
    assert not rated.left
    assert not list(columns_faults(columns, rated))


@pytest.fixture
def june(world: Any, interval_days: DAYS) -> Callable[..., BillingGroup]:
    def make(change: Callable[[list[AnyUsage]], Sequence[AnyUsage]] = list, **given: Any) -> BillingGroup:
        plan = world.plan(ENERGY.replace("POLICY", "pro_rata"))
        group: BillingGroup = world.group(
            plan, records=change(interval_days("2026-06-01/2026-07-01", lambda at: at.hour)), **given
        )
        return group

    return make


def bodies(records: list[AnyUsage], **changes: Any) -> list[AnyUsage]:
    return [*records[:-1], attrs.evolve(records[-1], body=attrs.evolve(records[-1].body, **changes))]


@pytest.mark.parametrize(
    "change",
    [
        lambda records: records[1:],
        lambda records: records[:-1],
        lambda records: [*records[:4], *records[5:]],
        lambda records: bodies(records, missing=(3,)),
        lambda records: bodies(records, channel="E2"),
        lambda records: bodies(records, unit="Wh"),
        lambda records: bodies(records, scale=2),
        lambda records: bodies(records, flow=Flow.OTHER),
        lambda records: bodies(records, interval_seconds=1800),
        lambda records: bodies(records, values=(2**61,) * 24),
        lambda _records: [],
    ],
)
def test_what_is_not_plain_is_left_to_the_reference(change: Any, june: Callable[..., BillingGroup], world: Any) -> None:
    group = june(change)
    columns = columns_of([group, june()], TWIN.kind, TWIN.fields)
    rated = TWIN.rate(columns)

    assert 0 in rated.left
    assert not list(columns_faults(columns, rated))
    world.rate(group)


@pytest.mark.parametrize(
    "assignments",
    [
        [("P", date(2000, 1, 1), date(2026, 6, 20), {})],
        [("P", date(2000, 1, 1), date(2026, 6, 20), {}), ("P", date(2026, 6, 20), None, {})],
        [("P", date(2000, 1, 1), None, {"data": "reads"})],
        [("P", date(2000, 1, 1), None, {"channels": "E1, E2"})],
    ],
)
def test_points_of_a_part_of_the_period_are_left(assignments: list[Any], june: Callable[..., BillingGroup], world: Any) -> None:
    own = [
        Assignment(subject=subject, agreement="A", starts_on=first, ends_on=last, details=details)
        for subject, first, last, details in assignments
    ]
    group = june(assignments=own)

    assert TWIN.rate(columns_of([group], TWIN.kind, TWIN.fields)).left == {0}
    world.rate(group)


def test_values_are_there_for_models_that_go_through_them(june: Callable[..., BillingGroup]) -> None:
    group = june()
    (found,) = rate_by_columns([group], TWIN, rate)
    (wanted,) = (RATER.rate(group),)
    series, plain = found.measures[0].series, wanted.measures[0].series

    assert isinstance(series, IntervalSeries)
    assert isinstance(plain, IntervalSeries)
    assert series.known is not None
    assert plain.known is None
    assert list(series.runs) == list(plain.runs)
    assert list(series.in_time_order()) == list(plain.in_time_order())
    assert found.measures[0].quantity.value == Fraction(30 * sum(range(24)))
