"""What becomes of each call: a line by destination, a reason without a price, or a finding; nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import attrs
import pytest
from billing_telecom_usage.kinds import Direction
from billing_telecom_usage.numbers import NumberClass

from billing_framework import CarriedState, DateSpan, Severity

ROWS = (
    {"prefix": "49", "destination": "Germany", "rate_per_min": "0.06"},
    {"prefix": "4917", "destination": "Germany mobile", "rate_per_min": "0.12"},
    {"prefix": "4915", "destination": "Germany mobile", "rate_per_min": "0.18"},
)


def test_one_line_for_each_destination_with_its_calls_below(world: Any, make_call: Any, make_deck: Any) -> None:
    calls = [
        make_call(60, "4930123456"),
        make_call(30, "49171234567", at="2026-06-11T23:59:59+00:00"),
        make_call(10, "49151234567", at="2026-06-02T08:00:00+00:00"),
    ]
    rated = world.bill(world.plan(), calls=calls, tables=[make_deck(*ROWS)], locale="de_DE")

    assert [charge.description for charge in rated.charges] == ["Verbindungen: Germany", "Verbindungen: Germany mobile"]
    mobile = rated.charges[1]
    assert (mobile.amount.value, str(mobile.quantity), dict(mobile.details)) == (
        Fraction("0.09"),
        "40 s",
        {"Verbindungen": "2", "Berechnete Zeit": "0:00:40"},
    )
    assert mobile.items[0].details == (("Dauer", "0:00:10"), ("Berechnete Zeit", "0:00:10"))
    assert [(item.on.isoformat(), item.time, item.text, item.amount.value) for item in mobile.items] == [
        ("2026-06-02", "08:00:00", "+49151234567", Fraction("0.03")),
        ("2026-06-11", "23:59:59", "+49171234567", Fraction("0.06")),
    ]
    assert [step.result for step in mobile.steps] == ["0.03 EUR", "0.06 EUR", "0.09 EUR"]
    assert (rated.control.records, rated.control.priced) == (3, 3)


def test_the_time_that_is_charged_is_told_from_the_time_that_a_call_took(world: Any, make_call: Any, make_deck: Any) -> None:
    row = {"prefix": "49", "rate_per_min": "0.06", "initial_s": 60, "increment_s": 60}
    plan = world.plan('[[component.allowances]]\nname = "free"\nminutes = "1"')
    (charge,) = world.bill(plan, calls=[make_call(61)], tables=[make_deck(row)]).charges

    assert dict(charge.details) == {"Calls": "1", "Charged time": "0:02:00", "Of this included": "0:01:00"}
    assert charge.items[0].details == (
        ("Duration", "0:01:01"),
        ("Charged time", "0:02:00"),
        ("Of this included", "0:01:00"),
    )


def test_last_digits_are_hidden_where_the_deployment_says_so(
    configured: Callable[..., Any], make_call: Any, make_deck: Any
) -> None:
    world = configured(hidden_digits=3)
    (charge,) = world.bill(world.plan(), calls=[make_call(60)], tables=[make_deck(*ROWS)]).charges

    assert charge.items[0].text == "+4930123xxx"


def test_calls_that_bear_no_price_are_counted_with_their_reason(world: Any, make_call: Any, make_deck: Any) -> None:
    calls = [make_call(0, ringing=20), make_call(30, "2001", kind=NumberClass.SHORT), make_call(0, "*97", kind=NumberClass.OTHER)]
    rated = world.bill(world.plan(), calls=calls, tables=[make_deck(*ROWS)])

    assert rated.charges == ()
    assert dict(rated.control.unpriced) == {"not answered": 2, "internal or short number": 1}


def test_an_attempt_fee_is_a_line_of_its_own(world: Any, make_call: Any, make_deck: Any) -> None:
    calls = [make_call(0, name="a"), make_call(60, name="b"), make_call(0, "*97", kind=NumberClass.OTHER)]
    rated = world.bill(world.plan('attempt_fee = "0.01"'), calls=calls, tables=[make_deck(*ROWS)])

    assert [(one.description, one.amount.value) for one in rated.charges] == [
        ("Calls: Germany", Fraction("0.06")),
        ("Calls: Germany, calls not answered", Fraction("0.01")),
    ]


def test_a_call_without_a_rate_holds_the_account(world: Any, make_call: Any, make_deck: Any) -> None:
    calls = [make_call(60), make_call(60, "88161234567", name="a"), make_call(70, "88161234568", name="b")]
    rated = world.bill(world.plan(), calls=calls, tables=[make_deck(*ROWS)])

    assert rated.held
    (finding,) = rated.findings
    assert (finding.code, finding.subject) == ("TEL10", "A1")
    assert finding.what == "2 calls have no price: deck deck@1 has no price for numbers that begin with 881612…"
    assert dict(rated.control.deferred) == {"no rate (TEL10)": 2}


def test_a_call_without_a_rate_waits_where_the_deployment_says_so(
    configured: Callable[..., Any], make_call: Any, make_deck: Any
) -> None:
    world = configured(no_rate="defer")
    calls = [make_call(60), make_call(60, "88161234567")]
    rated = world.bill(world.plan(), calls=calls, tables=[make_deck(*ROWS)])

    assert not rated.held
    assert [finding.severity for finding in rated.findings] == [Severity.INFORMATION]
    assert (rated.control.priced, dict(rated.control.deferred)) == (1, {"no rate (TEL10)": 1})
    assert rated.billed == (1,)


def test_a_row_is_no_price_before_its_date(world: Any, make_call: Any, make_deck: Any) -> None:
    row = {"prefix": "49", "rate_per_min": "0.06", "effective_from": make_date(10)}
    calls = [make_call(60, at="2026-06-09T23:59:59+00:00"), make_call(60, at="2026-06-10T00:00:00+00:00")]
    rated = world.bill(world.plan(), calls=calls, tables=[make_deck(row)])

    assert [finding.code for finding in rated.findings] == ["TEL10"]
    assert (rated.control.priced, sum(rated.control.deferred.values())) == (1, 1)


def make_date(day: int) -> date:
    return date(2026, 6, day)


def test_a_missing_deck_or_plan_is_told(world: Any, make_call: Any, make_deck: Any) -> None:
    no_deck = world.bill(world.plan(), calls=[make_call(60)], tables=[make_deck(*ROWS, valid_from=make_date(11))])
    no_component = world.bill(world.plan(), calls=[make_call(60, direction=Direction.INCOMING)], tables=[make_deck(*ROWS)])
    too_early = world.bill(world.plan(), calls=[make_call(60, at="2026-05-10T12:00:00+00:00")], tables=[make_deck(*ROWS)])

    assert [one.findings[0].code for one in (no_deck, no_component, too_early)] == ["TEL11", "TEL12", "TEL12"]
    assert all(one.held for one in (no_deck, no_component, too_early))


def test_incoming_calls_have_a_component_of_their_own(world: Any, make_call: Any, make_deck: Any) -> None:
    plan = world.plan('direction = "incoming"')
    rated = world.bill(plan, calls=[make_call(60, direction=Direction.INCOMING)], tables=[make_deck(*ROWS)])

    assert [charge.amount.value for charge in rated.charges] == [Fraction("0.06")]
    assert rated.charges[0].items[0].text == "+4989001"


def test_an_agreement_that_had_ended_is_granted_nothing_again(world: Any, make_call: Any, make_deck: Any) -> None:
    plan = world.plan('[[component.allowances]]\nname = "free"\nminutes = "1"')
    left = CarriedState(
        scope="A1",
        name="allowance.calls.free",
        period=DateSpan(make_date(1).replace(month=5), make_date(1)),
        values={"2026-05-01": Fraction(40)},
        written_by="7",
    )
    group = world.group(
        plan,
        calls=[make_call(60, at="2026-05-31T12:00:00+00:00")],
        tables=[make_deck(*ROWS)],
        period="2026-05-31/2026-06-01",
        state=[left],
    )
    (rated,) = world.rate_both(attrs.evolve(group, period=DateSpan(make_date(1), make_date(30))))

    (charge,) = rated.charges
    assert charge.amount.value == Fraction("0.02")
    assert charge.source == "Germany billed with 2026-06-01/2026-06-29"
    assert dict(rated.state[0].values) == {"2026-05-01": 0}


def test_late_calls_of_several_days_stand_in_one_line(world: Any, make_call: Any, make_deck: Any) -> None:
    calls = [make_call(60, at=f"2026-05-{day}T12:00:00+00:00") for day in (20, 22)]
    rated = world.bill(world.plan(), calls=calls, tables=[make_deck(*ROWS)], earlier="2026-05-20/2026-06-01")

    (charge,) = rated.charges
    assert charge.description == "Calls: Germany, earlier calls"
    assert str(charge.service) == "2026-05-20/2026-05-22"


def test_a_later_leg_bears_no_connection_fee(world: Any, make_call: Any, make_deck: Any) -> None:
    row = {"prefix": "49", "rate_per_min": "0.06", "connect_fee": "0.1"}
    calls = [make_call(60, name="a"), make_call(60, name="b", continuation=True)]
    (charge,) = world.bill(world.plan(), calls=calls, tables=[make_deck(row)]).charges

    assert [item.amount.value for item in charge.items] == [Fraction("0.16"), Fraction("0.06")]


def test_an_allowance_is_prorated_by_days_and_cut_to_seconds(world: Any, make_call: Any, make_deck: Any) -> None:
    plan = world.plan('[[component.allowances]]\nname = "free"\nminutes = "10"\nprorate = true')
    rated = world.bill(
        plan,
        calls=[make_call(300, at="2026-06-25T12:00:00+00:00")],
        tables=[make_deck(*ROWS)],
        period="2026-06-24/2026-07-01",
        full="2026-06-01/2026-07-01",
    )

    assert [item.amount.value for item in rated.charges[0].items] == [Fraction("0.16")]  # 600 s x 7/30 = 140 s are free
    assert dict(rated.state[0].values) == {"2026-06-24": 0}


def test_a_late_call_uses_what_its_own_period_left(world: Any, make_call: Any, make_deck: Any) -> None:
    plan = world.plan('[[component.allowances]]\nname = "free"\nminutes = "1"\nconnect_fee = true')
    left = CarriedState(
        scope="A1",
        name="allowance.calls.free",
        period=DateSpan(make_date(1).replace(month=5), make_date(1)),
        values={"2026-04-01": Fraction(60), "2026-05-01": Fraction(40)},
        written_by="7",
    )
    rated = world.bill(
        plan,
        calls=[make_call(60, at="2026-05-20T12:00:00+00:00")],
        tables=[make_deck(*({**row, "connect_fee": "0.05"} for row in ROWS))],
        earlier="2026-05-20/2026-06-01",
        state=[left],
    )

    (charge,) = rated.charges
    assert charge.amount.value == Fraction("0.07")
    assert charge.state_read == ("allowance.calls.free",)
    assert dict(rated.state[0].values) == {"2026-04-01": 60, "2026-05-01": 0, "2026-06-01": 60}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [("connect_fee = true", Fraction("0.05")), ("", Fraction(0))],
)
def test_a_call_that_is_covered_wholly_bears_the_fee_only_by_contract(
    body: str, wanted: Fraction, world: Any, make_call: Any, make_deck: Any
) -> None:
    plan = world.plan(f'minimum_charge = "1"\n[[component.allowances]]\nname = "free"\nminutes = "10"\n{body}')
    row = {"prefix": "49", "rate_per_min": "0.06", "connect_fee": "0.05"}
    (charge,) = world.bill(plan, calls=[make_call(60)], tables=[make_deck(row)]).charges

    assert charge.amount.value == wanted


@pytest.mark.parametrize(
    "body",
    [
        "places = 13",
        'zone = "Europe/Nowhere"',
        'periods = [{ name = "a", holidays = true }]',
        'periods = [{ name = "a", start = "24:00" }]',
        'periods = [{ name = "a", days = ["monday"] }]',
        'periods = [{ name = "a", months = [13] }]',
        'allowances = [{ name = "a", minutes = "1" }, { name = "a", minutes = "2" }]',
        'attempt_fee = "-1"',
        'allowances = [{ name = "A b", minutes = "1" }]',
        'allowances = [{ name = "a", minutes = "1", increment_s = 0 }]',
        'boundary = "sometimes"',
        "dek = 5",
    ],
)
def test_wrong_parameters_of_a_plan_are_refused(body: str, world: Any) -> None:
    read = world.read(world.plan_text(body))
    assert read.plan is None
    assert read.findings
