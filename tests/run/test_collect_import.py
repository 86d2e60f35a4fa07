"""Files of payments and of opening items go in as a whole or not at all, and nothing of them is lost."""

from __future__ import annotations

from datetime import date

import pytest

from billing_framework.invoicing.payment_reference import rf_reference
from billing_framework.run.collect.assign import assign_payment
from billing_framework.run.collect.opening import OpeningReport, open_balances
from billing_framework.run.collect.payment_file import Expected, PaymentImport, import_payments
from billing_framework.run.collect.view import open_items, payments
from billing_framework.run.prove.reconcile import reconcile
from billing_framework.storage.audit import events
from billing_framework.storage.engine import Database
from billing_framework.values.errors import InputRefused, LedgerRefused, NotFound
from tests.run.cashier import Cashier, euros

HEADER = "reference,amount,currency,received_on,account,document,remittance"


@pytest.fixture
def desk(database: Database) -> Cashier:
    desk = Cashier.of(database, "MAIN", "OTHER")
    desk.account("A-1")
    desk.account("A-2")
    desk.account("O-1", book="OTHER")
    return desk


def take(desk: Cashier, *lines: str, expected: Expected | None = None, check_only: bool = False) -> PaymentImport:
    content = "\n".join([HEADER, *lines]).encode()
    return import_payments(desk.deployment, content, file="bank.csv", book="MAIN", expected=expected, check_only=check_only)


FILE = (
    "B-1,60.00,EUR,2026-08-20,A-1,,",
    "B-2,50.00,EUR,2026-08-20,A-1,I-2,",
    "B-3,10.00,EUR,2026-08-21,A-99,,",
    "B-4,20.00,EUR,2026-08-21,O-1,,",
    "B-5,30.00,EUR,2026-08-21,,,who knows",
)


