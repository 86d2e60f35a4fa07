"""Trial balances of entries."""

from __future__ import annotations

from billing_framework.ledger.balance import totals, trial_balance
from billing_framework.values.money import Money
from tests.ledger_world import BANK, DEPOSITS, MAIN, RECEIVABLE, REVENUE, chart, deposit, entry, sale


def test_a_trial_balance_shows_debits_credits_and_balances() -> None:
    entries = [
        sale("a", 10_000),
        deposit("b", 5_000),
        entry("paid", (BANK, 4_000), (RECEIVABLE, -4_000)),
        entry("€", (BANK, 9), (REVENUE, -9), currency="EUR"),
    ]
    lines = trial_balance(chart(MAIN), entries)
    assert [(line.code, str(line.debit), str(line.credit), str(line.balance)) for line in lines] == [
        (BANK, "0.09 EUR", "0.00 EUR", "0.09 EUR"),
        (BANK, "90.00 USD", "0.00 USD", "90.00 USD"),
        (RECEIVABLE, "100.00 USD", "40.00 USD", "60.00 USD"),
        (DEPOSITS, "0.00 USD", "50.00 USD", "-50.00 USD"),
        (REVENUE, "0.00 EUR", "0.09 EUR", "-0.09 EUR"),
        (REVENUE, "0.00 USD", "100.00 USD", "-100.00 USD"),
    ]
    assert totals(lines) == {
        "EUR": (Money(9, "EUR"), Money(9, "EUR")),
        "USD": (Money(19_000, "USD"), Money(19_000, "USD")),
    }
