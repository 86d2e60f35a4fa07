"""Verification names the row that was changed behind the guards' back."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from billing_framework.ledger.book import book_id
from billing_framework.ledger.chart import gl_account_id
from billing_framework.ledger.entry import entry_id, reversal
from billing_framework.storage.engine import Database, sqlite_path
from billing_framework.storage.ledger.batch_rows import head
from billing_framework.storage.ledger.verify import verify
from billing_framework.storage.migrate import check
from billing_framework.values.errors import NotFound
from tests.ledger_world import DAY, MAIN, OTHER, post, sale, settle

SALE = entry_id(MAIN, "sale")
LATER = entry_id(MAIN, "later")
_BATCH = f"(SELECT batch_id FROM entry WHERE id = {SALE})"


def tamper(database: Database, *statements: str) -> None:
    """Change rows as somebody can who has the file, or is a superuser: with the guards out of the way, and back afterwards."""
    if database.dialect == "postgresql":
        with database.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for statement in statements:
                connection.exec_driver_sql(statement)
        return
    database.close()
    with closing(sqlite3.connect(sqlite_path(database))) as raw, raw:
        triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            raw.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            raw.execute(statement)
        for _, sql in triggers:
            raw.execute(sql)


@pytest.fixture
def world(database: Database) -> Database:
    """Two books with a sale, a deposit, a reversal and a later sale."""
    settle(database)
    post(database, sale("wrong", 300))
    post(database, reversal(sale("wrong", 300), key="back", on=DAY, source="test"))
    post(database, sale("later", 700), sale("later still", 800))
    assert verify(database, MAIN) == []
    return database


CHANGES = (
    (f"UPDATE posting SET amount = amount * 2 WHERE entry_id = {SALE}", "LEDGER20", "entry sale of batch 1"),
    (f"UPDATE posting SET amount = amount + 1 WHERE entry_id = {SALE} AND line = 1", "LEDGER25", "entry sale of batch 1"),
    (f"UPDATE posting SET account_id = 5 WHERE entry_id = {SALE}", "LEDGER20", "entry sale of batch 1"),
    (f"UPDATE posting SET document_key = 'INV-9' WHERE entry_id = {LATER}", "LEDGER20", "entry later of batch 5"),
    (f"UPDATE posting SET month = 202602 WHERE entry_id = {SALE} AND line = 1", "LEDGER23", f"line 1 of entry id {SALE}"),
    (f"UPDATE posting SET book_id = 5 WHERE entry_id = {SALE} AND line = 2", "LEDGER23", f"line 2 of entry id {SALE}"),
    (f"DELETE FROM posting WHERE entry_id = {SALE} AND line = 2", "LEDGER20", "entry sale of batch 1"),
    (f"DELETE FROM posting WHERE entry_id = {SALE}", "LEDGER21", "batch 1"),
    (f"UPDATE entry SET effective_on = '2026-01-16' WHERE id = {SALE}", "LEDGER20", "entry sale of batch 1"),
    (f"UPDATE entry SET idempotency_key = 'bought' WHERE id = {SALE}", "LEDGER20", "entry bought of batch 1"),
    (f"UPDATE entry SET month = 202602 WHERE id = {SALE}", "LEDGER20", "entry sale"),
    (f"UPDATE entry SET period_id = 5 WHERE id = {SALE}", "LEDGER25", "entry sale of batch 1"),
    (f"UPDATE entry SET reverses_id = NULL WHERE id = {entry_id(MAIN, 'back')}", "LEDGER20", "entry back of batch 4"),
    (f"DELETE FROM entry WHERE id = {SALE}", "LEDGER21", "batch 1"),
    (f"DELETE FROM entry WHERE id = {SALE}", "LEDGER23", f"line 1 of entry id {SALE}"),
    (f"UPDATE posting_batch SET posted_at = posted_at + 1 WHERE id = {_BATCH}", "LEDGER22", "batch 1"),
    (f"UPDATE posting_batch SET entry_count = 7 WHERE id = {_BATCH}", "LEDGER21", "batch 1"),
    (f"UPDATE batch_chain SET seq = 99 WHERE batch_id = {_BATCH}", "LEDGER22", "batch 2"),
    (f"DELETE FROM batch_chain WHERE batch_id = {_BATCH}", "LEDGER22", "batch 2"),
    (f"DELETE FROM posting_batch WHERE id = {_BATCH}", "LEDGER23", "entry sale"),
    ("UPDATE balance SET amount = amount - 1", "LEDGER24", "balance of 2100"),
    ("DELETE FROM balance", "LEDGER24", "balance of 2100"),
    ("UPDATE gl_account SET floor = 'none' WHERE code = '2100'", "LEDGER24", "balance of 2100"),
    (f"UPDATE gl_account SET book_id = 5 WHERE id = {gl_account_id(MAIN, '4000')}", "LEDGER23", f"line 2 of entry id {SALE}"),
    ("UPDATE period SET starts_on = '2026-02-01' WHERE starts_on = '2026-01-01'", "LEDGER25", "entry sale of batch 1"),
)


@pytest.mark.parametrize(("change", "code", "subject"), CHANGES)
def test_a_changed_row_is_named(world: Database, change: str, code: str, subject: str) -> None:
    tamper(world, change)
    found = verify(world, MAIN)
    assert any(finding.code == code and finding.subject.startswith(subject) for finding in found), found
    assert check(world) == []


def test_a_changed_genesis_is_named(world: Database) -> None:
    value = "x'" + "ab" * 32 + "'" if world.dialect == "sqlite" else "decode(repeat('ab', 32), 'hex')"
    tamper(world, f"UPDATE book SET genesis = {value} WHERE key = '{MAIN}'")
    assert [finding.code for finding in verify(world, MAIN)] == ["LEDGER22"]


def test_a_forger_who_computes_digests_still_breaks_the_chain(world: Database) -> None:
    """Who rewrites an entry and its digest must rewrite every later hash, and then the heads written down elsewhere tell."""
    with world.read() as connection:
        seq, known = head(connection, book_id(MAIN))
    assert verify(world, MAIN, known_heads={seq: known}) == []
    tamper(
        world,
        f"DELETE FROM posting WHERE entry_id IN ({LATER}, {entry_id(MAIN, 'later still')})",
        f"DELETE FROM entry WHERE id IN ({LATER}, {entry_id(MAIN, 'later still')})",
        "DELETE FROM batch_chain WHERE seq = 5",
        f"DELETE FROM posting_batch WHERE id NOT IN (SELECT batch_id FROM batch_chain) AND book_id = {book_id(MAIN)}",
    )
    assert verify(world, MAIN) == []
    assert [finding.code for finding in verify(world, MAIN, known_heads={seq: known})] == ["LEDGER27"]


def test_what_cannot_be_read_is_a_finding(sqlite_database: Database) -> None:
    settle(sqlite_database)
    tamper(sqlite_database, f"UPDATE entry SET effective_on = 'yesterday' WHERE id = {SALE}")
    found = verify(sqlite_database, MAIN)
    assert any("cannot be read" in finding.what for finding in found)


def test_an_orphan_on_sqlite_is_named(sqlite_database: Database) -> None:
    settle(sqlite_database)
    tamper(
        sqlite_database,
        "INSERT INTO posting SELECT 77, 77, 1, month, book_id, gl_account_id, 0, '', '', currency, 5 FROM posting LIMIT 1",
    )
    found = verify(sqlite_database, MAIN)
    assert {"line 1 of entry id 77"} < {finding.subject for finding in found}
    assert any("refers to a row of posting_batch" in finding.what for finding in found)


def test_an_empty_book_proves(world: Database) -> None:
    assert verify(world, OTHER) == []
    with world.read() as connection:
        assert head(connection, book_id(OTHER))[0] == 0


def test_an_unknown_book_offers_the_nearest(world: Database) -> None:
    with pytest.raises(NotFound, match="LEDGER18 there is no book 'mian'. Did you mean 'main'"):
        verify(world, "mian")


def test_the_query_of_a_report_sees_the_same(world: Database) -> None:
    with world.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM posting p JOIN entry e ON e.id = p.entry_id")) == 12
