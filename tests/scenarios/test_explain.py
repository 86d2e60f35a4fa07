"""Every line is explained by a replay; whatever it rests on, once altered, is named."""

from __future__ import annotations

import hashlib
from datetime import date
from fractions import Fraction

import attrs
import pytest
import sqlalchemy as sa

from billing_framework.invoicing.edit import EditField
from billing_framework.plugin.host import Host
from billing_framework.rating.state import CarriedState
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.master.customer_change import change, end_agreement
from billing_framework.run.prove.explain import SourceState, explain_line
from billing_framework.run.review.edits import edit_draft
from billing_framework.run.review.wanted_edits import LineEdit
from billing_framework.run.versions import computing_versions
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS
from billing_framework.values.errors import NotFound
from billing_framework.values.period import DateSpan
from tests.cli.in_office import told
from tests.grown import grown_once
from tests.scenarios.office import Office


@grown_once
def posted(database: Database) -> Office:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.jobs("j1,drill,2026-06-03T08:00:00+00:00,8", file="june.csv")
    office.bill("2026-06")
    office.jobs("j2,drill,2026-07-03T08:00:00+00:00,4", "j3,drill,2026-07-20T08:00:00+00:00,3", file="july.csv")
    office.start("2026-07")
    edit_draft(office.deployment, "", "C1", LineEdit(line=1, field=EditField.AMOUNT, after="25"), reason="agreed")
    office.approve()
    office.post()
    assert office.documents() == ["INV-2026-000001 C1 50.60", "INV-2026-000002 C1 37.40"]
    return office


def test_the_chain_leads_back_to_the_records(database: Database) -> None:
    office = posted(database)
    tier = explain_line(office.deployment, "INV-2026-000002/2")
    assert tier.proven
    assert (str(tier.line.net), str(tier.computed)) == ("4.00 USD", "4.00 USD")
    assert [(record.external_id, record.file) for record in tier.records] == [("j2", "july.csv"), ("j3", "july.csv")]
    assert [(one.state.name, one.document) for one in tier.state] == [("accumulated.hours", "INV-2026-000001")]
    assert tier.evidence.steps

    edited = explain_line(office.deployment, "INV-2026-000002/1")
    assert edited.proven
    assert [(edit.field, edit.actor, edit.reason) for edit in edited.edits] == [(EditField.AMOUNT, "ada", "agreed")]

    credit_document(office.deployment, "INV-2026-000002", reason="goodwill", nets={2: "1.50"})
    credit = explain_line(office.deployment, "CN-2026-000001/1")
    assert credit.proven
    assert credit.original is not None
    assert (credit.original.document, credit.original.line.number) == ("INV-2026-000002", 2)


@pytest.mark.parametrize("name", ["INV-2026-000009/1", "INV-2026-000001/9", "INV-2026-000001", "x"])
def test_what_is_not_there_cannot_be_explained(sqlite_database: Database, name: str) -> None:
    with pytest.raises(NotFound):
        explain_line(posted(sqlite_database).deployment, name)


BEHIND_ITS_BACK = {
    "a usage record": ("UPDATE usage_job SET hours = '5' WHERE external_id = 'j2'", "EXPLAIN02", "'j2'"),
    "a usage record that is gone": ("DELETE FROM usage_job WHERE external_id = 'j3'", "EXPLAIN02", "no longer there"),
    "an assignment in the input": (
        'UPDATE document_input SET manifest = replace(manifest, \'"subject":"drill"\', \'"subject":"saw"\')',
        "EXPLAIN01",
        "input",
    ),
    "the carried state in the input": (
        "UPDATE document_input SET manifest = replace(manifest, '\"8\"', '\"7\"')",
        "EXPLAIN01",
        "input",
    ),
    "an edit in the input": ("UPDATE document_input SET manifest = replace(manifest, '25 USD', '24 USD')", "EXPLAIN01", "input"),
    "the plan": ("UPDATE plan_version SET source = replace(source, '2.00', '3.00')", "EXPLAIN03", "machine@2026"),
    "the line's amount": ("UPDATE document_line SET net = net + 1 WHERE line = 2", "EXPLAIN05", "line 2"),
    "the line's content": (
        "UPDATE document_line SET content = replace(content, '4.00 USD', '9.00 USD') WHERE line = 2",
        "EXPLAIN05",
        "",
    ),
    "the carried state that was read": (
        "UPDATE carried_state SET \"values\" = replace(\"values\", '8', '7')",
        "EXPLAIN07",
        "accumulated.hours of A-C1",
    ),
    "the carried state that is gone": ("DELETE FROM carried_state", "EXPLAIN07", "accumulated.hours of A-C1"),
    "the edit": ("UPDATE edit SET content = replace(content, '25 USD', '24 USD')", "EXPLAIN07", "the edit of"),
    "the tax rates": ("UPDATE tax_file SET source = replace(source, '10', '11')", "EXPLAIN07", "the tax rates taxes"),
    "the account": ("UPDATE account SET tax_status = 'exempt'", "EXPLAIN07", "the account C1 was changed"),
    "the agreement": ("UPDATE agreement SET plan = 'other'", "EXPLAIN07", "the agreement A-C1 was changed"),
    "the assignment": (
        "UPDATE assignment SET ends_on = '2026-07-15'",
        "EXPLAIN07",
        "the assignment drill@2026-01-01 was changed",
    ),
    "the assignment that is gone": ("DELETE FROM assignment", "EXPLAIN07", "drill@2026-01-01 was removed"),
    "what the line rests on": (
        "UPDATE document_line SET evidence = replace(evidence, 'tier', 'rung') WHERE line = 2",
        "EXPLAIN06",
        "",
    ),
}


