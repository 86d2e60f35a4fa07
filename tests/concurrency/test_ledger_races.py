"""Races on the ledger: what must hold when several transactions want the same batch, key, balance, period or chain."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from functools import partial

import pytest
import sqlalchemy as sa

from billing_framework.ledger.batch import Batch
from billing_framework.ledger.book import AccountingPeriod, book_id
from billing_framework.ledger.chart import AccountType, Chart, Floor, GlAccount
from billing_framework.ledger.entry import Entry, Posting
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.ledger.balances import guarded_balance
from billing_framework.storage.ledger.batch_rows import insert_postings
from billing_framework.storage.ledger.books import close_period, hold_period, open_period, save_chart
from billing_framework.storage.ledger.post import MANY, post_batch
from billing_framework.storage.ledger.verify import verify
from billing_framework.storage.migrate import check, upgrade
from billing_framework.values.errors import BillingError, Conflict
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan
from tests.finance_vectors import VECTORS
from tests.ledger_world import (
    BANK,
    DAY,
    DEPOSITS,
    MAIN,
    NOW,
    OTHER,
    QUARTER,
    RECEIVABLE,
    REVENUE,
    count,
    deposit,
    entry,
    post,
    sale,
    settle,
    sound,
    write_header,
    write_link,
    write_rows,
)
from tests.postgres_server import Server

THREADS = 8
BLOCKED_SECONDS = 0.4
PATIENCE_SECONDS = 60


@pytest.fixture
def world(database: Database) -> Database:
    """Two books with a sale and a deposit of 500.00."""
    settle(database)
    return database


@pytest.fixture
def postgres_world(postgres_database: Database) -> Database:
    """The same on PostgreSQL, for races that SQLite's one writer excludes."""
    settle(postgres_database)
    return postgres_database


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that are joined at the end of the test."""
    with ThreadPoolExecutor(THREADS) as threads:
        yield threads


def outcome(action: Callable[[], object]) -> str:
    """Run `action` and return its result as text, or the code of its refusal."""
    try:
        return str(action())
    except BillingError as error:
        return error.code


def together(pool: ThreadPoolExecutor, actions: Sequence[Callable[[], object]]) -> list[str]:
    """Run all actions at the same instant, one thread each, and return their outcomes."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> str:
        start.wait(PATIENCE_SECONDS)
        return outcome(action)

    return list(pool.map(run, actions, timeout=PATIENCE_SECONDS))


def is_blocked(future: Future[str]) -> bool:
    """Return whether the action waits for somebody."""
    try:
        future.result(BLOCKED_SECONDS)
    except StillRunning:
        return True
    return False


def posting_of(database: Database, *entries: Entry) -> Callable[[], str]:
    """Return an action that posts entries and says whether they were posted or existed."""

    def action() -> str:
        result = post(database, *entries)
        return "posted" if result.posted else "exists"

    return action


def test_one_key_from_many_threads_is_posted_once(world: Database, pool: ThreadPoolExecutor) -> None:
    vector = VECTORS["led-02"]
    threads = vector["inputs"]["threads"]
    outcomes = Counter(together(pool, [posting_of(world, sale("once", 100)) for _ in range(threads)]))
    assert outcomes == vector["expected"] | {"posted": 1}
    assert verify(world, MAIN) == []


def test_one_key_with_other_content_is_a_conflict(world: Database, pool: ThreadPoolExecutor) -> None:
    outcomes = Counter(together(pool, [posting_of(world, sale("once", 100 + number)) for number in range(THREADS)]))
    assert outcomes == {"posted": 1, "LEDGER02": THREADS - 1}


@pytest.mark.parametrize("size", [40, 2 * MANY])
def test_overlapping_batches_of_two_threads_post_each_key_once(world: Database, pool: ThreadPoolExecutor, size: int) -> None:
    batches = [[sale(f"key {number}", 100) for number in range(shift, shift + size)] for shift in range(0, 8 * THREADS, 8)]
    outcomes = together(pool, [posting_of(world, *entries) for entries in batches])
    assert set(outcomes) <= {"posted", "exists"}
    assert count(world, "entry") == 2 + 8 * (THREADS - 1) + size
    assert verify(world, MAIN) == []


