"""Holds on accounts, items and lines as rows of the one table of holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from billing_framework.receivables.hold import Block, Hold
from billing_framework.receivables.open_item import OpenItem
from billing_framework.storage.billing.hold_tables import SCOPES, hold
from billing_framework.storage.column_types import natural_id
from billing_framework.storage.many import one_of, rows_of
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class StoredHold:
    """A hold as it is stored.

    Attributes:
        id: id, by which it is released.
        scope: ``account``, ``document`` or ``line``.
        scope_key: code of the account, number of the document, or number and line with a slash between them.
        blocks: what it forbids.
        reason: code of the reason.
        text: why, in words.
        amount: held part; None for all that is open.
        starts_on: first day.
        until: the day after the last, None until it is released.
        placed_by: who.
        placed_at: when.
        outcome: how it ended, empty while it stands.
        evidence: facts behind it.
    """

    id: int
    scope: str
    scope_key: str
    blocks: tuple[Block, ...]
    reason: str
    text: str
    amount: Money | None
    starts_on: date
    until: date | None
    placed_by: str
    placed_at: datetime
    outcome: str = ""
    evidence: Mapping[str, Any] = attrs.field(factory=dict)


def hold_id(scope: str, scope_key: str, reason: str, starts_on: date, blocks: Sequence[Block]) -> int:
    """Return the id of a hold; the same scope, reason, first day and blocks are the same hold."""
    return natural_id("hold", scope, scope_key, reason, starts_on.isoformat(), *(block.value for block in blocks))


def insert_hold(connection: Connection, stored: StoredHold) -> None:
    """Add a hold."""
    connection.execute(
        hold.insert().values(
            id=stored.id,
            scope=stored.scope,
            scope_key=stored.scope_key,
            blocks=[block.value for block in stored.blocks],
            reason=stored.reason,
            text=stored.text,
            evidence=dict(stored.evidence),
            amount=None if stored.amount is None else stored.amount.minor,
            currency=None if stored.amount is None else stored.amount.currency,
            starts_on=stored.starts_on,
            until=stored.until,
            placed_by=stored.placed_by,
            placed_at=stored.placed_at,
        )
    )


def end_hold(connection: Connection, key: int, *, until: date | None, outcome: str, actor: str, now: datetime) -> bool:
    """End a hold; return False where it has ended before."""
    ended = hold.update().where(hold.c.id == key, hold.c.outcome.is_(None))
    return connection.execute(ended.values(until=until, outcome=outcome, ended_by=actor, ended_at=now)).rowcount == 1


def find_hold(connection: Connection, key: int) -> StoredHold | None:
    """Return the hold with this id, or None."""
    row = connection.execute(sa.select(hold).where(hold.c.id == key)).one_or_none()
    return None if row is None else _stored(row)


def holds_on(connection: Connection, scope_keys: Collection[str] | None = None, *, ended: bool = False) -> list[StoredHold]:
    """Return holds by their first day, scope and id.

    Args:
        connection: a connection.
        scope_keys: only on these scopes, where given.
        ended: True for those too that have ended.
    """
    query = sa.select(hold) if ended else sa.select(hold).where(hold.c.outcome.is_(None))
    if scope_keys is None:
        found = list(connection.execute(query))
    else:
        query = query.where(hold.c.scope.in_(SCOPES))
        found = list(rows_of(connection, scope_keys, lambda some: query.where(one_of(hold.c.scope_key, some))))
    return sorted(map(_stored, found), key=lambda one: (one.starts_on, one.scope, one.scope_key, one.id))


def holds_of(connection: Connection, accounts: Collection[str], items: Sequence[OpenItem]) -> tuple[Hold, ...]:
    """Return the standing holds on accounts and on their items and lines, as receivables knows them.

    Args:
        connection: a connection.
        accounts: codes of the accounts.
        items: their open items; a hold on a document finds its item by the document's number.
    """
    lines = [f"{item.reference}/{line.number}" for item in items for line in item.lines]
    wanted = {*accounts, *(item.reference for item in items if item.reference), *lines}
    numbered: dict[str, list[OpenItem]] = {}
    for item in items:
        if item.is_debit and item.reference:
            numbered.setdefault(item.reference, []).append(item)
    holds: list[Hold] = []
    for stored in holds_on(connection, wanted):
        if not stored.blocks:
            continue
        if stored.scope == "account" and stored.scope_key in accounts:
            holds.append(_hold(stored, stored.scope_key))
        elif stored.scope == "document":
            holds += [_hold(stored, item.account, item.key) for item in numbered.get(stored.scope_key, [])]
        elif stored.scope == "line":
            number, _, line = stored.scope_key.rpartition("/")
            holds += [_hold(stored, item.account, item.key, int(line)) for item in numbered.get(number, [])]
    return tuple(holds)


def _hold(stored: StoredHold, account: str, item: str = "", line: int = 0) -> Hold:
    return Hold(
        key=str(stored.id),
        account=account,
        item=item,
        line=line,
        blocks=stored.blocks,
        reason=stored.reason,
        note=stored.text,
        amount=stored.amount,
        since=stored.starts_on,
        until=stored.until,
        outcome=stored.outcome,
    )


def _stored(row: Row[Any]) -> StoredHold:
    return StoredHold(
        id=row.id,
        scope=row.scope,
        scope_key=row.scope_key,
        # A block of an older or foreign kind concerns others; what stands here is what receivables heeds.
        blocks=tuple(block for block in Block if block.value in row.blocks),
        reason=row.reason,
        text=row.text,
        amount=None if row.amount is None else Money(row.amount, row.currency),
        starts_on=row.starts_on,
        until=row.until,
        placed_by=row.placed_by,
        placed_at=row.placed_at,
        outcome=row.outcome or "",
        evidence=row.evidence,
    )
