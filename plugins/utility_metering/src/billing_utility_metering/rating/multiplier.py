"""What the assignment of a usage point says about its meter: multiplier, transformer ratios, dials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from billing_framework import ValueRefused, exact

_RATIO = re.compile(r"\s*([0-9.]+)\s*[:/]\s*([0-9.]+)\s*", re.ASCII)


def ratio(text: str) -> Fraction:
    """Return the ratio of a transformer: ``200:5`` is 40, so is ``40``.

    Raises:
        ValueRefused: ``UTIL26`` for text that is no ratio above zero.
    """
    match = _RATIO.fullmatch(text)
    try:
        value = exact(match[1]) / exact(match[2]) if match else exact(text)
    except (ValueRefused, ZeroDivisionError):
        value = Fraction(0)
    if value <= 0:
        raise ValueRefused("UTIL26", f"{text!r} is no ratio or multiplier", remedy="Write it as 200:5 or 40")
    return value


def multiplier(details: Mapping[str, str]) -> Fraction:
    """Return the product of ``multiplier``, ``ct`` and ``pt``; what is not stated counts as 1.

    Raises:
        ValueRefused: ``UTIL26`` for text that is no ratio above zero.
    """
    product = Fraction(1)
    for name in ("multiplier", "ct", "pt"):
        if details.get(name, "").strip():
            product *= ratio(details[name])
    return product


def capacity(details: Mapping[str, str]) -> int | None:
    """Return at how many units a register passes zero: 10 to the power of its ``rollover_digits``, else of its ``dials``.

    Raises:
        ValueRefused: ``UTIL26`` for text that is no number of digits.
    """
    text = details.get("rollover_digits", "") or details.get("dials", "")
    if not text:
        return None
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII) or not 1 <= int(text) <= 15:
        raise ValueRefused("UTIL26", f"{text!r} is no number of dials", remedy="Write a number from 1 to 15")
    units: int = 10 ** int(text)
    return units
