"""Held money is each customer's own: taken once, drawn for documents, paid back, and never overdrawn."""

from __future__ import annotations

from datetime import date

import pytest

from billing_framework.run.collect.deposit import CashRequest, refund_deposit, take_deposit
from billing_framework.run.collect.draw import DrawRequest, apply_deposit
from billing_framework.run.collect.held import HeldMoney, Moved
from billing_framework.run.collect.held_return import HeldReturnRequest, return_deposit
from billing_framework.run.collect.returned import ReturnRequest, reverse_payment
from billing_framework.run.collect.view import held_money
from billing_framework.run.prove.reconcile import reconcile_held_money
from billing_framework.storage.engine import Database
from billing_framework.values.errors import Conflict, InputRefused, NotFound, Refused
from tests.finance_vectors import VECTORS
from tests.run.cashier import Cashier, euros


@pytest.fixture
def desk(database: Database) -> Cashier:
    desk = Cashier.of(database, "MAIN", "TRUST")
    desk.account("A-1")
    desk.account("A-2")
    return desk


def take(
    desk: Cashier, amount: str, reference: str = "D-1", *, account: str = "A-1", clears: date | None = None, **held: str
) -> Moved:
    where = HeldMoney(account=account, **held)
    return take_deposit(desk.deployment, CashRequest(held=where, money=euros(amount), reference=reference, clears_on=clears))


def apply(desk: Cashier, document: str, amount: str | None = None, *, reference: str = "", **held: str) -> Moved:
    request = DrawRequest(
        held=HeldMoney(account="A-1", **held),
        document=document,
        amount=None if amount is None else euros(amount),
        reference=reference,
    )
    return apply_deposit(desk.deployment, request)


def test_a_deposit_is_taken_once_applied_and_paid_back(desk: Cashier) -> None:
    desk.invoice("I-1", "80.00")
    assert take(desk, "200.00").outcome == "taken"
    assert take(desk, "200.00").outcome == "duplicate"
    with pytest.raises(Conflict, match="AR40"):
        take(desk, "201.00")
    assert desk.open() == {"I-1": "80.00"}

    assert apply(desk, "I-1", reference="X-1").movement.money == euros("-80.00")
    assert apply(desk, "I-1", reference="X-1").outcome == "duplicate"
    assert desk.open() == {}
    request = CashRequest(held=HeldMoney(account="A-1"), money=euros("120.00"), reference="OUT-1", reason="moved out")
    assert refund_deposit(desk.deployment, request).balance.balance == euros("0.00")
    assert refund_deposit(desk.deployment, request).outcome == "duplicate"
    assert sorted(desk.journal()) == sorted([
        ("deposit_receipt", "Bank", "200.00"), ("deposit_receipt", "Deposits", "-200.00"),
        ("deposit_draw", "Deposits", "80.00"), ("deposit_draw", "Receivable", "-80.00"),
        ("deposit_refund", "Deposits", "120.00"), ("deposit_refund", "Bank", "-120.00"),
    ])  # fmt: skip
    desk.proven()


def test_no_client_is_overdrawn_whatever_the_pool_holds(desk: Cashier) -> None:
    vector = VECTORS["trust-01"]
    for number, (matter, amount) in enumerate(vector["inputs"]["deposits"].items()):
        take(desk, amount, f"D-{number}", purpose="trust", subject=matter, book="TRUST")
    ((matter, amount),) = vector["inputs"]["draw"].items()
    desk.invoice("I-1", amount)
    with pytest.raises(Refused, match="AR26"):
        apply(desk, "I-1", amount, purpose="trust", subject=matter, book="TRUST")
    pooled = sum(int(text.replace(".", "")) for _, name, text in desk.journal("TRUST") if name == "Trust bank")
    assert pooled == euros(vector["expected"]["pooled_bank"]).minor
    assert [(one.purpose, one.money) for one in held_money(desk.deployment)] == [
        ("trust/M1", euros("1000.00")),
        ("trust/M2", euros("500.00")),
    ]
    desk.proven()


def test_a_trust_draw_posts_in_both_books(desk: Cashier) -> None:
    take(desk, "1000.00", purpose="trust", subject="M1", book="TRUST")
    desk.invoice("I-1", "300.00")
    apply(desk, "I-1", purpose="trust", subject="M1", book="TRUST")
    assert desk.journal("TRUST")[2:] == [("trust_draw", "Trust", "300.00"), ("trust_draw", "Trust bank", "-300.00")]
    assert desk.journal("MAIN") == [("trust_draw", "Bank", "300.00"), ("trust_draw", "Receivable", "-300.00")]
    assert desk.open() == {}
    desk.proven()


def test_trust_and_operation_in_one_book_post_one_batch(desk: Cashier) -> None:
    take(desk, "1000.00", purpose="trust", subject="M1")
    desk.invoice("I-1", "300.00")
    apply(desk, "I-1", purpose="trust", subject="M1")
    assert len(desk.journal()) == 6
    assert desk.open() == {}
    desk.proven()


