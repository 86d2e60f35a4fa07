"""Posting by the hundred goes by columns: the same rows, the same refusals, on both databases."""

from __future__ import annotations

import attrs
import pytest
import sqlalchemy as sa

from billing_framework.ledger.batch import Batch, sealed_entry
from billing_framework.ledger.book import book_id
from billing_framework.ledger.entry import Entry, reversal
from billing_framework.ledger.entry_columns import EntryColumns
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.batch_rows import head
from billing_framework.storage.ledger.post import MANY, PostedBatch, post_columns
from billing_framework.storage.ledger.tables import entry as entry_table
from billing_framework.storage.ledger.tables import posting
from billing_framework.storage.ledger.verify import verify
from billing_framework.values.errors import BillingError, Conflict, LedgerRefused, NotFound
from tests.ledger_world import BANK, DAY, DEPOSITS, MAIN, NOW, RECEIVABLE, REVENUE, count, deposit, entry, post, sale, settle


@pytest.fixture
def world(database: Database) -> Database:
    """Two books with a sale and a deposit."""
    settle(database)
    return database


def many(count: int = MANY) -> tuple[Entry, ...]:
    """Return entries of several dates, accounts and currencies, one of them with a memo and one with control characters."""
    plain = [sale(f"invoice {number}", number + 1, on=DAY.replace(day=number % 28 + 1)) for number in range(count - 3)]
    return (
        *plain,
        attrs.evolve(sale("told", 7), memo="Müller's cheque"),
        attrs.evolve(sale("line\nfeed\t'quoted'", 9), source="'; DROP TABLE entry"),
        entry("two currencies", (RECEIVABLE, 5), (REVENUE, -5), (RECEIVABLE, 7), (DEPOSITS, -7), currency="EUR"),
    )


def test_the_rows_are_those_of_the_entries(world: Database) -> None:
    some = many()
    told = post(world, *some)
    assert (told.posted, told.existing, told.seq) == (tuple(one.key for one in some), (), 3)
    wanted = [sealed_entry(one, MAIN) for one in some]
    memos = {one.key: one.memo for one in some}
    names = ("line", "gl_account_id", "account_id", "sub_key", "document_key", "currency", "amount")
    with world.read() as connection:
        rows = connection.execute(sa.select(entry_table).where(entry_table.c.batch_id == told.batch_id)).all()
        stored = {(row.id, row.idempotency_key, row.request_digest, row.effective_on, row.month, row.memo) for row in rows}
        assert stored == {(one.id, one.key, one.digest, one.effective_on, one.month, memos[one.key]) for one in wanted}
        rows = connection.execute(sa.select(posting).where(posting.c.batch_id == told.batch_id)).all()
        lines = {(row.entry_id, row.month, *(getattr(row, name) for name in names)) for row in rows}
        assert lines == {(one.id, one.month, *line) for one in wanted for line in one.lines}
    assert verify(world, MAIN) == []


def test_both_databases_have_one_chain(sqlite_database: Database, postgres_database: Database) -> None:
    heads = []
    for database in (sqlite_database, postgres_database):
        settle(database)
        post(database, *many(200))
        post(database, *(reversal(one, key=f"credit {one.key}", on=DAY, source="test") for one in many(200)))
        assert verify(database, MAIN) == []
        with database.read() as connection:
            heads.append(head(connection, book_id(MAIN)))
    assert heads[0] == heads[1]


def test_posting_again_posts_what_is_missing(world: Database) -> None:
    some = many(3 * MANY)
    post(world, *some[:MANY])
    told = post(world, *some)
    assert (told.posted, told.existing) == (tuple(one.key for one in some[MANY:]), tuple(one.key for one in some[:MANY]))
    rows = count(world, "posting")
    assert post(world, *some) == PostedBatch(posted=(), existing=tuple(one.key for one in some))
    assert count(world, "posting") == rows
    assert verify(world, MAIN) == []


@pytest.mark.parametrize(
    ("kind", "code", "odd"),
    [
        (Conflict, "LEDGER02", sale("sale", 9_999)),
        (LedgerRefused, "LEDGER05 book main has no account '9999'", entry("x", ("9999", 1), (REVENUE, -1))),
        (LedgerRefused, "LEDGER06 entry x is dated", sale("x", 1, on=DAY.replace(year=2031))),
        (LedgerRefused, "LEDGER10", entry("x", (BANK, -60_000), (DEPOSITS, 60_000))),
        (LedgerRefused, "LEDGER13", attrs.evolve(sale("x", 1), reverses="sale")),
    ],
)
def test_one_that_is_wrong_keeps_all_out(world: Database, kind: type[BillingError], code: str, odd: Entry) -> None:
    rows = count(world, "entry")
    with pytest.raises(kind, match=code):
        post(world, *many(), odd)
    assert count(world, "entry") == rows
    assert verify(world, MAIN) == []


def test_an_unknown_book_is_told(world: Database) -> None:
    columns = EntryColumns.of("none", many())
    assert columns is not None
    with pytest.raises(NotFound, match="LEDGER18"), world.begin() as connection:
        post_columns(connection, columns, source="test", now=NOW, actor="test")


def test_an_entry_is_taken_back_once(world: Database) -> None:
    post(world, *many())
    post(world, reversal(sale("sale", 10_000), key="back", on=DAY, source="test"))
    with pytest.raises(Conflict, match="LEDGER02"):
        post(world, *many(2 * MANY), reversal(sale("sale", 10_000), key="again", on=DAY, source="test"))
    assert verify(world, MAIN) == []


def test_few_in_columns_are_posted_too(world: Database) -> None:
    some = (sale("a", 1), deposit("b", 5))
    columns = EntryColumns.of(MAIN, some)
    assert columns is not None
    with world.begin() as connection:
        assert post_columns(connection, columns, source="test", now=NOW, actor="test").posted == ("a", "b")
    assert post(world, *some) == PostedBatch(posted=(), existing=("a", "b"))
    assert Batch(book=MAIN, source="test", entries=columns.entries()).entries == some
