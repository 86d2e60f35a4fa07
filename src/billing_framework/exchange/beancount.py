"""The ledger of a book as a Beancount file: every entry with its lines, and the balances that a checker must find.

Beancount is a plain-text format of double-entry books with independent checkers: what it adds up proves what we added up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import attrs

from billing_framework.ledger.book import Book
from billing_framework.ledger.chart import AccountType, Chart, GlAccount
from billing_framework.ledger.entry import Entry, Posting
from billing_framework.values.money import Money
from billing_framework.values.period import ONE_DAY

_ROOTS: Mapping[AccountType, str] = {
    AccountType.ASSET: "Assets",
    AccountType.LIABILITY: "Liabilities",
    AccountType.EQUITY: "Equity",
    AccountType.INCOME: "Income",
    AccountType.EXPENSE: "Expenses",
}


@attrs.frozen(kw_only=True)
class ChainedEntry:
    """An entry as the ledger holds it.

    Attributes:
        batch: number of its batch in the chain of the book.
        entry: the entry, its lines with the codes of customers where they are known.
    """

    batch: int
    entry: Entry


def beancount_lines(book: Book, chart: Chart, entries: Iterable[ChainedEntry], *, head: str) -> Iterator[str]:
    """Yield the lines of the file.

    Debits are positive, as in Beancount. Memos stay out, because they are free text that may be erased.

    Args:
        book: the book.
        chart: its accounts; all are opened, used or not.
        entries: its entries, in the order of their dates.
        head: number and hash of the newest batch, by which the file can be compared with the book.
    """
    yield f'option "title" {_text(f"{book.key} {book.name}")}'
    yield f'option "operating_currency" "{book.currency}"'
    yield ""
    names = {account.code: account_name(account) for account in chart.accounts.values()}
    sums: Counter[tuple[str, str]] = Counter()
    first = last = None
    for chained in entries:
        if first is None:
            first = chained.entry.effective_on
            yield from _opened(chart, names, first, head)
        last = chained.entry.effective_on
        for posting in chained.entry.postings:
            sums[posting.gl_account, posting.money.currency] += posting.money.minor
        yield from _transaction(chained, names)
    if first is None or last is None:
        yield from _opened(chart, names, date(1970, 1, 1), head)
        return
    for (code, currency), minor in sorted(sums.items()):
        # A balance is asserted for the beginning of a day; no digit of tolerance is given away.
        yield f"{(last + ONE_DAY).isoformat()} balance {names[code]}  {_number(Money(minor, currency))} ~ 0 {currency}"


def account_name(account: GlAccount) -> str:
    """Return the name of an account in the file: its root by type, and its code, in which other characters are written in hex."""
    first, rest = account.code[0], account.code[1:]
    begin = first if first.isascii() and (first.isdigit() or first.isupper()) else f"X-{_hex(first)}"
    return f"{_ROOTS[account.type]}:{begin}" + "".join(one if one.isascii() and one.isalnum() else _hex(one) for one in rest)


def _hex(character: str) -> str:
    return f"-{ord(character):X}-"


def _opened(chart: Chart, names: Mapping[str, str], on: date, head: str) -> Iterator[str]:
    for account in chart.accounts.values():
        yield f"{on.isoformat()} open {names[account.code]}"
        yield f"  code: {_text(account.code)}"
        yield f"  name: {_text(account.name)}"
    yield f'{on.isoformat()} custom "ledger-head" {_text(head)}'
    yield ""


def _transaction(chained: ChainedEntry, names: Mapping[str, str]) -> Iterator[str]:
    entry = chained.entry
    yield f"{entry.effective_on.isoformat()} * {_text(entry.kind)}"
    yield f"  key: {_text(entry.key)}"
    yield f"  source: {_text(entry.source)}"
    yield f"  batch: {chained.batch}"
    if entry.reverses is not None:
        yield f"  reverses: {_text(entry.reverses)}"
    for posting in entry.postings:
        yield from _posting(posting, names)
    yield ""


def _posting(posting: Posting, names: Mapping[str, str]) -> Iterator[str]:
    yield f"  {names[posting.gl_account]}  {_number(posting.money)} {posting.money.currency}"
    for name, value in (("customer", posting.account_key), ("purpose", posting.sub_key), ("document", posting.document_key)):
        if value:
            yield f"    {name}: {_text(value)}"


def _number(money: Money) -> str:
    return str(money).removesuffix(f" {money.currency}")


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{" ".join(escaped.split())}"' if not value.isprintable() else f'"{escaped}"'
