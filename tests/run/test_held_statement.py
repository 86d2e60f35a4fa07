"""A trust bank's statement is put against the books as they were on its date, and the result is kept for ever."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from billing_framework.receivables.held_statement import HeldReconciliation
from billing_framework.run.collect.deposit import CashRequest, take_deposit
from billing_framework.run.collect.draw import DrawRequest, apply_deposit
from billing_framework.run.collect.held import HeldMoney
from billing_framework.run.prove.held_statement import StatementRequest, list_reconciliations, reconcile_bank_statement
from billing_framework.storage.engine import Database
from billing_framework.values.errors import NotFound, Refused, ValueRefused
from tests.run.cashier import Cashier, euros


@pytest.fixture
def desk(database: Database) -> Cashier:
    desk = Cashier.of(database, "MAIN", "TRUST")
    desk.account("A-1")
    desk.account("A-2")
    return desk


def take(desk: Cashier, amount: str, reference: str, *, account: str = "A-1", subject: str = "S1") -> None:
    held = HeldMoney(account=account, purpose="trust", subject=subject, book="TRUST")
    take_deposit(desk.deployment, CashRequest(held=held, money=euros(amount), reference=reference))


def reconcile(desk: Cashier, bank: str, *, on: date | None = None, book: str = "TRUST", **more: str) -> HeldReconciliation:
    named: dict[str, Any] = {name: (euros(amount),) for name, amount in more.items()}
    day = on or desk.clock.instant.date()
    return reconcile_bank_statement(desk.deployment, StatementRequest(book=book, on=day, balance=euros(bank), **named))


def test_the_three_counts_of_the_vector_agree(desk: Cashier) -> None:
    # L41: 18,450.00 at the bank, 1,200.00 on its way, 2,150.00 not yet paid; ledgers of three customers and the firm's own funds.
    for number, (subject, amount) in enumerate({"A": "10000", "B": "5000", "C": "2400", "own funds": "100"}.items()):
        take(desk, amount, f"D-{number}", subject=subject)
    made = reconcile(desk, "18450.00", in_transit="1200.00", outstanding="2150.00")
    assert made.agrees
    assert (made.statement.adjusted, made.journal, made.ledgers) == (euros("17500.00"),) * 3
    (kept,) = list_reconciliations(desk.deployment, "TRUST")
    assert (kept.number, kept.bank, kept.ledgers, kept.findings) == (1, euros("18450.00"), euros("17500.00"), ())


def test_a_difference_is_told_and_kept_beside_the_later_result(desk: Cashier) -> None:
    take(desk, "100.00", "D-1")
    assert [finding.code for finding in reconcile(desk, "90.00").findings] == ["AR28"]
    assert reconcile(desk, "90.00", in_transit="10.00").agrees
    kept = list_reconciliations(desk.deployment)
    assert [(one.number, bool(one.findings)) for one in kept] == [(1, True), (2, False)]


def test_a_statement_is_put_against_the_books_of_its_date(desk: Cashier) -> None:
    first = desk.clock.instant.date()
    take(desk, "100.00", "D-1")
    desk.invoice("I-1", "30.00")
    desk.clock.advance(timedelta(days=1))
    held = HeldMoney(account="A-1", purpose="trust", subject="S1", book="TRUST")
    apply_deposit(desk.deployment, DrawRequest(held=held, document="I-1"))
    assert reconcile(desk, "100.00", on=first).agrees
    assert reconcile(desk, "70.00").agrees
    assert not reconcile(desk, "100.00").agrees


def test_what_was_reconciled_never_changes(desk: Cashier) -> None:
    take(desk, "100.00", "D-1")
    reconcile(desk, "100.00")
    for statement in ("UPDATE held_reconciliation SET bank = 1", "DELETE FROM held_reconciliation"):
        with pytest.raises(Refused, match="AR56"), desk.deployment.database.begin() as connection:
            connection.execute(sa.text(statement))


def test_what_cannot_be_reconciled_is_refused(desk: Cashier) -> None:
    with pytest.raises(Refused, match="AR57"):
        reconcile(desk, "0.00", on=desk.clock.instant.date() + timedelta(days=2))
    with pytest.raises(NotFound, match="BOOK08"):
        reconcile(desk, "0.00", book="NONE")
    with pytest.raises(ValueRefused, match="AR55"):
        reconcile(desk, "0.00", outstanding="-1.00")
    assert list_reconciliations(desk.deployment) == []


def test_a_draw_of_money_that_has_not_cleared_says_so(desk: Cashier) -> None:
    desk.invoice("I-1", "30.00")
    held = HeldMoney(account="A-1", purpose="trust", subject="S1", book="TRUST")
    request = CashRequest(
        held=held, money=euros("50.00"), reference="D-1", clears_on=desk.clock.instant.date() + timedelta(days=3)
    )
    take_deposit(desk.deployment, request)
    with pytest.raises(Refused, match=r"AR26 nothing may be used yet of the 50.00 EUR"):
        apply_deposit(desk.deployment, DrawRequest(held=held, document="I-1"))
