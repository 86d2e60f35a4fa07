"""The acceptance vectors of the trade: each is proven by a test here or elsewhere, or belongs to a feature that is named."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from billing_utility_metering.pricing.day_periods import Calendar, Classifier, Hours, PeriodHours
from billing_utility_metering.rating.day_shares import day_shares
from billing_utility_metering.rating.multiplier import multiplier
from billing_utility_metering.settings import Sharing
from billing_utility_metering.time_cover import seconds_of

from billing_framework import AnyUsage, Assignment, DateSpan, exact_text, to_places
from billing_framework import RoundingMode as Mode

Make = Callable[..., Any]
DATA = Path(__file__).parent / "data" / "vectors" / "utility.json"
VECTORS: dict[str, dict[str, Any]] = {vector["id"]: vector for vector in json.loads(DATA.read_text())["vectors"]}

ELSEWHERE = {
    "demand-window": "pricing/test_demand.py",
    "ratchet-80": "pricing/test_demand.py",
    "nem13-250": "formats/test_nem13.py",
    "nem12-400": "formats/test_nem12.py",
    "espi-money": "formats/test_green_button.py: quantities; the money of a summary is not read yet",
}
LATER = {
    "estimate-rebill-spread": "the shares are tested here; cancelling and rebilling is the framework's",
    "reactive-kvar": "power factor",
    "pf-target-90": "power factor",
    "hours-use-boundaries": "hours-use tiers",
    "hours-use-simple": "hours-use tiers",
    "urdb-lp1": "hours-use tiers and the import of URDB records",
    "net-metering-month": "net metering",
    "nem-kwh-bank": "net metering",
    "sewer-winter-average": "averages carried from winter",
    "sewer-lower-of": "averages carried from winter",
    "water-net-gross": "late payment, in the framework",
    "budget-rolling": "budget billing, in the framework",
    "budget-review": "budget billing, in the framework",
    "rubs-occupants": "submetering",
    "allocation-conserves": "submetering; the largest remainder itself is tested in the framework",
    "streetlight-annual": "unmetered supply",
    "vee-linear": "estimation",
    "vee-scale-to-register": "estimation",
    "vee-sum-check": "validation of intervals against registers",
}


def given(name: str) -> dict[str, Any]:
    result: dict[str, Any] = VECTORS[name]["input"]
    return result


def expected(name: str) -> dict[str, Any]:
    result: dict[str, Any] = VECTORS[name]["expected"]
    return result


def tiers(*rows: tuple[object, object]) -> str:
    listed = (f'{{ price = "{price}" }}' if to is None else f'{{ to = "{to}", price = "{price}" }}' for to, price in rows)
    return f"[{', '.join(listed)}]"


def component(model: str, body: str, *, code: str = "energy", measure: str = "consumption") -> str:
    named = f'measure = "{measure}"\n' if measure else ""
    return f"""
