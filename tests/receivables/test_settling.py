"""Write-off, recovery, refund, transfer and opening balances."""

from datetime import date

import pytest

from billing_framework.receivables.open_item import ItemKind, standings
from billing_framework.receivables.opening import opening_item
from billing_framework.receivables.refund import refund
from billing_framework.receivables.transfer import transfer
from billing_framework.receivables.write_off import recover, write_off
from billing_framework.values.errors import Refused
from tests.receivables.items import PAID_ON, credit, debit, euros, open_of


def test_a_write_off_settles_and_a_recovery_is_owed_again() -> None:
    invoice = debit("1", "100.00")
    given_up = write_off(open_of(invoice)[0], action="write-off/1", on=PAID_ON, amount=euros("60.00"))
    (item,) = given_up.items
    assert (item.kind, item.original, item.reference) == (ItemKind.WRITE_OFF, euros("-60.00"), "1")
    assert [standing.open for standing in standings([invoice, item], given_up.allocations)] == [euros("40.00"), euros("0.00")]
    back = recover(item, action="recover/1", on=PAID_ON, due_on=invoice.due_on)
    assert (back.original, back.due_on, back.is_debit) == (euros("60.00"), invoice.due_on, True)
    with pytest.raises(Refused, match="AR23"):
        recover(item, action="recover/1", on=PAID_ON, due_on=invoice.due_on, amount=euros("60.01"))
    with pytest.raises(Refused, match="AR23"):
        recover(invoice, action="recover/1", on=PAID_ON, due_on=invoice.due_on)


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "100.01"])
def test_amounts_out_of_what_is_open_are_refused(amount: str) -> None:
    invoice, payment = open_of(debit("1", "100.00"), credit("100.00"))
    with pytest.raises(Refused, match="AR23"):
        write_off(invoice, action="x", on=PAID_ON, amount=euros(amount))
    with pytest.raises(Refused, match="AR24"):
        refund(payment, action="x", on=PAID_ON, reference="OUT", amount=euros(amount))
    with pytest.raises(Refused, match="AR25"):
        transfer(invoice, to_account="A-2", action="x", on=PAID_ON, amount=euros(amount))


def test_the_wrong_side_is_refused() -> None:
    invoice, payment = open_of(debit("1", "100.00"), credit("100.00"))
    with pytest.raises(Refused, match="AR23"):
        write_off(payment, action="x", on=PAID_ON)
    with pytest.raises(Refused, match="AR24"):
        refund(invoice, action="x", on=PAID_ON, reference="OUT")
    with pytest.raises(Refused, match="AR25"):
        transfer(invoice, to_account="A-1", action="x", on=PAID_ON)


def test_a_refund_settles_the_credit() -> None:
    payment = credit("100.00")
    paid_out = refund(open_of(payment)[0], action="refund/1", on=PAID_ON, reference="OUT-1", amount=euros("30.00"))
    after = standings([payment, *paid_out.items], paid_out.allocations)
    assert [standing.open for standing in after] == [euros("-70.00"), euros("0.00")]


def test_a_debt_moves_to_another_account_and_ages_on() -> None:
    invoice = debit("1", "100.00", due_on=date(2026, 6, 1))
    moved = transfer(open_of(invoice)[0], to_account="A-2", action="transfer/1", on=PAID_ON, amount=euros("40.00"))
    left, arrived = moved.items
    assert (arrived.account, arrived.original, arrived.due_on, arrived.reference) == ("A-2", euros("40.00"), invoice.due_on, "1")
    after = standings([invoice, left, arrived], moved.allocations)
    assert [standing.open for standing in after] == [euros("60.00"), euros("0.00"), euros("40.00")]


def test_a_credit_moves_too() -> None:
    payment = credit("100.00")
    moved = transfer(open_of(payment)[0], to_account="A-2", action="transfer/1", on=PAID_ON)
    after = standings([payment, *moved.items], moved.allocations)
    assert [(standing.item.account, standing.open) for standing in after] == [
        ("A-1", euros("0.00")),
        ("A-1", euros("0.00")),
        ("A-2", euros("-100.00")),
    ]


def test_an_opening_item_keeps_its_old_number_and_dates() -> None:
    item = opening_item(
        account="A-1", reference="OLD-7", original=euros("-12.00"), dated_on=date(2025, 1, 1), due_on=date(2025, 1, 15)
    )
    assert (item.key, item.kind, item.is_debit) == ("opening/A-1/OLD-7", ItemKind.OPENING, False)
