"""Keeps officers' edits of drafts, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.edit import Edit
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.tables import edit, run_account
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id
from billing_framework.values.plain_form import from_plain, to_plain


def edits_of(connection: Connection, run: Run, accounts: Iterable[str]) -> dict[str, tuple[Edit, ...]]:
    """Return the edits that stand, by account and oldest first; accounts without edits are left out."""
    return {account: tuple(edits.values()) for account, edits in numbered_edits(connection, run, accounts).items()}


def numbered_edits(connection: Connection, run: Run, accounts: Iterable[str]) -> dict[str, dict[int, Edit]]:
    """Return the edits that stand by account and position."""
    names = {account_id(account): account for account in accounts}
    found: dict[str, dict[int, Edit]] = {}
    for row in rows_of(
        connection,
        names,
        lambda some: sa.select(edit).where(edit.c.run_id == run.id, one_of(edit.c.account_id, some)).order_by(edit.c.position),
    ):
        edits = found.setdefault(names[row.account_id], {})
        if row.withdraws is None:
            edits[row.position] = attrs.evolve(from_plain(row.content, Edit), position=row.position)
        else:
            edits.pop(row.withdraws, None)
    return {account: edits for account, edits in found.items() if edits}


def edits_not_posted(connection: Connection, run: Run) -> dict[str, int]:
    """Return how many edits stand of each account that a run has not posted, in order of code."""
    columns, taking_back, accounts = edit.c, edit.alias().c, run_account.c
    query = (
        sa.select(accounts.account, sa.func.count().label("of"))
        .join_from(edit, run_account, sa.and_(accounts.run_id == columns.run_id, accounts.account_id == columns.account_id))
        .where(
            columns.run_id == run.id,
            columns.withdraws.is_(None),
            accounts.state != "posted",
            ~sa.exists().where(
                taking_back.run_id == columns.run_id,
                taking_back.account_id == columns.account_id,
                taking_back.withdraws == columns.position,
            ),
        )
        .group_by(accounts.account)
    )
    return {row.account: row.of for row in sorted(connection.execute(query), key=lambda row: row.account)}


def editors_of(connection: Connection, run: Run) -> set[str]:
    """Return who has edited drafts of a run."""
    return set(connection.scalars(sa.select(edit.c.actor).where(edit.c.run_id == run.id).distinct()))


def add_edit(connection: Connection, run: Run, account: str, change: Edit) -> int:
    """Add an edit of an account's draft and return its position."""
    return _add(connection, run, account, {"content": to_plain(change), "actor": change.actor, "at": change.at})


def withdraw_edit(connection: Connection, run: Run, account: str, position: int, *, actor: str, at: datetime) -> int:
    """Take an edit back by a row of its own and return the position of that row."""
    return _add(connection, run, account, {"withdraws": position, "actor": actor, "at": at})


def _add(connection: Connection, run: Run, account: str, values: dict[str, Any]) -> int:
    key = account_id(account)
    query = sa.select(sa.func.count()).where(edit.c.run_id == run.id, edit.c.account_id == key)
    position: int = connection.execute(query).scalar_one() + 1
    connection.execute(edit.insert(), {"run_id": run.id, "account_id": key, "position": position, **values})
    return position
