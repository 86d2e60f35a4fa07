from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from babel.core import get_global

from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.money import Amount, Money, Rounding, minor_digits
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity
from billing_framework.values.rounding import RoundingMode

# ISO 4217:2015 with its amendments: every active currency that has not two decimals.
ISO_DIGITS = {
    **dict.fromkeys(
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
# No longer in use, so that ISO 4217 gives them no decimals today; babel's figure stands.
WITHDRAWN = {"ADP", "BYR", "ESP", "ITL", "LUF", "MGF", "MRO", "SLL", "STD", "TMM", "TRL", "ZMK", "ZWD"}
NO_MONEY = {"XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XEU", "XFO", "XFU", "XPD", "XPT", "XRE", "XSU", "XTS", "XUA", "XXX"}


@pytest.mark.parametrize("currency", sorted(set(get_global("all_currencies")) - WITHDRAWN - NO_MONEY))
def test_decimals_are_those_of_iso_4217(currency: str) -> None:
    assert minor_digits(currency) == ISO_DIGITS.get(currency, 2)


@pytest.mark.parametrize("code", ["", "usd", "US", "ZZZ", "EURO", *sorted(NO_MONEY)])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(ValueRefused, match="VALUE05"):
        Money(1, code)


@pytest.mark.parametrize(
    ("value", "currency", "minor", "text"),
    [
        ("12.34", "USD", 1234, "12.34 USD"),
        ("-0.05", "EUR", -5, "-0.05 EUR"),
        (1005, "JPY", 1005, "1005 JPY"),
        ("10.001", "KWD", 10001, "10.001 KWD"),
        ("0", "CLF", 0, "0.0000 CLF"),
    ],
)
def test_money_is_whole_minor_units(value: Any, currency: str, minor: int, text: str) -> None:
    money = Money.of(value, currency)
    assert (money.minor, str(money), money.major) == (minor, text, Fraction(value))


@pytest.mark.parametrize(("value", "currency"), [("0.001", "USD"), ("1.5", "JPY"), (Fraction(1, 3), "USD")])
def test_money_with_too_many_decimals_is_refused(value: Any, currency: str) -> None:
    with pytest.raises(ValueRefused, match="VALUE06"):
        Money.of(value, currency)


@pytest.mark.parametrize("minor", [1.0, True, "1", None])
def test_minor_units_are_ints(minor: Any) -> None:
    with pytest.raises(ValueRefused, match="VALUE01"):
        Money(minor, "USD")


def test_money_adds_compares_and_shares() -> None:
    one, two = Money(100, "USD"), Money(250, "USD")
    assert (one + two, one - two, -one) == (Money(350, "USD"), Money(-150, "USD"), Money(-100, "USD"))
    assert one < two <= Money(250, "USD")
    assert two > one >= Money(100, "USD")
    assert Money.total([one, two], "USD") == Money(350, "USD")
    assert Money.total([], "USD") == Money.zero("USD")
    assert not Money.zero("USD")
    assert Money(10000, "USD").shared([1, 1, 1]) == [Money(3334, "USD"), Money(3333, "USD"), Money(3333, "USD")]


MIXES: list[Callable[[], object]] = [
    lambda: Money(1, "USD") + Money(1, "EUR"),
    lambda: Money(1, "USD") - Money(1, "EUR"),
    lambda: Money(1, "USD") < Money(2, "EUR"),
    lambda: Money.total([Money(1, "EUR")], "USD"),
    lambda: Amount("1", "USD") + Amount("1", "EUR"),
    lambda: Amount("1", "USD") <= Amount("2", "EUR"),
]


@pytest.mark.parametrize("mix", MIXES)
def test_currencies_do_not_mix(mix: Callable[[], object]) -> None:
    with pytest.raises(UnitMismatch, match="VALUE07 .*(USD and EUR|EUR and USD)"):
        mix()


def test_an_amount_stays_exact_until_it_is_payable() -> None:
    share = Amount("100", "USD") * Fraction(10, 31)
    assert Amount.total([share] * 31, "USD") == Amount("1000", "USD")
    assert share.payable() == Money(3226, "USD")
    assert (-share).payable() == Money(-3226, "USD")
    assert share.payable(Rounding(RoundingMode.DOWN)) == Money(3225, "USD")
    assert Amount("7.125", "CHF").payable(Rounding(step_minor=5)) == Money(715, "CHF")
    assert Amount("10.0005", "KWD").payable() == Money(10001, "KWD")
    assert share < Amount("32.26", "USD")
    assert share >= share  # noqa: PLR0124  # the comparison is what is tested
    assert not Amount.zero("USD")
    assert str(share) == "1000/31 USD"
    assert Money(3226, "USD").amount == Amount("32.26", "USD")


def test_a_cash_step_below_one_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="must be >= 1"):
        Rounding(step_minor=0)


def test_quantity_times_price_is_an_amount() -> None:
    price = UnitPrice("0.1234", "USD", "hour")
    assert price * Quantity("2.5", "hour") == Quantity("2.5", "hour") * price == Amount("0.3085", "USD")
    assert str(price) == "0.1234 USD/hour"
    assert UnitPrice("1/100", "USD", "each") * Quantity("250", "each") == Amount("2.5", "USD")


def test_a_price_for_another_unit_names_both() -> None:
    with pytest.raises(UnitMismatch, match="VALUE09 a price per hour cannot price 3 minute. Measure the component in hour"):
        UnitPrice("1", "USD", "hour") * Quantity(3, "minute")


def test_quantities_add_and_compare_in_one_unit() -> None:
    one, two = Quantity("1.5", "hour"), Quantity("2", "hour")
    assert (one + two, two - one, one * 2) == (Quantity("3.5", "hour"), Quantity("0.5", "hour"), Quantity("3", "hour"))
    assert one < two <= Quantity("2", "hour")
    assert not Quantity.zero("hour")
    for mix in (lambda: one + Quantity(1, "minute"), lambda: one < Quantity(1, "minute")):
        with pytest.raises(UnitMismatch, match="VALUE08 hour and minute"):
            mix()
