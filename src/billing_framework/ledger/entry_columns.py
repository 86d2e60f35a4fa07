"""Entries in columns: for those that are posted by the thousand, without an object for each line.

What an entry may be is said in `Entry` alone. Columns are looked at as a whole, and every entry that may be none is built as one,
which then says what is wrong with it. Ids and digests are those of `sealed_entry`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Self

import attrs
import numpy as np
import polars as pl

from billing_framework.ledger.book import book_id
from billing_framework.ledger.chart import gl_account_id
from billing_framework.ledger.entry import LONGEST_KEY, Entry, Posting
from billing_framework.values.columns import LIMIT, Integers, bound
from billing_framework.values.errors import LedgerRefused
from billing_framework.values.identity import natural_id, natural_ids_below
from billing_framework.values.money import LARGEST_MINOR, Money

HEADS = {
    "key": pl.String,
    "effective_on": pl.Date,
    "kind": pl.String,
    "source": pl.String,
    "reverses": pl.String,
    "memo": pl.String,
}
"""Columns of the entries, as the attributes of `Entry`."""

LINES = {
    "entry": pl.Int64,
    "gl_account": pl.String,
    "account_key": pl.String,
    "sub_key": pl.String,
    "document_key": pl.String,
    "currency": pl.String,
    "minor": pl.Int64,
}
"""Columns of their lines: which entry they belong to, counted from 0, and then as the attributes of `Posting`."""


@attrs.frozen(kw_only=True, eq=False)
class EntryColumns:
    """Entries of one book that are posted together, in columns.

    Attributes:
        book: key of the book.
        heads: one row for each entry, with the columns `HEADS`.
        lines: one row for each line, with the columns `LINES`; those of the first entry come first, and so on.

    Raises:
        LedgerRefused: what `Batch`, `Entry` and `Posting` refuse, in their words.
    """

    book: str
    heads: pl.DataFrame
    lines: pl.DataFrame

    def __attrs_post_init__(self) -> None:
        keys = self.heads["key"]
        if keys.n_unique() < len(keys):
            twice = sorted(keys.filter(keys.is_duplicated()))
            raise LedgerRefused("LEDGER02", f"the batch holds the key {twice[0]} twice")
        places = self.lines["entry"]
        if not places.is_sorted() or not bool(places.is_between(0, len(keys) - 1).all()):
            raise LedgerRefused("LEDGER12", "the lines do not stand in the order of their entries", remedy="Sort them")
        for place in self._doubtful():
            self.entry(place)

    @classmethod
    def of(cls, book: str, entries: Sequence[Entry]) -> Self | None:
        """Return entries in columns, None where a number is too large for one or a text is none to a database."""
        lines = [(place, line) for place, entry in enumerate(entries) for line in entry.postings]
        heads = {name: [getattr(entry, name) for entry in entries] for name in HEADS}
        columns = {
            name: [getattr(line, name) for _, line in lines] for name in ("gl_account", "account_key", "sub_key", "document_key")
        }
        money = [line.money for _, line in lines]
        try:
            return cls(
                book=book,
                heads=pl.DataFrame(heads, schema=HEADS),
                lines=pl.DataFrame(
                    {
                        "entry": [place for place, _ in lines],
                        **columns,
                        "currency": [one.currency for one in money],
                        "minor": [one.minor for one in money],
                    },
                    schema=LINES,
                ),
            )
        except (TypeError, UnicodeEncodeError):
            return None

    def __len__(self) -> int:
        return self.heads.height

    def counts(self) -> Integers:
        """Return how many lines each entry has."""
        return np.bincount(self.lines["entry"].to_numpy(), minlength=len(self))

    def entry(self, place: int) -> Entry:
        """Return the entry at a place, from 0."""
        lines = self.lines.filter(pl.col("entry") == place).drop("entry")
        return _entry(self.heads.row(place, named=True), lines.iter_rows(named=True))

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries, one by one."""
        return tuple(map(self.entry, range(len(self))))

    def _doubtful(self) -> list[int]:
        """Return the places of entries that may be none, if only because their sums are too large for a column."""
        lengths = self.heads["key"].str.len_chars()
        counts, minor = self.counts(), self.lines["minor"].to_numpy()
        if bound(minor) > LARGEST_MINOR or int(counts.max(initial=0)) * LARGEST_MINOR >= LIMIT or self._has_nul():
            return list(range(len(self)))
        sums = self.lines.group_by("entry", "currency").agg(pl.col("minor").sum()).filter(pl.col("minor") != 0)
        wrong = {*np.flatnonzero(counts < 2).tolist(), *sums["entry"].to_list()}
        wrong |= {*self.lines["entry"].filter(self.lines["minor"] == 0).to_list()}
        wrong |= {*((lengths == 0) | (lengths > LONGEST_KEY)).arg_true().to_list()}
        return sorted(wrong)

    def _has_nul(self) -> bool:
        """Return whether a text has a character that not every database stores; half of a surrogate pair is in no column."""
        texts = [one for frame in (self.heads, self.lines) for one in frame.iter_columns() if one.dtype == pl.String]
        return any(bool(one.str.contains("\0", literal=True).any()) for one in texts)


