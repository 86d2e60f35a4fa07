"""Personal data from the file to the invoice: nowhere in the clear, opened for a reason, erased for ever; on both databases."""

import json
import subprocess
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa

from billing_framework.plugin.host import Host
from billing_framework.run.master.customer_change import change
from billing_framework.run.personal.keys import erase, list_owners, rotate
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.prove.invoices import show_document
from billing_framework.run.prove.quote import QuoteRequest
from billing_framework.run.prove.quote_file import quote_file, read_plans
from billing_framework.run.usage.suspense import correct, recycle
from billing_framework.storage.audit import events
from billing_framework.storage.backup import backup
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import PARTIES
from billing_framework.storage.personal.tables import personal_key
from billing_framework.storage.personal.vault import Vault
from billing_framework.storage.usage.suspense import suspense_rows
from billing_framework.values.errors import BillingError, ConfigurationError, InputRefused, NotFound, Refused
from billing_framework.values.money import Money
from tests.cli.in_office import billing
from tests.grown import grown_once
from tests.scenarios.office import Office
from tests.scenarios.school import (
    BORN,
    CANARIES,
    NAME,
    NOTE,
    PARTY,
    PLAN,
    STREET,
    School,
    contents,
    key,
    lessons,
    row,
    school_of,
)

BAD = (
    row("L2", hours=NOTE),  # a value of another field in the place of a number
    row("L3", card="CARD-9"),  # nobody's
    row("L4", born="Vorkanar"),  # no date
    f"L5,CARD-1,2026-07-10T10:00Z,1,{NAME},{BORN},{NOTE},{NAME}",  # a cell too many
    row("L1", pupil="Vorkanar Other"),  # the same id, another pupil
)


def without_canaries(text: str) -> None:
    """Prove that a text tells nothing about anybody."""
    assert [canary for canary in CANARIES if canary in text] == []


@grown_once
def billed(database: Database) -> Office:
    """Return a school that took in good and bad records and has billed July."""
    office = school_of(database)
    report = lessons(office, row("L1"), row("L6", note=""), *BAD)
    totals = report.totals
    assert (totals.accepted, totals.suspended, totals.rejected, totals.duplicate) == (2, 4, 1, 0)
    office.bill("2026-07")
    assert office.documents() == ["INV-2026-000001 C1 176.00"]
    return office


def test_nothing_about_anybody_stands_in_the_clear(database: Database, tmp_path: Path) -> None:
    office = billed(database)
    change(office.deployment, PARTIES, "P-1", {"name": "Vorkanar Next", "city": "Austin"}, reason="married")
    assert show_document(office.deployment, "INV-2026-000001").document.buyer.name == PARTY
    without_canaries(contents(database))
    saved = backup(office.deployment.database, tmp_path / "backup")
    without_canaries(saved.read_bytes().decode("latin-1"))
    if database.dialect == "postgresql":
        script = subprocess.run(["pg_restore", "-f", "-", str(saved)], check=True, capture_output=True, text=True)
        without_canaries(script.stdout)


COMMANDS = (
    ("usage", "list", "CARD-1"),
    ("usage", "suspense"),
    ("usage", "batches"),
    ("party", "list"),
    ("party", "list", "--city", "Dallas"),
    ("party", "show", "P-1"),
    ("party", "create", "P-2", "--name", "Ottokanar Second", "--email", "no address, Vorkanar"),
    ("party", "create", "P-2", "--name", "Ottokanar Second"),
    ("party", "change", "P-1", "street=18 Kanarengasse", "--reason", "moved"),
    ("party", "show", "P-1"),
    ("audit", "list"),
    ("audit", "show", "party", "P-1"),
    ("audit", "show", "usage_suspense", "1"),
    ("usage", "correct", "3", "born=Vorkanar", "--reason", "typing error"),
    ("usage", "correct", "2", "subject=CARD-1", "--reason", "typing error"),
    ("usage", "recycle"),
    ("explain", "INV-2026-000001/1"),
    ("personal-data", "list"),
    ("invoice", "list"),
    ("run", "list"),
)


def test_no_command_tells_about_anybody_unless_it_is_asked_to(database: Database) -> None:
    office = billed(database)
    for arguments in COMMANDS:
        for form in ([], ["--json"]):
            told = billing(office, *arguments, *form)
            assert told.exit_code in (0, 1, 2, 3), (arguments, told.output)
            without_canaries(told.output)
    without_canaries(contents(database))


