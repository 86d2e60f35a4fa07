"""Exact numbers: every quantity, price and amount inside is a rational (`fractions.Fraction`), never a float.

A rational needs no context, so no plugin can change how it is computed, and a share such as 10/31 of a month stays exact
until the one rounding function turns it into money.
"""

from __future__ import annotations

import functools
import math
import re
from decimal import Decimal
from fractions import Fraction

from billing_framework.values.errors import ValueRefused

_TYPE_NAMES = "text, int, Decimal or Fraction"
_TEXT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:/[1-9]\d*)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_LONGEST_ENTERED = 120
_MOST_BITS = 4_000
_MOST_KEPT = 16_384

Exact = str | int | Decimal | Fraction
"""What may enter as an exact number; a float is refused because it is seldom the number that was meant."""


def whole_or_none(text: str) -> int | None:
    """Return the whole number that up to 19 ASCII digits say, with or without a sign; None for any other text."""
    return int(text) if _WHOLE.fullmatch(text) else None


def exact(value: Exact, *, name: str = "number", longest: int = _LONGEST_ENTERED) -> Fraction:
    """Return the rational that `value` says, without rounding.

    Text is a plain decimal such as ``-12.345`` or a ratio ``100/3``; exponents, thousands separators, blanks inside and
    non-ASCII digits are refused, because trading partners disagree on them.

    Args:
        value: the number; see `Exact`.
        name: what it is, for the error.
        longest: so many characters may its text have.

    Raises:
        ValueRefused: ``VALUE01`` for a float, a boolean, NaN, infinity or text that is no plain number.
    """
    if type(value) is Fraction:
        return value
    given: object = value  # callers without type checks pass anything
    if isinstance(given, str):
        text = given.strip()
        if len(text) <= longest and _TEXT.fullmatch(text):
            return _decimal(text) if "/" not in text else _ratio(text)
    elif (isinstance(given, int | Fraction) and not isinstance(given, bool)) or (
        isinstance(given, Decimal) and given.is_finite()
    ):
        return Fraction(given)
    needed, shown = f"{name} must be an exact number", repr(str(value)[:60])
    if isinstance(given, str):
        raise ValueRefused(
            "VALUE01", f"{needed}, not {shown}", remedy='Write plain digits with a decimal point, for example "0.1234"'
        )
    raise ValueRefused(
        "VALUE01",
        f"{needed} given as {_TYPE_NAMES}, not {type(value).__name__} {shown}",
        remedy='Write decimals as text, for example "0.1234"',
    )


def is_storable_number(number: Fraction) -> bool:
    """Tell whether a number is in lowest terms, and written in so few characters that it can be read back: 4,000 bits in all.

    What people and files enter is much shorter. Sums of many ratios grow without end, and their text with them.
    """
    numerator, denominator = number.numerator, number.denominator
    is_short = numerator.bit_length() + denominator.bit_length() <= _MOST_BITS
    return is_short and denominator > 0 and math.gcd(numerator, denominator) == 1


def stored_number(text: str) -> Fraction:
    """Return the number whose text `exact_text` has written.

    Raises:
        ValueRefused: ``VALUE01`` where it is no such text.
    """
    # Each bit of a denominator is one decimal at most, and a ratio is shorter still.
    return exact(text, longest=_MOST_BITS + 2)


def _decimal(text: str) -> Fraction:
    whole, _, decimals = text.partition(".")
    return Fraction(int(whole + decimals), 10 ** len(decimals))


def _ratio(text: str) -> Fraction:
    numerator, denominator = text.split("/")
    return _decimal(numerator) / int(denominator)


def is_terminating(number: Fraction) -> bool:
    """True where the number can be written with finitely many decimals."""
    return _decimals(number.denominator) is not None


def exact_text(number: Fraction) -> str:
    """Return the canonical text of an exact number: ``12.5`` where decimals end, else ``100/3``; `exact` reads both back."""
    return _ratio_text(number.numerator, number.denominator)


@functools.lru_cache(maxsize=_MOST_KEPT)
def _ratio_text(numerator: int, denominator: int) -> str:
    """Return the text of a fraction in lowest terms; the same quantities and rates are written again and again."""
    if denominator == 1:
        return str(numerator)
    found = _decimals(denominator)
    if found is None:
        return f"{numerator}/{denominator}"
    scale, factor = found
    return decimal_text(numerator * factor, scale)


def decimal_text(unscaled: int, scale: int) -> str:
    """Return ``unscaled / 10**scale`` with exactly `scale` decimals."""
    if not scale:
        return str(unscaled)
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    return f"{'-' if unscaled < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


@functools.lru_cache(maxsize=1024)
def _decimals(denominator: int) -> tuple[int, int] | None:
    """Return how many decimals a fraction in lowest terms has, and the factor of its numerator; None where they do not end."""
    twos = fives = 0
    rest = denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return None
    scale = max(twos, fives)
    return scale, 10**scale // denominator


def scaled(number: Fraction) -> tuple[int, int]:
    """Return ``(scale, unscaled)`` with ``number == unscaled / 10**scale`` and the smallest scale.

    Raises:
        ValueRefused: ``VALUE02`` where the decimals do not end.
    """
    found = _decimals(number.denominator)
    if found is None:
        raise ValueRefused(
            "VALUE02", f"{number} has no finite decimal form", remedy="Round it by a named step before it is stored scaled"
        )
    scale, factor = found
    return scale, number.numerator * factor
