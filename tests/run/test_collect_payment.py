"""Payments are recorded once, on their account or in suspense, settled, entered and audited in one transaction."""

from __future__ import annotations

from datetime import date

import pytest

from billing_framework.receivables.allocation import Instruction
from billing_framework.run.collect.assign import assign_payment
from billing_framework.run.collect.view import payment_views, payments
from billing_framework.run.master.periods import close_book_period
from billing_framework.storage.audit import events
from billing_framework.storage.engine import Database
from billing_framework.values.errors import Conflict, InputRefused, LedgerRefused, NotFound, Refused
from billing_framework.values.money import Money
from tests.finance_vectors import VECTORS
from tests.run.cashier import Cashier, euros


@pytest.fixture
def desk(database: Database) -> Cashier:
    desk = Cashier.of(database, "MAIN", "OTHER")
    desk.account("A-1")
    desk.account("A-2")
    return desk


def test_the_oldest_due_document_is_settled_first(desk: Cashier) -> None:
    vector = VECTORS["pay-01"]
    for number, amount in enumerate(vector["inputs"]["open_by_due"], 1):
        desk.invoice(f"I-{number}", amount, due=f"2026-08-0{number}")
    recorded = desk.pay(vector["inputs"]["payment"])
    assert [str(one.amount) for one in recorded.allocations] == [f"{text} EUR" for text in vector["expected"]["allocated"]]
    assert recorded.unapplied == euros(vector["expected"]["unapplied"])
    assert desk.open() == {"I-3": "65.00"}
    desk.proven()


def test_pro_rata_shares_by_what_is_open(desk: Cashier) -> None:
    vector = VECTORS["pay-02"]
    for number, amount in enumerate(vector["inputs"]["charges"], 1):
        desk.invoice(f"I-{number}", amount)
    recorded = desk.pay(vector["inputs"]["payment"], strategy="pro_rata")
    assert [str(one.amount) for one in recorded.allocations] == [f"{text} EUR" for text in vector["expected"]["allocated"]]


def test_an_overpayment_stays_on_account_and_settles_the_next_document_when_asked(desk: Cashier) -> None:
    vector = VECTORS["pay-04"]
    desk.invoice("I-1", vector["inputs"]["open"])
    recorded = desk.pay(vector["inputs"]["payment"])
    assert recorded.allocations[0].amount == euros(vector["expected"]["clearing"])
    assert recorded.unapplied == euros(vector["expected"]["payment_on_account"])
    assert desk.open() == {"B-1": "-100.00"}
    desk.proven()


def test_a_short_payment_within_the_tolerance_is_written_off(desk: Cashier) -> None:
    vector = VECTORS["pay-05"]
    desk.invoice("I-1", vector["inputs"]["bill"])
    recorded = desk.pay(vector["inputs"]["payment"], tolerance=euros(vector["inputs"]["tolerance"]))
    assert recorded.allocations[0].amount == euros(vector["expected"]["allocated"])
    assert [-item.original for item in recorded.written_off] == [euros(vector["expected"]["small_balance_writeoff"])]
    assert desk.open() == {}
    assert ("write_off", "Write-off", "0.50") in desk.journal()
    desk.proven()


