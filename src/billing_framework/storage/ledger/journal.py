"""Reads all entries of a book with their lines, in the order of their dates, without holding them all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from operator import attrgetter

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.exchange.beancount import ChainedEntry
from billing_framework.ledger.book import book_id
from billing_framework.ledger.entry import Entry, Posting
from billing_framework.storage.ledger.tables import batch_chain, entry, gl_account, posting
from billing_framework.values.money import Money

_AT_ONCE = 5_000


def journal(
    connection: Connection, book: str, customers: Mapping[int, str], documents: Mapping[str, str]
) -> Iterator[ChainedEntry]:
    """Yield the entries of a book by date, batch and key.

    Args:
        connection: a connection with one snapshot.
        book: key of the book.
        customers: id of a customer account in the sub-ledger to its code; an id without a code is written as it is.
        documents: key of a document in the ledger to its number; a payment and the like is written by its key.
    """
    reversed_entry = entry.alias()
    query = (
        sa.select(
            batch_chain.c.seq,
            entry.c.id,
            entry.c.idempotency_key,
            entry.c.effective_on,
            entry.c.kind,
            entry.c.source,
            reversed_entry.c.idempotency_key.label("reverses"),
            gl_account.c.code,
            posting.c.account_id,
            posting.c.sub_key,
            posting.c.document_key,
            posting.c.currency,
            posting.c.amount,
        )
        .join_from(entry, batch_chain, batch_chain.c.batch_id == entry.c.batch_id)
        .join(posting, sa.and_(posting.c.batch_id == entry.c.batch_id, posting.c.entry_id == entry.c.id))
        .join(gl_account, gl_account.c.id == posting.c.gl_account_id)
        .outerjoin(reversed_entry, reversed_entry.c.id == entry.c.reverses_id)
        .where(entry.c.book_id == book_id(book))
        .order_by(entry.c.effective_on, batch_chain.c.seq, entry.c.idempotency_key, posting.c.line)
    )
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(query)
    for _, lines in itertools.groupby(rows, key=attrgetter("id")):
        listed = list(lines)
        head = listed[0]
        postings = tuple(
            Posting(
                gl_account=row.code,
                money=Money(int(row.amount), row.currency),
                account_key=customers.get(row.account_id, str(row.account_id)),
                sub_key=row.sub_key,
                document_key=documents.get(row.document_key, row.document_key),
            )
            for row in listed
        )
        yield ChainedEntry(
            batch=head.seq,
            entry=Entry(
                key=head.idempotency_key,
                effective_on=head.effective_on,
                kind=head.kind,
                source=head.source,
                postings=postings,
                reverses=head.reverses,
            ),
        )
