"""Batches: the digest does not depend on the order of entries, the chain on everything that must not change."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.ledger.batch import Batch, chain_hash, seal, sealed_entry
from billing_framework.ledger.book import Book, month_of
from billing_framework.ledger.chart import AccountType, Chart, GlAccount
from billing_framework.values.errors import LedgerRefused, NotFound, ValueRefused
from tests.ledger_world import DAY, MAIN, chart, sale


def test_an_empty_batch_is_none() -> None:
    with pytest.raises(LedgerRefused, match="LEDGER12"):
        Batch(book=MAIN, source="test", entries=())


def test_a_key_appears_once_in_a_batch() -> None:
    with pytest.raises(LedgerRefused, match="LEDGER02 .* holds the key b twice"):
        Batch(book=MAIN, source="test", entries=(sale("a", 1), sale("b", 1), sale("b", 2)))


@given(st.permutations(range(6)))
def test_the_order_of_entries_does_not_matter(order: list[int]) -> None:
    entries = [sealed_entry(sale(f"entry {number}", number + 1), MAIN) for number in range(6)]
    assert seal(MAIN, [entries[number] for number in order], {DAY: 7}) == seal(MAIN, entries, {DAY: 7})


def test_the_digest_covers_the_period() -> None:
    entries = [sealed_entry(sale("one", 1), MAIN)]
    assert seal(MAIN, entries, {DAY: 7}).digest != seal(MAIN, entries, {DAY: 8}).digest


def test_a_sealed_entry_knows_when_it_was_changed() -> None:
    sealed = seal(MAIN, [sealed_entry(sale("one", 1), MAIN)], {DAY: 7})
    (one,) = sealed.entries
    assert one.recomputed_digest(sealed.book_id) == one.digest
    assert attrs.evolve(one, kind="other").recomputed_digest(sealed.book_id) != one.digest
    assert (one.month, sealed.posting_count) == (month_of(DAY), 2)


def test_every_part_of_a_link_is_in_its_hash() -> None:
    link = {"prev_hash": b"p" * 32, "seq": 2, "batch_id": 3, "digest": b"d" * 32, "posted_at_microseconds": 4}
    other = {"prev_hash": b"q" * 32, "seq": 9, "batch_id": 9, "digest": b"e" * 32, "posted_at_microseconds": 9}
    hashes = {chain_hash(**link)} | {chain_hash(**(link | {name: other[name]})) for name in link}  # type: ignore[arg-type]
    assert len(hashes) == len(link) + 1


def test_every_book_has_a_genesis_of_its_own() -> None:
    assert Book(key="a", name="A", currency="USD").genesis != Book(key="b", name="A", currency="USD").genesis


def test_a_chart_offers_the_nearest_code_and_refuses_doubles() -> None:
    with pytest.raises(NotFound, match=r"LEDGER05 book main has no account '1201'. Did you mean '1200'"):
        chart(MAIN).account("1201")
    twice = GlAccount(code="1", name="One", type=AccountType.ASSET)
    with pytest.raises(ValueRefused, match="LEDGER17"):
        Chart.of(MAIN, twice, attrs.evolve(twice, name="Other"))
    with pytest.raises(ValueRefused, match="LEDGER17"):
        attrs.evolve(twice, code=" 1")
