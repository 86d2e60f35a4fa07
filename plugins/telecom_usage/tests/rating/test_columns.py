"""The columnar twin and the reference agree to the last digit, on decks and calls of every shape."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from billing_telecom_usage.deck.prefixes import prefixes_of
from billing_telecom_usage.rating.columns import quick_prices
from billing_telecom_usage.rating.rate import rate_columns
from billing_telecom_usage.rating.sorting import Task, sorted_calls
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_framework import exact_text

digits = st.text("0123456789", min_size=1, max_size=6)
prices = st.integers(0, 10**7).map(lambda number: exact_text(Fraction(number, 10**6)))
maybe_price = st.none() | prices
seconds = st.one_of(st.integers(1, 200), st.integers(1, 40_000))
row = st.fixed_dictionaries(
    {
        "rate_per_min": prices,
        "connect_fee": prices,
        "initial_s": st.sampled_from([1, 6, 20, 30, 60]),
        "increment_s": st.sampled_from([1, 6, 15, 60]),
        "included_s": st.sampled_from([0, 0, 10, 60]),
        "nocharge_s": st.sampled_from([0, 0, 5]),
        "minimum_s": st.sampled_from([0, 0, 45, 100]),
        "minimum_charge": maybe_price,
        "maximum_charge": maybe_price,
        "groups": st.sampled_from(["", "", "0:0.2/60/60 30:0.1/60/7"]),
        "period": st.sampled_from(["", "", "night"]),
    }
)
bodies = st.sampled_from(
    [
        "",
        'places = 2\nmode = "up"',
        'places = 0\nmode = "half_even"',
        'places = 9\nmode = "down"',
        'minimum_s = 20\nminimum_charge = "0.01"\nmaximum_charge = "3"',
        'periods = [{ name = "day" }, { name = "night", start = "22:00" }]',
        'attempt_fee = "0.02"\nallowances = [{ name = "a", minutes = "5", increment_s = 60 }]',
        "itemised = false\nplaces = 1",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    deck=st.dictionaries(digits | st.just("*"), row, min_size=1, max_size=8),
    numbers=st.lists(st.tuples(st.text("0123456789", min_size=6, max_size=18), st.just(0) | seconds, st.booleans()), max_size=12),
    body=bodies,
)
def test_the_twin_says_what_the_reference_says(
    deck: dict[str, Any], numbers: list[tuple[str, int, bool]], body: str, world: Any, make_call: Any, make_deck: Any
) -> None:
    table = make_deck(*({"prefix": prefix, **fields} for prefix, fields in deck.items()))
    calls = [
        make_call(length, number, at=f"2026-06-10T21:{place * 5:02}:00+00:00", name=f"c{place}", continuation=leg)
        for place, (number, length, leg) in enumerate(numbers)
    ]
    plan = world.plan(body)
    groups = [
        world.group(plan, calls=calls[half::2], tables=[table], account=str(half), first_key=1 + 100 * half) for half in (0, 1)
    ]
    world.rate_both(*groups)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prefixes=st.sets(digits, max_size=30), numbers=st.lists(st.text("0123456789", min_size=1, max_size=20), max_size=30))
def test_many_numbers_find_the_prefix_that_each_finds_alone(prefixes: set[str], numbers: list[str], make_deck: Any) -> None:
    found = prefixes_of(make_deck(*({"prefix": prefix, "rate_per_min": "1"} for prefix in sorted(prefixes))))
    alone = [found.place(number) for number in numbers]

    assert found.places(numbers).tolist() == alone
    for number, place in zip(numbers, alone, strict=True):
        matching = [prefix for prefix in prefixes if number[:15].startswith(prefix)]
        assert (found.rows[place].prefix if place >= 0 else "") == max(matching, key=len, default="")


def tasks(world: Any, make_call: Any, table: Any, body: str = "") -> list[Task]:
    group = world.group(world.plan(body), calls=[make_call(61), make_call(62, name="b")], tables=[table])
    return [one for one in sorted_calls(group) if isinstance(one, Task)]


def test_plain_calls_take_the_columns(world: Any, make_call: Any, make_deck: Any) -> None:
    table = make_deck({"prefix": "49", "rate_per_min": "0.1", "initial_s": 60, "increment_s": 6})
    quick = quick_prices(tasks(world, make_call, table))

    assert [(one.billed_s, one.amount) for one in quick.values()] == [(66, Fraction("0.11"))] * 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate_per_min", "9000000000000000000"),
        ("connect_fee", "4611686018427387904.5"),
        ("rate_per_min", "0.0000000000001"),
        ("minimum_charge", "99999999999999999999"),
    ],
)
def test_prices_beyond_the_columns_are_left_to_the_reference(
    field: str, value: str, world: Any, make_call: Any, make_deck: Any
) -> None:
    table = make_deck({"prefix": "49", "rate_per_min": "0.1", field: value})

    assert quick_prices(tasks(world, make_call, table)) == {}
    rated = world.bill(world.plan(), calls=[make_call(61)], tables=[table])
    assert rated.charges[0].amount.value > 0 or value.startswith("0.000")


def test_no_groups_and_groups_without_calls_are_rated(world: Any) -> None:
    assert list(rate_columns([])) == []
    assert world.bill(world.plan()).charges == ()
