import attrs

from billing_framework.invoicing.rebill import compare
from billing_framework.values.quantity import Quantity
from tests.invoicing.drafts import draft


def test_a_rebill_is_compared_charge_by_charge() -> None:
    before = draft(("energy", "30.00", "19"), ("service", "12.00", "19"), ("lamp", "2.00", "19"), quantity=Quantity(100, "kWh"))
    after = draft(("energy", "27.00", "19"), ("service", "12.00", "19"), ("credit", "-1.00", "19"), quantity=Quantity(90, "kWh"))
    table = compare(before, after)
    assert [(row.charge_key.split("|")[-1], str(row.before), str(row.after), str(row.difference)) for row in table.lines] == [
        ("energy", "30.00 EUR", "27.00 EUR", "-3.00 EUR"),
        ("service", "12.00 EUR", "12.00 EUR", "0.00 EUR"),
        ("credit", "0.00 EUR", "-1.00 EUR", "-1.00 EUR"),
        ("lamp", "2.00 EUR", "0.00 EUR", "-2.00 EUR"),
    ]
    assert (table.lines[0].before_quantity, table.lines[0].after_quantity) == (Quantity(100, "kWh"), Quantity(90, "kWh"))
    assert (str(table.net), str(table.tax), str(table.gross)) == ("-6.00 EUR", "-1.14 EUR", "-7.14 EUR")
    assert not table.is_unchanged


def test_the_same_computation_says_so() -> None:
    before = draft(("energy", "30.00", "19"), quantity=Quantity(100, "kWh"))
    assert compare(before, attrs.evolve(before, key=9)).is_unchanged
    assert not compare(before, draft(("energy", "30.00", "19"), quantity=Quantity(101, "kWh"))).is_unchanged