def test_the_findings_of_intake_tell_about_nobody(database: Database) -> None:
    office = school_of(database)
    report = lessons(office, row("L1"), *BAD)
    without_canaries(repr(report))
    assert [finding.code for finding in report.findings] == ["USAGE25", "USAGE03", "USAGE25", "USAGE24", "USAGE02"]
    assert report.findings[0].value == "<personal>"
    assert report.findings[1].value == "CARD-9"


def test_a_failing_reader_tells_about_nobody(database: Database, tmp_path: Path) -> None:
    office = school_of(database)
    (tmp_path / "bad.csv").write_text(f"{NAME},{NOTE}", encoding="utf-8")
    failed = billing(office, "usage", "intake", str(tmp_path / "bad.csv"), "--format", "failing", "--debug")
    assert (failed.exit_code, "PLUGIN05" in failed.output) == (70, True)
    without_canaries(failed.output)


def test_a_quote_tells_about_nobody(tmp_path: Path) -> None:
    host = Host.build([("school", School())])
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "lessons.csv").write_text("\n".join(["id,card,at,hours,pupil,born,note", row("L1"), *BAD]), encoding="utf-8")
    plans, _ = read_plans(host, [tmp_path / "plan.toml"])
    found = quote_file(host, tmp_path / "lessons.csv", "lessons", QuoteRequest(plans=plans))
    assert found.net == Money.of("160.00", "USD")
    without_canaries(repr(found))


def test_who_reveals_needs_a_reason_and_is_kept(database: Database) -> None:
    office = billed(database)
    refused = billing(office, "usage", "list", "CARD-1", "--reveal", "--json")
    assert refused.exit_code == 2
    assert "PERSONAL07" in refused.output
    reason = ("--reveal", "--reason", "the pupil asked for it", "--json")
    (first, second) = json.loads(billing(office, "usage", "list", "CARD-1", *reason).output)
    assert (first["pupil"], first["born"], first["note"]) == (NAME, BORN, NOTE)
    assert (second["pupil"], second["note"]) == (NAME, "")
    waiting = json.loads(billing(office, "usage", "suspense", *reason).output)
    assert {one["record"]["pupil"] for one in waiting if one["record"]} == {NAME, "Vorkanar Other"}
    assert sum(NAME in one["raw"] for one in waiting) == 3
    shown = json.loads(billing(office, "party", "show", "P-1", *reason).output)
    assert shown["party"]["name"] == PARTY
    assert billing(office, "invoice", "show", "INV-2026-000001", "--json").output.count(STREET) == 1
    with database.read() as connection:
        kept = list(events(connection, object_kind="personal_data"))
    read = [(event.object_key, (event.after or {})["purpose"], event.reason) for event in kept]
    assert read == [
        ("party:P-1", "invoice show", ""),
        ("party:P-1", "party show", "the pupil asked for it"),
        ("subject:CARD-9", "usage suspense", "the pupil asked for it"),
        ("subject:CARD-1", "usage suspense", "the pupil asked for it"),
        ("batch:1", "usage suspense", "the pupil asked for it"),
        ("subject:CARD-1", "usage list", "the pupil asked for it"),
    ]
    assert (kept[-1].after or {}) == {"purpose": "usage list", "fields": ["born", "note", "pupil"], "places": ["L1", "L6"]}


def test_exporters_are_given_the_open_values_and_it_is_kept(database: Database, tmp_path: Path) -> None:
    office = billed(database)
    file = tmp_path / "roll.txt"
    call = ("invoice", "export", "INV-2026-000001", "--format", "roll", "--out", str(file))
    assert billing(office, *call).exit_code == 0
    assert file.read_text(encoding="utf-8") == f"{PARTY}: {NAME}"
    with database.read() as connection:
        kept = {one.object_key: one.after or {} for one in events(connection, object_kind="personal_data")}
    assert {name: facts["purpose"] for name, facts in kept.items()} == {
        "party:P-1": "invoice export roll",
        "subject:CARD-1": "invoice export roll",
    }
    assert kept["subject:CARD-1"]["places"] == ["L1", "L6"]
    failed = billing(office, *call, "--option", "fail=1", "--debug")
    assert (failed.exit_code, "PLUGIN05" in failed.output) == (70, True)
    without_canaries(failed.output)


