from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import attrs
import pytest

from billing_framework.accounts.account import Account
from billing_framework.rating.rate import RatedGroup
from billing_framework.values.period import DateSpan

JUNE = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
JULY = DateSpan(date(2026, 7, 1), date(2026, 8, 1))
QUARTER = DateSpan(date(2026, 4, 1), date(2026, 7, 1))


def shown(rated: RatedGroup) -> list[tuple[str, str]]:
    assert rated.findings == ()
    return [(str(charge.service), str(charge.amount)) for charge in rated.charges]


def test_one_time_is_charged_on_its_day_alone(plan: Any, usage: Any, rate: Any) -> None:
    made = plan({"setup": 'model = "one_time"\nprice = "49.90"\nquantity = { term = "lamps" }'})
    rated = rate(usage(made, starts_on=date(2026, 6, 15), terms={"lamps": "3"}))
    assert shown(rated) == [("2026-06-15/2026-06-15", "149.7 USD")]
    assert rate(usage(made, terms={"lamps": "3"})).charges == ()


def test_one_time_on_a_named_date(plan: Any, usage: Any, rate: Any) -> None:
    made = plan({"credit": 'model = "one_time"\nprice = "-10"\non = 2026-06-30'})
    assert shown(rate(usage(made))) == [("2026-06-30/2026-06-30", "-10 USD")]
    assert rate(usage(made, period=JULY)).charges == ()


@pytest.mark.parametrize(
    ("keys", "period", "expected"),
    [
        ("", JUNE, "30"),
        ("", DateSpan(date(2026, 6, 11), date(2026, 7, 1)), "20"),
        ('proration = "none"', DateSpan(date(2026, 6, 11), date(2026, 7, 1)), "30"),
        ('proration = "30_360"', DateSpan(date(2026, 6, 16), date(2026, 7, 1)), "15"),
        ('quantity = "2.5"', JUNE, "75"),
        ('interval = "day"', JUNE, "900"),
        ('interval = "period"', QUARTER, "30"),
        ("", QUARTER, "90"),
        ('interval = "quarter"', JUNE, "10"),
        ('interval = "year"', JUNE, "2.5"),
        ('interval = "year"\nalignment = "calendar"', JUNE, "180/73"),
        ('alignment = "calendar"', DateSpan(date(2026, 6, 16), date(2026, 7, 16)), "915/31"),
    ],
)
def test_recurring_in_arrears(plan: Any, usage: Any, rate: Any, keys: str, period: DateSpan, expected: str) -> None:
    made = plan({"base": f'model = "recurring"\nprice = "30"\n{keys}'})
    full = period if period in (JUNE, QUARTER) or 'alignment = "calendar"' in keys else JUNE
    rated = rate(usage(made, period=period, full_period=full, starts_on=period.start))
    assert [charge.amount.value for charge in rated.charges] == [Fraction(expected)]


def test_the_agreement_may_bill_its_last_day(plan: Any, usage: Any, rate: Any) -> None:
    ending = DateSpan(date(2026, 6, 1), date(2026, 6, 10))
    for ends, days in (("half_open", 9), ("inclusive", 10)):
        made = plan({"base": f'model = "recurring"\nprice = "30"\nends = "{ends}"'})
        rated = rate(usage(made, period=ending, full_period=JUNE, ends_on=ending.end))
        assert shown(rated) == [(f"2026-06-01/2026-06-{days:02}", f"{days} USD")]


def test_versions_within_a_period_add_up_to_it(plan: Any, usage: Any, rate: Any) -> None:
    old = plan({"base": 'model = "recurring"\nprice = "30"'}, version="1")
    new = plan({"base": 'model = "recurring"\nprice = "60"'}, version="2")
    first, second = JUNE.tiles([date(2026, 6, 11)])
    rated = rate(usage(old, tiles=[(first, old), (second, new)]))
    assert shown(rated) == [("2026-06-01/2026-06-10", "10 USD"), ("2026-06-11/2026-06-30", "40 USD")]
    assert [charge.plan for charge in rated.charges] == ["test@1", "test@2"]


def test_what_was_billed_before_is_not_billed_again(plan: Any, usage: Any, rate: Any) -> None:
    made = plan({"base": 'model = "recurring"\nprice = "30"'})
    rated = rate(usage(made, billed_through={"base": date(2026, 6, 21)}))
    assert shown(rated) == [("2026-06-21/2026-06-30", "10 USD")]
    assert rate(usage(made, billed_through={"base": date(2026, 7, 1)})).charges == ()