def test_every_line_is_on_an_account_or_in_suspense_and_the_totals_agree(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00", due="2026-08-01")
    desk.invoice("I-2", "40.00", due="2026-08-02")
    report = take(desk, *FILE, expected=Expected(payments=5, money=euros("170.00")))
    assert (report.written, report.total.payments, report.recorded.payments, report.suspense.payments) == (True, 5, 2, 3)
    assert report.total.money == (euros("170.00"),)
    assert report.recorded.money == (euros("110.00"),)
    assert [(finding.code, finding.line) for finding in report.findings] == [("AR42", 4), ("AR41", 5), ("AR42", 6)]
    assert desk.open() == {"I-1": "30.00"}
    assert [view.stored.payment.external_ref for view in payments(desk.deployment, suspense=True)] == ["B-3", "B-4", "B-5"]
    with desk.deployment.database.read() as connection:
        (event,) = events(connection, object_kind="payment_file")
    assert event.after is not None
    assert event.after["suspense"] == {"payments": 3, "money": ["60.00 EUR"]}
    desk.proven()


def test_the_same_file_again_changes_nothing_also_after_suspense_was_assigned(desk: Cashier) -> None:
    take(desk, *FILE)
    assign_payment(desk.deployment, "B-5", "A-2")
    before = desk.journal()
    again = take(desk, *FILE)
    assert desk.journal() == before
    assert (again.seen_before, again.duplicate.payments, again.recorded.payments) == (True, 5, 0)
    more = take(desk, *FILE, "B-6,1.00,EUR,2026-08-21,A-2,,")
    assert (more.seen_before, more.duplicate.payments, more.recorded.payments) == (False, 5, 1)
    assert len(desk.journal()) == len(before) + 2


def test_one_wrong_or_conflicting_line_stops_the_whole_file(desk: Cashier) -> None:
    take(desk, "B-1,60.00,EUR,2026-08-20,A-1,,")
    conflict = take(desk, "B-0,5.00,EUR,2026-08-20,A-1,,", "B-1,61.00,EUR,2026-08-20,A-1,,")
    assert (conflict.written, conflict.conflicts) == (False, 1)
    assert [(finding.code, finding.line) for finding in conflict.findings] == [("AR40", 3)]
    wrong = take(desk, "B-0,5.00,EUR,2026-08-20,A-1,,", "B-7,-1.00,EUR,2026-08-20,A-1,,", "B-8,1.005,EUR,20.8.2026,A-1,,")
    assert [(finding.code, finding.line, finding.field) for finding in wrong.findings] == [
        ("AR20", 3, "amount"),
        ("ACCOUNT02", 4, "received_on"),
    ]
    short = take(desk, "B-0,5.00,EUR,2026-08-20,A-1,,", expected=Expected(payments=2, money=euros("6.00")))
    assert [finding.code for finding in short.findings] == ["AR52", "AR52"]
    with pytest.raises(LedgerRefused, match="LEDGER06"):
        take(desk, "B-0,5.00,EUR,2026-08-20,A-1,,", "B-9,5.00,EUR,2027-08-20,A-1,,")
    with pytest.raises(InputRefused, match="ACCOUNT11"):
        import_payments(desk.deployment, b"iban,amount\n", file="bank.csv", book="MAIN")
    with pytest.raises(NotFound, match="BOOK08"):
        import_payments(desk.deployment, f"{HEADER}\n".encode(), file="bank.csv", book="MAINE")
    assert desk.open() == {"B-1": "-60.00"}


def test_a_check_writes_nothing(desk: Cashier) -> None:
    report = take(desk, *FILE, check_only=True)
    assert (report.written, report.recorded.payments, report.suspense.payments) == (False, 2, 3)
    assert payments(desk.deployment) == []


def test_a_document_named_by_the_payer_finds_the_account(desk: Cashier) -> None:
    desk.invoice("INV-2026-1", "10.00", account="A-1")
    desk.invoice("INV-2026-12", "20.00", account="A-2")
    desk.invoice("INV-2026-13", "30.00", account="A-2")
    report = take(
        desk,
        "B-1,20.00,EUR,2026-08-20,,,bill INV-2026-12 thanks",
        f"B-2,30.00,EUR,2026-08-20,,,{rf_reference('INV-2026-13')}",
        "B-3,5.00,EUR,2026-08-20,,,INV-2026-1 and INV-2026-12",
        "B-4,10.00,EUR,2026-08-20,,INV-2026-1,",
    )
    assert (report.recorded.payments, report.suspense.payments) == (3, 1)
    assert (desk.open("A-1"), desk.open("A-2")) == ({}, {})
    assert take(desk, "B-1,20.00,EUR,2026-08-20,,,bill INV-2026-12 thanks").duplicate.payments == 1


def test_an_rf_reference_finds_its_document_however_that_is_punctuated(desk: Cashier) -> None:
    desk.invoice("inv-2026/13", "30.00", account="A-2")
    desk.invoice("INV-2026-130", "30.00", account="A-1")
    desk.invoice("14.", "40.00", account="A-1")
    desk.invoice("1-4", "40.00", account="A-2")
    report = take(
        desk,
        f"B-1,30.00,EUR,2026-08-20,,,thanks {rf_reference('INV202613')}",
        f"B-2,40.00,EUR,2026-08-20,,,{rf_reference('14')}",
        f"B-3,40.00,EUR,2026-08-20,,{rf_reference('INV-2026-130')},",
    )
    assert (report.recorded.payments, report.suspense.payments) == (2, 1)  # two accounts have a 14
    assert "inv-2026/13" not in desk.open("A-2")
    assert [view.stored.payment.external_ref for view in payments(desk.deployment, suspense=True)] == ["B-2"]


def test_an_item_whose_own_reference_is_an_rf_reference_is_found_however_that_is_printed(desk: Cashier) -> None:
    """One with so many signs is none that is printed on another document."""
    printed = rf_reference("ABCDEFGHIJKLMNOPQRSTU")
    desk.invoice(printed, "30.00", account="A-2")
    spaced = " ".join(printed[at : at + 4] for at in range(0, len(printed), 4))
    assert take(desk, f"B-1,30.00,EUR,2026-08-20,,,thanks {spaced}").recorded.payments == 1


OPENING = "account,reference,amount,currency,dated_on,due_on"


def take_over(desk: Cashier, *lines: str, check_only: bool = False) -> OpeningReport:
    content = "\n".join([OPENING, *lines]).encode()
    return open_balances(desk.deployment, content, file="old.csv", on=date(2026, 7, 1), check_only=check_only)


def test_what_was_open_is_taken_over_once_with_its_old_dates(desk: Cashier) -> None:
    lines = (
        "A-1,OLD-1,100.00,EUR,2025-11-01,2025-11-15",
        "A-1,OLD-2,-20.00,EUR,2026-01-01,",
        "O-1,OLD-1,50.00,EUR,2026-02-01,2026-03-01",
    )
    assert take_over(desk, *lines, check_only=True).opened == 3
    report = take_over(desk, *lines)
    assert (report.opened, report.money) == (3, (euros("130.00"),))
    items = {one.reference: one.due_on for one in open_items(desk.deployment, "A-1").items}
    assert items == {"OLD-1": date(2025, 11, 15), "OLD-2": date(2026, 1, 1)}
    assert sum(int(text.replace(".", "")) for _, name, text in desk.journal() if name == "Opening") == -8000
    again = take_over(desk, *lines)
    assert (again.opened, again.existing) == (0, 3)
    desk.pay("100.00")
    assert desk.open() == {"OLD-2": "-20.00"}
    desk.proven()


def test_opening_items_that_do_not_fit_stop_the_file(desk: Cashier) -> None:
    take_over(desk, "A-1,OLD-1,100.00,EUR,2025-11-01,2025-11-15")
    report = take_over(
        desk,
        "A-2,OLD-1,100.00,EUR,2025-11-01,2025-11-15",
        "A-1,OLD-1,101.00,EUR,2025-11-01,2025-11-15",
        "A-9,OLD-1,100.00,EUR,2025-11-01,",
        "A-2,OLD-2,100.00,USD,2025-11-01,",
        "A-2,OLD-3,0.00,EUR,2025-11-01,",
        "A-2,OLD-4,1.00,EUR,2025-11-01,2025-10-01",
    )
    assert sorted((finding.line, finding.code) for finding in report.findings) == [
        (3, "AR53"), (4, "ACCOUNT09"), (5, "AR41"), (6, "AR11"), (7, "AR53"),
    ]  # fmt: skip
    assert desk.open("A-2") == {}


def test_the_reconciliation_names_the_account_that_differs(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00")
    assert reconcile(desk.deployment) == []
    desk.slip("1200", "4000", "7.00", account="A-2")
    (finding,) = reconcile(desk.deployment, "MAIN")
    assert (finding.code, finding.subject) == ("AR48", "A-2")
    assert "7.00 EUR" in finding.what
    with pytest.raises(NotFound, match="BOOK08"):
        reconcile(desk.deployment, "NONE")