def test_the_audit_tells_that_something_changed_and_what_only_for_a_reason(database: Database) -> None:
    office = school_of(database)
    change(office.deployment, PARTIES, "P-1", {"name": "Vorkanar Next"}, reason="married")
    _, changed = json.loads(billing(office, "audit", "show", "party", "P-1", "--json").output)
    assert changed["before"]["name"].startswith("<personal ")
    assert changed["before"]["name"] != changed["after"]["name"]
    assert changed["before"]["email"] == changed["after"]["email"]
    reason = ("--reveal", "--reason", "a complaint", "--json")
    _, changed = json.loads(billing(office, "audit", "show", "party", "P-1", *reason).output)
    assert (changed["before"]["name"], changed["after"]["name"]) == (PARTY, "Vorkanar Next")


def test_duplicates_and_conflicts_are_still_told_apart(database: Database) -> None:
    office = school_of(database)
    lessons(office, row("L1"))
    again = lessons(office, row("L1"), row("L1", note="other"), row("L9"), *BAD[:4], *BAD[:4], file="again.csv").totals
    assert (again.accepted, again.duplicate, again.rejected, again.suspended) == (1, 5, 1, 4)
    third = lessons(office, *BAD[:4], row("L1", note="other"), file="third.csv").totals
    assert (third.duplicate, third.records) == (5, 5)


def test_what_waits_is_corrected_and_taken_in_with_what_was_sealed(database: Database) -> None:
    office = school_of(database)
    lessons(office, row("L3", card="CARD-9"))
    stored = correct(office.deployment, 1, {"subject": "CARD-1", "note": "Qwertzkanarienvogel too"}, "typing error")
    assert "pupil" not in (stored.record or {})
    assert recycle(office.deployment).totals.accepted == 1
    (found,) = json.loads(billing(office, "usage", "list", "CARD-1", "--reveal", "--reason", "a test", "--json").output)
    assert (found["pupil"], found["note"]) == (NAME, "Qwertzkanarienvogel too")
    without_canaries(contents(database))


def test_an_erased_person_is_gone_and_the_money_stays(database: Database) -> None:
    office = billed(database)
    with database.read() as connection:
        query = sa.select(personal_key.c.wrapped).where(personal_key.c.owner == "subject:CARD-1")
        wrapped = connection.execute(query).scalar_one() or b""
    for owner in ("subject:CARD-1", "party:P-1", "batch:1"):
        erase(office.deployment, owner, reason="asked for")
    reason = ("--reveal", "--reason", "a test", "--json")
    first, _ = json.loads(billing(office, "usage", "list", "CARD-1", *reason).output)
    assert (first["pupil"], first["born"], first["note"]) == ("<erased>", None, "<erased>")
    assert show_document(office.deployment, "INV-2026-000001").document.buyer.name == "<erased>"
    assert json.loads(billing(office, "party", "show", "P-1", *reason).output)["party"]["name"] == "<erased>"
    waiting = json.loads(billing(office, "usage", "suspense", *reason).output)
    assert {one["raw"] for one in waiting if not one["record"]} == {"<erased>"}
    assert explain_line(office.deployment, "INV-2026-000001/1").proven
    assert office.documents() == ["INV-2026-000001 C1 176.00"]
    if database.dialect == "sqlite":
        assert wrapped.decode("latin-1") not in contents(database)
    with database.read() as connection:
        kept = list(events(connection, object_kind="personal_data", object_key="batch:1"))
    assert [(one.action, one.reason) for one in kept] == [("personal-data read", "a test"), ("personal-data erase", "asked for")]


def test_who_was_erased_does_not_come_back_with_a_file_that_came_before(database: Database) -> None:
    office = billed(database)
    erase(office.deployment, "subject:CARD-1", reason="asked for")
    again = lessons(office, row("L1"), row("L6", note=""), row("L8"), file="cumulative.csv").totals
    assert (again.duplicate, again.accepted, again.rejected) == (2, 1, 0)
    newer = lessons(office, row("L1"), row("L8"), row("L8", note="x"), row("L1", hours="3"), file="more.csv").totals
    assert (newer.duplicate, newer.rejected) == (2, 2)
    with office.deployment.database.read() as connection:
        found = [(one.owner, one.generation, one.erased_at is None) for one in list_owners(connection)]
    assert ("subject:CARD-1", 1, False) in found
    assert ("subject:CARD-1", 2, True) in found


