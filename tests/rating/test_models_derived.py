from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from billing_framework.rating.charge import Origin
from billing_framework.rating.payable import payable_lines
from billing_framework.rating.rate import RatedGroup
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan

JUNE = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
JULY = DateSpan(date(2026, 7, 1), date(2026, 8, 1))
HALVES = JUNE.tiles([date(2026, 6, 16)])
BASE = {"base": 'model = "recurring"\nprice = "100"', "extra": 'model = "recurring"\nprice = "40"'}


def of(rated: RatedGroup, component: str) -> list[str]:
    assert rated.findings == ()
    return [str(charge.amount) for charge in rated.charges if charge.component == component]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('percent = "5"', ["7 USD"]),
        ('percent = "-5"', ["-7 USD"]),
        ('percent = "5"\nof = ["extra"]', ["2 USD"]),
        ('percent = "5"\nexcluding = ["extra"]', ["5 USD"]),
        ('percent = "5"\neach = true', ["5 USD", "2 USD"]),
        ('percent = "5"\neach = true\nat_least = "3"\nat_most = "4"', ["4 USD", "3 USD"]),
        ('percent = "2.5"\ngross_up = true\nstep = "0.01"', ["3.59 USD"]),
        ('percent = { term = "discount" }', ["-14 USD"]),
    ],
)
def test_percentage_of_charges(plan: Any, usage: Any, rate: Any, keys: str, expected: list[str]) -> None:
    made = plan({**BASE, "rider": f'model = "percentage"\n{keys}'})
    rated = rate(usage(made, terms={"discount": "-10"}))
    assert of(rated, "rider") == expected
    assert {charge.origin for charge in rated.charges if charge.component == "rider"} == {Origin.DERIVED}


def test_percentage_of_measured_money(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    keys = 'model = "percentage"\npercent = "2.9"\neach = true\nat_least = "0.30"\nmeasure = "card"'
    sales = [measured("card", "100.00", "USD", source="S1"), measured("card", "5", "USD", source="S2")]
    rated = rate(usage(plan({"fee": keys})), sales)
    assert [(charge.source, str(charge.amount)) for charge in rated.charges] == [("S1", "2.9 USD"), ("S2", "0.3 USD")]
    foreign = rate(usage(plan({"fee": keys})), [measured("card", "1", "EUR")])
    assert [finding.code for finding in foreign.findings] == ["RATE08"]


def test_percentages_follow_the_version_of_their_tile(plan: Any, usage: Any, rate: Any) -> None:
    plans = [plan({**BASE, "rider": f'model = "percentage"\npercent = "{percent}"'}, version=percent) for percent in ("10", "20")]
    rated = rate(usage(plans[0], tiles=list(zip(HALVES, plans, strict=True))))
    assert of(rated, "rider") == ["7 USD", "14 USD"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('amount = "200"', ["60 USD"]),
        ('amount = "140"', []),
        ('amount = "200"\nof = ["extra"]', ["160 USD"]),
        ('amount = { term = "least" }', ["10 USD"]),
        ('amount = "600"\ninterval = "quarter"', ["60 USD"]),
    ],
)
def test_minimum(plan: Any, usage: Any, rate: Any, keys: str, expected: list[str]) -> None:
    made = plan({**BASE, "floor": f'model = "minimum"\n{keys}'})
    assert of(rate(usage(made, terms={"least": "150"})), "floor") == expected


def test_minimum_and_maximum_are_prorated_by_the_versions_that_have_them(plan: Any, usage: Any, rate: Any) -> None:
    with_floor = plan({"floor": 'model = "minimum"\namount = "20"'}, version="1")
    dearer = plan({"floor": 'model = "minimum"\namount = "40"'}, version="2")
    without = plan({"base": 'model = "recurring"\nprice = "0"'}, version="3")
    assert of(rate(usage(with_floor, tiles=list(zip(HALVES, (with_floor, dearer), strict=True)))), "floor") == ["30 USD"]
    assert of(rate(usage(with_floor, tiles=list(zip(HALVES, (with_floor, without), strict=True)))), "floor") == ["10 USD"]
    whole = plan({"floor": 'model = "minimum"\namount = "20"\nproration = "none"'})
    short = usage(whole, period=HALVES[1], full_period=JUNE, starts_on=HALVES[1].start)
    assert of(rate(short), "floor") == ["20 USD"]


def test_maximum_limits_chosen_charges(plan: Any, usage: Any, rate: Any) -> None:
    made = plan({**BASE, "cap": 'model = "maximum"\namount = "90"\nof = ["base"]'})
    assert of(rate(usage(made)), "cap") == ["-10 USD"]
    made = plan({**BASE, "cap": 'model = "maximum"\namount = "500"'})
    assert of(rate(usage(made)), "cap") == []


def test_a_minimum_is_reached_by_the_printed_lines(plan: Any, usage: Any, rate: Any) -> None:
    thirds = {f"part{number}": 'model = "recurring"\nprice = "10"\ninterval = "quarter"' for number in range(4)}
    for place in ("line", "component", "document"):
        made = plan({**thirds, "floor": 'model = "minimum"\namount = "20"'}, plan_keys=f'rounding = {{ place = "{place}" }}')
        rated = rate(usage(made))
        printed = payable_lines(rated.charges, {made.name: made})
        assert str(Money.total(printed, "USD")) == "20.00 USD", place


COMMITMENT = {
    "use": 'model = "per_unit"\nmeasure = "use"\nunit = "call"\nprice = "1"',
    "commit": 'model = "commitment"\namount = "400"\nterm = "quarter"\nreset = "calendar"',
}


def test_commitment_is_trued_up_at_the_end_of_its_term(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    made = plan(COMMITMENT)
    state: tuple[Any, ...] = ()
    lines = []
    for month, spent in ((4, 100), (5, 150), (6, 20), (7, 500)):
        dates = DateSpan(date(2026, month, 1), date(2026, month + 1, 1))
        rated = rate(usage(made, period=dates, state=state), [measured("use", spent, "call", dates)])
        state = rated.state
        lines.append(of(rated, "commit"))
    assert lines == [[], [], ["130 USD"], []]
    assert state[0].values == {"spent": Fraction(500)}


def test_commitment_of_an_agreement_that_ends_is_prorated(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    made = plan(COMMITMENT)
    dates = DateSpan(date(2026, 4, 1), date(2026, 4, 16))
    asked = usage(made, period=dates, full_period=DateSpan(date(2026, 4, 1), date(2026, 5, 1)), ends_on=dates.end)
    rated = rate(asked, [measured("use", 10, "call", dates)])
    assert of(rated, "commit") == [str(Fraction(400 * 15, 91).limit_denominator(1000) - 10) + " USD"]
    assert rated.charges[-1].source == "true-up"


def test_a_term_that_ends_within_the_period_counts_only_its_own_charges(plan: Any, usage: Any, rate: Any, measured: Any) -> None:
    made = plan(COMMITMENT)
    period = DateSpan(date(2026, 6, 16), date(2026, 7, 16))
    tiles = period.tiles([date(2026, 7, 1)])
    asked = usage(made, period=period, tiles=[(tile, made) for tile in tiles])
    rated = rate(asked, [measured("use", spent, "call", tile) for spent, tile in zip((300, 70), tiles, strict=True)])
    assert of(rated, "commit") == ["100 USD"]
    assert str(rated.charges[-1].service) == "2026-06-16/2026-06-30"
    assert rated.state[0].values == {"spent": Fraction(70)}
