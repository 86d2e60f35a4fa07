"""A plugin whose records tell about people: lessons of pupils; and a deployment with a key, in which canaries are kept."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, BinaryIO

import attrs

from billing_framework import (
    ExportDocument,
    Exported,
    Exporter,
    ExportRequest,
    Finding,
    Layout,
    Rater,
    Reader,
    ReadItem,
    ReadRequest,
    UsageKind,
    delimited_reader,
    hookimpl,
    measure_rater,
    personal,
)
from billing_framework.plugin.host import Host
from billing_framework.run.master.customers import create
from billing_framework.run.schema import upgrade_schema
from billing_framework.run.usage.intake import IntakeReport, take_in
from billing_framework.storage.engine import Database, sqlite_path
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.storage.personal.vault import DeploymentKey, Vault, read_key
from tests.scenarios.office import Office

NAME, NOTE, BORN = "Zyxkanaria Quill", "Qwertzkanarienvogel", "1987-06-05"
PARTY, STREET, EMAIL = "Ottokanar Wohlgemuth", "17 Kanarengasse", "otto@kanar.example"
CANARIES = ("Zyxkanaria", NOTE, BORN, "Ottokanar", "Kanarengasse", "kanar.example", "Vorkanar")

PLAN = """
schema = 1
[plan]
code = "lessons"
version = "2026"
valid_from = 2026-01-01
currency = "USD"
[[component]]
code = "lessons"
title = { en = "Lessons" }
model = "graduated"
measure = "hours"
unit = "hour"
charge_code = "lessons"
tax_category = "standard"
tiers = [{ price = "40.00" }]
"""


@attrs.frozen(kw_only=True)
class Lesson:
    """A lesson.

    Attributes:
        hours: how long it took.
        pupil: who came.
        born: the pupil's date of birth.
        note: what the teacher wrote about it.
    """

    hours: Fraction
    pupil: str = personal()
    born: date | None = personal(None)
    note: str = personal("")


LESSON = UsageKind(name="lesson", title="A lesson", body=Lesson)
_COLUMNS = {
    "external_id": "id",
    "subject": "card",
    "start": "at",
    "hours": "hours",
    "pupil": "pupil",
    "born": "born",
    "note": "note",
}


class School:
    """The plugin."""

    @hookimpl
    def billing_usage_kinds(self) -> list[UsageKind]:
        return [LESSON]

    @hookimpl
    def billing_readers(self) -> list[Reader]:
        def fails(stream: BinaryIO, _: ReadRequest) -> Iterator[ReadItem]:
            yield Finding(code="USAGE01", what=f"the file begins with {NAME}", field="pupil", value=NAME)
            raise ValueError(stream.read().decode())

        return [
            delimited_reader("lessons", "Lessons", Layout(kind=LESSON, columns=_COLUMNS)),
            Reader(format="failing", title="A reader that fails", kinds=("lesson",), read=fails),
        ]

    @hookimpl
    def billing_exporters(self) -> list[Exporter]:
        def write(documents: Sequence[ExportDocument], request: ExportRequest) -> Exported:
            if request.options.get("fail"):
                raise ValueError(documents[0].party.name)
            pupils = sorted({one.body.pupil for document in documents for one in document.records.values()})
            return Exported(data=f"{documents[0].party.name}: {', '.join(pupils)}".encode())

        options = {"fail": "Fail with what is told about somebody."}
        return [Exporter(format="roll", title="Who came", suffix=".txt", write=write, options=options)]

    @hookimpl
    def billing_raters(self) -> list[Rater]:
        return [measure_rater("lesson", "hours", "hour", "hours")]


def key(number: int) -> DeploymentKey:
    """Return a key of a deployment."""
    return read_key(f"{number:02x}" * 32, "test")


def school_of(database: Database, vault: Vault | None = None) -> Office:
    """Set up a school with one customer, whose pupil comes with the card CARD-1."""
    kept = attrs.evolve(database, vault=vault or Vault(current=key(1)))
    office = with_school(Office.of(kept, plan=""))
    upgrade_schema(office.deployment)
    office.load_plan(PLAN)
    party = {"code": "P-1", "name": PARTY, "street": STREET, "city": "Dallas", "country": "US", "email": EMAIL}
    create(office.deployment, PARTIES, party)
    account = {"code": "C1", "party": "P-1", "book": "MAIN", "currency": "USD", "cycle": "monthly:1"}
    create(office.deployment, ACCOUNTS, account)
    create(office.deployment, AGREEMENTS, {"code": "A1", "account": "C1", "plan": "lessons", "starts_on": "2026-01-01"})
    create(office.deployment, ASSIGNMENTS, {"subject": "CARD-1", "agreement": "A1", "starts_on": "2026-01-01"})
    return office


def with_school(office: Office) -> Office:
    """Return the office with this plugin alone."""
    return Office(attrs.evolve(office.deployment, host=Host.build([("school", School())])), office.clock)


def row(name: str = "L1", card: str = "CARD-1", hours: str = "2", pupil: str = NAME, born: str = BORN, note: str = NOTE) -> str:
    """Return a line of a file of lessons."""
    return f"{name},{card},2026-07-10T10:00Z,{hours},{pupil},{born},{note}"


def lessons(office: Office, *rows: str, file: str = "lessons.csv") -> IntakeReport:
    """Take in lessons."""
    content = "\n".join(["id,card,at,hours,pupil,born,note", *rows, ""]).encode()
    return take_in(office.deployment, io.BytesIO(content), "lessons", source="desk", name=file)


def contents(database: Database) -> str:
    """Return all that the database keeps, as text: every file of SQLite, every row of every table of PostgreSQL."""
    if database.dialect == "sqlite":
        path = sqlite_path(database)
        files = [path, *path.parent.glob(f"{path.name}-*")]
        return "".join(file.read_bytes().decode("latin-1") for file in files)
    parts: list[str] = []
    with database.read() as connection:
        names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        for (table,) in connection.exec_driver_sql(names).all():
            rows: list[Any] = list(connection.exec_driver_sql(f'SELECT t::text FROM "{table}" t').scalars())
            parts += rows
    text = "\n".join(parts)
    assert "CARD-1" in text
    return text + "".join(bytes.fromhex(word).decode("latin-1") for word in _hex_words(text))


def _hex_words(text: str) -> list[str]:
    return [word for word in re.findall(r"\\x([0-9a-f]+)", text) if len(word) % 2 == 0]


def at(day: int) -> datetime:
    """Return nine o'clock of a day in August 2026."""
    return datetime(2026, 8, day, 9, tzinfo=UTC)