def _entry(head: dict[str, Any], lines: Iterator[dict[str, Any]]) -> Entry:
    postings = [Posting(money=Money(line.pop("minor"), line.pop("currency")), **line) for line in lines]
    return Entry(postings=tuple(postings), **head)


@attrs.frozen(kw_only=True, eq=False)
class SealedColumns:
    """Entries in the form in which they are stored, in columns and in the order of their ids.

    Attributes:
        book: key of the book.
        heads: id, key, effective_on, kind, source, reverses_id, memo and digest of each entry; its number of lines
            (``count``), and its ``place`` among those that were given.
        lines: entry_id, line, gl_account_id, account_id, sub_key, document_key, currency and amount of each line.
    """

    book: str
    heads: pl.DataFrame
    lines: pl.DataFrame

    @property
    def digests(self) -> dict[int, tuple[str, bytes]]:
        """Id of each entry to its key and digest, in the order in which they were given."""
        return {id_: (key, digest) for id_, key, digest in self.heads.sort("place").select("id", "key", "digest").rows()}

    def without(self, known: Mapping[int, bytes]) -> SealedColumns:
        """Return those entries whose ids are not known."""
        if not known:
            return self
        ids = pl.Series(list(known), dtype=pl.Int64)
        return SealedColumns(
            book=self.book,
            heads=self.heads.filter(~pl.col("id").is_in(ids.implode())),
            lines=self.lines.filter(~pl.col("entry_id").is_in(ids.implode())),
        )


def sealed_columns(columns: EntryColumns) -> SealedColumns:
    """Return entries as they are stored; twin of `sealed_entry`, to the same ids and digests."""
    book, heads, lines = columns.book, columns.heads, columns.lines
    reverses = heads["reverses"].drop_nulls().unique()
    heads = heads.with_columns(
        id=pl.Series(natural_ids_below("entry", book, keys=heads["key"]), dtype=pl.Int64),
        count=pl.Series(columns.counts(), dtype=pl.Int64),
        place=pl.Series(np.arange(len(columns))),
        reverses_id=_replaced(heads["reverses"], {key: natural_id("entry", book, key) for key in reverses}),
    )
    order = heads["id"].arg_sort().to_numpy()
    starts = np.cumsum(columns.counts()) - columns.counts()
    heads = heads[order]
    counts = heads["count"].to_numpy()
    number = np.arange(len(lines)) - np.repeat(np.cumsum(counts) - counts, counts)
    lines = lines[np.repeat(starts[order], counts) + number]
    accounts = lines["account_key"].unique().to_list()
    ids = dict(zip(accounts, natural_ids_below("account", keys=accounts), strict=True)) | {"": 0}
    charts = {code: gl_account_id(book, code) for code in lines["gl_account"].unique()}
    lines = lines.select(
        entry_id=pl.Series(np.repeat(heads["id"].to_numpy(), counts)),
        line=pl.Series(number + 1),
        gl_account_id=_replaced(lines["gl_account"], charts),
        account_id=_replaced(lines["account_key"], ids),
        sub_key="sub_key",
        document_key="document_key",
        currency="currency",
        amount="minor",
    )
    digests = _digests(book_id(book), heads, lines)
    return SealedColumns(book=book, heads=heads.drop("reverses").with_columns(digest=digests), lines=lines)


