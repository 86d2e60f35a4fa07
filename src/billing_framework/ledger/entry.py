"""The journal entry: lines that balance per currency, under a key that can be used once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable

import attrs

from billing_framework.ledger.book import book_id
from billing_framework.ledger.chart import gl_account_id
from billing_framework.values.code_name import is_storable
from billing_framework.values.errors import LedgerRefused
from billing_framework.values.identity import natural_id
from billing_framework.values.money import LARGEST_MINOR, Money

LONGEST_KEY = 300

Line = tuple[int, int, int, str, str, str, int]
"""A stored line: number, gl account id, sub-ledger account id, sub-key, document key, currency, minor units."""


@attrs.frozen(kw_only=True)
class Posting:
    """One line of an entry.

    Attributes:
        gl_account: code of the general-ledger account.
        money: what is posted; a debit is positive, a credit negative, nothing in between.
        account_key: code of the customer account in the sub-ledger; empty where there is none.
        sub_key: what inside the account is meant, such as a deposit or a client's matter; guarded balances are kept per sub-key.
        document_key: the document that the line belongs to; empty where there is none.
    """

    gl_account: str
    money: Money
    account_key: str = ""
    sub_key: str = ""
    document_key: str = ""


@attrs.frozen(kw_only=True)
class Entry:
    """A journal entry as it is asked for.

    Attributes:
        key: idempotency key: the same key with the same content is posted once, with other content it is a conflict.
        effective_on: the date that the entry counts for; it decides the period.
        kind: what happened, in a word: ``invoice``, ``payment``.
        source: what made it: a run, a document, an officer's action; never a person's name.
        postings: the lines, at least two, none zero, summing to zero in every currency.
        reverses: key of the entry that this one takes back, line by line; None for all others.
        memo: free text for people; no part of any digest, so that it can be erased.
    """

    key: str
    effective_on: dt.date
    kind: str
    source: str
    postings: tuple[Posting, ...]
    reverses: str | None = None
    memo: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.key or len(self.key) > LONGEST_KEY:
            raise LedgerRefused("LEDGER17", f"an entry needs a key of 1 to {LONGEST_KEY} characters, not {self.key[:60]!r}")
        if len(self.postings) < 2:
            raise LedgerRefused("LEDGER03", f"entry {self.key} has fewer than two lines", remedy="Post both sides")
        texts = [self.key, self.kind, self.source, self.reverses or "", self.memo]
        sums: dict[str, int] = {}
        for number, posting in enumerate(self.postings, 1):
            if posting.money.minor == 0:
                raise LedgerRefused("LEDGER16", f"line {number} of entry {self.key} is zero", remedy="Leave the line out")
            if abs(posting.money.minor) > LARGEST_MINOR:
                what = f"line {number} of entry {self.key}, {posting.money}, is more than is booked"
                raise LedgerRefused("VALUE30", what, remedy="Correct the amount")
            texts += (posting.gl_account, posting.account_key, posting.sub_key, posting.document_key)
            sums[posting.money.currency] = sums.get(posting.money.currency, 0) + posting.money.minor
        for currency, rest in sums.items():
            if rest:
                raise LedgerRefused(
                    "LEDGER04",
                    f"the lines of entry {self.key} do not balance in {currency}: {Money(rest, currency)} is left",
                    remedy="Debits and credits must be equal in every currency",
                )
        if not is_storable("".join(texts)):
            what = f"a text of entry {self.key!a} has a character that no database stores: NUL, or half of a surrogate pair"
            raise LedgerRefused("LEDGER17", what, remedy="Take it out")

    def lines(self, book: str) -> tuple[Line, ...]:
        """Return the lines as they are stored in `book`, numbered from 1."""
        return tuple(
            (
                number,
                gl_account_id(book, posting.gl_account),
                sub_ledger_id(posting.account_key),
                posting.sub_key,
                posting.document_key,
                posting.money.currency,
                posting.money.minor,
            )
            for number, posting in enumerate(self.postings, 1)
        )


def entry_id(book: str, key: str) -> int:
    """Return the id of the entry with this idempotency key in `book`."""
    return natural_id("entry", book, key)


def sub_ledger_id(account_key: str) -> int:
    """Return the id of a customer account as postings carry it; 0 stands for none."""
    return natural_id("account", account_key) if account_key else 0


def reversal(entry: Entry, *, key: str, on: dt.date, source: str, memo: str = "") -> Entry:
    """Return the entry that takes `entry` back: the exact mirror of its lines.

    Args:
        entry: what is taken back; an entry can be taken back once.
        key: idempotency key of the new entry.
        on: date that the new entry counts for; its period must be open, that of `entry` need not be.
        source: what made it.
        memo: free text for people.
    """
    mirrored = tuple(attrs.evolve(posting, money=-posting.money) for posting in entry.postings)
    return Entry(key=key, effective_on=on, kind=entry.kind, source=source, postings=mirrored, reverses=entry.key, memo=memo)


def request_digest(
    *, book: int, key: str, effective_on: dt.date, kind: str, source: str, reverses_id: int | None, lines: Iterable[Line]
) -> bytes:
    """Return the digest of an entry's content: ids, keys, date, accounts and amounts; never the memo.

    It decides whether a key is used again with the same content, and it is what the digest of a batch is made of. Every text is
    written with its length, so that no two contents read alike.

    Args:
        book: id of the book.
        key: idempotency key.
        effective_on: date of the entry.
        kind: kind of the entry.
        source: what made it.
        reverses_id: id of the entry that it takes back.
        lines: the stored lines in the order of their numbers.
    """
    parts = [
        f"entry 1\n{book} {len(key)}:{key} {effective_on.isoformat()} {len(kind)}:{kind} {len(source)}:{source} {reverses_id}\n"
    ]
    parts += [
        f"{number} {gl} {account} {len(sub)}:{sub} {len(document)}:{document} {len(currency)}:{currency} {minor}\n"
        for number, gl, account, sub, document, currency, minor in lines
    ]
    return hashlib.sha256("".join(parts).encode("utf-8", "surrogatepass")).digest()


def digest_of(entry: Entry, book: str) -> bytes:
    """Return the `request_digest` of `entry` in `book`."""
    return request_digest(
        book=book_id(book),
        key=entry.key,
        effective_on=entry.effective_on,
        kind=entry.kind,
        source=entry.source,
        reverses_id=None if entry.reverses is None else entry_id(book, entry.reverses),
        lines=entry.lines(book),
    )
