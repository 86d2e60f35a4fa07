"""What another program with plain SQL can do to rows that are kept for ever: nothing, with its own settings or its own tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from billing_framework.run.collect.payment import PaymentRequest, record_payment
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.schema import check_schema, grant_role
from billing_framework.storage.engine import Database, open_database, sqlite_path
from billing_framework.storage.guard_proof import core_guards, stated_findings
from billing_framework.storage.row_numbers import NUMBERED
from billing_framework.values.errors import BillingError
from billing_framework.values.money import Money
from tests.grown import grown_once
from tests.postgres_server import Server
from tests.scenarios.office import Office

KEPT = (
    "audit_event", "usage_batch", "usage_subject", "usage_key", "usage_job", "book_version", "plan_version", "tax_file",
    "document", "document_line", "document_tax", "document_input", "document_party", "document_state_read", "charge_key",
    "carried_state", "number_issued", "posting_manifest", "run", "run_account", "open_item", "allocation", "payment", "posting",
    "entry", "posting_batch", "batch_chain",
)  # fmt: skip
ROLE = "billing_visitor"


@grown_once
def worked(database: Database) -> Office:
    """Return an office in which everything that is kept has a row: a bill, a payment of it, a credit note."""
    office = Office.of(database)
    office.customer("C1", "drill")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4")
    office.bill("2026-07")
    money = Money.of("20", "USD")
    record_payment(
        office.deployment,
        PaymentRequest(account="C1", money=money, received_on=office.clock.now().date(), external_ref="R1"),
    )
    credit_document(office.deployment, "INV-2026-000001", reason="goodwill", nets={1: "1.00"})
    return office


def other_values(value: object) -> object:
    """Return a value of the same kind that differs."""
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, int):
        return value + 1
    return f"{value}x" if isinstance(value, str) else 1


def tampering(connection: sqlite3.Connection, table: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield statements that change, remove or replace each row of a table, column by column."""
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    keys = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")') if row[5]] or ["key"]  # usage has none
    where = " AND ".join(f'"{key}" IS ?' for key in keys)
    slots, stored = ", ".join("?" * len(columns)), dict[str, object]()
    numbered = table in NUMBERED
    for row in connection.execute(f'SELECT * FROM "{table}"').fetchall():
        stored = dict(zip(columns, row, strict=True))
        own = tuple(stored[key] for key in keys)
        yield f'DELETE FROM "{table}" WHERE {where}', own
        for column in columns:
            changed = other_values(stored[column])
            for verb in ("UPDATE", "UPDATE OR REPLACE"):
                yield f'{verb} "{table}" SET "{column}" = ? WHERE {where}', (changed, *own)
            if column not in keys:
                values = tuple(changed if name == column else value for name, value in stored.items())
                yield f'INSERT OR REPLACE INTO "{table}" VALUES ({slots})', values
        if numbered:  # another row under the number of this one, or the number of another row for this one
            names = ", ".join(f'"{column}"' for column in columns)
            others = {name: other_values(value) if name in keys else value for name, value in stored.items()}
            number = f'(SELECT rowid FROM "{table}" WHERE {where})'
            yield f'INSERT OR REPLACE INTO "{table}" (rowid, {names}) VALUES ({number}, {slots})', (*own, *others.values())
            yield f'UPDATE OR REPLACE "{table}" SET rowid = {number} WHERE NOT ({where})', (*own, *own)
    if table == "document":  # the draft that would take the place of the issued one
        drafted = {**stored, "status": "draft", "number": None, "series": None, "counter": None}
        yield f"INSERT OR REPLACE INTO document VALUES ({slots})", tuple(drafted.values())
        drafted |= {"id": 12345, "run_id": None, "posted_at": None}
        names = ", ".join(f'"{column}"' for column in columns)
        number = "(SELECT min(rowid) FROM document)"
        yield f"INSERT OR REPLACE INTO document (rowid, {names}) VALUES ({number}, {slots})", tuple(drafted.values())


def test_the_rows_of_every_kept_table_are_guarded_by_their_numbers(sqlite_database: Database) -> None:
    with sqlite_database.read() as connection:
        tables = {name: bool(bare) for name, bare in connection.execute(sa.text("SELECT name, wr FROM pragma_table_list"))}
        keys = {
            name: list(connection.scalars(sa.text("SELECT type FROM pragma_table_info(:name) WHERE pk"), {"name": name}))
            for name, is_without in tables.items()
            if not is_without
        }
    beside = {name for name, types in keys.items() if types and types != ["INTEGER"]}
    guarded = {guard.table for guard in core_guards() if guard.event == "DELETE" or guard.name.endswith("_taken")}
    assert sorted(beside & guarded) == sorted(NUMBERED)


