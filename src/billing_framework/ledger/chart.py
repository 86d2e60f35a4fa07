"""The chart of accounts of a book."""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping

import attrs

from billing_framework.values.errors import NotFound, ValueRefused
from billing_framework.values.identity import natural_id
from billing_framework.values.spelling import did_you_mean


class AccountType(enum.Enum):
    """What a general-ledger account is; assets and expenses grow by debits, the others by credits."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Floor(enum.Enum):
    """Which side of zero the balances of a guarded account may not reach.

    ``NONE`` guards nothing. ``NO_DEBIT`` is for money held for others (deposits, client trust, prepayments): no balance may
    become a debit, so nobody is paid more than is held for them. ``NO_CREDIT`` is the mirror, for example a trust bank account.
    """

    NONE = "none"
    NO_DEBIT = "no_debit"
    NO_CREDIT = "no_credit"


@attrs.frozen(kw_only=True)
class GlAccount:
    """One account of the general ledger.

    Attributes:
        code: code inside the book, for example ``1200``.
        name: what it is called; may change at any time, unlike the rest.
        type: asset, liability, equity, income or expense.
        floor: the guard of its balances, each for one sub-ledger account, sub-key and currency.
        control_of: name of the sub-ledger that it is the control account of, for example ``receivable``; empty for none.
    """

    code: str
    name: str
    type: AccountType
    floor: Floor = Floor.NONE
    control_of: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.code.strip() or self.code != self.code.strip():
            raise ValueRefused(
                "LEDGER17", f"{self.code!r} is no account code", remedy="Give each account a code without blanks around it"
            )


@attrs.frozen
class Chart:
    """All general-ledger accounts of one book.

    Attributes:
        book: key of the book.
        accounts: the accounts by code.
    """

    book: str
    accounts: Mapping[str, GlAccount]

    @classmethod
    def of(cls, book: str, *accounts: GlAccount) -> Chart:
        """Return the chart of these accounts; a code that appears twice is refused (``LEDGER17``)."""
        by_code: dict[str, GlAccount] = {}
        for account in accounts:
            if by_code.setdefault(account.code, account) is not account:
                raise ValueRefused("LEDGER17", f"account code {account.code} appears twice in the chart of {book}")
        return cls(book, by_code)

    def account(self, code: str) -> GlAccount:
        """Return the account of `code`.

        Raises:
            NotFound: ``LEDGER05``, with the nearest code.
        """
        if code not in self.accounts:
            raise NotFound(
                "LEDGER05",
                f"book {self.book} has no account {code!r}",
                remedy=did_you_mean(code, self.accounts) or "Add it to the chart of the book",
            )
        return self.accounts[code]


@functools.lru_cache(maxsize=4096)
def gl_account_id(book: str, code: str) -> int:
    """Return the id of the account `code` of `book`."""
    return natural_id("gl_account", book, code)