def test_the_payer_comes_first_and_the_strategy_takes_the_rest(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00", due="2026-08-01")
    desk.invoice("I-2", "100.00", due="2026-08-02")
    desk.pay("120.00", instructions=(Instruction(item="I-2", amount=euros("70.00")),))
    assert desk.open() == {"I-1": "50.00", "I-2": "30.00"}


def test_an_account_by_document_keeps_what_nobody_instructed(desk: Cashier) -> None:
    desk.account("A-3", allocation="by_document")
    desk.invoice("I-1", "100.00", account="A-3")
    desk.invoice("I-2", "30.00", account="A-3")
    desk.pay("50.00", account="A-3", remittance="my bill I-2, thanks")
    assert desk.open("A-3") == {"I-1": "100.00", "B-1": "-20.00"}


def test_the_same_payment_again_changes_nothing_and_another_one_is_refused(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00")
    assert desk.pay("60.00").outcome == "recorded"
    before = desk.journal(), desk.open()
    assert desk.pay("60.00").outcome == "duplicate"
    with pytest.raises(Conflict, match="AR40"):
        desk.pay("61.00")
    with pytest.raises(Conflict, match="AR40"):
        desk.pay("60.00", account="A-2")
    assert (desk.journal(), desk.open()) == before


def test_a_payment_is_entered_audited_and_shown(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00")
    desk.pay("60.00", remittance="for my flat")
    assert desk.journal() == [("payment", "Bank", "60.00"), ("payment", "Receivable", "-60.00")]
    with desk.deployment.database.read() as connection:
        (event,) = events(connection, object_kind="payment", object_key="B-1")
    assert (event.actor, event.action) == ("ada", "payment record")
    assert "flat" not in str(event.after)
    (view,) = payment_views(desk.deployment, "B-1")
    assert (view.status, view.unapplied) == ("applied", euros("0.00"))
    assert [link.debit for link in view.allocations] == ["document/I-1"]


@pytest.mark.parametrize("on", ["2026-12-01", "2026-06-15"])
def test_a_date_outside_of_open_periods_is_refused_as_a_whole(desk: Cashier, on: str) -> None:
    close_book_period(desk.deployment, "MAIN", date(2026, 6, 1), reason="June is reported")
    desk.invoice("I-1", "100.00")
    with pytest.raises(LedgerRefused, match="LEDGER06"):
        desk.pay("60.00", on=on)
    assert payments(desk.deployment) == []
    assert desk.open() == {"I-1": "100.00"}


def test_another_currency_an_unknown_account_or_strategy_is_refused(desk: Cashier) -> None:
    desk.account("USD-1", currency="USD")
    desk.invoice("I-1", "100.00")
    with pytest.raises(InputRefused, match="AR41"):
        desk.pay("60.00", account="USD-1")
    with pytest.raises(NotFound, match="ACCOUNT09.*A-1"):
        desk.pay("60.00", account="A-11")
    with pytest.raises(NotFound, match="AR13.*oldest_first"):
        desk.pay("60.00", strategy="oldest_fist")
    assert payments(desk.deployment) == []


def test_suspense_is_assigned_and_settles_then(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00")
    recorded = desk.pay("60.00", account="", book="MAIN")
    assert recorded.outcome == "suspense"
    assert desk.journal() == [("payment", "Bank", "60.00"), ("payment", "Suspense", "-60.00")]
    assert [view.status for view in payments(desk.deployment, suspense=True)] == ["suspense"]
    desk.proven()

    assigned = assign_payment(desk.deployment, "B-1", "A-1", on=date(2026, 9, 1))
    assert assigned.allocations[0].amount == euros("60.00")
    assert desk.open() == {"I-1": "40.00"}
    assert desk.journal()[2:] == [("payment_assigned", "Suspense", "60.00"), ("payment_assigned", "Receivable", "-60.00")]
    assert payments(desk.deployment, suspense=True) == []
    assert assign_payment(desk.deployment, "B-1", "A-1").outcome == "duplicate"
    assert desk.pay("60.00", account="", book="MAIN").outcome == "duplicate"
    with pytest.raises(Refused, match="AR46"):
        assign_payment(desk.deployment, "B-1", "A-2")
    desk.proven()


def test_suspense_never_goes_to_an_account_of_another_book(desk: Cashier) -> None:
    desk.account("O-1", book="OTHER")
    desk.pay("60.00", account="", book="MAIN")
    with pytest.raises(InputRefused, match="AR41"):
        assign_payment(desk.deployment, "B-1", "O-1")
    with pytest.raises(NotFound, match="AR43"):
        assign_payment(desk.deployment, "B-2", "A-1")
    assert len(payments(desk.deployment, suspense=True)) == 1


def test_two_books_may_see_one_reference_and_then_the_book_must_be_named(desk: Cashier) -> None:
    desk.pay("60.00", account="", book="MAIN")
    desk.pay("70.00", account="", book="OTHER")
    with pytest.raises(Refused, match="AR44"):
        assign_payment(desk.deployment, "B-1", "A-1")
    assert assign_payment(desk.deployment, "B-1", "A-1", book="MAIN").payment.money == Money.of("60.00", "EUR")