def test_one_entry_is_reversed_once(world: Database, pool: ThreadPoolExecutor) -> None:
    backs = [entry(f"back {number}", (RECEIVABLE, -10_000), (REVENUE, 10_000), reverses="sale") for number in range(THREADS)]
    outcomes = Counter(together(pool, [posting_of(world, back) for back in backs]))
    assert outcomes == {"posted": 1, "LEDGER02": THREADS - 1}


def test_many_posters_make_one_chain(world: Database, pool: ThreadPoolExecutor) -> None:
    def several(number: int) -> Callable[[], object]:
        return lambda: [post(world, sale(f"chain {number}/{step}", 1)) for step in range(5)] and "done"

    assert set(together(pool, [several(number) for number in range(THREADS)])) == {"done"}
    assert count(world, "batch_chain") == 2 + 5 * THREADS
    assert verify(world, MAIN) == []


def test_draws_never_exceed_what_is_held(world: Database, pool: ThreadPoolExecutor) -> None:
    draws = [posting_of(world, deposit(f"draw {number}", -9_000)) for number in range(THREADS)]
    assert Counter(together(pool, draws)) == {"posted": 5, "LEDGER10": THREADS - 5}
    with world.read() as connection:
        held = guarded_balance(connection, MAIN, DEPOSITS, account_key="A1", sub_key="D1", currency="USD")
    assert held == Money(-5_000, "USD")
    assert verify(world, MAIN) == []


def test_no_client_is_overdrawn_by_another_clients_money(world: Database) -> None:
    vector = VECTORS["trust-01"]["inputs"]

    def trust(key: str, matter: str, minor: int) -> Entry:
        lines = (
            Posting(gl_account=BANK, money=Money(minor, "USD")),
            Posting(gl_account=DEPOSITS, money=Money(-minor, "USD"), sub_key=matter),
        )
        return Entry(key=key, effective_on=DAY, kind="trust", source="test", postings=lines)

    for matter, amount in vector["deposits"].items():
        post(world, trust(f"receipt {matter}", matter, Money.of(amount, "USD").minor))
    for matter, amount in vector["draw"].items():
        with pytest.raises(BillingError, match="LEDGER10"):
            post(world, trust(f"draw {matter}", matter, -Money.of(amount, "USD").minor))


def test_crossing_guarded_accounts_do_not_deadlock(world: Database, pool: ThreadPoolExecutor) -> None:
    """Each transaction moves money between the same deposits, in either direction, two entries at a time."""

    def move(key: str, from_: str, to: str) -> Entry:
        lines = (
            Posting(gl_account=DEPOSITS, money=Money(10, "USD"), account_key=from_),
            Posting(gl_account=DEPOSITS, money=Money(-10, "USD"), account_key=to),
        )
        return Entry(key=key, effective_on=DAY, kind="move", source="test", postings=lines)

    accounts = ["A", "B", "C"]
    for account in accounts:
        lines = (
            Posting(gl_account=BANK, money=Money(9_000, "USD")),
            Posting(gl_account=DEPOSITS, money=Money(-9_000, "USD"), account_key=account),
        )
        post(world, Entry(key=f"receipt {account}", effective_on=DAY, kind="receipt", source="test", postings=lines))

    def crossing(number: int) -> Callable[[], object]:
        order = accounts[number % 3 :] + accounts[: number % 3]
        order = order[::-1] if number % 2 else order
        return lambda: [
            post(world, move(f"{number}/{step}/a", order[0], order[1]), move(f"{number}/{step}/b", order[2], order[0]))
            for step in range(5)
        ] and "done"  # fmt: skip

    assert set(together(pool, [crossing(number) for number in range(THREADS)])) == {"done"}
    assert verify(world, MAIN) == []


