"""What an issued document writes in the books: receivable against revenue, taxes and cash rounding."""

from __future__ import annotations

from billing_framework.invoicing.draft import DraftDocument
from billing_framework.invoicing.figures import DocumentFigures, figures_of
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.batch import SealedEntry, sealed_entry
from billing_framework.ledger.book import book_id
from billing_framework.ledger.chart import gl_account_id
from billing_framework.ledger.entry import Entry, Posting, entry_id, request_digest, sub_ledger_id
from billing_framework.values.money import Money


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


def stored_entry(document: DocumentFigures, mapping: ChartMapping) -> SealedEntry | None:
    """Return `entry_of_figures` as the ledger stores it, without its postings as values in between; None where there is none.

    Args:
        document: what the document comes to.
        mapping: the accounts of the book.

    Raises:
        ConfigurationError: ``INVOICE18`` for a charge or tax code without an account.
        LedgerRefused: what an entry of such postings is refused for.
    """
    amounts = booked_amounts(document, mapping)
    rest = sum([minor for _, minor in amounts])
    if len(amounts) < 2 or rest:
        entry = entry_of_figures(document, mapping)  # refuses its postings, and says what is wrong with them
        return None if entry is None else sealed_entry(entry, document.book)
    key, kind, book = f"document/{document.key}", document.kind.value, document.book
    account = sub_ledger_id(document.account)
    lines = tuple(
        [
            (number, gl_account_id(book, code), account, "", key, document.currency, minor)
            for number, (code, minor) in enumerate(amounts, 1)
        ]
    )
    return SealedEntry(
        id=entry_id(book, key),
        key=key,
        period_id=0,
        effective_on=document.issue_on,
        kind=kind,
        source=key,
        reverses_id=None,
        digest=request_digest(
            book=book_id(book), key=key, effective_on=document.issue_on, kind=kind, source=key, reverses_id=None, lines=lines
        ),
        lines=lines,
    )


def booked_amounts(document: DocumentFigures, mapping: ChartMapping) -> list[tuple[str, int]]:
    """Return account and minor units of each line of a document's entry, in its order; lines of nothing are left out."""
    revenue: dict[str, int] = {}
    for line in document.lines:
        account = mapping.charge_account(line.charge_code)
        revenue[account] = revenue.get(account, 0) + line.net
    taxes: dict[str, int] = {}
    for code, tax in document.taxes:
        if tax:  # a treatment without tax posts nothing, so it needs no account
            account = mapping.tax_account(code)
            taxes[account] = taxes.get(account, 0) + tax
    amounts = [
        (mapping.role("receivable"), document.gross + document.rounding),
        *((account, -revenue[account]) for account in sorted(revenue)),
        *((account, -taxes[account]) for account in sorted(taxes)),
    ]
    if document.rounding:
        amounts.append((mapping.role("rounding"), -document.rounding))
    return [(account, minor) for account, minor in amounts if minor]
