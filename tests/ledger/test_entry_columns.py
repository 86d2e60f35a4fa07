"""Entries in columns: the same ids, digests and refusals as entries one by one."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.ledger.batch import seal, sealed_entry
from billing_framework.ledger.entry import Entry, Posting
from billing_framework.ledger.entry_columns import EntryColumns, seal_columns, sealed_columns
from billing_framework.values.errors import LedgerRefused
from billing_framework.values.money import LARGEST_MINOR, Money
from tests.ledger_world import DAY, MAIN, sale

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
AMOUNTS = st.integers(-(10**16), 10**16).filter(bool)


@st.composite
def entries(draw: st.DrawFn) -> tuple[Entry, ...]:
    keys = draw(st.lists(TEXTS.filter(bool), min_size=1, max_size=6, unique=True))
    return tuple(draw(entry(key)) for key in keys)


@st.composite
def entry(draw: st.DrawFn, key: str) -> Entry:
    sides = []
    for minor in draw(st.lists(AMOUNTS, min_size=1, max_size=3)):
        currency = draw(st.sampled_from(["USD", "EUR"]))
        sides += [Money(minor, currency), Money(-minor, currency)]
    return Entry(
        key=key,
        effective_on=draw(st.sampled_from([DAY, date(2026, 2, 1)])),
        kind=draw(TEXTS),
        source=draw(TEXTS),
        reverses=draw(st.none() | TEXTS),
        memo=draw(TEXTS),
        postings=tuple(
            Posting(
                money=money,
                gl_account=draw(TEXTS),
                account_key=draw(TEXTS),
                sub_key=draw(TEXTS),
                document_key=draw(TEXTS),
            )
            for money in sides
        ),
    )


def in_columns(*some: Entry) -> EntryColumns:
    found = EntryColumns.of(MAIN, some)
    assert found is not None
    return found


def changed(columns: EntryColumns, **lines: pl.Expr) -> EntryColumns:
    return EntryColumns(book=MAIN, heads=columns.heads, lines=columns.lines.with_columns(**lines))


@given(entries())
def test_columns_are_the_twin_of_entries(some: tuple[Entry, ...]) -> None:
    columns = in_columns(*some)
    assert columns.entries() == some
    periods = {DAY: 7, date(2026, 2, 1): 8}
    one_by_one = seal(MAIN, [sealed_entry(one, MAIN) for one in some], periods)
    stored = sealed_columns(columns)
    assert stored.digests == {one.id: (one.key, one.digest) for one in one_by_one.entries}
    batch = seal_columns(stored, periods)
    assert (batch.id, batch.book_id, batch.digest) == (one_by_one.id, one_by_one.book_id, one_by_one.digest)
    assert (batch.entry_count, batch.posting_count) == (one_by_one.entry_count, one_by_one.posting_count)
    heads = ("id", "key", "period_id", "effective_on", "kind", "source", "reverses_id", "digest", "month")
    assert batch.heads.select(heads).rows() == [tuple(getattr(one, name) for name in heads) for one in one_by_one.entries]
    lines = ("line", "gl_account_id", "account_id", "sub_key", "document_key", "currency", "amount")
    assert batch.lines.select("entry_id", "month", *lines).rows() == [
        (one.id, one.month, *line) for one in one_by_one.entries for line in one.lines
    ]


@given(entries(), st.data())
def test_what_is_known_is_left_out(some: tuple[Entry, ...], data: st.DataObject) -> None:
    known = data.draw(st.sets(st.sampled_from(some)))
    left = sealed_columns(in_columns(*some)).without({sealed_entry(one, MAIN).id: b"" for one in known})
    rest = [one for one in some if one not in known]
    if rest:
        periods = {DAY: 7, date(2026, 2, 1): 8}
        assert seal_columns(left, periods).digest == seal(MAIN, [sealed_entry(one, MAIN) for one in rest], periods).digest
    assert len(left.lines) == sum(len(one.postings) for one in rest)


def test_what_is_no_entry_is_refused_as_one() -> None:
    columns = in_columns(sale("a", 5), sale("b", 7))
    first_line = pl.int_range(pl.len()) == 2
    for code, lines in (
        ("LEDGER04 the lines of entry b do not balance in USD: 0.01 USD", {"minor": pl.col("minor") + first_line.cast(pl.Int64)}),
        ("LEDGER16 line 1 of entry b is zero", {"minor": pl.when(first_line).then(0).otherwise("minor")}),
        ("LEDGER04", {"currency": pl.when(first_line).then(pl.lit("EUR")).otherwise("currency")}),
        ("LEDGER03 entry b", {"entry": pl.lit(0, pl.Int64)}),
        ("LEDGER12", {"entry": 1 - pl.col("entry")}),
        ("LEDGER12", {"entry": pl.col("entry") * 2}),
    ):
        with pytest.raises(LedgerRefused, match=code):
            changed(columns, **lines)
    for key in ("", "k" * 301):
        with pytest.raises(LedgerRefused, match="LEDGER17"):
            EntryColumns(book=MAIN, heads=columns.heads.with_columns(key=pl.Series(["a", key])), lines=columns.lines)
    with pytest.raises(LedgerRefused, match="LEDGER02 .* the key a twice"):
        in_columns(sale("a", 5), sale("a", 7))


def test_no_line_is_so_large_that_sums_fit_no_column() -> None:
    columns = in_columns(sale("a", LARGEST_MINOR))
    assert columns.entries() == (sale("a", LARGEST_MINOR),)
    lines = pl.concat([columns.lines, columns.lines]).with_columns(minor=pl.Series([2**62] * 4))
    with pytest.raises(LedgerRefused, match="VALUE30 line 1 of entry a"):  # a sum of 64 bits would come to nothing
        EntryColumns(book=MAIN, heads=columns.heads, lines=lines)


@pytest.mark.parametrize(("name", "text"), [("source", "\ud800"), ("memo", "a\0b"), ("key", "\0")])
def test_texts_that_no_database_stores_are_refused_on_both_roads(name: str, text: str) -> None:
    odd: dict[str, Any] = {name: text}
    with pytest.raises(LedgerRefused, match="LEDGER17"):
        attrs.evolve(sale("a", 1), **odd)
    if "\0" in text:
        columns = in_columns(sale("a", 5), sale("b", 7))
        heads = columns.heads.with_columns(**{name: pl.Series(["b", text])})
        with pytest.raises(LedgerRefused, match="LEDGER17"):
            EntryColumns(book=MAIN, heads=heads, lines=columns.lines)


def test_more_than_is_booked_is_refused() -> None:
    for minor in (LARGEST_MINOR + 1, 2**63, 5 * 10**20):
        with pytest.raises(LedgerRefused, match="VALUE30 line 1 of entry a"):
            sale("a", minor)
