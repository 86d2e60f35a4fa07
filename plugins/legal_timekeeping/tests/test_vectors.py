"""The acceptance vectors of the trade: each is proven by a test here or elsewhere, or belongs to a feature that is named."""

import json
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from billing_legal_timekeeping.arrangements.cap import Cap, CapState, Overflow, capped
from billing_legal_timekeeping.arrangements.flat_fee import Per
from billing_legal_timekeeping.arrangements.volume import Band, TierMode, discount_of
from billing_legal_timekeeping.params import Increment, IncrementMode, IncrementScope
from billing_legal_timekeeping.time.hours import Spent, billed_hours

from billing_framework import Money, exact

Make = Callable[..., Any]
DATA = Path(__file__).parent / "data" / "vectors" / "legal.json"
VECTORS: dict[str, dict[str, Any]] = {vector["id"]: vector for vector in json.loads(DATA.read_text())["vectors"]}

ELSEWHERE = {
    "L24": "tests/rating: payer shares are the framework's",
    "L28": "tests/rating: payer shares are the framework's",
    "L29": "ledes/",
    "L30": "ledes/",
    "L37": "here for the discount of a plan; the write-down of an officer is the framework's",
    "L38": "firm/test_trust.py",
    "L40": "firm/test_trust.py",
    "L41": "firm/test_trust.py",
}
LATER = {
    "L21": "collars",
    "L22": "contingency fees",
    "L26": "payers with rates of their own",
    "L31": "LEDES 98BI with taxes",
    "L43": "evergreen retainers",
    "L45": "late charges, in the framework",
    "L47": "guideline checks",
    "L51": "guideline checks",
    "L52": "budgets",
    "L54": "measures of realization",
}
HERE = {
    *("L01", "L02", "L04", "L05", "L06", "L07", "L08", "L10", "L12", "L13", "L14", "L16", "L17", "L18", "L19", "L35", "L37"),
    *("L57", "L60", "L61"),
}


def given(name: str) -> dict[str, Any]:
    result: dict[str, Any] = VECTORS[name]["inputs"]
    return result


def expected(name: str) -> dict[str, Any]:
    result: dict[str, Any] = VECTORS[name]["expected"]
    return result


def test_every_vector_is_proven_or_named() -> None:
    assert set(VECTORS) == HERE | set(ELSEWHERE) | set(LATER)
    assert not HERE & set(LATER)


def hours(minutes: Sequence[int], rule: Increment) -> list[Fraction]:
    day = date(2026, 6, 10)
    spent = [
        Spent(key=key, minutes=Fraction(one), timekeeper="RH", matter="0001", day=day) for key, one in enumerate(minutes, start=1)
    ]
    billed = billed_hours(spent, rule)
    return [billed[key].hours for key in sorted(billed)]


def test_six_minutes_always_up() -> None:
    assert hours(given("L01")["minutes"], Increment()) == [exact(text) for text in expected("L01")["hours"]]


def test_six_minutes_to_the_nearest_with_a_minimum() -> None:
    rule = Increment(mode=IncrementMode.NEAREST_HALF_UP, minimum_minutes=given("L02")["minimum_minutes"])
    assert hours(given("L02")["minutes"], rule) == [exact(text) for text in expected("L02")["hours"]]


def test_no_increment_and_the_least_increment(world: Any, entry: Make, fees: Make) -> None:
    one, wanted = given("L04"), expected("L04")
    record = entry(minutes=one["minutes"], rate=one["rate"])
    (exactly,) = world.amounts(world.bill(fees('increment = { mode = "exact" }'), [record]))
    (charge,) = world.bill(fees(), [record]).charges
    assert exactly == exact(wanted["exact_amount"])
    assert charge.amount.value == exact(wanted["with_0.1_amount"])
    assert charge.quantity.value == exact(wanted["with_0.1_increment_hours"])


def test_rounding_by_entry_and_by_day() -> None:
    one, wanted = given("L05"), expected("L05")
    by_day = hours(one["minutes"], Increment(step_minutes=one["step"], scope=IncrementScope.DAY))
    assert sum(hours(one["minutes"], Increment(step_minutes=one["step"]))) == exact(wanted["per_entry_hours"])
    assert sum(by_day) == exact(wanted["per_day_hours"])
    assert by_day == [exact("0"), exact("0.3"), exact("3.7")]


def test_time_is_rounded_before_anything_is_split(world: Any, entry: Make, fees: Make) -> None:
    one, wanted = given("L06"), expected("L06")
    (charge,) = world.bill(fees(), [entry(minutes=one["minutes"], rate=one["rate"])]).charges
    assert charge.amount.value == exact(wanted["right_total"])
    assert charge.quantity.value == exact(wanted["hours_shown_to_each"])
    assert [share.major for share in charge.amount.payable().shared([1, 1])] == [exact(text) for text in wanted["right_shares"]]


RATE_HEADER = "timekeeper,group,client,matter,activity,value,starts_on,ends_on\n"


