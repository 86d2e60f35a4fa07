"""A book: the legal entity that sells and keeps accounts, as its officers describe it in one file."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from billing_framework.accounts.party import Address
from billing_framework.ledger.book import Book
from billing_framework.ledger.chart import AccountType, Chart, Floor, GlAccount


class Reset(enum.Enum):
    """When a number series begins again at 1: ``NEVER``, or with every ``YEAR`` of the issue date."""

    NEVER = "never"
    YEAR = "year"


REQUIRED_ROLES = ("receivable", "bank", "suspense", "write_off", "opening")
"""Roles without which a payment or a correction could not be posted; each belongs to exactly one account."""

ROLES = (*REQUIRED_ROLES, "deposits", "trust", "trust_bank", "recovery", "rounding")
"""All roles that the core posts to by name; what revenue and tax post to is said by the mappings."""

SUB_LEDGERS = ("receivable", "deposit")
"""What an account of the chart may be the control account of."""

HELD_ROLES = ("deposits", "trust")
"""Roles of money that belongs to others; the account must be guarded, so that the database keeps it from being overdrawn."""


@attrs.frozen(kw_only=True)
class Seller:
    """The legal entity as documents print it.

    Attributes:
        name: legal name.
        address: postal address.
        tax_ids: tax registration numbers, such as a VAT id.
        registration: register and number, or empty.
        contact: how customers reach it, one line.
    """

    name: str
    address: Address = attrs.field(factory=Address)
    tax_ids: tuple[str, ...] = ()
    registration: str = ""
    contact: str = ""


@attrs.frozen(kw_only=True)
class Bank:
    """Where customers pay to.

    Attributes:
        name: name of the bank.
        iban: international account number, or empty where the country has none.
        bic: bank identifier, or empty.
        account: account number where there is no IBAN, as documents print it.
    """

    name: str = ""
    iban: str = ""
    bic: str = ""
    account: str = ""


@attrs.frozen(kw_only=True)
class Series:
    """A gapless series of legal numbers.

    Attributes:
        kind: kind of document: ``invoice``, ``credit_note``, ``debit_note``.
        prefix: text before the counter; ``{year}`` stands for the year of the issue date.
        width: least number of digits of the counter.
        reset: when it begins again at 1.
        year_month: month in which the fiscal year begins, 1 to 12.
    """

    kind: str
    prefix: str
    width: int = 6
    reset: Reset = Reset.YEAR
    year_month: int = 1


@attrs.frozen(kw_only=True)
class BookAccount:
    """An account of the book's general ledger.

    Attributes:
        code: its number.
        name: its name.
        type: what it is.
        role: what the core posts to it, one of `ROLES`, or empty.
        floor: guard of its balance per customer and purpose, for deposits and trust money.
        control_of: the sub-ledger whose sum it is: ``receivable``, ``deposit``; empty where there is none.
    """

    code: str
    name: str
    type: AccountType
    role: str = ""
    floor: Floor = Floor.NONE
    control_of: str = ""


@attrs.frozen(kw_only=True)
class BookProfile:
    """Everything that the framework knows of one legal entity; `ledger.book.Book` is the part that the ledger needs.

    Attributes:
        code: code of the book; accounts name it.
        name: short name.
        currency: functional currency.
        zone: IANA time zone of its dates: issue, posting, closing.
        seller: as documents print it.
        bank: where customers pay to.
        series: its number series, one for each kind of document.
        accounts: its chart, in the order of the file.
        charges: charge code, or its beginning with ``.*``, to account code.
        taxes: tax code, or its beginning with ``.*``, to account code.
        adjustments: adjustment code of third parties' answers, or its beginning with ``.*``, to account code.
    """

    code: str
    name: str
    currency: str
    zone: str
    seller: Seller
    bank: Bank = Bank()
    series: tuple[Series, ...]
    accounts: tuple[BookAccount, ...]
    charges: Mapping[str, str]
    taxes: Mapping[str, str] = attrs.field(factory=dict)
    adjustments: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def ledger_book(self) -> Book:
        """The book as the ledger knows it."""
        return Book(key=self.code, name=self.name, currency=self.currency)

    @property
    def chart(self) -> Chart:
        """The chart of accounts as the ledger knows it."""
        accounts = (
            GlAccount(code=each.code, name=each.name, type=each.type, floor=each.floor, control_of=each.control_of)
            for each in self.accounts
        )
        return Chart.of(self.code, *accounts)

    def with_role(self, role: str) -> str:
        """Return the code of the account with `role`, empty where there is none."""
        return next((account.code for account in self.accounts if account.role == role), "")

    def revenue_account(self, charge_code: str) -> str:
        """Return the account that a charge code posts to, empty where it is not mapped."""
        return mapped(charge_code, self.charges)

    def tax_account(self, tax_code: str) -> str:
        """Return the account that a tax code posts to, empty where it is not mapped."""
        return mapped(tax_code, self.taxes)

    def series_of(self, kind: str) -> Series | None:
        """Return the series that numbers documents of `kind`, None where the book issues none."""
        return next((series for series in self.series if series.kind == kind), None)


SERIES_KINDS = ("invoice", "credit_note", "debit_note")
"""Kinds of document that bear legal numbers; a book numbers at least the first two."""


def mapped(code: str, mapping: Mapping[str, str]) -> str:
    """Return what `code` maps to: its own entry, else that of its longest beginning (``service.*``, ``*``), else nothing."""
    if code in mapping:
        return mapping[code]
    parts = code.split(".")
    for length in range(len(parts) - 1, 0, -1):
        wildcard = ".".join(parts[:length]) + ".*"
        if wildcard in mapping:
            return mapping[wildcard]
    return mapping.get("*", "")
