"""What a bill must show of register reads: both reads with their dates and quality, multiplier, difference, consumption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from billing_framework import Quantity, RoundingMode, exact_text, format_date, format_number, format_quantity, to_places
from billing_utility_metering.rating.read_chain import Reading, ReadSpan
from billing_utility_metering.wording import word

_MOST_DECIMALS = 6


def read_facts(
    locale: str, meter: str, register: str, unit: str, spans: Sequence[ReadSpan], *, several: bool
) -> tuple[tuple[str, str], ...]:
    """Return label and text of each fact, in order.

    Duties of the kind are in 04 NCAC 11 R06-14, COMAR 20.50.04.03 and Conn. Gen. Stat. 16-11-69: both reads and dates, units,
    multipliers, and a distinct mark of an estimate.

    Args:
        locale: language and formats.
        meter: serial number of the meter, or empty.
        register: the register.
        unit: unit of the consumption.
        spans: spans between the readings.
        several: True where the point has several registers, whose facts must be told apart.
    """
    prefix = f"{meter or register} {register if meter else ''}".strip() + " " if several else ""
    return tuple((prefix + label, text) for label, text in _facts(locale, meter, register, unit, spans))


def _facts(locale: str, meter: str, register: str, unit: str, spans: Sequence[ReadSpan]) -> Iterator[tuple[str, str]]:
    first, last = spans[0].first, spans[-1].last
    if meter:
        yield word(locale, "meter"), word(locale, "meter_register", meter=meter, register=register)
    yield word(locale, "previous"), _read(locale, first)
    yield word(locale, "current"), _read(locale, last)
    shown = format_number(sum((span.difference for span in spans), Fraction(0)), locale)
    yield word(locale, "difference"), word(locale, "rolled", difference=shown) if any(span.rolled for span in spans) else shown
    factors = sorted({span.multiplier for span in spans})
    if factors != [1]:
        yield word(locale, "multiplier"), ", ".join(exact_text(factor) for factor in factors)
    used = sum((span.quantity for span in spans), Fraction(0))
    # A factor such as 100/3 leaves decimals without end; the bill counts with all of them and prints a few.
    printed = to_places(used, _MOST_DECIMALS, RoundingMode.HALF_UP)
    text = format_quantity(Quantity(printed, unit), locale)
    yield word(locale, "consumption"), text if printed == used else f"≈ {text}"


def _read(locale: str, reading: Reading) -> str:
    return word(
        locale,
        "read",
        value=format_number(reading.value, locale),
        date=format_date(reading.on, locale),
        quality=word(locale, reading.quality.value),
    )
