"""Amounts, dates and identifiers as X12 writes them."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction

_AMOUNT = re.compile(r"-?(?:\d{1,13}(?:\.\d{0,10})?|\.\d{1,10})", re.ASCII)
_DAY = re.compile(r"\d{8}", re.ASCII)
_NPI = re.compile(r"\d{10}", re.ASCII)


def read_amount(text: str) -> Fraction | None:
    """Return the exact number of an X12 decimal (trailing zeros optional), None where it is none or beyond any bill."""
    return Fraction(text) if _AMOUNT.fullmatch(text) else None


def read_day(text: str) -> date | None:
    """Return the date of ccyymmdd, None where it is none."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def is_npi(text: str) -> bool:
    """True where the check digit of a national provider identifier is right: Luhn with the constant 24 for the prefix 80840.

    Numbers that begin with 99 are never given to anyone and serve for examples.
    """
    if not _NPI.fullmatch(text):
        return False
    total = 24
    for place, digit in enumerate(reversed(text)):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += doubled // 10 + doubled % 10
    return total % 10 == 0
