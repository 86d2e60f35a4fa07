"""A deployment that takes in parked cars: one account in Berlin with the card CARD-1, and a reader of delimited text."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.party import Party
from billing_framework.plugin.hookspecs import hookimpl
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import DeploymentSettings, Settings
from billing_framework.rating.measure_rater import measure_rater
from billing_framework.run.deployment import Deployment
from billing_framework.run.schema import tables_of
from billing_framework.run.usage.intake import IntakeReport, take_in
from billing_framework.storage.engine import Database
from billing_framework.storage.master.account_rows import insert_values
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.storage.usage.kind_table import create_kind_tables
from billing_framework.usage.delimited import Layout, delimited_reader
from billing_framework.usage.reader import Reader, ReadItem, ReadRequest
from billing_framework.values.clock import MovableClock
from billing_framework.values.finding import Finding
from tests.usage.stays import STAY

COLUMNS = {
    "external_id": "ticket",
    "subject": "card",
    "start": "entered",
    "minutes": "minutes",
    "fee": "fee",
    "slot": "slot",
    "version": "v",
}
HEADER = "ticket,card,entered,minutes,fee,slot,v"


class Gate:
    """The plugin: a kind, a delimited format, a rater, and readers that misbehave as a test tells them."""

    def __init__(self, *items: Any) -> None:
        self.items = items

    @hookimpl
    def billing_usage_kinds(self) -> list[Any]:
        return [STAY]

    @hookimpl
    def billing_readers(self) -> list[Reader]:
        def told(_: BinaryIO, __: ReadRequest) -> Iterator[ReadItem]:
            for item in self.items:
                yield item() if callable(item) else item

        return [
            delimited_reader("tickets", "Exit tickets", Layout(kind=STAY, columns=COLUMNS)),
            Reader(format="told", title="What the test says", kinds=("stay",), read=told, options={"colour": "any"}),
        ]

    @hookimpl
    def billing_raters(self) -> list[Any]:
        return [measure_rater("stay", "minutes", "minute", "parked")]


def gate_of(database: Database, *items: Any) -> Deployment:
    """Return the deployment, its schema upgraded and its customer created."""
    deployment = Deployment(
        settings=Settings(
            deployment=DeploymentSettings(name="gate", database="sqlite:///x", currency="EUR", zone="Europe/Berlin")
        ),
        settings_sha256="",
        folder=Path.cwd(),
        host=Host.build([("gate", Gate(*items))]),
        database=database,
        clock=MovableClock(datetime(2026, 8, 1, 9, tzinfo=UTC)),
        actor="ada",
    )
    with database.begin() as connection:  # the fixture has run the migrations already
        create_kind_tables(connection, tables_of(deployment))
        insert_values(connection, PARTIES, [Party(code="P1", name="Ada")])
        insert_values(connection, ACCOUNTS, [Account(code="A1", party="P1", book="CITY", currency="EUR", zone="Europe/Berlin")])
        insert_values(connection, AGREEMENTS, [Agreement(code="G1", account="A1", plan="parking", starts_on=date(2026, 1, 1))])
    assign(deployment, "CARD-1")
    return deployment


def assign(deployment: Deployment, card: str, starts_on: date = date(2026, 1, 1)) -> None:
    """Assign a card to the agreement."""
    with deployment.database.begin() as connection:
        insert_values(connection, ASSIGNMENTS, [Assignment(subject=card, agreement="G1", starts_on=starts_on)])


def row(
    ticket: str = "T1", card: str = "CARD-1", entered: str = "2026-07-01T10:00", minutes: str = "30", rest: str = ",,0"
) -> str:
    """Return a line of a ticket file."""
    return f"{ticket},{card},{entered},{minutes},{rest}"


def content(*rows: str) -> bytes:
    """Return a ticket file."""
    return "\n".join([HEADER, *rows, ""]).encode()


def tickets(deployment: Deployment, *rows: str, name: str = "tickets.csv", **options: Any) -> IntakeReport:
    """Take in tickets."""
    return take_in(deployment, io.BytesIO(content(*rows)), "tickets", name=name, **options)


def counts(report: IntakeReport) -> tuple[int, int, int, int]:
    """Return accepted, duplicate, suspended, rejected."""
    totals = report.totals
    return (totals.accepted, totals.duplicate, totals.suspended, totals.rejected)


def codes(findings: Iterable[Finding]) -> list[str]:
    """Return the codes of findings."""
    return [finding.code for finding in findings]


@contextmanager
def unchanged(database: Database) -> Iterator[None]:
    """Prove that the block stores nothing in any usage table or the audit trail."""
    before = contents(database)
    yield
    assert contents(database) == before


def contents(database: Database) -> dict[str, list[Any]]:
    """Return every row of the usage tables and the audit trail."""
    names = ("usage_batch", "usage_key", "usage_subject", "usage_suspense", "usage_coverage", "usage_stay", "audit_event")
    with database.read() as connection:
        return {name: sorted(map(repr, connection.exec_driver_sql(f"SELECT * FROM {name}"))) for name in names}
