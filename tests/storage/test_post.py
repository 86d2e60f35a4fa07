"""Posting through the product: idempotent, the same on both databases, refused with a remedy."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from billing_framework.ledger.batch import Batch
from billing_framework.ledger.book import Book, book_id
from billing_framework.ledger.chart import AccountType, Chart, Floor, GlAccount
from billing_framework.ledger.entry import reversal, sub_ledger_id
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.balances import book_balances, guarded_balance, sub_ledger_balances
from billing_framework.storage.ledger.batch_rows import head
from billing_framework.storage.ledger.books import (
    close_period,
    ensure_book,
    list_books,
    list_periods,
    load_book,
    load_chart,
    open_period,
    period_on,
    save_chart,
)
from billing_framework.storage.ledger.post import post_batch
from billing_framework.storage.ledger.verify import verify
from billing_framework.values.errors import BillingError, Conflict, LedgerRefused, NotFound
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan
from tests.ledger_world import (
    BANK,
    DAY,
    DECEMBER,
    DEPOSITS,
    MAIN,
    NOW,
    QUARTER,
    RECEIVABLE,
    REVENUE,
    chart,
    count,
    deposit,
    entry,
    post,
    sale,
    settle,
)


@pytest.fixture
def world(database: Database) -> Database:
    """Two books with a sale and a deposit."""
    settle(database)
    return database


def test_posting_again_changes_nothing_and_says_so(world: Database) -> None:
    first = post(world, sale("a", 1), sale("b", 2))
    assert (first.posted, first.existing, first.seq) == (("a", "b"), (), 3)
    rows = [count(world, table) for table in ("entry", "posting", "posting_batch", "batch_chain")]
    second = post(world, sale("a", 1), sale("b", 2))
    assert (second.posted, second.existing, second.batch_id, second.seq) == ((), ("a", "b"), None, None)
    assert [count(world, table) for table in ("entry", "posting", "posting_batch", "batch_chain")] == rows


def test_half_a_batch_can_exist(world: Database) -> None:
    post(world, sale("b", 2))
    result = post(world, sale("c", 3), sale("b", 2), sale("a", 1))
    assert (result.posted, result.existing) == (("c", "a"), ("b",))
    assert verify(world, MAIN) == []


def test_the_same_entries_make_the_same_chain_on_both(sqlite_database: Database, postgres_database: Database) -> None:
    heads = []
    for database in (sqlite_database, postgres_database):
        settle(database)
        post(database, *(sale(f"invoice {number}", number + 1) for number in range(50)), deposit("more", 7))
        post(database, reversal(sale("invoice 3", 4), key="credit", on=DAY, source="test"))
        with database.read() as connection:
            heads.append(head(connection, book_id(MAIN)))
    assert heads[0] == heads[1]
    assert heads[0][0] == 4


def test_other_content_under_a_key_is_a_conflict(world: Database) -> None:
    for other in (
        sale("sale", 9_999),
        sale("sale", 10_000, dt.date(2026, 1, 16)),
        attrs.evolve(sale("sale", 10_000), kind="other"),
    ):
        with pytest.raises(Conflict, match="LEDGER02 entry sale was posted before with other content"):
            post(world, other)
    assert post(world, attrs.evolve(sale("sale", 10_000), memo="other words")).existing == ("sale",)


def test_what_is_posted_stays_posted_after_the_close(world: Database) -> None:
    with world.begin() as connection:
        close_period(connection, MAIN, DAY, now=NOW)
    assert post(world, sale("sale", 10_000)).existing == ("sale",)


@pytest.mark.parametrize(
    ("on", "text"),
    [
        (DECEMBER.start, "entry x is dated 2025-12-01, but the period 2025-12-01/2025-12-31 is closed"),
        (QUARTER.end, "entry x is dated 2026-04-01, but no period of the book holds the date"),
    ],
)
def test_a_date_without_open_period_is_refused_with_a_remedy(world: Database, on: dt.date, text: str) -> None:
    with pytest.raises(LedgerRefused, match="LEDGER06") as refusal:
        post(world, sale("x", 1, on))
    assert text in refusal.value.what
    assert refusal.value.remedy


def test_unknown_accounts_and_books_are_named(world: Database) -> None:
    with pytest.raises(LedgerRefused, match="LEDGER05 book main has no account '9999'"):
        post(world, entry("x", (BANK, 1), ("9999", -1)))
    with pytest.raises(NotFound, match="LEDGER18 there is no book 'mayn'. Did you mean 'main'"):
        post(world, sale("x", 1), book="mayn")


def test_a_refused_batch_leaves_nothing(world: Database) -> None:
    with pytest.raises(LedgerRefused, match="LEDGER10"):
        post(world, sale("fine", 1), deposit("too much", -50_001))
    assert count(world, "entry") == 2
    assert post(world, sale("fine", 1)).posted == ("fine",)


def test_a_batch_moves_a_guarded_balance_by_its_sum(world: Database) -> None:
    """The order of entries in a batch does not matter: a draw may stand before the receipt that covers it."""
    post(world, deposit("draw", -50_002), deposit("receipt", 3))
    with world.read() as connection:
        held = guarded_balance(connection, MAIN, DEPOSITS, account_key="A1", sub_key="D1", currency="USD")
        nobody = guarded_balance(connection, MAIN, DEPOSITS, account_key="A9", sub_key="D1", currency="USD")
    assert (held, nobody) == (Money(-1, "USD"), Money(0, "USD"))


def test_balances_by_account_customer_and_dates(world: Database) -> None:
    post(world, sale("february", 700, dt.date(2026, 2, 1)))
    with world.read() as connection:
        january = book_balances(connection, MAIN, span=DateSpan(dt.date(2026, 1, 1), dt.date(2026, 2, 1)))
        everything = book_balances(connection, MAIN)
        receivable = sub_ledger_balances(connection, MAIN, RECEIVABLE)
        february = sub_ledger_balances(connection, MAIN, RECEIVABLE, span=DateSpan(dt.date(2026, 2, 1), dt.date(2026, 2, 2)))
    assert {line.code: line.balance.minor for line in january} == {
        BANK: 50_000,
        RECEIVABLE: 10_000,
        DEPOSITS: -50_000,
        REVENUE: -10_000,
    }
    assert {line.code: line.balance.minor for line in everything}[RECEIVABLE] == 10_700
    assert [(line.account_id, line.money.minor) for line in receivable] == [(sub_ledger_id("A1"), 10_700)]
    assert [line.money.minor for line in february] == [700]


def test_a_large_batch_crosses_every_block_boundary(world: Database) -> None:
    entries = tuple(sale(f"invoice {number:05}", number + 1) for number in range(5_000))
    assert len(post(world, *entries).posted) == 5_000
    assert len(post(world, *entries, sale("one more", 1)).existing) == 5_000
    assert verify(world, MAIN) == []


def test_books_and_charts_are_ensured(world: Database) -> None:
    with world.begin() as connection:
        assert not ensure_book(connection, Book(key=MAIN, name="Renamed", currency="USD"))
        assert load_book(connection, MAIN).name == "Renamed"
        assert [book.key for book in list_books(connection)] == ["main", "other"]
        assert load_chart(connection, MAIN) == chart(MAIN)
        save_chart(connection, Chart.of(MAIN, attrs.evolve(chart(MAIN).account(BANK), name="Cash at bank")))
        assert load_chart(connection, MAIN).account(BANK).name == "Cash at bank"
    with pytest.raises(Conflict, match="LEDGER14"), world.begin() as connection:
        ensure_book(connection, Book(key=MAIN, name="Main", currency="EUR"))


def test_an_account_can_be_corrected_until_it_is_used(world: Database) -> None:
    def change(code: str, floor: Floor) -> None:
        with world.begin() as connection:
            save_chart(connection, Chart.of(MAIN, GlAccount(code=code, name="New", type=AccountType.LIABILITY, floor=floor)))

    change("2300", Floor.NONE)
    change("2300", Floor.NO_DEBIT)
    post(world, entry("use", (BANK, 1), ("2300", -1)))
    with pytest.raises(LedgerRefused, match="LEDGER14"):
        change("2300", Floor.NONE)


def test_periods_open_once_and_close_for_good(world: Database) -> None:
    april = DateSpan(dt.date(2026, 4, 1), dt.date(2026, 5, 1))
    with world.begin() as connection:
        assert open_period(connection, MAIN, april) == open_period(connection, MAIN, april)
        assert [period.is_open for period in list_periods(connection, MAIN)] == [False, True, True]
        assert period_on(connection, MAIN, dt.date(2026, 5, 1)) is None
    refusals: list[tuple[str, DateSpan]] = [
        ("LEDGER09", DECEMBER),
        ("LEDGER15", DateSpan(dt.date(2026, 4, 30), dt.date(2026, 6, 1))),
    ]
    for code, span in refusals:
        with pytest.raises(BillingError, match=code), world.begin() as connection:
            open_period(connection, MAIN, span)
    with pytest.raises(BillingError, match="LEDGER09"), world.begin() as connection:
        close_period(connection, MAIN, DECEMBER.start, now=NOW)
    with pytest.raises(NotFound, match="LEDGER06"), world.begin() as connection:
        close_period(connection, MAIN, dt.date(2030, 1, 1), now=NOW)


def test_a_period_over_many_years_can_be_posted_to_in_every_month(world: Database) -> None:
    with world.begin() as connection:
        open_period(connection, MAIN, DateSpan(dt.date(2026, 4, 1), dt.date(2028, 1, 1)))
        dates = [dt.date(2026 + month // 12, month % 12 + 1, 28) for month in range(3, 24)]
        entries = tuple(sale(f"on {on}", 5, on) for on in dates)
        post_batch(connection, Batch(book=MAIN, source="test", entries=entries), now=NOW, actor="test")
    assert verify(world, MAIN) == []
