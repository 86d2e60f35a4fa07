"""Usage is what was taken in: whatever somebody changes of it behind the program's back is named."""

from __future__ import annotations

import io

import pytest

from billing_framework.plugin.host import Host
from billing_framework.run.deployment import Deployment
from billing_framework.run.usage.intake import take_in
from billing_framework.run.usage.suspense import correct, recycle, write_off
from billing_framework.storage.engine import Database
from billing_framework.storage.usage import verify
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.verify import UsageProof, verify_usage
from billing_framework.values.finding import Finding
from tests.behind import guards_off
from tests.run.gate import assign, gate_of, row, tickets
from tests.usage.stays import stay

ONE = "WHERE external_id = 'T1'"
KEY = "(SELECT key FROM usage_stay WHERE external_id = 'T1')"


def proof(deployment: Deployment, host: Host | None = None) -> UsageProof:
    with deployment.database.read() as connection:
        return verify_usage(connection, kind_tables((host or deployment.host).kinds))


@pytest.fixture
def deployment(database: Database) -> Deployment:
    """Six records: two versions of a slot, a deletion, and two that waited; one more was written off and one is a duplicate."""
    made = gate_of(database, stay("T4", slot="S2", version=1), stay("T5", slot="S2", version=2, deleted=True))
    tickets(made, row("T1", minutes="30"), row("T2", rest="2.50,S1,1"), row("T3", rest="2.75,S1,2"))
    take_in(made, io.BytesIO(b""), "told")
    tickets(made, row("T1", minutes="30"), row("T6", "CARD-2"), row("T7", minutes="x"), row("T8", "CARD-9"), name="more.csv")
    assign(made, "CARD-2")
    correct(made, 3, {"subject": "CARD-1"}, "typing error")
    write_off(made, [2], "gate was broken")
    assert recycle(made).totals.accepted == 2
    return made


def test_what_was_taken_in_is_proven(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert proof(deployment) == UsageProof(batches=4, records=7, findings=())
    monkeypatch.setattr(verify, "_AT_ONCE", 2)
    assert proof(deployment) == UsageProof(batches=4, records=7, findings=())


OTHERWISE = "T1 of CARD-1 does not say what it said"
ANOTHER_PLACE = "of CARD-1 has another slot or version"
GONE = "is not there any more, or not where its key says"
OF_T2 = "(SELECT digest FROM usage_stay WHERE external_id = 'T2')"

CHANGES = {
    "a field": (f"UPDATE usage_stay SET minutes = 31 {ONE}", OTHERWISE),
    "a field that was left out": (f"UPDATE usage_stay SET fee = '1/2' {ONE}", OTHERWISE),
    "a digest": (f"UPDATE usage_stay SET digest = {OF_T2} {ONE}", OTHERWISE),
    "an end": (f"UPDATE usage_stay SET end_at = end_at + 1000000 {ONE}", OTHERWISE),
    "an id": (f"UPDATE usage_stay SET external_id = 'T9' {ONE}", "T9 of CARD-1 has another source or id"),
    "a source": (f"UPDATE usage_stay SET source = 'east' {ONE}", "east/T1 of CARD-1 has another source or id"),
    "a batch": (f"UPDATE usage_stay SET batch_id = 2 {ONE}", "T1 of CARD-1 stands in batch 2, its key in batch 1"),
    "a start": (f"UPDATE usage_stay SET start_at = start_at - 1 {ONE}", GONE),
    "who it is of": (f"UPDATE usage_stay SET subject_id = 7 {ONE}", GONE),
    "an identifier": ("UPDATE usage_subject SET identifier = 'B' WHERE identifier = 'CARD-1'", "T1 of B does not say"),
    "an identifier that is gone": ("DELETE FROM usage_subject WHERE identifier = 'CARD-1'", "T1 of no identifier does not say"),
    "a record that is gone": (f"DELETE FROM usage_stay {ONE}", GONE),
    "a key that is gone": (f"DELETE FROM usage_key WHERE key = {KEY}", "T1 has no key: it was never taken in"),
    "a slot": ("UPDATE usage_stay SET slot = 'S9' WHERE external_id = 'T2'", f"T2 {ANOTHER_PLACE}"),
    "the slot of a key": ("UPDATE usage_key SET slot_key = 0 WHERE version = 2 AND batch_id = 1", f"T3 {ANOTHER_PLACE}"),
    "a version": ("UPDATE usage_key SET version = 3 WHERE version = 2 AND batch_id = 1", f"T3 {ANOTHER_PLACE}"),
    "a deletion": ("UPDATE usage_deletion SET slot = 'S1'", "deletion gate/T5 of CARD-1 does not say"),
    "a deletion that is gone": ("DELETE FROM usage_deletion", GONE),
    "the batch of a key": (f"UPDATE usage_key SET batch_id = 9 WHERE key = {KEY}", "batch 9 took in 0 records of the kind stay"),
    "a total": ("UPDATE usage_batch SET by_kind = '{\"stay\":4}' WHERE id = 1", "took in 4 records of the kind stay and has 3"),
    "a batch that is gone": ("DELETE FROM usage_batch WHERE id = 2", "batch 2 took in 0 records of the kind stay and has 2"),
    "what waited": ("DELETE FROM usage_suspense WHERE id = 2", "batch 3 left 3 records in suspense and has 2"),
    "a number that is none": (f"UPDATE usage_stay SET fee = 'much' {ONE}", "cannot be read"),
    "a choice that is none": (f"UPDATE usage_stay SET size = 'vast' {ONE}", "cannot be read"),
}


def found_after(deployment: Deployment, *statements: str) -> list[Finding]:
    """Return what is found after statements with all guards off, which are taken back."""
    with deployment.database.begin() as connection:
        guards_off(connection)
        for statement in statements:
            assert connection.exec_driver_sql(statement).rowcount > 0, statement
        findings = list(verify_usage(connection, kind_tables(deployment.host.kinds)).findings)
        connection.rollback()
    return findings


def test_what_was_changed_behind_the_programs_back_is_named(deployment: Deployment) -> None:
    for what, (statement, told) in CHANGES.items():
        findings = found_after(deployment, statement)
        assert {one.code for one in findings} == {"USAGE32"}, what
        assert any(told in one.what for one in findings), (what, findings)
    assert proof(deployment).findings == ()


def test_a_record_with_its_key_is_missed_by_its_batch(deployment: Deployment) -> None:
    (found,) = found_after(deployment, f"DELETE FROM usage_key WHERE key = {KEY}", f"DELETE FROM usage_stay {ONE}")
    assert found.what == "batch 1 took in 3 records of the kind stay and has 2"


def test_a_record_that_is_there_twice(deployment: Deployment) -> None:
    (found,) = found_after(deployment, f"INSERT INTO usage_stay SELECT * FROM usage_stay {ONE}")
    assert (found.code, "'T1' of source" in found.what) == ("STORAGE24", True)


def test_what_cannot_be_read_hides_nothing_else(deployment: Deployment) -> None:
    more = "UPDATE usage_stay SET minutes = minutes + 1 WHERE external_id <> 'T1'"
    findings = found_after(deployment, f"UPDATE usage_stay SET fee = 'much' {ONE}", more)
    assert sum("does not say" in one.what for one in findings) == 5
    assert sum("cannot be read" in one.what for one in findings) == 1


def test_kinds_of_a_plugin_that_is_not_enabled_are_told(deployment: Deployment) -> None:
    (found,) = proof(deployment, Host.build([])).findings
    assert (found.code, found.subject) == ("USAGE06", "stay")