[[component]]
code = "{code}"
title = {{ en = "{code.capitalize()}" }}
model = "{model}"
charge_code = "utility.{code}"
tax_category = "standard"
{named}{body}
"""


def fixed(code: str, price: object) -> str:
    return component("recurring", f'price = "{price}"\ninterval = "period"', code=code, measure="")


def percent(code: str, rate: object, of: str, more: str = "") -> str:
    return component("percentage", f'percent = "{rate}"\nof = {of}\n{more}', code=code, measure="")


def per_unit(unit: str, price: object, *, code: str = "energy", quantity: str = "") -> str:
    rule = f"\nquantity = {{ {quantity} }}" if quantity else ""
    return component("per_unit", f'price = "{price}"\nunit = "{unit}"{rule}', code=code)


def text(value: object) -> str:
    return exact_text(Fraction(str(value)))


def test_no_vector_is_forgotten() -> None:
    here = {name.removeprefix("test_vector_").replace("_", "-") for name in globals() if name.startswith("test_vector_")}
    assert here <= VECTORS.keys()
    assert here | ELSEWHERE.keys() | LATER.keys() == VECTORS.keys()
    assert not (here & LATER.keys()) - {"estimate-rebill-spread"}


def test_vector_gas_uk_metric(world: Any, read_at: Make) -> None:
    data, wanted = given("gas-uk-metric"), expected("gas-uk-metric")
    divisor = 1 / Fraction(data["divisor"])
    factors = f'factors = ["{data["correction"]}", "{data["calorific_value_MJ_m3"]}", "{divisor}"], to_unit = "kWh"'
    for step, kwh in (("", wanted["kwh_unrounded"]), (', step = "1"', wanted["kwh_billed"])):
        plan = world.plan(per_unit("kWh", "1", quantity=factors + step))
        reads = [read_at("2026-06-01", "100", unit="m3"), read_at("2026-07-01", "102", unit="m3")]
        (charge,) = world.bill(plan, records=reads).charges
        assert str(charge.quantity) == f"{kwh} kWh"


def test_vector_gas_us_therm(world: Any, read_at: Make) -> None:
    data, wanted = given("gas-us-therm"), expected("gas-us-therm")
    rule = f'factors = ["{data["billing_factor"]}"], to_unit = "therm", step = "1"'
    reads = [read_at("2026-06-01", "0", unit="ccf"), read_at("2026-07-01", data["volume_ccf"], unit="ccf")]
    (charge,) = world.bill(world.plan(per_unit("therm", "1.00", quantity=rule)), records=reads).charges
    assert str(charge.quantity) == f"{wanted['therms_billed']} therm"
    assert any(f"{wanted['therms_unrounded']} therm" in step.result for step in charge.steps)


def test_vector_ct_200_5() -> None:
    assert multiplier({"ct": given("ct-200-5")["ct"]}) == Fraction(expected("ct-200-5")["multiplier"])


def test_vector_register_plain(world: Any, read_at: Make) -> None:
    data = given("register-plain")
    reads = [read_at("2026-06-01", str(data["previous"])), read_at("2026-06-30", str(data["current"]))]
    (charge,) = world.bill(world.plan(component("per_unit", 'price = "0.1"\nunit = "kWh"')), records=reads).charges
    assert str(charge.quantity) == f"{expected('register-plain')['kwh']} kWh"


def test_vector_register_rollover(world: Any, read_at: Make) -> None:
    data = given("register-rollover")
    point = Assignment(
        subject="P",
        agreement="A",
        starts_on=date(2020, 1, 1),
        details={"dials": str(data["dials"]), "multiplier": str(data["multiplier"])},
    )
    reads = [read_at("2026-06-01", str(data["previous"])), read_at("2026-07-01", str(data["current"]))]
    plan = world.plan(component("per_unit", 'price = "0.1"\nunit = "kWh"'))
    (charge,) = world.bill(plan, records=reads, assignments=[point]).charges
    assert str(charge.quantity) == f"{expected('register-rollover')['kwh']} kWh"
    assert charge.details["Difference"] == f"{expected('register-rollover')['difference']} (register passed zero)"


def test_vector_meter_exchange(world: Any, read_at: Make) -> None:
    data, wanted = given("meter-exchange"), expected("meter-exchange")
    start, end = data["period"]
    new = data["new_meter"]
    reads = [
        read_at(start, "510", meter="OLD", unit="kgal"),
        read_at(data["exchange"], str(510 + int(data["old_meter_kgal"])), meter="OLD", unit="kgal"),
        read_at(data["exchange"], str(new["start"]), meter="NEW", unit="kgal"),
        read_at(end, str(new["end"]), meter="NEW", unit="kgal"),
    ]
    plan = world.plan(
        fixed("base", data["base"]) + component("graduated", f'unit = "kgal"\ntiers = {tiers((None, data["rate_per_kgal"]))}')
    )
    rated = world.bill(plan, records=reads, period=f"{start}/{end}")
    base, use = rated.charges
    assert str(use.quantity) == f"{wanted['usage_kgal']} kgal"
    assert (str(base.amount.payable()), str(use.amount.payable())) == ("6.00 USD", f"{wanted['usage_charge']} USD")
    assert str(world.net(rated, plan)) == f"{wanted['total']} USD"
    assert {label for label in use.details if "Current read" in label} == {"OLD 1 Current read", "NEW 1 Current read"}


def test_vector_estimate_trueup(world: Any, read_at: Make) -> None:
    data, wanted = given("estimate-trueup"), expected("estimate-trueup")
    rate = f'price = "{data["rate"]}"\nunit = "kWh"'
    plan = world.plan(component("per_unit", rate) + fixed("fixed", data["fixed"]))
    june = [read_at("2026-06-01", "1000"), read_at("2026-07-01", str(1000 + data["estimated_units"]), quality="estimated")]
    first = world.bill(plan, records=june)
    assert first.charges[0].estimated
    july = [*june, read_at("2026-08-01", str(1000 + data["actual_units"]))]
    second = world.bill(plan, records=july, period="2026-07-01/2026-08-01", state=first.state)
    assert str(second.charges[0].quantity) == f"{wanted['catch_up_units']} kWh"
    assert str(second.charges[0].amount.payable()) == f"{wanted['catch_up_charge']} USD"
    actual = world.bill(plan, records=[june[0], read_at("2026-07-01", str(1000 + data["actual_units"]))])
    assert str(actual.charges[0].amount.payable()) == f"{wanted['actual_usage_charge']} USD"
    assert str(world.net(actual, plan)) == f"{wanted['actual_bill']} USD"


def test_vector_estimate_rebill_spread() -> None:
    data, wanted = given("estimate-rebill-spread"), expected("estimate-rebill-spread")
    start, spans = date(2025, 1, 1), []
    for days in data["days"]:
        spans.append(DateSpan(start, start + timedelta(days=days)))
        start += timedelta(days=days)
    whole = DateSpan(spans[0].start, spans[-1].end)
    total = Fraction(data["actual_usage_whole_span"])
    exact = [part.quantity for part in day_shares(total, whole.start, whole, spans, Sharing.EXACT)]
    assert [exact_text(to_places(part, 4, Mode.HALF_UP)) for part in exact] == wanted["rebilled_exact"]
    shared = [part.quantity for part in day_shares(total, whole.start, whole, spans, Sharing.WHOLE_UNITS)]
    assert shared == wanted["rebilled_whole_kwh_largest_remainder"]
    assert sum(shared) == sum(exact) == wanted["sum"]
    assert [new - old for new, old in zip(shared, data["billed"][:2], strict=False)] == wanted["adjustment_kwh_first_two"]


def test_vector_oracle_quantity_proration(configured: Make, read_at: Make) -> None:
    data = given("oracle-quantity-proration")
    world = configured(sharing="whole_units")
    use = component("per_unit", 'price = "1"\nunit = "kWh"')
    old, new = world.plan(use, valid_from="2020-01-01"), world.plan(use, version="2", valid_from="2026-06-16")
    first, last = date(2026, 6, 1), date(2026, 6, 1) + timedelta(days=data["consumption_days"])
    reads = [read_at(str(first), "0"), read_at(str(last), str(data["kwh"]))]
    rated = world.bill(old, new, records=reads, period=f"{first}/{last}")
    assert [charge.service.days for charge in rated.charges] == data["split_days"]
    assert [charge.quantity.value for charge in rated.charges] == expected("oracle-quantity-proration")["kwh"]


def test_vector_fixed_charge_movein(world: Any) -> None:
    data, wanted = given("fixed-charge-movein"), expected("fixed-charge-movein")
    plan = world.plan(component("recurring", f'price = "{data["monthly"]}"\ninterval = "month"', code="service", measure=""))
    start = max(f"2025-{data['move_in']}", f"2025-{data['service_start']}")
    rated = world.bill(plan, period=f"{start}/2025-05-01", full="2025-04-01/2025-05-01", assignments=[])
    (charge,) = rated.charges
    assert charge.service.days == wanted["billable_days"]
    assert str(charge.amount.payable()) == f"{wanted['charge']} USD"


def test_vector_bchydro_threshold(world: Any, read_at: Make) -> None:
    data = given("bchydro-threshold")
    body = f'unit = "kWh"\ntiers = {tiers((data["kwh_per_day"], "0.1"), (None, "0.2"))}\nwidths = {{ basis = "day", step = "1" }}'
    plan = world.plan(component("graduated", body))
    for days, threshold in zip(data["days"], expected("bchydro-threshold")["step1_threshold_kwh"], strict=True):
        end = date(2026, 1, 1) + timedelta(days=days)
        reads = [read_at("2026-01-01", "0"), read_at(str(end), "5000")]
        first, _ = world.bill(plan, records=reads, period=f"2026-01-01/{end}").charges
        assert first.quantity.value == threshold


def test_vector_paloalto_tiers(world: Any, read_at: Make) -> None:
    data, wanted = given("paloalto-tiers"), expected("paloalto-tiers")
    one, two, three = data["rates"]
    per_day = data["tier1_kwh_per_day"]
    rows = tiers((per_day, one), (2 * per_day, two), (None, three))
    plan = world.plan(component("graduated", f'unit = "kWh"\ntiers = {rows}\nwidths = {{ basis = "day" }}'))
    end = date(2026, 1, 1) + timedelta(days=data["days"])
    reads = [read_at("2026-01-01", "0"), read_at(str(end), str(data["kwh"]))]
    charges = world.bill(plan, records=reads, period=f"2026-01-01/{end}").charges
    assert [charge.quantity.value for charge in charges] == wanted["tier_kwh"]
    assert [charge.amount.value for charge in charges] == [Fraction(amount) for amount in wanted["tier_charges_exact"]]
    total = sum((charge.amount for charge in charges[1:]), charges[0].amount)
    assert str(total.payable()) == f"{wanted['total']} USD"


def test_vector_rmp_season_straddle(world: Any, read_at: Make, interval_days: Make) -> None:
    data, wanted = given("rmp-season-straddle"), expected("rmp-season-straddle")
    seasons = f"""unit = "kWh"
