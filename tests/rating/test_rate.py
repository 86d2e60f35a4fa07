"""Rating a group: what the core makes of raters and models that are right, forgetful, broken or hostile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import attrs
import pytest

from billing_framework.accounts.account import Account
from billing_framework.accounts.assignment import Assignment
from billing_framework.rating.charge import Charge, ChargeItem
from billing_framework.rating.charge_models import core_models
from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage
from billing_framework.rating.measure_rater import measure_rater
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.pricing import ChargeModel, Priced
from billing_framework.rating.rate import RatedGroup, rate_group
from billing_framework.rating.rater import Rater
from billing_framework.rating.rating import Measure, Rating
from billing_framework.rating.state import CarriedState
from billing_framework.usage.record import Usage
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Amount
from billing_framework.values.period import DateSpan, Span
from billing_framework.values.quantity import Quantity

JUNE = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
PER_UNIT = 'model = "per_unit"\nmeasure = "minutes"\nunit = "min"\nprice = "0.5"'
MODELS = {model.name: model for model in core_models()}


@attrs.frozen(kw_only=True)
class Call:
    minutes: Fraction | None


def call(key: int, day: int, minutes: str | None = "3", *, month: int = 6, hour: int = 12, agreement: str = "G1") -> KeyedUsage:
    return KeyedUsage(
        key=key,
        usage=Usage(
            kind="call",
            source="switch",
            external_id=f"id{key}",
            subject="555",
            span=Span.at(datetime(2026, month, day, hour, tzinfo=UTC)),
            body=Call(minutes=Fraction(minutes) if minutes is not None else None),
        ),
        assignment=Assignment(subject="555", agreement=agreement, starts_on=date(2026, 1, 1)),
    )


def rated(
    usage: AgreementUsage,
    account: Account,
    *raters: Rater,
    models: Mapping[str, ChargeModel] = MODELS,
    **offers: Any,
) -> RatedGroup:
    group = BillingGroup(account=account, period=usage.full_period, agreements=(usage,))
    return rate_group(group, RatingOffers(raters=raters, models=models, plugin_of={"broken": "acme"}, **offers))


CALLS = measure_rater("call", "minutes", "min", "minutes")


def broken(result: Callable[[BillingGroup], Any]) -> Rater:
    return Rater(name="broken", kinds=("call",), rate=result)


def test_the_ready_made_rater_sums_a_field_by_subject_and_tile(plan: Any, usage: Any, account: Account) -> None:
    made = plan({"calls": PER_UNIT})
    tiles = JUNE.tiles([date(2026, 6, 16)])
    asked = attrs.evolve(
        usage(made, tiles=[(tile, made) for tile in tiles]), records=(call(1, 3), call(2, 4, "4.5"), call(3, 20))
    )
    group = rated(asked, account, CALLS)
    assert [(str(charge.quantity), charge.records) for charge in group.charges] == [("7.5 min", (1, 2)), ("3 min", (3,))]
    assert group.findings == ()
    assert (group.control.records, group.control.priced, group.control.lost) == (3, 3, 0)


def test_the_ready_made_rater_counts_by_the_account_zone(plan: Any, usage: Any, account: Account) -> None:
    counting = measure_rater("call", "", "call", "calls")
    made = plan({"calls": PER_UNIT.replace("minutes", "calls").replace("min", "call")})
    late = call(1, 30, hour=23)  # 1 July in Berlin
    asked = attrs.evolve(usage(made), records=(late, call(2, 30, hour=21)))
    assert [str(charge.quantity) for charge in rated(asked, account, counting).charges] == ["2 call"]
    berlin = rated(asked, attrs.evolve(account, zone="Europe/Berlin"), counting)
    assert [str(charge.quantity) for charge in berlin.charges] == ["1 call"]
    assert berlin.findings == ()


def test_records_without_a_value_count_nothing_but_are_not_lost(plan: Any, usage: Any, account: Account) -> None:
    group = rated(attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3, None),)), account, CALLS)
    assert [str(charge.amount) for charge in group.charges] == ["0 USD"]
    assert group.control.priced == 1


def test_records_in_reach_need_not_be_accounted_for(plan: Any, usage: Any, account: Account) -> None:
    rater = broken(lambda _group: Rating())
    outside = (call(1, 30, month=5), call(2, 1, month=7), call(3, 3, agreement="other"))
    assert rated(attrs.evolve(usage(plan({"calls": PER_UNIT})), records=outside), account, rater).findings == ()


def test_a_forgotten_record_holds_the_account(plan: Any, usage: Any, account: Account) -> None:
    records = tuple(call(key, 3) for key in range(1, 9))
    group = rated(attrs.evolve(usage(plan({"calls": PER_UNIT})), records=records), account, broken(lambda _group: Rating()))
    assert [finding.code for finding in group.findings] == ["RATE02"]
    assert "of acme accounts for 8 records nowhere: id1, id2, id3, id4, id5 and 3 more" in group.findings[0].what
    assert group.held
    assert group.control.lost == 8


def test_divisible_records_that_reach_into_the_period_must_be_accounted_for(plan: Any, usage: Any, account: Account) -> None:
    span = Span(datetime(2026, 5, 31, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC))
    record = call(1, 3)
    record = attrs.evolve(record, usage=attrs.evolve(record.usage, span=span))
    asked = attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(record,))
    assert rated(asked, account, broken(lambda _group: Rating())).findings == ()
    found = rated(asked, account, broken(lambda _group: Rating()), divisible_kinds=frozenset({"call"}))
    assert [finding.code for finding in found.findings] == ["RATE02"]


def test_reasons_for_no_price_stand_in_the_control_totals(plan: Any, usage: Any, account: Account) -> None:
    rater = broken(lambda _group: Rating(unpriced={1: "toll free", 2: "toll free"}))
    group = rated(attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3), call(2, 3))), account, rater)
    assert group.findings == ()
    assert group.control.unpriced == {"toll free": 2}
    assert group.control.lost == 0


def test_a_kind_without_a_rater_holds_the_account(plan: Any, usage: Any, account: Account) -> None:
    group = rated(attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3),)), account)
    assert [finding.code for finding in group.findings] == ["RATE09"]


def test_usage_that_nothing_prices_holds_the_account(plan: Any, usage: Any, account: Account) -> None:
    misspelt = plan({"calls": PER_UNIT.replace('"minutes"', '"minuts"')})
    group = rated(attrs.evolve(usage(misspelt), records=(call(1, 3),)), account, CALLS)
    assert [(finding.code, finding.stops) for finding in group.findings] == [("RATE05", True)]
    assert group.control.unpriced == {"no component prices measure minutes": 1}


def test_one_measure_more_than_the_plan_prices_is_only_told(plan: Any, usage: Any, account: Account) -> None:
    both = (CALLS, attrs.evolve(measure_rater("text", "", "text", "texts")))
    record = call(2, 3)
    text = attrs.evolve(record, usage=attrs.evolve(record.usage, kind="text"))
    group = rated(attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3), text)), account, *both)
    assert [(finding.code, finding.severity) for finding in group.findings] == [("RATE06", Severity.INFORMATION)]
    assert not group.held


def fails(_group: object) -> Any:
    message = "no such thing"
    raise LookupError(message)


def refuses(_group: object) -> Any:
    raise ValueRefused("VALUE01", "it is no number", remedy="Write a number")


def test_a_rater_that_fails_holds_the_account_and_names_its_plugin(plan: Any, usage: Any, account: Account) -> None:
    asked = attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3),))
    failed = rated(asked, account, broken(fails))
    assert [finding.code for finding in failed.findings] == ["RATE01"]
    line = fails.__code__.co_firstlineno + 2
    what = f"rater 'broken' of acme failed: LookupError: no such thing (at tests/rating/test_rate.py:{line})"
    assert failed.findings[0].what == what
    assert [finding.code for finding in rated(asked, account, broken(refuses)).findings] == ["VALUE01"]


def test_a_model_that_fails_holds_the_account_and_the_others_are_priced(plan: Any, usage: Any, account: Account) -> None:
    made = plan({"calls": PER_UNIT, "base": 'model = "recurring"\nprice = "1"'})
    models = {**MODELS, "per_unit": attrs.evolve(MODELS["per_unit"], price=fails)}
    group = rated(attrs.evolve(usage(made), records=(call(1, 3),)), account, CALLS, models=models)
    assert [finding.code for finding in group.findings] == ["RATE01"]
    assert [charge.component for charge in group.charges] == ["base"]


GOOD = Measure(agreement="G1", name="minutes", quantity=Quantity(Fraction(3), "min"), dates=JUNE, records=(1,))


def spoiled(value: Any, /, **fields: object) -> Any:
    """Return the value with fields that its class would refuse, as hostile code can make it."""
    copy = attrs.evolve(value)
    for name, field in fields.items():
        object.__setattr__(copy, name, field)
    return copy


def charge_of(**fields: Any) -> Charge:
    given: dict[str, Any] = {
        "agreement": "G1",
        "component": "calls",
        "code": "calls",
        "description": "Calls",
        "service": JUNE,
        "amount": Amount(Fraction(1), "USD"),
        "tax_category": "standard",
        "records": (1,),
        "plan": "test@1",
    }
    return Charge(**(given | fields))


STATE = CarriedState(scope="G1", name="bank", period=JUNE, values={"kWh": Fraction(1)})

BROKEN: dict[str, Any] = {
    "nothing": None,
    "a dict": {"measures": []},
    "a measure that is none": Rating(measures=("minutes",)),  # type: ignore[arg-type]
    "another agreement": Rating(measures=(attrs.evolve(GOOD, agreement="G2"),)),
    "an inexact quantity": Rating(measures=(attrs.evolve(GOOD, quantity=spoiled(GOOD.quantity, value=3.0)),)),
    "dates that are no tile": Rating(measures=(attrs.evolve(GOOD, dates=DateSpan(JUNE.start, date(2026, 6, 9))),)),
    "a foreign record": Rating(measures=(attrs.evolve(GOOD, records=(1, 99)),)),
    "the same measure twice": Rating(measures=(GOOD, GOOD)),
    "a charge that is none": Rating(charges=(1,)),  # type: ignore[arg-type]
    "a charge on another agreement": Rating(charges=(charge_of(agreement="G2"),)),
    "a float": Rating(charges=(spoiled(charge_of(), amount=1.5),)),
    "a float inside": Rating(charges=(charge_of(amount=spoiled(Amount(Fraction(1), "USD"), value=1.5)),)),
    "another currency": Rating(charges=(charge_of(amount=Amount(Fraction(1), "EUR")),)),
    "dates outside": Rating(charges=(charge_of(service=DateSpan(JUNE.start, date(2026, 7, 2))),)),
    "a charge on a foreign record": Rating(charges=(charge_of(records=(99,)),)),
    "a record that is no key": Rating(charges=(charge_of(records=("1",)),)),
    "details that are no text": Rating(charges=(charge_of(details={"read": 1}),)),
    "a reason for a foreign record": Rating(unpriced={99: "free"}),
    "no reason": Rating(unpriced={1: ""}),
    "a state that is none": Rating(unpriced={1: "free"}, state=({"bank": 1},)),  # type: ignore[arg-type]
    "an inexact state": Rating(unpriced={1: "free"}, state=(spoiled(STATE, values={"kWh": 1.5}),)),
    "a finding that is none": Rating(unpriced={1: "free"}, findings=("bad",)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("result", BROKEN.values(), ids=BROKEN.keys())
def test_what_breaks_the_contract_is_refused(plan: Any, usage: Any, account: Account, result: Any) -> None:
    asked = attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3),))
    group = rated(asked, account, broken(lambda _group: result))
    assert {finding.code for finding in group.findings} == {"RATE03"}
    assert all("acme" in finding.what for finding in group.findings)
    assert group.held
    assert group.charges == ()


@pytest.mark.parametrize("result", [spoiled(Rating(), measures=7), spoiled(Rating(), charges=(spoiled(charge_of(), records=5),))])
def test_a_result_that_cannot_be_looked_at_holds_the_account(plan: Any, usage: Any, account: Account, result: Any) -> None:
    group = rated(usage(plan({"base": 'model = "recurring"\nprice = "1"'})), account, broken(lambda _group: result))
    assert [finding.code for finding in group.findings] == ["RATE03"]


HOSTILE: dict[str, Any] = {
    "nothing": None,
    "another component": Priced(charges=(charge_of(component="other"),)),
    "another currency": Priced(charges=(charge_of(amount=Amount(Fraction(1), "EUR")),)),
    "long ago": Priced(charges=(charge_of(service=DateSpan(date(2020, 1, 1), JUNE.end)),)),
    "a description that is none": Priced(charges=(charge_of(description=None),)),
    "charges that are none": spoiled(Priced(), charges=None),
    "a finding that is none": Priced(findings=("bad",)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("result", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_a_model_returns_is_checked_too(plan: Any, usage: Any, account: Account, result: Any) -> None:
    models = {**MODELS, "per_unit": attrs.evolve(MODELS["per_unit"], price=lambda _pricing: result)}
    asked = attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3),))
    group = rated(asked, account, CALLS, models=models)
    assert {finding.code for finding in group.findings} <= {"RATE01", "RATE03"}
    assert group.held
    assert group.charges == ()


def charged_and_measured(_group: object) -> Rating:
    return Rating(measures=(GOOD,), charges=(charge_of(),))


def test_two_charges_that_say_they_are_the_same_hold_the_account(plan: Any, usage: Any, account: Account) -> None:
    rater = broken(lambda _group: Rating(charges=(charge_of(), charge_of())))
    group = rated(attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3),)), account, rater)
    (finding,) = group.findings
    assert (finding.code, finding.what.endswith("(plugin acme)")) == ("RATE04", True)
    both = rated(attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3),)), account, broken(charged_and_measured))
    assert [one.what.endswith("(plugin acme, core)") for one in both.findings if one.code == "RATE04"] == [True]
    apart = broken(lambda _group: Rating(charges=(charge_of(source="a"), charge_of(source="b"))))
    assert rated(attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3),)), account, apart).findings == ()


def test_what_a_rater_prices_itself_is_the_base_of_later_components(plan: Any, usage: Any, account: Account) -> None:
    made = plan({"calls": PER_UNIT, "levy": 'model = "percentage"\npercent = "10"\nof = ["calls"]'})
    rater = Rater(
        name="own",
        kinds=("call",),
        rate=lambda _group: Rating(charges=(charge_of(amount=Amount(Fraction(50), "USD")),)),
        models={"per_unit": type(made.components[0].params)},
    )
    group = rated(attrs.evolve(usage(made), records=(call(1, 3),)), account, rater)
    assert [(charge.component, str(charge.amount)) for charge in group.charges] == [("calls", "50 USD"), ("levy", "5 USD")]


def test_findings_and_state_of_raters_are_passed_on(plan: Any, usage: Any, account: Account) -> None:
    gap = Finding(code="UTIL01", what="a day is missing", remedy="Read the meter")
    rater = broken(lambda _group: Rating(state=(STATE,), findings=(gap,)))
    group = rated(usage(plan({"base": 'model = "recurring"\nprice = "1"'})), account, rater)
    assert (group.state, group.findings, group.held) == ((STATE,), (gap,), True)


def test_settings_are_those_of_the_plugin(plan: Any, usage: Any, account: Account) -> None:
    seen: list[object] = []

    def look(group: BillingGroup) -> Rating:
        seen.append(group.settings)
        return Rating()

    made = usage(plan({"base": 'model = "recurring"\nprice = "1"'}))
    rated(made, account, broken(look), attrs.evolve(broken(look), name="free"), settings={"acme": "its settings"})
    assert seen == ["its settings", None]


def test_a_plan_in_another_currency_and_missing_tiles_hold_the_account(plan: Any, usage: Any, account: Account) -> None:
    euro = plan({"base": 'model = "recurring"\nprice = "1"'}, currency="EUR")
    assert [finding.code for finding in rated(usage(euro), account).findings] == ["PLAN15"]
    dollar = plan({"base": 'model = "recurring"\nprice = "1"'})
    half = usage(dollar, tiles=[(DateSpan(JUNE.start, date(2026, 6, 16)), dollar)])
    assert [finding.code for finding in rated(half, account).findings] == ["PLAN13"]
    assert rated(half, account).charges == ()


def test_a_model_that_is_not_offered_holds_the_account(plan: Any, usage: Any, account: Account) -> None:
    group = rated(usage(plan({"base": 'model = "recurring"\nprice = "1"'})), account, models={})
    assert [finding.code for finding in group.findings] == ["PLAN05"]


def test_charges_stand_in_the_order_of_the_plan_and_of_dates(plan: Any, usage: Any, account: Account) -> None:
    made = plan({"b": 'model = "recurring"\nprice = "1"', "a": 'model = "recurring"\nprice = "1"'})
    tiles = JUNE.tiles([date(2026, 6, 16)])
    group = rated(usage(made, tiles=[(tile, made) for tile in tiles]), account)
    assert [(charge.component, charge.service.start.day) for charge in group.charges] == [
        ("b", 1),
        ("b", 16),
        ("a", 1),
        ("a", 16),
    ]


def test_rating_again_gives_the_same(plan: Any, usage: Any, account: Account) -> None:
    asked = attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3), call(2, 9)))
    assert rated(asked, account, CALLS) == rated(asked, account, CALLS)


def itemised(total: str, *amounts: str, record: int = 1) -> Rating:
    items = tuple(ChargeItem(record=record, on=date(2026, 6, 3), text="call", amount=Amount(one, "USD")) for one in amounts)
    charge = Charge(
        agreement="G1",
        component="calls",
        code="calls",
        description="Calls",
        service=JUNE,
        amount=Amount(total, "USD"),
        tax_category="standard",
        plan="test@1",
        records=(1,),
        items=items,
    )
    return Rating(charges=(charge,))


def with_item(**fields: Any) -> Rating:
    """Return an itemised charge with an item whose fields a plugin has put past the types."""
    (charge,) = itemised("1.5", "1.5").charges
    items = (spoiled(charge.items[0], **fields),)
    return Rating(charges=(attrs.evolve(charge, items=items),))


@pytest.mark.parametrize(
    ("rating", "fault"),
    [
        (itemised("3", "1", "2"), ""),
        (with_item(amount=1.5), "returned an item of another type for component 'calls'"),
        (
            with_item(amount=spoiled(Amount("1.5", "USD"), value=1.5)),
            "listed items of amounts that are not exact, or too long numbers, for component 'calls'",
        ),
        (with_item(amount=Amount("1.5", "EUR")), "listed items in another currency for component 'calls'"),
        (Rating(charges=(charge_of(items=("call",)),)), "returned an item of another type for component 'calls'"),
        (itemised("3", "1", "1.9"), "listed items that sum to 2.9, not 3 USD"),
        (itemised("3", "1", "2", record=9), "listed records that the charge of component 'calls' does not rest on"),
    ],
)
def test_the_items_of_a_charge_make_it_up(rating: Rating, fault: str, plan: Any, usage: Any, account: Account) -> None:
    asked = attrs.evolve(usage(plan({"calls": PER_UNIT})), records=(call(1, 3),))
    found = rated(asked, account, broken(lambda _group: rating)).findings
    assert [finding.code for finding in found] == (["RATE03"] if fault else [])
    assert all(fault in finding.what for finding in found)
