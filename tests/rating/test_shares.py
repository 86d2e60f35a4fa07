from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.rating.charge import Charge
from billing_framework.rating.shares import PayerShare, share_charges
from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import Amount
from billing_framework.values.period import DateSpan
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity


def charge(amount: str, component: str = "energy") -> Charge:
    return Charge(
        agreement="G1",
        component=component,
        code="energy",
        description="Energie",
        service=DateSpan(date(2026, 6, 1), date(2026, 7, 1)),
        quantity=Quantity(Fraction(10), "kWh"),
        unit_price=UnitPrice(Fraction(amount) / 10, "EUR", "kWh"),
        amount=Amount(amount, "EUR"),
        tax_category="standard",
        records=(1, 2),
    )


def test_a_parent_that_pays_gets_the_charges_as_they_are() -> None:
    (one,) = share_charges([charge("12.345")], "child", [PayerShare(payer="parent")])
    assert (one.consumer, one.payer, one.charge) == ("child", "parent", charge("12.345"))


def test_percentages_and_the_remainder() -> None:
    shares = [PayerShare(payer="a", percent=Fraction("33.3")), PayerShare(payer="b")]
    first, second = share_charges([charge("10")], "child", shares, locale="de_DE")
    assert (first.payer, str(first.charge.amount)) == ("a", "3.33 EUR")
    assert (second.payer, str(second.charge.amount)) == ("b", "6.67 EUR")
    assert first.charge.description == "Energie, Anteil 33.3 %"
    assert (first.charge.quantity, first.charge.unit_price) == (None, None)
    assert first.charge.natural_key != second.charge.natural_key
    assert first.charge.records == (1, 2)
    assert first.charge.steps[-1].formula == "10 EUR × 33.3 %"


def test_shares_of_some_components_only() -> None:
    shares = [PayerShare(payer="a", percent=Fraction(100), components=("energy",)), PayerShare(payer="b", components=("water",))]
    found = share_charges([charge("10"), charge("5", "water")], "child", shares)
    assert [(one.payer, one.charge.component) for one in found] == [("a", "energy"), ("b", "water")]


def test_a_charge_of_nothing_goes_to_one_payer() -> None:
    found = share_charges([charge("0")], "child", [PayerShare(payer="a", percent=Fraction(50)), PayerShare(payer="b")])
    assert [one.payer for one in found] == ["b"]


@pytest.mark.parametrize(
    "shares",
    [
        [],
        [PayerShare(payer="a", percent=Fraction(99))],
        [PayerShare(payer="a", percent=Fraction(101)), PayerShare(payer="b")],
        [PayerShare(payer="a", percent=Fraction(-1)), PayerShare(payer="b")],
        [PayerShare(payer="a"), PayerShare(payer="b")],
        [PayerShare(payer="a", percent=Fraction(1)), PayerShare(payer="a")],
        [PayerShare(payer="a", components=("water",))],
    ],
)
def test_shares_that_do_not_make_a_whole_are_refused(shares: list[PayerShare]) -> None:
    with pytest.raises(ValueRefused, match="RATE10"):
        share_charges([charge("10")], "child", shares)


percents = st.lists(st.integers(0, 3333).map(lambda units: Fraction(units, 100)), max_size=3)


@given(st.fractions(min_value=-1000, max_value=1000), percents)
def test_shares_conserve_the_charge_exactly(amount: Fraction, parts: list[Fraction]) -> None:
    shares = [PayerShare(payer=f"p{number}", percent=percent) for number, percent in enumerate(parts)]
    given_charge = charge(f"{amount.numerator}/{amount.denominator}")
    found = share_charges([given_charge], "child", [*shares, PayerShare(payer="rest")])
    assert sum((one.charge.amount.value for one in found), Fraction(0)) == amount
    assert len({one.charge.natural_key for one in found}) == len(found) == len({one.payer for one in found})
