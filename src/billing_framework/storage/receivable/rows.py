"""Open items, allocations and payments as rows; what is open is computed from them, never stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from billing_framework.invoicing.figures import DocumentFigures
from billing_framework.receivables.open_item import (
    Allocation,
    ItemKind,
    ItemLine,
    OpenItem,
    Standing,
    document_item_key,
    document_item_kind,
    standings,
)
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.column_types import natural_id
from billing_framework.storage.many import one_of, rows_of, streamed
from billing_framework.storage.master.account_tables import account_id
from billing_framework.storage.receivable.tables import allocation, open_item
from billing_framework.values.identity import natural_ids_below
from billing_framework.values.money import Money
from billing_framework.values.plain_form import json_string

_ITEM_COLUMNS = (
    "id", "key", "kind", "book", "account_id", "account", "reference", "currency", "original", "dated_on", "due_on",
    "document_id", "payment_id", "corrects", "lines",
)  # fmt: skip
_ALLOCATION_COLUMNS = (
    "id", "key", "account_id", "debit_id", "credit_id", "currency", "amount", "on_date", "strategy", "line", "undoes_id",
    "actor", "at",
)  # fmt: skip


def item_id(key: str) -> int:
    """Return the id of the open item with this natural key."""
    return natural_id("open_item", key)


def allocation_id(key: str) -> int:
    """Return the id of the allocation with this natural key."""
    return natural_id("allocation", key)


def insert_items(connection: Connection, book: str, items: Iterable[OpenItem]) -> int:
    """Add open items and return how many they were.

    Args:
        connection: a connection with the action's write transaction.
        book: code of the book that they are owed to.
        items: the items; a key that is there already is a Conflict.
    """
    return bulk_insert(connection, open_item, _ITEM_COLUMNS, (_item_row(book, item) for item in items))


def insert_document_items(connection: Connection, issued: Iterable[tuple[DocumentFigures, str]]) -> int:
    """Add the open items of documents that were just issued, and return how many they were; see `item_of_figures`.

    Args:
        connection: a connection with the action's write transaction.
        issued: what each document comes to, and its number; one that comes to nothing is owed by nobody.
    """
    owed = [(document, number) for document, number in issued if document.gross + document.rounding]
    keys = [document_item_key(document.key) for document, _ in owed]
    ids = natural_ids_below("open_item", keys=keys)
    accounts = natural_ids_below("account", keys=[document.account for document, _ in owed])
    rows = (
        (
            id_,
            key,
            document_item_kind(document.kind).value,
            document.book,
            owner,
            document.account,
            number,
            document.currency,
            document.gross + document.rounding,
            document.issue_on.isoformat(),
            document.due_on.isoformat(),
            document.key,
            None,
            document_item_key(document.corrects) if document.corrects else "",
            _lines_text(document),
        )
        for id_, key, owner, (document, number) in zip(ids, keys, accounts, owed, strict=True)
    )
    return bulk_insert(connection, open_item, _ITEM_COLUMNS, rows, driver_form=True)


def _lines_text(document: DocumentFigures) -> str:
    parts = [f"[{line.number},{json_string(line.charge_code)},{line.net + line.tax}]" for line in document.lines]
    return f"[{','.join(parts)}]"


def _item_row(book: str, item: OpenItem) -> tuple[object, ...]:
    return (
        item_id(item.key),
        item.key,
        item.kind.value,
        book,
        account_id(item.account),
        item.account,
        item.reference,
        item.original.currency,
        item.original.minor,
        item.dated_on,
        item.due_on,
        *_made_by(item.key, item.kind.value),
        item.corrects,
        [[line.number, line.charge_code, line.gross.minor] for line in item.lines],
    )


def _made_by(key: str, kind: str) -> tuple[int | None, int | None]:
    """Return the ids of the document and of the payment that have made the item of a key and kind; None for what has not."""
    source, _, rest = key.partition("/")
    return (
        int(rest) if source == "document" and rest.isdigit() else None,
        natural_id("payment", key) if kind == ItemKind.PAYMENT.value else None,
    )


def insert_allocations(
    connection: Connection, allocations: Mapping[str, Sequence[Allocation]], *, actor: str, now: datetime
) -> int:
    """Add allocations; the database refuses what crosses accounts or exceeds what is open.

    Args:
        connection: a connection with the action's write transaction.
        allocations: code of each account to its allocations, counter-allocations before those that use what they free.
        actor: who.
        now: when.
    """
    rows = (
        (
            allocation_id(one.key),
            one.key,
            account_id(account),
            item_id(one.debit),
            item_id(one.credit),
            one.amount.currency,
            one.amount.minor,
            one.on,
            one.strategy,
            one.line,
            allocation_id(one.undoes) if one.undoes else None,
            actor,
            now,
        )
        for account in sorted(allocations)
        for one in allocations[account]
    )
    return bulk_insert(connection, allocation, _ALLOCATION_COLUMNS, rows)


def load_items(
    connection: Connection, *, accounts: Sequence[str] = (), keys: Sequence[str] = (), references: Sequence[str] = ()
) -> list[OpenItem]:
    """Return items of accounts, or with these keys or references, by due date, date, reference and key."""
    found: dict[str, OpenItem] = {}
    ids = [account_id(code) for code in accounts]
    wanted: tuple[tuple[sa.Column[Any], Sequence[Any]], ...] = (
        (open_item.c.account_id, ids),
        (open_item.c.key, keys),
        (open_item.c.reference, references),
    )
    for column, values in wanted:
        found |= {row.key: _item(row) for row in rows_of(connection, values, _items_where(column))}
    return sorted(found.values(), key=lambda item: (item.due_on, item.dated_on, item.reference, item.key))


def _items_where(column: sa.Column[Any]) -> Callable[[list[Any]], sa.Select[Any]]:
    return lambda some: sa.select(open_item).where(one_of(column, some))


def items_astray(connection: Connection, book: str) -> Iterator[tuple[str, str]]:
    """Yield account and key of the items of a book that stand under other ids than their keys and accounts make, by key."""
    columns = open_item.c
    query = sa.select(
        columns.id, columns.key, columns.kind, columns.account, columns.account_id, columns.document_id, columns.payment_id
    )
    for rows in streamed(connection, query.where(columns.book == book).order_by(columns.key)):
        ids = natural_ids_below("open_item", keys=[row.key for row in rows])
        owners = natural_ids_below("account", keys=[row.account for row in rows])
        for row, id_, owner in zip(rows, ids, owners, strict=True):
            if (row.id, row.account_id, row.document_id, row.payment_id) != (id_, owner, *_made_by(row.key, row.kind)):
                yield row.account, row.key


def all_items(connection: Connection, book: str) -> Iterator[list[OpenItem]]:
    """Yield all items of a book, some at a time and in no order."""
    for rows in streamed(connection, sa.select(open_item).where(open_item.c.book == book)):
        yield [_item(row) for row in rows]


def _item(row: Row[tuple[object, ...]]) -> OpenItem:
    return OpenItem(
        key=row.key,
        kind=ItemKind(row.kind),
        account=row.account,
        reference=row.reference,
        original=Money(row.original, row.currency),
        dated_on=row.dated_on,
        due_on=row.due_on,
        corrects=row.corrects,
        lines=tuple(
            ItemLine(number=number, charge_code=code, gross=Money(gross, row.currency)) for number, code, gross in row.lines
        ),
    )


def load_allocations(connection: Connection, items: Sequence[OpenItem]) -> list[Allocation]:
    """Return all allocations that touch the items, in the order of their making."""
    debit, credit, undone = open_item.alias("debit"), open_item.alias("credit"), allocation.alias("undone")
    query = (
        sa.select(allocation, debit.c.key.label("debit_key"), credit.c.key.label("credit_key"), undone.c.key.label("undoes_key"))
        .join(debit, debit.c.id == allocation.c.debit_id)
        .join(credit, credit.c.id == allocation.c.credit_id)
        .outerjoin(undone, undone.c.id == allocation.c.undoes_id)
    )
    found: dict[str, tuple[datetime, Allocation]] = {}
    ids = [item_id(item.key) for item in items]
    touching = (
        lambda some: query.where(one_of(allocation.c.debit_id, some)),
        lambda some: query.where(one_of(allocation.c.credit_id, some)),
    )
    for some_side in touching:
        for row in rows_of(connection, ids, some_side):
            found[row.key] = (row.at, _allocation(row))
    return [one for _, one in sorted(found.values(), key=lambda pair: (pair[0], pair[1].key))]


def _allocation(row: Row[tuple[object, ...]]) -> Allocation:
    return Allocation(
        key=row.key,
        debit=row.debit_key,
        credit=row.credit_key,
        amount=Money(row.amount, row.currency),
        on=row.on_date,
        strategy=row.strategy,
        line=row.line,
        undoes=row.undoes_key or "",
    )


def load_standings(
    connection: Connection, *, accounts: Sequence[str] = (), keys: Sequence[str] = (), references: Sequence[str] = ()
) -> tuple[Standing, ...]:
    """Return items with what is open of them, in the order of `load_items`."""
    items = load_items(connection, accounts=accounts, keys=keys, references=references)
    return standings(items, load_allocations(connection, items))
