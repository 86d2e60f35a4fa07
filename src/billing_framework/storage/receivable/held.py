"""Held money and control accounts as the ledger has them: guarded balances, and sums of postings by customer account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.chart import gl_account_id
from billing_framework.storage.ledger.tables import balance, posting
from billing_framework.storage.master.account_tables import account as account_table
from billing_framework.storage.master.account_tables import account_id
from billing_framework.storage.receivable.tables import open_item
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class HeldBalance:
    """What the ledger holds for one customer under one sub-key.

    Attributes:
        account: code of the account, empty where no account has the id of the posting.
        sub_key: purpose and subject, with a slash between them.
        money: what is held; below zero only where the books are broken.
    """

    account: str
    sub_key: str
    money: Money


def guarded_balances(connection: Connection, book: str, gl_account: str, account: str = "") -> list[HeldBalance]:
    """Return the guarded balances of a ledger account, of one customer where given, by account and sub-key."""
    query = (
        sa.select(account_table.c.code, balance.c.sub_key, balance.c.currency, balance.c.amount)
        .select_from(balance)
        .outerjoin(account_table, account_table.c.id == balance.c.account_id)
        .where(balance.c.gl_account_id == gl_account_id(book, gl_account))
    )
    if account:
        query = query.where(balance.c.account_id == account_id(account))
    return sorted(_held(connection.execute(query).all()), key=lambda one: (one.account, one.sub_key, one.money.currency))


def posted_balances(connection: Connection, book: str, gl_account: str) -> list[HeldBalance]:
    """Return the same balances as the sums of all postings of a ledger account, with a debit below zero."""
    query = (
        sa.select(
            account_table.c.code,
            posting.c.sub_key,
            posting.c.currency,
            sa.cast(sa.func.sum(posting.c.amount), sa.BigInteger).label("amount"),
        )
        .select_from(posting)
        .outerjoin(account_table, account_table.c.id == posting.c.account_id)
        .where(posting.c.gl_account_id == gl_account_id(book, gl_account))
        .group_by(account_table.c.code, posting.c.sub_key, posting.c.currency)
    )
    return sorted(_held(connection.execute(query).all()), key=lambda one: (one.account, one.sub_key, one.money.currency))


def _held(rows: Iterable[Any]) -> list[HeldBalance]:
    return [HeldBalance(account=row.code or "", sub_key=row.sub_key, money=Money(-row.amount, row.currency)) for row in rows]


def item_sums(connection: Connection, book: str) -> dict[tuple[str, str], int]:
    """Return the sum of all open items of a book by account and currency, in minor units; allocations move no sum."""
    query = (
        sa.select(
            open_item.c.account, open_item.c.currency, sa.cast(sa.func.sum(open_item.c.original), sa.BigInteger).label("minor")
        )
        .where(open_item.c.book == book)
        .group_by(open_item.c.account, open_item.c.currency)
    )
    return {(row.account, row.currency): row.minor for row in connection.execute(query)}
