"""The acceptance vectors of the trade: each is proven by a test here or elsewhere, or belongs to a feature that is named."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from billing_telecom_usage.deck.digits import digits_of
from billing_telecom_usage.deck.groups import Group, two_blocks
from billing_telecom_usage.deck.prefix_columns import prefix_columns
from billing_telecom_usage.deck.prefixes import prefixes_of
from billing_telecom_usage.formats.mapped import MAPPED
from billing_telecom_usage.rating.price import Rates, priced, settled
from billing_telecom_usage.rating.tariff import Boundary, TariffPeriod
from billing_telecom_usage.rating.wall_clock import Segment, segments
from billing_telecom_usage.settings import ColumnMapping, Source, TelecomSettings

from billing_framework import CarriedState, DateSpan, ReadRequest, RoundingMode, exact, exact_text, timezone

DATA = Path(__file__).parent / "data" / "vectors" / "telecom.json"
VECTORS: dict[str, dict[str, Any]] = {vector["id"]: vector for vector in json.loads(DATA.read_text())["vectors"]}
RATING = [name for name, vector in VECTORS.items() if vector["kind"] == "rating"]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

ELSEWHERE = {
    "msisdn-owner": "tests/master_data and tests/usage of the framework: an assignment holds from midnight to midnight",
    "rerate": "the framework's rebill: credit note and new document, the second time without effect",
    "suspense": "test_samples.py: the control totals of every file",
}
LATER = {
    "data-per-session-rounding": "data sessions",
    "bundle-binary-vs-decimal": "data sessions",
    "p95-commit": "bandwidth by the 95th percentile",
    "auth-max-duration": "prepaid authorisation",
    "auth-60-60": "prepaid authorisation",
    "family-pool": "shared pools",
    "rollover-fifo": "rollover of allowances",
    "rollover-zuora": "rollover of allowances",
    "etf-verizon": "fees for ending a contract early",
    "usf-wireless": "universal service fund",
    "partial-records": "assembly of partial records",
    "notify": "notices of thresholds",
    "discount-order": "discounts across products",
}


def given(name: str) -> dict[str, Any]:
    found: dict[str, Any] = VECTORS[name]["inputs"]
    return found


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = VECTORS[name]["expected"]
    return found


def test_no_vector_is_forgotten() -> None:
    here = {name.removeprefix("test_vector_").replace("_", "-") for name in globals() if name.startswith("test_vector_")}
    assert here <= VECTORS.keys()
    assert here | set(RATING) | ELSEWHERE.keys() | LATER.keys() == VECTORS.keys()
    assert not here & LATER.keys()


def periods_of(tariff: Mapping[str, Any]) -> tuple[TariffPeriod, ...]:
    return tuple(
        TariffPeriod(
            name=str(number),
            days=tuple(DAYS[day - 1] for day in one.get("weekdays", ())),
            months=tuple(one.get("months", ())),
            month_days=tuple(one.get("month_days", ())),
            start=one.get("start", "00:00"),
            weight=one.get("weight", 10),
        )
        for number, one in enumerate(tariff["periods"])
    )


def rates_of(tariff: Mapping[str, Any]) -> dict[str, Rates]:
    most = tariff.get("max_cost") if tariff.get("max_cost_strategy") == "free" else None
    return {
        str(number): Rates(
            groups=tuple(Group(one["from"], exact(one["rate"]), one["per"], one["increment"]) for one in period["groups"]),
            connect_fee=exact(period["connect_fee"]),
            maximum_charge=None if most is None else exact(most),
        )
        for number, period in enumerate(tariff["periods"])
    }


@pytest.mark.parametrize("name", RATING)
def test_a_rating_vector(name: str) -> None:
    vector = VECTORS[name]
    tariff, event, wanted = vector["tariff"], vector["event"], vector["expected"]
    start = datetime.fromisoformat(event["start"]).astimezone(UTC)
    zone, length = timezone(tariff.get("tz", "UTC")), max(event["quantity"], 1)
    runs = tariff.get("unit", "second") != "unit"
    parts = segments(start, length if runs else 1, periods_of(tariff), zone=zone)
    if not runs:
        parts = (Segment(0, length, parts[0].period),)
    rates = rates_of(tariff)
    price = priced(
        event["quantity"],
        rates,
        parts,
        boundary=Boundary(tariff.get("boundary_policy", "increment_start")),
        continuation=event.get("continuation", False),
    )
    cost = settled(
        price,
        free_s=0,
        fee_when_covered=False,
        rates=rates[parts[0].period],
        places=tariff["rounding"]["decimals"],
        mode=RoundingMode(tariff["rounding"]["method"]),
    )
    assert cost == exact(wanted.get("exact_cost", wanted["cost"]))
    assert price.billed_s == wanted.get("billed", price.billed_s)


def test_vector_lpm(make_deck: Callable[..., Any]) -> None:
    data = given("lpm")
    prefixes = prefixes_of(make_deck(*({"prefix": prefix, "rate_per_min": "0"} for prefix in data["deck"])))
    single = [prefixes.place(number) for number in data["numbers"]]
    assert [data["deck"][place] if place >= 0 else None for place in single] == expected("lpm")["match"]
    numbers = digits_of(np.array([number.encode() for number in data["numbers"]]))
    search = prefix_columns(tuple(prefixes.places))
    assert search is not None
    assert search.places(numbers).tolist() == single


def cost(rates: Rates, seconds: int) -> Fraction:
    price = priced(seconds, {"": rates}, (Segment(0, max(seconds, 1), ""),))
    return settled(price, free_s=0, fee_when_covered=False, rates=rates, places=4, mode=RoundingMode.HALF_UP)


def test_vector_free_seconds() -> None:
    data = given("free-seconds")
    first, step = (int(part) for part in data["increments"].split("/"))
    rates = Rates(groups=two_blocks(exact(data["rate_per_min"]), first, step), nocharge_s=data["nocharge_below_or_equal_s"])
    assert [cost(rates, seconds) for seconds in data["durations"]] == [exact(one) for one in expected("free-seconds")["cost"]]


def test_vector_included_seconds() -> None:
    data = given("included-seconds")
    groups = two_blocks(exact(data["rate_per_min"]), data["initial"], data["increment"])
    rates = Rates(groups=groups, included_s=data["included_s"])
    assert [cost(rates, seconds) for seconds in data["durations"]] == [exact(one) for one in expected("included-seconds")["cost"]]


ONE_SECOND = {"prefix": "49", "rate_per_min": "0.204", "initial_s": 1, "increment_s": 1}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("places = 2", "per_call_half_up"),
        ('places = 2\nmode = "up"', "per_call_up"),
        ("places = 4", "per_call_4_decimals_then_invoice"),
    ],
)
def test_vector_round_call_vs_invoice(body: str, wanted: str, world: Any, make_call: Any, make_deck: Any) -> None:
    data = given("round-call-vs-invoice")
    calls = [make_call(1, name=f"c{number}") for number in range(data["calls"])]
    (charge,) = world.bill(world.plan(body), calls=calls, tables=[make_deck(ONE_SECOND)]).charges
    assert charge.amount.payable().major == exact(expected("round-call-vs-invoice")[wanted])
    assert (
        expected("round-call-vs-invoice")["per_invoice"] == expected("round-call-vs-invoice")["per_call_4_decimals_then_invoice"]
    )


MINUTES = {"rate_per_min": "0.10", "initial_s": 60, "increment_s": 60}


def test_vector_bundle_priority(world: Any, make_call: Any, make_deck: Any) -> None:
    wanted = expected("bundle-priority")
    plan = world.plan(
        """
