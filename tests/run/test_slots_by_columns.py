"""Records that replace each other, with packed numbers, taken in by columns and one by one: the same rows, the same reports."""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import attrs
import polars as pl
import pytest
import sqlalchemy as sa

from billing_framework.plugin.hookspecs import hookimpl
from billing_framework.plugin.host import Host
from billing_framework.run.deployment import Deployment
from billing_framework.run.schema import tables_of
from billing_framework.run.usage import column_desk, intake
from billing_framework.run.usage.intake import IntakeReport, take_in
from billing_framework.run.usage.intake_desk import IntakeDesk
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.usage.kind_table import create_kind_tables, kind_table
from billing_framework.storage.usage.tables import usage_batch, usage_key, usage_subject, usage_suspense
from billing_framework.usage.columnar.record_columns import ENVELOPE_TYPES, SLOT_TYPES, RecordColumns
from billing_framework.usage.reader import Reader, ReadItem, ReadRequest
from billing_framework.usage.record import Usage, UsageKind
from billing_framework.values.identity import natural_id
from billing_framework.values.instant import microseconds_of
from billing_framework.values.period import Span
from tests.behind import behind
from tests.run.gate import Gate, assign, gate_of

_DAY = timedelta(days=1)
_BLOCK = 8


@attrs.frozen(kw_only=True)
class Gauged:
    """The values of a gauge on a day.

    Attributes:
        values: the values.
        doubted: places of values that nobody trusts.
        checked: places of values that somebody has checked, None where nobody was there.
    """

    values: tuple[int, ...]
    doubted: tuple[int, ...] = ()
    checked: tuple[int, ...] | None = None


GAUGED = UsageKind(name="gauged", title="Values of a gauge on a day", body=Gauged)
TABLES = (usage_batch, usage_key, usage_subject, usage_suspense, kind_table(GAUGED).table)
SCHEMA = {
    **ENVELOPE_TYPES,
    **SLOT_TYPES,
    "values": pl.List(pl.Int64()),
    "doubted": pl.List(pl.Int64()),
    "checked": pl.List(pl.Int64()),
}


def numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