def test_two_books_in_one_transaction_do_not_deadlock(world: Database, pool: ThreadPoolExecutor) -> None:
    in_order = sorted((MAIN, OTHER), key=book_id)

    def in_both(number: int) -> None:
        with world.begin() as connection:
            for book in in_order:
                post_batch(
                    connection, Batch(book=book, source="test", entries=(sale(f"both {number}", 5),)), now=NOW, actor="test"
                )

    outcomes = together(pool, [partial(in_both, number) for number in range(THREADS)])
    assert set(outcomes) == {"None"}
    assert verify(world, MAIN) == verify(world, OTHER) == []


def test_a_closer_waits_for_an_open_poster(world: Database, pool: ThreadPoolExecutor) -> None:
    with world.begin() as connection:
        post_batch(connection, Batch(book=MAIN, source="test", entries=(sale("in time", 1),)), now=NOW, actor="test")
        closing = pool.submit(outcome, lambda: close(world))
        assert is_blocked(closing)
    assert closing.result(PATIENCE_SECONDS) == "closed"
    assert outcome(lambda: post(world, sale("too late", 1))) == VECTORS["led-03"]["expected"]["result"].removeprefix("refused ")
    assert verify(world, MAIN) == []


def close(database: Database) -> str:
    """Close the open quarter."""
    with database.begin() as connection:
        close_period(connection, MAIN, DAY, now=NOW)
    return "closed"


def test_a_poster_waits_for_an_open_closer_and_is_refused(world: Database, pool: ThreadPoolExecutor) -> None:
    with world.begin() as connection:
        close_period(connection, MAIN, DAY, now=NOW)
        posting = pool.submit(outcome, posting_of(world, sale("too late", 1)))
        assert is_blocked(posting)
    assert posting.result(PATIENCE_SECONDS) == "LEDGER06"


def test_a_close_with_entries_of_its_own_does_not_deadlock(world: Database, pool: ThreadPoolExecutor) -> None:
    def close_with_entries() -> str:
        with world.begin() as connection:
            hold_period(connection, AccountingPeriod(book=MAIN, span=QUARTER))
            post_batch(connection, Batch(book=MAIN, source="close", entries=(sale("accrual", 1),)), now=NOW, actor="test")
            close_period(connection, MAIN, DAY, now=NOW)
        return "closed"

    posters = [posting_of(world, sale(f"meanwhile {number}", 1)) for number in range(THREADS - 1)]
    outcomes = Counter(together(pool, [close_with_entries, *posters]))
    assert outcomes["closed"] == 1
    assert outcomes["posted"] + outcomes["LEDGER06"] == THREADS - 1
    assert verify(world, MAIN) == []


def add_line(database: Database, isolation: str) -> str:
    """Add lines to the batch of `sound("raced")`, without its other rows."""
    sealed = sound("raced").sealed()
    with database.engine.connect() as connection, connection.execution_options(isolation_level=isolation).begin():
        connection.execute(sa.text("SELECT 1 FROM entry LIMIT 1"))
        insert_postings(connection, sealed)
    return "added"


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize("commits", [True, False])
def test_nobody_else_adds_to_an_open_batch(
    postgres_world: Database, pool: ThreadPoolExecutor, isolation: str, *, commits: bool
) -> None:
    sealed = sound("raced").sealed()
    with postgres_world.engine.connect() as connection, connection.begin() as transaction:
        write_rows(connection, sealed)
        adding = pool.submit(outcome, lambda: add_line(postgres_world, isolation))
        assert is_blocked(adding)
        write_header(connection, sealed)
        write_link(connection, sealed)
        if not commits:
            transaction.rollback()
    # Unique line numbers, the note of the batch, or the missing header: one of them refuses, whatever happens to the first.
    assert adding.result(PATIENCE_SECONDS) in (("LEDGER01", "STORAGE05", "STORAGE06") if commits else ("LEDGER11",))
    assert verify(postgres_world, MAIN) == []
    assert count(postgres_world, "posting") == (6 if commits else 4)