[[component.allowances]]
name = "plan"
minutes = "10"
[[component.allowances]]
name = "promo"
minutes = "6"
prefixes = ["34"]
priority = 20
"""
    )
    tables = [make_deck({"prefix": "34", **MINUTES}, {"prefix": "33", **MINUTES})]
    calls = [
        make_call(one["s"], {"ES": "34910", "FR": "33199"}[one["to"]], at=f"2026-06-0{number}T10:00:00+00:00")
        for number, one in enumerate(given("bundle-priority")["calls"], start=1)
    ]
    rated = world.bill(plan, calls=calls, tables=tables)
    spain, france = sorted(rated.charges, key=lambda one: one.source, reverse=True)
    assert [dict(item.details)["Of this included"] for item in (*spain.items, *france.items)] == ["0:05:00", "0:07:00", "0:04:00"]
    assert spain.amount.value + france.amount.value == exact(wanted["overage"])
    left = {state.name.rpartition(".")[2]: dict(state.values) for state in rated.state}
    assert left == {"plan": {"2026-06-01": 0}, "promo": {"2026-06-01": 0}}


def test_vector_partial_cover(world: Any, make_call: Any, make_deck: Any) -> None:
    data, wanted = given("partial-cover"), expected("partial-cover")
    minutes = Fraction(data["left_s"], 60)
    plan = world.plan(f'[[component.allowances]]\nname = "free"\nminutes = "{exact_text(minutes)}"\n')
    row = {"prefix": "49", "rate_per_min": data["rate_per_min"], "initial_s": 60, "increment_s": data["increment"]}
    (charge,) = world.bill(plan, calls=[make_call(data["call_s"])], tables=[make_deck(row)]).charges
    (item,) = charge.items
    assert item.quantity.value == wanted["billed_s"]
    assert dict(item.details)["Of this included"] == "0:02:00"
    assert charge.amount.value == exact(wanted["cost"])


TIERS = """
schema = 1
[plan]
code = "plan"
version = "1"
valid_from = 2000-01-01
currency = "EUR"

