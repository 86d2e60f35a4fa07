"""Tables of usage are partitioned by month on PostgreSQL, and every partition is guarded as its table is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.guards import ISSUED, input_guards
from billing_framework.storage.column_types import microseconds
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.guard_proof import stated_findings
from billing_framework.storage.partitions import Partitioned, add_months, partitions_of
from billing_framework.storage.roles import grant_application_role
from billing_framework.storage.usage.kind_table import create_kind_tables, kind_guards, kind_table, kind_table_findings
from billing_framework.storage.usage.tables import USAGE_APPEND_ONLY
from billing_framework.usage.record import UsageKind
from billing_framework.values.errors import BillingError
from billing_framework.values.period import DateSpan
from tests.postgres_server import Server
from tests.usage.stays import STAY

JULY, AUGUST = DateSpan(date(2026, 7, 1), date(2026, 8, 1)), DateSpan(date(2026, 8, 1), date(2026, 9, 1))
DERIVED = kind_table(UsageKind(name="stay", title="", body=STAY.body))
TABLES = [Partitioned(table="usage_stay", column="start_at", guards=kind_guards(DERIVED))]
INPUTS = Partitioned(table="document_input", column="month", guards=input_guards())
PARTS = ["usage_stay__202607", "usage_stay__202608", "usage_stay__others"]


@pytest.fixture
def partitioned(postgres_database: Database) -> Database:
    """A database with the table of a kind, partitions of two months, and a record in each partition."""
    with postgres_database.begin() as connection:
        create_kind_tables(connection, [DERIVED])
        add_months(connection, TABLES, [JULY, AUGUST])
        for key, start in enumerate([(2026, 7, 31, 23, 59), (2026, 8, 1, 0, 0), (2026, 10, 5, 8, 0)], start=1):
            stored(connection, "usage_stay", key, datetime(*start, tzinfo=UTC))
    return postgres_database


def stored(connection: Connection, table: str, key: int, start: datetime) -> None:
    """Store a record into a table or one of its partitions, by plain SQL."""
    values: dict[str, object] = {}
    for column in DERIVED.table.columns:
        if column.nullable:
            continue
        kind = column.type.compile(dialect=connection.dialect).split(" COLLATE")[0]
        values[column.name] = {"BIGINT": key, "BYTEA": b"\0" * 32, "BOOLEAN": False}.get(kind, "1")
    values |= {"start_at": microseconds(start), "end_at": microseconds(start)}
    names = ", ".join(f'"{name}"' for name in values)
    bound = ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({bound})"), values)


def test_a_record_stands_in_the_partition_of_the_month_in_which_it_starts(partitioned: Database) -> None:
    with partitioned.read() as connection:
        assert partitions_of(connection, "usage_stay") == PARTS
        where = connection.execute(sa.text("SELECT tableoid::regclass::text, key FROM usage_stay ORDER BY key")).all()
        assert kind_table_findings(connection, [DERIVED]) == []
    assert where == list(zip(PARTS, (1, 2, 3), strict=True))


def test_a_look_up_by_subject_and_start_reads_one_partition(partitioned: Database) -> None:
    with partitioned.read() as connection:
        start = microseconds(datetime(2026, 8, 1, tzinfo=UTC))
        plan = connection.execute(sa.text(f"EXPLAIN SELECT * FROM usage_stay WHERE subject_id = 2 AND start_at = {start}"))
        told = "\n".join(row[0] for row in plan)
    assert "usage_stay__202608" in told
    assert "usage_stay__202607" not in told
    assert "usage_stay__others" not in told


def test_months_are_added_once_and_never_over_records_that_stand_elsewhere(partitioned: Database) -> None:
    months = [JULY, AUGUST, *(DateSpan(date(2026, month, 1), date(2026, month + 1, 1)) for month in (9, 10, 11))]
    with partitioned.begin() as connection:
        report = add_months(connection, TABLES, months)
        again = add_months(connection, TABLES, months)
    assert (report.added, report.there) == (("usage_stay__202609", "usage_stay__202611"), 2)
    assert report.left == again.left == ("usage_stay__202610",)
    assert (again.added, again.there) == ((), 4)


@pytest.mark.parametrize("partition", ["usage_stay", *PARTS])
@pytest.mark.parametrize("statement", ["UPDATE {} SET slot = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_no_partition_is_changed_by_whoever_addresses_it(partitioned: Database, partition: str, statement: str) -> None:
    with pytest.raises(BillingError, match=USAGE_APPEND_ONLY), partitioned.begin() as connection:
        connection.execute(sa.text(statement.format(partition)))
    with partitioned.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM usage_stay")) == 3


def test_a_record_does_not_go_into_the_partition_of_another_month(partitioned: Database) -> None:
    with pytest.raises(BillingError), partitioned.begin() as connection:
        stored(connection, "usage_stay__202607", 4, datetime(2026, 8, 2, tzinfo=UTC))


@pytest.fixture
def application(partitioned: Database, postgres_server: Server) -> Iterator[Database]:
    """The database as the role of the application sees it."""
    with postgres_server.connect() as admin:
        admin.execute("DROP ROLE IF EXISTS partition_app")
        admin.execute("CREATE ROLE partition_app LOGIN")
    with partitioned.begin() as connection:
        grant_application_role(connection, "partition_app", append_only=["usage_stay"])
        add_months(connection, TABLES, [DateSpan(date(2026, 12, 1), date(2027, 1, 1))])  # made after the rights were given
    name = partitioned.engine.url.database or ""
    opened = open_database(postgres_server.url(name, role="partition_app"))
    yield opened
    opened.close()
    with partitioned.begin() as connection:
        connection.execute(sa.text("DROP OWNED BY partition_app"))
    with postgres_server.connect() as admin:
        admin.execute("DROP ROLE partition_app")


def test_the_application_adds_through_the_table_and_reaches_no_partition(application: Database) -> None:
    with application.begin() as connection:
        stored(connection, "usage_stay", 4, datetime(2026, 12, 2, tzinfo=UTC))
    for partition in (*PARTS, "usage_stay__202612"):
        for statement in (f"SELECT * FROM {partition}", f"DELETE FROM {partition}", f"TRUNCATE {partition}"):
            with pytest.raises(BillingError, match="permission denied"), application.begin() as connection:
                connection.execute(sa.text(statement))
        with pytest.raises(BillingError, match="permission denied"), application.begin() as connection:
            stored(connection, partition, 5, datetime(2026, 7, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("done", "told"),
    [
        ("ALTER TABLE usage_stay__202607 DISABLE TRIGGER usage_stay_delete", "usage_stay_delete"),
        ("ALTER TABLE usage_stay__others DISABLE TRIGGER usage_stay_update", "usage_stay_update"),
        ("ALTER TABLE usage_stay__others DISABLE TRIGGER ALL", "usage_stay_truncate"),
        ("DROP TRIGGER usage_stay_truncate ON usage_stay__202608", "usage_stay_truncate"),
        ("DROP TRIGGER usage_stay_delete ON usage_stay", "usage_stay_delete"),
    ],
)
def test_a_guard_that_is_gone_from_a_partition_is_told(partitioned: Database, done: str, told: str) -> None:
    with partitioned.begin() as connection:
        assert stated_findings(connection, kind_guards(DERIVED)) == []
        connection.execute(sa.text(done))
        findings = stated_findings(connection, kind_guards(DERIVED))
    assert any(told in finding.what for finding in findings)


def drafted(connection: Connection) -> None:
    """Store a draft of December with its input, by plain SQL."""
    connection.execute(
        sa.text(
            "INSERT INTO document (id, book, account_id, account, month, kind, status, final, issue_on, due_on, period_start,"
            " period_end, currency, net, tax, gross, payable, version, revision, content, state, digest) VALUES (1, 'MAIN', 1,"
            " 'A', 202612, 'invoice', 'draft', true, '2026-12-01', '2026-12-31', '2026-11-01', '2026-12-01', 'EUR', 0, 0, 0, 0,"
            " 1, 1, '{}', '{}', :digest)"
        ),
        {"digest": b""},
    )
    given(connection, 202612)


def given(connection: Connection, month: int, table: str = "document_input") -> None:
    """Store an input of the draft."""
    connection.execute(sa.text(f"INSERT INTO {table} VALUES (1, 1, {month}, '{{}}', :digest)"), {"digest": b""})


DECEMBER = DateSpan(date(2026, 12, 1), date(2027, 1, 1))
INPUT_PARTS = ["document_input__202612", "document_input__others"]


@pytest.fixture
def rated(postgres_database: Database) -> Database:
    """A database with a partition for the inputs of December, and a draft with its input."""
    with postgres_database.begin() as connection:
        report = add_months(connection, [INPUTS], [DECEMBER])
        drafted(connection)
        assert (report.added, report.left) == (("document_input__202612",), ())
    return postgres_database


def test_an_input_stands_in_the_partition_of_its_document(rated: Database) -> None:
    with rated.read() as connection:
        assert partitions_of(connection, "document_input") == INPUT_PARTS
        assert connection.scalar(sa.text("SELECT tableoid::regclass::text FROM document_input")) == INPUT_PARTS[0]


@pytest.mark.parametrize("table", ["document_input", *INPUT_PARTS])
def test_a_document_has_no_second_input_in_another_month(rated: Database, table: str) -> None:
    for month in (202612, 202701):
        with pytest.raises(BillingError), rated.begin() as connection:
            given(connection, month, table)


@pytest.mark.parametrize("table", ["document_input", INPUT_PARTS[0]])
@pytest.mark.parametrize("statement", ["UPDATE {} SET manifest = 'x'", "TRUNCATE {}"])
def test_no_input_is_changed_by_whoever_addresses_its_partition(rated: Database, table: str, statement: str) -> None:
    with pytest.raises(BillingError, match="AR0[35]"), rated.begin() as connection:
        connection.execute(sa.text(statement.format(table)))


def test_the_guards_of_the_inputs_are_proved_on_each_partition(rated: Database) -> None:
    with rated.begin() as connection:
        assert stated_findings(connection, input_guards()) == []
        connection.execute(sa.text(f"ALTER TABLE {INPUT_PARTS[0]} DISABLE TRIGGER document_input_kept"))
        told = [finding.what for finding in stated_findings(connection, input_guards())]
    assert len(told) == 1
    assert f"switched off on {INPUT_PARTS[0]}" in told[0]


def test_on_sqlite_a_document_has_no_second_input_in_another_month(sqlite_database: Database) -> None:
    with sqlite_database.begin() as connection:
        drafted(connection)
    with pytest.raises(BillingError, match=ISSUED), sqlite_database.begin() as connection:
        given(connection, 202701)


def test_sqlite_keeps_the_table_in_one_piece(sqlite_database: Database) -> None:
    with sqlite_database.begin() as connection:
        create_kind_tables(connection, [DERIVED])
        assert [name for name in sa.inspect(connection).get_table_names() if "stay" in name] == ["usage_stay"]
