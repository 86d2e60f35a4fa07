"""Tariff periods by the wall clock: every second of a call has the period that a clock on the wall would say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from billing_telecom_usage.rating.tariff import TariffPeriod
from billing_telecom_usage.rating.wall_clock import Segment, period_at, segments
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_framework import timezone
from tests.properties import examples

WEEK = (
    TariffPeriod(name="night"),
    TariffPeriod(name="day", days=("mon", "tue", "wed", "thu", "fri"), start="08:00"),
    TariffPeriod(name="evening", days=("mon", "tue", "wed", "thu", "fri"), start="18:30:15"),
    TariffPeriod(name="half past two", start="02:30"),
    TariffPeriod(name="holiday", holidays=True, weight=20),
)
HOLIDAYS = frozenset({date(2026, 3, 30)})


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from([datetime(2026, 3, 26, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC)]),
    st.integers(0, 6 * 86_400),
    st.integers(1, 30_000),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_every_second_has_the_period_of_its_wall_clock(first: datetime, after: int, seconds: int, zone: str) -> None:
    begun = first + timedelta(seconds=after)
    found = segments(begun, seconds, WEEK, zone=timezone(zone), holidays=HOLIDAYS)

    assert [found[0].start, *(part.end for part in found)] == [*(part.start for part in found), seconds]
    assert all(left.period != right.period for left, right in pairwise(found))
    for part in found:
        for second in {part.start, part.end - 1, (part.start + part.end) // 2}:
            held = period_at((begun + timedelta(seconds=second)).astimezone(timezone(zone)), WEEK, HOLIDAYS)
            assert (held.name if held else "") == part.period


def test_a_period_may_hold_again_in_the_repeated_hour() -> None:
    start = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00 summer time in Berlin
    found = segments(start, 7200, WEEK, zone=timezone("Europe/Berlin"))

    assert found == (
        Segment(0, 1800, "night"),
        Segment(1800, 3600, "half past two"),
        Segment(3600, 5400, "night"),
        Segment(5400, 7200, "half past two"),
    )


@pytest.mark.parametrize(
    ("local", "name"),
    [
        ("2026-06-10T07:59:59", "half past two"),
        ("2026-06-10T08:00:00", "day"),
        ("2026-06-10T18:30:15", "evening"),
        ("2026-06-13T12:00:00", "half past two"),
        ("2026-03-30T12:00:00", "holiday"),
    ],
)
def test_the_highest_weight_then_the_latest_start_holds(local: str, name: str) -> None:
    held = period_at(datetime.fromisoformat(local), WEEK, HOLIDAYS)
    assert held is not None
    assert held.name == name


def test_a_time_without_a_period_has_none() -> None:
    only = (TariffPeriod(name="june", months=(6,), month_days=(1, 2), holidays=False),)
    assert period_at(datetime(2026, 6, 3, tzinfo=UTC), only, ()) is None
    assert period_at(datetime(2026, 6, 2, tzinfo=UTC), only, ()) is only[0]
    assert period_at(datetime(2026, 6, 2, tzinfo=UTC), only, (date(2026, 6, 2),)) is None
