"""What an issued document writes in the books: receivable against revenue, taxes and cash rounding."""

from __future__ import annotations

from collections import Counter

from billing_framework.invoicing.draft import DraftDocument
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.entry import Entry, Posting
from billing_framework.values.money import Money


def document_entry(content: DraftDocument, mapping: ChartMapping) -> Entry | None:
    """Return the entry of a document, None where it comes to nothing on every account.

    A credit note's lines are negative, so its entry is the mirror of what it corrects, without a rule of its own. The entry
    depends on the content alone, so a rehearsal makes the same one.

    Args:
        content: what the document says.
        mapping: the accounts of the book.

    Raises:
        ConfigurationError: ``INVOICE18`` for a charge or tax code without an account.
    """
    document_key = f"document/{content.key}"
    totals = content.totals
    revenue: Counter[str] = Counter()
    for line in content.lines:
        revenue[mapping.charge_account(line.charge_code)] += line.net.minor
    taxes: Counter[str] = Counter()
    for tax in content.taxes:
        if tax.tax:  # a treatment without tax posts nothing, so it needs no account
            taxes[mapping.tax_account(tax.code)] += tax.tax.minor
    amounts = [
        (mapping.role("receivable"), (totals.gross + totals.rounding).minor),
        *((account, -revenue[account]) for account in sorted(revenue)),
        *((account, -taxes[account]) for account in sorted(taxes)),
    ]
    if totals.rounding:
        amounts.append((mapping.role("rounding"), -totals.rounding.minor))
    postings = tuple(
        Posting(
            gl_account=account,
            money=Money(minor, content.currency),
            account_key=content.account,
            document_key=document_key,
        )
        for account, minor in amounts
        if minor
    )
    if not postings:
        return None
    return Entry(
        key=document_key,
        effective_on=content.issue_on,
        kind=content.kind.value,
        source=document_key,
        postings=postings,
    )