@pytest.mark.parametrize("what", BEHIND_ITS_BACK)
def test_whatever_is_altered_behind_its_back_is_named(sqlite_database: Database, what: str) -> None:
    office = posted(sqlite_database)
    statement, code, named = BEHIND_ITS_BACK[what]
    with sqlite_database.begin() as connection:
        for name in connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(sa.text(f"DROP TRIGGER {name}"))
        assert connection.execute(sa.text(statement.replace(":", "\\:"))).rowcount > 0
    explained = explain_line(office.deployment, "INV-2026-000002/2")
    assert not explained.proven
    assert any(finding.code == code and named in finding.what for finding in explained.findings), explained.findings


def test_a_date_in_carried_state_is_shown_as_a_date(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    office = posted(sqlite_database)
    values = {"value": Fraction(1040), "on": Fraction(739829), "trust": Fraction(2), "ends_on": Fraction(7, 2)}
    state = CarriedState(scope="A-C1", name="read", period=DateSpan(date(2026, 7, 1), date(2026, 8, 1)), values=values)
    explained = explain_line(office.deployment, "INV-2026-000002/2")
    found = attrs.evolve(explained, state=(SourceState(state=state, document="INV-1"),))
    monkeypatch.setattr("billing_framework.cli.explain.explain_line", lambda *_: found)
    assert ": value 1040, on 2026-08-01, trust 2, ends_on 3.5 (" in told(office, "explain", "INV-2026-000002/2")


def test_what_officers_change_later_leaves_the_line_proven(database: Database) -> None:
    office = posted(database)
    change(office.deployment, ACCOUNTS, "C1", {"due_days": "30"}, reason="new terms")
    end_agreement(office.deployment, "A-C1", date(2026, 7, 15), reason="moved out after all")
    explained = explain_line(office.deployment, "INV-2026-000002/2")
    assert explained.proven, explained.findings


def test_an_input_forged_with_its_digest_still_lands_elsewhere(sqlite_database: Database) -> None:
    office = posted(sqlite_database)
    with sqlite_database.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER document_input_frozen"))
        rows = connection.execute(sa.text("SELECT document_id, manifest FROM document_input")).all()
        for document, manifest in rows:
            forged = manifest.replace("25 USD", "24 USD")
            values = {"text": forged, "digest": hashlib.sha256(forged.encode()).digest(), "id": document}
            connection.execute(
                sa.text("UPDATE document_input SET manifest = :text, digest = :digest WHERE document_id = :id"), values
            )
    explained = explain_line(office.deployment, "INV-2026-000002/1")
    assert not explained.proven
    assert explained.findings[0].code == "EXPLAIN06"
    assert "24.00 USD" in explained.findings[0].what
    assert "billing ledger verify" in explained.findings[0].remedy


def test_another_version_with_the_same_result_is_nobody_s_fault(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = posted(sqlite_database)
    now = computing_versions(office.deployment) | {"plugin workshop": "9.9"}
    monkeypatch.setattr("billing_framework.run.prove.explain.computing_versions", lambda _deployment: now)
    explained = explain_line(office.deployment, "INV-2026-000002/2")
    assert explained.proven
    (told,) = explained.findings
    assert (told.code, told.remedy) == ("EXPLAIN04", "Install the named versions where it is to be computed as it was then")


def test_a_missing_plugin_is_named(sqlite_database: Database) -> None:
    office = posted(sqlite_database)
    bare = attrs.evolve(office.deployment, host=Host.build([]))
    explained = explain_line(bare, "INV-2026-000002/2")
    assert not explained.proven
    assert any("usage kind job" in finding.what for finding in explained.findings)
