"""From entries to lines: every entry a line of its own, statuses, codes, costs, carried entries, findings that hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import attrs
import pytest

from billing_framework import DateSpan, KeyedUsage, Tile

Make = Callable[..., Any]


def test_every_entry_is_a_line_with_its_facts(world: Any, entry: Make, fees: Make) -> None:
    plan = fees('codes = { sets = ["litigation", "activities", "classes"], required = true }')
    (charge,) = world.bill(plan, [entry("1.5", task="L120", activity="A104", narrative="Read complaint")]).charges
    assert (charge.description, charge.quantity.value, charge.unit_price.value) == ("Read complaint", Fraction(3, 2), 600)
    assert charge.details == {
        "Timekeeper": "RH · Hale, Ruth · PARTNR",
        "Task": "L120 Analysis and strategy",
        "Activity": "A104 Reading, analysing",
    }
    assert (str(charge.service), charge.records, charge.source) == ("2026-06-10/2026-06-10", (1,), "1")


def test_no_charge_is_shown_and_non_billable_is_not(world: Any, entry: Make, fees: Make) -> None:
    records = [entry("1", status="no_charge", name="a"), entry("1", status="non_billable", name="b"), entry("1", name="c")]
    rated = world.bill(fees(), records)
    assert world.amounts(rated) == [0, 600]
    assert rated.charges[0].details["Adjustment"] == "-$600.00 no charge"
    assert list(rated.unpriced.values()) == ["non-billable"]
    assert (rated.control.records, rated.control.priced) == (3, 2)


def test_an_adjustment_of_an_entry_never_makes_a_credit(world: Any, entry: Make, fees: Make) -> None:
    assert world.amounts(world.bill(fees(), [entry("1", adjustment="-600")])) == [0]
    assert world.amounts(world.bill(fees(), [entry("1", adjustment="25.50")])) == [Fraction("625.50")]
    refused = world.rate(world.group(fees(), [entry("1", adjustment="-600.01")]))
    assert [finding.code for finding in refused.findings] == ["LEGAL17"]


@pytest.mark.parametrize(("unknown", "held"), [("hold", True), ("warn", False), ("ignore", False)])
def test_codes_that_the_plan_does_not_allow(unknown: str, *, held: bool, world: Any, entry: Make, fees: Make) -> None:
    plan = fees(f'codes = {{ sets = ["counseling", "classes"], unknown = "{unknown}", required = true }}')
    rated = world.rate(world.group(plan, [entry("1", task="L120"), entry("1")]))
    assert rated.held is held
    assert [finding.code for finding in rated.findings] == ([] if unknown == "ignore" else ["LEGAL16", "LEGAL16"])


def test_a_clients_own_set_takes_the_place_of_the_shipped_ones(world: Any, entry: Make, fees: Make) -> None:
    rows = "sort,code,label,starts_on,ends_on\ntask,110,Drafting claims,2023-04-01,\ntask,120,Old,2020-01-01,2026-01-01\n"
    plan = fees('codes = { sets = ["litigation"], table = "own" }')
    tables = world.tables(own=("codes", rows))
    (charge,) = world.bill(plan, [entry("1", task="110")], tables=tables).charges
    assert charge.details["Task"] == "110 Drafting claims"
    for task in ("L120", "120"):
        refused = world.rate(world.group(plan, [entry("1", task=task)], tables=tables))
        assert [finding.code for finding in refused.findings] == ["LEGAL16"]


def test_the_first_component_that_takes_an_entry_prices_it(world: Any, entry: Make, fees: Make) -> None:
    travel = fees('activities = ["A112"]\npercent = "50"').replace('code = "fees"', 'code = "travel"')
    rated = world.bill(travel + fees(), [entry("1", activity="A112"), entry("1")])
    assert [(charge.component, charge.amount.value) for charge in rated.charges] == [("travel", 300), ("fees", 600)]
    refused = world.rate(world.group(travel, [entry("1")]))
    assert [finding.code for finding in refused.findings] == ["LEGAL15"]


def test_costs_at_cost_and_by_price(world: Any, expense: Make, costs: Make) -> None:
    prices = "code,client,matter,unit,price,starts_on\nE101,,,page,0.125,2020-01-01\nE101,1,,page,0.10,2020-01-01\n"
    plan = costs('rates = "prices"\nmarkup_percent = "20"')
    records = [
        expense("E112", "402"),
        expense("E101", cost="soft", quantity="401"),
        expense("E112", unit_cost="1.5", quantity="3"),
    ]
    rated = world.bill(plan, records, tables=world.tables(prices=("expense_rate", prices)))
    assert world.amounts(rated) == [402, Fraction("48.12"), Fraction("4.5")]  # a third party's cost has no markup
    missing = world.rate(world.group(plan, [expense("E105", cost="soft")], tables=world.tables(prices=("expense_rate", prices))))
    assert [finding.code for finding in missing.findings] == ["LEGAL11"]
    none = world.rate(world.group(costs(), [expense("E105", cost="soft")]))
    assert [finding.code for finding in none.findings] == ["LEGAL11"]


def test_an_entry_of_an_earlier_month_is_priced_by_its_own_day(world: Any, entry: Make, fees: Make) -> None:
    rows = "timekeeper,value,starts_on,ends_on\nRH,500,2020-01-01,2026-06-01\nRH,600,2026-06-01,\n"
    rated = world.bill(fees(), [entry("1", on="2026-05-20"), entry("1")], tables=world.tables(rows))
    assert [(str(charge.service.start), charge.amount.value) for charge in rated.charges] == [
        ("2026-05-20", 500),
        ("2026-06-10", 600),
    ]


def test_a_day_without_a_plan_is_a_finding(world: Any, entry: Make, fees: Make) -> None:
    group = world.group(fees(), [entry("1", on="2026-05-20")])
    (usage,) = group.agreements
    without = attrs.evolve(group, agreements=(attrs.evolve(usage, earlier_tiles=()),))
    assert "LEGAL18" in [finding.code for finding in world.rate(without).findings]


def test_what_a_reviewer_changed_stands_beside_what_is_billed(world: Any, entry: Make, fees: Make) -> None:
    group = world.group(fees(), [entry("2", minutes=110, narrative="a")])
    (usage,) = group.agreements
    (record,) = usage.records
    body = attrs.evolve(record.usage.body, hours=Fraction(1), narrative="b", worked_seconds=6600)
    edited = KeyedUsage(key=1, usage=attrs.evolve(record.usage, body=body), assignment=record.assignment, original=record.usage)
    rated = world.rate(attrs.evolve(group, agreements=(attrs.evolve(usage, records=(edited,)),)))
    steps = {step.label: step for step in rated.charges[0].steps}
    assert (steps["worked"].result, steps["as delivered"].result, steps["billed hours"].result) == ("11/6 h", "2 h", "1 h")
    assert steps["as delivered"].formula == "changed in review: worked_seconds, hours, narrative"


def test_bills_speak_the_accounts_language(world: Any, entry: Make, fees: Make) -> None:
    (charge,) = world.bill(fees(), [entry("1", status="no_charge")], locale="de_DE", currency="EUR").charges
    assert charge.description == "Honorar"
    assert charge.details["Bearbeiter"] == "RH · Hale, Ruth · PARTNR"
    assert charge.details["Anpassung"].endswith("ohne Berechnung")


def test_a_currency_without_cents(world: Any, entry: Make, fees: Make) -> None:
    (charge,) = world.bill(fees('increment = { mode = "exact" }'), [entry(minutes=1)], currency="JPY").charges
    assert charge.amount.value == 10
    assert charge.service.start == date(2026, 6, 10)


def test_plan_versions_price_by_day_and_arrange_by_the_last(world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    records = [entry(minutes=7, on="2026-06-10"), entry(minutes=7, on="2026-06-20")]
    group = world.group(fees(), records)
    (usage,) = group.agreements
    first = Tile(dates=DateSpan(date(2026, 6, 1), date(2026, 6, 15)), plan=usage.tiles[0].plan)
    later = world.plan(fees("increment = { step_minutes = 15 }") + arrangement("courtesy_discount", 'percent = "10"'))
    second = Tile(dates=DateSpan(date(2026, 6, 15), date(2026, 7, 1)), plan=attrs.evolve(later, version="2"))
    rated = world.rate(attrs.evolve(group, agreements=(attrs.evolve(usage, tiles=(first, second)),)))
    assert not rated.held, rated.findings
    assert [(charge.quantity.value, charge.amount.value, charge.plan) for charge in rated.charges] == [
        (Fraction(1, 5), 108, "plan@1"),
        (Fraction(1, 4), 135, "plan@2"),
    ]
