"""Usage that is loaded as columns is what is loaded as objects, on both databases."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import attrs

from billing_framework.rating.gather_columns import field_column
from billing_framework.run.usage.intake import take_in
from billing_framework.storage.engine import Database
from billing_framework.storage.usage.columns import load_columns
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.load import load_current
from billing_framework.values.local_columns import microseconds
from billing_framework.values.period import Span
from tests.run.gate import gate_of, row, tickets
from tests.usage.stays import Size, stay

FIRST = datetime(2026, 7, 1, tzinfo=UTC)
JULY = Span(FIRST, datetime(2026, 8, 1, tzinfo=UTC))


def hours(first: int, last: int) -> Span:
    return Span(FIRST + timedelta(hours=first), FIRST + timedelta(hours=last))


def test_columns_say_what_objects_say(database: Database) -> None:
    given = [
        stay("T1", plate="Zürich", paid=True, fee=Fraction("10.25"), size=Size.LARGE, weights=(1, -5, 2**40), left=FIRST),
        stay("T2", day=FIRST.date(), span=hours(5, 6)),
        stay("T3", span=hours(0, 2), slot="s", version=1),
        stay("T4", span=hours(0, 2), slot="s", version=2, fee=Fraction("0.5")),
        stay("P1", span=Span.at(FIRST + timedelta(hours=3))),
        stay("P2", span=Span.at(FIRST + timedelta(hours=4))),
    ]
    deployment = gate_of(database, *given)
    take_in(deployment, io.BytesIO(b""), "told")
    (derived,) = [table for table in kind_tables(deployment.host.kinds).values() if table.kind.name == "stay"]
    names = [field.name for field in derived.fields]
    cases = [
        {"CARD-1": [JULY], "CARD-2": [JULY]},
        {"CARD-1": [hours(1, 4)]},
        {"CARD-1": [hours(0, 1), hours(5, 9)], "CARD-2": [hours(0, 1)]},
        {"CARD-1": [hours(90, 99)]},
        {},
    ]
    with database.read() as connection:
        for wanted in cases:
            objects = load_current(connection, {"stay": derived}, wanted, up_to_batch=1)
            rows = [one for some in objects.values() for one in some]
            found = load_columns(connection, derived, wanted, up_to_batch=1, fields=names)
            assert found.keys.tolist() == [one.key for one in rows]
            assert [found.subject.text(place) for place in range(len(found))] == [one.usage.subject for one in rows]
            assert found.start.tolist() == [microseconds(one.usage.span.start) for one in rows]
            assert found.end.tolist() == [microseconds(one.usage.span.end) for one in rows]
            assert list(found.digests) == [one.digest for one in rows]
            assert found.batches.tolist() == [one.batch for one in rows]
            for field in derived.fields:
                column = field_column(field, [getattr(one.usage.body, field.name) for one in rows])
                assert _plain(found.fields[field.name]) == _plain(column), field.name


def _plain(column: object) -> list[object]:
    return [None if value is None else getattr(value, "tolist", lambda value=value: value)() for value in attrs.astuple(column)]  # type: ignore[arg-type]


def test_what_came_later_is_not_seen(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", rest=",bay-4,1"))
    tickets(deployment, row("T2", minutes="45", rest=",bay-4,2"))
    derived = kind_tables(deployment.host.kinds)["stay"]
    with database.read() as connection:
        for known in (1, 2):
            objects = load_current(connection, {"stay": derived}, {"CARD-1": [JULY]}, up_to_batch=known)["CARD-1"]
            found = load_columns(connection, derived, {"CARD-1": [JULY]}, up_to_batch=known, fields=[])
            assert found.keys.tolist() == [one.key for one in objects]
