"""The columnar twin and the reference agree to the last digit, on decks and calls of every shape."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
import pytest
from billing_telecom_usage.deck.digits import digits_of
from billing_telecom_usage.deck.prefix_columns import prefix_columns
from billing_telecom_usage.deck.prefixes import prefixes_of
from billing_telecom_usage.kinds import Direction
from billing_telecom_usage.rating.rate import TWIN, rate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_framework import CarriedState, DateSpan, RatedColumns, exact_text, rate_by_columns
from billing_framework.rating.gather_columns import columns_of
from billing_framework.rating.rated_columns import columns_faults
from tests.properties import examples

digits = st.text("0123456789", min_size=1, max_size=6)
called = st.integers(1, 10**17).map(str)  # country codes never begin with zero
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
DAY_AND_NIGHT = """
periods = [{ name = "day", start = "07:00" }, { name = "night", start = "22:00" }, { name = "night", start = "00:00" }]
"""
ALLOWANCES = """
allowances = [
  { name = "all", minutes = "4", increment_s = 60 },
  { name = "some", minutes = "2.5", prefixes = ["1", "44", "49x"], priority = 20, connect_fee = true, prorate = true },
]
"""
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
        "places = 4\n" + DAY_AND_NIGHT,
        "boundary = 'start_period'\nminimum_s = 70\n" + DAY_AND_NIGHT,
        "boundary = 'round_each_segment'\nminimum_s = 70\n" + DAY_AND_NIGHT,
        "boundary = 'pro_rata'\n" + DAY_AND_NIGHT,
        "length = 'duration'\n" + DAY_AND_NIGHT + ALLOWANCES,
        "maximum_charge = '0.5'\nminimum_charge = '0.01'\nattempt_fee = '0.02'\n" + DAY_AND_NIGHT + ALLOWANCES,
        "zone = 'America/New_York'\n" + DAY_AND_NIGHT,
    ]
)
starts = st.one_of(
    st.integers(0, 30 * 86_400),
    st.tuples(st.integers(0, 29), st.sampled_from([7, 21, 22, 23]), st.integers(-900, 900)).map(
        lambda one: max(one[0] * 86_400 + one[1] * 3_600 + one[2], 0)
    ),
)


@settings(
    max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    deck=st.dictionaries(digits | st.just("*"), row, min_size=1, max_size=8),
    numbers=st.lists(st.tuples(st.integers(10**5, 10**18 - 1).map(str), st.just(0) | seconds, st.booleans()), max_size=12),
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


@settings(
    max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    deck=st.dictionaries(digits | st.just("*"), row, min_size=1, max_size=4),
    numbers=st.lists(
        st.tuples(called | st.integers(1, 999_999).map(str), st.just(0) | seconds, starts, st.booleans(), st.sampled_from("ab")),
        max_size=12,
    ),
    plans=st.lists(bodies, min_size=1, max_size=2),
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
    locale=st.sampled_from(["en_US", "de_DE"]),
    decks=st.integers(1, 2),
    left=st.none() | st.integers(0, 400),
)
def test_the_twin_says_what_the_reference_says_of_any_month(
    deck: dict[str, Any],
    numbers: list[tuple[str, int, int, bool, str]],
    plans: list[str],
    zone: str,
    locale: str,
    decks: int,
    left: int | None,
    configured: Any,
    make_call: Any,
    make_deck: Any,
) -> None:
    world = configured(hidden_digits=3)
    first = datetime(2026, 10, 1, tzinfo=UTC)  # the clocks go back on the 25th
    calls = [
        make_call(
            length, number, at=(first + timedelta(seconds=at)).isoformat(), name=f"c{place}", continuation=leg, a_number=caller
        )
        for place, (number, length, at, leg, caller) in enumerate(numbers)
    ]
    versions = [
        world.plan(body, version=str(number), valid_from=day)
        for number, (body, day) in enumerate(zip(plans, ("2000-01-01", "2026-10-13"), strict=False))
    ]
    before = DateSpan(date(2026, 9, 1), date(2026, 10, 1))
    state = [CarriedState(scope="A0", name="allowance.calls.all", period=before, values={"2026-09-01": Fraction(left or 0)})]
    groups = [
        world.group(
            *versions,
            calls=calls[half::2],
            tables=[
                make_deck(*({"prefix": prefix, **fields} for prefix, fields in deck.items()), version=str(day), valid_from=day)
                for day in (date(2000, 1, 1), date(2026, 10, 20))[:decks]
            ],
            locale=locale,
            account=str(half),
            first_key=1 + 100 * half,
            period="2026-10-02/2026-11-01",
            full="2026-10-01/2026-11-01",
            earlier="2026-10-01/2026-10-02",
            state=state if left is not None and not half else [],
            zone=zone,
        )
        for half in (0, 1)
    ]
    world.rate_both(*groups)
    columns = columns_of(groups, TWIN.kind, TWIN.fields)
    assert not list(columns_faults(columns, TWIN.rate(columns)))


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prefixes=st.sets(digits, max_size=30), numbers=st.lists(st.text("0123456789", max_size=20), max_size=30))
def test_many_numbers_find_the_prefix_that_each_finds_alone(prefixes: set[str], numbers: list[str], make_deck: Any) -> None:
    known = sorted(prefixes)
    found = prefixes_of(make_deck(*({"prefix": prefix, "rate_per_min": "1"} for prefix in known)))
    alone = [found.place(number) for number in numbers]
    search = prefix_columns(known)
    texts = np.array([number.encode() for number in numbers] or [b""])[: len(numbers)]

    assert search is not None
    assert search.places(digits_of(texts)).tolist() == alone
    for number, place in zip(numbers, alone, strict=True):
        matching = [prefix for prefix in prefixes if number[:15].startswith(prefix)]
        assert (known[place] if place >= 0 else "") == max(matching, key=len, default="")


@given(st.lists(st.text(max_size=24).filter(lambda text: "\0" not in text), min_size=1, max_size=20))
def test_only_digits_are_numbers(texts: list[str]) -> None:
    found = digits_of(np.array([text.encode() for text in texts]))

    for text, key, size, sound in zip(texts, found.keys.tolist(), found.sizes.tolist(), found.sound.tolist(), strict=True):
        head = text.encode()[:15]
        assert sound == (head.isdigit() or not head)
        if sound:
            assert (key, size) == (int(head.ljust(15, b"0")), len(head))


def rated(*groups: Any) -> RatedColumns:
    columns = columns_of(groups, TWIN.kind, TWIN.fields)
    found = TWIN.rate(columns)
    assert not list(columns_faults(columns, found))
    return found


def test_calls_across_a_boundary_and_under_an_allowance_take_the_columns(world: Any, make_call: Any, make_deck: Any) -> None:
    table = make_deck(
        {"prefix": "49", "rate_per_min": "0.06", "initial_s": 60, "increment_s": 6},
        {"prefix": "49", "rate_per_min": "0.12", "initial_s": 60, "increment_s": 6, "period": "peak"},
    )
    plan = world.plan(
        """periods = [{ name = "rest" }, { name = "peak", start = "08:00" }]
