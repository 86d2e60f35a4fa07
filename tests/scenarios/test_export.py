"""Issued documents leave by an exporter: whole, the same bytes again, with the records behind every line, and audited."""

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from billing_framework.exchange.exporter import CheckRequest, ExportDocument, Exported, Exporter
from billing_framework.plugin.hookspecs import hookimpl
from billing_framework.plugin.host import Host
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.deployment import Deployment
from billing_framework.run.prove.export import check_file, export
from billing_framework.run.prove.invoices import issued_numbers, list_documents
from billing_framework.run.review.report import report_run
from billing_framework.storage.audit import events
from billing_framework.storage.engine import Database
from billing_framework.values.errors import ContractBroken, InputRefused, NotFound, Refused
from billing_framework.values.finding import Finding, Severity
from tests.behind import behind
from tests.cli.in_office import billing as billing_in
from tests.grown import grown_once
from tests.scenarios import workshop
from tests.scenarios.office import Office

LINES = "document_lines"
RUN = "MAIN.2026-07-01.monthly-1.1"


@pytest.fixture
def office(database: Database) -> Office:
    return july_billed(database)


@grown_once
def july_billed(database: Database) -> Office:
    office = Office.of(database)
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    office.jobs(
        "j1,drill,2026-07-03T08:00:00+00:00,4", "j2,drill,2026-07-20T08:00:00+00:00,3", "j3,lathe,2026-07-04T08:00:00+00:00,1"
    )
    office.bill("2026-07")
    return office


def offering(office: Office, **exporter: Any) -> Deployment:
    """Return the office's deployment with a plugin more, which offers one exporter."""
    plugin = types.ModuleType("press")
    made = Exporter(
        **{"format": "press", "title": "Press", "suffix": ".txt", "write": lambda *_: Exported(data=b"x"), **exporter}
    )
    plugin.billing_exporters = hookimpl(lambda: [made])  # type: ignore[attr-defined]
    return attrs.evolve(office.deployment, host=Host.build([("workshop", workshop), ("press", plugin)]))


def given_to_exporter(office: Office, *numbers: str) -> list[ExportDocument]:
    seen: list[ExportDocument] = []

    def write(documents: Any, _: Any) -> Exported:
        seen.extend(documents)
        return Exported(data=b"x")

    export(offering(office, write=write), "press", numbers=numbers)
    return seen


def test_what_a_run_posted_stays_what_it_posted_when_it_is_rebilled(office: Office) -> None:
    posted = ("INV-2026-000001", "INV-2026-000002")
    office.jobs("j4,drill,2026-07-05T08:00:00+00:00,2")
    rebill_document(office.deployment, posted[0], reason="late job")
    assert office.documents()[-1].startswith("INV-2026-000003 C1")

    assert export(office.deployment, LINES, run=RUN).documents == posted
    assert issued_numbers(office.deployment, RUN) == list(posted)
    with office.deployment.database.read() as connection:
        listed = list_documents(connection, run=RUN)
    assert [(one.number, one.replaced_by) for one in listed] == [(posted[0], "INV-2026-000003"), (posted[1], "")]
    assert report_run(office.deployment, RUN).documents == {"issued": 2}


def test_the_lines_of_a_run_leave_and_are_audited(office: Office) -> None:
    report = export(office.deployment, LINES, run=RUN)
    assert report.documents == ("INV-2026-000001", "INV-2026-000002")
    text = report.data.decode()
    assert 'INV-2026-000001,invoice,C1,2026-08-01,2,A-C1,hours,"Machine hours, tier 1",2026-07-01,2026-07-31,7,hour,14.00' in text
    assert export(office.deployment, LINES, numbers=["INV-2026-000001", "INV-2026-000002"]).data == report.data
    assert check_file(office.deployment, report.data, LINES, name="lines.csv") == ()
    with office.deployment.database.read() as connection:
        told = [one for one in events(connection) if one.action == "invoice export"]
    assert [(one.object_kind, one.actor, one.after["sha256"]) for one in told if one.after][-1] == ("run", "ada", report.sha256)


def test_an_exporter_is_given_what_the_document_was_made_from(office: Office) -> None:
    (document,) = given_to_exporter(office, "INV-2026-000001")
    assert (document.number, document.account.code, document.party.name) == ("INV-2026-000001", "C1", "Customer C1")
    assert document.document.seller.name == "Machines Inc."
    assert list(document.agreements) == ["A-C1"]
    tier = document.lines[1]
    assert [document.records[key].external_id for key in tier.records] == ["j1", "j2"]
    assert {document.record_agreements[key] for key in tier.records} == {"A-C1"}
    assert {document.assignments[key].subject for key in tier.records} == {"drill"}
    assert tier.steps
    assert document.originals == {}


def test_a_credit_note_leaves_with_the_records_of_what_it_takes_back(office: Office) -> None:
    credit_document(office.deployment, "INV-2026-000001", reason="goodwill", nets={2: "1.50"})
    (note,) = given_to_exporter(office, "CN-2026-000001")
    assert note.document.corrects_number == "INV-2026-000001"
    assert [note.records[key].external_id for key in note.lines[0].records] == ["j1", "j2"]
    text = export(office.deployment, LINES, numbers=["CN-2026-000001"]).data.decode()
    assert ",-1.50,-0.15,-1.65,-1.65,USD" in text