[[component.seasons]]
name = "summer"
first = "05-01"
last = "09-30"
tiers = {tiers(*data["summer_blocks"])}
[[component.seasons]]
name = "winter"
first = "10-01"
last = "04-30"
tiers = {tiers(*data["winter_blocks"])}
"""
    plan = world.plan(component("utility_metering.seasonal_tiers", seasons))
    reads = [read_at("2026-04-16", "0"), read_at("2026-05-16", str(data["kwh"]))]
    hours = interval_days("2026-04-16/2026-05-16", lambda _: data["kwh"] // 30 // 6 if _.hour < 6 else 0)
    for records in (reads, hours):
        rated = world.bill(plan, records=records, period="2026-04-16/2026-05-16")
        sums: dict[bool, Fraction] = {}
        kwh: dict[bool, Fraction] = {}
        for charge in rated.charges:
            summer = charge.service.start.month == 5
            sums[summer] = sums.get(summer, Fraction(0)) + charge.amount.value
            kwh[summer] = kwh.get(summer, Fraction(0)) + charge.quantity.value
        assert kwh == {False: wanted["kwh_each"], True: wanted["kwh_each"]}
        assert sums == {False: Fraction(wanted["winter"]), True: Fraction(wanted["summer"])}
        assert str(world.net(rated, plan)) == f"{wanted['total']} USD"


def test_vector_fuel_rider_midcycle(world: Any, read_at: Make) -> None:
    data, wanted = given("fuel-rider-midcycle"), expected("fuel-rider-midcycle")
    plans = [
        world.plan(component("per_unit", f'price = "{price}"\nunit = "kWh"', code="fuel"), version=str(number), valid_from=since)
        for number, (since, price) in enumerate(data["factors"])
    ]
    reads = [read_at("2025-03-01", "0"), read_at("2025-04-01", str(data["kwh"]))]
    rated = world.bill(*plans, records=reads, period="2025-03-01/2025-04-01")
    assert [charge.quantity.value for charge in rated.charges] == wanted["kwh"]
    assert [charge.amount.value for charge in rated.charges] == [Fraction(amount) for amount in wanted["charges_exact"]]
    assert str(world.net(rated, *plans)) == f"{wanted['total']} USD"


def test_vector_dst_half_hours() -> None:
    wanted = expected("dst-half-hours")["half_hour_intervals"]
    for name, count in wanted.items():
        zone, day = name.split()
        on = date.fromisoformat(day)
        span = DateSpan(on, on + timedelta(days=1)).instants(ZoneInfo(zone))
        assert span.seconds // 1800 == count


def test_vector_dst_label_pge() -> None:
    periods = (
        PeriodHours(name="one", hours=(Hours(start="01:00", end="02:00"),), rest=False),
        PeriodHours(name="two", hours=(Hours(start="02:00", end="03:00"),), rest=False),
        PeriodHours(name="rest", hours=(), rest=True),
    )
    zone = ZoneInfo("America/Los_Angeles")
    second = seconds_of(datetime(2025, 11, 2, 9, tzinfo=UTC))  # 01:00 PST, the hour after 01:00 PDT
    told = []
    for label in ("", "02:00"):
        calendar = Calendar(periods=periods, repeated_hour=label)
        classifier = Classifier(calendar=calendar, zone=zone, holidays=frozenset())
        told += [classifier.period_of(at, at + 3600) for at in (second - 3600, second)]
    assert told == ["one", "one", "one", "two"]


PEAK = '{ days = ["weekday"], start = "16:00", end = "21:00" }'
OFF_PEAK = '{ days = ["weekday"], start = "21:00", end = "16:00" }, { days = ["weekend"] }'


def demand(code: str, rows: list[dict[str, object]], hours: str) -> str:
    listed = tiers(*((row.get("max"), text(row["rate"])) for row in rows))
    body = f'unit = "kW"\nwindow_minutes = 60\ntiers = {listed}\n{hours}'
    return component("utility_metering.demand", body, code=code)


def tiered(policy: str) -> str:
    tariff = given("tou-tiers-demand-min")["tariff"]
    off, peak = (tiers(*((row.get("max"), text(row["rate"])) for row in rows)) for rows in tariff["energyratestructure"])
    return component(
        "utility_metering.tiered_time_of_use",
        f"""unit = "kWh"