def read(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield a record a line: id, gauge, day, slot, version, values, doubted, checked."""
    for line, text in enumerate(stream.read().decode().splitlines(), start=1):
        name, gauge, day, slot, version, values, doubted, checked = text.split(";")
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        yield Usage(
            kind="gauged",
            source=request.source,
            external_id=name,
            subject=gauge,
            span=Span(start, start + _DAY),
            slot=slot,
            version=int(version),
            body=Gauged(values=numbers(values), doubted=numbers(doubted), checked=None if checked == "-" else numbers(checked)),
            line=line,
        )


def read_columns(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem | RecordColumns]:
    """Yield the same records as columns, some lines at a time, the last of them by itself."""
    records = [item for item in read(stream, request) if isinstance(item, Usage)]
    for first in range(0, len(records), _BLOCK):
        *some, last = records[first : first + _BLOCK]
        rows = [
            (
                one.line,
                one.external_id,
                one.subject,
                *(microseconds_of(instant) for instant in (one.span.start, one.span.end)),
                one.slot,
                one.version,
                list(one.body.values),
                list(one.body.doubted),
                None if one.body.checked is None else list(one.body.checked),
            )
            for one in some
        ]
        yield RecordColumns(kind="gauged", source=request.source, frame=pl.DataFrame(rows, schema=SCHEMA, orient="row"))
        yield last


@attrs.frozen
class Gauges:
    """A plugin with the kind and its reader.

    Attributes:
        carried: whether the kind is carried, so that a slot is of its source, not of its gauge.
    """

    carried: bool = False

    @hookimpl
    def billing_usage_kinds(self) -> list[Any]:
        return [attrs.evolve(GAUGED, carried=self.carried)]

    @hookimpl
    def billing_readers(self) -> list[Reader]:
        return [Reader(format="gauges", title="Gauges", kinds=("gauged",), read=read, read_columns=read_columns)]


def days(seed: int, count: int, *, first: int = 0) -> bytes:
    """Return a file with repeats, corrections, conflicts in id and in slot, gauges of nobody, and records without a slot."""
    random_ = random.Random(seed)  # noqa: S311
    lines: list[str] = []
    for number in range(first, first + count):
        gauge, day = f"g{random_.randrange(5)}", date(2026, 6, 1) + random_.randrange(count) * _DAY
        version = random_.choice([1, 1, 1, 2, 3])
        slot = "" if random_.random() < 0.1 else f"{gauge}/{day}"
        name = f"{slot}/{version}" if slot and random_.random() < 0.9 else f"r{number}"
        values = " ".join(str(random_.choice([0, 5, 300, -7, 2**40])) for _ in range(random_.choice([0, 1, 4, 4, 4, 24])))
        lines.append(f"{name};{gauge};{day};{slot};{version};{values};{random_.choice(['', '', '2'])};{random_.choice('-- 1')}")
        lines += [random_.choice(lines)] * (random_.random() < 0.1)
    return "\n".join(lines).encode()


def gauges_of(database: Database, *, carried: bool = False) -> Deployment:
    deployment = attrs.evolve(gate_of(database), host=Host.build([("gate", Gate()), ("gauges", Gauges(carried))]))
    with database.begin() as connection:
        create_kind_tables(connection, tables_of(deployment))
    for number in range(4):
        assign(deployment, f"g{number}")
    return deployment


@pytest.fixture
def other(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A second database, on which each record is looked at by itself."""
    shutil.copyfile(sqlite_template, path := tmp_path / "other.sqlite3")
    database = open_database(f"sqlite:///{path}")
    yield database
    database.close()


def taken(deployment: Deployment, files: list[bytes]) -> list[IntakeReport]:
    return [take_in(deployment, io.BytesIO(content), "gauges", name=f"{number}.txt") for number, content in enumerate(files)]


def rows(database: Database) -> dict[str, list[str]]:
    with database.read() as connection:
        return {table.name: sorted(map(repr, connection.execute(sa.select(table)))) for table in TABLES}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("carried", [False, True])
def test_both_roads_store_the_same(
    database: Database, other: Database, seed: int, monkeypatch: pytest.MonkeyPatch, *, carried: bool
) -> None:
    files = [days(seed, 60), days(seed + 100, 60, first=40), days(seed, 60), days(seed + 200, 30)]
    with monkeypatch.context() as patch:
        patch.setattr(intake, "LEAST_BYTES_BY_COLUMNS", 0)
        patch.setattr(column_desk, "_KEYS_AT_ONCE", 25)
        patch.setattr(column_desk, "_OTHERS_AT_ONCE", (1, 7, 20_000)[seed % 3])
        reports = taken(gauges_of(database, carried=carried), files)
    assert reports == taken(gauges_of(other, carried=carried), files)
    assert rows(database) == rows(other)
    total = reports[0].totals + reports[1].totals
    assert min(total.accepted, total.duplicate, total.suspended, total.rejected, total.superseding) > 0


@pytest.mark.parametrize("road", [0, 10**9])
def test_a_slot_of_a_carried_kind_that_was_stored_as_that_of_a_gauge_is_met_on_both_roads(
    sqlite_database: Database, road: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LEAST_BYTES_BY_COLUMNS", road)
    deployment = gauges_of(sqlite_database, carried=True)
    taken(deployment, [b"r1;g1;2026-06-01;s1;1;1;;-\nr2;g1;2026-06-01;s2;1;1;;-"])
    for slot in ("s1", "s2"):
        older, newer = natural_id("slot", "gauged", "g1", slot), natural_id("slot of source", "gauged", "gauges", slot)
        behind(sqlite_database, f"UPDATE usage_key SET slot_key = {older} WHERE slot_key = {newer}")
    [report] = taken(deployment, [b"r1b;g1;2026-06-01;s1;2;5;;-\nr2b;g1;2026-06-01;s2;2;5;;-\nr3;g2;2026-06-01;s3;1;5;;-"])
    assert (report.totals.accepted, report.totals.superseding) == (3, 2)


def test_plain_records_with_slots_are_never_made_objects(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"r{number};g1;2026-06-01;s{number};1;1 2 3;;-" for number in range(20)]
    met: list[Any] = []
    monkeypatch.setattr(intake, "LEAST_BYTES_BY_COLUMNS", 0)
    monkeypatch.setattr(IntakeDesk, "take", lambda _, items: met.extend(items))
    taken(gauges_of(sqlite_database), ["\n".join(lines).encode()])
    assert [one.external_id for one in met] == ["r7", "r15", "r19"]
