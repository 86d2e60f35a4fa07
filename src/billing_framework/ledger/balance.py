"""Trial balances: what the postings of a book come to, account by account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import attrs

from billing_framework.ledger.chart import AccountType, Chart
from billing_framework.ledger.entry import Entry
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class BalanceLine:
    """One account of a trial balance, in one currency.

    Attributes:
        code: code of the account.
        name: name of the account.
        type: type of the account.
        debit: sum of its debits, not negative.
        credit: sum of its credits, not negative.
    """

    code: str
    name: str
    type: AccountType
    debit: Money
    credit: Money

    @property
    def balance(self) -> Money:
        """Debits less credits; negative for a credit balance."""
        return self.debit - self.credit


def trial_balance(chart: Chart, entries: Iterable[Entry]) -> list[BalanceLine]:
    """Return the trial balance of `entries`, by account code and currency; accounts without postings are left out.

    Raises:
        NotFound: ``LEDGER05``: an entry uses an account that the chart does not have.
    """
    debits: defaultdict[tuple[str, str], int] = defaultdict(int)
    credits_: defaultdict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        for posting in entry.postings:
            side = debits if posting.money.minor > 0 else credits_
            side[posting.gl_account, posting.money.currency] += abs(posting.money.minor)
    return [
        balance_line(chart, code, currency, debits[code, currency], credits_[code, currency])
        for code, currency in sorted({*debits, *credits_})
    ]


def balance_line(chart: Chart, code: str, currency: str, debit_minor: int, credit_minor: int) -> BalanceLine:
    """Return the line of one account and currency from its sums in minor units, both not negative."""
    account = chart.account(code)
    return BalanceLine(
        code=code, name=account.name, type=account.type, debit=Money(debit_minor, currency), credit=Money(credit_minor, currency)
    )


def totals(lines: Iterable[BalanceLine]) -> dict[str, tuple[Money, Money]]:
    """Return debits and credits by currency; in a sound book the two are equal."""
    sums: dict[str, tuple[Money, Money]] = {}
    for line in lines:
        currency = line.debit.currency
        debit, credit = sums.get(currency, (Money.zero(currency), Money.zero(currency)))
        sums[currency] = (debit + line.debit, credit + line.credit)
    return sums