ALTERED = {
    "a line": ("UPDATE document_line SET net = net + 100 WHERE line = 1", "EXPLAIN05"),
    "a record": ("UPDATE usage_job SET hours = '5'", "EXPLAIN02"),
    "the input": ("DELETE FROM document_input", "EXPLAIN01"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_was_altered_behind_the_program_does_not_leave(office: Office, what: str) -> None:
    statement, code = ALTERED[what]
    behind(office.deployment.database, statement)
    report = export(office.deployment, LINES, numbers=["INV-2026-000001"])
    assert {one.code for one in report.findings} == {code}
    assert (report.data, report.sha256) == (b"", "")


def test_nothing_is_written_where_the_exporter_cannot(office: Office) -> None:
    wrong = Finding(code="PRESS01", what="the name is too long", subject="INV-2026-000001")
    report = export(offering(office, write=lambda *_: Exported(data=b"half", findings=(wrong,))), "press", run=RUN)
    assert (report.findings, report.data) == ((wrong,), b"")
    changed = attrs.evolve(wrong, severity=Severity.INFORMATION)
    report = export(offering(office, write=lambda *_: Exported(data=b"all", findings=(changed,))), "press", run=RUN)
    assert (report.findings, report.data) == ((changed,), b"all")


def fail(*_: object) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize(("write", "code"), [(fail, "PLUGIN05"), (lambda *_: b"bytes", "PLUGIN04")])
def test_a_failing_exporter_is_named(office: Office, write: Callable[..., Any], code: str) -> None:
    with pytest.raises(ContractBroken, match="exporter 'press' of plugin press") as told:
        export(offering(office, write=write), "press", run=RUN)
    assert told.value.code == code


@pytest.mark.parametrize(("check", "code"), [(fail, "PLUGIN05"), (lambda *_: ["odd"], "PLUGIN04")])
def test_a_failing_check_is_named(office: Office, check: Callable[..., Any], code: str) -> None:
    with pytest.raises(ContractBroken, match="check of the exporter 'press'") as told:
        check_file(offering(office, check=check), b"", "press", name="x")
    assert told.value.code == code


def test_what_cannot_be_exported_is_refused_with_the_reason(office: Office) -> None:
    deployment = offering(office, options={"wide": "wide rows"})
    for error, code, asked in (
        (NotFound, "PLUGIN07", lambda: export(deployment, "pres", run=RUN)),
        (NotFound, "INVOICE20", lambda: export(deployment, "press", numbers=["INV-2026-000009"])),
        (InputRefused, "EXPORT01", lambda: export(deployment, "press")),
        (InputRefused, "EXPORT01", lambda: export(deployment, "press", run=RUN, numbers=["INV-2026-000001"])),
        (InputRefused, "EXPORT02", lambda: export(deployment, "press", run=RUN, options={"wid": "1"})),
        (InputRefused, "EXPORT04", lambda: check_file(deployment, b"", "press", name="x")),
    ):
        with pytest.raises(error) as told:
            asked()
        assert told.value.code == code
    office.pass_days(31)
    office.start("2026-08")
    with pytest.raises(Refused) as refused:
        export(deployment, "press", run="MAIN.2026-08-01.monthly-1.1")
    assert refused.value.code == "EXPORT03"


FAULTS = {
    "net": (b",14.00,1.40,15.40,", b",15.00,1.40,15.40,", "15.00 and tax of 1.40 are not 15.40"),
    "number": (b",14.00,1.40,15.40,", b",14.00,1.40,1e3,", "1e3"),
    "sum": (b"14.00,1.40,15.40,48.40", b"15.00,1.50,16.50,48.40", "its lines sum to 49.5, not 48.4"),
    "columns": (b"document,kind", b"number,kind", "the first row is not"),
    "cells": (b",hour,", b",", "cells, not"),
    "bytes": (b"hours", b"\xff", "UTF-8"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_finds_what_was_changed_in_a_file(office: Office, fault: str) -> None:
    good = export(office.deployment, LINES, numbers=["INV-2026-000001"]).data
    before, after, what = FAULTS[fault]
    assert before in good
    findings = check_file(office.deployment, good.replace(before, after, 1), LINES, name="lines.csv")
    assert any(what in one.what for one in findings), findings
    assert {one.code for one in findings} == {"EXPORT06"}


def test_the_commands(office: Office, tmp_path: Path) -> None:
    def billing(*args: str) -> tuple[int, str]:
        done = billing_in(office, *args)
        assert "Traceback" not in done.output
        return done.exit_code, done.output

    path = tmp_path / "lines.csv"
    assert billing("invoice", "export", "--run", RUN, "--format", LINES, "--out", str(path))[0] == 0
    assert path.read_bytes() == export(office.deployment, LINES, run=RUN).data
    assert not list(tmp_path.glob("*.part"))
    assert billing("file", "check", str(path), "--format", LINES) == (0, f"{path}: no findings\n")
    path.write_bytes(b"nonsense")
    code, told = billing("file", "check", str(path), "--format", LINES)
    assert code == 1
    assert "EXPORT06" in told
    assert billing("file", "check", str(tmp_path / "none"), "--format", LINES)[0] == 2
    nowhere = str(tmp_path / "none" / "lines.csv")
    code, told = billing("invoice", "export", "INV-2026-000001", "--format", LINES, "--out", nowhere)
    assert code == 2


def test_a_check_is_told_the_options(office: Office) -> None:
    asked: list[CheckRequest] = []

    def check(_: bytes, request: CheckRequest) -> tuple[Finding, ...]:
        asked.append(request)
        return ()

    check_file(offering(office, check=check, options={"wide": "rows"}), b"", "press", name="x.txt", options={"wide": "1"})
    assert [(one.file, one.options) for one in asked] == [("x.txt", {"wide": "1"})]
