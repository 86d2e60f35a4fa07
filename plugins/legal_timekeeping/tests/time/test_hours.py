"""Time becomes units: exactly, for an entry, a day or an invoice at once; minimums are kept; nothing is lost in sharing back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from billing_legal_timekeeping.params import Increment, IncrementMode, IncrementScope
from billing_legal_timekeeping.time.hours import Spent, billed_hours
from hypothesis import given
from hypothesis import strategies as st

from billing_framework import ValueRefused

DAY = date(2026, 6, 10)
SECONDS = st.integers(0, 8 * 3600)


def spent(seconds: Sequence[int], **more: str) -> list[Spent]:
    return [
        Spent(key=key, minutes=Fraction(one, 60), timekeeper="RH", matter="0001", day=DAY, **more)
        for key, one in enumerate(seconds, start=1)
    ]


def hours(entries: Sequence[Spent], rule: Increment) -> list[Fraction]:
    billed = billed_hours(entries, rule)
    return [billed[entry.key].hours for entry in entries]


@given(units=st.integers(0, 240), step=st.integers(1, 60), mode=st.sampled_from(IncrementMode))
def test_a_multiple_of_the_increment_stays_what_it_is(units: int, step: int, mode: IncrementMode) -> None:
    rule = Increment(step_minutes=step, mode=mode, places=4)
    (found,) = hours(spent([units * step * 60]), rule)
    exact = Fraction(units * step, 60)
    assert found == exact if mode is not IncrementMode.PRINTED_UNITS else abs(found - exact) <= Fraction(1, 20_000)


@given(
    seconds=st.lists(SECONDS, min_size=1, max_size=8), step=st.sampled_from([1, 3, 6, 15]), scope=st.sampled_from(IncrementScope)
)
def test_the_units_of_a_scope_sum_to_its_rounded_time(seconds: list[int], step: int, scope: IncrementScope) -> None:
    found = hours(spent(seconds), Increment(step_minutes=step, scope=scope))
    wanted = sum(-(-one // (step * 60)) for one in seconds) if scope is IncrementScope.ENTRY else -(-sum(seconds) // (step * 60))
    assert sum(found) * 60 / step == wanted
    assert all((one * 60 / step).denominator == 1 for one in found)


@given(seconds=st.lists(SECONDS, min_size=1, max_size=8))
def test_no_entry_of_a_day_is_a_whole_unit_away_from_its_share(seconds: list[int]) -> None:
    total = sum(seconds)
    units = -(-total // 360)
    found = hours(spent(seconds), Increment(scope=IncrementScope.DAY))
    for one, billed in zip(seconds, found, strict=True):
        assert abs(billed * 10 - (Fraction(one * units, total) if total else 0)) < 1


def test_people_matters_days_and_statuses_are_never_rounded_together() -> None:
    base = spent([60, 60, 60, 60, 60])
    entries = [
        base[0],
        Spent(key=2, minutes=Fraction(1), timekeeper="TO", matter="0001", day=DAY),
        Spent(key=3, minutes=Fraction(1), timekeeper="RH", matter="0002", day=DAY),
        Spent(key=4, minutes=Fraction(1), timekeeper="RH", matter="0001", day=date(2026, 6, 11)),
        Spent(key=5, minutes=Fraction(1), timekeeper="RH", matter="0001", day=DAY, status="no_charge"),
    ]
    assert hours(entries, Increment(scope=IncrementScope.DAY)) == [Fraction(1, 10)] * 5
    assert sum(hours(entries, Increment(scope=IncrementScope.INVOICE))) == Fraction(4, 10)


def test_minimums_are_kept_in_every_mode_and_nothing_stays_nothing() -> None:
    for mode in (IncrementMode.UP, IncrementMode.DOWN, IncrementMode.NEAREST_HALF_UP, IncrementMode.NEAREST_HALF_EVEN):
        rule = Increment(step_minutes=15, mode=mode, minimum_minutes=6)
        assert hours(spent([60, 0]), rule) == [Fraction(1, 4), 0]
    appearance = Increment(activity_minimums={"A109": 30})
    assert hours(spent([600, 3600], activity="A109"), appearance) == [Fraction(1, 2), 1]
    assert hours(spent([600, 0], activity="A101"), appearance) == [Fraction(1, 5), 0]


def test_halves_go_as_the_mode_says() -> None:
    halves = spent([15 * 60, 9 * 60])  # two and a half units, one and a half
    assert hours(halves, Increment(mode=IncrementMode.NEAREST_HALF_UP)) == [Fraction(3, 10), Fraction(2, 10)]
    assert hours(halves, Increment(mode=IncrementMode.NEAREST_HALF_EVEN)) == [Fraction(2, 10), Fraction(2, 10)]
    assert hours(halves, Increment(mode=IncrementMode.DOWN)) == [Fraction(2, 10), Fraction(1, 10)]


def test_printed_hours_of_a_day_sum_up() -> None:
    rule = Increment(mode=IncrementMode.PRINTED_UNITS, scope=IncrementScope.DAY, places=2)
    assert hours(spent([1200, 1200, 1200]), rule) == [Fraction(34, 100), Fraction(33, 100), Fraction(33, 100)]


def test_the_steps_say_how_the_hours_came_to_be() -> None:
    billed = billed_hours(spent([420, 420]), Increment(scope=IncrementScope.DAY, minimum_minutes=6))
    assert [(step.label, step.formula, step.result) for step in billed[1].steps] == [
        ("entered", "7 min", "7/60 h"),
        ("billed hours", "up to units of 6 min, at least 6 min, of 14 min in 2 entries", "0.2 h"),
    ]


@pytest.mark.parametrize("wrong", [{"step_minutes": 0}, {"minimum_minutes": -1}, {"places": 5}])
def test_increments_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueRefused, match="LEGAL06"):
        Increment(**wrong)
