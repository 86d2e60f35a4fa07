"""What is issued stays as it is: the database refuses every statement that would change it, whoever sends it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.schema import grant_role
from billing_framework.storage.engine import Database, open_database
from billing_framework.values.errors import BillingError
from tests.postgres_server import Server
from tests.scenarios.attacks import ATTACKS, snapshot
from tests.scenarios.office import Office

ROLE = "billing_clerk"
FURTHER = {
    "switch a guard off": "ALTER TABLE document DISABLE TRIGGER ALL",
    "drop a guard": "DROP TRIGGER document_frozen ON document",
    "play the replica": "SET session_replication_role = replica",
    "empty the documents": "TRUNCATE document",
    "replace a guard's function": "CREATE OR REPLACE FUNCTION document_frozen() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RETURN NEW; END $$",
}


def bill_july(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4")
    office.bill("2026-07")


# A refused attack leaves nothing behind, so all attacks share one world on each database.
@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database in which July was billed."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        opened = open_database(f"sqlite:///{shutil.copyfile(template, tmp_path_factory.mktemp('issued') / 'billing.sqlite3')}")
        bill_july(opened)
        yield opened
        opened.close()
        return
    server: Server = request.getfixturevalue("postgres_server")
    with server.fresh_database(request.getfixturevalue("postgres_template")) as name:
        opened = open_database(server.url(name))
        bill_july(opened)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def clerk(postgres_server: Server, postgres_template: str) -> Iterator[Office]:
    """An office on PostgreSQL that the owner has set up, and in which the application's role has billed July."""
    with postgres_server.fresh_database(postgres_template) as name:
        owned = open_database(postgres_server.url(name))
        owner = Office.of(owned)
        owner.customer("C1", "drill")
        with owned.begin() as connection:
            if not connection.scalar(sa.text("SELECT count(*) FROM pg_roles WHERE rolname = :role"), {"role": ROLE}):
                connection.exec_driver_sql(f"CREATE ROLE {ROLE} LOGIN")
        grant_role(owner.deployment, ROLE)
        office = Office.at(open_database(postgres_server.url(name, ROLE)))
        office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4")
        office.bill("2026-07")
        yield office
        office.deployment.database.close()
        owned.close()


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_refuses(database: Database, attack: str) -> None:
    before = snapshot(database)
    with pytest.raises(BillingError) as refused, database.begin() as connection:
        connection.execute(sa.text(ATTACKS[attack]))
    assert refused.value.code.startswith(("AR", "CHARGE", "INVOICE", "STORAGE")), refused.value
    assert snapshot(database) == before


@pytest.mark.parametrize("attack", [*ATTACKS, *FURTHER])
def test_the_application_role_cannot_either(clerk: Office, attack: str) -> None:
    before = snapshot(clerk.deployment.database)
    with pytest.raises(BillingError), clerk.deployment.database.begin() as connection:
        connection.execute(sa.text({**ATTACKS, **FURTHER}[attack]))
    assert snapshot(clerk.deployment.database) == before


def test_the_application_role_can_correct_a_month(clerk: Office) -> None:
    clerk.jobs("j2,drill,2026-07-04T08:00:00+00:00,1", file="late.csv")
    rebill_document(clerk.deployment, "INV-2026-000001", reason="late usage")
    assert clerk.documents() == ["CN-2026-000001 C1 -41.80", "INV-2026-000001 C1 41.80", "INV-2026-000002 C1 44.00"]


def test_the_attacks_pass_once_the_guards_are_gone(sqlite_database: Database) -> None:
    """The negative control: it is the guards that refuse, not something else."""
    bill_july(sqlite_database)
    with sqlite_database.begin() as connection:
        for name in connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(sa.text(f"DROP TRIGGER {name}"))
    by_constraints = {"make it a draft again", "issue without a number of its own", "change an issued document"}
    for attack in ATTACKS.keys() - by_constraints:
        with sqlite_database.engine.connect() as connection:
            connection.execute(sa.text(ATTACKS[attack]))  # it goes through
            connection.rollback()
