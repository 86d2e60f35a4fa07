import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.receivables.fiduciary import (
    FiduciaryBalance,
    balance_after,
    credit_interest,
    draw,
    draw_settlement,
    receive,
    reconcile_held,
    refund_held,
)
from billing_framework.receivables.open_item import standings
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money
from tests.finance_vectors import VECTORS
from tests.receivables.items import PAID_ON, debit, euros, open_of


def held(account: str, amount: str) -> FiduciaryBalance:
    empty = FiduciaryBalance.empty(account, "trust", "EUR")
    return balance_after(empty, receive(empty, euros(amount), key=f"receipt/{account}", on=PAID_ON))


def test_no_client_draws_what_another_paid_in() -> None:
    vector = VECTORS["trust-01"]
    balances = {matter: held(matter, amount) for matter, amount in vector["inputs"]["deposits"].items()}
    pooled = Money.total((balance.balance for balance in balances.values()), "EUR")
    assert pooled == euros(vector["expected"]["pooled_bank"])
    wanted = euros(vector["inputs"]["draw"]["M1"])
    assert wanted < pooled
    (invoice,) = open_of(debit("1", "1200.00", account="M1"))
    with pytest.raises(
        Refused, match=r"AR26 1200\.00 EUR is more than the 1000\.00 EUR that may be used of the trust money of M1"
    ):
        draw(balances["M1"], wanted, invoice, key="draw", on=PAID_ON)


def test_a_draw_pays_the_document_and_lowers_the_balance() -> None:
    balance = held("A-1", "100.00")
    invoice = debit("1", "80.00")
    movement = draw(balance, euros("80.00"), open_of(invoice)[0], key="draw/1", on=PAID_ON)
    settlement = draw_settlement(movement, open_of(invoice)[0])
    after = standings([invoice, *settlement.items], settlement.allocations)
    assert [standing.open for standing in after] == [euros("0.00"), euros("0.00")]
    assert balance_after(balance, movement).balance == euros("20.00")


def test_what_has_not_cleared_and_the_floor_are_not_available() -> None:
    balance = attrs.evolve(held("A-1", "100.00"), uncleared=euros("30.00"), floor=euros("20.00"))
    assert balance.available == euros("50.00")
    (invoice,) = open_of(debit("1", "80.00"))
    assert draw(balance, euros("50.00"), invoice, key="draw", on=PAID_ON).money == euros("-50.00")
    with pytest.raises(Refused, match="AR26"):
        draw(balance, euros("50.01"), invoice, key="draw", on=PAID_ON)
    with pytest.raises(Refused, match="AR26"):
        refund_held(balance, euros("50.01"), key="refund", on=PAID_ON, reason="closed")
    assert attrs.evolve(balance, floor=euros("90.00")).available == euros("0.00")


def test_a_draw_needs_an_own_document_with_as_much_open() -> None:
    balance = held("A-1", "100.00")
    for item in (debit("1", "80.00", account="A-2"), debit("1", "40.00")):
        with pytest.raises(Refused, match="AR27"):
            draw(balance, euros("50.00"), open_of(item)[0], key="draw", on=PAID_ON)


@pytest.mark.parametrize("amount", ["0.00", "-5.00"])
def test_held_money_moves_by_amounts_above_zero(amount: str) -> None:
    balance = held("A-1", "100.00")
    with pytest.raises(Refused, match="AR26"):
        receive(balance, euros(amount), key="x", on=PAID_ON)
    with pytest.raises(Refused, match="AR26"):
        refund_held(balance, euros(amount), key="x", on=PAID_ON, reason="?")
    with pytest.raises(Refused, match="AR26"):
        credit_interest(balance, euros(amount), key="x", on=PAID_ON, reason="?")


def test_bank_ledger_and_customers_are_reconciled() -> None:
    balances = [held("A-1", "100.00"), held("A-2", "50.00")]
    assert reconcile_held(bank=euros("150.00"), book=euros("150.00"), balances=balances) == []
    assert [finding.code for finding in reconcile_held(bank=euros("149.00"), book=euros("150.00"), balances=balances)] == ["AR28"]
    overdrawn = [attrs.evolve(balances[0], balance=euros("-1.00")), attrs.evolve(balances[1], balance=euros("151.00"))]
    assert [finding.subject for finding in reconcile_held(bank=euros("150.00"), book=euros("150.00"), balances=overdrawn)] == [
        "A-1"
    ]


@given(st.lists(st.tuples(st.sampled_from(["in", "draw", "out"]), st.integers(1, 1_000)), max_size=20))
def test_no_row_of_movements_breaks_the_floor(acts: list[tuple[str, int]]) -> None:
    balance = attrs.evolve(held("A-1", "5.00"), floor=euros("1.00"))
    (invoice,) = open_of(debit("1", "10000.00"))
    for kind, minor in acts:
        money = Money(minor, "EUR")
        try:
            if kind == "in":
                movement = receive(balance, money, key="k", on=PAID_ON)
            elif kind == "draw":
                movement = draw(balance, money, invoice, key="k", on=PAID_ON)
            else:
                movement = refund_held(balance, money, key="k", on=PAID_ON, reason="closed")
        except Refused:
            assert money > balance.available
            continue
        balance = balance_after(balance, movement)
        assert balance.balance >= balance.floor
