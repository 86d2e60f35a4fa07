"""A summer at the cashier: bills are paid short, returned and disputed, an old balance is taken over, the books always agree."""

from __future__ import annotations

from datetime import date

import pytest

from billing_framework.receivables.allocation import Instruction
from billing_framework.receivables.hold import Block
from billing_framework.run.collect.hold import HoldRequest, place_hold, release_hold
from billing_framework.run.collect.opening import open_balances
from billing_framework.run.collect.payment import PaymentRequest, Recorded, record_payment
from billing_framework.run.collect.refund import RefundRequest, refund_credit
from billing_framework.run.collect.returned import ReturnRequest, reverse_payment
from billing_framework.run.collect.settle import Terms
from billing_framework.run.collect.view import open_items
from billing_framework.run.master.periods import close_book_period
from billing_framework.run.prove.trial_balance import prove
from billing_framework.storage.engine import Database
from billing_framework.values.errors import LedgerRefused
from billing_framework.values.money import Money
from tests.scenarios.office import Office


def dollars(text: str) -> Money:
    return Money.of(text, "USD")


def pay(office: Office, amount: str, reference: str, **terms: object) -> Recorded:
    request = PaymentRequest(
        account="C1",
        money=dollars(amount),
        received_on=office.clock.now().date(),
        external_ref=reference,
        terms=Terms(**terms),  # type: ignore[arg-type]
    )
    return record_payment(office.deployment, request)


def owed(office: Office) -> dict[str, tuple[str, date]]:
    items = open_items(office.deployment, "C1").items
    return {one.reference: (str(one.open), one.due_on) for one in items}


def test_a_summer_at_the_cashier(database: Database) -> None:
    office = Office.of(database)
    office.customer("C1", "drill")
    old = b"account,reference,amount,currency,dated_on,due_on\nC1,OLD-7,12.00,USD,2026-05-01,2026-05-15\n"
    assert open_balances(office.deployment, old, file="old.csv", on=date(2026, 7, 1)).opened == 1
    office.jobs("j1,drill,2026-07-03T08:00:00+00:00,4", "j2,drill,2026-07-20T08:00:00+00:00,8")
    office.bill("2026-07")
    due = date(2026, 8, 15)
    assert owed(office) == {"OLD-7": ("12.00 USD", date(2026, 5, 15)), "INV-2026-000001": ("57.20 USD", due)}

    # The payer names the hours, line 2 of the bill; the rest goes to what is oldest.
    hours = Instruction(item="INV-2026-000001", line=2, amount=dollars("20.00"))
    recorded = pay(office, "50.00", "B-1", instructions=(hours,))
    assert [(one.line, str(one.amount)) for one in recorded.allocations] == [(2, "20.00 USD"), (0, "12.00 USD"), (0, "18.00 USD")]
    assert owed(office) == {"INV-2026-000001": ("19.20 USD", due)}

    # The bank takes it back in the next month; August is closed, the bill ages from where it did.
    office.pass_days(35)
    close_book_period(office.deployment, "MAIN", date(2026, 8, 1), reason="August is reported", leave_earlier=True)
    bounced = ReturnRequest(reference="B-1", code="R01", on=date(2026, 8, 31), fee=dollars("15.00"), reason="no funds")
    with pytest.raises(LedgerRefused, match="LEDGER06"):
        reverse_payment(office.deployment, bounced)
    assert owed(office) == {"INV-2026-000001": ("19.20 USD", due)}
    in_september = ReturnRequest(reference="B-1", code="R01", fee=dollars("15.00"), reason="no funds")
    assert reverse_payment(office.deployment, in_september).outcome == "returned"
    assert owed(office) == {
        "OLD-7": ("12.00 USD", date(2026, 5, 15)),
        "INV-2026-000001": ("57.20 USD", due),
        "B-1/fee": ("15.00 USD", date(2026, 9, 19)),
    }

    # Half of the bill is disputed: money goes elsewhere until it is decided, and too much of it stays on account.
    dispute = HoldRequest(
        document="INV-2026-000001", blocks=(Block.DUNNING, Block.ALLOCATION), code="dispute", amount=dollars("30.00"), reason="j2"
    )
    placed = place_hold(office.deployment, dispute)
    recorded = pay(office, "60.00", "B-2")
    assert str(recorded.unapplied) == "5.80 USD"
    assert {name: text for name, (text, _) in owed(office).items()} == {"INV-2026-000001": "30.00 USD", "B-2": "-5.80 USD"}
    refund = RefundRequest(account="C1", reference="OUT-1", reason="asked for it")
    assert str(refund_credit(office.deployment, refund).payment.money) == "5.80 USD"
    release_hold(office.deployment, placed.id, outcome="rejected", reason="the job was done")
    pay(office, "30.00", "B-3")
    assert owed(office) == {}
    assert prove(office.deployment, "MAIN").findings == ()