def _replaced(values: pl.Series, meanings: Mapping[str, int]) -> pl.Series:
    return values.replace_strict(meanings, default=None, return_dtype=pl.Int64)


def _digests(book: int, heads: pl.DataFrame, lines: pl.DataFrame) -> pl.Series:
    """Return the `request_digest` of each entry."""
    said = pl.concat_str(
        pl.lit(f"entry 1\n{book} "), _measured("key"), pl.col("effective_on").dt.to_string("%Y-%m-%d"), pl.lit(" "),
        _measured("kind"), _measured("source"), pl.col("reverses_id").cast(pl.String).fill_null("None"), pl.lit("\n"),
    )  # fmt: skip
    line = pl.concat_str(
        *(part for name in ("line", "gl_account_id", "account_id") for part in (pl.col(name), pl.lit(" "))),
        _measured("sub_key"), _measured("document_key"), _measured("currency"), pl.col("amount"), pl.lit("\n"),
    )  # fmt: skip
    texts = lines.select(line.alias("text"))["text"]
    ends = np.concatenate(([0], np.cumsum(texts.str.len_bytes().to_numpy(), dtype=np.int64)))[
        np.concatenate(([0], np.cumsum(heads["count"].to_numpy())))
    ].tolist()
    content, hashed = texts.str.join("").item().encode(), hashlib.sha256
    firsts = heads.select(said.alias("text"))["text"]
    return pl.Series(
        [hashed(first.encode() + content[begin:end]).digest() for first, begin, end in zip(firsts, ends, ends[1:], strict=False)],
        dtype=pl.Binary,
    )


def _measured(name: str) -> pl.Expr:
    """Return a text with its length before it and a blank behind it."""
    return pl.concat_str(pl.col(name).str.len_chars(), pl.lit(":"), pl.col(name), pl.lit(" "))


@attrs.frozen(kw_only=True, eq=False)
class ColumnBatch:
    """A batch in the form in which it is stored, in columns; twin of `SealedBatch`.

    Attributes:
        id: id of the batch, which follows from its digest.
        book_id: id of the book.
        digest: digest over all entries and their periods.
        heads: as in `SealedColumns`, with the period_id and the month.
        lines: as in `SealedColumns`, with the month.
    """

    id: int
    book_id: int
    digest: bytes
    heads: pl.DataFrame
    lines: pl.DataFrame

    @property
    def entry_count(self) -> int:
        """Number of entries."""
        return self.heads.height

    @property
    def posting_count(self) -> int:
        """Number of lines in all entries."""
        return self.lines.height


def seal_columns(entries: SealedColumns, period_ids: Mapping[date, int]) -> ColumnBatch:
    """Return the batch of `entries` with its digest and id; twin of `seal`."""
    day, book = pl.col("effective_on"), book_id(entries.book)
    heads = entries.heads.with_columns(
        month=day.dt.year().cast(pl.Int64) * 100 + day.dt.month().cast(pl.Int64),
        period_id=day.replace_strict(period_ids, return_dtype=pl.Int64),
    )
    said = pl.concat_str(
        "id", pl.lit(" "), "period_id", pl.lit(" "), pl.col("digest").bin.encode("hex"), pl.lit(" "), "count", pl.lit("\n")
    )
    text = heads.select(said.str.join("")).item()
    digest = hashlib.sha256(f"batch 1\n{book}\n{text}".encode()).digest()
    return ColumnBatch(
        id=natural_id("batch", entries.book, digest.hex()),
        book_id=book,
        digest=digest,
        heads=heads,
        lines=entries.lines.with_columns(month=pl.Series(np.repeat(heads["month"].to_numpy(), heads["count"].to_numpy()))),
    )
