"""Many officers at once: never is more settled, drawn or recorded than there is."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest

from billing_framework.run.collect.allocate import allocate_credits
from billing_framework.run.collect.deposit import CashRequest, refund_deposit, take_deposit
from billing_framework.run.collect.draw import DrawRequest, apply_deposit
from billing_framework.run.collect.held import HeldMoney
from billing_framework.run.collect.refund import RefundRequest, refund_credit
from billing_framework.run.collect.returned import ReturnRequest, reverse_payment
from billing_framework.run.collect.settle import Terms
from billing_framework.run.collect.transfer import TransferRequest, transfer_item
from billing_framework.run.collect.view import held_money
from billing_framework.storage.engine import Database
from billing_framework.storage.master.account_tables import account_id
from billing_framework.storage.receivable.rows import item_id
from billing_framework.storage.receivable.tables import allocation
from billing_framework.values.errors import BillingError
from tests.run.cashier import Cashier, euros


@pytest.fixture
def desk(database: Database) -> Cashier:
    desk = Cashier.of(database)
    desk.account("A-1", allocation="by_document")
    return desk


def at_once(*acts: Callable[[], Any]) -> Counter[str]:
    """Run the acts in threads that start together; return how often each outcome or code came."""
    barrier = threading.Barrier(len(acts))
    outcomes: list[str] = []

    def run(act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            done = act()
            outcomes.append(getattr(done, "outcome", "done"))
        except BillingError as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(outcomes)


def test_exactly_as_many_draws_pass_as_the_deposit_covers(desk: Cashier) -> None:
    held = HeldMoney(account="A-1")
    take_deposit(desk.deployment, CashRequest(held=held, money=euros("100.00"), reference="D-1"))
    for number in range(8):
        desk.invoice(f"I-{number}", "30.00")

    def draw(number: int) -> Callable[[], Any]:
        request = DrawRequest(held=held, document=f"I-{number}", amount=euros("30.00"))
        return lambda: apply_deposit(desk.deployment, request)

    assert at_once(*map(draw, range(8))) == {"applied": 3, "AR26": 5}
    assert [one.money for one in held_money(desk.deployment)] == [euros("10.00")]
    desk.proven()


def test_a_draw_and_a_refund_of_the_same_money_do_not_both_pass(desk: Cashier) -> None:
    held = HeldMoney(account="A-1")
    take_deposit(desk.deployment, CashRequest(held=held, money=euros("100.00"), reference="D-1"))
    desk.invoice("I-1", "60.00")
    back = CashRequest(held=held, money=euros("60.00"), reference="OUT-1", reason="moved out")
    outcomes = at_once(
        lambda: apply_deposit(desk.deployment, DrawRequest(held=held, document="I-1", amount=euros("60.00"))),
        lambda: refund_deposit(desk.deployment, back),
    )
    assert outcomes["AR26"] == 1
    assert [one.money for one in held_money(desk.deployment)] == [euros("40.00")]
    desk.proven()


def test_one_payment_is_allocated_refunded_moved_and_returned_only_as_far_as_it_goes(desk: Cashier) -> None:
    desk.account("A-2")
    desk.invoice("I-1", "100.00")
    desk.pay("100.00", "B-1")
    outcomes = at_once(
        lambda: allocate_credits(desk.deployment, "A-1", terms=Terms(strategy="oldest_first")),
        lambda: refund_credit(desk.deployment, RefundRequest(account="A-1", credit="B-1", reference="OUT-1", reason="asked")),
        lambda: transfer_item(desk.deployment, TransferRequest(item="B-1", account="A-1", to_account="A-2", reason="moved")),
        lambda: reverse_payment(desk.deployment, ReturnRequest(reference="B-1", code="R01", reason="no funds")),
    )
    assert sum(outcomes.values()) == 4
    assert outcomes["refunded"] + outcomes["transferred"] + outcomes["returned"] == 1 or outcomes["done"] == 1
    desk.proven()


def test_the_same_payment_from_many_hands_is_recorded_once(desk: Cashier) -> None:
    outcomes = at_once(*[lambda: desk.pay("60.00", "B-1") for _ in range(6)])
    assert outcomes == {"recorded": 1, "duplicate": 5}
    assert desk.open() == {"B-1": "-60.00"}
    desk.proven()


def test_raw_allocations_of_one_payment_from_two_sides_stop_at_what_is_open(desk: Cashier) -> None:
    for number in range(6):
        desk.invoice(f"I-{number}", "30.00")
    desk.pay("100.00", "B-1")

    def forge(number: int) -> Callable[[], Any]:
        row = {
            "id": number + 1, "key": f"forged/{number}", "account_id": account_id("A-1"),
            "debit_id": item_id(f"document/I-{number}"), "credit_id": item_id("payment/MAIN/B-1"), "currency": "EUR",
            "amount": 3000, "on_date": date(2026, 8, 20), "strategy": "forged", "line": 0, "undoes_id": None,
            "actor": "mallory", "at": datetime(2026, 8, 20, tzinfo=UTC),
        }  # fmt: skip

        def act() -> None:
            with desk.deployment.database.begin() as connection:
                connection.execute(allocation.insert().values(row))

        return act

    assert at_once(*map(forge, range(6))) == {"done": 3, "AR31": 3}
    assert desk.open()["B-1"] == "-10.00"
    desk.proven()


def test_crossing_transfers_between_two_accounts_do_not_block_each_other(desk: Cashier) -> None:
    desk.account("A-2")
    desk.invoice("I-1", "10.00", account="A-1")
    desk.invoice("I-2", "10.00", account="A-2")
    forth = TransferRequest(item="I-1", account="A-1", to_account="A-2", amount=euros("1.00"), reason="there")
    back = TransferRequest(item="I-2", account="A-2", to_account="A-1", amount=euros("1.00"), reason="and back")
    acts: Sequence[TransferRequest] = [
        attrs.evolve(request, reference=f"T-{number}") for number in range(3) for request in (forth, back)
    ]
    pairs = [attrs.evolve(act, reference=f"{act.reference}-{place}") for place, act in enumerate(acts)]

    def move(request: TransferRequest) -> Callable[[], Any]:
        return lambda: transfer_item(desk.deployment, request)

    assert at_once(*map(move, pairs)) == {"transferred": 6}
    desk.proven()
