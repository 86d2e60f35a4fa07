"""What happens between a check and the act that rests on it: another command, another clock, or somebody with SQL."""

from __future__ import annotations

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import date, timedelta
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle import approve, post
from billing_framework.run.cycle.approve import ApprovalReport, approve_run
from billing_framework.run.cycle.approve_part import ApprovalFilter
from billing_framework.run.cycle.cancel import cancel_run
from billing_framework.run.draft.draft import stale_as_of
from billing_framework.run.master import periods
from billing_framework.run.master.books import load_book_file
from billing_framework.run.prove.trial_balance import prove
from billing_framework.run.review.review import review_run
from billing_framework.run.usage.late import late_usage
from billing_framework.run.work.shards import plan_posting
from billing_framework.storage.billing.numbers import manifest_of
from billing_framework.storage.engine import Database, sqlite_path
from billing_framework.storage.ledger.books import close_period
from billing_framework.values.clock import MovableClock
from billing_framework.values.errors import Refused, StorageError
from tests.behind import behind, guards_off
from tests.grown import grown_once
from tests.scenarios.office import BOOK, Office

LATER = "j2,drill,2026-07-20T08:00:00+00:00,5"


@grown_once
def office_of(database: Database) -> Office:
    """An office with two machines, one of which has worked in July."""
    office = Office.of(database)
    for code, machine in (("C1", "drill"), ("C2", "lathe")):
        office.customer(code, machine)
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4")
    return office


