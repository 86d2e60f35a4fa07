"""How values are written for people: money, numbers, quantities and dates in a language, with exactly the digits that are stored.

babel formats through the decimal module, whose ambient context any library can change; here a private context is in force that
refuses to round, so a figure on a document is the stored one or an error, never nearly it.
"""

from __future__ import annotations

import copy
import decimal
import functools
import re
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import attrs
from babel import Locale, UnknownLocaleError, dates, localedata
from babel.numbers import NumberPattern

from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import Money, minor_digits
from billing_framework.values.number import decimal_text, scaled
from billing_framework.values.period import DateSpan
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity
from billing_framework.values.spelling import did_you_mean

_EXACT = decimal.Context(prec=1000, traps=[decimal.Inexact, decimal.InvalidOperation, decimal.FloatOperation, decimal.Overflow])
_NO_BREAK_SPACE = "\u00a0"
_MOST_UNGROUPED = 9
_POWER = re.compile(r"\b([kcdm]?m|ft|in|yd)([23])\b")
_RAISED = {"2": "\u00b2", "3": "\u00b3"}
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
"""Where the CLDR wants a space between a currency written in letters and its figure, which babel leaves out."""


@functools.cache
def locale_of(name: str) -> Locale:
    """Return the locale called `name`, such as ``de-CH`` or ``en_GB``.

    Raises:
        ValueRefused: ``VALUE26`` for an unknown locale; the remedy offers the nearest one.
    """
    try:
        return Locale.parse(name, sep="-" if "-" in name else "_")
    except (ValueError, UnknownLocaleError) as error:
        known = [identifier.replace("_", "-") for identifier in localedata.locale_identifiers()]
        raise ValueRefused(
            "VALUE26", f"{name!r} is no known locale", remedy=did_you_mean(name.replace("_", "-"), known)
        ) from error


def format_money(money: Money, locale: str) -> str:
    """Return money as the locale writes it, with its currency and as many decimals as ISO 4217 gives it."""
    digits = minor_digits(money.currency)
    pattern = locale_of(locale).currency_formats["standard"]
    return _LETTER_BESIDE_DIGIT.sub(_NO_BREAK_SPACE, _applied(pattern, money.major, (digits, digits), locale, money.currency))


def format_number(number: Fraction, locale: str, *, least_decimals: int = 0) -> str:
    """Return a number as the locale writes it, with all of its decimals and at least `least_decimals`.

    Raises:
        ValueRefused: ``VALUE02`` where the decimals do not end.
    """
    scale, unscaled = scaled(number)
    decimals = max(scale, least_decimals)
    plain = _plain_form(locale)
    if 0 <= unscaled < plain.limit * 10**scale:
        return plain.before + decimal_text(unscaled * 10 ** (decimals - scale), decimals).replace(".", plain.point) + plain.after
    return _applied(locale_of(locale).decimal_formats[None], number, (least_decimals, decimals), locale)


@attrs.frozen
class _PlainForm:
    """What a locale writes before, within and after the digits of a number below `limit`, in which it groups none."""

    before: str
    point: str
    after: str
    limit: int


@functools.cache
def _plain_form(locale: str) -> _PlainForm:
    pattern = locale_of(locale).decimal_formats[None]
    before, rest = _applied(pattern, Fraction(21, 10), (0, 1), locale).split("2")
    point, after = rest.split("1")
    return _PlainForm(before, point, after, limit=10 ** min(pattern.grouping[0], _MOST_UNGROUPED))


def format_percent(ratio: Fraction, locale: str) -> str:
    """Return a ratio in percent with all of its decimals: 1/5 is "20%" in English."""
    scale, _ = scaled(ratio * 100)
    return _applied(locale_of(locale).percent_formats[None], ratio, (0, scale), locale)


def format_price(price: UnitPrice, locale: str) -> str:
    """Return a unit price with its currency, all of its decimals and its unit: 575 USD an hour is "$575.00 / h" in English.

    Raises:
        ValueRefused: ``VALUE02`` where the decimals do not end.
    """
    scale, _ = scaled(price.value)
    digits = minor_digits(price.currency)
    pattern = locale_of(locale).currency_formats["standard"]
    number = _applied(pattern, price.value, (digits, max(scale, digits)), locale, price.currency)
    money = _LETTER_BESIDE_DIGIT.sub(_NO_BREAK_SPACE, number)
    return f"{money}{_NO_BREAK_SPACE}/{_NO_BREAK_SPACE}{with_powers(price.unit)}"


def format_quantity(quantity: Quantity, locale: str) -> str:
    """Return a quantity with all of its decimals and its unit, not to be parted at a line's end."""
    return f"{format_number(quantity.value, locale)}{_NO_BREAK_SPACE}{with_powers(quantity.unit)}"


def with_powers(unit: str) -> str:
    """Return a unit with its squares and cubes raised, as it is printed: ``m3`` is ``m\u00b3``."""
    return _POWER.sub(lambda found: found[1] + _RAISED[found[2]], unit)


@functools.lru_cache(maxsize=1024)
def format_date(day: date, locale: str) -> str:
    """Return a date in the locale's medium form."""
    return dates.format_date(day, "medium", locale_of(locale))


def format_period(span: DateSpan, locale: str) -> str:
    """Return the first and the last day of a period; the last is included, as readers of a bill expect. One day is itself."""
    if span.start == span.last:
        return format_date(span.start, locale)
    return f"{format_date(span.start, locale)} – {format_date(span.last, locale)}"


def format_instant(instant: datetime, locale: str, zone: ZoneInfo) -> str:
    """Return an instant as the clocks of `zone` show it, with the zone's short name so that a repeated hour is told apart."""
    return dates.format_datetime(instant, "medium", tzinfo=zone, locale=locale_of(locale)) + instant.astimezone(zone).strftime(
        " %Z"
    )


def _applied(
    pattern: NumberPattern, number: Fraction, decimals: tuple[int, int], locale: str, currency: str | None = None
) -> str:
    own = copy.copy(pattern)
    own.frac_prec = decimals
    scale, unscaled = scaled(number)
    value = Decimal(decimal_text(unscaled, scale))
    with decimal.localcontext(_EXACT):
        text: str = own.apply(value, locale_of(locale), currency=currency, currency_digits=False)
    return text
