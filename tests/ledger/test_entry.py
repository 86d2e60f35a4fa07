"""Entries: what is no entry, what a digest covers, and that a reversal is the exact mirror."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.ledger.entry import Entry, Posting, digest_of, entry_id, reversal, sub_ledger_id
from billing_framework.values.errors import LedgerRefused
from billing_framework.values.identity import natural_id, natural_ids_below
from billing_framework.values.money import Money
from tests.finance_vectors import VECTORS
from tests.ledger_world import BANK, DAY, DEPOSITS, MAIN, OTHER, RECEIVABLE, REVENUE, entry, sale

_CODES = {"AR": RECEIVABLE, "Revenue": REVENUE}


def test_lines_balance_in_every_currency() -> None:
    vector = VECTORS["led-01"]
    lines = tuple(
        Posting(gl_account=_CODES[name], money=Money(minor, currency)) for name, currency, minor in vector["inputs"]["lines"]
    )
    with pytest.raises(LedgerRefused) as refusal:
        Entry(key="led-01", effective_on=DAY, kind="test", source="test", postings=lines)
    assert f"refused {refusal.value.code}" == vector["expected"]["result"]
    assert "USD" in refusal.value.what


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((), "LEDGER03"),
        (((BANK, 100),), "LEDGER03"),
        (((BANK, 100), (REVENUE, -99)), "LEDGER04"),
        (((BANK, 100), (REVENUE, -100), (RECEIVABLE, 0)), "LEDGER16"),
    ],
)
def test_what_is_no_entry_is_refused(lines: tuple[tuple[str, int], ...], code: str) -> None:
    with pytest.raises(LedgerRefused, match=code):
        entry("bad", *lines)


@pytest.mark.parametrize("key", ["", "k" * 301])
def test_a_key_has_one_to_three_hundred_characters(key: str) -> None:
    with pytest.raises(LedgerRefused, match="LEDGER17"):
        sale(key, 1)


_STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_TEXT = st.text(_STORABLE, max_size=12)
_LINES = st.lists(
    st.tuples(st.sampled_from([BANK, RECEIVABLE, REVENUE, DEPOSITS]), st.integers(1, 10**12), _TEXT, _TEXT, _TEXT),
    min_size=1,
    max_size=5,
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Any balanced entry: each drawn line has its counter-line."""
    postings = [
        Posting(gl_account=code, money=Money(sign * minor, currency), account_key=account, sub_key=sub, document_key=document)
        for code, minor, account, sub, document in draw(_LINES)
        for currency in (draw(st.sampled_from(["USD", "JPY", "KWD"])),)
        for sign in (1, -1)
    ]
    return Entry(
        key=draw(st.text(_STORABLE, min_size=1, max_size=20)),
        effective_on=draw(st.dates()),
        kind=draw(_TEXT),
        source=draw(_TEXT),
        postings=tuple(postings),
        memo=draw(_TEXT),
    )


@given(entries(), st.dates())
def test_a_reversal_takes_back_line_by_line(one: Entry, on: dt.date) -> None:
    back = reversal(one, key=f"{one.key}/back", on=on, source="test")
    assert [line[:-1] for line in back.lines(MAIN)] == [line[:-1] for line in one.lines(MAIN)]
    assert [line[-1] for line in back.lines(MAIN)] == [-line[-1] for line in one.lines(MAIN)]
    again = reversal(back, key=one.key, on=one.effective_on, source=one.source)
    assert again.lines(MAIN) == one.lines(MAIN)
    assert back.reverses == one.key


@given(entries(), entries())
def test_the_digest_tells_contents_apart_and_nothing_else(one: Entry, other: Entry) -> None:
    same = attrs.evolve(one, memo=other.memo) == attrs.evolve(other)
    assert (digest_of(one, MAIN) == digest_of(other, MAIN)) == same
    assert digest_of(one, MAIN) == digest_of(attrs.evolve(one, memo="erased"), MAIN)
    assert digest_of(one, MAIN) != digest_of(one, OTHER)


def test_texts_that_run_together_differ() -> None:
    first = Posting(gl_account=BANK, money=Money(1, "USD"), sub_key="a", document_key="bc")
    second = attrs.evolve(first, sub_key="ab", document_key="c")
    counter = Posting(gl_account=REVENUE, money=Money(-1, "USD"))
    digests = {
        digest_of(Entry(key="k", effective_on=DAY, kind="t", source="s", postings=(line, counter)), MAIN)
        for line in (first, second)
    }
    assert len(digests) == 2


def test_the_digest_is_the_same_in_every_version() -> None:
    """A stored digest must be found again by every later version of the framework."""
    assert digest_of(sale("sale", 10_000), MAIN).hex() == "7dc2d29c99bbaa8d9398d981d16f45b9f6a508d9021d17772d0c5c358e2ece4d"
    assert entry_id(MAIN, "sale") == natural_id("entry", MAIN, "sale")
    assert sub_ledger_id("") == 0
    assert sub_ledger_id("A1") == natural_id("account", "A1")


@given(
    st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=4),
    st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=4),
)
def test_natural_ids_tell_keys_apart(one: list[str | int], other: list[str | int]) -> None:
    same = [(type(part), part) for part in one] == [(type(part), part) for part in other]
    assert (natural_id(*one) == natural_id(*other)) == same
    assert 0 <= natural_id(*one) < 2**63


@given(st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=3), st.lists(st.text(max_size=5)))
def test_many_natural_ids_at_once_are_those_of_one_after_the_other(parts: list[str | int], keys: list[str]) -> None:
    assert natural_ids_below(*parts, keys=keys) == [natural_id(*parts, key) for key in keys]