[[component]]
code = "voice"
title = {{ en = "Voice" }}
model = "{model}"
measure = "minutes"
charge_code = "telecom.calls"
tax_category = "standard"
unit = "min"
tiers = [{tiers}]
"""


def test_vector_tiers(world: Any) -> None:
    """Both ways of tiers are charge models of the framework; a plan of telecom may name them."""
    data = given("tiers")
    tiers = ", ".join(
        f'{{ price = "{price}" }}' if to is None else f'{{ to = "{to}", price = "{price}" }}' for to, price in data["tiers"]
    )
    for model in ("graduated", "volume"):
        plan = world.whole_plan(TIERS.format(model=model, tiers=tiers))
        (component,) = plan.components
        left, total = Fraction(data["minutes"]), Fraction(0)
        edges = [0, *(to for to, _ in data["tiers"][:-1])]
        prices = [exact(price) for _, price in data["tiers"]]
        if model == "volume":
            total = left * [price for edge, price in zip(edges, prices, strict=True) if left > edge][-1]
        else:
            tops = [*edges[1:], None]
            for edge, top, price in zip(edges, tops, prices, strict=True):
                total += price * max(Fraction(0), (left if top is None else min(left, Fraction(top))) - edge)
        assert total == exact(expected("tiers")[model])
        assert component.model == model


RECURRING = """
schema = 1
[plan]
code = "plan"
version = "{version}"
valid_from = {valid_from}
currency = "EUR"

[[component]]
code = "line"
title = {{ en = "Line rental" }}
model = "recurring"
charge_code = "telecom.line"
tax_category = "standard"
price = "{price}"
billed = "advance"
"""
CALLS = """
[[component]]
code = "calls"
title = { en = "Calls" }
model = "telecom_usage.calls"
charge_code = "telecom.calls"
tax_category = "standard"
deck = "deck"

