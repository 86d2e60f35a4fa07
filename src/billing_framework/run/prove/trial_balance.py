"""Trial balances, balances by customer, and the proof of the ledger, as officers and auditors ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.balance import BalanceLine, totals
from billing_framework.ledger.entry import sub_ledger_id
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.issued_documents import account_findings, document_findings, number_findings
from billing_framework.run.prove.reconcile import reconcile
from billing_framework.run.prove.unreadable import cannot_be_read, told_of
from billing_framework.storage.ledger.balances import book_balances, sub_ledger_balances
from billing_framework.storage.ledger.batch_rows import head
from billing_framework.storage.ledger.books import list_books, load_book
from billing_framework.storage.ledger.verify import verify
from billing_framework.storage.master.account_tables import account
from billing_framework.values.errors import InputRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class TrialBalance:
    """What the postings of a book come to.

    Attributes:
        book: code of the book.
        dates: only entries that count for these dates; None for all.
        lines: one per account and currency that has postings.
        totals: currency to the sums of debits and credits, which are equal.
    """

    book: str
    dates: DateSpan | None
    lines: tuple[BalanceLine, ...]
    totals: Mapping[str, tuple[Money, Money]]


@attrs.frozen(kw_only=True)
class CustomerBalance:
    """What one customer account holds on one account of the ledger.

    Attributes:
        account: code of the customer account, or empty for postings without one.
        purpose: what inside the account: a deposit, a case; or empty.
        balance: the balance; a debit is positive.
    """

    account: str
    purpose: str
    balance: Money


@attrs.frozen(kw_only=True)
class Proof:
    """What the verification of one book found.

    Attributes:
        book: code of the book.
        batches: how many batches are chained.
        head: hash of the newest one as hex; written down elsewhere it shows whether newer batches were cut off.
        findings: rows that are not as they were sealed, and customers whose open items or held money differ from the ledger.
    """

    book: str
    batches: int
    head: str
    findings: tuple[Finding, ...]


def chosen_book(deployment: Deployment, book: str = "") -> str:
    """Return the code of the book that is meant: the named one, else the only one.

    Raises:
        NotFound: ``LEDGER18``: there is no such book.
        InputRefused: ``BOOK10``: none is named, and there is none or more than one.
    """
    with deployment.database.read() as connection:
        if book:
            return load_book(connection, book).key
        known = [one.key for one in list_books(connection)]
    if len(known) == 1:
        return known[0]
    remedy = f"Name one of {', '.join(known)}" if known else "Load a book first: billing book load FILE"
    raise InputRefused("BOOK10", "no book is named" if known else "there is no book yet", remedy=remedy)


def book_trial_balance(deployment: Deployment, book: str, dates: DateSpan | None = None) -> TrialBalance:
    """Return the trial balance of a book, for some dates or altogether."""
    with deployment.database.read() as connection:
        lines = tuple(book_balances(connection, book, span=dates))
    return TrialBalance(book=book, dates=dates, lines=lines, totals=totals(lines))


def customer_balances(deployment: Deployment, book: str, gl_code: str, dates: DateSpan | None = None) -> list[CustomerBalance]:
    """Return the balances on one account of the ledger by customer, in order of the customers' codes."""
    with deployment.database.read() as connection:
        codes = customer_codes(connection)
        found = sub_ledger_balances(connection, book, gl_code, span=dates)
    balances = [
        CustomerBalance(account=codes.get(one.account_id, str(one.account_id)), purpose=one.sub_key, balance=one.money)
        for one in found
    ]
    return sorted(balances, key=lambda one: (one.account, one.purpose, one.balance.currency))


def customer_codes(connection: Connection) -> dict[int, str]:
    """Return the code of every customer account by its id in the sub-ledger; lines without a customer have an empty one."""
    return {sub_ledger_id(""): ""} | {row.id: row.code for row in connection.execute(sa.select(account.c.id, account.c.code))}


def prove(deployment: Deployment, book: str, *, known_heads: Mapping[int, bytes] | None = None) -> Proof:
    """Prove the ledger of a book again from its rows, and what rests on it: documents, numbers, open items and held money.

    Args:
        deployment: the open deployment.
        book: code of the book.
        known_heads: sequence numbers and hashes that were written down elsewhere, for example in a close report.
    """
    with deployment.database.read() as connection:
        parts: tuple[Callable[[], Iterable[Finding]], ...] = (
            lambda: verify(deployment.database, book, known_heads=known_heads),
            lambda: reconcile(deployment, book, deep=True),
            lambda: document_findings(connection, book),
            lambda: number_findings(connection, book),
            lambda: account_findings(connection, book),
        )
        findings = tuple(finding for part in parts for finding in told_of(part, lambda what: _unreadable(book, what)))
        sequence, newest = _head(connection, book)
    return Proof(book=book, batches=sequence, head=newest.hex(), findings=findings)


def _head(connection: Connection, book: str) -> tuple[int, bytes]:
    try:
        return head(connection, load_book(connection, book).id)
    except Exception as error:
        if not cannot_be_read(error):
            raise
        return 0, b""  # a finding has told of it


def _unreadable(book: str, what: str) -> Finding:
    return Finding(
        code="LEDGER20",
        severity=Severity.BLOCKING,
        what=what,
        remedy="Find out who changed it behind the program's back, and restore the rows from a backup",
        subject=f"book {book}",
    )


def all_books(deployment: Deployment) -> list[str]:
    """Return the codes of all books that have a ledger."""
    with deployment.database.read() as connection:
        return [one.key for one in list_books(connection)]
