"""Writes the whole ledger of a book for a checker that is not ours."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.exchange.beancount import beancount_lines
from billing_framework.receivables.open_item import document_item_key
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.trial_balance import customer_codes
from billing_framework.storage.billing.tables import document
from billing_framework.storage.ledger.batch_rows import head
from billing_framework.storage.ledger.books import load_book, load_chart
from billing_framework.storage.ledger.journal import journal


def beancount_file(deployment: Deployment, book: str) -> Iterator[bytes]:
    """Yield the ledger of a book as a Beancount file, line by line, read in one snapshot.

    Raises:
        NotFound: ``LEDGER18`` for an unknown book.
    """
    with deployment.database.read() as connection:
        found = load_book(connection, book)
        sequence, newest = head(connection, found.id)
        entries = journal(connection, book, customer_codes(connection), _numbers(connection, book))
        lines = beancount_lines(found, load_chart(connection, book), entries, head=f"{sequence}:{newest.hex()}")
        yield from (f"{line}\n".encode() for line in lines)


def _numbers(connection: Connection, book: str) -> dict[str, str]:
    query = sa.select(document.c.id, document.c.number).where(document.c.book == book, document.c.number.is_not(None))
    return {document_item_key(row.id): row.number for row in connection.execute(query)}