[[component]]
code = "setup"
title = { en = "Connection of the line" }
model = "one_time"
charge_code = "telecom.setup"
tax_category = "standard"
price = "10.00"
on = 2025-06-02
"""


def test_vector_advance_arrears(world: Any, make_call: Any, make_deck: Any) -> None:
    data, wanted = given("advance-arrears"), expected("advance-arrears")
    plan = world.whole_plan(RECURRING.format(version="1", valid_from="2000-01-01", price=data["monthly_in_advance"]) + CALLS)
    row = {"prefix": "49", "rate_per_min": "4.8712", "initial_s": 60, "increment_s": 60}
    rated = world.bill(
        plan,
        calls=[make_call(60, at="2025-06-12T10:00:00+00:00")],
        tables=[make_deck(row)],
        period="2025-06-01/2025-07-01",
        following="2025-07-01/2025-08-01",
        billed_through={"line": date(2025, 7, 1)},
    )
    lines = {charge.component: (str(charge.service), charge.amount.payable().major) for charge in rated.charges}
    assert lines == {
        "line": ("2025-07-01/2025-07-31", exact(wanted["lines"][0][1])),
        "calls": ("2025-06-01/2025-06-30", exact(wanted["lines"][1][1])),
        "setup": ("2025-06-02/2025-06-02", exact(wanted["lines"][2][1])),
    }
    assert sum(amount for _, amount in lines.values()) == exact(wanted["total"])


def test_vector_prorate_activation(world: Any) -> None:
    data, wanted = given("prorate-activation"), expected("prorate-activation")
    plan = world.whole_plan(RECURRING.format(version="1", valid_from="2000-01-01", price=data["monthly"]))
    rated = world.bill(
        plan,
        period="2025-01-20/2025-02-05",
        full="2025-01-05/2025-02-05",
        following="2025-02-05/2025-03-05",
        starts_on=date.fromisoformat(data["activation"]),
    )
    found = [
        [charge.service.start.isoformat(), charge.service.end.isoformat(), exact_text(charge.amount.value)]
        for charge in rated.charges
    ]
    assert found == wanted["first_invoice_lines"]


def test_vector_late_cdr(world: Any, make_call: Any, make_deck: Any) -> None:
    data = given("late-cdr")
    may, june = (
        make_deck({"prefix": "49", **MINUTES, "rate_per_min": data[f"rate_{name}"]}, version=name, valid_from=first)
        for name, first in (("may", date(2025, 5, 1)), ("june", date(2025, 6, 1)))
    )
    left = CarriedState(
        scope="A1",
        name="allowance.calls.free",
        period=DateSpan(date(2025, 5, 1), date(2025, 6, 1)),
        values={"2025-05-01": Fraction(0)},
        written_by="7",
    )
    plan = world.plan('[[component.allowances]]\nname = "free"\nminutes = "100"\n')
    rated = world.bill(
        plan,
        calls=[make_call(180, at=f"{data['event']}T10:00:00+00:00"), make_call(60, at="2025-06-02T10:00:00+00:00")],
        tables=[may, june],
        period="2025-06-01/2025-07-01",
        earlier="2025-05-28/2025-06-01",
        state=[left],
    )
    assert not rated.findings
    late, current = rated.charges
    assert late.amount.value == exact(expected("late-cdr")["amount"])
    assert (str(late.service), late.description.endswith(", earlier calls")) == ("2025-05-28/2025-05-28", True)
    assert late.natural_key.endswith("billed with 2025-06-01/2025-06-30")
    assert current.amount.value == 0  # covered by the allowance of June, which late calls leave alone
    assert dict(rated.state[0].values) == {"2025-05-01": 0, "2025-06-01": 100 * 60 - 60}


def test_vector_duplicate() -> None:
    """Which columns name a record is configuration; the framework knows by it what came twice."""
    text = "caller,called,start,billed,id\n" + "".join(",".join(map(str, one)) + "\n" for one in given("duplicate")["records"])
    names = ("caller", "called", "start", "billed")
    wanted = expected("duplicate")
    for ids, counts in ((("id",), wanted["by_origin_id"]), (names, wanted["by_call_fields"])):
        mapping = ColumnMapping(columns={name: name for name in names}, record_id=ids)
        settings = TelecomSettings(source={"switch": Source(mapping=mapping)})
        request = ReadRequest(file="f", source="switch", settings=settings)
        found = [item.external_id for item in MAPPED.read(io.BytesIO(text.encode()), request)]  # type: ignore[union-attr]
        assert (len(set(found)), len(found) - len(set(found))) == (counts["rated"], counts["duplicates"])


def test_vector_prorate_upgrade(world: Any) -> None:
    """A change of plan in the middle of a period that was billed in advance: the old part comes back, the new one is charged."""
    data, wanted = given("prorate-upgrade"), expected("prorate-upgrade")
    old = world.whole_plan(RECURRING.format(version="old", valid_from="2000-01-01", price=data["old"]))
    new = world.whole_plan(RECURRING.format(version="new", valid_from=data["change"], price=data["new"]))
    ended = world.bill(
        old,
        period="2025-06-01/2025-06-11",
        full="2025-06-01/2025-07-01",
        ends_on=date(2025, 6, 11),
        billed_through={"line": date(2025, 7, 1)},
    )
    begun = world.bill(new, period="2025-06-11/2025-07-01", full="2025-06-01/2025-07-01", starts_on=date(2025, 6, 11))
    (credit,) = ended.charges
    charge = begun.charges[0]
    assert credit.amount.payable().major == exact(wanted["credit_old"])
    assert charge.amount.payable().major == exact(wanted["charge_new"])
    assert credit.amount.payable().major + charge.amount.payable().major == exact(wanted["net"])