ADVANCE = 'model = "recurring"\nprice = "31"\nbilled = "advance"'


def test_in_advance_bills_the_rest_and_the_next_period(plan: Any, usage: Any, rate: Any) -> None:
    made = plan({"base": ADVANCE})
    period = DateSpan(date(2026, 6, 16), date(2026, 7, 1))
    first = usage(made, period=period, full_period=JUNE, next_period=JULY, next_plan=made, starts_on=period.start)
    assert shown(rate(first)) == [("2026-06-16/2026-06-30", "15.5 USD"), ("2026-07-01/2026-07-31", "31 USD")]
    later = usage(made, period=JUNE, next_period=JULY, next_plan=made, billed_through={"base": JULY.start})
    assert shown(rate(later)) == [("2026-07-01/2026-07-31", "31 USD")]
    caught_up = usage(made, period=JUNE, next_period=JULY, next_plan=made, billed_through={"base": JULY.end})
    assert rate(caught_up).charges == ()


@pytest.mark.parametrize("interval", ["month", "period"])
def test_in_advance_is_the_same_where_the_next_version_is_not_known_yet(plan: Any, usage: Any, rate: Any, interval: str) -> None:
    made = plan({"base": f'{ADVANCE}\ninterval = "{interval}"'})
    asked = usage(made, next_period=JULY, billed_through={"base": date(2026, 5, 17)})
    expected = {"month": "15 USD", "period": "15.5 USD"}[interval]
    assert shown(rate(asked)) == [
        ("2026-05-17/2026-05-31", expected),
        ("2026-06-01/2026-06-30", "31 USD"),
        ("2026-07-01/2026-07-31", "31 USD"),
    ]


def test_in_advance_takes_the_price_of_the_next_version(plan: Any, usage: Any, rate: Any) -> None:
    old, new = plan({"base": ADVANCE}, version="1"), plan({"base": ADVANCE.replace("31", "62")}, version="2")
    asked = usage(old, next_period=JULY, next_plan=new, billed_through={"base": JULY.start})
    rated = rate(asked)
    assert shown(rated) == [("2026-07-01/2026-07-31", "62 USD")]
    assert rated.charges[0].plan == "test@2"


def test_in_advance_credits_what_is_not_used_when_the_agreement_ends(plan: Any, usage: Any, rate: Any, account: Account) -> None:
    made = plan({"base": ADVANCE.replace("31", "30")})
    ending = DateSpan(date(2026, 6, 1), date(2026, 6, 11))
    asked = usage(
        made, period=ending, full_period=JUNE, next_period=JULY, ends_on=ending.end, billed_through={"base": JULY.start}
    )
    rated = rate(asked, account=attrs.evolve(account, locale="de_DE"))
    assert shown(rated) == [("2026-06-11/2026-06-30", "-20 USD")]
    assert rated.charges[0].description == "base, Gutschrift für den nicht genutzten Teil"


def test_a_year_in_advance_is_billed_when_it_begins(plan: Any, usage: Any, rate: Any) -> None:
    made = plan({"fee": 'model = "recurring"\nprice = "120"\ninterval = "year"\nbilled = "advance"\nalignment = "anniversary"'})
    period = DateSpan(date(2026, 6, 16), date(2026, 7, 1))
    asked = usage(made, period=period, full_period=JUNE, next_period=JULY, next_plan=made, starts_on=period.start)
    assert shown(rate(asked)) == [
        ("2026-06-16/2026-06-30", str(Fraction(120 * 15, 365)) + " USD"),
        ("2026-07-01/2027-06-15", str(Fraction(120 * 350, 365)) + " USD"),
    ]
    again = usage(made, period=JULY, next_plan=made, starts_on=period.start, billed_through={"fee": date(2027, 6, 16)})
    assert rate(again).charges == ()


def test_a_missing_term_holds_the_account(plan: Any, usage: Any, rate: Any) -> None:
    made = plan({"base": 'model = "recurring"\nprice = { term = "meter", values = { "5/8" = "27.00" } }'})
    missing, unknown, known = (rate(usage(made, terms=terms)) for terms in ({}, {"meter": "3/8"}, {"meter": "5/8"}))
    assert [finding.code for finding in (*missing.findings, *unknown.findings)] == ["RATE07", "RATE07"]
    assert missing.held
    assert "Did you mean '5/8'?" in str(unknown.findings[0])
    assert shown(known) == [("2026-06-01/2026-06-30", "27 USD")]