def test_an_account_cannot_lose_its_floor_under_an_open_poster(postgres_world: Database, pool: ThreadPoolExecutor) -> None:
    unused = Chart.of(MAIN, GlAccount(code="2200", name="Prepaid", type=AccountType.LIABILITY, floor=Floor.NO_DEBIT))
    with postgres_world.begin() as connection:
        save_chart(connection, unused)

    def lift_floor() -> str:
        with postgres_world.begin() as connection:
            save_chart(connection, Chart.of(MAIN, GlAccount(code="2200", name="Prepaid", type=AccountType.LIABILITY)))
        return "lifted"

    with postgres_world.begin() as connection:
        post_batch(
            connection, Batch(book=MAIN, source="test", entries=(entry("p", (BANK, 5), ("2200", -5)),)), now=NOW, actor="test"
        )
        lifting = pool.submit(outcome, lift_floor)
        assert is_blocked(lifting)
    assert lifting.result(PATIENCE_SECONDS) == "LEDGER14"


def test_a_period_cannot_be_deleted_under_an_open_poster(postgres_world: Database, pool: ThreadPoolExecutor) -> None:
    may = DateSpan(dt.date(2026, 5, 1), dt.date(2026, 6, 1))
    with postgres_world.begin() as connection:
        opened = open_period(connection, MAIN, may)

    def delete() -> str:
        with postgres_world.begin() as connection:
            connection.execute(sa.text("DELETE FROM period WHERE id = :id"), {"id": opened.id})
        return "deleted"

    with postgres_world.begin() as connection:
        post_batch(connection, Batch(book=MAIN, source="test", entries=(sale("in may", 1, may.start),)), now=NOW, actor="test")
        deleting = pool.submit(outcome, delete)
        assert is_blocked(deleting)
    assert deleting.result(PATIENCE_SECONDS) == "LEDGER14"


def test_the_same_period_opened_twice_at_once_opens_once(world: Database, pool: ThreadPoolExecutor) -> None:
    spans = [DateSpan(dt.date(2026, 4, day), dt.date(2026, 7, day)) for day in range(1, THREADS + 1)]

    def open_(span: DateSpan) -> str:
        with world.begin() as connection:
            open_period(connection, MAIN, span)
        return "opened"

    outcomes = Counter(together(pool, [partial(open_, span) for span in spans]))
    assert outcomes["opened"] == 1
    assert set(outcomes) <= {"opened", "LEDGER15", "STORAGE06"}


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_negative_control_sum_then_insert_overdraws(postgres_world: Database, pool: ThreadPoolExecutor, isolation: str) -> None:
    """Why the floor is the database's: who sums first and inserts then overdraws, also under REPEATABLE READ."""
    with postgres_world.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE naive (amount bigint)")
        connection.exec_driver_sql("INSERT INTO naive VALUES (100)")
    summed = threading.Barrier(2)

    def draw() -> str:
        with postgres_world.engine.connect() as connection, connection.execution_options(isolation_level=isolation).begin():
            covered = connection.scalar(sa.text("SELECT sum(amount) FROM naive")) >= 100
            summed.wait(PATIENCE_SECONDS)
            if covered:
                connection.exec_driver_sql("INSERT INTO naive VALUES (-100)")
        return "drawn"

    assert together(pool, [draw, draw]) == ["drawn", "drawn"]
    with postgres_world.read() as connection:
        assert connection.scalar(sa.text("SELECT sum(amount) FROM naive")) == -100


def test_two_upgrades_at_once_make_one_schema(
    postgres_server: Server, tmp_path_factory: pytest.TempPathFactory, pool: ThreadPoolExecutor
) -> None:
    with postgres_server.fresh_database() as name:
        for url in (postgres_server.url(name), f"sqlite:///{tmp_path_factory.mktemp('upgrade')}/billing.sqlite3"):
            databases = [open_database(url) for _ in range(3)]
            outcomes = together(pool, [partial(upgrade, database) for database in databases])
            assert set(outcomes) == {"None"}
            assert check(databases[0]) == []
            for database in databases:
                database.close()


def test_a_conflict_within_the_batch_of_another_leaves_the_rest_postable(world: Database) -> None:
    with pytest.raises(Conflict, match="LEDGER02"):
        post(world, sale("fresh", 1), sale("sale", 1))
    assert post(world, sale("fresh", 1), sale("sale", 10_000)).existing == ("sale",)
