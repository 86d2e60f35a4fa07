"""What officers do with suspense: recycle, correct, write off; audited, and never twice."""

from collections.abc import Callable

import attrs
import pytest
from sqlalchemy import event

from billing_framework.run.deployment import Deployment
from billing_framework.run.usage.suspense import correct, recycle, write_off
from billing_framework.storage.audit import events
from billing_framework.storage.engine import Database
from billing_framework.storage.usage.batches import batches
from billing_framework.storage.usage.suspense import Suspended, suspense_rows, update_suspended
from billing_framework.values.errors import Conflict, InputRefused, NotFound, Refused
from tests.run.gate import assign, codes, counts, gate_of, row, tickets, unchanged


def waiting(deployment: Deployment) -> list[Suspended]:
    with deployment.database.read() as connection:
        return list(suspense_rows(connection))


def test_recycling_takes_in_what_has_an_assignment_now(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"), row("T2", "CARD-3"))
    assign(deployment, "CARD-2")
    report = recycle(deployment)
    assert counts(report) == (1, 0, 1, 0)
    assert report.batch == 2
    assert [(item.state, item.resolved_batch) for item in waiting(deployment)] == [("accepted", 2), ("suspended", None)]
    with database.read() as connection:
        newest = next(batches(connection))
        assert newest.format == "recycle"
        assert [event.object_key for event in events(connection, object_kind="usage_suspense")] == ["1"]
    assert counts(tickets(deployment, row("T1", "CARD-2"), row("T9"))) == (1, 1, 0, 0)


def test_recycling_without_a_change_changes_nothing(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"), row("T2", minutes="x"))
    with unchanged(database):
        report = recycle(deployment)
    assert (report.batch, counts(report)) == (0, (0, 0, 2, 0))


def test_recycling_only_what_was_named(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"), row("T2", "CARD-2"))
    tickets(deployment, row("T3", "CARD-2"))
    assign(deployment, "CARD-2")
    assert counts(recycle(deployment, batch=2)) == (1, 0, 0, 0)
    assert counts(recycle(deployment, ids=[2])) == (1, 0, 0, 0)
    assert counts(recycle(deployment)) == (1, 0, 0, 0)


def test_recycling_a_number_that_there_is_not_is_refused(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"))
    assign(deployment, "CARD-2")
    with unchanged(database), pytest.raises(NotFound, match="USAGE14 nothing in suspense has the number 99999"):
        recycle(deployment, ids=[1, 99999])
    assert counts(recycle(deployment, ids=[1])) == (1, 0, 0, 0)
    assert recycle(deployment, ids=[1]).batch == 0  # it is taken in already


def test_recycling_finds_a_conflict_that_arose_meanwhile(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"))
    tickets(deployment, row("T1", "CARD-1"))
    assign(deployment, "CARD-2")
    report = recycle(deployment)
    assert counts(report) == (0, 0, 0, 1)
    (item,) = waiting(deployment)
    assert item.state == "rejected"
    assert codes(item.findings) == ["USAGE02"]
    assert item.line == item.findings[0].line == 2


def test_a_corrected_record_is_taken_in(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-l"))
    correct(deployment, 1, {"subject": "CARD-1", "minutes": "40", "paid": "true", "weights": "1,2", "fee": "1.5"}, "typing error")
    assert counts(recycle(deployment)) == (1, 0, 0, 0)
    with database.read() as connection:
        found = {event.action: event for event in events(connection, object_kind="usage_suspense")}
    event = found["usage correct"]
    assert event.before is not None
    assert event.after is not None
    assert (event.before["record"]["subject"], event.after["record"]["subject"]) == ("CARD-l", "CARD-1")
    assert event.after["record"]["weights"] == [1, 2]
    assert (event.actor, event.reason) == ("ada", "typing error")


def test_a_record_that_could_not_be_read_is_entered_by_hand(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", minutes="x"))
    with pytest.raises(InputRefused, match="external_id"):
        correct(deployment, 1, {"kind": "stay", "subject": "CARD-1"}, "from the paper ticket")
    changes = {"kind": "stay", "external_id": "T1", "subject": "CARD-1", "start": "2026-07-01T10:00+02:00", "minutes": "3"}
    correct(deployment, 1, changes, "from the paper ticket")
    assert counts(recycle(deployment)) == (1, 0, 0, 0)
    assert waiting(deployment)[0].raw == row("T1", minutes="x")


def test_a_line_without_fields_is_delivered_again_and_written_off(database: Database) -> None:
    deployment = gate_of(database)
    report = tickets(deployment, row("T1", minutes="x"))
    assert report.findings[0].remedy.endswith("then write this one off: billing usage write-off")
    with unchanged(database), pytest.raises(InputRefused) as caught:
        correct(deployment, 1, {"minutes": "3"}, "from the paper ticket")
    assert caught.value.code == "USAGE31"
    assert "billing usage write-off 1" in caught.value.remedy
    assert "x" not in caught.value.what.split()  # what it said may be personal
    assert counts(tickets(deployment, row("T1", minutes="3"))) == (1, 0, 0, 0)
    write_off(deployment, [1], "delivered again")
    assert waiting(deployment)[0].state == "written_off"


def test_an_unread_line_is_entered_only_as_a_kind_that_is_enabled(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", minutes="x"))
    with unchanged(database), pytest.raises(InputRefused, match="the usage kind is not enabled"):
        correct(deployment, 1, {"kind": "sty", "minutes": "3"}, "from the paper ticket")


def test_a_rejected_record_may_be_given_another_id(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1"), row("T1", minutes="31"))
    correct(deployment, 1, {"external_id": "T1b"}, "two tickets with one number")
    assert counts(recycle(deployment)) == (1, 0, 0, 0)


NO_CORRECTIONS = [
    ({"minuts": "3"}, "Did you mean 'minutes'"),
    ({"minutes": "three"}, "minutes"),
    ({"minutes": "²"}, "minutes"),
    ({"minutes": "--5"}, "minutes"),
    ({"minutes": "9" * 5_000}, "minutes"),
    ({"weights": "1,--2"}, "weights"),
    ({"start": "noon"}, "start"),
    ({"kind": "sty"}, "kind"),
    ({"external_id": ""}, "external_id"),
    ({"size": "huge"}, "size"),
]


def test_a_correction_that_is_none_changes_nothing(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"))
    with unchanged(database):
        for changes, what in NO_CORRECTIONS:
            with pytest.raises(InputRefused, match=what):
                correct(deployment, 1, changes, "why")


def test_a_correction_cannot_make_two_of_one(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"), row("T2", "CARD-2"))
    with unchanged(database), pytest.raises(Conflict) as caught:
        correct(deployment, 2, {"external_id": "T1"}, "why")
    assert caught.value.code == "USAGE27"


def test_written_off_is_decided_for_ever(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"), row("T2", "CARD-2"))
    write_off(deployment, [1, 2], "test cards")
    assign(deployment, "CARD-2")
    assert recycle(deployment).batch == 0
    assert [(item.state, item.reason) for item in waiting(deployment)] == [("written_off", "test cards")] * 2
    for act in (lambda: write_off(deployment, [1], "again"), lambda: correct(deployment, 1, {"minutes": "3"}, "again")):
        with unchanged(database), pytest.raises(Refused, match="written_off already") as caught:
            act()
        assert caught.value.code == "USAGE15"
    assert counts(tickets(deployment, row("T2", "CARD-2"), row("T3"))) == (1, 1, 0, 0)


def test_all_or_none_are_written_off(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"))
    with unchanged(database), pytest.raises(NotFound, match="number 7"):
        write_off(deployment, [1, 7], "test cards")


def test_a_decision_needs_a_reason(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"))
    for reason in ("", "  "):
        with unchanged(database), pytest.raises(InputRefused) as caught:
            write_off(deployment, [1], reason)
        assert caught.value.code == "USAGE29"
        with unchanged(database), pytest.raises(InputRefused):
            correct(deployment, 1, {"minutes": "3"}, reason)


def test_what_somebody_else_has_changed_meanwhile_is_not_written_over(database: Database) -> None:
    deployment = gate_of(database)
    tickets(deployment, row("T1", "CARD-2"), row("T2", "CARD-2"))
    read = {item.id: item for item in waiting(deployment)}
    write_off(deployment, [2], "lost")
    with unchanged(database):
        for keys, what in (([1, 2], "one of 2 records was changed"), ([2], "the record 2 was changed")):
            with pytest.raises(Conflict, match=what), database.begin() as connection:
                update_suspended(connection, read, [attrs.evolve(read[key], reason="mine") for key in keys])


def statements_of(database: Database, act: Callable[[], object]) -> int:
    """Return how many statements an act takes, blocks of rows left out."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return len(found)


def test_many_records_are_decided_about_in_as_many_statements_as_one(sqlite_database: Database) -> None:
    deployment = gate_of(sqlite_database)
    tickets(deployment, *(row(f"T{number}", f"CARD-{number}") for number in range(101, 131)))
    one = statements_of(sqlite_database, lambda: write_off(deployment, [1], "lost"))
    assert statements_of(sqlite_database, lambda: write_off(deployment, range(2, 16), "lost")) == one
    for number in range(116, 126):
        assign(deployment, f"CARD-{number}")
    one = statements_of(sqlite_database, lambda: recycle(deployment, ids=[16]))
    assert statements_of(sqlite_database, lambda: recycle(deployment, ids=range(17, 26))) == one
    assert [item.revision for item in waiting(deployment)] == [2] * 25 + [1] * 5
