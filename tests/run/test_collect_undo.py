"""What was settled comes back by counter-rows: returns, refunds, transfers, write-offs, allocations; nothing is edited."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from billing_framework.receivables.allocation import Instruction
from billing_framework.receivables.hold import Block
from billing_framework.run.collect.allocate import allocate_credits, unallocate
from billing_framework.run.collect.assign import assign_payment
from billing_framework.run.collect.hold import HoldRequest, list_holds, place_hold, release_hold
from billing_framework.run.collect.refund import RefundRequest, refund_credit
from billing_framework.run.collect.returned import ReturnRequest, reverse_payment
from billing_framework.run.collect.settle import Terms
from billing_framework.run.collect.transfer import TransferRequest, transfer_item
from billing_framework.run.collect.view import open_items, payment_views
from billing_framework.run.collect.write_off import write_off_item, write_off_small
from billing_framework.run.master.books import load_book_file
from billing_framework.storage.engine import Database
from billing_framework.values.errors import Conflict, InputRefused, LedgerRefused, NotFound, Refused
from tests.finance_vectors import VECTORS
from tests.run.cashier import Cashier, book_file, euros


@pytest.fixture
def desk(database: Database) -> Cashier:
    desk = Cashier.of(database)
    desk.account("A-1")
    desk.account("A-2")
    return desk


def returned(reference: str = "B-1", **fields: object) -> ReturnRequest:
    return ReturnRequest(**{"reference": reference, "code": "R01", "reason": "no funds", **fields})  # type: ignore[arg-type]


def test_a_returned_payment_opens_the_invoice_with_its_own_due_date_and_charges_the_fee(desk: Cashier) -> None:
    inputs, expected = VECTORS["pay-06"]["inputs"], VECTORS["pay-06"]["expected"]
    desk.invoice("I-1", inputs["invoice"], due="2026-08-01")
    desk.pay(inputs["payment"])
    assert desk.open() == {}
    desk.clock.advance(desk.clock.instant.replace(day=25) - desk.clock.instant)

    request = returned(code=inputs["returned"], fee=euros(inputs["fee"]))
    done = reverse_payment(desk.deployment, request)
    assert done.opened == ("document/I-1",)
    assert desk.open() == {"I-1": expected["open"]["invoice"], "B-1/fee": expected["open"]["fee"]}
    names = {"AR": "Receivable", "NSF fee income": "Fees", "Bank": "Bank"}
    lines = sorted((names[account], amount) for _, account, amount in expected["journal"])
    assert sorted((account, amount) for _, account, amount in desk.journal()) == lines
    items = {one.reference: one for one in open_items(desk.deployment, "A-1").items}
    assert items["I-1"].due_on == date(2026, 8, 1)
    assert items["B-1/fee"].due_on == date(2026, 9, 8)
    assert [view.status for view in payment_views(desk.deployment, "B-1")] == ["returned R01"]
    desk.proven()

    before = desk.journal()
    assert reverse_payment(desk.deployment, request).outcome == "duplicate"
    with pytest.raises(Refused, match="AR22"):
        reverse_payment(desk.deployment, returned(code="AC04"))
    assert desk.journal() == before


def test_a_payment_in_suspense_and_an_assigned_one_go_back_too(desk: Cashier) -> None:
    desk.pay("60.00", "B-1", account="", book="MAIN")
    desk.pay("70.00", "B-2", account="", book="MAIN")
    desk.invoice("I-1", "100.00")
    assign_payment(desk.deployment, "B-2", "A-1")
    reverse_payment(desk.deployment, returned("B-1"))
    reverse_payment(desk.deployment, returned("B-2"))
    assert desk.open() == {"I-1": "100.00"}
    sums: dict[str, int] = {}
    for _, account, amount in desk.journal():
        sums[account] = sums.get(account, 0) + int(amount.replace(".", ""))
    assert sums == {"Bank": 0, "Suspense": 0, "Receivable": 0}
    desk.proven()
    with pytest.raises(Refused, match="AR46"):
        assign_payment(desk.deployment, "B-1", "A-1")


def test_a_return_mirrors_the_entry_that_was_posted_also_after_the_book_changed_its_bank(desk: Cashier) -> None:
    desk.pay("60.00")
    desk.clock.advance(desk.clock.instant.replace(day=22) - desk.clock.instant)
    assert load_book_file(desk.deployment, "book.toml", book_file("MAIN", bank="1001")).outcome == "changed"
    desk.pay("70.00", "B-2")
    reverse_payment(desk.deployment, returned("B-1"))
    assert [line for line in desk.journal() if "ank" in line[1]] == [
        ("payment", "Bank", "60.00"),
        ("payment", "New bank", "70.00"),
        ("payment", "Bank", "-60.00"),
    ]
    desk.proven()


def test_a_return_needs_a_reason_a_payment_and_a_fee_that_fits(desk: Cashier) -> None:
    desk.pay("60.00")
    desk.pay("60.00", "B-2", account="", book="MAIN")
    with pytest.raises(InputRefused, match="ACCOUNT16"):
        reverse_payment(desk.deployment, returned(reason=" "))
    with pytest.raises(NotFound, match="AR43"):
        reverse_payment(desk.deployment, returned("B-9"))
    with pytest.raises(InputRefused, match="AR41"):
        reverse_payment(desk.deployment, returned("B-2", fee=euros("5.00")))
    with pytest.raises(LedgerRefused, match="LEDGER06"):
        reverse_payment(desk.deployment, returned(on=date(2026, 12, 1)))
    assert desk.open() == {"B-1": "-60.00"}


def test_a_refund_pays_back_what_is_unapplied_and_no_more(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00")
    desk.pay("160.00")
    refund = RefundRequest(account="A-1", amount=euros("40.00"), reference="OUT-1", reason="overpaid")
    assert refund_credit(desk.deployment, refund).outcome == "refunded"
    assert refund_credit(desk.deployment, refund).outcome == "duplicate"
    assert desk.open() == {"B-1": "-20.00"}
    assert desk.journal()[2:] == [("refund", "Receivable", "40.00"), ("refund", "Bank", "-40.00")]
    with pytest.raises(Refused, match="AR24"):
        refund_credit(desk.deployment, RefundRequest(account="A-1", amount=euros("20.01"), reference="OUT-2", reason="more"))
    with pytest.raises(Conflict, match="AR40"):
        refund_credit(desk.deployment, RefundRequest(account="A-1", amount=euros("20.00"), reference="OUT-1", reason="more"))
    with pytest.raises(Refused, match="AR22"):
        reverse_payment(desk.deployment, returned())
    desk.proven()


def test_of_several_credits_the_one_to_pay_back_must_be_named(desk: Cashier) -> None:
    desk.pay("10.00", "B-1")
    desk.pay("20.00", "B-2")
    with pytest.raises(Refused, match="AR44.*B-1, B-2"):
        refund_credit(desk.deployment, RefundRequest(account="A-1", reference="OUT-1", reason="asked"))
    refund_credit(desk.deployment, RefundRequest(account="A-1", credit="B-2", reference="OUT-1", reason="asked"))
    assert desk.open() == {"B-1": "-10.00"}


def test_a_transfer_keeps_number_and_due_date_and_happens_once(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00", due="2026-07-15")
    move = TransferRequest(item="I-1", to_account="A-2", amount=euros("60.00"), reference="T-1", reason="flat is let")
    assert transfer_item(desk.deployment, move).outcome == "transferred"
    assert transfer_item(desk.deployment, move).outcome == "duplicate"
    assert (desk.open("A-1"), desk.open("A-2")) == ({"I-1": "40.00"}, {"I-1": "60.00"})
    (moved,) = open_items(desk.deployment, "A-2").items
    assert moved.due_on == date(2026, 7, 15)
    with pytest.raises(Conflict, match="AR45"):
        transfer_item(desk.deployment, attrs.evolve(move, amount=euros("1.00")))
    with pytest.raises(Refused, match="AR44"):
        transfer_item(desk.deployment, TransferRequest(item="I-1", to_account="A-2", reason="which one"))
    with pytest.raises(Refused, match="AR25"):
        transfer_item(desk.deployment, TransferRequest(item="document/I-1", to_account="A-2", amount=euros("41.00"), reason="x"))
    desk.pay("60.00", account="A-2")
    assert desk.open("A-2") == {}
    desk.proven()


def test_nothing_moves_between_books(database: Database) -> None:
    desk = Cashier.of(database, "MAIN", "OTHER")
    desk.account("A-1")
    desk.account("O-1", book="OTHER")
    desk.invoice("I-1", "100.00")
    with pytest.raises(Refused, match="AR47"):
        transfer_item(desk.deployment, TransferRequest(item="I-1", to_account="O-1", reason="wrong house"))
    desk.proven()


def test_write_offs_take_one_document_or_all_small_rests(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00")
    desk.invoice("I-2", "0.40")
    desk.invoice("I-3", "1.01")
    done = write_off_small(desk.deployment, "A-1", euros("1.00"), reason="small balances")
    assert [item.reference for item in done.items] == ["I-2"]
    assert write_off_small(desk.deployment, "A-1", euros("1.00"), reason="small balances").items == ()
    write_off_item(desk.deployment, "I-1", amount=euros("99.00"), reason="insolvent")
    assert desk.open() == {"I-1": "1.00", "I-3": "1.01"}
    with pytest.raises(Refused, match="AR23"):
        write_off_item(desk.deployment, "I-1", amount=euros("1.01"), reason="more")
    desk.proven()


def test_credits_settle_what_they_correct_first_and_can_be_taken_back(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00", due="2026-07-01")
    desk.invoice("I-2", "100.00", due="2026-08-01")
    desk.invoice("C-1", "-30.00", corrects="I-2")
    done = allocate_credits(desk.deployment, "A-1")
    assert [(one.debit, one.amount) for one in done.allocations] == [("document/I-2", euros("30.00"))]
    assert allocate_credits(desk.deployment, "A-1").allocations == ()
    assert desk.open() == {"I-1": "100.00", "I-2": "70.00"}

    unallocate(desk.deployment, "C-1", reason="wrong bill")
    with pytest.raises(Refused, match="AR16"):
        unallocate(desk.deployment, "C-1", reason="again")
    terms = Terms(instructions=(Instruction(item="I-1", amount=euros("10.00")),), strategy="by_document")
    done = allocate_credits(desk.deployment, "A-1", credit="C-1", terms=terms)
    assert done.unapplied == (euros("20.00"),)
    assert desk.open() == {"I-1": "90.00", "I-2": "100.00", "C-1": "-20.00"}
    assert desk.journal() == []
    desk.proven()


def test_allocating_into_a_closed_period_is_refused(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00")
    desk.invoice("C-1", "-30.00")
    with pytest.raises(LedgerRefused, match="LEDGER06"):
        allocate_credits(desk.deployment, "A-1", on=date(2026, 12, 1))
    assert desk.open() == {"C-1": "-30.00", "I-1": "100.00"}


def hold(**fields: object) -> HoldRequest:
    base: dict[str, object] = {"document": "I-1", "blocks": (Block.DUNNING, Block.ALLOCATION), "code": "dispute"}
    return HoldRequest(**{**base, "reason": "reading is wrong", **fields})  # type: ignore[arg-type]


def test_a_disputed_part_is_neither_dunned_nor_settled_until_it_is_released(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00", due="2026-08-01")
    desk.invoice("I-2", "50.00", due="2026-08-10")
    placed = place_hold(desk.deployment, hold(amount=euros("80.00")))
    assert place_hold(desk.deployment, hold(amount=euros("80.00"))).id == placed.id
    with pytest.raises(Conflict, match="AR49"):
        place_hold(desk.deployment, hold(amount=euros("70.00")))
    shown = {one.reference: (one.held, one.dunnable) for one in open_items(desk.deployment, "A-1").items}
    assert shown == {"I-1": (euros("80.00"), euros("20.00")), "I-2": (euros("0.00"), euros("50.00"))}

    desk.pay("60.00")
    assert desk.open() == {"I-1": "80.00", "I-2": "10.00"}

    release_hold(desk.deployment, placed.id, outcome="rejected", reason="the reading was right")
    with pytest.raises(Refused, match="AR18"):
        release_hold(desk.deployment, placed.id, outcome="rejected", reason="again")
    assert list_holds(desk.deployment) == []
    assert [one.outcome for one in list_holds(desk.deployment, scope_key="I-1", ended=True)] == ["rejected"]
    desk.pay("60.00", "B-2")
    assert desk.open() == {"I-1": "20.00", "I-2": "10.00"}


def test_a_held_line_is_passed_over_by_line_priority(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00", lines=(("water", "60.00"), ("energy", "40.00")))
    place_hold(desk.deployment, hold(line=1))
    desk.pay("100.00", strategy="line_priority", priorities=("water", "energy"))
    (view,) = payment_views(desk.deployment, "B-1")
    assert [(link.line, link.amount) for link in view.allocations] == [(2, euros("40.00"))]
    assert desk.open() == {"I-1": "60.00", "B-1": "-60.00"}


def test_a_hold_needs_a_scope_that_is_there(desk: Cashier) -> None:
    desk.invoice("I-1", "100.00")
    with pytest.raises(NotFound, match="AR43"):
        place_hold(desk.deployment, hold(document="I-9"))
    with pytest.raises(NotFound, match="AR43"):
        place_hold(desk.deployment, hold(line=3))
    with pytest.raises(NotFound, match="ACCOUNT09"):
        place_hold(desk.deployment, hold(document="", account="A-9"))
    with pytest.raises(Refused, match="AR17"):
        place_hold(desk.deployment, hold(account="A-1"))
    with pytest.raises(NotFound, match="AR49"):
        release_hold(desk.deployment, 7, outcome="kept", reason="x")