allowances = [{ name = "free", minutes = "1" }]"""
    )
    calls = [make_call(100, at="2026-06-03T07:59:00+00:00"), make_call(61, at="2026-06-04T09:00:00+00:00", name="b")]
    found = rated(world.group(plan, calls=calls, tables=[table]))

    assert not found.left
    # 102 s, 60 of them at 0.06 and 42 at 0.12 a minute; 60 s are included: 0.144 x 42/102. Then 66 s at 0.12.
    assert found.lines.amounts.fractions() == [Fraction("0.0593"), Fraction("0.132")]
    assert found.lines.totals.fractions() == [Fraction("0.1913")]
    assert found.lines.quantities.numbers.tolist() == [102, 66]


BOTH_WAYS = """
[[component]]
code = "received"
title = {{ en = "Received", de = "Angenommen" }}
model = "telecom_usage.calls"
charge_code = "telecom.calls"
tax_category = "standard"
deck = "deck"
direction = "incoming"
places = 2
itemised = {itemised}
"""


def test_lines_of_every_sort_are_written_by_the_columns_as_by_the_reference(
    configured: Any, make_call: Any, make_deck: Any
) -> None:
    world = configured(hidden_digits=3)
    home = {"prefix": "49", "destination": "Home | mobile", "rate_per_min": "0.06", "initial_s": 60, "increment_s": 6}
    decks = [
        make_deck(home, {**home, "period": "peak", "rate_per_min": "0.12", "connect_fee": "0.05"}, version="1"),
        make_deck({**home, "rate_per_min": "0.07"}, version="2", valid_from=date(2026, 6, 15)),
    ]
    body = """attempt_fee = "0.01"