def test_a_foreign_program_changes_nothing_that_is_kept(sqlite_database: Database) -> None:
    worked(sqlite_database)
    foreign = sqlite3.connect(sqlite_path(sqlite_database), isolation_level=None)  # no foreign keys, no recursive triggers
    passed = []
    for table in KEPT:
        before = foreign.execute(f'SELECT * FROM "{table}" ORDER BY 1, 2').fetchall()
        assert before, table
        for statement, values in list(tampering(foreign, table)):
            try:
                foreign.execute(statement, values)
            except sqlite3.Error:
                continue
            if foreign.execute(f'SELECT * FROM "{table}" ORDER BY 1, 2').fetchall() != before:
                passed.append((statement, values))
                break
    foreign.close()
    assert passed == []


@pytest.fixture
def visitor(postgres_server: Server, postgres_database: Database) -> Iterator[Database]:
    """The database of a worked office on PostgreSQL, opened by the application's role."""
    office = worked(postgres_database)
    with postgres_database.begin() as connection:
        if not connection.scalar(sa.text("SELECT count(*) FROM pg_roles WHERE rolname = :role"), {"role": ROLE}):
            connection.exec_driver_sql(f"CREATE ROLE {ROLE} LOGIN")
    grant_role(office.deployment, ROLE)
    opened = open_database(postgres_server.url(str(postgres_database.engine.url.database), ROLE))
    yield opened
    opened.close()


DRAFTS = "CREATE TEMP TABLE document AS SELECT id, 'draft' AS status FROM public.document"
MORE = (
    "INSERT INTO public.allocation SELECT id + 1, key || 'x', account_id, debit_id, credit_id, currency, 900000, on_date,"
    " strategy, line, undoes_id, actor, at FROM public.allocation"
)
SHADOWED = {
    "DELETE FROM public.document_line": DRAFTS,
    "DELETE FROM public.document_input": DRAFTS,
    "DELETE FROM public.charge_key": DRAFTS,
    "UPDATE public.number_series SET next_number = 1": "CREATE TEMP TABLE number_issued (book text, series text, counter bigint)",
    "UPDATE public.account SET currency = 'EUR'": "CREATE TEMP TABLE agreement (account text)",
    MORE: "CREATE TEMP TABLE allocation (debit_id bigint, credit_id bigint, amount bigint)",
}


@pytest.mark.parametrize("statement", SHADOWED)
def test_tables_of_a_session_hide_none_of_ours(visitor: Database, statement: str) -> None:
    with visitor.engine.connect() as connection:
        connection.execute(sa.text(SHADOWED[statement]))
        with pytest.raises(BillingError):
            connection.execute(sa.text(statement))


def test_a_role_makes_no_functions_where_guards_look(visitor: Database) -> None:
    with pytest.raises(BillingError, match="STORAGE08"), visitor.begin() as connection:
        connection.exec_driver_sql("CREATE FUNCTION public.sum(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0'")


def test_every_guard_that_is_gone_is_named(database: Database) -> None:
    office = Office.of(database)
    assert check_schema(office.deployment) == []
    for guard in core_guards():
        if guard.only not in ("", database.dialect):
            continue
        with database.engine.connect() as connection:  # each is put back by the rollback
            on = f" ON {guard.table}" if database.dialect == "postgresql" else ""
            connection.execute(sa.text(f"DROP TRIGGER {guard.name}{on}"))
            (finding,) = stated_findings(connection, core_guards())
            assert (finding.subject, guard.name in finding.what) == (guard.table, True)
            connection.rollback()


def test_a_row_of_a_foreign_number_stops_nobody(sqlite_database: Database) -> None:
    office = worked(sqlite_database)
    foreign = sqlite3.connect(sqlite_path(sqlite_database), isolation_level=None)
    for table in ("document_party", "document_line", "number_issued", "open_item", "charge_key", "billed_period", "usage_job"):
        columns = [row[1] for row in foreign.execute(f'PRAGMA table_info("{table}")')]
        for guard in foreign.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
        ).fetchall():
            if not guard[0].endswith(("row_taken", "row_moved", "usage_job_taken")):
                foreign.execute(f"DROP TRIGGER {guard[0]}")
        values = {name: other_values(foreign.execute(f'SELECT "{name}" FROM "{table}"').fetchone()[0]) for name in columns}
        names = ", ".join(f'"{name}"' for name in columns)
        foreign.execute(f'INSERT INTO "{table}" (rowid, {names}) VALUES (-1{", ?" * len(columns)})', tuple(values.values()))
    foreign.close()
    office.jobs("j2,drill,2026-08-03T08:00:00+00:00,4")
    assert office.bill("2026-08").posted == 1