def test_what_has_not_cleared_cannot_be_used_yet(desk: Cashier) -> None:
    desk.invoice("I-1", "80.00")
    moved = take(desk, "100.00", clears=date(2026, 8, 27))
    assert (moved.balance.balance, moved.balance.available) == (euros("100.00"), euros("0.00"))
    with pytest.raises(Refused, match="AR26"):
        apply(desk, "I-1", "80.00")
    desk.clock.advance(desk.clock.instant.replace(day=27) - desk.clock.instant)
    assert apply(desk, "I-1", "80.00").balance.available == euros("20.00")


def test_held_money_pays_documents_of_its_own_account_only(desk: Cashier) -> None:
    desk.invoice("I-2", "80.00", account="A-2")
    desk.invoice("I-1", "10.00")
    take(desk, "100.00")
    with pytest.raises(NotFound, match="AR43"):
        apply(desk, "I-2")
    with pytest.raises(Refused, match="AR27"):
        apply(desk, "I-1", "10.01")
    with pytest.raises(InputRefused, match="AR50"):
        HeldMoney(account="A-1", purpose="deposits")
    with pytest.raises(Refused, match="AR47"):
        take(desk, "1.00", "D-9", book="TRUST")
    with pytest.raises(Refused, match="AR26"):
        take(desk, "-5.00", "D-9")


def test_held_money_is_no_payment_that_could_be_returned_or_recorded_again(desk: Cashier) -> None:
    take(desk, "100.00", "D-1")
    with pytest.raises(Conflict, match="AR40"):
        desk.pay("100.00", "D-1")
    with pytest.raises(Refused, match="AR46"):
        reverse_payment(desk.deployment, ReturnRequest(reference="D-1", code="R01", reason="bounced"))
    desk.pay("50.00", "B-1")
    with pytest.raises(Conflict, match="AR40"):
        take(desk, "50.00", "B-1")


def test_the_proof_of_held_money_finds_a_trust_bank_that_differs(desk: Cashier) -> None:
    take(desk, "100.00", purpose="trust", subject="M1")
    assert reconcile_held_money(desk.deployment) == []
    desk.slip("1100", "1000", "5.00")
    assert [finding.code for finding in reconcile_held_money(desk.deployment)] == ["AR28"]


def give_back(desk: Cashier, reference: str = "D-1", *, code: str = "R01", account: str = "A-1", **held: str) -> Moved:
    where = HeldMoney(account=account, **held)
    request = HeldReturnRequest(held=where, reference=reference, code=code, reason="not covered")
    return return_deposit(desk.deployment, request)


def test_what_the_bank_takes_back_leaves_the_balance_cleared_or_not(desk: Cashier) -> None:
    take(desk, "100.00", "D-1", clears=date(2026, 8, 27))
    take(desk, "40.00", "D-2")
    moved = give_back(desk)
    assert (moved.outcome, moved.movement.money) == ("returned", euros("-100.00"))
    assert (moved.balance.balance, moved.balance.available) == (euros("40.00"), euros("40.00"))
    assert give_back(desk).outcome == "duplicate"
    with pytest.raises(Refused, match="AR22"):
        give_back(desk, code="R02")
    assert give_back(desk, "D-2").balance.balance == euros("0.00")
    assert [one for one in desk.journal() if one[0] == "deposit_return"] == [
        ("deposit_return", "Deposits", "100.00"), ("deposit_return", "Bank", "-100.00"),
        ("deposit_return", "Deposits", "40.00"), ("deposit_return", "Bank", "-40.00"),
    ]  # fmt: skip
    desk.proven()


def test_money_that_was_used_cannot_be_taken_back_from_another(desk: Cashier) -> None:
    desk.invoice("I-1", "80.00")
    take(desk, "100.00", "D-1", purpose="trust", subject="M1", book="TRUST")
    take(desk, "500.00", "D-2", purpose="trust", subject="M2", book="TRUST")
    apply(desk, "I-1", purpose="trust", subject="M1", book="TRUST")
    with pytest.raises(Refused, match="AR26"):
        give_back(desk, purpose="trust", subject="M1", book="TRUST")
    take(desk, "80.00", "D-3", purpose="trust", subject="M1", book="TRUST")
    assert give_back(desk, purpose="trust", subject="M1", book="TRUST").balance.balance == euros("0.00")
    desk.proven()


def test_only_the_receipt_that_is_named_goes_back(desk: Cashier) -> None:
    take(desk, "100.00", "D-1", purpose="trust", subject="M1", book="TRUST")
    desk.pay("50.00", "B-1")
    for reference, held in (
        ("D-1", {"purpose": "trust", "subject": "M2", "book": "TRUST"}),
        ("D-1", {}),
        ("B-1", {}),
        ("D-9", {}),
    ):
        with pytest.raises(NotFound, match="AR43"):
            give_back(desk, reference, **held)
    with pytest.raises(NotFound, match="AR43"):
        give_back(desk, account="A-2", purpose="trust", subject="M1", book="TRUST")
