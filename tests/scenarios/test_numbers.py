"""Legal numbers stay without a gap, whatever cannot be posted."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from billing_framework.invoicing.edit import EditField
from billing_framework.invoicing.numbering import number_gaps
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.cycle.cancel import cancel_run
from billing_framework.run.master.charges import ChargeRequest, enter_charge, withdraw
from billing_framework.run.master.periods import close_book_period
from billing_framework.run.review.edits import edit_draft
from billing_framework.run.review.wanted_edits import LineEdit
from billing_framework.storage.billing.numbers import counters_given
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.books import close_period
from billing_framework.storage.ledger.verify import verify
from billing_framework.values.errors import Refused
from billing_framework.values.period import DateSpan
from tests.grown import grown_once
from tests.scenarios.office import BOOK, Office

GUARDED = BOOK.replace(
    "[book.charges]\n",
    '[[book.account]]\ncode = "2300"\nname = "Deposits"\ntype = "liability"\nrole = "deposits"\n'
    'floor = "no_debit"\ncontrol_of = "deposit"\n'
    '[book.charges]\n"deposit.*" = "2300"\n',
)
JULY = DateSpan.inclusive(date(2026, 7, 5), date(2026, 7, 5))


def gaps(office: Office) -> list[object]:
    with office.deployment.database.read() as connection:
        return [*number_gaps(*counters_given(connection, "MAIN"))]


@grown_once
def three_drafted(database: Database) -> Office:
    office = Office.of(database, book=GUARDED)
    for code in ("C1", "C2", "C3"):
        office.customer(code, f"machine of {code}")
    return office


def test_a_document_that_cannot_be_posted_is_void_under_its_number(database: Database) -> None:
    office = three_drafted(database)
    # Nothing is held for C2, so giving 10.00 of its deposit back would overdraw the guarded account.
    request = ChargeRequest(
        account="C2", agreement="", code="deposit.back", text="Deposit back", amount="-10", tax_category="standard", service=JULY,
        reason="order 7",
    )  # fmt: skip
    charge = enter_charge(office.deployment, request)
    office.start("2026-07")
    office.approve()
    report = office.post(chunk_size=3)
    assert report.posted == 3
    assert list(report.void) == ["C2"]
    assert "LEDGER" in report.void["C2"]
    assert office.documents() == ["INV-2026-000001 C1 33.00", "INV-2026-000002 C2 22.00 void", "INV-2026-000003 C3 33.00"]
    assert gaps(office) == []
    assert verify(database, "MAIN") == []

    withdraw(office.deployment, charge.id, reason="no deposit was taken")
    again = office.start("2026-07")
    assert again.counts == {"drafted": 1}
    office.approve()
    office.post()
    assert office.documents()[-1] == "INV-2026-000004 C2 33.00"


def test_a_closed_period_stops_the_run_and_spoils_nothing(database: Database) -> None:
    office = three_drafted(database)
    office.start("2026-07", as_of="2026-07-31")
    office.approve()
    with database.begin() as connection:  # past the desk, which would refuse it while an approved run waits
        close_period(connection, "MAIN", date(2026, 7, 31), now=office.clock.now())
    with pytest.raises(Refused, match="RUN13"):
        office.post()
    assert office.documents() == []
    assert cancel_run(office.deployment, "2026-07-01.monthly-1.1", reason="July is closed").void == ()
    assert office.start("2026-07").is_new
    office.approve()
    office.post()
    assert office.documents()[0] == "INV-2026-000001 C1 33.00"
    assert gaps(office) == []


def test_what_is_left_of_a_posting_can_be_given_up(database: Database) -> None:
    office = three_drafted(database)
    run = office.start("2026-07").run
    assert run is not None
    office.approve()

    def fail(done: int, _: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.post(chunk_size=1, progress=fail)
    with pytest.raises(Refused, match=r"RUN65 .* would issue 2 numbers as void: INV-2026-000002 to INV-2026-000003") as refused:
        cancel_run(office.deployment, run.code, reason="wrong plan for the others")
    assert "--void-numbers" in refused.value.remedy
    assert office.documents() == ["INV-2026-000001 C1 33.00"]
    report = cancel_run(office.deployment, run.code, reason="wrong plan for the others", void_numbers=True)
    assert report.void_ranges == ("INV-2026-000002 to INV-2026-000003",)
    assert report.void == ("INV-2026-000002", "INV-2026-000003")
    assert report.run.state == "posted"
    assert gaps(office) == []
    assert office.start("2026-07").counts == {"drafted": 2}
    office.approve()
    office.post()
    assert office.documents() == [
        "INV-2026-000001 C1 33.00",
        "INV-2026-000002 C2 33.00 void",
        "INV-2026-000003 C3 33.00 void",
        "INV-2026-000004 C2 33.00",
        "INV-2026-000005 C3 33.00",
    ]


def test_numbers_taken_after_an_approval_make_it_final(database: Database) -> None:
    office = three_drafted(database)
    office.bill("2026-07")
    office.pass_days(31)
    run = office.start("2026-08").run
    assert run is not None
    office.approve()
    office.pass_days(1)
    credit_document(office.deployment, "INV-2026-000001", reason="wrong customer")
    # A credit note counts in a series of its own, so the invoices of the approved run can still be given back.
    edit_draft(
        office.deployment, run.code, "C1", LineEdit(line=1, field=EditField.DESCRIPTION, after="Place"), reason="asked for"
    )
    office.approve()

    rebill_document(office.deployment, "INV-2026-000001", reason="the right one after all")
    with pytest.raises(Refused, match="RUN10"):
        edit_draft(office.deployment, run.code, "C1", LineEdit(line=1, field=EditField.LINE), reason="too late")
    with pytest.raises(Refused, match="RUN65"):
        cancel_run(office.deployment, run.code, reason="wrong plan")
    report = cancel_run(office.deployment, run.code, reason="wrong plan", void_numbers=True)
    assert report.void == ("INV-2026-000004", "INV-2026-000005", "INV-2026-000006")
    assert gaps(office) == []
    assert office.documents()[-1] == "INV-2026-000007 C1 33.00"
    assert office.start("2026-08").counts == {"drafted": 3}


def test_a_period_is_not_closed_under_an_approved_run_nor_a_rehearsal_posted_by_default(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    run = office.start("2026-07").run
    assert run is not None
    office.approve(run.code)
    with pytest.raises(Refused, match="PERIOD02"):
        close_book_period(office.deployment, "MAIN", run.as_of, reason="month end")
    office.start("2026-07", kind="rehearsal")
    assert office.post().posted == 1
    office.clock.move_to(datetime(2026, 9, 1, tzinfo=UTC))
    assert close_book_period(office.deployment, "MAIN", run.as_of, reason="month end") is not None