def test_what_cannot_be_erased_is_refused(database: Database) -> None:
    office = billed(database)
    with pytest.raises(InputRefused, match="PERSONAL07"):
        erase(office.deployment, "party:P-1", reason=" ")
    for unknown in ("party:P-7", "P-1", "index:", ""):
        with pytest.raises(NotFound, match="PERSONAL06"):
            erase(office.deployment, unknown, reason="asked for")
    erase(office.deployment, "party:P-1", reason="asked for")
    with pytest.raises(Refused, match="PERSONAL10"):
        erase(office.deployment, "party:P-1", reason="asked for")
    with pytest.raises(Refused, match="PERSONAL08"):
        erase(attrs.evolve(office.deployment, database=database), "party:P-1", reason="asked for")


def test_a_rotation_needs_both_keys_and_afterwards_only_the_new_one(database: Database) -> None:
    office = billed(database)

    def under(vault: Vault) -> Office:
        return Office(attrs.evolve(office.deployment, database=attrs.evolve(database, vault=vault)), office.clock)

    with pytest.raises(ConfigurationError, match="PERSONAL04"):
        show_document(under(Vault(current=key(2))).deployment, "INV-2026-000001")
    both = under(Vault(current=key(2), former=(key(1),)))
    done = rotate(both.deployment)
    assert (done.key_id, done.rewrapped, done.sealed) == (key(2).id, 5, 0)
    assert rotate(both.deployment).rewrapped == 0
    new = under(Vault(current=key(2)))
    assert show_document(new.deployment, "INV-2026-000001").document.buyer.name == PARTY
    assert lessons(new, row("L1"), file="again.csv").totals.duplicate == 1
    with pytest.raises(ConfigurationError, match="PERSONAL04"):
        show_document(office.deployment, "INV-2026-000001")
    with pytest.raises(ConfigurationError, match="PERSONAL04"):
        show_document(attrs.evolve(office.deployment, database=database), "INV-2026-000001")


def test_parties_from_before_the_key_are_sealed_by_the_first_rotation(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "M1")
    sealed = attrs.evolve(office.deployment, database=attrs.evolve(database, vault=Vault(current=key(1))))
    assert rotate(sealed).sealed == 1
    with database.read() as connection:
        (name,) = connection.execute(sa.text("SELECT name FROM party")).one()
    assert name == ""
    assert rotate(sealed).sealed == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE usage_lesson SET pupil = note",
        "UPDATE usage_lesson SET pupil = (SELECT pupil FROM usage_lesson WHERE external_id = 'L6') WHERE external_id = 'L1'",
        "UPDATE usage_lesson SET note = NULL",
        "UPDATE usage_lesson SET personal_mark = (SELECT wrapped FROM personal_key WHERE owner = 'party:P-1')",
    ],
)
def test_explain_finds_what_was_altered_behind_the_programs_back(sqlite_database: Database, statement: str) -> None:
    office = billed(sqlite_database)
    with sqlite_database.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER usage_lesson_update")
        try:
            connection.exec_driver_sql(statement)
        except BillingError:  # NULL where a value is required is refused by the table itself
            return
    found = explain_line(office.deployment, "INV-2026-000001/1")
    assert not found.proven
    assert {finding.code for finding in found.findings} == {"EXPLAIN02"}
    without_canaries(repr(found))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM personal_key",
        "UPDATE personal_key SET owner = 'party:P-9' WHERE owner = 'party:P-1'",
        "UPDATE personal_key SET generation = 7",
        "UPDATE personal_key SET erased_at = NULL, wrapped = (SELECT wrapped FROM personal_key LIMIT 1) WHERE wrapped IS NULL",
    ],
)
def test_the_database_keeps_the_keys(database: Database, statement: str) -> None:
    office = billed(database)
    erase(office.deployment, "party:P-1", reason="asked for")
    with pytest.raises(BillingError, match="PERSONAL09"), database.begin() as connection:
        connection.exec_driver_sql(statement)


def test_suspense_shows_the_envelope_alone(database: Database) -> None:
    office = billed(database)
    with office.deployment.database.read() as connection:
        rows = list(suspense_rows(connection))
    assert [one.raw for one in rows] == [""] * 5
    assert {frozenset(one.record) for one in rows if one.record} == {
        frozenset(("kind", "source", "external_id", "subject", "start", "end", "slot", "version"))
    }
