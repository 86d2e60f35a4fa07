"""Proves that sub-ledgers and ledger agree: open items by account with the receivable account, held money with its liability."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from sqlalchemy.engine import Connection

from billing_framework.accounts.book import BookProfile
from billing_framework.receivables.fiduciary import FiduciaryBalance, reconcile_held
from billing_framework.receivables.open_item import Allocation, OpenItem, standings
from billing_framework.run.collect.held import role_of
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.unreadable import told_of
from billing_framework.storage.master.book_rows import find_books, load_book
from billing_framework.storage.receivable.answer_proof import odd_answers
from billing_framework.storage.receivable.held import HeldBalance, guarded_balances, item_sums, posted_balances
from billing_framework.storage.receivable.payments import odd_payments
from billing_framework.storage.receivable.rows import all_items, items_astray, load_allocations
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money


def reconcile(deployment: Deployment, book: str = "", *, deep: bool = False) -> list[Finding]:
    """Return findings where sub-ledgers and ledger of a book disagree, by account; none is the proof.

    Args:
        deployment: the open deployment.
        book: code of the book; all books where empty.
        deep: True to look also at every single item, its allocations, payments and answers.

    Raises:
        NotFound: ``BOOK08``: there is no such book.
    """
    with deployment.database.read() as connection:
        if book:
            load_book(connection, book)
        profiles = [loaded.profile for loaded in find_books(connection, [book] if book else ()).values()]
        return [finding for profile in profiles for finding in reconcile_book(connection, profile, deep=deep)]


def reconcile_held_money(deployment: Deployment, book: str = "") -> list[Finding]:
    """Return findings where held money is not what ledger and trust bank say; of all books where none is given."""
    with deployment.database.read() as connection:
        if book:
            load_book(connection, book)
        loaded = find_books(connection, [book] if book else ()).values()
        return [finding for one in loaded for finding in _all_held(connection, one.profile)]


def _all_held(connection: Connection, profile: BookProfile) -> list[Finding]:
    findings: list[Finding] = []
    for purpose, bank_role in (("deposit", ""), ("trust", "trust_bank")):
        gl_account = profile.with_role(role_of(purpose))
        if gl_account:
            findings += held_findings(connection, profile, gl_account, profile.with_role(bank_role) if bank_role else "")
    return findings


def reconcile_book(connection: Connection, profile: BookProfile, *, deep: bool = False) -> list[Finding]:
    """Return the findings of one book; see `reconcile`."""
    parts: dict[str, Callable[[], Iterable[Finding]]] = {
        "open items": lambda: receivable_findings(connection, profile),
        "held money": lambda: _all_held(connection, profile),
    }
    if deep:
        parts |= {
            "allocations": lambda: _item_findings(connection, profile.code),
            "payments": lambda: _odd(profile.code, odd_payments(connection, profile.code)),
            "answers": lambda: _odd(profile.code, odd_answers(connection, profile.code)),
        }
    found = (told_of(part, functools.partial(_difference, profile.code, name)) for name, part in parts.items())
    return [finding for findings in found for finding in findings]


def _odd(book: str, found: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    yield from (_difference(book, subject, what) for subject, what in found)


def receivable_findings(connection: Connection, profile: BookProfile) -> list[Finding]:
    """Return a finding for each account whose open items do not make its part of the receivable account."""
    posted: Counter[tuple[str, str]] = Counter()
    control = {one.code for one in profile.accounts if one.control_of == "receivable" or one.role == "receivable"}
    for gl_account in sorted(control):
        for one in posted_balances(connection, profile.code, gl_account):
            posted[one.account, one.money.currency] -= one.money.minor
    items = item_sums(connection, profile.code)
    return [
        _difference(
            profile.code,
            account,
            f"the open items make {Money(items.get((account, currency), 0), currency)}, the receivable account of the ledger"
            f" {Money(posted[account, currency], currency)}",
        )
        for account, currency in sorted({*items, *posted})
        if items.get((account, currency), 0) != posted[account, currency]
    ]


def held_findings(connection: Connection, profile: BookProfile, gl_account: str, bank: str = "") -> list[Finding]:
    """Return findings where guarded balances are not the sums of their postings, and where a trust bank holds another sum.

    Args:
        connection: a connection.
        profile: the book.
        gl_account: code of the liability account that keeps the money.
        bank: code of the bank account that holds nothing else, or empty.
    """
    guarded = {
        (one.account, one.sub_key, one.money.currency): one for one in guarded_balances(connection, profile.code, gl_account)
    }
    posted = {
        (one.account, one.sub_key, one.money.currency): one for one in posted_balances(connection, profile.code, gl_account)
    }
    findings = [
        _difference(
            profile.code,
            key[0],
            f"the guarded balance of {key[1] or gl_account} is {_money(guarded.get(key), key[2])}, its postings make"
            f" {_money(posted.get(key), key[2])}",
        )
        for key in sorted({*guarded, *posted})
        if _money(guarded.get(key), key[2]) != _money(posted.get(key), key[2])
    ]
    in_bank = posted_balances(connection, profile.code, bank) if bank else []
    for currency in sorted({key[2] for key in (*guarded, *posted)}):
        book_total = Money.total((one.money for key, one in posted.items() if key[2] == currency), currency)
        held = [_balance(one) for key, one in guarded.items() if key[2] == currency]
        # A debit of the bank is below zero here, as every debit of a held balance.
        bank_total = -Money.total((one.money for one in in_bank if one.money.currency == currency), currency)
        findings += reconcile_held(bank=bank_total if bank else book_total, book=book_total, balances=held)
    return findings


def _balance(held: HeldBalance) -> FiduciaryBalance:
    zero = Money.zero(held.money.currency)
    purpose, _, subject = held.sub_key.partition("/")
    return FiduciaryBalance(
        account=held.account, purpose=purpose, subject=subject, balance=held.money, uncleared=zero, floor=zero
    )


def _money(held: HeldBalance | None, currency: str) -> Money:
    return Money.zero(currency) if held is None else held.money


def _item_findings(connection: Connection, book: str) -> list[Finding]:
    """Return a finding for each item that was moved, or settled with more than it is, as only a foreign program can have done."""
    findings = [
        _difference(book, account, f"the open item {key} stands under other ids than those of its account and its maker")
        for account, key in items_astray(connection, book)
    ]
    wrong: list[tuple[OpenItem, str]] = []
    for items in all_items(connection, book):
        touching: dict[str, list[Allocation]] = {}
        for one in load_allocations(connection, items):
            touching.setdefault(one.debit, []).append(one)
            touching.setdefault(one.credit, []).append(one)
        for item in items:
            try:
                standings([item], touching.get(item.key, ()))
            except Refused as refused:
                wrong.append((item, refused.what))
    wrong.sort(key=lambda pair: (pair[0].account, pair[0].due_on, pair[0].dated_on, pair[0].reference, pair[0].key))
    return findings + [_difference(book, item.account, what) for item, what in wrong]


def _difference(book: str, account: str, what: str) -> Finding:
    return Finding(
        code="AR48",
        severity=Severity.BLOCKING,
        what=what,
        remedy="Find the entry or item that is missing on one side before the period is closed",
        field=book,
        subject=account,
    )
