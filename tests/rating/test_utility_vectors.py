"""The shared utility vectors that the charge models of the core can say by themselves; the plugin tests the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from billing_framework.rating.charge import Charge
from billing_framework.rating.payable import payable_lines, round_amounts
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate import RatedGroup
from billing_framework.values.money import Amount, Money, Rounding
from billing_framework.values.period import DateSpan
from billing_framework.values.rounding import RoundingMode

VECTORS = Path(__file__).parents[1] / "data" / "vectors" / "utility.json"
BY_ID: dict[str, dict[str, Any]] = {vector["id"]: vector for vector in json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]}


@pytest.fixture
def vector(request: pytest.FixtureRequest) -> dict[str, Any]:
    name = request.node.name.removeprefix("test_").split("[")[0].replace("_", "-")
    return BY_ID[name]


def days(first: date, count: int) -> DateSpan:
    return DateSpan(first, date.fromordinal(first.toordinal() + count))


def lines(rated: RatedGroup, *plans: PlanVersion) -> list[str]:
    assert rated.findings == ()
    return [str(money) for money in payable_lines(rated.charges, {plan.name: plan for plan in plans})]


def total(rated: RatedGroup, *plans: PlanVersion) -> str:
    assert rated.findings == ()
    return str(Money.total(payable_lines(rated.charges, {plan.name: plan for plan in plans}), "USD"))


def amounts(charges: tuple[Charge, ...], component: str) -> list[Fraction]:
    return [charge.amount.value for charge in charges if charge.component == component]


def tiers(rows: list[list[Any]]) -> str:
    cells = [f'{{ to = "{to}", price = "{price}" }}' if to is not None else f'{{ price = "{price}" }}' for to, price in rows]
    return f"tiers = [{', '.join(cells)}]"


def energy(keys: str, unit: str = "kWh", model: str = "graduated") -> str:
    return f'model = "{model}"\nmeasure = "use"\nunit = "{unit}"\n{keys}'


def test_gas_us_therm(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    keys = f'price = "1"\nquantity = {{ factors = ["{vector["input"]["billing_factor"]}"], to_unit = "therm", step = "1" }}'
    rated = rate(usage(plan({"gas": energy(keys, "therm", "per_unit")})), [measured("use", vector["input"]["volume_ccf"], "ccf")])
    (charge,) = rated.charges
    assert str(charge.quantity) == f"{vector['expected']['therms_billed']} therm"
    assert charge.steps[0].result == f"{vector['expected']['therms_unrounded']} therm"


def test_gas_uk_metric(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given = vector["input"]
    factors = f'["{given["correction"]}", "{given["calorific_value_MJ_m3"]}", "10/36"]'
    keys = f'price = "1"\nquantity = {{ factors = {factors}, to_unit = "kWh", step = "1" }}'
    rated = rate(usage(plan({"gas": energy(keys, "kWh", "per_unit")})), [measured("use", given["volume_m3"], "m3")])
    (charge,) = rated.charges
    assert str(charge.quantity) == f"{vector['expected']['kwh_billed']} kWh"
    assert charge.steps[2].result == f"{vector['expected']['kwh_unrounded']} kWh"


def test_meter_exchange(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given = vector["input"]
    period = DateSpan(*(date.fromisoformat(day) for day in given["period"]))
    made = plan(
        {
            "base": f'model = "recurring"\nprice = "{given["base"]}"',
            "water": energy(f'price = "{given["rate_per_kgal"]}"', "kgal", "per_unit"),
        }
    )
    meters = [
        measured("use", given["old_meter_kgal"], "kgal", period, source="old", details={"read": "2"}),
        measured("use", given["new_meter"]["end"], "kgal", period, source="new", details={"read": "4"}),
    ]
    rated = rate(usage(made, period=period), meters)
    assert [str(charge.quantity) for charge in rated.charges] == ["1 month", "6 kgal"]
    assert lines(rated, made) == [f"{given['base']} USD", f"{vector['expected']['usage_charge']} USD"]
    assert total(rated, made) == f"{vector['expected']['total']} USD"
    assert rated.charges[1].details == {"old read": "2", "new read": "4"}


def test_fixed_charge_movein(vector: dict[str, Any], plan: Any, usage: Any, rate: Any) -> None:
    april = DateSpan(date(2025, 4, 1), date(2025, 5, 1))
    start = date(2025, 4, 12)  # the later of move-in and service start
    made = plan({"fixed": f'model = "recurring"\nprice = "{vector["input"]["monthly"]}"'})
    rated = rate(usage(made, period=DateSpan(start, april.end), full_period=april, starts_on=start))
    (charge,) = rated.charges
    assert charge.details == {"Days": str(vector["expected"]["billable_days"])}
    assert lines(rated, made) == [f"{vector['expected']['charge']} USD"]


def test_bchydro_threshold(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    width = vector["input"]["kwh_per_day"]
    made = plan(
        {
            "energy": energy(f'{tiers([[width, "0.1"], [None, "0.2"]])}\nwidths = {{ basis = "day", step = "1" }}'),
        }
    )
    for count, threshold in zip(vector["input"]["days"], vector["expected"]["step1_threshold_kwh"], strict=True):
        period = days(date(2025, 1, 1), count)
        rated = rate(usage(made, period=period), [measured("use", 5000, "kWh", period)])
        assert str(rated.charges[0].quantity) == f"{threshold} kWh"


def test_paloalto_tiers(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    low = given["tier1_kwh_per_day"]
    rows = [[low, given["rates"][0]], [2 * low, given["rates"][1]], [None, given["rates"][2]]]
    made = plan(
        {"energy": energy(f'{tiers(rows)}\nwidths = {{ basis = "day" }}')}, plan_keys='rounding = { place = "component" }'
    )
    period = days(date(2009, 7, 1), given["days"])
    rated = rate(usage(made, period=period), [measured("use", given["kwh"], "kWh", period)])
    assert [charge.quantity.value for charge in rated.charges] == expected["tier_kwh"]
    assert amounts(rated.charges, "energy") == [Fraction(text) for text in expected["tier_charges_exact"]]
    assert total(rated, made) == f"{expected['total']} USD"


def test_rmp_season_straddle(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    period = days(date(2025, 4, 16), given["days"])
    halves = period.tiles([date(2025, 5, 1)])
    assert [half.days for half in halves] == [given["winter_days"], given["summer_days"]]
    seasons = [
        plan({"energy": energy(f'{tiers(given[blocks])}\nwidths = {{ basis = "month" }}')}, version=blocks)
        for blocks in ("winter_blocks", "summer_blocks")
    ]
    asked = usage(seasons[0], period=period, tiles=list(zip(halves, seasons, strict=True)))
    rated = rate(asked, [measured("use", expected["kwh_each"], "kWh", half) for half in halves])
    by_season = {
        season: Amount(sum(charge.amount.value for charge in rated.charges if charge.plan.endswith(season)), "USD").payable()
        for season in ("winter_blocks", "summer_blocks")
    }
    assert str(by_season["winter_blocks"]) == f"{expected['winter']} USD"
    assert str(by_season["summer_blocks"]) == f"{expected['summer']} USD"
    assert str(by_season["winter_blocks"] + by_season["summer_blocks"]) == f"{expected['total']} USD"


def test_fuel_rider_midcycle(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    period = DateSpan(date(2025, 3, 1), date(2025, 4, 1))
    halves = period.tiles([date.fromisoformat(given["factors"][1][0])])
    riders = [plan({"fuel": energy(f'price = "{price}"', model="per_unit")}, version=day) for day, price in given["factors"]]
    asked = usage(riders[0], period=period, tiles=list(zip(halves, riders, strict=True)))
    rated = rate(asked, [measured("use", kwh, "kWh", half) for kwh, half in zip(expected["kwh"], halves, strict=True)])
    assert amounts(rated.charges, "fuel") == [Fraction(text) for text in expected["charges_exact"]]
    assert total(rated, *riders) == f"{expected['total']} USD"


def test_hours_use_simple(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given = vector["input"]
    rows = [[name.split()[0] if name else None, price] for name, price in given["tiers"]]
    made = plan({"energy": energy(f'{tiers(rows)}\nwidths = {{ times = {{ term = "billing_kw" }} }}')})
    asked = usage(made, terms={"billing_kw": str(given["billing_kw"])})
    rated = rate(asked, [measured("use", given["kwh"], "kWh")])
    assert total(rated, made) == f"{vector['expected']['energy_charge']} USD"


def test_water_sewer_charlotte(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    made = plan(
        {
            "water": energy(tiers(given["tiers"]), "ccf"),
            "sewer": energy(
                f'price = "{given["sewer_per_ccf"]}"\nquantity = {{ at_most = "{given["sewer_cap_ccf"]}" }}', "ccf", "per_unit"
            ),
            **{
                f"fixed{number}": f'model = "recurring"\nprice = "{price}"'
                for number, price in enumerate([*given["fixed"], *given["availability_5_8"]])
            },
        }
    )
    rated = rate(usage(made), [measured("use", given["ccf"], "ccf")])
    assert sum(amounts(rated.charges, "water")) == Fraction(expected["water"])
    assert sum(amounts(rated.charges, "sewer")) == Fraction(expected["sewer"])
    assert total(rated, made) == f"{expected['total']} USD"


def water_by_meter(blocks: list[list[Any]], allowances: dict[str, int]) -> dict[str, str]:
    values = ", ".join(f'"{size}" = "{cubic_feet}"' for size, cubic_feet in allowances.items())
    rows = [[to, str(Fraction(price) / 100)] for to, price in blocks]
    keys = f'{tiers(rows)}\nquantity = {{ at_least = {{ term = "meter", values = {{ {values} }} }} }}'
    return {"customer": 'model = "recurring"\nprice = "9.00"', "water": energy(keys, "cf")}


def test_water_minimum_by_meter(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    made = plan(water_by_meter(vector["input"]["blocks_per_100cf"], vector["input"]["allowance_cf"]))
    for meter, minimum in vector["expected"]["minimum"].items():
        rated = rate(usage(made, terms={"meter": meter}), [measured("use", 0, "cf")])
        assert total(rated, made) == f"{minimum} USD", meter


def test_water_net_gross(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    rules = BY_ID["water-minimum-by-meter"]["input"]
    made = plan(
        {
            **water_by_meter(rules["blocks_per_100cf"], rules["allowance_cf"]),
            "late": f'model = "percentage"\npercent = "{vector["input"]["gross_percent"]}"',
        }
    )
    rated = rate(usage(made, terms={"meter": vector["input"]["meter"]}), [measured("use", vector["input"]["cf"], "cf")])
    net = [charge for charge in rated.charges if charge.component != "late"]
    assert sum(charge.amount.value for charge in net) == Fraction(vector["expected"]["net"])
    assert total(rated, made) == f"{vector['expected']['gross_after_15_days']} USD"


def test_tax_gross_up(vector: dict[str, Any], plan: Any, usage: Any, rate: Any) -> None:
    percent = Fraction(vector["input"]["rate_on_gross"]) * 100
    made = plan(
        {
            "net": f'model = "recurring"\nprice = "{vector["input"]["net_charges"]}"',
            "receipts": f'model = "percentage"\npercent = "{percent}"\ngross_up = true',
        }
    )
    assert lines(rate(usage(made)), made)[1] == f"{vector['expected']['line']} USD"


def test_tax_chain(vector: dict[str, Any], plan: Any, usage: Any, rate: Any) -> None:
    made = plan(
        {
            "base": f'model = "recurring"\nprice = "{vector["input"]["base"]}"',
            "franchise": 'model = "percentage"\npercent = "5"\nof = ["base"]',
            "receipts": 'model = "percentage"\npercent = "2.5"\ngross_up = true\nof = ["base", "franchise"]\nstep = "0.01"',
            "sales": 'model = "percentage"\npercent = "6"',
        }
    )
    expected = vector["expected"]
    rated = rate(usage(made))
    assert lines(rated, made)[1:] == [f"{expected[name]} USD" for name in ("franchise", "gross_receipts", "sales_tax")]
    assert total(rated, made) == f"{expected['total']} USD"


def test_uk_vat_5(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given = vector["input"]
    made = plan(
        {
            "units": energy(f'price = "{given["pence_per_kwh"]}"\nper = "100"', model="per_unit"),
            "vat": f'model = "percentage"\npercent = "{Fraction(given["vat"]) * 100}"',
        },
        plan_keys='rounding = { place = "document" }',
    )
    rated = rate(usage(made), [measured("use", given["current"] - given["previous"], "kWh")])
    units, vat = rated.charges
    assert units.quantity.value == vector["expected"]["units"]
    assert units.amount.value * 100 == Fraction(vector["expected"]["pence_ex_vat"])
    assert (units.amount.value + vat.amount.value) * 100 == Fraction(vector["expected"]["pence_inc_vat"])
    assert total(rated, made) == f"{vector['expected']['total_gbp']} USD"


def test_allocation_conserves(vector: dict[str, Any]) -> None:
    third = Amount(Fraction(vector["input"]["amount"]) / 3, "USD")
    parts = round_amounts([third, third, third], Rounding())
    assert [str(part) for part in parts] == [f"{text} USD" for text in vector["expected"]["charges"]]


def test_ontario_tiered_700(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    loss = Fraction(given["loss_percent"]) / 100

    def per_kwh(price: str, factor: Fraction | None = None) -> str:
        rule = f'\nquantity = {{ factors = ["{factor}"] }}' if factor is not None else ""
        return energy(f'price = "{price}"{rule}', model="per_unit")

    made = plan(
        {
            "electricity": energy(tiers([[given["tier1_kwh"], given["rates"][0]], [None, given["rates"][1]]])),
            "service": f'model = "recurring"\nprice = "{given["monthly_service"]}"',
            "variable": per_kwh(given["variable"]),
            "transmission": per_kwh(given["transmission"], 1 + loss),
            "losses": per_kwh(given["rates"][1], loss),
            "wholesale": per_kwh(given["wholesale"], 1 + loss),
            "supply": f'model = "recurring"\nprice = "{given["standard_supply"]}"',
        }
    )
    rated = rate(usage(made), [measured("use", given["kwh"], "kWh")])
    printed = lines(rated, made)
    assert printed[:2] == [f"{text} USD" for text in expected["tier_lines"]]
    assert printed[3:7] == [f"{expected[name]} USD" for name in ("variable", "transmission", "losses", "wholesale")]
    assert total(rated, made) == f"{expected['total_before_tax_and_rebate']} USD"


@pytest.mark.parametrize(
    ("place", "mode", "key"),
    [
        ("document", RoundingMode.HALF_UP, "round_total_half_up"),
        ("document", RoundingMode.HALF_EVEN, "round_total_half_even"),
        ("line", RoundingMode.HALF_UP, "sum_of_lines_half_up"),
    ],
)
def test_rounding_policies(
    vector: dict[str, Any],
    plan: Any,
    usage: Any,
    rate: Any,
    measured: Callable[..., Any],
    place: str,
    mode: RoundingMode,
    key: str,
) -> None:
    given = vector["input"]
    made = plan(
        {"basic": f'model = "recurring"\nprice = "{given["basic"]}"', "energy": energy(tiers(given["blocks"]))},
        plan_keys=f'rounding = {{ place = "{place}", mode = "{mode.value}" }}',
    )
    rated = rate(usage(made), [measured("use", given["kwh"], "kWh")])
    assert sum(charge.amount.value for charge in rated.charges) == Fraction(vector["expected"]["exact"])
    assert total(rated, made) == f"{vector['expected'][key]} USD"


def test_minimum_charge(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given = vector["input"]
    made = plan(
        {
            "basic": f'model = "recurring"\nprice = "{given["basic"]}"',
            "energy": energy('price = "0.05"', model="per_unit"),
            "minimum": f'model = "minimum"\namount = "{given["minimum"]}"',
        }
    )
    assert total(rate(usage(made), [measured("use", given["kwh"], "kWh")]), made) == f"{vector['expected']['total']} USD"


def test_sewer_winter_average(vector: dict[str, Any], plan: Any, usage: Any, rate: Any, measured: Callable[..., Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    allowance = Fraction(given["minimum_gallons"]) / 1000
    made = plan(
        {
            "minimum": f'model = "recurring"\nprice = "{given["minimum_charge"]}"',
            "excess": energy(f'price = "{given["per_kgal"]}"\nallowance = "{allowance}"', "kgal", "included"),
        }
    )
    average = Fraction(sum(given["gallons"]), 3 * 1000)
    rated = rate(usage(made), [measured("use", str(average), "kgal")])
    assert rated.charges[2].quantity.value == Fraction(expected["excess_kgal"])
    assert lines(rated, made)[2] == f"{expected['excess_charge']} USD"
    assert total(rated, made) == f"{expected['total']} USD"
