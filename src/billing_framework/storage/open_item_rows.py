"""Writes open items: what documents, payments and corrections leave owed or owing."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.engine import Connection

from billing_framework.receivables.open_item import OpenItem
from billing_framework.storage.account_tables import account_id
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.receivable_tables import open_item
from billing_framework.values.identity import natural_id


def insert_document_items(connection: Connection, book: str, items: Iterable[tuple[int, OpenItem]]) -> None:
    """Write the open items of issued documents.

    Args:
        connection: a connection with the action's write transaction.
        book: code of the book.
        items: key of each document, with its item.
    """
    columns = (
        "id", "key", "kind", "book", "account_id", "account", "reference", "currency", "original", "dated_on", "due_on",
        "document_id", "corrects", "lines",
    )  # fmt: skip
    rows = [_row(book, document, item) for document, item in items]
    bulk_insert(connection, open_item, columns, rows)


def _row(book: str, document: int, item: OpenItem) -> tuple[object, ...]:
    return (
        natural_id("open_item", item.key),
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
        document,
        item.corrects,
        [[line.number, line.charge_code, line.gross.minor] for line in item.lines],
    )
