"""What an issued document writes in the books: receivable against revenue, taxes and cash rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from billing_framework.invoicing.draft import DraftDocument
from billing_framework.invoicing.figures import DocumentFigures, figures_of
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.entry import Entry, Posting
from billing_framework.values.money import Money

if TYPE_CHECKING:
    from billing_framework.ledger.entry_columns import EntryColumns


def document_entry(content: DraftDocument, mapping: ChartMapping) -> Entry | None:
    """Return the entry of a document, None where it comes to nothing on every account; see `entry_of_figures`."""
    return entry_of_figures(figures_of(content), mapping)


def entry_of_figures(document: DocumentFigures, mapping: ChartMapping) -> Entry | None:
    """Return the entry of a document, None where it comes to nothing on every account.

    A credit note's lines are negative, so its entry is the mirror of what it corrects, without a rule of its own. The entry
    depends on the content alone, so a rehearsal makes the same one.

    Args:
        document: what the document comes to.
        mapping: the accounts of the book.

    Raises:
        ConfigurationError: ``INVOICE18`` for a charge or tax code without an account.
    """
    document_key = f"document/{document.key}"
    postings = tuple(
        Posting(
            gl_account=account,
            money=Money(minor, document.currency),
            account_key=document.account,
            document_key=document_key,
        )
        for account, minor in booked_amounts(document, mapping)
    )
    if not postings:
        return None
    return Entry(
        key=document_key,
        effective_on=document.issue_on,
        kind=document.kind.value,
        source=document_key,
        postings=postings,
    )


def entry_columns(documents: Sequence[DocumentFigures], mapping: ChartMapping) -> EntryColumns | None:
    """Return `entry_of_figures` of many documents in columns; None where none of them has an entry.

    Args:
        documents: what the documents of one book come to.
        mapping: the accounts of the book.

    Raises:
        ConfigurationError: ``INVOICE18`` for a charge or tax code without an account.
        LedgerRefused: what an entry of such postings is refused for.
    """
    import numpy as np  # noqa: PLC0415 - these are needed for many documents only
    import polars as pl  # noqa: PLC0415

    from billing_framework.ledger.entry_columns import HEADS, EntryColumns  # noqa: PLC0415

    booked = [(one, amounts) for one in documents if (amounts := booked_amounts(one, mapping))]
    if not booked:
        return None
    keys = [f"document/{one.key}" for one, _ in booked]
    heads = {
        "key": keys,
        "effective_on": [one.issue_on for one, _ in booked],
        "kind": [one.kind.value for one, _ in booked],
        "source": keys,
        "reverses": [None] * len(keys),
        "memo": [""] * len(keys),
    }
    shared = {
        "entry": range(len(keys)),
        "account_key": [one.account for one, _ in booked],
        "sub_key": [""] * len(keys),
        "document_key": keys,
        "currency": [one.currency for one, _ in booked],
    }
    lines = pl.DataFrame(shared)[np.repeat(np.arange(len(keys)), [len(amounts) for _, amounts in booked])].with_columns(
        gl_account=pl.Series([account for _, amounts in booked for account, _ in amounts]),
        minor=pl.Series([minor for _, amounts in booked for _, minor in amounts], dtype=pl.Int64),
    )
    return EntryColumns(book=documents[0].book, heads=pl.DataFrame(heads, schema=HEADS), lines=lines)


def booked_amounts(document: DocumentFigures, mapping: ChartMapping) -> list[tuple[str, int]]:
    """Return account and minor units of each line of a document's entry, in its order; lines of nothing are left out."""
    revenue: dict[str, int] = {}
    for _, code, net, _ in document.lines:
        account = mapping.charge_account(code)
        revenue[account] = revenue.get(account, 0) + net
    taxes: dict[str, int] = {}
    for code, tax in document.taxes:
        if tax:  # a treatment without tax posts nothing, so it needs no account
            account = mapping.tax_account(code)
            taxes[account] = taxes.get(account, 0) + tax
    amounts = [(mapping.role("receivable"), document.gross + document.rounding)]
    for booked in (revenue, taxes):
        amounts += [(account, -booked[account]) for account in sorted(booked)]
    if document.rounding:
        amounts.append((mapping.role("rounding"), -document.rounding))
    return [booking for booking in amounts if booking[1]]