def test_the_first_level_that_has_a_price_gives_it(world: Any, entry: Make, fees: Make) -> None:
    one = given("L07")
    rows = (
        f"{RATE_HEADER}RH,,,,,{one['user_default']},2020-01-01,\n,,,,A104,{one['activity']},2020-01-01,\n"
        f",,1,,,{one['client']},2020-01-01,\n,,,0001,,{one['matter']},2020-01-01,\n"
    )
    order = 'precedence = ["entry", "matter", "client", "activity", "timekeeper"]'
    bill = world.bill(fees(order), [entry("1", activity="A104")], tables=world.tables(rows))
    assert world.amounts(bill) == [exact(expected("L07")["rate"])]


def test_a_tie_of_groups_goes_by_the_named_policy(world: Any, entry: Make, fees: Make) -> None:
    rates = given("L08")["group_rates"]
    rows = RATE_HEADER + "".join(f",{name},,,,{rate},2020-01-01,\n" for name, rate in rates.items())
    order = 'precedence = ["group"]\ntie = "{}"'
    tables = world.tables(rows)
    highest = world.bill(fees(order.format("highest")), [entry("1")], tables=tables)
    assert world.amounts(highest) == [exact(expected("L08")["rate"])]
    refused = world.rate(world.group(fees(order.format("refuse")), [entry("1")], tables=tables))
    assert [finding.code for finding in refused.findings] == ["LEGAL12"]


def test_the_work_date_selects_the_row(world: Any, entry: Make, fees: Make) -> None:
    one = given("L10")
    rows = RATE_HEADER + "".join(f"RH,,,,,{row['rate']},{row['from']},{row['to'] or ''}\n" for row in one["rates"])
    records = [entry(item["hours"], on=item["date"]) for item in one["entries"]]
    bill = world.bill(fees(), records, tables=world.tables(rows), period="2026-01-01/2026-02-01")
    assert world.amounts(bill) == [exact(text) for text in expected("L10")["amounts"]]


def test_a_rate_above_the_approved_one_is_adjusted(world: Any, entry: Make, fees: Make) -> None:
    one, wanted = given("L12"), expected("L12")
    billed, approved = f"RH,,absolute,{one['billed']},2020-01-01", f",1,ceiling,{one['approved']},2020-01-01"
    rows = f"timekeeper,client,sort,value,starts_on\n{billed}\n{approved}\n"
    bill = world.bill(fees('above_ceiling = "adjust"'), [entry(one["hours"])], tables=world.tables(rows))
    assert world.amounts(bill) == [exact(wanted["adjusted_total"])]
    assert bill.charges[0].unit_price.value == exact(one["billed"])
    assert bill.charges[0].details["Adjustment"] == f"-${wanted['adjustment'].removeprefix('-')} approved rate"
    lowered = world.bill(fees(), [entry(one["hours"])], tables=world.tables(rows))
    assert lowered.charges[0].unit_price.value == exact(one["approved"])


def test_a_blended_rate_prices_everybody(world: Any, entry: Make, fees: Make) -> None:
    one, wanted = given("L13"), expected("L13")
    people = {"P": "RH", "A": "TO", "PL": "PL"}
    rows = "timekeeper,matter,value,starts_on\n" + "".join(
        f"{people[who]},,{rate},2020-01-01\n" for who, rate, _ in one["entries"]
    )
    rows += f",0001,{one['blended_rate']},2020-01-01\n"
    records = [
        entry(str(exact(spent) / parts), timekeeper=people[who])
        for who, _, spent in one["entries"]
        for parts in [2]
        for _ in range(parts)
    ]
    bill = world.bill(fees(), records, tables=world.tables(rows))
    assert sum(world.amounts(bill)) == exact(wanted["billed"])
    steps = [{step.label: step.result for step in charge.steps} for charge in bill.charges]
    standard = sum(exact(one.get("standard value", one["value"]).removesuffix(" USD")) for one in steps)
    assert standard == exact(wanted["standard_value"])
    assert sum(world.amounts(bill)) - standard == exact(wanted["variance"])


def bands(rows: Sequence[Sequence[str | None]]) -> tuple[Band, ...]:
    return tuple(Band(to=None if to is None else exact(to), percent=exact(percent or "0")) for _, to, percent in rows)


def test_volume_discounts_in_both_modes() -> None:
    one, wanted = given("L14"), expected("L14")
    for mode in TierMode:
        assert discount_of(exact(one["fees"]), bands(one["tiers"]), mode) == exact(wanted[mode.value])


@pytest.mark.parametrize("mode", list(TierMode))
def test_a_volume_discount_over_cycles(mode: TierMode, world: Any, arrangement: Make) -> None:
    one = given("L16")
    wanted = expected("L16")["incremental_by_cycle" if mode is TierMode.INCREMENTAL else "retro_by_cycle"]
    listed = ", ".join(
        f'{{ percent = "{p}" }}' if to is None else f'{{ to = "{to}", percent = "{p}" }}' for _, to, p in one["tiers"]
    )
    state: list[Any] = []
    discounts = []
    for month, cycle in enumerate(one["cycle_fees"], start=6):
        plan = arrangement("flat_fee", f'amount = "{cycle}"\nper = "period"\nhours = "billed"') + arrangement(
            "volume_discount", f'bands = [{listed}]\nmode = "{mode.value}"'
        )
        bill = world.bill(plan, period=f"2026-{month:02}-01/2026-{month + 1:02}-01", state=state)
        state = list(bill.state)
        discounts.append(-bill.charges[-1].amount.value)
    assert discounts == [exact(text) for text in wanted]


