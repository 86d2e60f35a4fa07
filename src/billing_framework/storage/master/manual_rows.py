"""Keeps manual charges, and finds those that wait for the next bill: what was billed is told by the keys of billed charges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.manual_charge import ManualCharge
from billing_framework.rating.charge import Charge, Origin
from billing_framework.storage.billing.keys import billed_charges
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id
from billing_framework.storage.master.master_tables import manual_charge
from billing_framework.values.money import Amount
from billing_framework.values.period import DateSpan

COMPONENT = "manual"
"""What stands in the place of a plan's component."""


def as_charge(given: ManualCharge) -> Charge:
    """Return the charge that the next bill takes; its id is part of its natural key, so it is billed once."""
    return Charge(
        agreement=given.agreement,
        component=COMPONENT,
        code=given.code,
        description=given.text,
        service=given.service,
        source=given.id,
        amount=given.amount,
        tax_category=given.tax_category,
        origin=Origin.MANUAL,
    )


def pending_charges(
    connection: Connection, documents: Mapping[str, int], before: date, *, again: Collection[int] = ()
) -> dict[str, tuple[Charge, ...]]:
    """Return the manual charges that wait for the next bill of some accounts, by account and in order of their ids.

    Args:
        connection: a connection.
        documents: account code to the key of the draft that it would be on; what is on one of these drafts already still waits.
        before: end of the billing period: charges whose service begins on or after it wait longer.
        again: keys of documents that are billed anew; their charges wait, too.
    """
    table = manual_charge.c
    ids = {account_id(code): code for code in documents}
    found = defaultdict(list)
    for row in rows_of(
        connection,
        ids,
        lambda some: (
            sa.select(manual_charge)
            .where(one_of(table.account_id, some), table.withdrawn_at.is_(None), table.service_from < before)
            .order_by(table.account, table.id)
        ),
    ):
        found[row.account].append(as_charge(_manual(row)))
    keys = [charge.natural_key for charges in found.values() for charge in charges]
    billed = billed_charges(connection, keys)
    drafts = {*documents.values(), *again}
    waiting = {
        code: tuple(one for one in charges if one.natural_key not in billed or billed[one.natural_key].document in drafts)
        for code, charges in sorted(found.items())
    }
    return {code: charges for code, charges in waiting.items() if charges}


def manual_charges(connection: Connection, account: str = "", *, withdrawn: bool = False) -> Iterator[ManualCharge]:
    """Yield manual charges in the order in which they were entered.

    Args:
        connection: a connection.
        account: only of this account, where given.
        withdrawn: True to yield those too that were withdrawn.
    """
    table = manual_charge.c
    query = sa.select(manual_charge).order_by(table.entered_at, table.id)
    if account:
        query = query.where(table.account_id == account_id(account))
    if not withdrawn:
        query = query.where(table.withdrawn_at.is_(None))
    for row in connection.execute(query):
        yield _manual(row)


def find_charge(connection: Connection, charge: str) -> ManualCharge | None:
    """Return the manual charge of this id, None where there is none."""
    row = connection.execute(sa.select(manual_charge).where(manual_charge.c.id == charge)).one_or_none()
    return None if row is None else _manual(row)


def next_charge_id(connection: Connection, account: str) -> str:
    """Return the id of the next manual charge of an account; its writer holds the account's row or the whole database."""
    query = sa.select(sa.func.count()).where(manual_charge.c.account_id == account_id(account))
    return f"{account}-M{(connection.scalar(query) or 0) + 1}"


def add_charge(connection: Connection, given: ManualCharge) -> None:
    """Add a manual charge."""
    connection.execute(
        manual_charge.insert().values(
            id=given.id,
            account_id=account_id(given.account),
            account=given.account,
            agreement=given.agreement,
            code=given.code,
            text=given.text,
            amount=given.amount.value,
            currency=given.amount.currency,
            tax_category=given.tax_category,
            service_from=given.service.start,
            service_to=given.service.end,
            reason=given.reason,
            entered_at=given.entered_at,
            entered_by=given.entered_by,
        )
    )


def withdraw_charge(connection: Connection, charge: str, *, now: datetime, actor: str, reason: str) -> None:
    """Withdraw a manual charge; the row stays and says who did it and why."""
    connection.execute(
        manual_charge.update()
        .where(manual_charge.c.id == charge)
        .values(withdrawn_at=now, withdrawn_by=actor, withdrawn_reason=reason)
    )


def _manual(row: sa.Row[tuple[object, ...]]) -> ManualCharge:
    return ManualCharge(
        id=row.id,
        account=row.account,
        agreement=row.agreement,
        code=row.code,
        text=row.text,
        amount=Amount(row.amount, row.currency),
        tax_category=row.tax_category,
        service=DateSpan(row.service_from, row.service_to),
        reason=row.reason,
        entered_at=row.entered_at,
        entered_by=row.entered_by,
        withdrawn_at=row.withdrawn_at,
        withdrawn_reason=row.withdrawn_reason or "",
    )
