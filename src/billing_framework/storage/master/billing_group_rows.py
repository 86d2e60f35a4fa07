"""Reads who is billed together: accounts that pass their bill on, and those that share in the charges of others."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from billing_framework.accounts.billing_group import BillingGroups, billing_groups
from billing_framework.storage.master.account_rows import load_passed_on, not_of_book
from billing_framework.storage.master.share_rows import sharing_accounts


def load_billing_groups(connection: Connection, book: str) -> BillingGroups:
    """Return which accounts of a book are billed together.

    Who has to do with an account of another book, which no act of the program brings about, has nobody who pays.

    Raises:
        Refused: ``ACCOUNT04`` where nobody can be found who pays for an account that shares in charges.
    """
    passed_on, sharing = load_passed_on(connection, book), sharing_accounts(connection, book)
    astray = not_of_book(connection, book, {payer for _, payer in sharing} - passed_on.keys())
    return billing_groups(passed_on | {code: code for code in astray}, sharing)
