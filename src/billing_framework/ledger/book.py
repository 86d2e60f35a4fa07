"""Books and their accounting periods."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib

import attrs

from billing_framework.values.identity import natural_id
from billing_framework.values.money import minor_digits
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class Book:
    """The accounts of one legal entity.

    Attributes:
        key: stable key of the book; it is part of every id and hash of the book and never changes.
        name: what it is called; may change.
        currency: functional currency; entries may be in any currency.
    """

    key: str
    name: str
    currency: str = attrs.field(validator=lambda _self, _field, value: (minor_digits(value), None)[1])

    @property
    def id(self) -> int:
        """The id of the book."""
        return book_id(self.key)

    @property
    def genesis(self) -> bytes:
        """What the first batch of the book is chained to; every book has its own, so no batch fits into another book."""
        return hashlib.sha256(f"billing book {self.key}".encode()).digest()


@attrs.frozen(kw_only=True)
class AccountingPeriod:
    """Dates of a book that can be posted to while they are open, and are closed for good.

    Attributes:
        book: key of the book.
        span: the dates, half-open.
        is_open: whether entries of these dates are taken.
    """

    book: str
    span: DateSpan
    is_open: bool = True

    @property
    def id(self) -> int:
        """The id of the period, which follows from its book and first date."""
        return natural_id("period", self.book, self.span.start.isoformat())


@functools.lru_cache(maxsize=256)
def book_id(key: str) -> int:
    """Return the id of the book of this key."""
    return natural_id("book", key)


def month_of(date: dt.date) -> int:
    """Return the month as yyyymm, by which the tables that grow are partitioned."""
    return date.year * 100 + date.month
