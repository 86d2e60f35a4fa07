"""A quantity: an exact number of one unit."""

from __future__ import annotations

from fractions import Fraction
from typing import Self

import attrs

from billing_framework.values.errors import UnitMismatch
from billing_framework.values.number import exact, exact_text


@attrs.frozen(order=False)
class Quantity:
    """How much was delivered: an exact number and its unit.

    Attributes:
        value: the exact number, in `unit`.
        unit: name of the unit as the plan and the record write it, for example ``kWh``, ``min``, ``h``. Units are compared
            as names; converting is a named rule of the trade with a factor, never silent.
    """

    value: Fraction = attrs.field(converter=exact)
    unit: str

    @classmethod
    def zero(cls, unit: str) -> Self:
        """Return none of the unit."""
        return cls(Fraction(0), unit)

    def __add__(self, other: Quantity) -> Self:
        self._same_unit(other)
        return type(self)(self.value + other.value, self.unit)

    def __sub__(self, other: Quantity) -> Self:
        return self + -other

    def __neg__(self) -> Self:
        return type(self)(-self.value, self.unit)

    def __mul__(self, factor: int | Fraction) -> Self:
        given: object = factor
        if not isinstance(given, int | Fraction):
            return NotImplemented  # a unit price knows how to multiply, a float must not
        return type(self)(self.value * exact(factor, name="factor"), self.unit)

    def __lt__(self, other: Quantity) -> bool:
        self._same_unit(other)
        return self.value < other.value

    def __le__(self, other: Quantity) -> bool:
        return not other < self

    def __bool__(self) -> bool:
        return self.value != 0

    def __str__(self) -> str:
        return f"{exact_text(self.value)} {self.unit}"

    def _same_unit(self, other: Quantity) -> None:
        if self.unit != other.unit:
            raise UnitMismatch(
                "VALUE08",
                f"{self.unit} and {other.unit} cannot be combined",
                remedy="Convert one of them by a named factor of the plan",
            )
