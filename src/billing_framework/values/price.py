"""A unit price: money per unit, with as many decimals as the tariff prints."""

from __future__ import annotations

from fractions import Fraction

import attrs

from billing_framework.values.errors import UnitMismatch
from billing_framework.values.money import Amount, is_currency
from billing_framework.values.number import exact, exact_text
from billing_framework.values.quantity import Quantity


@attrs.frozen
class UnitPrice:
    """What one unit costs.

    Attributes:
        value: exact price of one `unit` in major units of `currency`; a price per hundred is the ratio, for example ``1/100``.
        currency: ISO 4217 code.
        unit: the unit that the price is for; multiplying by a quantity of another unit is an error that names both.
    """

    value: Fraction = attrs.field(converter=exact)
    currency: str = attrs.field(validator=is_currency)
    unit: str

    def __mul__(self, quantity: Quantity) -> Amount:
        if quantity.unit != self.unit:
            raise UnitMismatch(
                "VALUE09",
                f"a price per {self.unit} cannot price {quantity}",
                remedy=f"Measure the component in {self.unit}, or give the price per {quantity.unit}",
            )
        return Amount(self.value * quantity.value, self.currency)

    __rmul__ = __mul__

    def __str__(self) -> str:
        return f"{exact_text(self.value)} {self.currency}/{self.unit}"
