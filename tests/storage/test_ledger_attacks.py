"""What the database itself refuses, attacked by plain SQL, on both databases, as owner and as the application's role."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.book import book_id
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.guard_check import guard_findings
from billing_framework.storage.ledger.books import close_period, open_period
from billing_framework.storage.ledger.verify import verify
from billing_framework.storage.migrate import check
from billing_framework.storage.roles import grant_application_role
from billing_framework.values.errors import BillingError
from billing_framework.values.period import DateSpan
from tests.ledger_attacks import ATTACKS, LATE_LINES, SALE, Attack
from tests.ledger_world import MAIN, NOW, OTHER, count, post, sale, settle, sound, write, write_header, write_link, write_rows
from tests.postgres_server import Server

_TABLES = ("book", "gl_account", "period", "posting_batch", "batch_chain", "entry", "posting", "balance")
_ROLE = "billing_application"


def _on_each_database(*, guarded: bool) -> list[object]:
    """Return every attack on every database that it can be tried on, or only those whose guards can be dropped there."""
    return [
        pytest.param(dialect, attack, id=f"{dialect}-{attack.slug}")
        for attack in ATTACKS
        for dialect in attack.on
        if not guarded or dialect in attack.guards
    ]


def attempt(database: Database, attack: Attack) -> None:
    """Run an attack in a transaction of its own, and commit."""
    with database.begin() as connection:
        attack.run(connection)


@pytest.fixture(scope="module")
def settled_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Two books with a sale and a deposit on SQLite; every test leaves them as it found them."""
    path = tmp_path_factory.mktemp("settled") / "billing.sqlite3"
    shutil.copyfile(sqlite_template, path)
    opened = open_database(f"sqlite:///{path}")
    settle(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def settled_postgres(postgres_server: Server, postgres_template: str) -> Iterator[Database]:
    """Two books with a sale and a deposit on PostgreSQL, opened by the owner; every test leaves them as it found them."""
    with postgres_server.fresh_database(postgres_template) as name:
        opened = open_database(postgres_server.url(name))
        settle(opened)
        yield opened
        opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> Database:
    """Two books with a sale and a deposit."""
    opened: Database = request.getfixturevalue("settled_sqlite" if request.param == "sqlite" else "settled_postgres")
    return opened


@pytest.fixture(scope="module")
def application(postgres_server: Server, settled_postgres: Database) -> Iterator[Database]:
    """The same world on PostgreSQL, opened by a role that has the rights of the application and no others."""
    with settled_postgres.begin() as connection:
        connection.exec_driver_sql(f"DROP ROLE IF EXISTS {_ROLE}")
        connection.exec_driver_sql(f"CREATE ROLE {_ROLE} LOGIN")
        grant_application_role(connection, _ROLE)
    opened = open_database(postgres_server.url(str(settled_postgres.engine.url.database), _ROLE))
    yield opened
    opened.close()
    with settled_postgres.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {_ROLE}")
        connection.exec_driver_sql(f"DROP ROLE {_ROLE}")


@pytest.mark.parametrize(("world", "attack"), _on_each_database(guarded=False), indirect=["world"])
def test_the_database_refuses(world: Database, attack: Attack) -> None:
    before = [count(world, table) for table in _TABLES]
    with pytest.raises(BillingError) as refusal:
        attempt(world, attack)
    expected = attack.code or {"sqlite": "STORAGE09", "postgresql": "LEDGER11"}[world.dialect]
    assert refusal.value.code.startswith(expected)
    assert [count(world, table) for table in _TABLES] == before
    assert verify(world, MAIN) == []


@pytest.mark.parametrize("attack", [pytest.param(one, id=one.slug) for one in ATTACKS if "postgresql" in one.on])
def test_the_application_role_cannot_either(application: Database, attack: Attack) -> None:
    with pytest.raises(BillingError) as refusal:
        attempt(application, attack)
    # Either the role lacks the right, or the guard refuses.
    assert refusal.value.code.startswith(attack.code or "LEDGER11") or refusal.value.code == "STORAGE08"


def test_the_application_role_can_post(application: Database) -> None:
    post(application, sale("by role", 7))
    with application.begin() as connection:
        write(connection, sound("by hand"))
    assert verify(application, MAIN) == []


def test_the_application_role_opens_and_closes_periods_without_rights_on_their_partitions(application: Database) -> None:
    may = DateSpan(dt.date(2026, 5, 1), dt.date(2026, 6, 1))
    with application.begin() as connection:
        open_period(connection, MAIN, may)
    post(application, sale("in may", 7, may.start))
    with application.begin() as connection:
        close_period(connection, MAIN, may.start, now=NOW)
    with pytest.raises(BillingError, match="LEDGER06"):
        post(application, sale("after may", 7, may.start))
    with pytest.raises(BillingError, match="STORAGE08"), application.begin() as connection:
        connection.exec_driver_sql("SELECT * FROM posting_202605")


_SWITCHES = (
    "ALTER TABLE posting DISABLE TRIGGER posting_noted",
    "ALTER TABLE posting DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "DROP TRIGGER posting_batch_seal ON posting_batch",
    "DROP FUNCTION ledger_seal() CASCADE",
    "CREATE OR REPLACE FUNCTION ledger_seal() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "UPDATE balance SET amount = amount - 1",
    "INSERT INTO balance SELECT gl_account_id, 5, sub_key, currency, floor, -100000 FROM balance",
    "UPDATE batch_note SET sealed = false",
    "SELECT * FROM batch_note",
    "SELECT ledger_move_balances(1, 1, 1)",
    f"INSERT INTO posting_202601 {LATE_LINES}",
    "SELECT * FROM posting_202601",
    "UPDATE posting_202601 SET amount = 1",
    "DELETE FROM posting_202601",
    "TRUNCATE posting_202601",
    "DROP TABLE posting_202601",
    "ALTER TABLE posting DETACH PARTITION posting_202601",
    "ALTER TABLE posting DROP CONSTRAINT posting_pkey",
    "SET ROLE postgres",
)


@pytest.mark.parametrize("statement", _SWITCHES)
def test_the_application_role_cannot_switch_the_guards_off(application: Database, statement: str) -> None:
    with pytest.raises(BillingError, match="STORAGE08"), application.begin() as connection:
        connection.exec_driver_sql(statement)


_UPSERT_ON_PARTITION = (
    f"INSERT INTO posting_202601 SELECT * FROM posting WHERE entry_id = {SALE}"
    " ON CONFLICT (batch_id, entry_id, line, month) DO UPDATE SET amount = 1"
)
_ON_PARTITION = (
    (f"INSERT INTO posting_202601 {LATE_LINES}", "LEDGER01"),
    ("UPDATE posting_202601 SET amount = amount * 2", "LEDGER08"),
    ("DELETE FROM posting_202601", "LEDGER08"),
    ("TRUNCATE posting_202601", "LEDGER08"),
    ("TRUNCATE posting", "LEDGER08"),
    (_UPSERT_ON_PARTITION, "LEDGER08"),
)


@pytest.mark.parametrize(("statement", "code"), _ON_PARTITION)
def test_partitions_are_guarded_even_from_the_owner(settled_postgres: Database, statement: str, code: str) -> None:
    with pytest.raises(BillingError, match=code), settled_postgres.begin() as connection:
        connection.exec_driver_sql(statement)


def seal_and_extend(connection: Connection) -> None:
    """Insert the header and late lines in one statement."""
    sealed = sound("cunning").sealed()
    write_rows(connection, sealed)
    connection.execute(
        sa.text(
            "WITH header AS ("
            "INSERT INTO posting_batch (id, book_id, digest, entry_count, posting_count, posted_at, actor, source)"
            " VALUES (:id, :book, :digest, 1, 2, 1, 'x', 'x') RETURNING id)"
            " INSERT INTO posting SELECT batch_id, entry_id, line + 2, month, book_id, gl_account_id, account_id, sub_key,"
            " document_key, currency, amount FROM posting WHERE batch_id = :id"
        ),
        {"id": sealed.id, "book": sealed.book_id, "digest": sealed.digest},
    )


def test_one_statement_cannot_seal_and_extend(settled_postgres: Database) -> None:
    with pytest.raises(BillingError, match="LEDGER01"):
        attempt(settled_postgres, Attack(name="seal and extend", run=seal_and_extend, code="LEDGER01"))


def test_a_memo_can_be_erased_and_the_book_still_proves(world: Database) -> None:
    post(world, attrs.evolve(sale("named", 5), memo="for Mrs Smith"))
    with world.begin() as connection:
        connection.execute(sa.text("UPDATE entry SET memo = '' WHERE idempotency_key = 'named'"))
    assert verify(world, MAIN) == []


@pytest.mark.parametrize(("world", "attack"), _on_each_database(guarded=True), indirect=["world"])
def test_without_its_guard_the_attack_goes_through(world: Database, attack: Attack) -> None:
    guards = attack.guards[world.dialect]
    with _loosened(world, guards) as loose, undone(loose) as connection:
        for guard in guards:
            drop(connection, guard)
        attack.run(connection)
        if world.dialect == "postgresql":
            connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    assert verify(world, MAIN) == []
    assert check(world) == []


class _Undone(Exception):
    """Rolls a transaction back that would have gone through."""


@contextmanager
def undone(database: Database) -> Iterator[Connection]:
    """Yield a write transaction that is rolled back at its end, whatever went through in it."""
    with suppress(_Undone), database.begin() as connection:
        yield connection
        raise _Undone


@contextmanager
def _loosened(database: Database, guards: Iterable[str]) -> Iterator[Database]:
    """Open the database a second time, on SQLite without the settings that are named as guards."""
    pragmas = {"pragma:foreign_keys": "foreign_keys=OFF", "pragma:ignore_check_constraints": "ignore_check_constraints=ON"}
    wanted = [pragmas[guard] for guard in guards if guard in pragmas]

    def loosen(raw: sqlite3.Connection, _: object) -> None:
        for pragma in wanted:
            raw.execute(f"PRAGMA {pragma}")

    second = open_database(database.engine.url.render_as_string(hide_password=False))
    if wanted:
        sa.event.listen(second.engine, "connect", loosen)
        second.engine.dispose()
    yield second
    second.close()


def drop(connection: Connection, guard: str) -> None:
    """Take one guard away, as its table's owner could."""
    if "!" in guard:
        table, name = guard.split("!")
        connection.exec_driver_sql(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, owner in _triggers(connection):
        if name == guard:
            _drop_trigger(connection, name, owner)


def _drop_trigger(connection: Connection, name: str, owner: str) -> None:
    connection.exec_driver_sql(f'DROP TRIGGER "{name}"' + (f" ON {owner}" if owner else ""))


def _triggers(connection: Connection) -> list[tuple[str, str]]:
    if connection.dialect.name == "sqlite":
        query = "SELECT name, '' FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%LEDGER%'"
    else:
        query = (
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
            " WHERE proname LIKE 'ledger%%' AND NOT tgisinternal"
        )
    return [(name, owner) for name, owner in connection.exec_driver_sql(query)]


def test_the_check_names_every_dropped_guard(world: Database) -> None:
    with undone(world) as connection:
        assert guard_findings(connection) == []
        for name, owner in _triggers(connection):
            _drop_trigger(connection, name, owner)
            assert any(name in finding.what and "missing" in finding.what for finding in guard_findings(connection))


def test_books_are_apart(world: Database) -> None:
    with pytest.raises(BillingError, match="LEDGER07"):
        attempt(world, Attack(name="link to another book", run=link_to_another_book, code="LEDGER07"))


def link_to_another_book(connection: Connection) -> None:
    """Chain a sealed batch of one book to another."""
    sealed = sound("foreign").sealed()
    write_rows(connection, sealed)
    write_header(connection, sealed)
    write_link(connection, attrs.evolve(sealed, book_id=book_id(OTHER)))
