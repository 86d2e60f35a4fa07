"""The audit trail: what was written is found again, and nobody changes it."""

from datetime import UTC, datetime, timedelta

import pytest

from billing_framework.storage.audit import AuditEvent, events, record, record_many
from billing_framework.storage.engine import Database
from billing_framework.values.errors import Refused

NOW = datetime(2026, 8, 1, 9, 30, 0, 123456, tzinfo=UTC)


def test_a_row_says_who_did_what_when_why_before_and_after(database: Database) -> None:
    with database.begin() as connection:
        record(
            connection,
            NOW,
            "ada",
            "account change",
            object_kind="account",
            object_key="A1",
            before={"due_days": 14},
            after={"due_days": 21, "note": "größer"},
            reason="letter of 3 July",
        )
    with database.read() as connection:
        (found,) = events(connection)
    assert found == AuditEvent(
        action="account change",
        object_kind="account",
        object_key="A1",
        before={"due_days": 14},
        after={"due_days": 21, "note": "größer"},
        reason="letter of 3 July",
        at=NOW,
        actor="ada",
    )


def test_rows_are_found_by_object_actor_and_time_newest_first(database: Database) -> None:
    with database.begin() as connection:
        for hour, actor in enumerate(("ada", "bob", "ada")):
            made = [AuditEvent(action="create", object_kind="party", object_key=f"P{hour}{letter}") for letter in "ab"]
            assert record_many(connection, NOW + timedelta(hours=hour), actor, made) == 2
    with database.read() as connection:

        def keys(**filters: object) -> list[str]:
            return [event.object_key for event in events(connection, **filters)]  # type: ignore[arg-type]

        assert keys() == ["P2b", "P2a", "P1b", "P1a", "P0b", "P0a"]
        assert keys(actor="bob") == ["P1b", "P1a"]
        assert keys(object_kind="party", object_key="P0a") == ["P0a"]
        assert keys(object_kind="account") == []
        assert keys(since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=2)) == ["P1b", "P1a"]
        assert keys(limit=1) == ["P2b"]


@pytest.mark.parametrize("statement", ["DELETE FROM audit_event", "UPDATE audit_event SET actor = 'eve'"])
def test_nobody_changes_the_trail(database: Database, statement: str) -> None:
    with database.begin() as connection:
        record(connection, NOW, "ada", "x", object_kind="party", object_key="P1")
    with pytest.raises(Refused) as caught, database.begin() as connection:
        connection.exec_driver_sql(statement)
    assert caught.value.code == "AUDIT01"


def test_an_action_that_fails_leaves_no_row(database: Database) -> None:
    def fail_late() -> None:
        with database.begin() as connection:
            record(connection, NOW, "ada", "x", object_kind="party", object_key="P1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_late()
    with database.read() as connection:
        assert list(events(connection)) == []


def test_an_actor_is_always_named(database: Database) -> None:
    with pytest.raises(Refused), database.begin() as connection:
        record(connection, NOW, "", "x", object_kind="party", object_key="P1")
