"""The statement of a bank that holds nothing but money of others, put against the books: three ways to count the same money.

``bank + in transit - outstanding = journal = sum of all ledgers``, and no ledger below zero. Equal totals alone prove nothing:
what is short for one customer may be covered by the money of another (ABA Model Rule 1.15 and the bars' rules on reconciliation).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import attrs

from billing_framework.receivables.fiduciary import FiduciaryBalance, reconcile_held
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money


def _not_below_zero(_statement: object, field: attrs.Attribute[Money], money: Money) -> None:
    if money.minor < 0:
        raise ValueRefused(
            "AR55", f"{field.name} is a sum of amounts above zero, not {money}", remedy="Give the amount without sign"
        )


@attrs.frozen(kw_only=True)
class BankStatement:
    """What the bank says on a date, and what it does not know yet.

    Attributes:
        on: date of the statement; everything that is dated on it counts.
        balance: what the bank says that it holds.
        in_transit: deposits that are booked and not on the statement yet.
        outstanding: payments that are booked and that the bank has not made yet.
    """

    on: date
    balance: Money
    in_transit: Money = attrs.field(validator=_not_below_zero)
    outstanding: Money = attrs.field(validator=_not_below_zero)

    @property
    def adjusted(self) -> Money:
        """What the bank will hold once everything that is booked has reached it."""
        return self.balance + self.in_transit - self.outstanding


@attrs.frozen(kw_only=True)
class HeldReconciliation:
    """The three counts of one date side by side.

    Attributes:
        book: code of the book.
        statement: what the bank says.
        journal: balance of the bank account in the ledger on the date.
        balances: what is held for each customer and subject on the date, by account and subject.
        findings: where the counts disagree, or a balance is below zero; none is the proof.
    """

    book: str
    statement: BankStatement
    journal: Money
    balances: tuple[FiduciaryBalance, ...]
    findings: tuple[Finding, ...]

    @property
    def ledgers(self) -> Money:
        """The sum of what is held for all customers."""
        return Money.total((one.balance for one in self.balances), self.journal.currency)

    @property
    def agrees(self) -> bool:
        """True where the three counts are equal and nobody is below zero."""
        return not self.findings


def reconcile_statement(
    book: str, statement: BankStatement, journal: Money, balances: Sequence[FiduciaryBalance]
) -> HeldReconciliation:
    """Return a statement put against the books.

    Args:
        book: code of the book.
        statement: what the bank says.
        journal: balance of the bank account in the ledger on its date.
        balances: what is held for each customer on its date.
    """
    findings = reconcile_held(bank=statement.adjusted, book=journal, balances=balances)
    return HeldReconciliation(book=book, statement=statement, journal=journal, balances=tuple(balances), findings=tuple(findings))