policy = "{policy}"
[[component.periods]]
name = "off_peak"
rest = true
tiers = {off}
[[component.periods]]
name = "peak"
tiers = {peak}
hours = [{PEAK}]
""",
    )


def vector_load(local: datetime) -> int:
    """1 kW always; January weekdays 16-21 h 3 kW; Sunday 7 January 10:00 8 kW; February nothing; 1 January is a Monday."""
    if local.month == 2:
        return 0
    if local.month == 1 and local.weekday() < 5 and 16 <= local.hour < 21:
        return 3
    return 8 if (local.month, local.day, local.hour) == (1, 7, 10) else 1


def test_vector_tou_tiers_demand_min(world: Any, interval_days: Make) -> None:
    data, wanted = given("tou-tiers-demand-min"), expected("tou-tiers-demand-min")
    tariff = data["tariff"]
    least = text(tariff["mincharge"])
    plan = world.plan(
        fixed("fixed", text(tariff["fixedchargefirstmeter"]))
        + tiered("pro_rata")
        + demand("flat", tariff["flatdemandstructure"][0], "")
        + demand("off_peak", tariff["demandratestructure"][0], f"hours = [{OFF_PEAK}]")
        + demand("peak", tariff["demandratestructure"][1], f"hours = [{PEAK}]")
        + component("minimum", f'amount = "{least}"\ninterval = "period"', code="minimum", measure="")
    )
    for number, month in enumerate(wanted["months"], start=1):
        start = date(2018, number, 1)
        end = date(2018 + number // 12, number % 12 + 1, 1)
        rated = world.bill(plan, records=interval_days(f"{start}/{end}", vector_load), period=f"{start}/{end}")
        assert not rated.held
        found = {"energy": 0, "fixed": 0, "minimum": 0, "flat": 0, "off_peak": 0, "peak": 0}
        for charge in rated.charges:
            found[charge.component] += charge.amount.value
        parts = {
            **found,
            "demand_flat": found["flat"],
            "demand_tou": found["off_peak"] + found["peak"],
            "total": sum(found.values()),
        }
        for name in ("total", "energy", "demand_flat", "demand_tou", "fixed", "minimum"):
            assert abs(parts[name] - Fraction(str(month[name]))) < Fraction("0.005"), (month["month"], name)
    january = interval_days("2018-01-01/2018-02-01", vector_load)
    ordered = world.bill(world.plan(tiered("time_order")), records=january, period="2018-01-01/2018-02-01")
    energy = sum((charge.amount.value for charge in ordered.charges), Fraction(0))
    rest = Fraction(str(wanted["months"][0]["total"])) - Fraction(str(wanted["months"][0]["energy"]))
    assert abs(energy + rest - Fraction(str(wanted["january_if_tiers_fill_in_time_order"]))) < Fraction("0.005")


def test_vector_water_sewer_charlotte(world: Any, read_at: Make) -> None:
    data, wanted = given("water-sewer-charlotte"), expected("water-sewer-charlotte")
    water, sewer = data["fixed"], data["availability_5_8"]
    cap = f'at_most = "{data["sewer_cap_ccf"]}"'
    plan = world.plan(
        component("graduated", f'unit = "ccf"\ntiers = {tiers(*data["tiers"])}', code="water")
        + per_unit("ccf", data["sewer_per_ccf"], code="sewer", quantity=cap)
        + "".join(fixed(f"fixed{number}", price) for number, price in enumerate([*water, *sewer]))
    )
    reads = [read_at("2026-06-01", "0", unit="ccf"), read_at("2026-07-01", str(data["ccf"]), unit="ccf")]
    rated = world.bill(plan, records=reads)
    sums = {code: sum(one.amount.value for one in rated.charges if one.component == code) for code in ("water", "sewer")}
    assert sums == {"water": Fraction(wanted["water"]), "sewer": Fraction(wanted["sewer"])}
    assert str(world.net(rated, plan)) == f"{wanted['total']} USD"


def test_vector_water_minimum_by_meter(world: Any, read_at: Make) -> None:
    data, wanted = given("water-minimum-by-meter"), expected("water-minimum-by-meter")
    sizes = ", ".join(f'"{size}" = "{Fraction(cubic_feet, 100)}"' for size, cubic_feet in data["allowance_cf"].items())
    rows = tiers(*((None if to is None else Fraction(to, 100), price) for to, price in data["blocks_per_100cf"]))
    plan = world.plan(
        fixed("customer", "9.00")
        + component(
            "graduated",
            f'unit = "ccf"\ntiers = {rows}\nquantity = {{ at_least = {{ term = "meter_size", values = {{ {sizes} }} }} }}',
            code="water",
        )
    )
    reads = [read_at("2026-06-01", "0", unit="ccf"), read_at("2026-07-01", "0", unit="ccf")]
    for size, minimum in wanted["minimum"].items():
        rated = world.bill(plan, records=reads, terms={"meter_size": size})
        assert str(world.net(rated, plan)) == f"{minimum} USD", size


def test_vector_uk_vat_5(world: Any, read_at: Make) -> None:
    data, wanted = given("uk-vat-5"), expected("uk-vat-5")
    price = text(Fraction(data["pence_per_kwh"]) / 100)
    plan = world.plan(
        component("per_unit", f'price = "{price}"\nunit = "kWh"')
        + component("percentage", f'percent = "{text(Fraction(data["vat"]) * 100)}"\nof = ["energy"]', code="vat", measure=""),
        currency="GBP",
    )
    reads = [read_at("2026-06-01", str(data["previous"])), read_at("2026-07-01", str(data["current"]))]
    energy, vat = world.bill(plan, records=reads).charges
    assert energy.quantity.value == wanted["units"]
    assert energy.amount.value * 100 == Fraction(wanted["pence_ex_vat"])
    total = energy.amount + vat.amount
    assert total.value * 100 == Fraction(wanted["pence_inc_vat"])
    assert str(total.payable()) == f"{wanted['total_gbp']} GBP"


def test_vector_tax_gross_up(world: Any) -> None:
    data, wanted = given("tax-gross-up"), expected("tax-gross-up")
    rate = text(Fraction(data["rate_on_gross"]) * 100)
    plan = world.plan(fixed("net", data["net_charges"]) + percent("receipts", rate, '["net"]', "gross_up = true"))
    net, receipts = world.bill(plan, assignments=[]).charges
    assert to_places(receipts.amount.value / net.amount.value, 6, Mode.HALF_UP) == Fraction(wanted["effective_rate_on_net"])
    assert str(receipts.amount.payable()) == f"{wanted['line']} USD"


def test_vector_tax_chain(world: Any) -> None:
    wanted, cents = expected("tax-chain"), 'step = "0.01"'
    plan = world.plan(
        fixed("base", given("tax-chain")["base"])
        + percent("franchise", "5", '["base"]', cents)
        + percent("receipts", "2.5", '["base", "franchise"]', f"gross_up = true\n{cents}")
        + percent("sales", "6", '["base", "franchise", "receipts"]', cents)
    )
    rated = world.bill(plan, assignments=[])
    assert [str(charge.amount.payable()) for charge in rated.charges[1:]] == [
        f"{wanted[name]} USD" for name in ("franchise", "gross_receipts", "sales_tax")
    ]
    assert str(world.net(rated, plan)) == f"{wanted['total']} USD"


def test_vector_ontario_tiered_700(world: Any, read_at: Make) -> None:
    data, wanted = given("ontario-tiered-700"), expected("ontario-tiered-700")
    loss = Fraction(data["loss_percent"]) / 100
    lower, upper = data["rates"]
    adjusted, lost = f'factors = ["{text(1 + loss)}"]', f'factors = ["{text(loss)}"]'
    plan = world.plan(
        component("graduated", f'unit = "kWh"\ntiers = {tiers((data["tier1_kwh"], lower), (None, upper))}')
        + fixed("service", data["monthly_service"])
        + per_unit("kWh", data["variable"], code="variable")
        + per_unit("kWh", data["transmission"], code="transmission", quantity=adjusted)
        + per_unit("kWh", upper, code="losses", quantity=lost)
        + per_unit("kWh", data["wholesale"], code="wholesale", quantity=adjusted)
        + fixed("supply", data["standard_supply"])
    )
    reads = [read_at("2026-06-01", "0"), read_at("2026-07-01", str(data["kwh"]))]
    rated = world.bill(plan, records=reads)
    lines = {f"{charge.component}.{charge.source}": str(charge.amount.payable()) for charge in rated.charges}
    assert [lines["energy.tier1"], lines["energy.tier2"]] == [f"{amount} USD" for amount in wanted["tier_lines"]]
    for name in ("variable", "transmission", "losses", "wholesale"):
        assert lines[f"{name}."] == f"{wanted[name]} USD", name
    assert str(world.net(rated, plan)) == f"{wanted['total_before_tax_and_rebate']} USD"


@pytest.mark.parametrize(
    ("place", "mode", "name"),
    [
        ("document", "half_up", "round_total_half_up"),
        ("document", "half_even", "round_total_half_even"),
        ("line", "half_up", "sum_of_lines_half_up"),
    ],
)
def test_vector_rounding_policies(place: str, mode: str, name: str, world: Any, read_at: Make) -> None:
    data, wanted = given("rounding-policies"), expected("rounding-policies")
    basic = fixed("basic", data["basic"])
    policy = f'rounding = {{ place = "{place}", mode = "{mode}" }}\n'
    plan = world.plan(policy + basic + component("graduated", f'unit = "kWh"\ntiers = {tiers(*data["blocks"])}'))
    reads = [read_at("2026-06-01", "0"), read_at("2026-07-01", str(data["kwh"]))]
    rated = world.bill(plan, records=reads)
    assert sum(charge.amount.value for charge in rated.charges) == Fraction(wanted["exact"])
    assert str(world.net(rated, plan)) == f"{wanted[name]} USD"


def test_vector_minimum_charge(world: Any, read_at: Make) -> None:
    data = given("minimum-charge")
    plan = world.plan(
        fixed("basic", data["basic"])
        + component("per_unit", 'unit = "kWh"\nprice = "0.05"')
        + component("minimum", f'amount = "{data["minimum"]}"\ninterval = "period"', code="minimum", measure="")
    )
    reads: list[AnyUsage] = [read_at("2026-06-01", "7"), read_at("2026-07-01", str(7 + data["kwh"]))]
    assert str(world.net(world.bill(plan, records=reads), plan)) == f"{expected('minimum-charge')['total']} USD"
