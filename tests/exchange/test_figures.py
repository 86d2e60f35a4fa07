"""Figures on documents: units in the language of the reader, powers raised."""

import pytest

from billing_framework.exchange.figures import price_text, quantity_text
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity

SPACE = "\u00a0"


@pytest.mark.parametrize(
    ("value", "unit", "locale", "text"),
    [
        ("31", "day", "de_DE", "31 Tage"),
        ("1", "day", "de_DE", "1 Tag"),
        ("-1", "month", "en_AU", "\u22121 month"),
        ("0.5", "month", "en_AU", "0.5 months"),
        ("31", "day", "ja_JP", "31 days"),
        ("12.5", "m3", "de_DE", "12,5 m³"),
        ("2", "ft3", "en_US", "2 ft³"),
        ("3", "MJ/m3", "en_US", "3 MJ/m³"),
        ("3", "kWh", "de_DE", "3 kWh"),
        ("3", "lamp2", "de_DE", "3 lamp2"),
    ],
)
def test_a_quantity_bears_its_unit_as_people_write_it(value: str, unit: str, locale: str, text: str) -> None:
    assert quantity_text(Quantity(value, unit), locale).replace(SPACE, " ") == text


def test_a_price_is_for_one_of_its_unit() -> None:
    assert price_text(UnitPrice("1.25", "EUR", "day"), "de_DE").replace(SPACE, " ") == "1,25 / Tag"
    assert price_text(UnitPrice("1.25", "EUR", "m3"), "de_DE").replace(SPACE, " ") == "1,25 / m³"
