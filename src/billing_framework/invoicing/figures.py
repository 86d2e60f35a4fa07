"""The figures of a document: all that numbering, booking and claiming it need, without what is printed around them.

Documents are posted by the thousand. Their figures stand in columns, so that posting reads no text but to prove it.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from billing_framework.invoicing.draft import DocumentKind, DraftDocument


class LineFigures(NamedTuple):
    """One line in minor units of the document's currency.

    Attributes:
        number: 1-based position on the document.
        charge_code: code that the book maps to a revenue account.
        net: without tax.
        tax: all its taxes.
    """

    number: int
    charge_code: str
    net: int
    tax: int


class DocumentFigures(NamedTuple):
    """One document in minor units of its currency.

    Attributes:
        key: key of the document.
        kind: what it is.
        book: code of the book that bills.
        account: code of the account.
        currency: ISO 4217 code.
        issue_on: date that it bears.
        due_on: date by which it is to be paid.
        gross: net and tax.
        rounding: what cash rounding adds or takes.
        lines: the lines in printing order.
        corrects: key of the document that it corrects, 0 for none.
        taxes: code and amount of each tax in printing order.
    """

    key: int
    kind: DocumentKind
    book: str
    account: str
    currency: str
    issue_on: date
    due_on: date
    gross: int
    rounding: int
    lines: tuple[LineFigures, ...]
    corrects: int = 0
    taxes: tuple[tuple[str, int], ...] = ()


def figures_of(content: DraftDocument) -> DocumentFigures:
    """Return the figures of a document."""
    return DocumentFigures(
        key=content.key,
        kind=content.kind,
        book=content.book,
        account=content.account,
        currency=content.currency,
        issue_on=content.issue_on,
        due_on=content.due_on,
        gross=content.totals.gross.minor,
        rounding=content.totals.rounding.minor,
        corrects=content.corrects,
        lines=tuple(LineFigures(line.number, line.charge_code, line.net.minor, line.tax.minor) for line in content.lines),
        taxes=tuple((tax.code, tax.tax.minor) for tax in content.taxes),
    )
