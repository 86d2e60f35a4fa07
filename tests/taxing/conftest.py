"""What tests of taxing are built from: one line, one rate, one status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import attrs
import pytest

from billing_framework.taxing.tax import TaxableLine
from billing_framework.taxing.tax_rate import TaxRate
from billing_framework.values.money import Money


@pytest.fixture(scope="session")
def line() -> Callable[..., TaxableLine]:
    def make(amount: str, key: str = "", *, currency: str = "USD", **fields: Any) -> TaxableLine:
        given = TaxableLine(
            key=key or amount, amount=Money.of(amount, currency), category="standard", tax_point=date(2026, 6, 30)
        )
        return attrs.evolve(given, **fields)

    return make


@pytest.fixture(scope="session")
def tax() -> Callable[..., TaxRate]:
    def make(percent: str, code: str = "vat", **fields: Any) -> TaxRate:
        given = TaxRate(
            code=code, titles={"en": code.upper()}, category="standard", rate=Fraction(percent) / 100, valid_from=date(2020, 1, 1)
        )
        return attrs.evolve(given, **fields)

    return make
