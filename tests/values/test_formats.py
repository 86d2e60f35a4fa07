import decimal
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from babel import localedata, numbers

from billing_framework.values import formats
from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity


@pytest.mark.parametrize(
    ("money", "locale", "text"),
    [
        (Money(123456789, "USD"), "en-US", "$1,234,567.89"),
        (Money(-123450, "EUR"), "de-DE", "-1.234,50\u00a0€"),
        (Money(500, "CHF"), "de-CH", "CHF\u00a05.00"),
        (Money(1500, "JPY"), "en-US", "¥1,500"),
        (Money(1500, "KWD"), "en-US", "KWD\u00a01.500"),
        (Money(1500, "IQD"), "en-US", "IQD\u00a01.500"),  # the display data of babel would cut the dinar's three decimals
        (Money(0, "USD"), "en_US", "$0.00"),
    ],
)
def test_money_in_a_locale(money: Money, locale: str, text: str) -> None:
    assert formats.format_money(money, locale) == text


@pytest.mark.parametrize(
    ("price", "locale", "text"),
    [
        (UnitPrice("575", "USD", "h"), "en-US", "$575.00\u00a0/\u00a0h"),
        (UnitPrice("0.30125", "EUR", "m3"), "de-DE", "0,30125\u00a0€\u00a0/\u00a0m³"),
        (UnitPrice("12.5", "CHF", "unit"), "de-CH", "CHF\u00a012.50\u00a0/\u00a0unit"),
    ],
)
def test_a_unit_price_has_the_decimals_of_its_currency_and_all_of_its_own(price: UnitPrice, locale: str, text: str) -> None:
    assert formats.format_price(price, locale) == text


def test_no_digit_is_lost_however_large() -> None:
    assert formats.format_money(Money(10**60 + 1, "USD"), "en-US") == "$10" + ",000" * 18 + ",000.01"
    digits = formats.format_number(Fraction(10**60 + 1, 10**30), "en-US").replace(",", "")
    assert digits == "1" + "0" * 30 + "." + "0" * 29 + "1"


def test_the_ambient_context_does_not_matter() -> None:
    with decimal.localcontext(prec=2, rounding=decimal.ROUND_UP):
        assert formats.format_money(Money(123456789, "USD"), "en-US") == "$1,234,567.89"


@pytest.mark.parametrize(
    ("number", "least", "locale", "text"),
    [
        ("1234567.12345", 0, "en-US", "1,234,567.12345"),
        ("1234.5", 2, "de-DE", "1.234,50"),
        ("-7", 0, "fr-FR", "-7"),
        ("0.1234", 2, "en-US", "0.1234"),
        ("1234567", 0, "hi-IN", "12,34,567"),
    ],
)
def test_numbers_keep_all_decimals(number: str, least: int, locale: str, text: str) -> None:
    assert formats.format_number(Fraction(number), locale, least_decimals=least) == text


@pytest.mark.parametrize("number", ["0", "7.25", "99.5", "999.125"])
def test_short_numbers_are_written_as_babel_writes_them_in_every_language(number: str) -> None:
    for locale in localedata.locale_identifiers():
        expected = numbers.format_decimal(Decimal(number), locale=locale, decimal_quantization=False)
        assert formats.format_number(Fraction(number), locale) == expected, locale


def test_a_number_without_end_is_not_shown_as_another() -> None:
    with pytest.raises(ValueRefused, match="VALUE02"):
        formats.format_number(Fraction(1, 3), "en-US")


@pytest.mark.parametrize(
    ("ratio", "locale", "text"), [("0.2", "en-US", "20%"), ("0.09975", "de-DE", "9,975\u00a0%"), ("0", "en-US", "0%")]
)
def test_percentages(ratio: str, locale: str, text: str) -> None:
    assert formats.format_percent(Fraction(ratio), locale) == text


def test_quantities_dates_and_periods() -> None:
    assert formats.format_quantity(Quantity("1234.5", "hour"), "de-DE") == "1.234,5\u00a0hour"
    assert formats.format_date(date(2026, 3, 1), "en-US") == "Mar 1, 2026"
    march = DateSpan(date(2026, 3, 1), date(2026, 4, 1))
    assert formats.format_period(march, "de-DE") == "01.03.2026 – 31.03.2026"
    assert formats.format_period(DateSpan.inclusive(march.start, march.start), "de-DE") == "01.03.2026"


def test_a_repeated_hour_is_told_apart() -> None:
    zurich = ZoneInfo("Europe/Zurich")
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert formats.format_instant(first, "de-CH", zurich) == "25.10.2026, 02:30:00 CEST"
    assert formats.format_instant(second, "de-CH", zurich) == "25.10.2026, 02:30:00 CET"


@pytest.mark.parametrize("name", ["", "xx-YY", "de-XX", "../x", "deutsch"])
def test_an_unknown_locale_is_refused(name: str) -> None:
    with pytest.raises(ValueRefused, match="VALUE26"):
        formats.locale_of(name)