def test_a_late_poster_does_not_end_a_run_over_what_was_approved_since(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = office_of(database)
    run = office.start("2026-07").run
    assert run is not None
    approve_run(office.deployment, run.code, wanted=ApprovalFilter(accounts=("C1",)))
    real = post._finish  # noqa: SLF001  the last step of a poster that was held up

    def held_up(*given: Any) -> Any:
        monkeypatch.setattr(post, "_finish", real)
        office.post(run.code)
        office.approve(run.code)
        return real(*given)

    monkeypatch.setattr(post, "_finish", held_up)
    assert office.post(run.code).run.state == "approved"
    report = office.post(run.code)
    assert (report.run.state, report.posted, report.existing) == ("posted", 1, 1)
    assert [one.split()[0] for one in office.documents()] == ["INV-2026-000001", "INV-2026-000002"]
    assert prove(office.deployment, "MAIN").findings == ()


def test_usage_that_comes_while_a_run_is_checked_makes_its_drafts_stale(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = office_of(database)
    office.start("2026-07")
    real = stale_as_of

    def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(approve, "stale_as_of", real)
        found = real(*given)
        office.jobs(LATER, file="more.csv")
        return found

    monkeypatch.setattr(approve, "stale_as_of", meanwhile)
    report = approve_run(office.deployment)
    assert [(one.code, one.subject) for one in report.findings] == [("RUN09", "C1")]


def test_a_run_is_decided_on_though_usage_never_stops_coming(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    office = office_of(database)
    office.start("2026-07")
    checks: list[object] = []

    def each_time(*given: Any) -> Any:
        found = stale_as_of(*given)
        checks.append(office.jobs(f"x{len(checks)},mill,2026-08-05T08:00:00Z,1", file=f"more{len(checks)}.csv"))
        return found

    monkeypatch.setattr(approve, "stale_as_of", each_time)
    office.approve()
    assert len(checks) == 2
    assert office.post().posted > 0


def test_no_run_is_approved_for_a_period_that_is_being_closed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    office = office_of(database)
    office.start("2026-07")
    office.pass_days(31)
    real, approvals = close_period, ThreadPoolExecutor(1)

    def slow(*given: Any, **named: Any) -> Any:
        meanwhile.append(approvals.submit(approve_run, office.deployment))
        wait(meanwhile, timeout=0.5)  # it waits as well
        return real(*given, **named)

    meanwhile: list[Future[ApprovalReport]] = []
    monkeypatch.setattr(periods, "close_period", slow)
    with approvals:
        periods.close_book_period(office.deployment, "MAIN", date(2026, 8, 1), reason="month end")
        assert [one.code for one in meanwhile[0].result().findings] == ["RUN13"]


def test_usage_is_late_after_an_approval_whatever_the_clock_of_its_machine_says(database: Database) -> None:
    office = office_of(database)
    office.start("2026-07")
    office.approve()
    behind = MovableClock(office.clock.now() - timedelta(minutes=5))
    slow = Office(attrs.evolve(office.deployment, clock=behind), behind)
    slow.jobs(LATER, file="more.csv")
    office.post()
    assert [one.account for one in late_usage(office.deployment, "MAIN")] == ["C1"]


def test_what_is_entered_by_a_machine_whose_clock_is_ahead_is_noticed(database: Database) -> None:
    office = office_of(database)
    office.start("2026-07")
    ahead = MovableClock(office.clock.now() + timedelta(minutes=5))
    Office(attrs.evolve(office.deployment, clock=ahead), ahead).jobs(LATER, file="more.csv")
    assert [one.code for one in approve_run(office.deployment).findings] == ["RUN09"]


CHANGED = {
    "the state that it carries on": "UPDATE document SET state = replace(state, '4', '400') WHERE status = 'draft'",
    "when it is due": "UPDATE document SET due_on = '2027-01-01' WHERE status = 'draft'",
    "the id of its account": "UPDATE document SET account_id = account_id + 1 WHERE status = 'draft'",
    "its month": "UPDATE document SET month = 202607 WHERE status = 'draft'",
    "its run": "UPDATE document SET run_id = run_id + 1 WHERE status = 'draft'",
    "its revision": "UPDATE document SET revision = 2 WHERE status = 'draft'",
    "its reason": "UPDATE document SET reason = 'because' WHERE status = 'draft'",
    "a net beside the words of its line": "UPDATE document_line SET net = net + 1 WHERE line = 1",
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_draft_that_was_changed_after_its_approval_is_not_posted(database: Database, what: str) -> None:
    office = office_of(database)
    office.start("2026-07")
    office.approve()
    with database.begin() as connection:
        if "line" in what:  # the guards keep the lines of approved drafts; who owns the database can switch them off
            guards_off(connection)
        assert connection.execute(sa.text(CHANGED[what])).rowcount
    with pytest.raises(Refused, match="RUN11"):
        office.post()
    assert office.documents() == []


@pytest.mark.parametrize("state", ["replace(state, '4', '400')", "'[]'"])
def test_a_draft_whose_carried_state_was_changed_is_not_approved(database: Database, state: str) -> None:
    office = office_of(database)
    office.start("2026-07")
    behind(database, f"UPDATE document SET state = {state} WHERE account = 'C1'")
    assert [(one.code, one.subject) for one in approve_run(office.deployment).findings] == [("RUN11", "C1")]


def test_shards_that_are_said_to_be_done_do_not_end_a_posting(database: Database) -> None:
    office = office_of(database)
    run = office.start("2026-07").run
    office.approve()
    assert run is not None
    with database.begin() as connection:
        plan_posting(connection, run, manifest_of(connection, run), [], 10)
        guards_off(connection)
        connection.execute(sa.text("UPDATE run_shard SET state = 'done' WHERE step = 'post'"))
    assert office.post().posted == 2
    assert prove(office.deployment, "MAIN").findings == ()


def test_a_draft_that_no_account_of_the_run_has_any_more_keeps_it_from_approval(database: Database) -> None:
    office = office_of(database)
    office.start("2026-07")
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE run_account SET document_id = NULL WHERE account = 'C1'"))
    assert "RUN11" in [one.code for one in approve_run(office.deployment).findings]


ASTRAY = {
    "posted": "UPDATE run_account SET state = 'posted' WHERE account = 'C1'",
    "approved": "UPDATE run_account SET state = 'approved' WHERE account = 'C1'",
    "one that pays its bill to another": "UPDATE run_account SET state = 'posted' WHERE account = 'C3'",
    "skipped": "UPDATE run_account SET state = 'skipped' WHERE account = 'C1'",
}


@pytest.mark.parametrize("what", ASTRAY)
def test_an_account_that_is_said_to_be_billed_keeps_its_run_from_approval(database: Database, what: str) -> None:
    office = office_of(database)
    office.customer("C3", "mill", parent="C2", payer="parent")
    run = office.start("2026-07").run
    assert run is not None
    behind(database, ASTRAY[what])
    assert {one.code for one in approve_run(office.deployment).findings} == {"RUN11"}
    cancel_run(office.deployment, run.code, reason="rows were changed")
    assert prove(office.deployment, "MAIN").findings == ()
    assert office.bill("2026-07").posted == 2


AFTER_APPROVAL = {
    "held": "UPDATE run_account SET state = 'held' WHERE account = 'C1'",
    "skipped": "UPDATE run_account SET state = 'skipped', document_id = NULL WHERE account = 'C1'",
    "posted": "UPDATE run_account SET state = 'posted' WHERE account = 'C1'",
    "on the document of another": "UPDATE run_account SET document_id = (SELECT document_id FROM run_account"
    " WHERE account = 'C2') WHERE account = 'C1'",
    "one that pays its bill to another": "UPDATE run_account SET state = 'held' WHERE account = 'C3'",
}


@pytest.mark.parametrize("what", AFTER_APPROVAL)
def test_an_account_that_does_not_stand_as_its_approved_document_keeps_its_run_from_being_posted(
    database: Database, what: str
) -> None:
    office = office_of(database)
    office.customer("C3", "mill", parent="C2", payer="parent")
    run = office.start("2026-07").run
    assert run is not None
    office.approve()
    behind(database, AFTER_APPROVAL[what])
    with pytest.raises(Refused, match=rf"RUN11.*do not stand as their documents do: C{3 if 'pays' in what else 1}\."):
        office.post()
    assert office.documents() == []
    cancel_run(office.deployment, run.code, reason="rows were changed")
    assert office.bill("2026-07").posted == 2
    assert prove(office.deployment, "MAIN").findings == ()


def test_accounts_that_do_not_stand_as_their_documents_are_named(database: Database) -> None:
    office = office_of(database)
    office.start("2026-07")
    behind(database, "UPDATE run_account SET state = 'posted' WHERE account = 'C1'")
    (found,) = prove(office.deployment, "MAIN").findings
    assert (found.code, found.subject) == ("RUN11", "C1")
    assert "it stands as posted, but its document was not approved in the run MAIN.2026-07-01" in found.what


def test_accounts_that_wait_in_a_run_that_is_said_to_be_posted_are_named(database: Database) -> None:
    office = office_of(database)
    office.start("2026-07")
    behind(database, "UPDATE run SET state = 'posted'")
    found = prove(office.deployment, "MAIN").findings
    assert [(one.code, one.subject) for one in found] == [("RUN11", "C1"), ("RUN11", "C2")]
    assert "it stands as drafted, but the run is posted, and no document of it was issued" in found[0].what


@pytest.mark.parametrize("number", ["INV-2026-000001X", "INVX-2026-000001", "INV-2027-000001", "INV-2026-0000001"])
def test_a_number_that_was_changed_after_the_approval_is_named(sqlite_database: Database, number: str) -> None:
    office = office_of(sqlite_database)
    office.start("2026-07")
    office.approve()
    with sqlite_database.begin() as connection:
        guards_off(connection)
        connection.execute(sa.text(f"UPDATE posting_manifest SET number = '{number}' WHERE counter = 1"))
    office.post()
    found = prove(office.deployment, "MAIN").findings
    assert [(one.code, one.subject) for one in found] == [("INVOICE22", number)]


def test_a_number_of_a_series_that_the_book_has_changed_since_is_that_of_its_place(sqlite_database: Database) -> None:
    office = office_of(sqlite_database)
    office.bill("2026-07")
    changed = BOOK.replace("INV-{year}-", "B{year}/")
    assert not load_book_file(office.deployment, "book.toml", changed.encode()).findings
    office.customer("C3", "mill")
    office.jobs("j3,mill,2026-08-03T08:00:00+00:00,4", file="august.csv")
    office.bill("2026-08")
    assert any(one.startswith("B2026/") for one in office.documents())
    assert prove(office.deployment, "MAIN").findings == ()


def test_a_tax_of_a_draft_that_stands_under_another_code_is_not_approved(database: Database) -> None:
    office = office_of(database)
    office.start("2026-07")
    with database.begin() as connection:
        guards_off(connection)
        connection.execute(sa.text("UPDATE document_tax SET code = 'levy'"))
    found = [one for one in approve_run(office.deployment).findings if one.code == "RUN11"]
    assert found
    assert all("a stored tax differs from its content" in one.what for one in found)


INPUTS = {
    "text": "UPDATE document_input SET manifest = replace(manifest, 'drill', 'mill')",
    "digest": "UPDATE document_input SET digest = (SELECT digest FROM document_input ORDER BY digest LIMIT 1)",
    "row": "DELETE FROM document_input",
}


@pytest.mark.parametrize("what", INPUTS)
@pytest.mark.parametrize("approved", [False, True])
def test_a_draft_whose_input_was_changed_is_neither_approved_nor_posted(
    sqlite_database: Database, what: str, *, approved: bool
) -> None:
    office = office_of(sqlite_database)
    office.start("2026-07")
    if approved:
        office.approve()
    with sqlite_database.begin() as connection:
        guards_off(connection)
        assert connection.execute(sa.text(INPUTS[what])).rowcount
    if approved:
        with pytest.raises(Refused, match="RUN11.*input that it was made from was changed"):
            office.post()
        assert office.documents() == []
    else:
        found = approve_run(office.deployment).findings
        assert {one.code for one in found} == {"RUN11"}
        assert all("the input that it was made from was changed" in one.what for one in found)


UNREADABLE = {
    "control totals": "UPDATE run_account SET control = '[]'",
    "a kind": "UPDATE document SET kind = 'invoiceX' WHERE status = 'draft'",
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_draft_with_a_stored_value_that_is_none_is_refused_as_changed(sqlite_database: Database, what: str) -> None:
    office = office_of(sqlite_database)
    office.start("2026-07")
    with sqlite_database.begin() as connection:
        guards_off(connection)
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        assert connection.execute(sa.text(UNREADABLE[what])).rowcount
    with pytest.raises(StorageError, match="STORAGE21"):
        approve_run(office.deployment)


def test_a_document_whose_kind_is_none_any_more_is_not_posted(sqlite_database: Database) -> None:
    office = office_of(sqlite_database)
    office.start("2026-07")
    office.approve()
    with sqlite_database.begin() as connection:
        guards_off(connection)
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        connection.execute(sa.text(UNREADABLE["a kind"]))
    with pytest.raises(StorageError, match="STORAGE21"):
        office.post()
    assert office.documents() == []


def test_what_one_account_has_lost_is_not_made_up_by_what_another_counts_twice(sqlite_database: Database) -> None:
    office = office_of(sqlite_database)
    office.start("2026-07")
    assert review_run(office.deployment).reconciled
    with sqlite_database.begin() as connection:
        connection.exec_driver_sql("""UPDATE run_account SET control = '{"priced":0,"records":1}' WHERE account = 'C1'""")
        connection.exec_driver_sql("""UPDATE run_account SET control = '{"priced":1,"records":0}' WHERE account = 'C2'""")
    assert not review_run(office.deployment).reconciled
    assert [one.code for one in approve_run(office.deployment).findings] == ["RUN56", "RUN56"]


def test_usage_is_late_for_a_correction_by_the_order_of_turns_whatever_the_clocks_say(database: Database) -> None:
    office = office_of(database)
    office.bill("2026-07")
    office.jobs(LATER, file="later.csv")
    ahead = MovableClock(office.clock.now() + timedelta(hours=1))
    rebill_document(attrs.evolve(office.deployment, clock=ahead), "INV-2026-000001", reason="late job")
    assert late_usage(office.deployment, "MAIN") == ()
    office.jobs("j3,drill,2026-07-21T08:00:00+00:00,2", file="latest.csv")  # by a clock that shows less than the correction's
    (found,) = late_usage(office.deployment, "MAIN")
    assert (found.document, len(found.added)) == ("INV-2026-000003", 1)


def test_a_correction_knows_what_was_taken_in_by_a_clock_ahead_of_its_own(database: Database) -> None:
    office = office_of(database)
    office.bill("2026-07")
    ahead = Office(attrs.evolve(office.deployment, clock=MovableClock(office.clock.now() + timedelta(hours=1))), office.clock)
    ahead.jobs(LATER, file="later.csv")
    rebill_document(office.deployment, "INV-2026-000001", reason="late job")
    assert late_usage(office.deployment, "MAIN") == ()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE assignment SET agreement = 'E-nobody' WHERE subject = 'drill'", ["ACCOUNT09"]),
        ("UPDATE document SET account = 'C7' WHERE status = 'issued'", []),
    ],
)
def test_a_review_goes_on_where_somebody_changed_who_uses_and_pays(database: Database, statement: str, told: list[str]) -> None:
    office = office_of(database)
    office.bill("2026-07")
    office.jobs(LATER, file="more.csv")
    office.start("2026-08")
    if database.dialect == "sqlite":
        foreign = sqlite3.connect(sqlite_path(database), isolation_level=None)  # a program that asks for no foreign keys
        guards = foreign.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'document'").fetchall()
        for (guard,) in guards:
            foreign.execute(f"DROP TRIGGER {guard}")
        foreign.execute(statement)
        foreign.close()
    else:
        behind(database, statement)
    review = review_run(office.deployment)
    assert [one.code for one in review.findings if one.code != "RUN66"] == told
