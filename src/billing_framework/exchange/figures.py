"""How figures look on a document: the stored digits in the account's format, with the signs and spaces of good typesetting."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from billing_framework.exchange.words import words_of
from billing_framework.values.formats import format_money, format_number, format_percent, with_powers
from billing_framework.values.money import Amount, Money, minor_digits
from billing_framework.values.number import is_terminating, scaled
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity
from billing_framework.values.rounding import RoundingMode, to_places

MINUS = "\u2212"
ABOUT = "\u2248"
NO_BREAK_SPACE = "\u00a0"

_MOST_DECIMALS = 8
_SHOWN_DECIMALS = 4


def amount_text(money: Money, locale: str) -> str:
    """Return an amount without its currency, which the column's heading names."""
    return _minus(format_number(money.major, locale, least_decimals=minor_digits(money.currency)))


def exact_amount_text(amount: Amount, locale: str, *, least_decimals: int = 0) -> str:
    """Return an amount that is not rounded to the currency yet, with all its decimals.

    Args:
        amount: the amount.
        locale: formats.
        least_decimals: decimals that are written anyway, so that the figures of a column stand below each other.
    """
    number = format_number(_shown(amount.value), locale, least_decimals=max(least_decimals, minor_digits(amount.currency)))
    return _about(amount.value) + _minus(number)


def decimals_of(amounts: Iterable[Amount]) -> int:
    """Return the most decimals that one of some amounts is shown with."""
    return max((scaled(_shown(amount.value))[0] for amount in amounts), default=0)


def money_text(money: Money, locale: str) -> str:
    """Return an amount with its currency."""
    return _minus(format_money(money, locale))


def percent_text(ratio: Fraction, locale: str) -> str:
    """Return a rate in percent; one whose decimals do not end is shown about."""
    return _about(ratio * 100) + _minus(format_percent(_shown(ratio * 100) / 100, locale))


def quantity_text(quantity: Quantity, locale: str) -> str:
    """Return a quantity with its unit; one with very many decimals is rounded for display and marked by a sign."""
    number = _minus(format_number(_shown(quantity.value), locale))
    return f"{_about(quantity.value)}{number}{NO_BREAK_SPACE}{unit_text(quantity.unit, locale, many=abs(quantity.value) != 1)}"


def price_text(price: UnitPrice, locale: str) -> str:
    """Return a unit price per its unit, with all decimals that the tariff prints, in the currency of the document."""
    number = _minus(format_number(_shown(price.value), locale, least_decimals=minor_digits(price.currency)))
    return f"{_about(price.value)}{number}{NO_BREAK_SPACE}/{NO_BREAK_SPACE}{unit_text(price.unit, locale)}"


def unit_text(unit: str, locale: str, *, many: bool = False) -> str:
    """Return a unit as documents print it: words of the calendar in the language of the locale, powers raised (``m³``).

    Args:
        unit: unit as the plan writes it.
        locale: language.
        many: True beside another number than one.
    """
    return words_of(locale).get(f"unit_{unit}_many" if many else f"unit_{unit}") or with_powers(unit)


def is_about(number: Fraction) -> bool:
    """True where a number has too many decimals to print and is shown rounded."""
    return not is_terminating(number) or scaled(number)[0] > _MOST_DECIMALS


def _shown(number: Fraction) -> Fraction:
    return to_places(number, _SHOWN_DECIMALS, RoundingMode.HALF_UP) if is_about(number) else number


def _about(number: Fraction) -> str:
    return f"{ABOUT}{NO_BREAK_SPACE}" if is_about(number) else ""


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