def usd(text: str) -> Money:
    return Money.of(text, "USD")


@pytest.mark.parametrize("name", ["L17", "L18"])
def test_a_cap_over_cycles(name: str) -> None:
    one, wanted = given(name), expected(name)
    state = CapState(billed=usd("0"), carried=usd("0"), reserved=usd("0"))
    params = Cap(limit=exact(one["cap"]))
    for cycle, billed, over in zip(one["cycles"], wanted["billed"], wanted["over_cap"], strict=True):
        result = capped(usd(cycle["wip"]), usd(one["cap"]), state, params)
        assert (usd(cycle["wip"]) - result.over, result.over) == (usd(billed), usd(over))
        state = result.after


def test_a_cap_for_each_period_with_a_reserve() -> None:
    one, wanted = given("L19"), expected("L19")
    params = Cap(limit=exact(one["cap_per_period"]), per=Per.PERIOD, overflow=Overflow.RESERVE)
    state = CapState(billed=usd("0"), carried=usd("0"), reserved=usd("0"))
    billed = []
    for period in one["periods"]:
        result = capped(usd(period["wip"]), usd(one["cap_per_period"]), state, params)
        billed.append(usd(period["wip"]) - result.over)
        state = result.after
    assert billed == [usd(text) for text in wanted["billed"]]
    assert state.reserved == usd(wanted["reserve"])
    success = capped(usd("0"), usd(one["cap_per_period"]), state, params, "success")
    assert (success.from_reserve, success.after.reserved) == (usd(wanted["success_bill"]), usd("0"))
    failure = capped(usd("0"), usd(one["cap_per_period"]), state, params, "failure")
    assert (failure.from_reserve, failure.after.reserved) == (usd("0"), usd("0"))


def test_the_discount_is_taken_after_the_adjustments_of_lines(world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    one, wanted = given("L35"), expected("L35")
    plan = fees() + arrangement("courtesy_discount", f'percent = "{one["matter_discount_pct"]}"')
    (charge,) = world.bill(plan, [entry("1", rate=one["line"], adjustment=one["line_adj"])]).charges
    assert charge.amount.value == exact(wanted["net"])
    assert charge.amount.value * exact(one["tax_pct"]) / 100 == exact(wanted["tax"])


def test_a_discount_is_spread_over_lines_to_the_cent(world: Any, entry: Make, fees: Make, arrangement: Make) -> None:
    one, wanted = given("L37"), expected("L37")
    off = sum(exact(text) for text in one["lines"]) - exact(one["new_total"])
    plan = fees() + arrangement("courtesy_discount", f'amount = "{off}"')
    records = [entry("1", rate=text) for text in one["lines"]]
    assert world.amounts(world.bill(plan, records)) == [exact(text) for text in wanted["lines"]]


def test_copies_by_the_page(world: Any, expense: Make, costs: Make) -> None:
    one = given("L57")
    prices = f"code,unit,price,starts_on\n{one['code']},page,{one['unit']},2020-01-01\n"
    record = expense(one["code"], cost="soft", quantity=str(one["pages"]))
    tables = world.tables(copies=("expense_rate", prices))
    assert world.amounts(world.bill(costs('rates = "copies"'), [record], tables=tables)) == [exact(expected("L57")["amount"])]


def test_what_is_printed_is_what_is_priced(world: Any, entry: Make, fees: Make) -> None:
    one, wanted = given("L60"), expected("L60")
    record = entry(minutes=one["minutes"], rate=one["rate"])
    (exactly,) = world.bill(fees('increment = { mode = "exact" }'), [record]).charges
    (printed,) = world.bill(fees('increment = { mode = "printed_units" }'), [record]).charges
    (six,) = world.bill(fees(), [record]).charges
    assert exactly.amount.value == exact(wanted["exact_amount"])
    assert exactly.quantity is None
    assert (printed.quantity.value, printed.amount.value) == (exact(wanted["units_2dp"]), exact(wanted["amount_2dp"]))
    assert [six.quantity.value, six.amount.value] == [exact(text) for text in wanted["with_six_minute_up"]]


def test_the_more_specific_rate_wins(world: Any, entry: Make, fees: Make) -> None:
    one = given("L61")
    rows = f"{RATE_HEADER}RH,,,0001,,{one['project_user_rate']},2020-01-01,\n,,,,A104,{one['activity_rate']},2020-01-01,\n"
    bill = world.bill(fees(), [entry("1", activity="A104")], tables=world.tables(rows))
    assert world.amounts(bill) == [exact(expected("L61")["expected_rate"])]
    assert "passed over: row 2 (activity: A104" in next(step.formula for step in bill.charges[0].steps if step.label == "rate")
