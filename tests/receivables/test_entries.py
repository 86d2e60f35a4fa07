"""The posting matrix of receivables: every event with its accounts, signs and sub-ledger keys."""

from datetime import date

import attrs
import pytest

from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.entry import Entry
from billing_framework.receivables.entries import (
    assignment_entry,
    fiduciary_entry,
    opening_entry,
    payment_entry,
    refund_entry,
    return_entry,
    transfer_entry,
    trust_draw_entry,
    write_off_entry,
)
from billing_framework.receivables.fiduciary import FiduciaryBalance, balance_after, draw, receive, refund_held
from billing_framework.receivables.opening import opening_item
from billing_framework.receivables.payment import Direction, Payment, payment_item, return_payment
from billing_framework.receivables.refund import refund
from billing_framework.receivables.transfer import transfer
from billing_framework.receivables.write_off import recover, write_off
from billing_framework.values.errors import Refused
from tests.receivables.items import PAID_ON, credit, debit, euros, open_of

MAPPING = ChartMapping(
    book="main",
    charges={},
    taxes={"vat": "VAT"},
    roles={
        "receivable": "AR",
        "bank": "Bank",
        "suspense": "Suspense",
        "deposits": "Deposits",
        "trust": "Trust",
        "trust_bank": "Trust bank",
        "write_off": "Allowance",
        "recovery": "Recovery",
        "opening": "Opening",
    },
)
PAYMENT = Payment(book="main", external_ref="T-1", account="A-1", money=euros("100.00"), received_on=PAID_ON)


def lines(entry: Entry) -> list[tuple[str, str, str]]:
    return [(posting.gl_account, posting.account_key, str(posting.money).split()[0]) for posting in entry.postings]


def test_a_payment_of_a_known_and_of_an_unknown_customer() -> None:
    assert lines(payment_entry(PAYMENT, MAPPING)) == [("Bank", "", "100.00"), ("AR", "A-1", "-100.00")]
    unknown = attrs.evolve(PAYMENT, account="")
    assert lines(payment_entry(unknown, MAPPING)) == [("Bank", "", "100.00"), ("Suspense", "", "-100.00")]
    assigned = assignment_entry(unknown, "A-2", MAPPING, key="assign/T-1", on=PAID_ON)
    assert lines(assigned) == [("Suspense", "", "100.00"), ("AR", "A-2", "-100.00")]
    with pytest.raises(Refused, match="AR21"):
        payment_entry(attrs.evolve(PAYMENT, direction=Direction.OUT), MAPPING)


def test_the_return_of_a_payment_that_had_been_in_suspense_stands_alone() -> None:
    unknown = attrs.evolve(PAYMENT, account="")
    item = payment_item(attrs.evolve(PAYMENT, account="A-2"))
    returned = return_payment(item, [], action="return/T-1", on=PAID_ON, return_code="R01")
    entry = return_entry(unknown, returned.item, MAPPING, key="return/T-1", on=PAID_ON)
    assert (lines(entry), entry.reverses) == ([("AR", "A-2", "100.00"), ("Bank", "", "-100.00")], None)


def test_a_refund() -> None:
    (item,) = refund(open_of(credit("30.00"))[0], action="refund/1", on=PAID_ON, reference="OUT-1").items
    assert lines(refund_entry(item, MAPPING)) == [("AR", "A-1", "30.00"), ("Bank", "", "-30.00")]


def test_a_write_off_with_tax_relief_and_its_recovery() -> None:
    (item,) = write_off(open_of(debit("1", "119.00"))[0], action="write-off/1", on=PAID_ON).items
    assert lines(write_off_entry(item, MAPPING)) == [("Allowance", "A-1", "119.00"), ("AR", "A-1", "-119.00")]
    assert lines(write_off_entry(item, MAPPING, {"vat": euros("19.00")})) == [
        ("Allowance", "A-1", "100.00"),
        ("VAT", "A-1", "19.00"),
        ("AR", "A-1", "-119.00"),
    ]
    back = recover(item, action="recover/1", on=PAID_ON, due_on=PAID_ON)
    assert lines(write_off_entry(back, MAPPING, {"vat": euros("-19.00")})) == [
        ("Recovery", "A-1", "-100.00"),
        ("VAT", "A-1", "-19.00"),
        ("AR", "A-1", "119.00"),
    ]


def test_a_transfer_moves_the_sub_ledger_and_not_the_control_account() -> None:
    left, moved = transfer(open_of(debit("1", "50.00"))[0], to_account="A-2", action="transfer/1", on=PAID_ON).items
    assert lines(transfer_entry(left, moved, MAPPING)) == [("AR", "A-2", "50.00"), ("AR", "A-1", "-50.00")]


def test_an_opening_balance_counts_from_the_take_over() -> None:
    item = opening_item(account="A-1", reference="OLD-7", original=euros("12.00"), dated_on=PAID_ON, due_on=PAID_ON)
    entry = opening_entry(item, MAPPING, on=date(2026, 1, 1))
    assert lines(entry) == [("AR", "A-1", "12.00"), ("Opening", "", "-12.00")]
    assert entry.effective_on == date(2026, 1, 1)


def test_a_deposit_taken_applied_and_paid_back() -> None:
    empty = FiduciaryBalance.empty("A-1", "deposit", "EUR", "meter 7")
    taken = receive(empty, euros("100.00"), key="deposit/1", on=PAID_ON)
    balance = balance_after(empty, taken)
    applied = draw(balance, euros("60.00"), open_of(debit("1", "60.00"))[0], key="deposit/2", on=PAID_ON)
    back = refund_held(balance, euros("40.00"), key="deposit/3", on=PAID_ON, reason="moved out")
    assert lines(fiduciary_entry(taken, MAPPING)) == [("Deposits", "A-1", "-100.00"), ("Bank", "", "100.00")]
    assert lines(fiduciary_entry(applied, MAPPING)) == [("Deposits", "A-1", "60.00"), ("AR", "A-1", "-60.00")]
    assert lines(fiduciary_entry(back, MAPPING)) == [("Deposits", "A-1", "40.00"), ("Bank", "", "-40.00")]
    assert {fiduciary_entry(act, MAPPING).postings[0].sub_key for act in (taken, applied, back)} == {"deposit/meter 7"}


def test_trust_money_is_kept_in_a_book_of_its_own() -> None:
    empty = FiduciaryBalance.empty("M-1", "trust", "EUR")
    taken = receive(empty, euros("100.00"), key="trust/1", on=PAID_ON)
    (invoice,) = open_of(debit("1", "60.00", account="M-1"))
    used = draw(balance_after(empty, taken), euros("60.00"), invoice, key="trust/2", on=PAID_ON)
    assert lines(fiduciary_entry(taken, MAPPING)) == [("Trust", "M-1", "-100.00"), ("Trust bank", "", "100.00")]
    assert lines(fiduciary_entry(used, MAPPING)) == [("Trust", "M-1", "60.00"), ("Trust bank", "", "-60.00")]
    assert lines(trust_draw_entry(used, MAPPING)) == [("Bank", "", "60.00"), ("AR", "M-1", "-60.00")]
