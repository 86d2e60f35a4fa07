"""Answers that look alike: payments that share a trace number, and documents that an officer names for the third party."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from billing_framework.run.collect.answer_queue import Retry, retry_item
from billing_framework.run.collect.answer_view import show_answer
from billing_framework.run.collect.assign import assign_payment
from billing_framework.run.collect.payment import PaymentRequest, record_payment
from billing_framework.storage.engine import Database
from billing_framework.values.errors import Conflict, Refused
from billing_framework.values.money import Money
from tests.run.test_answers import PAID, Desk, codes

UNION = ("payment,UNION,TR-1,33.00,2026-08-03", "item,3/B/1,INV-2026-000003,B,answered,33.00,33.00,")


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.of(database)


def test_third_parties_number_their_payments_each_on_its_own(desk: Desk) -> None:
    deployment = desk.office.deployment
    assert desk.take(*PAID).written
    rehearsed = desk.take(*UNION, file="union.csv", check_only=True)
    report = desk.take(*UNION, file="union.csv")
    assert (report.findings, report.written, attrs.evolve(rehearsed, written=True)) == ((), True, report)
    assert (desk.books()["Bank"], desk.open("T1"), desk.open("T2")) == ("63.00", [], [])
    for rows in (PAID, UNION):
        again = desk.take(*rows)
        assert (again.written, again.answers[0].duplicate, again.findings) == (False, 1, ())
    with pytest.raises(Refused, match="ANSWER15"):
        show_answer(deployment, "TR-1")
    assert show_answer(deployment, "TR-1", payer="UNION").answer.money == Money.of("33", "USD")
    with pytest.raises(Refused, match="AR46"):
        assign_payment(deployment, "UNION/TR-1", "C1")
    # The bank knows both by the one number, and tells no other money.
    bank = PaymentRequest(account="", money=Money.of("30", "USD"), received_on=date(2026, 8, 4), external_ref="TR-1")
    for amount in ("30", "33"):
        same = attrs.evolve(bank, money=Money.of(amount, "USD"))
        assert record_payment(deployment, same, book="MAIN").outcome == "duplicate"
    with pytest.raises(Conflict, match="AR40"):
        record_payment(deployment, attrs.evolve(bank, money=Money.of("34", "USD")), book="MAIN")
    assert codes(desk.take(UNION[0].replace("33.00", "34.00"), UNION[1].replace("33.00", "34.00"))) == ["ANSWER11"]
    desk.sound()


def test_money_that_the_bank_told_before_is_taken_by_whose_it_is(desk: Desk) -> None:
    deployment = desk.office.deployment
    bank = PaymentRequest(account="", money=Money.of("33", "USD"), received_on=date(2026, 8, 2), external_ref="TR-1")
    record_payment(deployment, bank, book="MAIN")
    assert codes(desk.take(*PAID)) == ["ANSWER11"]  # the money under the number is not this one's
    assert desk.take(*UNION, file="union.csv").findings == ()
    assert desk.take(*PAID).findings == ()
    assert desk.books()["Bank"] == "63.00"
    assert record_payment(deployment, attrs.evolve(bank, money=Money.of("30", "USD")), book="MAIN").outcome == "duplicate"
    desk.sound()


def test_a_document_that_an_officer_names_may_be_answered_in_part(desk: Desk) -> None:
    """The file names one of several requests, misspelt, so that its reader could not tell that it is a part."""
    deployment = desk.office.deployment
    report = desk.take("payment,GUILD,TR-1,33.00,2026-08-01", "item,2/A/1,INV-2O26-OOOOO2,A,answered,33.00,33.00,")
    assert codes(report) == ["ANSWER05"]
    done = retry_item(deployment, "TR-1/1", Retry(document="INV-2026-000002", reason="letters for digits"))
    assert (done.state, done.findings) == ("posted", ())
    assert desk.open("T1") == ["INV-2026-000002 22.00"]
    desk.sound()


def test_a_document_that_an_officer_names_is_never_answered_with_more_than_it_came_to(desk: Desk) -> None:
    desk.take(*(row.replace("INV-2026-000002", "INV-2O26-OOOOO2") for row in PAID))
    wrong = retry_item(desk.office.deployment, "TR-1/1", Retry(document="INV-2026-000003", reason="a guess"))
    assert (wrong.state, wrong.findings[0].code) == ("suspended", "ANSWER05")
    assert desk.open("T2") == ["INV-2026-000003 33.00"]
    desk.sound()
