"""Money (whole minor units, posted and printed) and Amount (exact, charged and summed)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Self

import attrs
from babel.core import get_global

from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.number import Exact, decimal_text, exact, exact_text
from billing_framework.values.rounding import RoundingMode, allocate, divide

_MOST_KEPT = 65_536
"""How many texts of money are kept."""

_ISO_DIGITS = {
    **dict.fromkeys(("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"), 2),
    "IQD": 3,
}
"""Where the CLDR, which babel carries, tells how a currency is shown (its coins are gone) and ISO 4217 how it is counted."""

_NO_MONEY = frozenset(
    ("XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XEU", "XFO", "XFU", "XPD", "XPT", "XRE", "XSU", "XTS", "XUA", "XXX")
)
"""Codes that ISO 4217 lists without a minor unit: metals, bond units, drawing rights, testing and no currency."""


@functools.cache
def minor_digits(currency: str) -> int:
    """Return how many decimals the currency has by ISO 4217: JPY 0, USD 2, KWD 3.

    Raises:
        ValueRefused: ``VALUE05`` for a code that is no ISO 4217 currency, or is one without a minor unit such as gold.
    """
    if currency not in get_global("all_currencies") or currency in _NO_MONEY:
        raise ValueRefused(
            "VALUE05", f"{currency!r} is not an ISO 4217 currency code", remedy="Use three capital letters such as EUR or USD"
        )
    fractions = get_global("currency_fractions")
    digits: int = _ISO_DIGITS.get(currency, fractions.get(currency, fractions["DEFAULT"])[0])
    return digits


def minor_units(value: Exact, currency: str) -> int:
    """Return an amount in major units as whole minor units.

    Raises:
        ValueRefused: ``VALUE06`` for more decimals than the currency has.
    """
    units: Fraction = exact(value, name="money") * 10 ** minor_digits(currency)
    if units.denominator != 1:
        most = minor_digits(currency)
        remedy = f"State it with at most {most}" if most else "State it in whole units"
        raise ValueRefused("VALUE06", f"{str(value)[:60]} {currency} has more than {most} decimals", remedy=remedy)
    return units.numerator


LARGEST_MINOR = 10**16
"""Minor units that one amount may come to; the sums of hundreds of such amounts still fit into the 64 bits of the databases."""


def is_currency(_holder: object, _field: object, code: str) -> None:
    """Refuse a currency code that `minor_digits` does not know; written for attrs validators."""
    minor_digits(code)


def _is_whole(_holder: object, _field: object, minor: int) -> None:
    if type(minor) is not int:  # a boolean and a numpy integer are ints that do not behave as one
        raise ValueRefused("VALUE01", f"minor units must be an int, not {type(minor).__name__} {minor!r}")


@attrs.frozen
class Rounding:
    """The policy by which an exact amount becomes payable.

    Attributes:
        mode: the rounding mode.
        step_minor: the grid in minor units; 5 is cash rounding to 0.05.
    """

    mode: RoundingMode = RoundingMode.HALF_UP
    step_minor: int = attrs.field(default=1, validator=attrs.validators.ge(1))

    def whole(self, numerator: int, denominator: int) -> int:
        """Return ``numerator / denominator`` minor units, rounded once to the grid."""
        return divide(numerator, denominator * self.step_minor, self.mode) * self.step_minor


HALF_UP = Rounding()


@attrs.frozen(order=False)
class Money:
    """What is posted and printed as payable: whole minor units of one currency.

    Attributes:
        minor: signed whole minor units (cents); a debit in the ledger is positive.
        currency: ISO 4217 code.
    """

    minor: int = attrs.field(validator=_is_whole)
    currency: str = attrs.field(validator=is_currency)

    @classmethod
    def of(cls, value: Exact, currency: str) -> Self:
        """Return money from major units.

        Raises:
            ValueRefused: ``VALUE06`` for more decimals than the currency has, ``VALUE30`` for more money than is booked.
        """
        units = minor_units(value, currency)
        if abs(units) > LARGEST_MINOR:
            raise ValueRefused("VALUE30", f"{str(value)[:60]} {currency} is more than is booked", remedy="Correct the amount")
        return cls(units, currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Return nothing of the currency."""
        return cls(0, currency)

    @classmethod
    def total(cls, parts: Iterable[Self], currency: str) -> Self:
        """Return the sum of `parts`, zero where there are none; all must be of `currency`."""
        minor = 0
        for part in parts:
            _same_currency(currency, part.currency)
            minor += part.minor
        return cls(minor, currency)

    @property
    def major(self) -> Fraction:
        """The value in major units, exactly."""
        return Fraction(self.minor, 10 ** minor_digits(self.currency))

    @property
    def amount(self) -> Amount:
        """The same value as an exact amount."""
        return Amount(self.major, self.currency)

    def shared(self, weights: Sequence[int | Fraction]) -> list[Money]:
        """Share this money out by largest remainder; see `rounding.allocate`."""
        return [Money(part, self.currency) for part in allocate(self.minor, weights)]

    def __add__(self, other: Money) -> Self:
        _same_currency(self.currency, other.currency)
        return type(self)(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Self:
        _same_currency(self.currency, other.currency)
        return type(self)(self.minor - other.minor, self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        _same_currency(self.currency, other.currency)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        return not other < self

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return money_text(self.minor, self.currency)


@functools.lru_cache(maxsize=_MOST_KEPT)
def money_text(minor: int, currency: str) -> str:
    """Return whole minor units as `Money` is written; the lines and taxes of a run come to the same ones again and again."""
    return f"{decimal_text(minor, minor_digits(currency))} {currency}"


@attrs.frozen
class Amount:
    """What something comes to, exactly: any number of decimals, even a ratio, of one currency.

    Amounts are stored on charges and may be summed; they are never posted or paid before `payable` has rounded them.
    """

    value: Fraction = attrs.field(converter=exact)
    currency: str = attrs.field(validator=is_currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Return nothing of the currency."""
        return cls(Fraction(0), currency)

    @classmethod
    def total(cls, parts: Iterable[Self], currency: str) -> Self:
        """Return the exact sum of `parts`, zero where there are none; all must be of `currency`."""
        result = cls.zero(currency)
        for part in parts:
            result = result + part
        return result

    def payable(self, rounding: Rounding = HALF_UP) -> Money:
        """Round once, by the named policy, to whole minor units."""
        numerator, denominator = self.value.numerator, self.value.denominator
        minor = rounding.whole(numerator * 10 ** minor_digits(self.currency), denominator)
        return Money(minor, self.currency)

    def __add__(self, other: Amount) -> Self:
        _same_currency(self.currency, other.currency)
        return type(self)(self.value + other.value, self.currency)

    def __sub__(self, other: Amount) -> Self:
        return self + -other

    def __neg__(self) -> Self:
        return type(self)(-self.value, self.currency)

    def __mul__(self, factor: int | Fraction) -> Self:
        return type(self)(self.value * exact(factor, name="factor"), self.currency)

    def __lt__(self, other: Amount) -> bool:
        _same_currency(self.currency, other.currency)
        return self.value < other.value

    def __le__(self, other: Amount) -> bool:
        return not other < self

    def __bool__(self) -> bool:
        return self.value != 0

    def __str__(self) -> str:
        return f"{exact_text(self.value)} {self.currency}"


def _same_currency(left: str, right: str) -> None:
    if left != right:
        raise UnitMismatch(
            "VALUE07",
            f"{left} and {right} cannot be combined",
            remedy="Convert by a dated rate first, or keep them on separate documents",
        )
