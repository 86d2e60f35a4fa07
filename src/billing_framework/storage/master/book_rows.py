"""Keeps the versions of books as they were loaded: the text is what is stored, and what the book is follows from it."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection
from datetime import datetime

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.book import BookProfile
from billing_framework.accounts.book_file import read_book
from billing_framework.invoicing.draft import DocumentKind
from billing_framework.invoicing.numbering import NumberSeries
from billing_framework.storage.master.loaded_text import as_loaded
from billing_framework.storage.master.master_tables import book_version
from billing_framework.values.errors import NotFound, StorageError
from billing_framework.values.spelling import did_you_mean


@attrs.frozen(kw_only=True)
class LoadedBook:
    """A version of a book.

    Attributes:
        profile: what it says.
        version: 1 for the first, counted up with every changed file.
        sha256: digest of the file as hex.
        source: text of the file.
        loaded_at: when.
        loaded_by: who.
    """

    profile: BookProfile
    version: int
    sha256: str
    source: str
    loaded_at: datetime
    loaded_by: str


def find_books(connection: Connection, codes: Collection[str] = (), *, known_at: datetime | None = None) -> dict[str, LoadedBook]:
    """Return the newest version of each book, by code.

    Args:
        connection: a connection.
        codes: which books; all where it is empty.
        known_at: only versions loaded at or before this instant, where given.
    """
    query = sa.select(book_version).order_by(book_version.c.book, book_version.c.version)
    if codes:
        query = query.where(book_version.c.book.in_(sorted(codes)))
    if known_at is not None:
        query = query.where(book_version.c.loaded_at <= known_at)
    return {row.book: _loaded(row) for row in connection.execute(query)}


def load_book(connection: Connection, code: str, *, known_at: datetime | None = None) -> LoadedBook:
    """Return the newest version of one book that was known at an instant.

    Raises:
        NotFound: ``BOOK08``, with the nearest code.
    """
    found = find_books(connection, [code], known_at=known_at)
    if code not in found:
        known = connection.scalars(sa.select(book_version.c.book).distinct())
        raise NotFound(
            "BOOK08", f"there is no book {code!r}", remedy=did_you_mean(code, known) + "; billing book load FILE adds one"
        )
    return found[code]


def add_book_version(
    connection: Connection, profile: BookProfile, source: str, *, version: int, now: datetime, actor: str
) -> None:
    """Add a version of a book; the versions before it stay."""
    connection.execute(
        book_version.insert().values(
            book=profile.code,
            version=version,
            name=profile.name,
            sha256=hashlib.sha256(source.encode()).digest(),
            source=source,
            loaded_at=now,
            loaded_by=actor,
        )
    )


def number_series(profile: BookProfile) -> tuple[NumberSeries, ...]:
    """Return the number series of a book as invoicing uses them."""
    return tuple(
        NumberSeries(
            book=profile.code,
            kind=DocumentKind(series.kind),
            prefix=series.prefix,
            width=series.width,
            reset=series.reset.value,
            year_month=series.year_month,
        )
        for series in profile.series
    )


def number_series_ever(connection: Connection, code: str) -> tuple[NumberSeries, ...]:
    """Return the number series of all versions of a book that were ever loaded, each once, oldest first."""
    query = sa.select(book_version).where(book_version.c.book == code).order_by(book_version.c.version)
    profiles = [_loaded(row).profile for row in connection.execute(query)]
    return tuple(dict.fromkeys(series for profile in profiles for series in number_series(profile)))


def _loaded(row: sa.Row[tuple[object, ...]]) -> LoadedBook:
    return LoadedBook(
        profile=_profile(as_loaded(row.source, row.sha256, f"the book {row.book}"), row.book),
        version=row.version,
        sha256=row.sha256.hex(),
        source=row.source,
        loaded_at=row.loaded_at,
        loaded_by=row.loaded_by,
    )


@functools.lru_cache(maxsize=64)
def _profile(source: str, code: str) -> BookProfile:
    profile, findings = read_book(source.encode(), f"book {code} as loaded")
    if profile is None:
        raise StorageError(
            "BOOK09",
            f"the stored text of book {code} can no longer be read: {findings[0]}",
            remedy="Load the corrected file again; if this version no longer understands it, see the changelog",
        )
    return profile