allowances = [{ name = "free", minutes = "2" }]
periods = [{ name = "rest" }, { name = "peak", start = "08:00" }]
"""
    plans = [
        world.whole_plan(world.plan_text(body + BOTH_WAYS.format(itemised=itemised), version=version, valid_from=day))
        for version, day, itemised in (("1", "2000-01-01", "true"), ("2", "2026-06-20", "false"))
    ]
    days = (2, 2, 9, 14, 16, 25)
    spoken = [make_call(40 * day, at=f"2026-06-{day:02}T0{place + 4}:10:00+00:00") for place, day in enumerate(days)]
    unanswered = [make_call(0, at=f"2026-06-{day:02}T12:00:00+00:00", name=f"u{day}") for day in days[1:]]
    received = [
        make_call(90, at=f"2026-06-{day:02}T11:00:00+00:00", name=f"r{day}", direction=Direction.INCOMING) for day in days[1:]
    ]
    late = [make_call(70, at="2026-05-30T12:00:00+00:00", direction=Direction.INCOMING, name=name) for name in ("l", "m")]
    groups = [
        world.group(
            *plans,
            calls=[*spoken, *unanswered, *received, *late],
            tables=decks,
            earlier="2026-05-20/2026-06-01",
            locale=locale,
            account=locale,
            first_key=1 + 100 * place,
        )
        for place, locale in enumerate(("en_US", "de_DE", "fr_FR"))
    ]
    own = [attrs.evolve(group, settings=world.host.settings_of_rater("telecom_usage")) for group in groups]

    assert not rated(*own).left
    first, german, _ = world.rate_both(*groups)
    assert [(one.component, one.description, str(one.service), len(one.items)) for one in first.charges] == [
        ("calls", "Calls: Home | mobile", "2026-06-01/2026-06-19", 5),
        ("calls", "Calls: Home | mobile, calls not answered", "2026-06-01/2026-06-19", 4),
        ("calls", "Calls: Home | mobile", "2026-06-20/2026-06-30", 1),
        ("calls", "Calls: Home | mobile, calls not answered", "2026-06-20/2026-06-30", 1),
        ("received", "Received: Home | mobile, earlier calls", "2026-05-30/2026-05-30", 2),
        ("received", "Received: Home | mobile", "2026-06-01/2026-06-19", 4),
        ("received", "Received: Home | mobile", "2026-06-20/2026-06-30", 0),
    ]
    assert {item.text for charge in first.charges for item in charge.items} == {"+4930123xxx", "+4989xxx"}
    assert german.charges[0].items[0].details == (
        ("Dauer", "0:01:20"),
        ("Berechnete Zeit", "0:01:24"),
        ("Davon inklusive", "0:01:24"),
    )


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

    assert rated(world.group(world.plan(), calls=[make_call(61)], tables=[table])).left == {0}
    billed = world.bill(world.plan(), calls=[make_call(61)], tables=[table])
    assert billed.charges[0].amount.value > 0 or value.startswith("0.000")


def test_no_groups_and_groups_without_calls_are_rated(world: Any) -> None:
    assert list(rate_by_columns([], TWIN, rate)) == []
    assert world.bill(world.plan()).charges == ()
